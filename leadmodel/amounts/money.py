"""Amounts of money as people write them: with signs of a currency, and thousands set apart."""

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["Ambiguous", "Money", "decimal_mark", "read_money"]

_CODES = frozenset(
    "eur usd gbp chf inr jpy cny aud cad nzd sek nok dkk isk pln czk huf ron bgn try brl mxn zar sgd hkd "
    "krw twd ils aed sar qar rub uah thb idr myr php vnd ngn kes egp pkr bdt ars clp cop pen "
    "kr kr. rs rs. zł kč ft lei".split()
)
"""Letters that name a currency; any others, such as k or mio, may stand for a factor."""

_PARTS = re.compile(r"([^\d]*?)((?:\d|[.,]\d)(?:[\d.,]|[\s'’](?=\d))*)(.*)", re.DOTALL)
_SPACED = re.compile(r"\d{1,3}([\s'’]\d{3})+([.,]\d*)?")
_MINUS = "-−–—"
_BY_COMMA = re.compile(r"\d{1,3}(,\d{2,3})*,\d{3}(\.\d*)?|\d*\.?\d*")
_BY_POINT = re.compile(r"\d{1,3}(\.\d{2,3})*\.\d{3}(,\d*)?|\d*,?\d*")
"""Numbers with grouped digits, also in the Indian way (12,34,567), or with none."""


class Ambiguous(ValueError):
    """Say why the separators of some texts cannot be told apart: in words, with the two texts."""


class Money(NamedTuple):
    """A written amount: its digits with their separators, whether it is negative, its currency."""

    digits: str
    is_negative: bool
    currency: str

    def number(self, mark: str) -> float:
        """Return the amount, `mark` being the sign before decimals.

        Raises
        ------
        ValueError
            If the digits are not grouped as such numbers are.
        """
        pattern, group = (_BY_POINT, ".") if mark == "," else (_BY_COMMA, ",")
        if not pattern.fullmatch(self.digits):
            raise ValueError(f"no amount: {self.digits!r}")
        number = float(self.digits.replace(group, "").replace(mark, "."))
        return -number if self.is_negative else number


def read_money(text: str) -> Money:
    """Take a written amount apart.

    >>> read_money("1.234,50 €")
    Money(digits='1.234,50', is_negative=False, currency='€')

    Raises
    ------
    ValueError
        If it is no amount, or something stands beside the number that names no currency.
    """
    found = _PARTS.fullmatch(text.strip())
    if not found:
        raise ValueError(f"no amount: {text!r}")
    before, digits, after = (part.strip() for part in found.groups())
    if before[-1:].isalpha() and digits[0] == ".":  # "Rs.500"
        before, digits = f"{before}.", digits[1:]
    if digits[-1] in ".," and after[:1] in tuple(_MINUS):  # "5,-" has no cents
        after = after[1:]
    is_negative = any(mark in before + after for mark in _MINUS) or before[:1] == "("
    names = [part.strip(f"+{_MINUS}() ") for part in (before, after)]
    currency = " ".join(_currency(name) for name in names if name)
    if re.search(r"[\s'’]", digits):
        if not _SPACED.fullmatch(digits):
            raise ValueError(f"no amount: {text!r}")
        digits = re.sub(r"[\s'’]", "", digits)
    return Money(digits, is_negative, currency)


def _currency(name: str) -> str:
    has_sign = len(name) <= 4 and sum(unicodedata.category(letter) == "Sc" for letter in name) == 1
    if not has_sign and name.lower() not in _CODES:
        raise ValueError(f"no currency: {name!r}")
    return name


def decimal_mark(written: Iterable[Money]) -> str:
    """Return the sign before decimals, "." or ",", that all amounts of a column can have.

    Raises
    ------
    Ambiguous
        If some can only be read one way and some the other, or a point with three digits behind
        it, in a column of currency signs, may be of either kind.
    """
    texts = list(written)
    sure = {mark: next((one.digits for one in texts if _marks(one.digits) == mark), None) for mark in ".,"}
    if sure["."] and sure[","]:
        raise Ambiguous(f"{sure['.']!r} has a decimal point, and {sure[',']!r} a decimal comma")
    if sure["."] or sure[","]:
        return "," if sure[","] else "."
    points = [one for one in texts if "." in one.digits]
    if points and (any("," in one.digits for one in texts) or any(one.currency for one in texts)):
        raise Ambiguous(f"the point in {points[0].digits!r} may set apart decimals or thousands")
    return "."


def _marks(digits: str) -> str:
    """Return the sign that can only stand before decimals in `digits`; "" if none must."""
    point, comma = digits.rfind("."), digits.rfind(",")
    if point >= 0 and comma >= 0:
        return "." if point > comma else ","
    mark, other = (".", ",") if point >= 0 else (",", ".")
    if digits.count(mark) > 1:
        return other
    whole, found, decimals = digits.partition(mark)
    may_group = len(decimals) == 3 and 1 <= len(whole) <= 3 and not whole.startswith("0")
    return mark if found and not may_group else ""
