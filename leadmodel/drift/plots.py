"""The picture of a drift: PSI of every field, and then and now of those that moved most."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from leadmodel.drift.drift import MAJOR, MODERATE, Drift, FieldDrift
from leadmodel.drift.performance import Performance
from leadmodel.plots.style import ACCENT, INK, PALE, SECOND, dress, in_percent, new_figure, short

__all__ = ["draw_drift"]

MAX_FIELDS, MAX_PANELS = 20, 4
WIDTH = 9.0

MAX_DRAWN = 1.0
"""A PSI beyond it would leave no room to tell the others apart; it is written into its bar."""


def draw_drift(drift: Drift) -> Figure:
    """Draw how far each field and output has moved, and where to.

    Below the fields, the most moved ones are drawn cell by cell, and the reliability of the
    probabilities if outcomes are known.
    """
    ranked = drift.ranked[:MAX_FIELDS]
    moved = [one for one in ranked if one.level != "stable"][:MAX_PANELS]
    n_panels = len(moved) + (drift.performance is not None)
    n_rows = math.ceil(n_panels / 2)
    heights = [1.4 + 0.3 * len(ranked), *[3.4] * n_rows]
    figure = new_figure(sum(heights), WIDTH)
    grid = figure.add_gridspec(1 + n_rows, 2, height_ratios=heights)
    _draw_fields(figure.add_subplot(grid[0, :]), drift, ranked)
    places = [figure.add_subplot(grid[1 + place // 2, place % 2]) for place in range(n_panels)]
    for axes, one in zip(places, moved, strict=False):
        _draw_cells(axes, one)
    if drift.performance is not None:
        _draw_reliability(places[-1], drift.performance)
    return figure


def _draw_fields(axes: Axes, drift: Drift, ranked: Sequence[FieldDrift]) -> None:
    verdict = "drifted" if drift.drifted else "no drift"
    title = f"{drift.n_now:,} leads now, {drift.n_then:,} training leads: {verdict}"
    dress(axes, title, "Population stability index", "")
    places = np.arange(len(ranked))
    colours = [SECOND if one.drifted else ACCENT if one.level == "slight" else PALE for one in ranked]
    axes.barh(places, [one.psi for one in ranked], color=colours, edgecolor=INK, linewidth=0.5)
    axes.set_xlim(0, max(0.3, min(MAX_DRAWN, 1.1 * max(one.psi for one in ranked))))
    for place, one in enumerate(ranked):
        if one.psi > MAX_DRAWN:
            axes.text(0.97 * MAX_DRAWN, place, f"{one.psi:.2f} →", ha="right", va="center", color="white")
    chance = [(place, one.chance) for place, one in enumerate(ranked) if one.chance is not None]
    axes.plot(
        [value for _, value in chance],
        [place for place, _ in chance],
        "|",
        color=INK,
        markersize=13,
        markeredgewidth=2,
        label="chance reaches this",
    )
    for bound, style in ((MODERATE, ":"), (MAJOR, "--")):
        axes.axvline(bound, color=INK, linewidth=1, linestyle=style, label=f"customary {bound:g}")
    axes.set_yticks(places, [short(one.label) for one in ranked])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.legend(loc="lower right", frameon=False)


def _draw_cells(axes: Axes, one: FieldDrift) -> None:
    dress(axes, short(one.label, 30), "Share of the leads", "")
    places = np.arange(len(one.cells))
    axes.barh(
        places - 0.2, [cell.then for cell in one.cells], 0.38, color=PALE, edgecolor=INK, label="then"
    )
    axes.barh(
        places + 0.2, [cell.now for cell in one.cells], 0.38, color=SECOND, edgecolor=INK, label="now"
    )
    axes.set_yticks(places, [short(cell.name, 24) for cell in one.cells])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.legend(frameon=False)


def _draw_reliability(axes: Axes, performance: Performance) -> None:
    dress(axes, "Do the probabilities hold?", "Predicted probability", "Share that converted")
    axes.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle="--", label="exactly as predicted")
    for when, mark, colour, label in (
        ("then", "s:", ACCENT, "then (test leads)"),
        ("now", "o-", SECOND, "now"),
    ):
        curve = performance.reliability[when]
        axes.plot(curve["predicted"], curve["observed"], mark, color=colour, linewidth=2, label=label)
    in_percent(axes)
    axes.legend(loc="upper left", frameon=False)
