"""Estimate the conversion rate of the training leads by the values of a field."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import floor, isnan, sqrt
from typing import NamedTuple

from scipy.special import ndtri

from leadmodel.insights.profile import Cell, FieldProfile, Profile
from leadmodel.leads.field import MISSING, Field, Value
from leadmodel.leads.schema import LeadSchema
from leadmodel.metrics.classification import Estimate
from leadmodel.text import format_number

__all__ = ["Conversion", "conversions", "find_notable", "group_name", "range_names", "wilson"]

MAX_VALUES = 15
"""Categories that are listed, the most frequent ones; the others are counted together."""

MAX_NOTABLE, MAX_PER_FIELD = 8, 2
"""Limits that keep the list short, and one field from filling it."""

Z = float(ndtri(0.975))


class Conversion(NamedTuple):
    """Training leads with one value of a field, or in one range of it, and their conversion rate."""

    value: str
    cell: Cell
    rate: Estimate


def wilson(cell: Cell, z: float = Z) -> Estimate:
    """Estimate the conversion rate with its score interval (Wilson 1927), by default of 95 %.

    Unlike the normal interval it stays within 0 and 1, and holds for few leads too.
    """
    n, rate = cell.count, cell.rate
    center = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    # Where none or all convert, rounding may leave the rate just outside.
    return Estimate(value=rate, low=min(center - half, rate), high=max(center + half, rate))


def conversions(field: Field, profile: FieldProfile) -> list[Conversion]:
    """Estimate the conversion rate by value or range, without cells of few leads; missing values last.

    Parameters
    ----------
    field : Field
        The field. A boolean keeps the order of its choices, categories are sorted by frequency, and
        ranges of numbers ascend.
    profile : FieldProfile
        Its counts.
    """
    if field.is_text:
        cells = _category_cells(field, profile)
    else:
        cells = list(zip(range_names(field, profile.edges), profile.cells.values(), strict=True))
    cells.append(("not given", profile.missing))
    return [Conversion(value, cell, wilson(cell)) for value, cell in cells if cell.is_told]


def _category_cells(field: Field, profile: FieldProfile) -> list[tuple[str, Cell]]:
    ranked = list(profile.cells.items())
    if field.kind != "boolean":
        ranked.sort(key=lambda item: -item[1].count)
    # Rare values of the profile, which it does not name, are counted with the least frequent ones.
    named = [item for item in ranked if item[1].is_told][:MAX_VALUES]
    rest = [cell for value, cell in ranked if value not in dict(named)] + [profile.other]
    other = Cell(count=sum(cell.count for cell in rest), converted=sum(cell.converted for cell in rest))
    return [*named, ("any other", other)]


def range_names(field: Field, edges: Sequence[float]) -> list[str]:
    """Name the ranges between `edges`, each with its upper edge but without the outermost ones."""
    if field.kind == "boolean" and len(edges) == 3:
        return ["No", "Yes"]
    if len(edges) == 2:
        return ["any"]
    if field.integer:
        edges = [edges[0], *(floor(edge) for edge in edges[1:-1]), edges[-1]]
    # No lead lies exactly at the outermost edges, so that the outer ranges are open.
    first = format_number(edges[1]) if edges[0] == edges[1] else f"up to {format_number(edges[1])}"
    step = 1 if field.integer else 0  # whole numbers just above an edge begin one higher
    pairs = ((low + step, high) for low, high in pairwise(edges[1:-1]))
    inner = [
        format_number(high) if low == high else f"{format_number(low)} to {format_number(high)}"
        for low, high in pairs
    ]
    return [first, *inner, f"above {format_number(edges[-2])}"]


def group_name(field: Field, profile: FieldProfile, value: Value) -> str:
    """Name the choice, or the range as in `conversions`, that a typed `value` belongs to."""
    if isinstance(value, str):
        if value == MISSING:
            return "not given"
        return value if value in profile.cells else "any other"
    return "not given" if isnan(value) else range_names(field, profile.edges)[profile.bin_of(value)]


def find_notable(schema: LeadSchema, profile: Profile) -> list[str]:
    """Describe where conversion differs most from the average, beyond chance.

    Values are sorted by the number of conversions at stake: the difference times the number of leads.
    The sentences give 95 % intervals, but values are selected by wider ones, corrected for the number of
    values (Bonferroni).
    """
    average = profile.leads.rate
    candidates = [
        (field, conversion)
        for field in schema.fields
        for conversion in conversions(field, profile.fields[field.name])
        if conversion.value != "any other"
    ]
    z = float(ndtri(1 - 0.025 / max(len(candidates), 1)))
    notable = []
    for field, conversion in candidates:
        interval = wilson(conversion.cell, z)
        if not interval.low <= average <= interval.high:
            notable.append((field, conversion))
    notable.sort(key=lambda pair: -abs(pair[1].cell.converted - average * pair[1].cell.count))
    n_by_field: Counter[str] = Counter()
    sentences = []
    for field, conversion in notable:
        n_by_field[field.name] += 1
        if n_by_field[field.name] <= MAX_PER_FIELD:
            sentences.append(_sentence(field, conversion, average))
    return sentences[:MAX_NOTABLE]


def _sentence(field: Field, conversion: Conversion, average: float) -> str:
    rate, value = conversion.rate, conversion.value
    times = f", {rate.value / average:.2g} times the average" if average else ""
    unit = f" {field.unit}" if field.unit and not field.is_text and value != "not given" else ""
    return (
        f"{field.label} {value}{unit}: of {conversion.cell.count:,} leads {rate.value:.0%} converted "
        f"({100 * rate.low:.0f} to {100 * rate.high:.0f}){times}."
    )
