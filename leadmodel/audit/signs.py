"""What one column, alone, says of the outcome: counts of converted and other leads by its values."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadmodel.leads.schema import MISSING

__all__ = ["Signs", "is_gap", "read_signs", "to_cells"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Truths = npt.NDArray[np.bool_]

N_FOLDS = 5
N_BINS = 20
MIN_PER_NUMBER = 20
"""Leads from which on a number is a value of its own (a zero, a price), not part of a bin."""

SMOOTHING = 2.0
"""Leads of the usual outcomes that are added to each value's own, so that rare values say little."""

PURE_ODDS = 10.0
PURE_SHARE = 0.9
"""A value is pure if nine in ten of its leads have one outcome, at ten times the usual odds.

The odds keep a value with 2 % conversions from looking pure where 3 % are usual.
"""

MIN_EXPECTED = 10.0
"""Leads of the other outcome that a value must make one expect before their absence says anything.

Where 10 are expected, chance leaves none in one of 20,000 values.
"""


@dataclass(frozen=True)
class Signs:
    """What one column says of the outcome.

    Attributes
    ----------
    log_odds : array of shape (n_leads,)
        Of a conversion, by the lead's value among the leads of the other folds.
    auc : float
        ROC AUC of these log-odds: how well the column alone ranks leads that it was not fitted on.
    n_values : int
        Values that occur (a number's bins; no answer counts as a value).
    filled : tuple of float
        Share of the converted, and of the other leads, for which the column is filled in.
    pure : tuple of float
        Share of the converted, and of the other leads, whose value goes with their outcome alone.
    pure_gap : float
        The larger of these shares for the one question whether the column is filled in.
    """

    log_odds: Floats
    auc: float
    n_values: int
    filled: tuple[float, float]
    pure: tuple[float, float]
    pure_gap: float


def is_gap(column: pd.Series) -> Truths:
    """Return for which leads a typed `column` is not filled in."""
    gaps = column == MISSING if isinstance(column.dtype, pd.CategoricalDtype) else column.isna()
    return np.asarray(gaps, dtype=bool)


def to_cells(column: pd.Series) -> Ints:
    """Return a typed `column` as numbers of its values: a text's own, a number's or its bin's."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy().astype(np.int64)
    numbers = column.to_numpy()
    codes, distinct = pd.factorize(numbers)
    own = np.append(np.bincount(codes[codes >= 0], minlength=len(distinct)) >= MIN_PER_NUMBER, True)
    binned = ~own[codes]
    if not binned.any():
        return codes + 1
    n_bins = int(np.clip(binned.sum() // MIN_PER_NUMBER, 1, N_BINS))
    inner = np.quantile(numbers[binned], np.linspace(0, 1, n_bins + 1)[1:-1])
    cells = codes + 1
    cells[binned] = len(distinct) + 1 + np.searchsorted(inner, numbers[binned])
    return pd.factorize(cells)[0].astype(np.int64)


def read_signs(cells: Ints, gap: Truths, y: Ints, folds: Ints) -> Signs:
    """Count what a column says of the outcome.

    Parameters
    ----------
    cells : array of shape (n_leads,)
        As `to_cells` returns it.
    gap : array of shape (n_leads,)
        Where the column is not filled in.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others; both occur.
    folds : array of shape (n_leads,)
        From 0 to N_FOLDS - 1.
    """
    count, converted = _by_fold(cells, folds, None), _by_fold(cells, folds, y)
    log_odds = _log_odds(count, converted, float(y.mean()))
    filled = np.bincount(gap * 2 + y, minlength=4).reshape(2, 2).astype(np.float64)
    return Signs(
        log_odds=log_odds[cells, folds],
        auc=_auc(log_odds, count, converted),
        n_values=int((count.sum(axis=1) > 0).sum()),
        filled=(float(filled[0, 1] / filled[:, 1].sum()), float(filled[0, 0] / filled[:, 0].sum())),
        pure=_pure(count.sum(axis=1), converted.sum(axis=1)),
        pure_gap=max(_pure(filled.sum(axis=1), filled[:, 1])),
    )


def _by_fold(cells: Ints, folds: Ints, weights: Ints | None) -> Floats:
    """Return counts of shape (n_cells, N_FOLDS)."""
    n_cells = int(cells.max()) + 1
    counts = np.bincount(cells * N_FOLDS + folds, weights=weights, minlength=n_cells * N_FOLDS)
    return counts.reshape(n_cells, N_FOLDS).astype(np.float64)


def _log_odds(count: Floats, converted: Floats, rate: float) -> Floats:
    """Return the log-odds of each cell for the leads of each fold, counted without that fold."""
    elsewhere = converted.sum(axis=1, keepdims=True) - converted + SMOOTHING * rate
    n_elsewhere = count.sum(axis=1, keepdims=True) - count + SMOOTHING
    return np.asarray(np.log(elsewhere / (n_elsewhere - elsewhere)), dtype=np.float64)


def _auc(log_odds: Floats, count: Floats, converted: Floats) -> float:
    """Return the ROC AUC of leads counted by their log-odds; ties count half."""
    _, place = np.unique(log_odds.ravel(), return_inverse=True)
    hits = np.bincount(place, weights=converted.ravel())
    others = np.bincount(place, weights=(count - converted).ravel())
    return float(hits @ (np.cumsum(others) - others / 2) / (hits.sum() * others.sum()))


def _pure(count: Floats, converted: Floats) -> tuple[float, float]:
    rate = converted.sum() / count.sum()
    for_converted = _is_pure(count, count - converted, 1 - rate)
    for_others = _is_pure(count, converted, rate)
    others = (count - converted)[for_others].sum() / (count - converted).sum()
    return float(converted[for_converted].sum() / converted.sum()), float(others)


def _is_pure(count: Floats, wrong: Floats, usual: float) -> Truths:
    """Return which values hold far fewer leads of the `wrong` outcome than its usual share."""
    odds = wrong / np.maximum(count - wrong, 1e-9)
    pure = (odds <= usual / (1 - usual) / PURE_ODDS) & (wrong <= (1 - PURE_SHARE) * count)
    return np.asarray(pure & (count * usual >= MIN_EXPECTED), dtype=bool)
