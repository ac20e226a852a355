"""Read Excel sheets as people lay them out: cover sheets, titles, merged cells, hidden columns, totals."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import IO, Any

import pandas as pd
from openpyxl.utils.cell import range_boundaries

from leadmodel.errors import InputError, quoted
from leadmodel.leads.convert import check_unique
from leadmodel.leads.files.layout import N_ROWS, Header, count_totals, find_header, is_plain_header

__all__ = ["read_excel"]

_MERGED = re.compile(rb"""<(?:\w+:)?mergeCell\s[^>]*?\bref\s*=\s*["']([A-Z]+\d+:[A-Z]+\d+)["']""")
_HIDDEN = re.compile(rb"""<(?:\w+:)?(col|row)\s[^>]*?\bhidden\s*=\s*["'](?:1|true)["'][^>]*>""")
_SPAN = re.compile(rb"""\b(min|max)\s*=\s*["'](\d+)["']""")

_CHUNK = 4_000_000
"""Bytes of a sheet that are searched at a time."""

_OVERLAP = 500
"""Bytes that are searched twice, for a tag that the end of a chunk cuts in two."""

Report = Callable[[str], None]


def read_excel(file: IO[bytes], sheet: str | None, on_report: Report) -> pd.DataFrame:
    """Read a sheet of an Excel file.

    Parameters
    ----------
    file : binary file
        The file.
    sheet : str, optional
        Name of the sheet; by default the first one, or the largest if the first is no plain table.
    on_report : callable
        Called with each thing that was chosen, skipped, filled or joined.

    Raises
    ------
    InputError
        If there is no such sheet, or no table with a header in it.
    """
    with pd.ExcelFile(file, engine="openpyxl") as book:
        sheets = {one.title: one for one in book.book.worksheets}
        visible = [name for name, one in sheets.items() if one.sheet_state == "visible"] or [*sheets]
        if sheet is not None and sheet not in sheets:
            close = get_close_matches(sheet, sheets, n=1)
            hint = f" Did you mean {quoted(close[0])}?" if close else ""
            raise InputError(f"must have the sheet {quoted(sheet)}. It has {_listed(visible)}.{hint}")
        chosen = _Sheet.read(book, sheet or visible[0])
        if sheet is None and len(visible) > 1:
            if not chosen.is_plain:
                others = [_Sheet.read(book, name) for name in visible[1:]]
                chosen = max(chosen, *others, key=lambda one: one.cells.size)
            on_report(
                f"The file has {len(visible)} sheets: {_listed(visible)}. The leads are those of "
                f"{quoted(chosen.name)}. Name another one with --sheet."
            )
    return chosen.leads(on_report)


def _listed(names: Sequence[str], limit: int = 10) -> str:
    return ", ".join(map(quoted, names[:limit])) + (", …" if len(names) > limit else "")


@dataclass(frozen=True, eq=False)
class _Sheet:
    """The cells of a sheet, with merged ones filled.

    Attributes
    ----------
    name : str
        Name of the sheet.
    cells : DataFrame
        All cells, the header's among them; NaN where empty.
    grouping : set of int
        Positions of rows with cells that are merged across columns.
    n_filled : int
        Number of merged cells that were filled.
    hidden : set of int
        Positions of hidden columns.
    n_hidden : int
        Number of hidden rows.
    """

    name: str
    cells: pd.DataFrame
    grouping: set[int]
    n_filled: int
    hidden: set[int]
    n_hidden: int

    @classmethod
    def read(cls, book: pd.ExcelFile, name: str) -> "_Sheet":
        """Read a sheet: its cells by pandas, and its looks, which pandas leaves out, from its XML."""
        # Without a header pandas cannot rename a second "age" to "age.1" behind our back.
        cells = pd.read_excel(
            book, sheet_name=name, header=None, dtype=object, keep_default_na=False, na_values=[""]
        )
        merged, hidden, n_hidden = _read_looks(book.book, name, cells.shape[1])
        n_filled = _fill_down(cells, merged)
        grouping = {top - 1 for left, top, right, _ in merged if right > left}
        return cls(name, cells, grouping, n_filled, hidden, n_hidden)

    @cached_property
    def is_plain(self) -> bool:
        """Whether the first row names two or more columns of leads: no cover looks like that."""
        names = _rows(self.cells[:1])
        is_named = bool(names) and None not in names[0] and is_plain_header(names[0])
        return is_named and min(self.cells.shape) > 1 and 0 not in self.grouping

    def leads(self, on_report: Report) -> pd.DataFrame:
        """Return the leads below the header."""
        if self.cells.empty:
            raise InputError(f"must have a table with a header. Its sheet {quoted(self.name)} is empty.")
        header, cells = self._find_header(on_report)
        check_unique(header.names, "must give each column its own name.")
        body = cells.iloc[header.row + 1 :]
        is_empty = body.isna().all(axis=1)
        leads = body[~is_empty].reset_index(drop=True).set_axis([*header.names], axis="columns")
        n_totals = count_totals(leads)
        leads = leads.iloc[: len(leads) - n_totals]
        hidden = [name for name, place in zip(header.names, cells, strict=True) if place in self.hidden]
        reports = {
            f"{self.n_filled:,} merged cells were filled with their value.": self.n_filled,
            f"{is_empty.sum():,} empty rows were skipped.": is_empty.any(),
            f"Hidden columns are read as well: {_listed(hidden)}.": hidden,
            f"{self.n_hidden:,} hidden rows are read as well. Is a filter set?": self.n_hidden,
            "The last row has totals and is left out.": n_totals == 1,
            f"The last {n_totals} rows have totals and are left out.": n_totals > 1,
        }
        for text, applies in reports.items():
            if applies:
                on_report(text)
        leads = leads.infer_objects()
        # A column of cells of several types, such as numbers and a remark, is read as texts.
        mixed = leads.columns[leads.dtypes == "object"]
        return leads.astype(dict.fromkeys(mixed, "str"))

    def _find_header(self, on_report: Report) -> tuple[Header, pd.DataFrame]:
        """Return the header, and the cells without the empty columns beside a table with a margin."""
        cells, first = self.cells, _rows(self.cells[:1])[0]
        if not is_plain_header(first) or self.grouping:
            cells = cells.dropna(axis="columns", how="all")
        header = find_header(_rows(cells[:N_ROWS]), self.grouping)
        if header is None:
            return Header(0, tuple(name or "" for name in _rows(cells[:1])[0])), cells
        if header.n_joined > 1:
            on_report(f"The header has two rows, which are joined: {_listed(header.names, 5)}.")
        n_above = header.row + 1 - header.n_joined
        if n_above and cells.iloc[:n_above].notna().any(axis=None):
            on_report(f"The header is row {header.row + 1}. The rows above it were skipped.")
        return header, cells


def _rows(cells: pd.DataFrame) -> list[list[str | None]]:
    return [[None if pd.isna(cell) else str(cell) for cell in row] for row in cells.to_numpy(object)]


def _read_looks(book: Any, name: str, n_columns: int) -> tuple[set[tuple[int, ...]], set[int], int]:
    """Return the merged ranges of a sheet (left, top, right, bottom), its hidden columns and rows."""
    merged: set[tuple[int, ...]] = set()
    hidden: dict[int, bytes] = {}
    # openpyxl reads these only where it holds all cells in memory, at fifty times the size of the file.
    with book._archive.open(book[name]._worksheet_path) as part:
        before, start = b"", 0
        while chunk := part.read(_CHUNK):
            text = before + chunk
            if b"mergeCell" in text:
                merged |= {range_boundaries(found.decode()) for found in _MERGED.findall(text)}
            if b"hidden" in text:
                hidden |= {start + found.start(): found[0] for found in _HIDDEN.finditer(text)}
            before = text[-_OVERLAP:]
            start += len(text) - len(before)
    spans = [dict(_SPAN.findall(tag)) for tag in hidden.values()]
    columns = {
        place
        for span in spans
        if len(span) == 2
        for place in range(int(span[b"min"]) - 1, min(int(span[b"max"]), n_columns))
    }
    return merged, columns, sum(not span for span in spans)


def _fill_down(cells: pd.DataFrame, merged: set[tuple[int, ...]]) -> int:
    """Fill cells that are merged down with their value, in place, and return how many were filled."""
    n_filled = 0
    for left, top, right, bottom in sorted(merged):
        block: Any = cells.iloc[top - 1 : bottom, left - 1 : right]
        # Merged cells never overlap, so that more than all cells can only be an attack.
        if bottom > top and not block.empty and n_filled <= cells.size and pd.notna(block.iat[0, 0]):
            cells.iloc[top - 1 : bottom, left - 1 : right] = block.iat[0, 0]
            n_filled += block.size - 1
    return n_filled
