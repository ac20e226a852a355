"""Audit past leads for leakage, too few leads, duplicates, contradictions and shifts over time."""

import numpy as np
import pandas as pd

from leadmodel.arrays import Ints
from leadmodel.audit.finding import SEVERITIES, Audit, Finding, Severity
from leadmodel.audit.leakage import SEED, find_leaks, measure_columns
from leadmodel.audit.order import check_shift
from leadmodel.audit.twins import Hashes, Twins, mix_hashes
from leadmodel.leads.convert import is_nested
from leadmodel.leads.outcome.read import MIN_LEADS_PER_OUTCOME
from leadmodel.leads.schema import LeadSchema

__all__ = ["Audit", "Finding", "audit_leads"]

MAX_MEASURED = 100_000
"""Leads on which columns are measured; a share of so many leads has a standard error of 0.2 points."""

MIN_MEASURED = 500
"""Least leads of the rarer outcome in that sample; if they would be fewer, all leads are measured."""


def audit_leads(
    schema: LeadSchema,
    leads: pd.DataFrame,
    typed: pd.DataFrame,
    y: Ints,
    made: frozenset[str] = frozenset(),
    used: LeadSchema | None = None,
    twins: Twins | None = None,
) -> Audit:
    """Audit past leads.

    Parameters
    ----------
    schema : LeadSchema
        The fields, and the reasons why other columns are ignored.
    leads : DataFrame of shape (n_leads, n_columns)
        The raw leads, ignored columns included.
    typed : DataFrame of shape (n_leads, n_fields)
        The same leads as `leadmodel.leads.convert.read_leads` returns them.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others; both occur.
    made : frozenset of str
        Fields computed from events before the cutoff of the lead.
    used : LeadSchema, optional
        The schema of the model, if it is not the same.
    twins : Twins, optional
        Copies among the leads, if there are any.
    """
    # Lists in ignored columns become texts, because pandas cannot hash lists.
    objects = [name for name in schema.ignored if leads[name].dtype == object]
    nested = {name: leads[name].astype(str) for name in objects if leads[name].map(is_nested).any()}
    leads = leads.assign(**nested) if nested else leads
    findings = [*_check_size(y), *_check_duplicates(schema, leads, typed, y)]
    findings += [twins.finding()] if twins else []
    # Duplicates were looked for among all leads: a sample would miss most copies.
    if min(y.mean(), 1 - y.mean()) * MAX_MEASURED >= MIN_MEASURED and len(y) > MAX_MEASURED:
        text = f"Columns were measured on a random sample of {MAX_MEASURED:,} of {len(y):,} leads."
        findings.append(Finding(kind="sample", text=text, severity="note"))
        rows = np.random.default_rng(SEED).permutation(len(y))[:MAX_MEASURED]
        leads, typed, y = leads.iloc[rows], typed.iloc[rows], y[rows]
    columns = measure_columns(schema, leads, typed, y)
    findings += find_leaks(schema, y, columns, made)
    findings += [
        *check_shift(schema, leads, y),
        *_list_readings(used or schema),
        *_list_left_out(used or schema),
    ]
    findings += _list_unmeasured(schema, used or schema)
    return Audit(findings=tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))))


FEW_LEADS = 500
"""Leads of the rarer outcome below which intervals are wide. A fifth of them is kept for the test, and a
share of 100 leads, such as the recall, has a 95 % interval of about 10 points to either side."""

MANY_COPIES = 0.01
"""Share of duplicates from which on metrics suffer: one copy may be in the training leads and the other in
the test leads."""

_KINDS = {
    "leak": "known leak",
    "personal data": "personal data",
    "id": "id",
    "text": "free text",
    "empty": "constant",
    "constant": "constant",
    "filled in for fewer": "constant",
    "date": "date",
}
"""Kinds of ignored columns, by the beginning of the reason."""


def _check_size(y: Ints) -> list[Finding]:
    """Report too few leads of either outcome."""
    converted, other = int(y.sum()), int(len(y) - y.sum())
    counted = f"{converted:,} leads converted, {other:,} did not"
    n_test = max(1, min(converted, other) // 5)
    if min(converted, other) < MIN_LEADS_PER_OUTCOME:
        text = f"{counted}. A model needs at least {MIN_LEADS_PER_OUTCOME} of each."
        return [Finding(kind="too few leads", text=text, severity="problem")]
    if min(converted, other) < FEW_LEADS:
        text = (
            f"{counted}. With a fifth of them in the test, intervals will be wide: for a share such as the "
            f"recall, {98 / np.sqrt(n_test):.0f} points to either side."
        )
        return [Finding(kind="few leads", text=text, severity="note")]
    return []


def _list_readings(schema: LeadSchema) -> list[Finding]:
    """Report which texts of the fields count as another text, as a number, or as missing."""
    columns: dict[str, list[str]] = {}
    for field in schema.fields:
        if field.reading:
            columns.setdefault(field.reading, []).append(field.name)
    return [
        Finding(kind="texts read", columns=tuple(names), text=text, severity="note")
        for text, names in columns.items()
    ]


def _list_left_out(schema: LeadSchema) -> list[Finding]:
    """Report which columns are ignored and why, except for reasons that the user gave."""
    # One finding for each reason, with all of its columns.
    columns: dict[str, list[str]] = {}
    for name, why in schema.ignored.items():
        columns.setdefault(why, []).append(name)
    findings = []
    for why, names in columns.items():
        if why.startswith("too many columns"):
            text = f"{len(names):,} columns are left out. T{why[1:]}, each by itself."
            findings.append(Finding(kind="too many columns", text=text, severity="problem"))
        kind = next((kind for start, kind in _KINDS.items() if why.startswith(start)), None)
        if kind:
            text = f"Left out: {why.removeprefix('leak: ')}."
            findings.append(Finding(kind=kind, columns=tuple(names), text=text, severity="note"))
    return findings


def _list_unmeasured(schema: LeadSchema, used: LeadSchema) -> list[Finding]:
    """Report fields of the model that are no fields of the audit, and were therefore not measured."""
    names = tuple(name for name in used.columns if name not in schema.by_name)
    text = "A field among the training leads, but not among all leads, so it was not measured."
    return (
        [Finding(kind="not measured", columns=names, text=text, severity="look at this")] if names else []
    )


def _check_duplicates(
    schema: LeadSchema, leads: pd.DataFrame, typed: pd.DataFrame, y: Ints
) -> list[Finding]:
    """Report duplicate and contradictory leads.

    Duplicates are equal in every column except ids; contradictory leads are equal in every field and
    have different outcomes.
    """
    # Hashes of rows, because `DataFrame.duplicated` takes several times the memory of the leads.
    fields = np.zeros(len(y), dtype=np.uint64)
    for name in typed:
        fields = mix_hashes(fields, typed[name])
    rows = mix_hashes(fields, pd.Series(y))
    # Only leads that are equal so far can be duplicates, and a million dates take a second to hash.
    equal = np.flatnonzero(pd.Series(rows).duplicated(keep=False))
    rows = rows[equal]
    for name, why in schema.ignored.items():
        if _is_identifying(why, leads[name]):
            rows = mix_hashes(rows, leads[name].iloc[equal])
    return _duplicates(rows, len(y)) + _contradictions(fields, y)


def _is_identifying(why: str, column: pd.Series) -> bool:
    """Return whether two leads that differ in this ignored column alone are different leads."""
    # Ids differ between copies of one lead, and a numeric time may be just another running number.
    serial = why == "time of the lead" and pd.to_numeric(column.head(100), errors="coerce").notna().all()
    return why not in ("id", "target") and not why.startswith(("empty", "constant")) and not serial


def _duplicates(hashes: Hashes, n_leads: int) -> list[Finding]:
    n_copies = len(hashes) - len(pd.unique(hashes))
    if not n_copies:
        return []
    share = n_copies / n_leads
    severity: Severity = "problem" if share >= MANY_COPIES else "note"
    text = (
        f"{n_copies:,} leads ({share:.1%}) are duplicates of another one in every column except ids. A "
        "copy among the test leads makes a model look better than it is."
    )
    return [Finding(kind="duplicates", text=text, severity=severity)]


def _contradictions(hashes: Hashes, y: Ints) -> list[Finding]:
    group, _ = pd.factorize(hashes)
    count = np.bincount(group)
    converted = np.bincount(group, weights=y)
    mixed = (converted > 0) & (converted < count)
    n_mixed = int(count[mixed].sum())
    if not n_mixed:
        return []
    # Rounded up, so that the bound also holds as it is shown, with one decimal.
    best = 1 - np.ceil(1000 * np.minimum(converted, count - converted).sum() / len(y)) / 1000
    text = (
        f"{n_mixed:,} leads ({n_mixed / len(y):.1%}) equal a lead of the other outcome in every field. No "
        f"model can be right about more than {best:.1%} of these leads."
    )
    return [Finding(kind="contradictions", text=text, severity="note")]
