"""Write tables for spreadsheets without formulas, which anybody may have typed into a form."""

import datetime
import math
import re
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from leadmodel.errors import InputError

__all__ = ["DisarmedCsvWriter", "ExcelWriter"]

# First characters that start a formula (OWASP, CSV injection), full-width ones included.
_FORMULA = "^[=+\\-@\t\r\n＝＋－＠]"
_NUMBER = r"^[+-]?[0-9][0-9.,]*$"
_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")

MAX_ROWS, MAX_TEXT, MAX_INTEGER = 1_048_576, 32_767, 2**53
"""Limits of an Excel sheet; it stores numbers as doubles, so that larger integers would lose digits."""


class DisarmedCsvWriter:
    """Write tables into a CSV file with a ' before each text that a spreadsheet would run.

    In CSV nothing else tells a text from a formula. The names of columns count as texts; plain
    numbers ("-5") stay as they are. `n_disarmed` counts the texts that were changed.

    Parameters
    ----------
    path : str or Path
        The file to write.
    schema : pyarrow.Schema
        Schema of the tables.
    """

    def __init__(self, path: str | Path, schema: pa.Schema) -> None:
        names, self.n_disarmed = _disarm(pa.array(schema.names, pa.string()))
        dtypes = [pa.string() if _is_text(dtype) else dtype for dtype in schema.types]
        self._schema = pa.schema(list(zip(names.to_pylist(), dtypes, strict=True)))
        self._writer = pa.csv.CSVWriter(path, self._schema)

    def write_table(self, table: pa.Table) -> None:
        """Append the rows of `table`."""
        columns = []
        for column in table.columns:
            if _is_text(column.type):
                column, n_more = _disarm(column.cast(pa.string()))
                self.n_disarmed += n_more
            columns.append(column)
        self._writer.write_table(pa.table(columns, schema=self._schema))

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()


def _disarm(texts: Any) -> tuple[Any, int]:
    is_number = pc.match_substring_regex(texts, _NUMBER)
    is_formula = pc.and_not(pc.match_substring_regex(texts, _FORMULA), is_number)
    is_formula = pc.fill_null(is_formula, False)
    disarmed = pc.if_else(is_formula, pc.binary_join_element_wise("'", texts, ""), texts)
    return disarmed, pc.sum(is_formula).as_py() or 0  # the sum of no texts is null


def _is_text(dtype: pa.DataType) -> bool:
    dtype = dtype.value_type if pa.types.is_dictionary(dtype) else dtype
    return pa.types.is_string(dtype) or pa.types.is_large_string(dtype) or pa.types.is_string_view(dtype)


class ExcelWriter:
    """Write tables into one Excel sheet, with the methods of pyarrow's writers.

    Every cell with a text is typed as text, which no spreadsheet runs.

    Parameters
    ----------
    path : str, Path or binary file
        The file to write.
    schema : pyarrow.Schema
        Schema of the tables.
    """

    def __init__(self, path: str | Path | IO[bytes], schema: pa.Schema) -> None:
        from openpyxl import Workbook
        from openpyxl.cell import WriteOnlyCell

        self.path, self._book, self._rows = path, Workbook(write_only=True), 0
        self._new_cell = WriteOnlyCell
        self._sheet = self._book.create_sheet("scored")
        self._append(schema.names)

    def write_table(self, table: pa.Table) -> None:
        """Append the rows of `table`.

        Raises
        ------
        InputError
            If they are more than a sheet holds, or a text is one that it cannot hold.
        """
        for batch in table.to_batches(max_chunksize=1000):
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                self._append(row)

    def _append(self, row: Any) -> None:
        self._rows += 1
        if self._rows > MAX_ROWS:
            raise InputError(f"An Excel sheet has at most {MAX_ROWS:,} rows. Use .csv or .parquet instead.")
        self._sheet.append([self._cell(value) for value in row])

    def _cell(self, value: Any) -> Any:
        value = _storable(value)
        if not isinstance(value, str):
            return value
        if len(value) > MAX_TEXT or _UNWRITABLE.search(value):
            raise InputError(
                f"Row {self._rows} of the sheet: Excel allows no text of more than {MAX_TEXT:,} and no "
                "control characters. Write .csv or .parquet instead."
            )
        # XML turns a carriage return into a line feed. Excel writes it as _x000D_, so that a text which
        # looks like such an escape is escaped itself.
        escaped = _ESCAPE.sub("_x005F_", value).replace("\r", "_x000D_")
        cell = self._new_cell(self._sheet, escaped)
        cell.data_type = "s"  # openpyxl makes a formula of every text that begins with =
        return cell

    def close(self) -> None:
        """Write the file."""
        self._book.save(self.path)


def _storable(value: Any) -> Any:
    """Return `value` in a form that a cell holds without loss; NaN is an empty cell."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None if math.isnan(value) else str(value)
    if isinstance(value, datetime.datetime):
        return value if value.tzinfo is None else value.isoformat()  # Excel has no time zones
    if value is None or isinstance(value, bool | datetime.date | datetime.time):
        return value
    if isinstance(value, int):
        return value if abs(value) <= MAX_INTEGER else str(value)
    return str(value)
