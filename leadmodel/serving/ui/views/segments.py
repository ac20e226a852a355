"""Segments for people: a map and a card for each, as HTML and SVG. All text is escaped."""

import math
from collections.abc import Collection
from html import escape

from leadmodel.clusters.results import Clustering, Map, Segment
from leadmodel.leads.schema import MIN_CATEGORY_COUNT
from leadmodel.metrics.classification import Estimate
from leadmodel.model import LeadModel
from leadmodel.serving.ui.components import bullets, facts

__all__ = ["BY_CONVERSION", "BY_SEGMENT", "CONVERSIONS", "SEGMENTS_STYLE", "render_segments"]

BY_SEGMENT, BY_CONVERSION = "Segment", "Conversion"
CONVERSIONS = ("Any share", "Above average", "Below average")
"""Which segments are shown: all of them, or those whose training leads convert so."""

COLOURS = ("#0b6e75", "#a34c1f", "#5b4b9a", "#3d6f3a", "#96365c", "#8a5a00", "#2f5d9b", "#5c6370")
SHADES = ("#c9dde0", "#9cc3c8", "#63a0a7", "#2f7f87", "#0b5a60")
"""From few conversions to many; each is told by the table of numbers as well."""

SQUARE = 20
MAX_REASONS = 4

SEGMENTS_STYLE = """
.lm-map { width: 100%; max-width: 620px; display: block; background: var(--block-background-fill);
  border: 1px solid var(--border-color-primary); border-radius: 12px; }
.lm-map text { fill: #fff; font-size: 15px; font-weight: 700; text-anchor: middle; }
.lm-map circle { stroke: #fff; stroke-width: 2; }
.lm-cards { display: grid; gap: 14px; margin-top: 14px;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr)); }
.lm-cards > section { border: 1px solid var(--border-color-primary); border-radius: 12px; padding: 16px;
  background: var(--block-background-fill); min-width: 0; }
.lm-cards h2 { display: flex; gap: 10px; margin: 0 0 10px !important; overflow-wrap: anywhere; }
.lm-cards h2 > b { flex: none; width: 1.9rem; height: 1.9rem; border-radius: 50%; color: #fff;
  display: inline-flex; align-items: center; justify-content: center; font-size: 1rem; }
"""


def render_segments(model: LeadModel, numbers: Collection[int], converts: str, by: str) -> str:
    """Return the map of the segments, and a card for each that is shown.

    Parameters
    ----------
    model : LeadModel
        Whose segments they are.
    numbers : collection of int
        The segments to show, 1 being the first.
    converts : str
        One of `CONVERSIONS`.
    by : str
        What the colours mean: `BY_SEGMENT` or `BY_CONVERSION`.
    """
    found = model.evaluation.segments
    if found is None or not found.segments:
        return '<div class="lm-report"><p>This model has no segments.</p></div>'
    average = model.profile.leads.rate
    shown = [
        place
        for place, segment in enumerate(found.segments)
        if place + 1 in numbers and _is_wanted(segment.train.rate, average, converts)
    ]
    cards = "".join(_card(model, place, found.segments[place]) for place in shown)
    told = _told(found)
    if not shown:
        return f'<div class="lm-report">{told}<p role="status">No segment is left to show.</p></div>'
    drawn = _draw(found, found.map, shown, by, average) if found.map else ""
    return f'<div class="lm-report">{told}{drawn}<div class="lm-cards">{cards}</div></div>'


def _is_wanted(rate: float, average: float, converts: str) -> bool:
    if converts == CONVERSIONS[1]:
        return rate > average
    return rate < average if converts == CONVERSIONS[2] else True


def _told(found: Clustering) -> str:
    return (
        "<p>Leads grouped by what describes them, never by whether they converted: a way to look at them, "
        "not a sharp border.</p><details><summary>How the segments were found</summary>"
        f"<p>{escape(found.summary())}</p></details><br>"
    )


def _draw(found: Clustering, drawn: Map, shown: list[int], by: str, average: float) -> str:
    """Return the map: squares by how many leads lie there, and a numbered circle at each centre."""
    width, height = drawn.n_columns * SQUARE, drawn.n_rows * SQUARE
    most = max((spot.leads.count for spot in drawn.spots), default=1)
    squares = []
    for spot in (one for one in drawn.spots if one.segment in shown):
        fill = _shade(spot.leads.rate, average) if by == BY_CONVERSION else _colour(spot.segment)
        opacity = 0.2 + 0.6 * math.sqrt(spot.leads.count / most)
        left, top = spot.column * SQUARE, height - (spot.row + 1) * SQUARE
        squares.append(
            f'<rect x="{left}" y="{top}" width="{SQUARE - 1}" height="{SQUARE - 1}" fill="{fill}" '
            f'fill-opacity="{opacity:.2f}"/>'
        )
    total = sum(segment.train.count for segment in found.segments)
    circles = "".join(_circle(found.segments[place], place, height, total) for place in shown)
    names = "; ".join(f"{place + 1}: {found.segments[place].name}" for place in shown)
    return (
        f'<svg class="lm-map" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(f"Map of the segments. {names}")}">{"".join(squares)}{circles}</svg>'
        f'<p class="lm-small">{escape(_legend(drawn, by, average))}</p>'
    )


def _circle(segment: Segment, place: int, height: int, total: int) -> str:
    x, y = segment.place[0] * SQUARE, height - segment.place[1] * SQUARE
    radius = 12 + 18 * math.sqrt(segment.train.count / total)
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{_colour(place)}"/>'
        f'<text x="{x:.1f}" y="{y + 5:.1f}">{place + 1}</text>'
    )


def _legend(drawn: Map, by: str, average: float) -> str:
    colours = "The colour is the segment's; the stronger, the more leads."
    if by == BY_CONVERSION:
        colours = f"The darker, the more of the leads there converted; all of them did by {average:.0%}."
    return (
        "The plane in which the segments lie farthest apart. A circle marks the centre of each, as large "
        f"as the segment. {colours} Squares of {MIN_CATEGORY_COUNT} leads or fewer are not shown ("
        f"{drawn.hidden:,} leads)."
    )


def _colour(place: int) -> str:
    return COLOURS[place % len(COLOURS)]


def _shade(rate: float, average: float) -> str:
    """Return the colour of a conversion rate: the middle one for the average."""
    middle = len(SHADES) / 2
    place = (
        middle * rate / average
        if rate < average
        else middle * (1 + (rate - average) / max(1 - average, 1e-9))
    )
    return SHADES[min(int(place), len(SHADES) - 1)]


def _card(model: LeadModel, place: int, segment: Segment) -> str:
    n_leads = model.profile.leads.count
    train, test = segment.conversion
    tested = "no test lead is in it" if test is None else f"{_share(test)} of {segment.test.count:,}"
    grades = ", ".join(
        f"{grade} {count / max(segment.test.count, 1):.0%}"
        for grade, count in segment.grades.items()
        if count
    )
    known = [
        ("Leads", f"{segment.train.count:,}, {segment.train.count / n_leads:.0%} of all"),
        ("Converted", _share(train)),
        ("Test leads", tested),
        *([("Grades", grades)] if grades else []),
        *_value(model, segment),
        ("What counts", ", ".join(_reasons(model, segment))),
    ]
    head = f'<b style="background:{_colour(place)}">{place + 1}</b> {escape(segment.name)}'
    return f"<section><h2>{head}</h2>{facts(known)}<br>{bullets(segment.description)}</section>"


def _value(model: LeadModel, segment: Segment) -> list[tuple[str, str]]:
    if segment.value is None or model.worth is None:
        return []
    return [("Worth", f"{model.worth.terms.money(segment.value)} a test lead, on average")]


def _share(rate: Estimate) -> str:
    return f"{rate.value:.0%} ({rate.low:.0%} to {rate.high:.0%})"


def _reasons(model: LeadModel, segment: Segment) -> list[str]:
    """Return the labels of the fields that move the probabilities of its leads most."""
    labels = {field.name: field.label for field in model.schema.fields}
    return [labels.get(name, name) for name in list(segment.reasons)[:MAX_REASONS]]
