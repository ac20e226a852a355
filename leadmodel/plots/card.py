"""Draw the figures of a model card and of a call plan, from finished numbers."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from leadmodel.decision.call_plan import CallPlan
from leadmodel.decision.policy import Decision
from leadmodel.metrics.classification import Estimate
from leadmodel.metrics.comparison import Candidate
from leadmodel.metrics.curves import Curves, Line
from leadmodel.options import installed
from leadmodel.plots.style import ACCENT, INK, SECOND, Display, in_percent, new_axes, short
from leadmodel.report.evaluation import Evaluation

__all__ = ["draw_comparison", "draw_figures", "draw_plan", "make_displays"]


def make_displays(
    evaluation: Evaluation, labels: Mapping[str, str], decision: Decision
) -> dict[str, Display]:
    """Return the figures of a model card, ready to be drawn.

    Parameters
    ----------
    evaluation : Evaluation
        Metrics and curves of the model.
    labels : mapping of str to str
        Labels by field name.
    decision : Decision
        Threshold, and the two decisions in words.

    Returns
    -------
    dict of str to Display
        By file name without extension.
    """
    curves, test = evaluation.curves, evaluation.test
    importance = {labels[name]: value for name, value in evaluation.importance.items()}
    displays = {
        "roc": _roc(curves, test["roc_auc"]),
        "precision_recall": _precision_recall(curves, test),
        "reliability": _reliability(curves, test["calibration_error"]),
        "gains": _gains(curves),
        "lift": _lift(curves),
        "confusion": _confusion(curves, (decision.negative, decision.positive)),
        "importance": _importance(importance),
        "probabilities": _probabilities(curves, None if decision.is_by_value else decision.threshold),
    }
    if curves.profit:
        displays["profit"] = _profit(curves.profit, curves.called, test["profit"])
    for name, result in evaluation.options.items():
        displays |= installed()[name].displays(result)
    return displays


def draw_figures(
    evaluation: Evaluation, labels: Mapping[str, str], decision: Decision
) -> dict[str, Figure]:
    """Draw the figures of a model card; parameters as for `make_displays`."""
    displays = make_displays(evaluation, labels, decision)
    return {name: display.plot().figure_ for name, display in displays.items()}


def draw_comparison(comparison: Sequence[Candidate]) -> Figure:
    """Draw the log loss of each type of model minus the best, with its interval.

    Parameters
    ----------
    comparison : sequence of Candidate
        Types of models, the best first.
    """
    height = 1.3 + 0.4 * len(comparison)
    figure, axes = new_axes("Behind the best", "Log loss above the best", "", height, 4.6)
    behind, rows = [candidate.behind for candidate in comparison], np.arange(len(comparison))
    values = [estimate.value for estimate in behind]
    errors = [[e.value - e.low for e in behind], [e.high - e.value for e in behind]]
    axes.axvline(0, color=SECOND, linestyle="--")
    axes.errorbar(values, rows, xerr=errors, fmt="o", color=ACCENT, markersize=6, capsize=3)
    axes.set_yticks(rows, [short(candidate.name, 28) for candidate in comparison])
    axes.set_ylim(len(comparison) - 0.5, -0.5)  # downwards, so that the best is on top
    axes.grid(axis="y", visible=False)
    return figure


def draw_plan(plan: CallPlan) -> Figure:
    """Draw the expected customers, or value, of a list by the number of calls, and mark the plan.

    It is half as wide as the figures of a card, so that a phone need not shrink the letters.
    """
    figure, axes = new_axes(
        "Gain from more calls",
        "Leads called, best first",
        "Customers expected" if plan.values is None else "Value expected",
        3.3,
        4.0,
    )
    called, gains = np.arange(len(plan.returns)), plan.returns
    # Of 50,000 leads a screen shows no more than some hundred points.
    shown = np.unique(np.linspace(0, called[-1], 400).astype(int))
    axes.plot(called[[0, -1]], gains[[0, -1]], color=SECOND, linestyle="--", label="in any order")
    axes.plot(called[shown], gains[shown], color=ACCENT, linewidth=2, label="best first")
    expected = gains[plan.n_called]
    label = f"{plan.n_called:,} calls: {expected:,.0f}"
    axes.plot(plan.n_called, expected, "o", color=INK, markersize=8, label=label)
    if plan.values is None:
        axes.vlines(plan.n_called, *plan.interval, color=INK, linewidth=2)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:,g}")
    axes.set_ylim(0, None)
    axes.legend(loc="lower right", frameon=False)
    return figure


def _roc(curves: Curves, auc: Estimate) -> Display:
    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=SECOND, linestyle="--", label="chance")
        axes.plot(curves.roc.x, curves.roc.y, color=ACCENT, linewidth=2, label=f"AUC {auc.summary()}")
        axes.legend(loc="lower right", frameon=False)

    return Display("ROC curve", "False positive rate", "True positive rate", draw)


def _precision_recall(curves: Curves, test: Mapping[str, Estimate]) -> Display:
    def draw(axes: Axes) -> None:
        label = f"AUC {test['pr_auc'].summary()}"
        line = curves.precision_recall
        axes.plot(line.x, line.y, color=ACCENT, linewidth=2, label=label)
        chosen = (test["recall"].value, test["precision"].value)
        axes.plot(*chosen, "o", color=SECOND, markersize=9, label="decision threshold")
        axes.set_ylim(0, 1.02)
        axes.legend(loc="lower left", frameon=False)

    return Display("Precision and recall", "Recall", "Precision", draw)


def _reliability(curves: Curves, error: Estimate) -> Display:
    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=SECOND, linestyle="--", label="exactly as predicted")
        predicted, observed = curves.reliability["predicted"], curves.reliability["observed"]
        label = f"test leads; mean gap {error.value:.3f}"
        axes.plot(predicted, observed, "o-", color=ACCENT, linewidth=2, label=label)
        in_percent(axes.xaxis, axes.yaxis)
        axes.legend(loc="upper left", frameon=False)

    return Display("Calibration", "Predicted probability", "Share that converted", draw)


def _gains(curves: Curves) -> Display:
    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=SECOND, linestyle="--", label="in any order")
        axes.plot(curves.gains.x, curves.gains.y, color=ACCENT, linewidth=2, label="by this model")
        in_percent(axes.xaxis, axes.yaxis)
        axes.legend(loc="lower right", frameon=False)

    return Display("Cumulative gains", "Leads called, best first", "Conversions caught", draw)


def _lift(curves: Curves) -> Display:
    def draw(axes: Axes) -> None:
        axes.axhline(1, color=SECOND, linestyle="--", label="in any order")
        axes.plot(curves.lift.x, curves.lift.y, color=ACCENT, linewidth=2, label="by this model")
        in_percent(axes.xaxis)
        axes.set_ylim(0, None)
        axes.legend(frameon=False)

    return Display("Lift", "Leads called, best first", "Lift", draw)


def _profit(profit: Line, called: float, chosen: Estimate) -> Display:
    def draw(axes: Axes) -> None:
        axes.axhline(0, color=SECOND, linestyle="--", label="no calls")
        axes.plot(profit.x, profit.y, color=ACCENT, linewidth=2, label="test leads, by this model")
        label = f"decision threshold: {chosen.value:.2f} ({chosen.low:.2f} to {chosen.high:.2f})"
        axes.plot(called, chosen.value, "o", color=INK, markersize=9, label=label)
        in_percent(axes.xaxis)
        axes.legend(frameon=False)

    return Display("Profit", "Leads called, best first", "Profit per lead of the list", draw)


def _confusion(curves: Curves, words: tuple[str, str]) -> Display:
    def draw(axes: Axes) -> None:
        axes.grid(visible=False)
        counts = np.array(curves.confusion)
        # The darkest colors of the map, above the highest count, would hide the numbers.
        axes.imshow(counts, cmap="GnBu", vmin=0, vmax=counts.max() * 1.3, aspect="auto")
        for (row, column), count in np.ndenumerate(counts):
            axes.text(column, row, f"{count:,}", ha="center", va="center", fontsize=15, color=INK)
        axes.set_xticks([0, 1], [short(word) for word in words])
        axes.set_yticks([0, 1], ["did not convert", "converted"])

    return Display("Decisions on the test leads", "", "", draw, 3.6)


def _importance(importance: Mapping[str, float]) -> Display:
    # The largest last, because bars are drawn from the bottom up.
    ranked = sorted(importance.items(), key=lambda item: item[1])[-15:]
    height = 1.3 + 0.3 * len(ranked)

    def draw(axes: Axes) -> None:
        axes.barh([short(name) for name, _ in ranked], [value for _, value in ranked], color=ACCENT)
        axes.grid(axis="y", visible=False)

    return Display("Feature importance", "Mean contribution to the log-odds", "", draw, height)


def _probabilities(curves: Curves, threshold: float | None) -> Display:
    def draw(axes: Axes) -> None:
        for counts, color, style, label in (
            (curves.scores_other, SECOND, "--", "did not convert"),
            (curves.scores_converted, ACCENT, "-", "converted"),
        ):
            # Shares, because counts of the rarer outcome would hardly be seen beside those of the other.
            shares = [count / max(sum(counts), 1) for count in counts]
            axes.stairs(shares, curves.score_edges, color=color, linestyle=style, linewidth=2, label=label)
        if threshold is not None:
            axes.axvline(threshold, color=INK, linewidth=1, linestyle=":", label="decision threshold")
        in_percent(axes.xaxis, axes.yaxis)
        axes.legend(frameon=False)

    return Display("Probabilities by outcome", "Probability", "Share of each outcome", draw)
