"""Why a lead has its probability: exact contributions of its fields, put in plain words."""

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from leadmodel.arrays import Floats
from leadmodel.errors import quoted
from leadmodel.insights.profile import FieldProfile, Profile
from leadmodel.leads.field import MIN_TOLD, MISSING, Field, Value
from leadmodel.leads.schema import LeadSchema
from leadmodel.leads.table import LeadTable
from leadmodel.text import format_number

__all__ = ["Explanation", "Reason", "explain", "show_value"]

MAX_REASONS = 5
MIN_CONTRIBUTION = 0.01
"""In log-odds: less moves no probability by a quarter of a percentage point."""


# Plain slots, because a call of many leads makes a hundred thousand of them.
@dataclass(slots=True)
class Reason:
    """What one field does to a lead's log-odds, and what leads of its kind did."""

    field: str
    label: str
    value: str
    contribution: float
    sentence: str


@dataclass(slots=True)
class Explanation:
    """The strongest reasons for and against; all contributions and `base` make the log-odds.

    Parameters
    ----------
    base : float
        Log-odds before anything is known of the lead.
    reasons_for, reasons_against : tuple of Reason
        At most five each, strongest first.
    rest : float
        Contributions of all other fields together, in log-odds.
    """

    base: float
    reasons_for: tuple[Reason, ...]
    reasons_against: tuple[Reason, ...]
    rest: float

    @property
    def log_odds(self) -> float:
        """The model's log-odds for the lead."""
        shown = (*self.reasons_for, *self.reasons_against)
        return self.base + self.rest + sum(reason.contribution for reason in shown)


class _LazyExplanation(Explanation):
    """An explanation that makes its reasons whenever somebody reads them.

    Ten thousand leads have a hundred thousand reasons. To make them all at once takes longer than
    to score the leads, most of it in the garbage collector; a ranked list reads two of each lead's
    ten, and what writes JSON needs those of one lead at a time.
    """

    __slots__ = ("_lead", "_leads")

    def __init__(self, leads: "_ExplainedLeads", lead: int) -> None:
        self._leads, self._lead = leads, lead

    @property
    def base(self) -> float:  # type: ignore[override]
        return float(self._leads.base[self._lead])

    @property
    def reasons_for(self) -> tuple[Reason, ...]:  # type: ignore[override]
        return self._leads.reasons(self._lead, raising=True)

    @property
    def reasons_against(self) -> tuple[Reason, ...]:  # type: ignore[override]
        return self._leads.reasons(self._lead, raising=False)

    @property
    def rest(self) -> float:  # type: ignore[override]
        return self._leads.rest(self._lead)


class _ExplainedLeads:
    """The sorted contributions of some leads, and the sentences made of them so far."""

    def __init__(self, profile: Profile, table: LeadTable, contributions: Floats) -> None:
        self.base, values = contributions[:, -1], contributions[:, :-1]
        self._fields, self._sorted = np.argsort(values, axis=1, kind="stable"), np.sort(values, axis=1)
        self._columns, self._texts, self._numbers = (
            table.schema.columns,
            [*table.texts.values()],
            table.numbers,
        )
        # Leads have most values in common, and a sentence is made once.
        self._describe = cache(partial(_describe, table.schema, profile))

    def reasons(self, lead: int, raising: bool) -> tuple[Reason, ...]:
        """Return the reasons that raise the chance of a lead, or that lower it, the strongest first."""
        # As lists, because an element of an array takes ten times as long to get.
        fields, sizes = self._fields[lead].tolist(), self._sorted[lead].tolist()
        last, first = _strong(sizes)
        ranks = range(len(sizes) - 1, first - 1, -1) if raising else range(last)
        return tuple([self._reason(lead, fields[rank], sizes[rank]) for rank in ranks])

    def rest(self, lead: int) -> float:
        """Return the sum of the contributions that are no reasons."""
        sizes = self._sorted[lead].tolist()
        return math.fsum(sizes[slice(*_strong(sizes))])

    def _reason(self, lead: int, field: int, contribution: float) -> Reason:
        value: Value
        if field < len(self._texts):
            codes, categories = self._texts[field]
            value = categories[codes[lead]]
        else:
            value = float(self._numbers[field - len(self._texts), lead])
        name = self._columns[field]
        label, text, sentence = self._describe(name, value, contribution > 0)
        return Reason(name, label, text, contribution, sentence)


def _strong(sizes: list[float]) -> tuple[int, int]:
    """Return how many of rising contributions are reasons against, and from which on reasons for."""
    n_against = min(bisect_right(sizes, -MIN_CONTRIBUTION), MAX_REASONS)
    return n_against, max(bisect_left(sizes, MIN_CONTRIBUTION), len(sizes) - MAX_REASONS)


def explain(profile: Profile, table: LeadTable, contributions: Floats) -> list[Explanation]:
    """Put the contributions of the fields of some leads into words.

    Parameters
    ----------
    profile : Profile
        The training leads.
    table : LeadTable
        Typed leads.
    contributions : array of shape (n_leads, n_fields + 1)
        As `leadmodel.explain.shap.ShapExplainer.contributions` returns them.
    """
    leads = _ExplainedLeads(profile, table, contributions)
    return [_LazyExplanation(leads, lead) for lead in range(len(table))]


def _describe(
    schema: LeadSchema, profile: Profile, name: str, value: Value, raises: bool
) -> tuple[str, str, str]:
    """Return label, value and sentence of a reason."""
    field = schema.by_name[name]
    return field.label, show_value(field, value), _sentence(field, profile, value, raises)


def _sentence(field: Field, profile: Profile, value: Value, raises: bool) -> str:
    if field.assumed is not None and _is_gap(value):
        average = show_value(field, field.assumed)
        return f"{field.label} was not given; {average} is assumed, the average."
    known = profile.fields[field.name]
    cell, rate = known.cell(value), profile.leads.rate
    subject = f"{field.label} {_predicate(field, known, value)}"
    if not cell.is_told:
        return f"{subject}, which fewer than {MIN_TOLD} training leads show."
    others = "as of all" if f"{cell.rate:.0%}" == f"{rate:.0%}" else f"{rate:.0%} of all"
    told = f"{subject}: {cell.rate:.0%} of such leads converted, {others}."
    if (cell.rate >= rate) == raises:
        return told
    return f"{told} Beside this lead's other answers it speaks {'for' if raises else 'against'} it."


def _predicate(field: Field, known: FieldProfile, value: Value) -> str:
    if value == MISSING or _is_gap(value):
        return "was not given"
    if isinstance(value, float) and field.kind == "numeric":
        low, high = known.bounds(value)
        among = f" (among {format_number(low)} to {format_number(high)})" if low < high else ""
        return f"is {show_value(field, value)}{among}"
    rare = isinstance(value, str) and value not in field.choices
    return f"is {show_value(field, value)}" + (", a value seen rarely or never" if rare else "")


def _is_gap(value: Value) -> bool:
    return isinstance(value, float) and math.isnan(value)


def show_value(field: Field, value: Value) -> str:
    """Return a typed value of `field` as people read it."""
    if isinstance(value, str):
        return "not given" if value == MISSING else (value if value in field.choices else quoted(value))
    if math.isnan(value):
        return "not given"
    if field.kind == "boolean":
        return "Yes" if value else "No"
    return f"{format_number(value)} {field.unit}".rstrip()
