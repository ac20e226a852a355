"""Columns that say who a lead is rather than what it is like, told by their values."""

import re

import pandas as pd

__all__ = ["personal_data"]

_MAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@.]+")
_PHONE = re.compile(r"(\+|00?)?[\d\s()/.-]{6,20}")
_WRITTEN = re.compile(r"^\s*\+|\d[\s()/-]+\d")
_GROUPED = re.compile(r"\d{1,3}(\s\d{3})+")
_PHONE_NAME = re.compile(r"phone|mobile|whatsapp|(^|[\s_-])(tel|cell|fax)([\s_.-]|$)", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d_]['’.\w-]*([\s,]+[^\W\d_]['’.\w-]*){0,4}")
_NAME_NAME = re.compile(
    r"^((full|first|last|middle|sur|given|family|contact|person|customer|client|lead|student)[\s_-]*)?name$",
    re.IGNORECASE,
)

MAX_READ = 5000
"""Leads that are enough to tell what a column holds."""

MIN_DISTINCT = 50
"""Different values, or half of all, below which a column groups leads rather than names them."""

NEARLY_ALL = 0.8
"""Share of the values that must look alike; what people type never does altogether."""


def personal_data(name: str, answered: pd.Series) -> str | None:
    """Return what personal data a column holds, or None.

    Names are told by the name of their column as well, for cities and firms look like them;
    telephone numbers too, unless they are written as only such numbers are.

    Parameters
    ----------
    name : str
        Of the column.
    answered : Series
        Its values without gaps.

    >>> personal_data("contact", pd.Series([f"lead{number}@example.org" for number in range(60)]))
    'mail addresses'
    """
    if answered.dtype.kind in "bM":
        return None
    some = answered.head(MAX_READ)
    texts = some.drop_duplicates().astype(str).str.removesuffix(".0")
    if len(texts) < min(MIN_DISTINCT, len(some) / 2):
        return None
    if _share(texts, _MAIL) >= NEARLY_ALL:
        return "mail addresses"
    if _look_like_phones(texts, named=_PHONE_NAME.search(name) is not None):
        return "telephone numbers"
    if _NAME_NAME.search(name.strip()) and _share(texts, _NAME) >= NEARLY_ALL:
        return "names"
    return None


def _look_like_phones(texts: pd.Series, named: bool) -> bool:
    digits = texts.str.count(r"\d")
    plain = texts.str.fullmatch(_PHONE) & digits.between(8, 15) & ~texts.str.fullmatch(_GROUPED)
    written = texts.str.contains(_WRITTEN) & (digits >= 9)
    return bool((plain & (written | named)).mean() >= NEARLY_ALL)


def _share(texts: pd.Series, pattern: re.Pattern[str]) -> float:
    return float(texts.str.fullmatch(pattern).mean())
