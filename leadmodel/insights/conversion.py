"""What the training leads did by the values of a field, as far as their number lets one say."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import floor, isnan, sqrt
from statistics import NormalDist
from typing import NamedTuple

from leadmodel.insights.profile import Cell, FieldProfile, Profile
from leadmodel.leads.schema import MISSING, Field, LeadSchema, Value
from leadmodel.metrics.classification import Estimate

__all__ = ["Conversion", "conversions", "find_notable", "group_name", "range_names", "shown", "wilson"]

MAX_VALUES = 15
"""Values of a text that are told apart, the most frequent ones; the others are counted together."""

MAX_NOTABLE, MAX_PER_FIELD = 8, 2
"""A short list, in which one field does not crowd out the others."""

Z = NormalDist().inv_cdf(0.975)


class Conversion(NamedTuple):
    """The training leads with one value of a field, or in one range of it."""

    value: str
    cell: Cell
    rate: Estimate


def wilson(cell: Cell, z: float = Z) -> Estimate:
    """Return the share that converted, with its score interval (Wilson 1927), by default of 95 %.

    Unlike the textbook interval it stays within 0 and 1, and holds for few leads too.
    """
    n, rate = cell.count, cell.rate
    middle = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    return Estimate(value=rate, low=middle - half, high=middle + half)


def conversions(field: Field, known: FieldProfile) -> list[Conversion]:
    """Return what the training leads did by value or range, those without any last, and none of few.

    Parameters
    ----------
    field : Field
        The field; its choices are in the order of the result if it is a boolean, else the most
        frequent come first, and numbers rise.
    known : FieldProfile
        Its counts.
    """
    cells = _texts(field, known) if field.is_text else _ranges(field, known)
    cells = [*cells, ("not given", known.missing)]
    return [Conversion(value, cell, wilson(cell)) for value, cell in cells if cell.is_told]


def _texts(field: Field, known: FieldProfile) -> list[tuple[str, Cell]]:
    ranked = list(known.cells.items())
    if field.kind != "boolean":
        ranked.sort(key=lambda item: -item[1].count)
    told = [item for item in ranked if item[1].is_told][:MAX_VALUES]
    rest = [cell for value, cell in ranked if value not in dict(told)] + [known.other]
    return [*told, ("any other", _sum(rest))]


def _sum(cells: Iterable[Cell]) -> Cell:
    cells = list(cells)
    return Cell(count=sum(cell.count for cell in cells), converted=sum(cell.converted for cell in cells))


def _ranges(field: Field, known: FieldProfile) -> list[tuple[str, Cell]]:
    return list(zip(range_names(field, known.edges), known.cells.values(), strict=True))


def range_names(field: Field, edges: Sequence[float]) -> list[str]:
    """Return the ranges between `edges`, upper ones included, in words without the outermost edges."""
    if field.kind == "boolean" and len(edges) == 3:
        return ["No", "Yes"]
    if len(edges) == 2:
        return ["any"]
    if field.integer:
        edges = [edges[0], *(floor(edge) for edge in edges[1:-1]), edges[-1]]
    first = shown(edges[1]) if edges[0] == edges[1] else f"up to {shown(edges[1])}"
    return [first, *_inner_names(field, edges[1:-1]), f"above {shown(edges[-2])}"]


def _inner_names(field: Field, edges: Sequence[float]) -> list[str]:
    step = 1 if field.integer else 0
    pairs = ((low + step, high) for low, high in pairwise(edges))
    return [shown(high) if low == high else f"{shown(low)} to {shown(high)}" for low, high in pairs]


def shown(number: float) -> str:
    """Return a number as people write it, in four digits or so.

    >>> shown(12345.6), shown(0.123456), shown(3.0)
    ('12,346', '0.1235', '3')
    """
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.4g}"


def group_name(field: Field, known: FieldProfile, value: Value) -> str:
    """Return in words which choice, or which of the ranges of `conversions`, a typed `value` falls into."""
    if isinstance(value, str):
        if value == MISSING:
            return "not given"
        return value if value in known.cells else "any other"
    return "not given" if isnan(value) else range_names(field, known.edges)[known.place(value)]


def find_notable(schema: LeadSchema, profile: Profile) -> list[str]:
    """Return in sentences where conversion differs most from the average, beyond chance.

    First comes what moves most conversions: the difference times the number of leads. The 95 %
    interval is told; what is told at all is chosen by one that allows for as many values as were
    looked at (Bonferroni), so that it is rarely chance.
    """
    average = profile.leads.rate
    found = [
        (field, one)
        for field in schema.fields
        for one in conversions(field, profile.fields[field.name])
        if one.value != "any other"
    ]
    z = NormalDist().inv_cdf(1 - 0.025 / max(len(found), 1))
    beyond = [(field, one) for field, one in found if not _holds(wilson(one.cell, z), average)]
    beyond.sort(key=lambda pair: -abs(pair[1].cell.converted - average * pair[1].cell.count))
    told: Counter[str] = Counter()
    sentences = []
    for field, one in beyond:
        told[field.name] += 1
        if told[field.name] <= MAX_PER_FIELD:
            sentences.append(_sentence(field, one, average))
    return sentences[:MAX_NOTABLE]


def _holds(interval: Estimate, value: float) -> bool:
    return interval.low <= value <= interval.high


def _sentence(field: Field, one: Conversion, average: float) -> str:
    rate = one.rate
    times = f", {rate.value / average:.2g} times the average" if average else ""
    unit = f" {field.unit}" if field.unit and not field.is_text and one.value != "not given" else ""
    return (
        f"{field.label} {one.value}{unit}: of {one.cell.count:,} leads {rate.value:.0%} converted "
        f"({100 * rate.low:.0f} to {100 * rate.high:.0f}){times}."
    )
