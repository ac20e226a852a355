"""Figures of what the training leads say, large enough in their parts to be read on a phone."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from leadmodel.insights.association import Association
from leadmodel.insights.conversion import Conversion
from leadmodel.insights.insights import Histogram, Spread
from leadmodel.insights.interaction import Interaction
from leadmodel.insights.profile import Cell
from leadmodel.plots.style import ACCENT, INK, PALE, SECOND, new_axes, short

__all__ = [
    "draw_association",
    "draw_columns",
    "draw_conversions",
    "draw_histogram",
    "draw_interaction",
    "draw_outcomes",
    "draw_spread",
]

WIDTH = 4.6
"""In inches: on a phone three quarters of it are left, and letters of 10 points are still 8."""

OUTCOMES = ("converted", "did not")

MAX_DRAWN = 12
"""Fields in the picture of associations, so that its numbers can be read."""


def draw_conversions(found: Sequence[Conversion], average: float, title: str = "Who converts") -> Figure:
    """Draw the share that converted by value, with intervals, and the average as a line.

    Parameters
    ----------
    found : sequence of Conversion
        The values of a field.
    average : float
        The share that converted of all leads.
    title : str, optional
        Names the field, where nothing beside the figure does.
    """
    figure, axes = _rows(short(title), "Share that converted", found)
    axes.axvline(average, color=SECOND, linestyle="--", label=f"all leads, {average:.0%}")
    places, rates = np.arange(len(found)), [one.rate.value for one in found]
    low, high = [one.rate.low for one in found], [one.rate.high for one in found]
    errors = np.abs(np.subtract([low, high], rates))  # rounding may leave a tiny minus
    axes.barh(places, rates, height=0.62, color=PALE)
    axes.errorbar(
        rates, places, xerr=errors, fmt="o", color=ACCENT, markersize=5, capsize=3, label="95 % interval"
    )
    axes.set_xlim(0, min(1.0, 1.1 * max([*high, average])))
    _legend_below(figure)
    return figure


def draw_outcomes(found: Sequence[Conversion], title: str = "Values by outcome") -> Figure:
    """Draw how the leads of each outcome are spread over the values.

    Parameters
    ----------
    found : sequence of Conversion
        The values of a field.
    title : str, optional
        Names the field, where nothing beside the figure does.
    """
    figure, axes = _rows(short(title), "Share of each outcome", found)
    converted = np.array([one.cell.converted for one in found])
    other = np.array([one.cell.count for one in found]) - converted
    looks = ((converted, -0.2, ACCENT, "", OUTCOMES[0]), (other, 0.2, "white", "////", OUTCOMES[1]))
    for counts, shift, colour, hatch, word in looks:
        shares, places = counts / max(counts.sum(), 1), np.arange(len(found)) + shift
        axes.barh(places, shares, 0.36, color=colour, hatch=hatch, edgecolor=INK, linewidth=0.6, label=word)
    _legend_below(figure)
    return figure


def _rows(title: str, x: str, found: Sequence[Conversion]) -> tuple[Figure, Axes]:
    figure, axes = new_axes(title, x, "", height=1.7 + 0.33 * len(found), width=WIDTH)
    axes.set_yticks(range(len(found)), [f"{short(one.value, 18)} ({one.cell.count:,})" for one in found])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    return figure, axes


def _legend_below(figure: Figure) -> None:
    figure.legend(loc="outside lower center", ncols=2, frameon=False)


def draw_histogram(label: str, histogram: Histogram) -> Figure:
    """Draw how a number is spread among the leads of each outcome, as shares of each.

    Parameters
    ----------
    label : str
        Of the field, with its unit.
    histogram : Histogram
        Its counts.
    """
    figure, axes = new_axes(short(label), "", "Share of each outcome", 3.2, WIDTH)
    looks = (
        (histogram.converted, PALE, True, INK, OUTCOMES[0]),
        (histogram.other, "none", False, SECOND, OUTCOMES[1]),
    )
    for counts, face, fill, edge, word in looks:
        shares = np.divide(counts, max(sum(counts), 1))
        axes.stairs(
            shares, histogram.edges, fill=fill, facecolor=face, edgecolor=edge, linewidth=1.6, label=word
        )
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    _legend_below(figure)
    return figure


def draw_spread(label: str, spread: Spread) -> Figure:
    """Draw a number's box per outcome: half of the leads in the box, nine of ten within the whiskers.

    Parameters
    ----------
    label : str
        Of the field, with its unit.
    spread : Spread
        Its quantiles.
    """
    figure, axes = new_axes("The middle of each outcome", short(label), "", height=2.4, width=WIDTH)
    boxes = [
        dict(zip(("whislo", "q1", "med", "q3", "whishi"), five, strict=True), fliers=[])
        for five in (spread.converted, spread.other)
    ]
    drawn = axes.bxp(
        boxes, orientation="horizontal", widths=0.55, patch_artist=True, medianprops={"color": INK, "lw": 2}
    )
    for box, colour in zip(drawn["boxes"], (PALE, "white"), strict=True):
        box.set(facecolor=colour, edgecolor=INK)
    axes.set_yticks([1, 2], OUTCOMES)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    return figure


def draw_columns(auc: Mapping[str, float], suspects: Collection[str]) -> Figure:
    """Draw how well single columns rank the leads, the best first, and which of them may know the outcome.

    Parameters
    ----------
    auc : mapping of str to float
        ROC AUC by name, of which the highest `MAX_DRAWN` are drawn.
    suspects : collection of str
        Names of the columns that may know the outcome.
    """
    ranked = sorted(auc.items(), key=lambda item: -item[1])[:MAX_DRAWN]
    figure, axes = new_axes("One column alone", "ROC AUC", "", height=1.7 + 0.3 * len(ranked), width=WIDTH)
    for is_suspect, colour, hatch, word in (
        (False, ACCENT, "", "honest, as far as seen"),
        (True, SECOND, "////", "may know the outcome"),
    ):
        places = [place for place, (name, _) in enumerate(ranked) if (name in suspects) == is_suspect]
        lengths = [max(ranked[place][1] - 0.5, 0.0) for place in places]
        if places:
            axes.barh(places, lengths, 0.62, 0.5, color=colour, hatch=hatch, edgecolor="white", label=word)
    axes.set_yticks(range(len(ranked)), [short(name, 24) for name, _ in ranked])
    axes.set_xlim(0.5, 1)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    _legend_below(figure)
    return figure


def draw_association(association: Association, labels: Mapping[str, str]) -> Figure:
    """Draw the associations of the most important fields, in hundredths.

    Parameters
    ----------
    association : Association
        Of which the first `MAX_DRAWN` fields are drawn.
    labels : mapping of str to str
        Labels by field name.
    """
    strength = np.array(association.strength, dtype=np.float64)
    # What goes with nothing, for want of leads, would be an empty row.
    drawn = np.flatnonzero((~np.isnan(strength)).sum(axis=1) > 1)[:MAX_DRAWN]
    names, size = [association.fields[place] for place in drawn], len(drawn)
    strength = strength[np.ix_(drawn, drawn)]
    strength[np.triu_indices(size)] = np.nan
    texts = [["" if np.isnan(value) else f"{100 * value:.0f}" for value in row] for row in strength]
    rows = [f"{short(labels[name], 22)}  {place}" for place, name in enumerate(names, 1)]
    columns = [str(place) for place in range(1, size)]
    return _draw_table("Association, in hundredths", np.abs(strength[:, :-1]), texts, rows, columns, 0.3)


def draw_interaction(interaction: Interaction, labels: Mapping[str, str]) -> Figure:
    """Draw the share that converted by two fields at once, and what was to be expected.

    Parameters
    ----------
    interaction : Interaction
        Of the two fields.
    labels : mapping of str to str
        Labels by field name.
    """
    one, other = (labels[name] for name in interaction.fields)
    rates = np.array([[cell.rate if cell else np.nan for cell in row] for row in interaction.cells])
    pairs = zip(interaction.cells, interaction.expected, strict=True)
    texts = [[_told(cell, rate) for cell, rate in zip(*row, strict=True)] for row in pairs]
    rows = [short(name, 16) for name in interaction.rows]
    columns = [short(name, 11) for name in interaction.columns]
    figure = _draw_table("Share that converted", rates, texts, rows, columns, 0.55)
    figure.axes[0].set(ylabel=short(one, 24), xlabel=short(other))
    return figure


def _draw_table(
    title: str,
    shades: npt.NDArray[np.float64],
    texts: Sequence[Sequence[str]],
    rows: Sequence[str],
    columns: Sequence[str],
    row_height: float,
) -> Figure:
    """Draw a table with a text in each cell, the darker the nearer its shade is to 1."""
    # Beyond 1 the colours would be too dark for the texts.
    figure, axes = new_axes(title, "", "", height=1.1 + row_height * len(rows), width=WIDTH)
    axes.grid(visible=False)
    axes.imshow(shades, cmap="GnBu", vmin=0, vmax=1.3, aspect="auto")
    for row, column in np.ndindex(shades.shape):
        axes.text(column, row, texts[row][column], ha="center", va="center", fontsize=9, color=INK)
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(length=0)
    return figure


def _told(cell: Cell | None, expected: float | None) -> str:
    return "" if cell is None or expected is None else f"{cell.rate:.0%}\nnot {expected:.0%}"
