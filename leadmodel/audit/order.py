"""Audit the time of leads: which dates there are, what changes over time, and the order of the rows."""

import shlex

import numpy as np
import pandas as pd
from scipy.stats import chi2

from leadmodel.arrays import Bools, Ints, Positions
from leadmodel.audit.finding import Finding, Severity
from leadmodel.errors import InputError, quoted
from leadmodel.leads.schema import LeadSchema
from leadmodel.leads.times.choose import LeadTime
from leadmodel.leads.times.read import read_times

__all__ = ["check_open_leads", "check_order", "check_shift", "report_time"]

N_BINS = 10
"""Time spans with about the same number of leads each."""

ALPHA_SHIFT = 0.001
"""Significance level of the test for a shift."""

SMALL_EFFECT = 0.1
"""Cohen's w (Cohen 1988) of a small effect: where 30 % convert, shares that differ between spans by 4.6
points on average. With many leads a smaller effect is significant too, but does not matter."""

MOSTLY_OPEN = 0.5
"""Share of open leads among the newest tenth from which on they are reported."""

N_LOOKED_AT = 50_000
"""Leads whose order is looked at."""

N_READ = 100_000
"""Leads up to which dates that cannot be read are counted among the missing ones."""

N_LEVELS = 5
"""Ranges of numbers, or most frequent texts, whose shares are followed along the file."""

TINY_EFFECT = 0.05
"""Cohen's w from which on a change along the file shows an order, whether it matters or not."""

IN_ORDER = 0.95
"""Least share of the steps from row to row in one direction."""

MIN_IN_SPAN = 5
"""Expected leads in a span from which on a range or text is compared."""

SORTED = 0.9
"""Share of the neighbors that are alike, beyond those alike by chance, from which on a file is sorted or
grouped by a column: then its order says nothing about time."""


def report_time(time: LeadTime, leads: pd.DataFrame) -> list[Finding]:
    """Report which dates there are, and which of them is taken for the time of a lead."""
    text = time.text
    n_gaps = 0
    if time.name:
        column = leads[time.name]
        # To read a million dates takes seconds; the description of the split counts them all.
        n_gaps = int((column if len(column) > N_READ else read_times(column)).isna().sum())
    if n_gaps:
        text += f" {n_gaps:,} leads have no time in {quoted(time.name)}, and none of them is tested."
    severity: Severity = "note" if time.name else "look at this"
    return [Finding(kind="time of a lead", text=text.strip(), severity=severity)] if text else []


def check_shift(schema: LeadSchema, leads: pd.DataFrame, y: Ints) -> list[Finding]:
    """Report a change of the conversion rate over time, where a time is known.

    The change must be significant by a chi-square test over time spans with equally many leads, and
    have a size that matters (Cohen's w less its expected value under no change).
    """
    name = next((name for name, why in schema.ignored.items() if why == "time of the lead"), None)
    if name is None:
        return []
    times, is_dated = _time_ranks(leads[name])
    y = y[is_dated]
    if len(set(y)) < 2:
        return []
    # Edges are times that occur, so that leads of one time stay together; spans may then be fewer.
    edges = np.quantile(times, np.linspace(0, 1, N_BINS + 1)[1:-1], method="inverted_cdf")
    spans = np.unique(np.searchsorted(edges, times), return_inverse=True)[1]
    if not _changes(spans, y, ALPHA_SHIFT, SMALL_EFFECT):
        return []
    count = np.bincount(spans)
    shares = np.bincount(spans, weights=y) / count
    text = (
        f"The conversion rate is {shares[0]:.1%} among the oldest leads and {shares[-1]:.1%} among the "
        f"newest ({len(count)} time spans of similar size; {shares.min():.1%} to {shares.max():.1%}). "
        "A model of the older leads may fail on new ones."
    )
    return [Finding(kind="shift of the outcome", columns=(name,), text=text, severity="problem")]


def check_open_leads(column: pd.Series, is_open: Bools) -> list[Finding]:
    """Report a majority of open leads among the newest.

    The few of them that are decided already are not a random sample: they were decided fast.

    Parameters
    ----------
    column : Series of shape (n_leads,)
        The time of each lead, open ones included.
    is_open : array of shape (n_leads,)
        Whether each lead has no outcome yet.
    """
    # A tenth of the leads cannot be mostly open if few of all are: reading a million dates takes seconds.
    if is_open.sum() < max(1, MOSTLY_OPEN * column.notna().sum() / N_BINS):
        return []
    try:
        times, dated = _time_ranks(column)
    except InputError:
        return []
    newest = times >= np.quantile(times, 1 - 1 / N_BINS, method="inverted_cdf")
    share = is_open[dated][newest].mean()
    if share < MOSTLY_OPEN:
        return []
    text = (
        f"{share:.1%} of the newest leads have no outcome yet ({is_open.mean():.1%} of all leads). Those "
        "with an outcome were decided faster than the others and may differ from them."
    )
    return [Finding(kind="open leads", columns=(str(column.name),), text=text, severity="note")]


def check_order(X: pd.DataFrame, y: Ints, ids: pd.DataFrame) -> list[Finding]:
    """Report leads that seem to be in the order of time, where no time is known.

    The shares of outcomes, ranges and texts are compared between the parts of the file, by the test of
    `check_shift` with a significance level for all columns together.

    Parameters
    ----------
    X : DataFrame of shape (n_leads, n_fields)
        Typed leads in the order of the file.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    ids : DataFrame of shape (n_leads, n_ids)
        Columns that name leads; one that rises or falls along the file counts them.
    """
    step = len(y) // N_LOOKED_AT + 1
    levels = {str(name): _levels(X[name].iloc[::step]) for name in X}
    y = y[::step]
    spans = np.arange(len(y)) * N_BINS // max(len(y), 1)
    if any(map(_is_sorted, (y, *levels.values()))):
        return []
    alpha = ALPHA_SHIFT / (len(levels) + 1)
    names = [name for name, codes in levels.items() if _changes(spans, codes, alpha, TINY_EFFECT)]
    is_outcome = _changes(spans, y, alpha, TINY_EFFECT)
    if not names and not is_outcome:
        return []
    first, last = y[spans == 0].mean(), y[spans == N_BINS - 1].mean()
    changes = [f"the conversion rate ({first:.1%} in the first tenth, {last:.1%} in the last)"] * is_outcome
    if names:
        changes.append(", ".join(map(quoted, names[:N_LEVELS])) + (", …" if len(names) > N_LEVELS else ""))
    text = (
        f"The rows seem to be in the order of time, or of where they come from: {' and '.join(changes)} "
        f"change along the file. A random split then flatters the model. {_advise(ids)}"
    )
    return [Finding(kind="order of the rows", text=text, severity="look at this")]


def _advise(ids: pd.DataFrame) -> str:
    for name in ids:
        steps = np.diff(pd.to_numeric(ids[name], errors="coerce").to_numpy(dtype=np.float64))
        rising, falling = float((steps > 0).mean()), float((steps < 0).mean())
        if max(rising, falling) > IN_ORDER:
            direction = "rises" if rising > falling else "falls"
            return (
                f"{quoted(str(name))} {direction} from row to row: if its highest numbers are the newest "
                f"leads, --time {shlex.quote(str(name))} is the right split."
            )
    return (
        "Name the time of a lead with --time. If there is none, but the oldest leads come first, add a "
        "column that numbers the rows, and name that."
    )


def _levels(column: pd.Series) -> Ints:
    """Return the range of each number, or the code of each text if it is frequent; 0 for the others."""
    if column.dtype.kind in "biuf":
        edges = column.quantile(np.linspace(0, 1, N_LEVELS + 1)[1:-1]).unique()
        codes = np.searchsorted(edges, column.to_numpy(dtype=np.float64))
        return np.where(column.isna(), 0, codes + 1)
    frequent = column.value_counts().index[:N_LEVELS]
    return np.asarray(pd.Index(frequent).get_indexer(pd.Index(column))) + 1


def _is_sorted(codes: Ints) -> bool:
    """Return whether neighbors are alike far more often than by chance."""
    by_chance = float(((np.bincount(codes) / len(codes)) ** 2).sum())
    # The few other values of a nearly constant column may be neighbors by chance.
    return by_chance < 0.99 and float(np.mean(codes[1:] == codes[:-1])) > by_chance + SORTED * (
        1 - by_chance
    )


def _changes(spans: Ints, codes: Ints, alpha: float, least: float) -> bool:
    """Return whether shares differ between spans: significantly, and by an effect that matters."""
    codes = np.unique(codes, return_inverse=True)[1]
    shape = int(spans.max()) + 1, int(codes.max()) + 1
    counts = np.bincount(spans * shape[1] + codes, minlength=shape[0] * shape[1]).reshape(shape)
    # The distribution of the statistic is not known for cells that are nearly empty.
    counts = counts[:, counts.sum(axis=0) >= MIN_IN_SPAN * shape[0]]
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / max(counts.sum(), 1)
    freedom = (shape[0] - 1) * (counts.shape[1] - 1)
    if freedom < 1 or not expected.all():
        return False
    chi_square = float(((counts - expected) ** 2 / expected).sum())
    effect = np.sqrt(max(0.0, chi_square - freedom) / len(codes))
    return bool(chi_square >= chi2.isf(alpha, freedom) and effect >= least)


def _time_ranks(column: pd.Series) -> tuple[Positions, Bools]:
    """Return the dense rank of each time, so that dates and numbers are handled alike, and who has one."""
    ranks = pd.factorize(read_times(column), sort=True)[0]
    return ranks[ranks >= 0], ranks >= 0
