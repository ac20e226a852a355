"""Audit past leads for leaks and poor data, before a model learns from them."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadmodel.audit.data_quality import check_duplicates, check_shift, check_size, list_left_out
from leadmodel.audit.finding import SEVERITIES, Audit, Finding
from leadmodel.audit.leakage import find_leaks, measure_columns
from leadmodel.leads.convert import is_nested
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
    y: npt.NDArray[np.int64],
    random_state: int = 0,
    made: frozenset[str] = frozenset(),
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
    random_state : int
        Seed of the folds, and of the sample of leads on which columns are measured.
    made : frozenset of str
        Fields computed from events before the cutoff of the lead.
    """
    leads = _without_lists(schema, leads)
    findings = [*check_size(y), *check_duplicates(schema, leads, typed, y)]
    if min(y.mean(), 1 - y.mean()) * MAX_MEASURED >= MIN_MEASURED and len(y) > MAX_MEASURED:
        text = f"Columns were measured on a random sample of {MAX_MEASURED:,} of {len(y):,} leads."
        findings.append(Finding(kind="sample", text=text, severity="note"))
        rows = np.random.default_rng(random_state).permutation(len(y))[:MAX_MEASURED]
        leads, typed, y = leads.iloc[rows], typed.iloc[rows], y[rows]
    columns = measure_columns(schema, leads, typed, y, random_state)
    findings += find_leaks(schema, typed, y, columns, made)
    findings += [*check_shift(schema, leads, y), *list_left_out(schema)]
    return Audit(findings=tuple(sorted(findings, key=lambda one: SEVERITIES.index(one.severity))))


def _without_lists(schema: LeadSchema, leads: pd.DataFrame) -> pd.DataFrame:
    """Return `leads` with lists in ignored columns as texts, since lists cannot be hashed."""
    objects = [name for name in schema.ignored if leads[name].dtype == object]
    nested = {name: leads[name].astype(str) for name in objects if leads[name].map(is_nested).any()}
    return leads.assign(**nested) if nested else leads
