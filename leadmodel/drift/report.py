"""Report drift on a terminal and in a figure."""

import math
import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from leadmodel.drift.drift import Drift, FieldDrift
from leadmodel.drift.performance import RULE, Performance
from leadmodel.drift.psi import MAJOR, MODERATE
from leadmodel.errors import quoted
from leadmodel.plots.style import ACCENT, INK, PALE, SECOND, dress, in_percent, new_figure, short

__all__ = ["draw_drift", "drift_report"]

N_COLUMNS = 100
"""Characters per line of the report."""

WIDTH = 9.0
"""Inches of the figure."""

MAX_FIELDS, MAX_PANELS = 20, 4

MAX_DRAWN = 1.0
"""Longest bar of a PSI; a longer one would leave no room for the others, and is labeled instead."""


def drift_report(drift: Drift) -> str:
    """Report what moved, the most first, and how good the model still is."""
    verdict = "They have drifted." if drift.drifted else "They are stable."
    head = f"{drift.n_now:,} leads against {drift.n_then:,} training leads. {verdict}"
    lines = [textwrap.fill(head, N_COLUMNS)]
    moved = [field for field in drift.ranked if field.level != "stable"]
    for field in moved:
        chance = "" if field.chance is None else f" (chance alone reaches {field.chance:.2f})"
        sentences = [sentence.removeprefix(f"{field.label}: ") for sentence in field.changes]
        for word, values in (("new", field.appeared), ("vanished", field.vanished)):
            if values:
                sentences.append(f"{word}: {', '.join(map(quoted, values))}")
        head = f"{field.label}: {field.level} shift, PSI {field.psi:.2f}{chance}"
        lines += ["", head, *_bulleted(sentences)]
    n_all = len(drift.fields) + len(drift.outputs)
    if n_stable := n_all - len(moved):
        lines += ["", f"{n_stable} of {n_all} fields and outputs moved no more than by chance."]
    if drift.performance is not None:
        lines += ["", *_performance_lines(drift.performance)]
    return "\n".join([*lines, *(f"\n{textwrap.fill(note, N_COLUMNS)}" for note in drift.notes)])


def _performance_lines(performance: Performance) -> list[str]:
    verdict = "The performance fell." if performance.degraded else "The performance has not fallen."
    head = f"{performance.n_leads:,} outcomes, {performance.n_converted:,} of them conversions. {verdict}"
    times = ("then", "now")
    rows = [
        ("", "Test leads", "Now"),
        ("ROC AUC", *(performance.roc_auc[time].summary() for time in times)),
        ("Log loss", *(performance.log_loss[time].summary() for time in times)),
        ("Calibration error", *(f"{performance.calibration_error[time]:.3f}" for time in times)),
        ("Mean probability minus share", *(performance.gap[time].summary("+.3f") for time in times)),
    ]
    table = [f"  {name:30}  {then:26}  {now}" for name, then, now in rows]
    return [head, *table, *_bulleted(performance.changes), textwrap.fill(RULE, N_COLUMNS)]


def _bulleted(sentences: Sequence[str]) -> list[str]:
    wrapper = textwrap.TextWrapper(N_COLUMNS, initial_indent="  - ", subsequent_indent="    ")
    return [wrapper.fill(sentence) for sentence in sentences]


def draw_drift(drift: Drift) -> Figure:
    """Draw the PSI of each field and output, and below it those that moved most, cell by cell.

    The reliability of the probabilities is added if outcomes are known.
    """
    ranked = drift.ranked[:MAX_FIELDS]
    moved = [field for field in ranked if field.level != "stable"][:MAX_PANELS]
    n_panels = len(moved) + (drift.performance is not None)
    n_rows = math.ceil(n_panels / 2)
    heights = [1.4 + 0.3 * len(ranked), *[3.4] * n_rows]
    figure = new_figure(sum(heights), WIDTH)
    grid = figure.add_gridspec(1 + n_rows, 2, height_ratios=heights)
    _draw_fields(figure.add_subplot(grid[0, :]), drift, ranked)
    panels = [figure.add_subplot(grid[1 + index // 2, index % 2]) for index in range(n_panels)]
    # Not strict: the last panel, if there is one more, is that of the reliability.
    for axes, field in zip(panels, moved, strict=False):
        _draw_cells(axes, field)
    if drift.performance is not None:
        _draw_reliability(panels[-1], drift.performance)
    return figure


def _draw_fields(axes: Axes, drift: Drift, ranked: Sequence[FieldDrift]) -> None:
    verdict = "drifted" if drift.drifted else "no drift"
    title = f"{drift.n_now:,} leads now, {drift.n_then:,} training leads: {verdict}"
    dress(axes, title, "Population stability index", "")
    rows, psi = np.arange(len(ranked)), [field.psi for field in ranked]
    colors = [SECOND if field.drifted else ACCENT if field.level == "slight" else PALE for field in ranked]
    axes.barh(rows, psi, color=colors, edgecolor=INK, linewidth=0.5)
    axes.set_xlim(0, max(0.3, min(MAX_DRAWN, 1.1 * max(psi))))
    for row, value in enumerate(psi):
        if value > MAX_DRAWN:
            axes.text(0.97 * MAX_DRAWN, row, f"{value:.2f} →", ha="right", va="center", color="white")
    axes.plot(
        # NaN draws nothing where there were too few leads for a test.
        [np.nan if field.chance is None else field.chance for field in ranked],
        rows,
        "|",
        color=INK,
        markersize=13,
        markeredgewidth=2,
        label="limit of chance",
    )
    for bound, style in ((MODERATE, ":"), (MAJOR, "--")):
        axes.axvline(bound, color=INK, linewidth=1, linestyle=style, label=f"usual limit {bound:g}")
    axes.set_yticks(rows, [short(field.label) for field in ranked])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.legend(loc="lower right", frameon=False)


def _draw_cells(axes: Axes, field: FieldDrift) -> None:
    dress(axes, short(field.label, 30), "Share of the leads", "")
    rows, cells = np.arange(len(field.cells)), field.cells
    axes.barh(rows - 0.2, [cell.then for cell in cells], 0.38, color=PALE, edgecolor=INK, label="then")
    axes.barh(rows + 0.2, [cell.now for cell in cells], 0.38, color=SECOND, edgecolor=INK, label="now")
    axes.set_yticks(rows, [short(cell.name, 24) for cell in cells])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    in_percent(axes.xaxis)
    axes.legend(frameon=False)


def _draw_reliability(axes: Axes, performance: Performance) -> None:
    dress(axes, "Calibration", "Predicted probability", "Share that converted")
    axes.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle="--", label="exactly as predicted")
    for when, mark, color, label in (
        ("then", "s:", ACCENT, "then (test leads)"),
        ("now", "o-", SECOND, "now"),
    ):
        curve = performance.reliability[when]
        axes.plot(curve["predicted"], curve["observed"], mark, color=color, linewidth=2, label=label)
    in_percent(axes.xaxis, axes.yaxis)
    axes.legend(loc="upper left", frameon=False)
