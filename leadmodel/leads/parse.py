"""Texts that stand for something else: numbers, yes and no, and names of parameters."""

import re
import unicodedata
from collections.abc import Collection
from keyword import iskeyword

__all__ = [
    "FALSE_WORDS",
    "GROUPED_BY_COMMA",
    "TRUE_WORDS",
    "identifier",
    "identifiers",
    "is_unicode",
    "plain_number",
]

GROUPED_BY_COMMA = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
_GROUPED_BY_POINT = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d+)?")

_TAKEN = {"api_name", "fn_index", "headers", "self"}
"""Parameters that callers of the API give by name already."""

TRUE_WORDS = {"1", "1.0", "true", "t", "yes", "y", "on"}
FALSE_WORDS = {"0", "0.0", "false", "f", "no", "n", "off"}


def identifier(name: str) -> str:
    """Return `name` as a Python identifier.

    >>> identifier("Total Time Spent on Website")
    'total_time_spent_on_website'
    """
    text = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", name).strip().lower()).strip("_") or "field"
    usable = text.isidentifier() and not iskeyword(text) and text not in _TAKEN
    text = text if usable else f"field_{text}"
    return text if text.isidentifier() else re.sub(r"[^a-z0-9_]", "_", text)


def identifiers(names: Collection[str]) -> dict[str, str]:
    """Return an identifier for each of `names`, no two alike and none that is another's name."""
    chosen: dict[str, str] = {}
    for name in names:
        key, number = identifier(name), 2
        while key in chosen.values() or (key in names and key != name):
            key, number = f"{identifier(name)}_{number}", number + 1
        chosen[name] = key
    return chosen


def plain_number(text: str, decimal_comma: bool) -> str:
    """Return `text` without separators of thousands and with a point for decimals.

    >>> plain_number("1.234,5", decimal_comma=True), plain_number("1,234.5", decimal_comma=False)
    ('1234.5', '1234.5')

    Raises
    ------
    ValueError
        If a comma can be neither, so that a number would be read ten times too large.
    """
    text = text.strip()
    if decimal_comma:
        grouped = _GROUPED_BY_POINT.fullmatch(text) is not None
        return (text.replace(".", "") if grouped else text).replace(",", ".")
    if "," in text and not GROUPED_BY_COMMA.fullmatch(text):
        raise ValueError(text)
    return text.replace(",", "")


def is_unicode(text: str) -> bool:
    """Whether `text` can be written as UTF-8: half a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
