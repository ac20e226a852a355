"""Measure how well a single column predicts the outcome, from counts of conversions by value."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from leadmodel.arrays import Bools, Floats, Ints
from leadmodel.leads.field import MISSING
from leadmodel.metrics.classification import roc_auc

__all__ = [
    "N_FOLDS",
    "UnivariateStats",
    "auc_difference",
    "is_gap",
    "is_pure",
    "measure_univariate",
    "to_codes",
]


N_FOLDS = 5
N_BINS = 20
MIN_PER_NUMBER = 20
"""Leads from which on a number is a category of its own (a zero, a price), not part of a bin."""

SMOOTHING = 2.0
"""Leads with the average conversion rate added to each value, so that rare values have little effect."""

PURE_ODDS = 10.0
PURE_SHARE = 0.9
"""A value is pure if nine in ten of its leads have one outcome, at ten times the overall odds.

The odds keep a value with 2 % conversions from looking pure where the average is 3 %.
"""

MIN_EXPECTED = 10.0
"""Least expected leads of the other outcome for their absence to mean anything.

With 10 expected, none occur by chance in one of 20,000 values.
"""


@dataclass(frozen=True)
class UnivariateStats:
    """Measures of how well a single column predicts the outcome.

    Attributes
    ----------
    log_odds : array of shape (n_leads,)
        Log-odds of a conversion, by the value of the lead, estimated on the other folds.
    auc : float
        ROC AUC of these out-of-fold log-odds.
    auc_error : float
        Its standard error.
    n_values : int
        Number of distinct values, bins of a number, and missing as one value.
    filled : tuple of float
        Share of the converted, and of the other leads, with a value.
    pure : tuple of float
        Share of the converted, and of the other leads, with a value that is pure for their outcome.
    gap : array of shape (n_leads,)
        Whether the value of each lead is missing.
    """

    log_odds: Floats
    auc: float
    auc_error: float
    n_values: int
    filled: tuple[float, float]
    pure: tuple[float, float]
    gap: Bools


def is_gap(column: pd.Series) -> Bools:
    """Return whether each value of a typed `column` is missing."""
    gaps = column == MISSING if isinstance(column.dtype, pd.CategoricalDtype) else column.isna()
    return np.asarray(gaps, dtype=bool)


def to_codes(column: pd.Series) -> Ints:
    """Encode a typed `column`: one code per category, per frequent number and per bin of the others."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy().astype(np.int64)
    numbers = column.to_numpy()
    codes, distinct = pd.factorize(numbers)  # -1 for missing
    # The appended True is where the code -1 of a missing number points: it joins no bin.
    is_frequent = np.append(np.bincount(codes[codes >= 0], minlength=len(distinct)) >= MIN_PER_NUMBER, True)
    binned = ~is_frequent[codes]
    if not binned.any():
        return codes + 1
    n_bins = int(np.clip(binned.sum() // MIN_PER_NUMBER, 1, N_BINS))
    edges = np.quantile(numbers[binned], np.linspace(0, 1, n_bins + 1)[1:-1])
    codes = codes + 1
    codes[binned] = len(distinct) + 1 + np.searchsorted(edges, numbers[binned])
    return pd.factorize(codes)[0].astype(np.int64)


def measure_univariate(codes: Ints, gap: Bools, y: Ints, folds: Ints) -> UnivariateStats:
    """Measure how well a column predicts the outcome.

    Parameters
    ----------
    codes : array of shape (n_leads,)
        Code of each value, as `to_codes` returns it.
    gap : array of shape (n_leads,)
        Whether each value is missing.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others; both occur.
    folds : array of shape (n_leads,)
        Fold of each lead, from 0 to N_FOLDS - 1.
    """
    count, converted = _count_by_fold(codes, folds, None), _count_by_fold(codes, folds, y)
    # Out of fold, or a column with many rare values would seem to know every outcome.
    log_odds = _log_odds(count, converted, float(y.mean()))
    filled = np.bincount(gap * 2 + y, minlength=4).reshape(2, 2).astype(np.float64)
    auc = _auc(log_odds, count, converted)
    return UnivariateStats(
        log_odds=log_odds[codes, folds],
        auc=auc,
        auc_error=_auc_error(auc, float(y.sum()), float(len(y) - y.sum())),
        n_values=int((count.sum(axis=1) > 0).sum()),
        filled=(float(filled[0, 1] / filled[:, 1].sum()), float(filled[0, 0] / filled[:, 0].sum())),
        pure=_pure(count.sum(axis=1), converted.sum(axis=1)),
        gap=gap,
    )


def _count_by_fold(codes: Ints, folds: Ints, weights: Ints | None) -> Floats:
    """Return counts of shape (n_codes, N_FOLDS)."""
    n_codes = int(codes.max()) + 1
    counts = np.bincount(codes * N_FOLDS + folds, weights=weights, minlength=n_codes * N_FOLDS)
    return counts.reshape(n_codes, N_FOLDS).astype(np.float64)


def _log_odds(count: Floats, converted: Floats, rate: float) -> Floats:
    """Return the log-odds of each code for the leads of each fold, estimated on the other folds."""
    elsewhere = converted.sum(axis=1, keepdims=True) - converted + SMOOTHING * rate
    n_elsewhere = count.sum(axis=1, keepdims=True) - count + SMOOTHING
    return np.asarray(np.log(elsewhere / (n_elsewhere - elsewhere)), dtype=np.float64)


def _auc(log_odds: Floats, count: Floats, converted: Floats) -> float:
    """Return the ROC AUC of leads that are counted by code and fold."""
    # From counts, because leads of one code and fold have the same log-odds: this needs no sort of leads.
    _, rank = np.unique(-log_odds.ravel(), return_inverse=True)
    cumulated = [np.bincount(rank, n.ravel()).cumsum(dtype=np.float64)[None] for n in (converted, count)]
    return float(roc_auc(*cumulated)[0])


def _auc_error(auc: float, n_converted: float, n_other: float) -> float:
    """Return the standard error of a ROC AUC (Hanley and McNeil 1982)."""
    twice_converted, twice_other = auc / (2 - auc) - auc**2, 2 * auc**2 / (1 + auc) - auc**2
    spread = auc * (1 - auc) + (n_converted - 1) * twice_converted + (n_other - 1) * twice_other
    return float(np.sqrt(max(spread, 0.0) / (n_converted * n_other)))


def auc_difference(first: Floats, second: Floats, y: Ints) -> tuple[float, float]:
    """Return by how much the ROC AUC of `first` is above that of `second`, and the standard error.

    Both rank the same leads, so their errors are paired (DeLong et al. 1988).
    """
    converted = y == 1
    difference = _placements(first, converted) - _placements(second, converted)
    sides = difference[converted], difference[~converted]
    return float(sides[0].mean()), float(np.sqrt(sum(side.var() / len(side) for side in sides)))


def _placements(scores: Floats, converted: Bools) -> Floats:
    """Return the share of leads of the other outcome that each lead is ranked correctly against."""
    ranks, shares = rankdata(scores), np.empty(len(scores))
    for side, n_opposite in ((converted, (~converted).sum()), (~converted, converted.sum())):
        shares[side] = (ranks[side] - rankdata(scores[side])) / n_opposite
    shares[~converted] = 1 - shares[~converted]
    return shares


def _pure(count: Floats, converted: Floats) -> tuple[float, float]:
    rate = converted.sum() / count.sum()
    for_converted = is_pure(count, count - converted, 1 - rate) & (count * (1 - rate) >= MIN_EXPECTED)
    for_others = is_pure(count, converted, rate) & (count * rate >= MIN_EXPECTED)
    others = (count - converted)[for_others].sum() / (count - converted).sum()
    return float(converted[for_converted].sum() / converted.sum()), float(others)


def is_pure(count: Floats, wrong: Floats, usual: float) -> Bools:
    """Return which values have far fewer leads of the `wrong` outcome than its `usual` share."""
    odds = wrong / np.maximum(count - wrong, 1e-9)  # not 0, or values of one outcome would divide by it
    pure = (odds <= usual / (1 - usual) / PURE_ODDS) & (wrong <= (1 - PURE_SHARE) * count)
    return np.asarray(pure, dtype=bool)
