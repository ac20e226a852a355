"""Find the header of a table below a title, and the rows at its end that are no leads.

A table whose first row names its columns is read as it is. Whatever is skipped or joined needs evidence,
because a lead taken for a header would be lost, and would show in messages.
"""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd

__all__ = ["N_ROWS", "Header", "count_totals", "find_header", "is_plain_header", "most_common_widths"]

N_ROWS = 60
"""Rows at the beginning of a table among which its header is looked for."""

MIN_BELOW = 5
"""Rows below a header of a table of texts alone that show that it is one."""

MAX_TOTALS = 3
"""Rows of totals at the end of a table: sum, mean and number."""

Row = Sequence[str | None]
"""The cells of a row as texts, None for an empty one."""

_VALUE = re.compile(
    r"[+-]?[\d.,\s]*\d\s*[%€$£]?|[€$£]\s*[\d.,]+|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T\s].*)?"
    r"|\S+@\S+\.\S+|https?://\S+|true|false",
    re.IGNORECASE,
)
"""What is a value, and no name of a column."""

_TOTAL = re.compile(
    r"(grand\s+|sub)?totals?|sums?|averages?|means?|counts?|gesamt(summe)?|summe|insgesamt|mittelwert"
    r"|totaux|somme|moyenne|totales|suma|promedio|totale|somma|media|totaal|soma|razem",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Header:
    """The names of the columns, and where they stand.

    Attributes
    ----------
    row : int
        Position of the last row of the header.
    names : tuple of str
        Names of the columns.
    n_joined : int
        Number of rows that the names are joined of.
    """

    row: int
    names: tuple[str, ...]
    n_joined: int = 1


def is_plain_header(row: Row) -> bool:
    """Return whether the first row of a table names its columns: all but one, and each differently."""
    return len(set(row)) == len(row)


def find_header(rows: Sequence[Row], grouping: Collection[int] = ()) -> Header | None:
    """Return the header of a table, the first row unless that cannot be it.

    Parameters
    ----------
    rows : sequence of rows
        The first rows of the table, all of one width.
    grouping : collection of int
        Positions of rows with cells that are merged across columns: titles, or names of groups of
        columns.

    Returns
    -------
    Header or None
        None if no row can be the header; the first row is then what comes nearest to one.
    """
    if rows and is_plain_header(rows[0]) and 0 not in grouping:
        return Header(0, tuple(name or "" for name in rows[0]))
    first = next((position for position, row in enumerate(rows) if _n_given(row)), 0)
    if first and first not in grouping and None not in rows[first] and is_plain_header(rows[first]):
        return Header(first, tuple(name or "" for name in rows[first]))
    for position, row in enumerate(rows):
        names, n_joined = row, 1
        if position and _n_given(row) > 1 and not is_plain_header(row):
            names, n_joined = _join(rows[position - 1], row), 2
        # Several cells above may name columns themselves: then only values below tell names from a lead.
        is_title = all(_n_given(above) < 2 for above in rows[:position])
        if position not in grouping and _names_columns(names, row, rows[position + 1 :], is_title):
            return Header(position, tuple(name or "" for name in names), n_joined)
        if position not in grouping and _n_given(row) > max(1, len(row) // 2):
            return None
    return None


def _n_given(row: Row) -> int:
    return sum(cell is not None for cell in row)


def _names_columns(names: Row, row: Row, below: Sequence[Row], is_below_title: bool) -> bool:
    """Return whether `names` are those of the columns whose first values are `below`."""
    below = [other for other in below if _n_given(other) > 1]
    if not below or len(names) < 2 or not is_plain_header(names):
        return False
    if any(cell is not None and _VALUE.fullmatch(cell.strip()) for cell in row):
        return False
    columns = list(zip(*below, strict=True))
    if any(cell is not None and cell in column for cell, column in zip(row, columns, strict=True)):
        return False
    holds_values = [any(cell and _VALUE.fullmatch(cell.strip()) for cell in column) for column in columns]
    if any(holds_values):
        return True
    # Among texts alone a lead's categories would occur again, unless there are too few leads to tell.
    repeats = any(len({*column} - {None}) < len(column) - column.count(None) for column in columns)
    return is_below_title and len(names) > 2 and len(below) >= MIN_BELOW and repeats


def _join(groups: Row, names: Row) -> Row:
    """Return names joined with those of their groups, each of which stands over its first column."""
    joined: list[str | None] = []
    group = None
    for above, name in zip(groups, names, strict=True):
        group = above or group
        joined.append(" ".join(dict.fromkeys(filter(None, (group, name)))) or None)
    return joined


def count_totals(leads: pd.DataFrame) -> int:
    """Return the number of rows at the end of a table that sum it up.

    The first text of such a row says so, and it has no other; or it has nothing but sums of columns.
    """
    n_totals = 0
    while n_totals < MAX_TOTALS and len(leads) - n_totals > 2 and _is_total(leads, n_totals):
        n_totals += 1
    return n_totals


def _is_total(leads: pd.DataFrame, n_below: int) -> bool:
    above, row = leads.iloc[: len(leads) - n_below - 1], leads.iloc[len(leads) - n_below - 1].dropna()
    texts = {name: str(value).strip() for name, value in row.items() if isinstance(value, str)}
    if not texts:
        is_narrow = 2 <= len(row) <= leads.shape[1] / 2
        return is_narrow and all(_is_sum(above[name], value) for name, value in row.items())
    (label, text), *others = cast(dict[str, str], texts).items()
    if others or not _TOTAL.fullmatch(text.rstrip(":").strip()) or (above[label] == row[label]).any():
        return False
    # A lead of a channel named "Total" would have what others have.
    lacks = [name for name in above.columns.difference(row.index) if above[name].notna().mean() > 0.5]
    return bool(lacks) or any(_is_sum(above[name], value) for name, value in row.items())


def _is_sum(above: pd.Series, value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and value != 0
    numbers = pd.to_numeric(above, errors="coerce") if is_number else pd.Series(dtype=np.float64)
    return is_number and bool(np.isclose(numbers.sum(), value, rtol=1e-9))


def most_common_widths(rows: Sequence[Row]) -> list[int]:
    """Return the numbers of cells that rows have, first the one that covers most cells."""
    counts = Counter(map(len, rows))
    return sorted(counts, key=lambda width: width * counts[width], reverse=True)
