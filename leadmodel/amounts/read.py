"""What converted leads brought: read from a column, never a feature."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from leadmodel.arrays import Floats, Ints
from leadmodel.errors import InputError, LeadError, quoted
from leadmodel.leads.schema import LeadSchema

__all__ = [
    "MIN_AMOUNTS",
    "Ambiguous",
    "Amounts",
    "Money",
    "check_enough",
    "decimal_mark",
    "read_amounts",
    "read_money",
    "robust_limit",
]

MIN_AMOUNTS = 40
"""Fewer amounts of converted training leads than this say too little."""

BEYOND = 10.0
"""How many times what 19 of 20 amounts keep below is still taken for an amount among others."""


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


@dataclass(frozen=True)
class Amounts:
    """What leads brought.

    Attributes
    ----------
    name : str
        Of their column.
    values : array of shape (n_leads,)
        Of each lead: 0 where it did not convert, NaN where it did and no amount is known.
    unit : str
        Such as "€"; empty if not known.
    n_unknown : int
        Converted leads without an amount.
    n_ignored : int
        Amounts above 0 of leads that did not convert; they brought nothing.
    """

    name: str
    values: Floats
    unit: str
    n_unknown: int
    n_ignored: int

    def told(self, n_converted: int) -> str:
        """Return in sentences what was read, and by which rules."""
        known = n_converted - self.n_unknown
        parts = [f"{known:,} of {n_converted:,} converted leads have an amount in {quoted(self.name)}."]
        if self.n_unknown:
            parts.append(f"The other {self.n_unknown:,} are left out of the model of amounts.")
        if self.n_ignored:
            parts.append(f"{self.n_ignored:,} amounts of leads that did not convert are ignored.")
        return " ".join(parts)


def read_amounts(column: pd.Series, y: Ints, placeholders: tuple[str, ...] = (), unit: str = "") -> Amounts:
    """Read what leads brought: numbers, or texts with currency signs and thousands set apart.

    Parameters
    ----------
    column : Series of shape (n_leads,)
        Raw amounts, indexed by the positions of the leads in their table.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    placeholders : tuple of str
        Texts that mean "not known", beside the empty one.
    unit : str
        Of the amounts; by default the currency that they name, if they name one.

    Raises
    ------
    LeadError
        If an amount cannot be read or is below 0: the first one, with its row.
    InputError
        If the amounts are of several currencies, or decimals and thousands cannot be told apart.
    """
    amounts, currency = _read(column, LeadSchema(fields=(), placeholders=placeholders))
    wrong = np.flatnonzero((amounts < 0) | np.isinf(amounts))
    if len(wrong):
        raise _refused(column, int(wrong[0]))
    converted = y == 1
    return Amounts(
        name=str(column.name),
        values=np.where(converted, amounts, 0.0),
        unit=unit or currency,
        n_unknown=int(np.sum(converted & np.isnan(amounts))),
        n_ignored=int(np.sum(~converted & (amounts > 0))),
    )


def check_enough(amounts: Floats, y: Ints) -> None:
    """Raise InputError unless the training leads hold enough amounts to learn from."""
    known = amounts[(y == 1) & ~np.isnan(amounts)]
    if len(known) < MIN_AMOUNTS:
        raise InputError(
            f"At least {MIN_AMOUNTS} amounts of converted training leads are needed. Got {len(known)}. "
            "Without --amount, leads are scored by their probability alone."
        )
    if not known.any():
        raise InputError(
            "The amounts of converted training leads must not all be 0. They are; leave --amount out."
        )


def robust_limit(amounts: Floats) -> float:
    """Return the amount beyond which one counts as the limit itself (winsorised, Tukey 1962).

    It is ten times what 19 of 20 amounts keep below, or farther off where amounts spread widely
    by themselves: as far beyond that quantile as twice its ratio to the median. Amounts as skewed
    as those of a lognormal distribution, whatever its variance, stay as they are but for one in a million.

    Parameters
    ----------
    amounts : array of shape (n_amounts,)
        At least one above 0.
    """
    middle, high = np.quantile(amounts[amounts > 0], [0.5, 0.95])
    # To three digits, for it is told, and the quantiles can be two leads' amounts.
    return float(f"{high * max(BEYOND, (high / middle) ** 2):.3g}")


def _read(column: pd.Series, blank: LeadSchema) -> tuple[Floats, str]:
    if column.dtype.kind in "iuf":
        return column.to_numpy(dtype=np.float64), ""
    read: dict[Any, Money | float] = {}
    for row, value in enumerate(column):
        try:
            if value not in read:
                read[value] = np.nan if pd.isna(value) or blank.is_missing(value) else _money(value)
        except (TypeError, ValueError, OverflowError):
            raise _refused(column, row) from None
    written = [one for one in read.values() if isinstance(one, Money)]
    try:
        mark = decimal_mark(written)
    except Ambiguous as error:
        raise InputError(
            f"The amounts in {quoted(column.name)} must use one number format: {error}. "
            "Write them as plain numbers, such as 1234.50."
        ) from None
    return _as_numbers(column, read, mark), _one_currency(column, written)


def _money(value: Any) -> Money | float:
    if isinstance(value, bool):
        raise ValueError(value)
    if not isinstance(value, str):
        return float(value)
    text = value.strip()
    # "1e3", as spreadsheets write large numbers; "3 EUR" has a letter e as well, but no digit at its end.
    is_scientific = text[-1:].isdigit() and "e" in text.lower() and text[0] in "+-.0123456789"
    return float(value) if is_scientific else read_money(value)


def _as_numbers(column: pd.Series, read: dict[Any, Money | float], mark: str) -> Floats:
    numbers: dict[Any, float] = {}
    for value, one in read.items():
        try:
            numbers[value] = one.number(mark) if isinstance(one, Money) else one
        except ValueError:
            raise _refused(column, int((column == value).to_numpy().argmax())) from None
    # A missing value may not be found: NaN is equal to nothing, itself included.
    return np.array([numbers.get(value, np.nan) for value in column], dtype=np.float64)


def _one_currency(column: pd.Series, written: list[Money]) -> str:
    found = sorted({one.currency for one in written if one.currency})
    if len(found) > 1:
        raise InputError(
            f"The amounts in {quoted(column.name)} must be in one currency. Found: "
            f"{', '.join(map(quoted, found[:5]))}; convert them first."
        )
    return found[0] if found else ""


def _refused(column: pd.Series, place: int) -> LeadError:
    row = int(column.index[place]) + 1
    value = column.iloc[place]
    value = value.item() if isinstance(value, np.generic) else value
    return LeadError.of_value(str(column.name), value, "be an amount of 0 or more", row)


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
    names = [name for part in (before, after) if (name := part.strip(f"+{_MINUS}() "))]
    for name in names:
        has_sign = len(name) <= 4 and sum(unicodedata.category(letter) == "Sc" for letter in name) == 1
        if not has_sign and name.lower() not in _CODES:
            raise ValueError(f"no currency: {name!r}")
    if re.search(r"[\s'’]", digits):
        if not _SPACED.fullmatch(digits):
            raise ValueError(f"no amount: {text!r}")
        digits = re.sub(r"[\s'’]", "", digits)
    return Money(digits, is_negative, " ".join(names))


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
