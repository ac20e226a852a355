"""Explain the probability of a lead: the strongest SHAP values of its fields, in plain words."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable
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

Words = Callable[[str, Value], str | None]

MAX_REASONS = 5
MIN_CONTRIBUTION = 0.01
"""Least log-odds of a reason: less changes no probability by more than a quarter of a percentage point."""


# Plain slots, because a call of many leads makes a hundred thousand of them.
@dataclass(slots=True)
class Reason:
    """Contribution of one field to the log-odds of a lead, and the conversion rate of leads like it."""

    field: str
    label: str
    value: str
    contribution: float
    sentence: str


@dataclass(slots=True)
class Explanation:
    """Strongest reasons for and against; `base` and all contributions sum to the log-odds.

    Parameters
    ----------
    base : float
        Expected log-odds of the training leads.
    reasons_for, reasons_against : tuple of Reason
        At most five each, strongest first.
    rest : float
        Sum of the contributions of all other fields, in log-odds.
    """

    base: float
    reasons_for: tuple[Reason, ...]
    reasons_against: tuple[Reason, ...]
    rest: float

    @property
    def log_odds(self) -> float:
        """Log-odds of the lead."""
        shown = (*self.reasons_for, *self.reasons_against)
        return self.base + self.rest + sum(reason.contribution for reason in shown)


class _LazyExplanation(Explanation):
    """Explanation that makes its reasons each time they are read."""

    # Ten thousand leads have a hundred thousand reasons. Making them all at once takes longer than scoring
    # the leads, most of it in the garbage collector; but a ranked list reads two of the ten reasons of a
    # lead, and JSON is written one lead at a time.

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
    """Sorted contributions of leads, and the sentences made so far."""

    def __init__(self, profile: Profile, table: LeadTable, contributions: Floats, words: Words) -> None:
        self.base, values = contributions[:, -1], contributions[:, :-1]
        self._fields, self._sorted = np.argsort(values, axis=1, kind="stable"), np.sort(values, axis=1)
        self._columns, self._numbers = table.schema.columns, table.numbers
        self._texts = [*table.texts.values()]
        # Leads have most values in common, so that each sentence is made once.
        self._describe = cache(partial(_describe, table.schema, profile, words))

    def reasons(self, lead: int, raising: bool) -> tuple[Reason, ...]:
        """Return the reasons that raise the chance of a lead, or that lower it, the strongest first."""
        # As lists, because an element of an array takes ten times as long to get.
        fields, sizes = self._fields[lead].tolist(), self._sorted[lead].tolist()
        last, first = _strong(sizes)
        ranks = range(len(sizes) - 1, first - 1, -1) if raising else range(last)
        return tuple([self._reason(lead, fields[rank], sizes[rank]) for rank in ranks])

    def rest(self, lead: int) -> float:
        """Return the sum of the contributions that are not among the reasons."""
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
    """Return the end of the reasons against, and the start of those for, in ascending contributions."""
    n_against = min(bisect_right(sizes, -MIN_CONTRIBUTION), MAX_REASONS)
    return n_against, max(bisect_left(sizes, MIN_CONTRIBUTION), len(sizes) - MAX_REASONS)


def explain(
    profile: Profile, table: LeadTable, contributions: Floats, words: Words = lambda name, value: None
) -> list[Explanation]:
    """Explain the predictions for some leads.

    Parameters
    ----------
    profile : Profile
        Profile of the training leads.
    table : LeadTable
        Typed leads.
    contributions : array of shape (n_leads, n_fields + 1)
        As `leadmodel.explain.shap.ShapExplainer.contributions` returns them.
    words : callable, optional
        Puts the value of a field in words of its own, or returns None.
    """
    leads = _ExplainedLeads(profile, table, contributions, words)
    return [_LazyExplanation(leads, lead) for lead in range(len(table))]


def _describe(
    schema: LeadSchema, profile: Profile, words: Words, name: str, value: Value, raises: bool
) -> tuple[str, str, str]:
    """Return label, value and sentence of a reason."""
    field = schema.by_name[name]
    return field.label, show_value(field, value), _sentence(field, profile, words, value, raises)


def _sentence(field: Field, profile: Profile, words: Words, value: Value, raises: bool) -> str:
    if field.assumed is not None and _is_gap(value):
        return f"{field.label} is missing; the average ({show_value(field, field.assumed)}) is used."
    field_profile = profile.fields[field.name]
    cell, average = field_profile.cell(value), profile.leads.rate
    told = words(field.name, value)
    predicate = _predicate(field, field_profile, value)
    subject = f"{told}{_among(field_profile, value)}" if told else f"{field.label} {predicate}"
    if not cell.is_told:
        return f"{subject}, as for fewer than {MIN_TOLD} training leads."
    is_average = f"{cell.rate:.0%}" == f"{average:.0%}"
    comparison = ", the same as average" if is_average else f" (average {average:.0%})"
    sentence = f"{subject}: {cell.rate:.0%} of these leads converted{comparison}."
    # The rate of a field alone may lie on the other side than its contribution, which surprises readers.
    if (cell.rate >= average) == raises:
        return sentence
    effect = "raises" if raises else "lowers"
    return f"{sentence} Combined with this lead's other details, it {effect} the chance."


def _predicate(field: Field, field_profile: FieldProfile, value: Value) -> str:
    if value == MISSING or _is_gap(value):
        return "is missing"
    if isinstance(value, float) and field.kind == "numeric":
        return f"is {show_value(field, value)}{_among(field_profile, value)}"
    rare = isinstance(value, str) and value not in field.choices
    return f"is {show_value(field, value)}" + (", a value seen rarely or never" if rare else "")


def _among(field_profile: FieldProfile, value: Value) -> str:
    """Return the numbers that are counted together with a number."""
    if isinstance(value, str):
        return ""
    low, high = field_profile.bounds(value)
    return f" (among {format_number(low)} to {format_number(high)})" if low < high else ""


def _is_gap(value: Value) -> bool:
    return isinstance(value, float) and math.isnan(value)


def show_value(field: Field, value: Value) -> str:
    """Format a typed value of `field` for people."""
    if isinstance(value, str):
        return "not given" if value == MISSING else (value if value in field.choices else quoted(value))
    if math.isnan(value):
        return "not given"
    if field.kind == "boolean":
        return "Yes" if value else "No"
    return f"{format_number(value)} {field.unit}".rstrip()
