"""Find out whether a file writes 1,234.5 or 1.234,5."""

import re
from collections import Counter
from collections.abc import Collection
from typing import Literal, NamedTuple

import pandas as pd

from leadmodel.leads.values.numbers import GROUPED_BY_COMMA, GROUPED_BY_POINT, read_quantity

__all__ = ["Mark", "NumberHabit", "find_habit"]

Mark = Literal[".", ","]

N_ROWS = 5000
"""Rows, evenly spaced, that show how a file writes its numbers."""

MIN_GROUPED = 10
"""Different numbers with groups of three from which on they tell more than the other columns."""

_TOKEN = re.compile(r"\d(?:[\d.,]*\d)?")


class NumberHabit(NamedTuple):
    """How a file writes decimals: as the recipe says, as its columns show, as its separator suggests."""

    told: Mark | None = None
    shown: Mark | None = None
    likely: Mark | None = None

    def find_mark(self, texts: Collection[str]) -> tuple[Mark, bool]:
        """Return the decimal mark of the numbers in `texts`, and whether it is known."""
        tokens = [token for text in texts for token in _TOKEN.findall(text)]
        if self.told or all(map(str.isdecimal, tokens)):
            return self.told or ".", True
        grouped = _mark_beside_groups(tokens)
        is_many = sum(not token.isdecimal() for token in set(tokens)) >= MIN_GROUPED
        mark = _sure_mark(tokens) or (grouped if is_many else None) or self.shown or grouped or self.likely
        return mark or ".", mark is not None


def find_habit(leads: pd.DataFrame, told: Mark | None) -> NumberHabit:
    """Return how the leads write numbers.

    Parameters
    ----------
    leads : DataFrame of shape (n_leads, n_columns)
        As `leadmodel.leads.io.read_table` returns them, with the separator of a CSV file in its attributes.
    told : str, optional
        The decimal mark, if a recipe gives it.
    """
    votes: Counter[Mark] = Counter()
    sample = leads.iloc[:: len(leads) // N_ROWS + 1]
    for _, column in sample.items():
        texts = column.dropna().unique().tolist() if column.dtype == "str" else []
        mark = _sure_mark([token for text in texts for token in _TOKEN.findall(text)])
        if mark and _are_numbers(texts, mark):
            votes[mark] += 1
    comma, point = votes[","], votes["."]
    shown: Mark | None = None if comma == point else "," if comma > point else "."
    # Spreadsheets separate columns by semicolons where the comma marks decimals.
    return NumberHabit(told, shown, "," if leads.attrs.get("delimiter") == ";" else None)


def _are_numbers(texts: list[str], mark: Mark) -> bool:
    # Dates and versions have points too.
    n_numbers = sum(read_quantity(text, mark == ",") is not None for text in texts)
    return n_numbers >= 0.9 * len(texts)


def _sure_mark(tokens: Collection[str]) -> Mark | None:
    """Return the mark that can only be that of decimals, or the one that groups leave."""
    marked = [token for token in tokens if not token.isdecimal()]
    if any("," in token and not GROUPED_BY_COMMA.fullmatch(token) for token in marked):
        return ","
    if any("." in token and not GROUPED_BY_POINT.fullmatch(token) for token in marked):
        return "."
    if any(token.count(",") > 1 for token in marked):
        return "."
    return "," if any(token.count(".") > 1 for token in marked) else None


def _mark_beside_groups(tokens: Collection[str]) -> Mark | None:
    """Return the mark of decimals in numbers that all have groups of three.

    Beside whole numbers up to 999 and none from 1000 on, 1.036 must be the next one: decimals would not
    all have three places.
    """
    wholes = [int(token) for token in tokens if token.isdecimal()]
    marks = {mark for token in tokens for mark in ",." if mark in token}
    if not wholes or not 100 <= max(wholes) < 1000 or len(marks) != 1:
        return None
    return "," if marks == {"."} else "."
