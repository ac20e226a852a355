"""Numbers that may be published of many leads without giving away one of them.

A published number is one that at least a handful of leads share, or one that none has: the roundest
among the values of the leads nearby.
"""

from decimal import Decimal
from itertools import pairwise
from math import ceil, floor

import numpy as np
import numpy.typing as npt

from leadmodel.leads.field import MIN_CATEGORY_COUNT

__all__ = ["publish_ends", "publish_quantiles", "publish_typical"]

Floats = npt.NDArray[np.float64]

FINEST = 17
"""Digits after which two numbers of double precision are the same."""

TRIED = 20
"""Numbers of as many digits that are tried to either side: some may be single leads'."""


def publish_quantiles(numbers: npt.ArrayLike, shares: npt.ArrayLike) -> Floats:
    """Return quantiles that are no single lead's numbers.

    Parameters
    ----------
    numbers : array-like of shape (n_leads,)
        Without gaps; at least one.
    shares : array-like of float
        0 to 1, rising.
    """
    ordered = np.sort(np.asarray(numbers, dtype=np.float64))
    ranks = np.ceil(np.asarray(shares) * len(ordered)).astype(int) - 1
    found = [_publish_rank(ordered, rank) for rank in np.clip(ranks, 0, len(ordered) - 1).tolist()]
    return np.maximum.accumulate(np.array(found))


def publish_ends(numbers: npt.ArrayLike) -> tuple[float, float]:
    """Return a low and a high number beyond which a handful of leads lie, or fewer where many share it.

    Parameters
    ----------
    numbers : array-like of shape (n_leads,)
        Without gaps; at least one.
    """
    ordered = np.sort(np.asarray(numbers, dtype=np.float64))
    rank, last = min(MIN_CATEGORY_COUNT - 1, (len(ordered) - 1) // 2), len(ordered) - 1
    return _publish_rank(ordered, rank), _publish_rank(ordered, last - rank)


def publish_typical(numbers: npt.ArrayLike) -> float:
    """Return a number in the middle of others: one that a handful of leads share, or a round one.

    Parameters
    ----------
    numbers : array-like of shape (n_leads,)
        Without gaps; at least one.
    """
    ordered = np.sort(np.asarray(numbers, dtype=np.float64))
    n_leads = len(ordered)
    low, middle, high = (int(share * (n_leads - 1)) for share in (0.4, 0.5, 0.6))
    values, counts = np.unique(ordered[low : high + 1], return_counts=True)
    shared = values[counts >= MIN_CATEGORY_COUNT]
    if len(shared):
        return float(shared[np.abs(shared - ordered[middle]).argmin()])
    return _publish(ordered, middle, low, high)


def _publish_rank(ordered: Floats, rank: int) -> float:
    """Return a number near the one at a rank, with a handful of leads beyond it as well."""
    last = len(ordered) - 1
    low = max(rank - MIN_CATEGORY_COUNT, min(rank, MIN_CATEGORY_COUNT - 1))
    high = min(rank + MIN_CATEGORY_COUNT, max(rank, last - MIN_CATEGORY_COUNT + 1))
    return _publish(ordered, rank, low, high)


def _publish(ordered: Floats, rank: int, low: int, high: int) -> float:
    """Return the number at a rank if a handful of leads share it, else a round one between two ranks."""
    value = float(ordered[rank])
    if _count(ordered, value) >= MIN_CATEGORY_COUNT:
        return value
    if ordered[low] == ordered[high]:  # only among a handful or two of leads
        low, high = 0, len(ordered) - 1
    return _roundest(ordered, value, float(ordered[low]), float(ordered[high]))


def _count(ordered: Floats, value: float) -> int:
    first, beyond = np.searchsorted(ordered, value), np.searchsorted(ordered, value, side="right")
    return int(beyond - first)


def _roundest(ordered: Floats, value: float, low: float, high: float) -> float:
    """Return the number of the fewest digits between two others, the nearest to `value` of several."""
    size = Decimal(max(abs(low), abs(high), np.finfo(float).tiny)).adjusted() + 1
    for exponent in range(size, size - FINEST, -1):
        for part in (Decimal(1), Decimal(5) / 10):
            step = part.scaleb(exponent)
            near = round(Decimal(value) / step)
            first = max(floor(Decimal(low) / step) + 1, near - TRIED)
            beyond = min(ceil(Decimal(high) / step), near + TRIED)
            for number in sorted(range(first, beyond), key=lambda one: abs(one - near)):
                found = float(number * step)
                if low < found < high and not _count(ordered, found):
                    return found
    apart = [(one + other) / 2 for one, other in pairwise(np.unique(ordered))]
    return float(min(apart, key=lambda one: abs(one - value), default=value))
