"""Read numbers as people write them: 1,234.5 and 1.234,5, $1.2k, 12,3 %, 3:45 min, 10-50, 1000+."""

import math
import re
from typing import NamedTuple

from leadmodel.leads.values.units import TIMES, Unit, find_scale, find_unit
from leadmodel.text import fold

__all__ = [
    "GROUPED_BY_COMMA",
    "GROUPED_BY_POINT",
    "Quantity",
    "convert",
    "is_gap",
    "plain_number",
    "read_quantity",
    "read_text",
]

GROUPED_BY_COMMA = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
GROUPED_BY_POINT = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d+)?")
_GROUPED_BY_SPACE = re.compile(r"[1-9]\d{0,2}([ '’]\d{3})+([.,]\d+)?")

_GAPS = frozenset(
    "? - -- --- – — . .. … * / n/a #n/a n.a. n.a na n\\a nan null none nil nul undefined unknown unk "
    "missing blank empty tbd tba n/k n/d n.d. nd k.a. unbekannt inconnu inconnue desconocido sconosciuto "
    "(null) (none) (blank) (unknown) (missing) (empty) <na> <null> <none> [null]".split()
) | {"not available", "not applicable", "not given", "not known", "not specified", "not provided"}
"""Texts that mean, among numbers, that nobody knows the number; folded."""

MAX_LENGTH = 60
"""Characters above which a text is no number with a unit."""

_SINGLE = re.compile(
    r"(?P<open>\()?(?P<sign>[+-])? ?"
    r"(?P<before>[^\W\d_]{1,4}\$?\.?|[^\w\s.,()+-]|[^\W\d_]{1,3}[^\w\s.,()+-])? ?"
    r"(?P<minus>-)?(?P<number>\d[\d.,'’ ]*|\.\d+)(?P<after>[^\d()]*)(?P<close>\))?"
)
_EXPONENT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)[eE][+-]?\d{1,2}")
_CLOCK = re.compile(r"(\d{1,4}):([0-5]\d)(?::([0-5]\d))? ?([^\W\d_]+)\.?")
_PART = re.compile(r"(\d+(?:[.,]\d+)?) ?([^\W\d_]+)\.?,? ?")
_COMPOUND = re.compile(rf"(?:{_PART.pattern}){{2,4}}")
_RANGE = re.compile(r"([^-–—]*\d[^-–—]*?) ?(?:-|–|—|\.\.\.?|…| to | bis )+ ?([^-–—]*\d[^-–—]*)")
_OPEN = re.compile(r"(?P<low>.*\d[^+]*?) ?(?:\+|(?:or|and) (?:more|above|over|up))(?P<unit>[^\d+]*)")
_ABOVE = re.compile(
    r"(?:>=?|≥|[Oo]ver|[Aa]bove|[Mm]ore than|[Aa]t least|ab|über|mehr als|plus de) ?(?P<low>.*\d.*)"
)
_BELOW = re.compile(
    r"(?:<=?|≤|[Uu]nder|[Bb]elow|[Uu]p to|[Ll]ess than|bis|unter|weniger als|moins de) ?(?P<high>.*\d.*)"
)
_BLANKS = re.compile(r"[\s\u00a0\u202f\u2009]+")


class Quantity(NamedTuple):
    """A number, its unit if the text names one, and how it is written.

    `scale` is "k" or "M" if this letter alone stands for thousands or millions; `is_range` is true for the
    middle of a range, and for the lower end of an open one.
    """

    number: float
    unit: Unit | None = None
    scale: str = ""
    is_range: bool = False


def is_gap(text: str) -> bool:
    """Return whether a text among numbers means that the number is not known.

    >>> is_gap("N/A"), is_gap("0")
    (True, False)
    """
    return fold(text) in _GAPS


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
        grouped = GROUPED_BY_POINT.fullmatch(text) is not None
        return (text.replace(".", "") if grouped else text).replace(",", ".")
    if "," in text and not GROUPED_BY_COMMA.fullmatch(text):
        raise ValueError(text)
    return text.replace(",", "")


def read_quantity(text: str, decimal_comma: bool = False) -> Quantity | None:
    """Read a number with its unit, or None if `text` is none; a code with leading zeros is none.

    >>> read_quantity("$1.2k").number, read_quantity("3:45 min").number, read_quantity("10-50").number
    (1200.0, 3.75, 30.0)
    """
    text = _BLANKS.sub(" ", text).strip().replace("−", "-")
    if len(text) > MAX_LENGTH or not any(map(str.isdecimal, text)):
        return None
    if _EXPONENT.fullmatch(text):
        return Quantity(float(text))
    return _read_duration(text) or _read_single(text, decimal_comma) or _read_range(text, decimal_comma)


def read_text(text: str, decimal_comma: bool, unit: Unit | None, *, has_units: bool) -> float | None:
    """Return the number that `text` means in a column, NaN if nobody knows it, None if it is no number.

    Parameters
    ----------
    text : str
        As a lead has it.
    decimal_comma : bool
        Whether a comma marks the decimals in the column.
    unit : Unit, optional
        Unit of the column; a number without one is taken to be in it.
    has_units : bool
        Whether the texts of the column may have units, k and M, or be ranges.
    """
    try:
        return float(plain_number(text, decimal_comma))
    except ValueError:
        if is_gap(text):
            return math.nan
    quantity = read_quantity(text, decimal_comma)
    if quantity is None and has_units:
        # Past leads may have had other capitals; 3 D and 3 d were taken as one.
        quantity = read_quantity(text.lower(), decimal_comma) or read_quantity(text.upper(), decimal_comma)
    if quantity is None or not (has_units or quantity == Quantity(quantity.number)):
        return None
    return convert(quantity, unit)


def convert(quantity: Quantity, unit: Unit | None) -> float | None:
    """Return the number in a column's unit, None if it cannot be converted."""
    own = quantity.unit
    if own is None or (unit is not None and own.key == unit.key):
        return quantity.number
    if unit is None or unit.dimension != "time" or own.dimension != "time":
        return None
    return quantity.number * own.factor / unit.factor


def _read_single(text: str, decimal_comma: bool) -> Quantity | None:
    match = _SINGLE.fullmatch(text)
    if not match or bool(match["open"]) != bool(match["close"]):
        return None
    number = _to_number(match["number"].rstrip(" "), decimal_comma)
    after = match["after"] if not match["number"].endswith(" ") else " " + match["after"]
    before, unit, scale = match["before"] or "", None, ""
    if number is None or (match["open"] and not before):
        return None
    if before:
        unit = find_unit(before)
        if unit is None or unit.dimension != "currency":
            return None
    tail, factor = after.strip(), 1.0
    if scaled := find_scale(tail, is_money=unit is not None or not tail[-1:].isalnum()):
        scale, factor, tail = scaled
    if tail:
        # A word right after the number is a part of a code, unless it is a well-known unit.
        named = find_unit(tail, glued=not after.startswith(" ") and factor == 1)
        if named is None or unit is not None:
            return None
        unit = named
    sign = -1 if match["open"] or "-" in (match["sign"], match["minus"]) else 1
    return Quantity(sign * number * factor, unit, scale if unit is None else "")


def _to_number(text: str, decimal_comma: bool) -> float | None:
    if _GROUPED_BY_SPACE.fullmatch(text):
        text = re.sub("[ '’]", "", text)
    elif re.match(r"0\d", text) or " " in text:
        return None
    try:
        return float(plain_number(text, decimal_comma))
    except ValueError:
        return None


def _read_duration(text: str) -> Quantity | None:
    """Read "3:45 min" and "2 h 30 min"; a clock without a unit may be a time of day."""
    if match := _CLOCK.fullmatch(text):
        unit = TIMES.get(match[4].lower())
        if unit is None or unit.name not in ("min", "h"):
            return None
        return Quantity(int(match[1]) + int(match[2]) / 60 + int(match[3] or 0) / 3600, unit)
    if not _COMPOUND.fullmatch(text.lower()):
        return None
    seconds, units = 0.0, list[Unit]()
    for match in _PART.finditer(text.lower()):
        # After hours m is minutes, after years months.
        name = (
            {"h": "min", "years": "months"}.get(units[-1].name, "")
            if match[2] == "m" and units
            else match[2]
        )
        unit = TIMES.get(name)
        if unit is None or (units and unit.factor >= units[-1].factor):
            return None
        units.append(unit)
        seconds += float(match[1].replace(",", ".")) * unit.factor
    return Quantity(seconds / units[0].factor, units[0])


def _read_range(text: str, decimal_comma: bool) -> Quantity | None:
    if match := _OPEN.fullmatch(text):
        low = _read_single(match["low"] + match["unit"], decimal_comma)
        return low and low._replace(is_range=True)
    if match := _ABOVE.fullmatch(text):
        low = _read_single(match["low"], decimal_comma)
        return low and low._replace(is_range=True)
    if match := _BELOW.fullmatch(text):
        high = _read_single(match["high"], decimal_comma)
        return high and high._replace(number=high.number / 2, is_range=True)
    match = _RANGE.fullmatch(text)
    if not match:
        return None
    low, high = _read_single(match[1], decimal_comma), _read_single(match[2], decimal_comma)
    if low is None or high is None or (low.unit and high.unit and low.unit != high.unit):
        return None
    lower = low.number
    if low.unit is None and not low.scale and (high.scale or high.unit):
        # The unit of 10-50k and of 10-50 % stands once, for both.
        plain = _to_number(re.sub(r"[^\d.,]", "", match[2]), decimal_comma)
        factor = high.number / plain if plain else 1
        lower = lower * factor if lower * factor < high.number else lower
    if lower >= high.number:
        return None  # the score of a match, or a code
    return Quantity(
        (lower + high.number) / 2, high.unit or low.unit, high.scale or low.scale, is_range=True
    )
