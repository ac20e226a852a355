"""Figures of scored leads over time, large enough in their parts to be read on a phone."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from leadmodel.drift.drift import Drift
from leadmodel.monitoring.history import Outcomes, Requests, Scores
from leadmodel.plots.style import ACCENT, INK, PALE, SECOND, new_axes, short

__all__ = [
    "draw_drifts",
    "draw_failures",
    "draw_foretold",
    "draw_grade_outcomes",
    "draw_grades",
    "draw_lift",
    "draw_numbers",
    "draw_reliabilities",
    "draw_scores",
    "draw_seconds",
]

WIDTH, HEIGHT = 4.6, 3.4
"""In inches: on a phone three quarters of it are left, and letters of 10 points are still 8."""

MAX_FIELDS = 12

SHADES = ("#0b6e75", "#6aaeb3", "#d9e2ec", "#e0a27f", "#c4602d", "#7b8794")
HATCHES = ("", "", "", "///", "", "...")
"""Of the grades, best first; those that look alike in grey are told apart by their pattern."""

STYLES = ((ACCENT, "o-"), (SECOND, "s--"), (INK, "^:"))

TICKS = (1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000)
"""Milliseconds: the bins in which requests are counted."""

Floats = npt.NDArray[np.float64]


def draw_numbers(names: Sequence[str], scores: Sequence[Scores | None]) -> Figure:
    """Draw how many leads were scored, by slice."""
    figure, axes = _over_time("Leads", "Leads scored", names)
    axes.bar(range(len(names)), _values(scores, lambda one: one.n_leads), color=ACCENT)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    return figure


def draw_scores(names: Sequence[str], scores: Sequence[Scores | None]) -> Figure:
    """Draw the middle probability by slice, and where 8 of 10 leads lie."""
    figure, axes = _over_time("Probabilities", "Probability", names)
    low, median, high = (
        _values(scores, lambda one, name=name: getattr(one, name)) for name in ("low", "median", "high")
    )
    places = np.arange(len(names))
    axes.fill_between(places, low, high, color=PALE, label="8 of 10 leads")
    axes.plot(places, median, "o-", color=ACCENT, linewidth=2, label="half are below")
    _percent(axes)
    axes.set_ylim(0, None)
    _legend_below(figure, 2)
    return figure


def draw_grades(names: Sequence[str], scores: Sequence[Scores | None], bands: Sequence[str]) -> Figure:
    """Draw the share of each grade by slice, best at the bottom."""
    figure, axes = _over_time("Answers by grade", "Share of the leads", names)
    below = np.zeros(len(names))
    for place, band in enumerate(bands):
        shares = _values(scores, lambda one, band=band: one.grades.get(band, 0) / one.n_leads)
        shares = np.nan_to_num(shares)
        colour, hatch = (looks[place % len(SHADES)] for looks in (SHADES, HATCHES))
        drawn = axes.bar(range(len(names)), shares, bottom=below, color=colour, hatch=hatch, label=band)
        for bar in drawn:
            bar.set(edgecolor="white", linewidth=0.6)
        below += shares
    _percent(axes)
    _legend_below(figure, 4)
    return figure


def draw_drifts(names: Sequence[str], drifts: Sequence[Drift | None], ranked: Sequence[str]) -> Figure:
    """Draw the PSI of each field by slice, in hundredths, where it is beyond chance.

    Parameters
    ----------
    names : sequence of str
        Of the slices.
    drifts : sequence of Drift or None
        By slice.
    ranked : sequence of str
        Labels of fields and outputs, in the order to draw them.
    """
    drawn = [*ranked[:MAX_FIELDS]]
    by_slice = [{one.label: one for one in drift.ranked} if drift else {} for drift in drifts]
    shades = np.full((len(drawn), len(names)), np.nan)
    figure, axes = new_axes("Drift from the training leads", "", "", 1.5 + 0.3 * len(drawn), WIDTH)
    for row, column in np.ndindex(shades.shape):
        found = by_slice[column].get(drawn[row])
        if found is None or found.chance is None:
            continue
        shades[row, column] = found.psi if found.level != "stable" else 0.0
        if found.level != "stable":
            weight = "bold" if found.drifted else "normal"
            text = f"{100 * found.psi:.0f}" if found.psi < 1 else ">99"
            axes.text(column, row, text, ha="center", va="center", fontsize=8, color=INK, weight=weight)
    axes.grid(visible=False)
    axes.imshow(shades, cmap="OrRd", vmin=0, vmax=0.8, aspect="auto")
    axes.set_xticks(range(len(names)), names, rotation=60, fontsize=9)
    axes.set_yticks(range(len(drawn)), [short(label, 20) for label in drawn])
    axes.tick_params(length=0)
    return figure


def draw_seconds(names: Sequence[str], requests: Sequence[Requests | None]) -> Figure:
    """Draw within what time half, and 95 %, of the scoring requests were answered, by slice."""
    figure, axes = _over_time("Time to answer", "Milliseconds, at most", names)
    for name, (colour, style), label in (
        ("slow", STYLES[1], "95 of 100"),
        ("median", STYLES[0], "half of them"),
    ):
        seconds = _values(requests, lambda one, name=name: getattr(one, name))
        drawn = 1000 * np.minimum(seconds, TICKS[-1] / 1000)
        axes.plot(range(len(names)), drawn, style, color=colour, linewidth=2, label=label)
    low, high = axes.get_ylim()
    axes.set_yscale("log")
    axes.set_yticks([tick for tick in TICKS if low / 2.5 <= tick <= high * 2.5])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    _legend_below(figure, 2)
    return figure


def draw_failures(names: Sequence[str], requests: Sequence[Requests | None]) -> Figure:
    """Draw the share of requests that were refused, or failed, by slice."""
    figure, axes = _over_time("Requests without an answer", "Share of the requests", names)
    refused = _values(requests, lambda one: one.n_refused / max(one.n_scoring, 1))
    failed = _values(requests, lambda one: one.n_failed / one.n_all)
    places = np.arange(len(names))
    axes.bar(places - 0.2, refused, 0.38, color=PALE, edgecolor=INK, linewidth=0.6, label="wrong request")
    axes.bar(places + 0.2, failed, 0.38, color=SECOND, edgecolor=INK, linewidth=0.6, label="the app failed")
    axes.set_ylim(0, max(0.02, 1.1 * float(np.nanmax([*refused, *failed, 0.0]))))
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g}%")
    _legend_below(figure, 2)
    return figure


def draw_grade_outcomes(found: Sequence[Outcomes]) -> Figure:
    """Draw by grade what was foretold, and what share converted, with its interval."""
    figure, axes = new_axes("Conversion by grade", "Grade", "Share that converted", HEIGHT, WIDTH)
    axes.set_xticks(range(len(found)), [f"{one.name}\n({one.n_known:,})" for one in found])
    _draw_foretold(axes, found, "_", 22)
    axes.grid(axis="x", visible=False)
    axes.set_xlim(-0.6, len(found) - 0.4)
    _legend_below(figure, 2)
    return figure


def draw_foretold(names: Sequence[str], outcomes: Sequence[Outcomes | None]) -> Figure:
    """Draw what was foretold, and what share converted, by slice."""
    figure, axes = _over_time("Foretold and happened", "Share that converted", names)
    _draw_foretold(axes, outcomes, "o--", 5)
    _legend_below(figure, 2)
    return figure


def _draw_foretold(axes: Axes, outcomes: Sequence[Outcomes | None], style: str, size: float) -> None:
    places = np.arange(len(outcomes))
    expected = _values(outcomes, lambda one: one.expected)
    rate, low, high = (
        _values(outcomes, lambda one, name=name: getattr(one.converted, name))
        for name in ("value", "low", "high")
    )
    axes.plot(places, expected, style, color=SECOND, markersize=size, markeredgewidth=3, label="foretold")
    errors = np.abs([rate - low, high - rate])
    axes.errorbar(places, rate, errors, fmt="o", color=ACCENT, capsize=3, label="converted, 95 %")
    _percent(axes)
    axes.set_ylim(0, None)


def draw_lift(names: Sequence[str], outcomes: Sequence[Outcomes | None]) -> Figure:
    """Draw how much better than by chance the best fifth converted, by slice, with intervals."""
    figure, axes = _over_time("Lift of the best fifth", "Times the average", names)
    judged = [one.lift if one else None for one in outcomes]
    value, low, high = (
        _values(judged, lambda one, name=name: getattr(one, name)) for name in ("value", "low", "high")
    )
    axes.axhline(1, color=SECOND, linestyle="--", label="in any order")
    errors = np.abs([value - low, high - value])
    axes.errorbar(range(len(names)), value, errors, fmt="o-", color=ACCENT, capsize=3, label="by the model")
    axes.set_ylim(0, None)
    _legend_below(figure, 2)
    return figure


def draw_reliabilities(curves: Mapping[str, Mapping[str, Sequence[float]]]) -> Figure:
    """Draw the reliability of up to three revisions.

    Parameters
    ----------
    curves : mapping of str to mapping
        By name of the revision, as `leadmodel.metrics.classification.reliability` returns them.
    """
    figure, axes = new_axes(
        "Do the probabilities hold?", "Predicted probability", "Share that converted", HEIGHT, WIDTH
    )
    axes.plot([0, 1], [0, 1], color=PALE, linestyle="--", label="exactly as predicted")
    for (name, curve), (colour, style) in zip(curves.items(), STYLES, strict=False):
        axes.plot(curve["predicted"], curve["observed"], style, color=colour, label=short(name, 15))
    _percent(axes)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    _legend_below(figure, 2)
    return figure


def _over_time(title: str, y: str, names: Sequence[str]) -> tuple[Figure, Axes]:
    figure, axes = new_axes(title, "", y, HEIGHT, WIDTH)
    axes.set_xticks(range(len(names)), names, rotation=60, fontsize=9)
    axes.set_xlim(-0.6, len(names) - 0.4)
    return figure, axes


def _values(found: Sequence[object], value: object) -> Floats:
    """Return a number of each slice, a gap where there is none."""
    return np.array([np.nan if one is None else value(one) for one in found], dtype=np.float64)  # type: ignore[operator]


def _percent(axes: Axes) -> None:
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")


def _legend_below(figure: Figure, columns: int) -> None:
    figure.legend(loc="outside lower center", ncols=columns, frameon=False)
