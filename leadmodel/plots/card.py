"""Draw the figures of a model card and of a call plan."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from leadmodel.amounts.results import RevenueTest
from leadmodel.decision.call_plan import CallPlan
from leadmodel.decision.policy import Decision
from leadmodel.metrics.classification import Estimate
from leadmodel.metrics.comparison import Candidate
from leadmodel.metrics.curves import Curves, Line
from leadmodel.plots.style import ACCENT, INK, SECOND, in_percent, new_axes, short
from leadmodel.report.evaluation import Evaluation

__all__ = ["draw_comparison", "draw_figures", "draw_plan"]


def draw_figures(
    evaluation: Evaluation, labels: Mapping[str, str], decision: Decision
) -> dict[str, Figure]:
    """Draw the figures of a model card.

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
    dict of str to Figure
        Figures by file name without extension.
    """
    curves, test = evaluation.curves, evaluation.test
    importance = {labels[name]: value for name, value in evaluation.importance.items()}
    figures = {
        "roc": _draw_roc(curves, test["roc_auc"]),
        "precision_recall": _draw_precision_recall(curves, test),
        "reliability": _draw_reliability(curves, test["calibration_error"]),
        "gains": _draw_gains(curves),
        "lift": _draw_lift(curves),
        "confusion": _draw_confusion(curves, (decision.negative, decision.positive)),
        "importance": _draw_importance(importance),
        "probabilities": _draw_probabilities(curves, None if decision.is_by_value else decision.threshold),
    }
    if curves.profit:
        figures["profit"] = _draw_profit(curves.profit, curves.called, test["profit"])
    if evaluation.revenue and evaluation.revenue.test:
        figures["revenue"] = _draw_revenue(evaluation.revenue.test)
    return figures


def draw_comparison(comparison: Sequence[Candidate]) -> Figure:
    """Draw the log loss of each type of model minus the best, with its interval.

    Parameters
    ----------
    comparison : sequence of Candidate
        Types of models, the best first.
    """
    height = 1.3 + 0.4 * len(comparison)
    figure, axes = new_axes("Behind the best", "Log loss beyond the best one's", "", height, 4.6)
    behind, rows = [candidate.behind for candidate in comparison], np.arange(len(comparison))
    values = [estimate.value for estimate in behind]
    errors = [[e.value - e.low for e in behind], [e.high - e.value for e in behind]]
    axes.axvline(0, color=SECOND, linestyle="--")
    axes.errorbar(values, rows, xerr=errors, fmt="o", color=ACCENT, markersize=6, capsize=3)
    axes.set_yticks(rows, [short(candidate.name, 28) for candidate in comparison])
    axes.set_ylim(len(comparison) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    return figure


def draw_plan(plan: CallPlan) -> Figure:
    """Draw the expected customers, or value, of a list by the number of calls, and mark the plan.

    It is half as wide as the figures of a card, so that a phone need not shrink the letters.
    """
    figure, axes = new_axes(
        "What calling more brings",
        "Leads called, best first",
        "Customers expected" if plan.values is None else "Value expected",
        3.3,
        4.0,
    )
    called, gains = np.arange(len(plan.returns)), plan.returns
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


def _draw_revenue(test: RevenueTest) -> Figure:
    figure, axes = new_axes("Value found", "Share of leads, best first", "Share of the real value")
    axes.plot([0, 1], [0, 1], color=SECOND, linestyle="--", label="in any order")
    label = f"by probability, top 20 %: {test.caught_by_probability.value:.0%}"
    axes.plot(test.by_probability.x, test.by_probability.y, color=INK, linewidth=1.5, label=label)
    label = f"by expected value, top 20 %: {test.caught_by_value.value:.0%}"
    axes.plot(test.by_value.x, test.by_value.y, color=ACCENT, linewidth=2, label=label)
    axes.legend(loc="lower right", frameon=False)
    return figure


def _draw_roc(curves: Curves, auc: Estimate) -> Figure:
    figure, axes = new_axes("ROC curve", "False positive rate", "True positive rate")
    axes.plot([0, 1], [0, 1], color=SECOND, linestyle="--", label="chance")
    axes.plot(curves.roc.x, curves.roc.y, color=ACCENT, linewidth=2, label=f"AUC {auc.summary()}")
    axes.legend(loc="lower right", frameon=False)
    return figure


def _draw_precision_recall(curves: Curves, test: Mapping[str, Estimate]) -> Figure:
    figure, axes = new_axes("Precision and recall", "Recall", "Precision")
    label = f"AUC {test['pr_auc'].summary()}"
    axes.plot(curves.precision_recall.x, curves.precision_recall.y, color=ACCENT, linewidth=2, label=label)
    chosen = (test["recall"].value, test["precision"].value)
    axes.plot(*chosen, "o", color=SECOND, markersize=9, label="decision threshold")
    axes.set_ylim(0, 1.02)
    axes.legend(loc="lower left", frameon=False)
    return figure


def _draw_reliability(curves: Curves, error: Estimate) -> Figure:
    figure, axes = new_axes("Do the probabilities hold?", "Predicted probability", "Share that converted")
    axes.plot([0, 1], [0, 1], color=SECOND, linestyle="--", label="exactly as predicted")
    predicted, observed = curves.reliability["predicted"], curves.reliability["observed"]
    label = f"test leads; mean gap {error.value:.3f}"
    axes.plot(predicted, observed, "o-", color=ACCENT, linewidth=2, label=label)
    in_percent(axes.xaxis, axes.yaxis)
    axes.legend(loc="upper left", frameon=False)
    return figure


def _draw_gains(curves: Curves) -> Figure:
    figure, axes = new_axes("Whom to call first", "Leads called, best first", "Conversions caught")
    axes.plot([0, 1], [0, 1], color=SECOND, linestyle="--", label="in any order")
    axes.plot(curves.gains.x, curves.gains.y, color=ACCENT, linewidth=2, label="by this model")
    in_percent(axes.xaxis, axes.yaxis)
    axes.legend(loc="lower right", frameon=False)
    return figure


def _draw_lift(curves: Curves) -> Figure:
    figure, axes = new_axes("How much better than by chance", "Leads called, best first", "Lift")
    axes.axhline(1, color=SECOND, linestyle="--", label="in any order")
    axes.plot(curves.lift.x, curves.lift.y, color=ACCENT, linewidth=2, label="by this model")
    in_percent(axes.xaxis)
    axes.set_ylim(0, None)
    axes.legend(frameon=False)
    return figure


def _draw_profit(profit: Line, called: float, chosen: Estimate) -> Figure:
    figure, axes = new_axes(
        "What calling brings", "Leads called, best first", "Profit per lead of the list"
    )
    axes.axhline(0, color=SECOND, linestyle="--", label="nobody called")
    axes.plot(profit.x, profit.y, color=ACCENT, linewidth=2, label="test leads, by this model")
    label = f"decision threshold: {chosen.value:.2f} ({chosen.low:.2f} to {chosen.high:.2f})"
    axes.plot(called, chosen.value, "o", color=INK, markersize=9, label=label)
    in_percent(axes.xaxis)
    axes.legend(frameon=False)
    return figure


def _draw_confusion(curves: Curves, words: tuple[str, str]) -> Figure:
    figure, axes = new_axes("Decisions on the test leads", "", "", height=3.6)
    axes.grid(visible=False)
    most = max(max(row) for row in curves.confusion)
    axes.imshow(curves.confusion, cmap="GnBu", vmin=0, vmax=most * 1.3, aspect="auto")
    for row, counts in enumerate(curves.confusion):
        for column, count in enumerate(counts):
            axes.text(column, row, f"{count:,}", ha="center", va="center", fontsize=15, color=INK)
    axes.set_xticks([0, 1], [short(word) for word in words])
    axes.set_yticks([0, 1], ["did not", "converted"])
    return figure


def _draw_importance(importance: Mapping[str, float]) -> Figure:
    ranked = sorted(importance.items(), key=lambda item: item[1])[-15:]
    height = 1.3 + 0.3 * len(ranked)
    figure, axes = new_axes("What counts most", "Mean contribution to the log-odds", "", height=height)
    axes.barh([short(name) for name, _ in ranked], [value for _, value in ranked], color=ACCENT)
    axes.grid(axis="y", visible=False)
    return figure


def _draw_probabilities(curves: Curves, threshold: float | None) -> Figure:
    figure, axes = new_axes("Probabilities by outcome", "Probability", "Share of each outcome")
    for counts, color, style, label in (
        (curves.scores_other, SECOND, "--", "did not convert"),
        (curves.scores_converted, ACCENT, "-", "converted"),
    ):
        shares = [count / max(sum(counts), 1) for count in counts]
        axes.stairs(shares, curves.score_edges, color=color, linestyle=style, linewidth=2, label=label)
    if threshold is not None:
        axes.axvline(threshold, color=INK, linewidth=1, linestyle=":", label="decision threshold")
    in_percent(axes.xaxis, axes.yaxis)
    axes.legend(frameon=False)
    return figure
