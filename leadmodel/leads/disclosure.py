"""Protect the people behind the leads: recognize personal data, and publish no number of one lead.

A published number is one that several leads share, or one that none has: the roundest among the
values of the leads nearby. How many leads are enough, `MIN_CATEGORY_COUNT` says.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from math import ceil, floor

import numpy as np
import numpy.typing as npt

from leadmodel.arrays import Floats
from leadmodel.leads.field import MIN_CATEGORY_COUNT

__all__ = ["MAX_READ", "personal_data", "publish_ends", "publish_quantiles", "publish_typical"]

MAX_DIGITS = 17
"""Digits after which two numbers of double precision are the same."""

N_TRIED = 20
"""Round numbers to try on either side: some may be the values of single leads."""

_MAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@.]+")
_PHONE = re.compile(r"(\+|00?)?[\d\s()/.-]{6,20}")
_PHONE_WRITTEN = re.compile(r"^\s*\+|\d[\s()/-]+\d")
_GROUPED = re.compile(r"\d{1,3}(\s\d{3})+")
_PHONE_NAME = re.compile(r"phone|mobile|whatsapp|(^|[\s_-])(tel|cell|fax)([\s_.-]|$)", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d_]['’.\w-]*([\s,]+[^\W\d_]['’.\w-]*){0,4}")
_NAME_NAME = re.compile(
    r"^((full|first|last|middle|sur|given|family|contact|person|customer|client|lead|student)[\s_-]*)?name$",
    re.IGNORECASE,
)

MAX_READ = 5000
"""Distinct values that are enough to recognize what a column holds."""

MIN_DISTINCT = 50
"""Distinct values, or half of all, below which a column groups leads rather than names them."""

NEARLY_ALL = 0.8
"""Least share of the values that must look alike; typed values are never all in one format."""


def personal_data(name: str, texts: Sequence[str], n_leads: int) -> str | None:
    """Return what personal data a column holds, or None.

    Names are recognized by the name of their column as well, because cities and companies look like
    them; phone numbers too, unless they are written as only phone numbers are.

    Parameters
    ----------
    name : str
        Name of the column.
    texts : sequence of str
        Its distinct values.
    n_leads : int
        Number of leads that have a value.

    >>> personal_data("contact", [f"lead{number}@example.org" for number in range(60)], 60)
    'mail addresses'
    """
    # A column of numbers with gaps comes as floats.
    texts = [text.removesuffix(".0") for text in texts[:MAX_READ]]
    if len(texts) < min(MIN_DISTINCT, n_leads / 2):
        return None
    if _share(texts, _MAIL) >= NEARLY_ALL:
        return "mail addresses"
    is_named = _PHONE_NAME.search(name) is not None
    if np.mean([_looks_like_phone(text, is_named) for text in texts]) >= NEARLY_ALL:
        return "telephone numbers"
    if _NAME_NAME.search(name.strip()) and _share(texts, _NAME) >= NEARLY_ALL:
        return "names"
    return None


def _looks_like_phone(text: str, is_named: bool) -> bool:
    if not _PHONE.fullmatch(text) or _GROUPED.fullmatch(text):
        return False
    n_digits = sum(map(str.isdecimal, text))
    is_written = n_digits >= 9 and _PHONE_WRITTEN.search(text) is not None
    return 8 <= n_digits <= 15 and (is_written or is_named)


def _share(texts: Sequence[str], pattern: re.Pattern[str]) -> float:
    return sum(map(bool, map(pattern.fullmatch, texts))) / len(texts)


def publish_quantiles(numbers: npt.ArrayLike, shares: npt.ArrayLike) -> Floats:
    """Return quantiles that are not the numbers of single leads.

    Parameters
    ----------
    numbers : array-like of shape (n_leads,)
        At least one, none missing.
    shares : array-like of float
        Between 0 and 1, ascending.
    """
    ordered = np.sort(np.asarray(numbers, dtype=np.float64))
    ranks = np.ceil(np.asarray(shares) * len(ordered)).astype(int) - 1
    quantiles = [_publish_rank(ordered, rank) for rank in np.clip(ranks, 0, len(ordered) - 1).tolist()]
    # Two quantiles may be rounded past each other.
    return np.maximum.accumulate(np.array(quantiles))


def publish_ends(numbers: npt.ArrayLike) -> tuple[float, float]:
    """Return a low and a high number with few leads beyond: `MIN_CATEGORY_COUNT` unless many share one.

    Parameters
    ----------
    numbers : array-like of shape (n_leads,)
        At least one, none missing.
    """
    ordered = np.sort(np.asarray(numbers, dtype=np.float64))
    rank, last = min(MIN_CATEGORY_COUNT - 1, (len(ordered) - 1) // 2), len(ordered) - 1
    return _publish_rank(ordered, rank), _publish_rank(ordered, last - rank)


def publish_typical(numbers: npt.ArrayLike) -> float:
    """Return a number near the median: one that enough leads share, or a round one.

    Parameters
    ----------
    numbers : array-like of shape (n_leads,)
        At least one, none missing.
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
    """Return a number near the one at a rank, with enough leads beyond it as well."""
    last = len(ordered) - 1
    low = max(rank - MIN_CATEGORY_COUNT, min(rank, MIN_CATEGORY_COUNT - 1))
    high = min(rank + MIN_CATEGORY_COUNT, max(rank, last - MIN_CATEGORY_COUNT + 1))
    return _publish(ordered, rank, low, high)


def _publish(ordered: Floats, rank: int, low: int, high: int) -> float:
    """Return the number at a rank if enough leads share it, else a round one between two ranks."""
    value = float(ordered[rank])
    if _count(ordered, value) >= MIN_CATEGORY_COUNT:
        return value
    if ordered[low] == ordered[high]:  # with very few leads, the two ranks hold one lead's number
        low, high = 0, len(ordered) - 1
    return _roundest(ordered, value, float(ordered[low]), float(ordered[high]))


def _count(ordered: Floats, value: float) -> int:
    first, beyond = np.searchsorted(ordered, value), np.searchsorted(ordered, value, side="right")
    return int(beyond - first)


def _roundest(ordered: Floats, value: float, low: float, high: float) -> float:
    """Return the number of fewest digits between two others, the nearest to `value` of several."""
    # Decimals, because multiples of 0.1 in binary would not print with so few digits.
    size = Decimal(max(abs(low), abs(high), np.finfo(float).tiny)).adjusted() + 1
    for exponent in range(size, size - MAX_DIGITS, -1):
        for part in (Decimal(1), Decimal(5) / 10):
            step = part.scaleb(exponent)
            near = round(Decimal(value) / step)
            first = max(floor(Decimal(low) / step) + 1, near - N_TRIED)
            beyond = min(ceil(Decimal(high) / step), near + N_TRIED)
            for multiple in sorted(range(first, beyond), key=lambda multiple: abs(multiple - near)):
                number = float(multiple * step)
                # A number that one lead has would give that lead away, however round it is.
                if low < number < high and not _count(ordered, number):
                    return number
    # Neighbors in double precision: half-way between two values is no lead's own number.
    middles = [(lower + upper) / 2 for lower, upper in pairwise(np.unique(ordered))]
    return float(min(middles, key=lambda middle: abs(middle - value), default=value))
