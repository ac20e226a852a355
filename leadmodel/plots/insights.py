"""Draw insights about the training leads in figures that can be read on a phone."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from leadmodel.arrays import Floats
from leadmodel.insights.association import Association
from leadmodel.insights.conversion import Conversion
from leadmodel.insights.insights import Histogram, Spread
from leadmodel.insights.interaction import Interaction
from leadmodel.plots.style import ACCENT, INK, PALE, SECOND, in_percent, legend_below, new_axes, short

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
"""In inches; a phone shrinks it to three quarters, and letters of 10 points to 8."""

OUTCOMES = ("converted", "did not convert")

MAX_DRAWN = 12
"""Most rows of a figure, so that its numbers can be read."""


def draw_conversions(
    conversions: Sequence[Conversion], average: float, title: str = "Conversion rate"
) -> Figure:
    """Draw the conversion rate by value, with intervals, and the average as a line.

    Parameters
    ----------
    conversions : sequence of Conversion
        The values of a field.
    average : float
        Conversion rate of all leads.
    title : str, optional
        Name of the field, if nothing beside the figure shows it.
    """
    figure, axes = _bar_axes(short(title), "Share that converted", conversions)
    axes.axvline(average, color=SECOND, linestyle="--", label=f"all leads, {average:.0%}")
    rows, rates = np.arange(len(conversions)), [conversion.rate for conversion in conversions]
    low, value, high = ([getattr(rate, name) for rate in rates] for name in ("low", "value", "high"))
    errors = np.abs(np.subtract([low, high], value))
    axes.barh(rows, value, height=0.62, color=PALE)
    axes.errorbar(
        value, rows, xerr=errors, fmt="o", color=ACCENT, markersize=5, capsize=3, label="95 % interval"
    )
    axes.set_xlim(0, min(1.0, 1.1 * max([*high, average])))
    legend_below(figure)
    return figure


def draw_outcomes(conversions: Sequence[Conversion], title: str = "Values by outcome") -> Figure:
    """Draw the distribution of values among the leads of each outcome.

    Parameters
    ----------
    conversions : sequence of Conversion
        The values of a field.
    title : str, optional
        Name of the field, if nothing beside the figure shows it.
    """
    figure, axes = _bar_axes(short(title), "Share of each outcome", conversions)
    converted = np.array([conversion.cell.converted for conversion in conversions])
    other = np.array([conversion.cell.count for conversion in conversions]) - converted
    looks = ((converted, -0.2, ACCENT, "", OUTCOMES[0]), (other, 0.2, "white", "////", OUTCOMES[1]))
    for counts, shift, color, hatch, word in looks:
        shares, rows = counts / max(counts.sum(), 1), np.arange(len(conversions)) + shift
        axes.barh(rows, shares, 0.36, color=color, hatch=hatch, edgecolor=INK, linewidth=0.6, label=word)
    legend_below(figure)
    return figure


def _bar_axes(title: str, x: str, conversions: Sequence[Conversion]) -> tuple[Figure, Axes]:
    figure, axes = new_axes(title, x, "", height=1.7 + 0.33 * len(conversions), width=WIDTH)
    labels = [f"{short(conversion.value, 18)} ({conversion.cell.count:,})" for conversion in conversions]
    axes.set_yticks(range(len(conversions)), labels)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    in_percent(axes.xaxis)
    return figure, axes


def draw_histogram(label: str, histogram: Histogram) -> Figure:
    """Draw the histogram of a number for each outcome, as shares of the outcome.

    Parameters
    ----------
    label : str
        Label of the field, with its unit.
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
    in_percent(axes.yaxis)
    legend_below(figure)
    return figure


def draw_spread(label: str, spread: Spread) -> Figure:
    """Draw a box plot of a number for each outcome, with whiskers at 5 % and 95 %.

    Parameters
    ----------
    label : str
        Label of the field, with its unit.
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
    for box, color in zip(drawn["boxes"], (PALE, "white"), strict=True):
        box.set(facecolor=color, edgecolor=INK)
    axes.set_yticks([1, 2], OUTCOMES)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    return figure


def draw_columns(auc: Mapping[str, float], suspects: Collection[str]) -> Figure:
    """Draw the ROC AUC of single columns, the best first, and mark those that may leak the outcome.

    Parameters
    ----------
    auc : mapping of str to float
        ROC AUC by name; the highest `MAX_DRAWN` are drawn.
    suspects : collection of str
        Names of the columns that may leak the outcome.
    """
    ranked = sorted(auc.items(), key=lambda item: -item[1])[:MAX_DRAWN]
    figure, axes = new_axes("One column alone", "ROC AUC", "", height=1.7 + 0.3 * len(ranked), width=WIDTH)
    for is_suspect, color, hatch, word in (
        (False, ACCENT, "", "no sign of a leak"),
        (True, SECOND, "////", "possible leak"),
    ):
        rows = [row for row, (name, _) in enumerate(ranked) if (name in suspects) == is_suspect]
        lengths = [max(ranked[row][1] - 0.5, 0.0) for row in rows]
        if rows:
            axes.barh(rows, lengths, 0.62, 0.5, color=color, hatch=hatch, edgecolor="white", label=word)
    axes.set_yticks(range(len(ranked)), [short(name, 24) for name, _ in ranked])
    axes.set_xlim(0.5, 1)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    legend_below(figure)
    return figure


def draw_association(association: Association, labels: Mapping[str, str]) -> Figure:
    """Draw the association of the most important fields, in hundredths.

    Parameters
    ----------
    association : Association
        Associations; the first `MAX_DRAWN` fields are drawn.
    labels : mapping of str to str
        Labels by field name.
    """
    strength = np.array(association.strength, dtype=np.float64)
    # Fields without any association, for lack of leads, would be empty rows.
    drawn = np.flatnonzero((~np.isnan(strength)).sum(axis=1) > 1)[:MAX_DRAWN]
    names, size = [association.fields[index] for index in drawn], len(drawn)
    strength = strength[np.ix_(drawn, drawn)]
    strength[np.triu_indices(size)] = np.nan
    texts = [["" if np.isnan(value) else f"{100 * value:.0f}" for value in row] for row in strength]
    rows = [f"{short(labels[name], 22)}  {number}" for number, name in enumerate(names, 1)]
    columns = [str(number) for number in range(1, size)]
    return _draw_table("Association, in hundredths", np.abs(strength[:, :-1]), texts, rows, columns, 0.3)


def draw_interaction(interaction: Interaction, labels: Mapping[str, str]) -> Figure:
    """Draw the conversion rate by two fields at once, and the rate expected without interaction.

    Parameters
    ----------
    interaction : Interaction
        Leads by the two fields.
    labels : mapping of str to str
        Labels by field name.
    """
    row_label, column_label = (labels[name] for name in interaction.fields)
    rates = np.array([[cell.rate if cell else np.nan for cell in row] for row in interaction.cells])
    pairs = zip(interaction.cells, interaction.expected, strict=True)
    texts = [
        [
            "" if cell is None or rate is None else f"{cell.rate:.0%}\n(exp. {rate:.0%})"
            for cell, rate in zip(*row, strict=True)
        ]
        for row in pairs
    ]
    rows = [short(name, 16) for name in interaction.rows]
    columns = [short(name, 11) for name in interaction.columns]
    figure = _draw_table("Share that converted", rates, texts, rows, columns, 0.55)
    figure.axes[0].set(ylabel=short(row_label, 24), xlabel=short(column_label))
    return figure


def _draw_table(
    title: str,
    shades: Floats,
    texts: Sequence[Sequence[str]],
    rows: Sequence[str],
    columns: Sequence[str],
    row_height: float,
) -> Figure:
    """Draw a table with a text in each cell, which is darker the closer its shade is to 1."""
    figure, axes = new_axes(title, "", "", height=1.1 + row_height * len(rows), width=WIDTH)
    axes.grid(visible=False)
    # The darkest colors of the map, above 1, would hide the texts.
    axes.imshow(shades, cmap="GnBu", vmin=0, vmax=1.3, aspect="auto")
    for row, column in np.ndindex(shades.shape):
        axes.text(column, row, texts[row][column], ha="center", va="center", fontsize=9, color=INK)
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(length=0)
    return figure
