"""Report how the values of the outcome column were understood."""

from collections.abc import Sequence

from leadmodel.audit.finding import Finding
from leadmodel.errors import quoted
from leadmodel.leads.field import MIN_CATEGORY_COUNT
from leadmodel.leads.outcome.read import Outcomes
from leadmodel.leads.outcome.rule import OPEN, UNCLEAR, Value
from leadmodel.leads.outcome.words import meaning_of

__all__ = ["OPEN_AS_LOST", "UNDERSTOOD", "check_outcomes"]

UNDERSTOOD, OPEN_AS_LOST = "outcomes", "open leads as lost"
"""Kinds of these findings."""

MAX_NAMED = 8

_GROUPS = {
    1: "Converted",
    0: "Not converted",
    OPEN: "Still open",
    UNCLEAR: "Neither, and left out",
}


def check_outcomes(outcomes: Outcomes, horizon: int | None = None) -> list[Finding]:
    """Report the values with their counts, unless there are just two, and open leads that count as lost.

    Parameters
    ----------
    outcomes : Outcomes
        As `leadmodel.leads.outcome.read.label_leads` returns them.
    horizon : int, optional
        Days after which an open lead counts as not converted.
    """
    values, rule = outcomes.values, outcomes.rule
    if rule.filled:
        return []
    codes = rule.codes([value.name for value in values])
    spelled = [value for value in values if value.variants]
    columns, findings = (outcomes.column,), []
    if len(values) > 2 or spelled:
        parts = []
        for code, meaning in _GROUPS.items():
            if group := [value for value, one in zip(values, codes, strict=True) if one == code]:
                left_out = " and left out" if code == OPEN and horizon is None else ""
                parts.append(f"{meaning}{left_out}: {_count(group)}.")
        if rule.others:
            parts.append("No other value is a usual word for lost or open leads.")
        if len(values) > 2:
            parts.append("To overrule this, use --positive, --negative and --open.")
        if spelled:
            # A rare value may tell of a lead.
            named = "; ".join(_spellings(one) for one in spelled[:3] if one.count >= MIN_CATEGORY_COUNT)
            parts.append(f"Spellings of one value count as one{named and ': '}{named}.")
        findings.append(Finding(kind=UNDERSTOOD, columns=columns, text=" ".join(parts), severity="note"))
    lost = [v for v, code in zip(values, codes, strict=True) if code == 0 and meaning_of(v.name) == "open"]
    if lost and len(values) == 2 and horizon is None:
        text = (
            f"Leads with {_count(lost)} count as not converted, because no other value means lost leads. "
            "If they are still open, the model confuses open leads with lost ones. Add lost leads."
        )
        findings.append(Finding(kind=OPEN_AS_LOST, columns=columns, text=text, severity="problem"))
    return findings


def _count(values: Sequence[Value]) -> str:
    """Return the values with their numbers of leads; rare ones, which may tell of a lead, without names."""
    named = [value for value in values if value.count >= MIN_CATEGORY_COUNT][:MAX_NAMED]
    parts = [f"{quoted(value.name, 30)} {value.count:,}" for value in named]
    if n_rest := sum(value.count for value in values) - sum(value.count for value in named):
        parts.append(f"other values {n_rest:,}" if named else f"{n_rest:,} leads")
    return ", ".join(parts)


def _spellings(value: Value) -> str:
    others = ", ".join(quoted(variant, 30) for variant in value.variants[:3])
    return f"{quoted(value.name, 30)} is also written {others}"
