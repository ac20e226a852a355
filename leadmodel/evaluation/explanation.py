"""Why a lead has its probability: exact contributions of its fields, put in plain words."""

import math
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from leadmodel.errors import quoted
from leadmodel.evaluation.profile import FieldProfile, Profile
from leadmodel.leads.schema import MISSING, Field, LeadSchema, Value

__all__ = ["Explanation", "Reason", "explain"]

MAX_REASONS = 5
MIN_CONTRIBUTION = 0.01
"""In log-odds: less moves no probability by a quarter of a percentage point."""


class Reason(BaseModel):
    """What one field does to a lead's log-odds, and what leads of its kind did."""

    model_config = ConfigDict(frozen=True)

    field: str
    label: str
    value: str
    contribution: float
    sentence: str


class Explanation(BaseModel):
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

    model_config = ConfigDict(frozen=True)

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
    lead: Mapping[str, Value],
    contributions: Mapping[str, float],
    base: float,
) -> Explanation:
    """Put the contributions of a lead's fields into words.

    Parameters
    ----------
    schema, profile : LeadSchema, Profile
        The fields, and what the training leads did.
    lead : mapping of str to float or str
        Typed values by field name.
    contributions : mapping of str to float
        SHAP values in log-odds by field name (Lundberg et al. 2020).
    base : float
        The expected log-odds.
    """
    strong = {name: value for name, value in contributions.items() if abs(value) >= MIN_CONTRIBUTION}
    ranked = sorted(strong, key=lambda name: -abs(strong[name]))
    chosen = [name for name in ranked if strong[name] > 0][:MAX_REASONS]
    chosen += [name for name in ranked if strong[name] < 0][:MAX_REASONS]
    reasons = [_reason(schema.by_name[name], profile, lead[name], contributions[name]) for name in chosen]
    return Explanation(
        base=base,
        reasons_for=tuple(reason for reason in reasons if reason.contribution > 0),
        reasons_against=tuple(reason for reason in reasons if reason.contribution < 0),
        rest=math.fsum(value for name, value in contributions.items() if name not in chosen),
    )


def _reason(field: Field, profile: Profile, value: Value, contribution: float) -> Reason:
    return Reason(
        field=field.name,
        label=field.label,
        value=_shown(field, value),
        contribution=contribution,
        sentence=_sentence(field, profile, value, contribution),
    )


def _sentence(field: Field, profile: Profile, value: Value, contribution: float) -> str:
    known = profile.fields[field.name]
    cell, rate = known.cell(value), profile.leads.rate
    subject = f"{field.label} {_predicate(field, known, value)}"
    if not cell.count:
        return f"{subject}, which no training lead shows."
    others = "as of all" if f"{cell.rate:.0%}" == f"{rate:.0%}" else f"{rate:.0%} of all"
    told = f"{subject}: {cell.rate:.0%} of such leads converted, {others}."
    if (cell.rate >= rate) == (contribution > 0):
        return told
    return (
        f"{told} Beside this lead's other answers it speaks {'for' if contribution > 0 else 'against'} it."
    )


def _predicate(field: Field, known: FieldProfile, value: Value) -> str:
    if value == MISSING or (isinstance(value, float) and math.isnan(value)):
        return "was not given"
    if isinstance(value, float) and field.kind == "numeric":
        low, high = known.bounds(value)
        among = f" (among {_number(low)} to {_number(high)})" if low < high else ""
        return f"is {_shown(field, value)}{among}"
    rare = isinstance(value, str) and value not in field.choices
    return f"is {_shown(field, value)}" + (", a value seen rarely or never" if rare else "")


def _shown(field: Field, value: Value) -> str:
    if isinstance(value, str):
        return "not given" if value == MISSING else (value if value in field.choices else quoted(value))
    if math.isnan(value):
        return "not given"
    if field.kind == "boolean":
        return "Yes" if value else "No"
    return f"{_number(value)} {field.unit}".rstrip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if value % 1 == 0 and abs(value) < 1e15 else f"{value:,.4g}"
