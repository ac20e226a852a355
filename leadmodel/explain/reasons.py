"""Why a lead has its probability: exact contributions of its fields, put in plain words."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import numpy.typing as npt

from leadmodel.errors import quoted
from leadmodel.insights.profile import FieldProfile, Profile
from leadmodel.leads.schema import MIN_TOLD, MISSING, Field, LeadSchema, Value
from leadmodel.numbers import format_number

__all__ = ["Explanation", "Reason", "explain", "show_value"]

MAX_REASONS = 5
MIN_CONTRIBUTION = 0.01
"""In log-odds: less moves no probability by a quarter of a percentage point."""

_Tell = Callable[[str, Value, bool], tuple[str, str, str]]


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


def explain(
    schema: LeadSchema,
    profile: Profile,
    rows: Sequence[Sequence[Value]],
    contributions: npt.NDArray[np.float64],
) -> list[Explanation]:
    """Put the contributions of the fields of some leads into words.

    Parameters
    ----------
    schema, profile : LeadSchema, Profile
        The fields, and what the training leads did.
    rows : sequence of sequence of float or str
        Typed leads in the order of the model's columns.
    contributions : array of shape (n_leads, n_fields + 1)
        As `leadmodel.explain.shap.ShapExplainer.of` returns them.
    """
    tell = cache(partial(_tell, schema, profile))  # many leads have most of their values in common
    return [
        _explain(schema.columns, row, values, base, tell)
        for row, (*values, base) in zip(rows, contributions.tolist(), strict=True)
    ]


def _explain(
    columns: list[str], row: Sequence[Value], contributions: list[float], base: float, tell: _Tell
) -> Explanation:
    rising = sorted(range(len(columns)), key=contributions.__getitem__)
    pro = [place for place in rising[: -MAX_REASONS - 1 : -1] if contributions[place] >= MIN_CONTRIBUTION]
    con = [place for place in rising[:MAX_REASONS] if contributions[place] <= -MIN_CONTRIBUTION]
    reasons = {}
    for place in (*pro, *con):
        name, contribution = columns[place], contributions[place]
        label, value, sentence = tell(name, row[place], contribution > 0)
        reasons[place] = Reason(name, label, value, contribution, sentence)
    return Explanation(
        base=base,
        reasons_for=tuple(reasons[place] for place in pro),
        reasons_against=tuple(reasons[place] for place in con),
        rest=math.fsum(value for place, value in enumerate(contributions) if place not in reasons),
    )


def _tell(
    schema: LeadSchema, profile: Profile, name: str, value: Value, speaks_for: bool
) -> tuple[str, str, str]:
    """Return label, value and sentence of a reason."""
    field = schema.by_name[name]
    return field.label, show_value(field, value), _sentence(field, profile, value, speaks_for)


def _sentence(field: Field, profile: Profile, value: Value, speaks_for: bool) -> str:
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
    if (cell.rate >= rate) == speaks_for:
        return told
    return f"{told} Beside this lead's other answers it speaks {'for' if speaks_for else 'against'} it."


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
