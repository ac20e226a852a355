"""Draw scores, outcomes, drift and requests over time in figures that can be read on a phone."""

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import TypeVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from leadmodel.arrays import Floats
from leadmodel.drift.drift import Drift
from leadmodel.monitoring.history import Outcomes, Requests, Scores
from leadmodel.plots.style import ACCENT, INK, PALE, SECOND, in_percent, legend_below, new_axes, short

__all__ = [
    "draw_drifts",
    "draw_failures",
    "draw_grade_outcomes",
    "draw_grades",
    "draw_lift",
    "draw_numbers",
    "draw_predicted",
    "draw_reliabilities",
    "draw_scores",
    "draw_seconds",
]

WIDTH, HEIGHT = 4.6, 3.4
"""In inches; a phone shrinks it to three quarters, and letters of 10 points to 8."""

MAX_FIELDS = 12

SHADES = ("#0b6e75", "#6aaeb3", "#d9e2ec", "#e0a27f", "#c4602d", "#7b8794")
HATCHES = ("", "", "", "///", "", "...")
"""Patterns of the grades, best first, which distinguish colors that look alike in gray."""

STYLES = ((ACCENT, "o-"), (SECOND, "s--"), (INK, "^:"))

TICKS = (1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000)
"""Bins of the time of requests, in milliseconds."""

T = TypeVar("T")


def draw_numbers(names: Sequence[str], scores: Sequence[Scores | None]) -> Figure:
    """Draw the number of scored leads by slice."""
    figure, axes = _over_time("Leads", "Leads scored", names)
    axes.bar(range(len(names)), _values(scores, lambda slice_scores: slice_scores.n_leads), color=ACCENT)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    return figure


def draw_scores(names: Sequence[str], scores: Sequence[Scores | None]) -> Figure:
    """Draw the median probability by slice, and the range of 8 of 10 leads."""
    figure, axes = _over_time("Probabilities", "Probability", names)
    low, median, high = (_values(scores, attrgetter(name)) for name in ("low", "median", "high"))
    places = np.arange(len(names))
    axes.fill_between(places, low, high, color=PALE, label="8 of 10 leads")
    axes.plot(places, median, "o-", color=ACCENT, linewidth=2, label="half are below")
    in_percent(axes.yaxis)
    axes.set_ylim(0, None)
    legend_below(figure)
    return figure


def draw_grades(names: Sequence[str], scores: Sequence[Scores | None], bands: Sequence[str]) -> Figure:
    """Draw the share of each grade by slice, best at the bottom."""
    figure, axes = _over_time("Answers by grade", "Share of the leads", names)
    below = np.zeros(len(names))
    for index, band in enumerate(bands):
        # 0, not NaN, for a slice without leads, or no bar above it would be drawn.
        shares = np.array([s.grades.get(band, 0) / s.n_leads if s else 0.0 for s in scores])
        color, hatch = (looks[index % len(SHADES)] for looks in (SHADES, HATCHES))
        drawn = axes.bar(range(len(names)), shares, bottom=below, color=color, hatch=hatch, label=band)
        for bar in drawn:
            bar.set(edgecolor="white", linewidth=0.6)
        below += shares
    in_percent(axes.yaxis)
    legend_below(figure, 4)
    return figure


def draw_drifts(names: Sequence[str], drifts: Sequence[Drift | None], ranked: Sequence[str]) -> Figure:
    """Draw the PSI of each field by slice, in hundredths, where it is significant.

    Parameters
    ----------
    names : sequence of str
        Names of the slices.
    drifts : sequence of Drift or None
        Drift by slice.
    ranked : sequence of str
        Labels of fields and outputs, in the order to draw them.
    """
    drawn = ranked[:MAX_FIELDS]
    by_slice = [{field.label: field for field in drift.ranked} if drift else {} for drift in drifts]
    shades = np.full((len(drawn), len(names)), np.nan)
    figure, axes = new_axes("Drift from the training leads", "", "", 1.5 + 0.3 * len(drawn), WIDTH)
    for row, column in np.ndindex(shades.shape):
        field = by_slice[column].get(drawn[row])
        if field is None or field.chance is None:  # stays NaN, which imshow leaves white
            continue
        shades[row, column] = field.psi if field.level != "stable" else 0.0
        if field.level != "stable":
            weight = "bold" if field.drifted else "normal"
            text = f"{100 * field.psi:.0f}" if field.psi < 1 else ">99"
            axes.text(column, row, text, ha="center", va="center", fontsize=8, color=INK, weight=weight)
    axes.grid(visible=False)
    axes.imshow(shades, cmap="OrRd", vmin=0, vmax=0.8, aspect="auto")
    axes.set_xticks(range(len(names)), names, rotation=60, fontsize=9)
    axes.set_yticks(range(len(drawn)), [short(label, 20) for label in drawn])
    axes.tick_params(length=0)
    return figure


def draw_seconds(names: Sequence[str], requests: Sequence[Requests | None]) -> Figure:
    """Draw the median and the 95 % quantile of the time to answer, by slice."""
    figure, axes = _over_time("Time to answer", "Milliseconds, at most", names)
    for name, (color, style), label in (
        ("slow", STYLES[1], "95 of 100"),
        ("median", STYLES[0], "half of them"),
    ):
        seconds = _values(requests, attrgetter(name))
        # The last bin of the times is open: its upper edge is infinite.
        drawn = 1000 * np.minimum(seconds, TICKS[-1] / 1000)
        axes.plot(range(len(names)), drawn, style, color=color, linewidth=2, label=label)
    low, high = axes.get_ylim()  # before the scale is logarithmic, which widens them to powers of ten
    axes.set_yscale("log")
    axes.set_yticks([tick for tick in TICKS if low / 2.5 <= tick <= high * 2.5])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    legend_below(figure)
    return figure


def draw_failures(names: Sequence[str], requests: Sequence[Requests | None]) -> Figure:
    """Draw the share of requests that were refused or failed, by slice."""
    figure, axes = _over_time("Requests without an answer", "Share of the requests", names)
    refused = _values(requests, lambda counts: counts.n_refused / max(counts.n_scoring, 1))
    failed = _values(requests, lambda counts: counts.n_failed / counts.n_all)
    places = np.arange(len(names))
    axes.bar(places - 0.2, refused, 0.38, color=PALE, edgecolor=INK, linewidth=0.6, label="wrong request")
    axes.bar(places + 0.2, failed, 0.38, color=SECOND, edgecolor=INK, linewidth=0.6, label="the app failed")
    axes.set_ylim(0, max(0.02, 1.1 * float(np.nanmax([*refused, *failed, 0.0]))))
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g}%")
    legend_below(figure)
    return figure


def draw_grade_outcomes(outcomes: Sequence[Outcomes]) -> Figure:
    """Draw predicted and observed conversion rates by grade, with intervals."""
    figure, axes = new_axes("Conversion by grade", "Grade", "Share that converted", HEIGHT, WIDTH)
    axes.set_xticks(range(len(outcomes)), [f"{grade.name}\n({grade.n_known:,})" for grade in outcomes])
    _draw_rates(axes, outcomes, "_", 22)
    axes.grid(axis="x", visible=False)
    axes.set_xlim(-0.6, len(outcomes) - 0.4)
    legend_below(figure)
    return figure


def draw_predicted(names: Sequence[str], outcomes: Sequence[Outcomes | None]) -> Figure:
    """Draw predicted and observed conversion rates by slice."""
    figure, axes = _over_time("Predicted and observed", "Share that converted", names)
    _draw_rates(axes, outcomes, "o--", 5)
    legend_below(figure)
    return figure


def _draw_rates(axes: Axes, outcomes: Sequence[Outcomes | None], style: str, size: float) -> None:
    places = np.arange(len(outcomes))
    expected = _values(outcomes, attrgetter("expected"))
    rate, low, high = (
        _values(outcomes, attrgetter(f"converted.{name}")) for name in ("value", "low", "high")
    )
    axes.plot(places, expected, style, color=SECOND, markersize=size, markeredgewidth=3, label="predicted")
    errors = np.abs([rate - low, high - rate])
    axes.errorbar(places, rate, errors, fmt="o", color=ACCENT, capsize=3, label="converted, 95 %")
    in_percent(axes.yaxis)
    axes.set_ylim(0, None)


def draw_lift(names: Sequence[str], outcomes: Sequence[Outcomes | None]) -> Figure:
    """Draw the lift of the best fifth by slice, with intervals."""
    figure, axes = _over_time("Lift of the best fifth", "Times the average", names)
    lifts = [group.lift if group else None for group in outcomes]
    value, low, high = (_values(lifts, attrgetter(name)) for name in ("value", "low", "high"))
    axes.axhline(1, color=SECOND, linestyle="--", label="in any order")
    errors = np.abs([value - low, high - value])
    axes.errorbar(range(len(names)), value, errors, fmt="o-", color=ACCENT, capsize=3, label="by the model")
    axes.set_ylim(0, None)
    legend_below(figure)
    return figure


def draw_reliabilities(curves: Mapping[str, Mapping[str, Sequence[float]]]) -> Figure:
    """Draw the reliability of up to three revisions.

    Parameters
    ----------
    curves : mapping of str to mapping
        Reliability by revision, as `leadmodel.metrics.classification.reliability` returns them.
    """
    figure, axes = new_axes("Calibration", "Predicted probability", "Share that converted", HEIGHT, WIDTH)
    axes.plot([0, 1], [0, 1], color=PALE, linestyle="--", label="exactly as predicted")
    for (name, curve), (color, style) in zip(curves.items(), STYLES, strict=False):
        axes.plot(curve["predicted"], curve["observed"], style, color=color, label=short(name, 15))
    in_percent(axes.yaxis)
    in_percent(axes.xaxis)
    legend_below(figure)
    return figure


def _over_time(title: str, y: str, names: Sequence[str]) -> tuple[Figure, Axes]:
    figure, axes = new_axes(title, "", y, HEIGHT, WIDTH)
    axes.set_xticks(range(len(names)), names, rotation=60, fontsize=9)
    axes.set_xlim(-0.6, len(names) - 0.4)
    return figure, axes


def _values(records: Sequence[T | None], value: Callable[[T], float]) -> Floats:
    """Return a number of each record, NaN where there is none."""
    return np.array([np.nan if record is None else value(record) for record in records], np.float64)
