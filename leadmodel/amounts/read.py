"""What converted leads brought: read from a column, never a feature."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from leadmodel.amounts.money import Ambiguous, Money, decimal_mark, read_money
from leadmodel.arrays import Floats, Ints
from leadmodel.errors import InputError, LeadError, quoted
from leadmodel.leads.schema import LeadSchema

__all__ = ["MIN_AMOUNTS", "Amounts", "check_enough", "read_amounts", "robust_limit"]

MIN_AMOUNTS = 40
"""Fewer amounts of converted training leads than this say too little."""

BEYOND = 10.0
"""How many times what 19 of 20 amounts keep below is still taken for an amount among others."""


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
            f"The amounts in {quoted(column.name)} must be written in one way: {error}. "
            "Write them as plain numbers, such as 1234.50."
        ) from None
    return _as_numbers(column, read, mark), _one_currency(column, written)


def _money(value: Any) -> Money | float:
    if isinstance(value, bool):
        raise ValueError(value)
    return read_money(value) if isinstance(value, str) and not _is_scientific(value) else float(value)


def _is_scientific(text: str) -> bool:
    return text.strip()[-1:].isdigit() and "e" in text.lower() and text.strip()[0] in "+-.0123456789"


def _as_numbers(column: pd.Series, read: dict[Any, Money | float], mark: str) -> Floats:
    numbers: dict[Any, float] = {}
    for value, one in read.items():
        try:
            numbers[value] = one.number(mark) if isinstance(one, Money) else one
        except ValueError:
            raise _refused(column, int((column == value).to_numpy().argmax())) from None
    return np.array([numbers.get(value, np.nan) for value in column], dtype=np.float64)


def _one_currency(column: pd.Series, written: list[Money]) -> str:
    found = sorted({one.currency for one in written if one.currency})
    if len(found) > 1:
        raise InputError(
            f"The amounts in {quoted(column.name)} must be of one currency. Found: "
            f"{', '.join(map(quoted, found[:5]))}; convert them first."
        )
    return found[0] if found else ""


def _refused(column: pd.Series, place: int) -> LeadError:
    row = int(column.index[place]) + 1
    value = column.iloc[place]
    value = value.item() if isinstance(value, np.generic) else value
    return LeadError.of_value(str(column.name), value, "be an amount of 0 or more", row)
