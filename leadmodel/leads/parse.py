"""Texts that stand for something else: numbers, yes and no, names of parameters, and marks that act."""

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
    "markdown",
    "plain_number",
    "visible",
]

GROUPED_BY_COMMA = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
_GROUPED_BY_POINT = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d+)?")

_TAKEN = {"api_name", "fn_index", "headers", "self"}
"""Parameters that callers of the API give by name already."""

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a terminal obeys, breaks a line, turns the direction of writing, or is half a letter."""

_MARKS = re.compile(
    r"[<>\[\]`*~|\\]|\$\$|(?<!\w)_|_(?!\w)"
    r"|&(?=\#?\w+;)"  # an ampersand that would begin another character's code
    r"|(?<=:)//|(?<=\bwww)\."  # what makes an address of itself
    r"|^\s*(?:\#{1,6}|[-+=]+|\d{1,9}[.)])(?=\s|$)|^\s{2,}",
    re.IGNORECASE,
)
"""Where Markdown takes a text for more than a text; the last line is of the beginnings of lines."""

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


def visible(text: str, keep: str = "") -> str:
    """Return `text` with what a terminal would obey written out, but for the characters to keep.

    >>> print(visible("a\\x1b[2Jb"))
    a\\x1b[2Jb
    """
    return _CONTROLS.sub(lambda found: found[0] if found[0] in keep else _written_out(found[0]), text)


def _written_out(character: str) -> str:
    return character.encode("unicode_escape").decode()


def markdown(text: str) -> str:
    """Return `text` as Markdown that shows it, on one line, and does nothing else.

    >>> markdown("![win](javascript:alert(1)) in minutes_on_site")
    '!&#91;win&#93;(javascript:alert(1)) in minutes_on_site'
    """
    return _MARKS.sub(lambda found: "".join(f"&#{ord(mark)};" for mark in found[0]), visible(text))
