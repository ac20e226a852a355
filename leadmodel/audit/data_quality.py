"""What a table of past leads lacks or has too much of, beside leaks."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadmodel.audit.finding import Finding, Severity
from leadmodel.errors import InputError
from leadmodel.leads.dates import read_times
from leadmodel.leads.outcome import MIN_LEADS_PER_OUTCOME
from leadmodel.leads.schema import LeadSchema

__all__ = ["check_duplicates", "check_open_leads", "check_shift", "check_size", "list_left_out"]

Ints = npt.NDArray[np.int64]

FEW_LEADS = 500
"""Leads of the rarer outcome below which figures are wide: a fifth of them is kept for the test, and
a share of 100 leads, such as the recall, has a 95 % interval of about 10 points to either side."""

MANY_COPIES = 0.01
"""Share of the leads that are copies from which on figures suffer: a copy may stand on both sides of
the split, and then the test asks what the training has told."""

N_BINS = 10
"""Spans of time, each with about the same number of leads."""

Z_SHIFT = 3.09
"""Standard normal quantile of the level of the test for a shift, 0.001."""

SMALL_EFFECT = 0.1
"""Cohen's w (Cohen 1988) of a small effect: where 30 % convert, shares that differ from span to span
by 4.6 points on average. What is smaller may be sure with many leads, and does not matter."""

MOSTLY_OPEN = 0.5
"""Share of the newest tenth of the leads without an outcome that is worth a word."""

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
"""Kinds of columns that are left out, by how the reason begins."""


def check_size(y: Ints) -> list[Finding]:
    """Say whether there are too few leads of either outcome."""
    converted, other = int(y.sum()), int(len(y) - y.sum())
    counted = f"{converted:,} leads converted, {other:,} did not"
    n_test = max(1, min(converted, other) // 5)
    if min(converted, other) < MIN_LEADS_PER_OUTCOME:
        text = f"{counted}. A model needs {MIN_LEADS_PER_OUTCOME} of either at least."
        return [Finding(kind="too few leads", text=text, severity="problem")]
    if min(converted, other) < FEW_LEADS:
        text = (
            f"{counted}. With a fifth of them for the test the figures will be wide: a share such as the "
            f"recall is then known to {98 / np.sqrt(n_test):.0f} points to either side."
        )
        return [Finding(kind="few leads", text=text, severity="note")]
    return []


def list_left_out(schema: LeadSchema) -> list[Finding]:
    """Say which columns are left out of the features, and why, but for what the caller knows."""
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


def check_duplicates(
    schema: LeadSchema, leads: pd.DataFrame, typed: pd.DataFrame, y: Ints
) -> list[Finding]:
    """Say how many leads are copies of others, and how many contradict others.

    Copies are the same in every column but ids; contradicting leads are the same in every
    field and have different outcomes.

    Parameters
    ----------
    schema, leads, typed, y
        As for `leadmodel.audit.leakage.measure_columns`.
    """
    fields = np.zeros(len(y), dtype=np.uint64)
    for name in typed:
        fields = _mix(fields, typed[name])
    others = [name for name, why in schema.ignored.items() if _tells_apart(why, leads[name])]
    whole = _mix(fields, pd.Series(y))
    for name in others:
        whole = _mix(whole, leads[name])
    return _copies(whole) + _contradictions(fields, y)


def _tells_apart(why: str, column: pd.Series) -> bool:
    """Whether a column that is no field still tells leads apart: ids do, and say nothing else."""
    serial = why == "time of the lead" and pd.to_numeric(column.head(100), errors="coerce").notna().all()
    return why not in ("id", "target") and not why.startswith(("empty", "constant")) and not serial


def _mix(hashes: npt.NDArray[np.uint64], column: pd.Series) -> npt.NDArray[np.uint64]:
    """Return `hashes` with the values of one more column in them."""
    own = pd.util.hash_pandas_object(column, index=False).to_numpy()
    return np.asarray((hashes * np.uint64(0x9E3779B97F4A7C15)) ^ own, dtype=np.uint64)


def _copies(hashes: npt.NDArray[np.uint64]) -> list[Finding]:
    n_copies = len(hashes) - len(pd.unique(hashes))
    if not n_copies:
        return []
    share = n_copies / len(hashes)
    severity: Severity = "problem" if share >= MANY_COPIES else "note"
    text = (
        f"{n_copies:,} leads ({share:.1%}) are the same as another one in every column but ids: entered "
        "twice, or told apart by nothing. A copy among the test leads makes a model look better than it is."
    )
    return [Finding(kind="duplicates", text=text, severity=severity)]


def _contradictions(hashes: npt.NDArray[np.uint64], y: Ints) -> list[Finding]:
    place, _ = pd.factorize(hashes)
    count = np.bincount(place)
    converted = np.bincount(place, weights=y)
    torn = (converted > 0) & (converted < count)
    n_torn = int(count[torn].sum())
    if not n_torn:
        return []
    right = 1 - np.ceil(1000 * np.minimum(converted, count - converted).sum() / len(y)) / 1000
    text = (
        f"{n_torn:,} leads ({n_torn / len(y):.1%}) are the same in every field as a lead of the other "
        f"outcome. No model can be right about more than {right:.1%} of these leads."
    )
    return [Finding(kind="contradictions", text=text, severity="note")]


def check_shift(schema: LeadSchema, leads: pd.DataFrame, y: Ints) -> list[Finding]:
    """Say whether the share of converted leads changes with time, where a time is known.

    A chi-square test over spans of time with as many leads each, which knows how much chance
    alone moves the shares, and a size that matters (Cohen's w without the part of chance).

    Parameters
    ----------
    schema, leads, y
        As for `leadmodel.audit.leakage.measure_columns`.
    """
    name = next((name for name, why in schema.ignored.items() if why == "time of the lead"), None)
    if name is None:
        return []
    count, converted = _over_time(leads[name], y)
    rate, shares = y.mean(), converted / count
    chi_square = float((count * (shares - rate) ** 2).sum() / (rate * (1 - rate)))
    freedom = len(count) - 1
    effect = np.sqrt(max(0.0, chi_square - freedom) / len(y))
    if not freedom or chi_square < _critical(freedom) or effect < SMALL_EFFECT:
        return []
    text = (
        f"Of the oldest leads {shares[0]:.1%} converted, of the newest {shares[-1]:.1%} (in {len(count)} "
        f"spans with about as many leads each; between {shares.min():.1%} and {shares.max():.1%}). "
        "What was learned of the old ones may not hold for the next ones."
    )
    return [Finding(kind="shift of the outcome", columns=(name,), text=text, severity="problem")]


def check_open_leads(column: pd.Series, is_open: npt.NDArray[np.bool_]) -> list[Finding]:
    """Say whether most of the newest leads are open: those that are not may be unlike them.

    Parameters
    ----------
    column : Series of shape (n_leads,)
        The time of each lead, open ones included.
    is_open : array of shape (n_leads,)
        Which leads have no outcome.
    """
    dated = column.notna().to_numpy()
    try:
        times = _ranks(column[dated])
    except InputError:
        return []
    newest = times >= np.quantile(times, 1 - 1 / N_BINS, method="inverted_cdf")
    share = is_open[dated][newest].mean()
    if share < MOSTLY_OPEN:
        return []
    text = (
        f"Of the newest leads {share:.1%} have no outcome yet, of all {is_open.mean():.1%}. Those "
        "that have one already were decided faster than others and may not be like them."
    )
    return [Finding(kind="open leads", columns=(str(column.name),), text=text, severity="note")]


def _over_time(column: pd.Series, y: Ints) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return all and converted leads of each span; none divides leads of the same time."""
    times = _ranks(column)
    edges = np.quantile(times, np.linspace(0, 1, N_BINS + 1)[1:-1], method="inverted_cdf")
    spans = np.unique(np.searchsorted(edges, times), return_inverse=True)[1]
    return np.bincount(spans).astype(np.float64), np.bincount(spans, weights=y).astype(np.float64)


def _ranks(column: pd.Series) -> npt.NDArray[np.intp]:
    """Return times as whole numbers in their order, the same for the same time."""
    return pd.factorize(read_times(column), sort=True)[0]


def _critical(freedom: int) -> float:
    """Return the chi-square quantile of the test (Wilson and Hilferty 1931)."""
    variance = 2 / (9 * freedom)
    return float(freedom * (1 - variance + Z_SHIFT * np.sqrt(variance)) ** 3)
