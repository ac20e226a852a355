"""Tables for spreadsheets, which run what looks like a formula, whoever has typed it into a form."""

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

_FORMULA = "^[=+\\-@\t\r\n＝＋－＠]"
_NUMBER = r"^[+-]?[0-9][0-9.,]*$"
_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")

MAX_ROWS, MAX_TEXT, MAX_INTEGER = 1_048_576, 32_767, 2**53
"""What an Excel sheet holds; integers beyond the last one would lose digits."""


class DisarmedCsvWriter:
    """Writes tables into a CSV file with a ' before each text that a spreadsheet would run.

    In CSV nothing else tells a text from a formula. The names of columns count as texts; plain
    numbers ("-5") stay as they are. `n_disarmed` says how many texts were changed.

    Parameters
    ----------
    path : str or Path
        The file to write.
    schema : pyarrow.Schema
        Of the tables to come.
    """

    def __init__(self, path: str | Path, schema: pa.Schema) -> None:
        names, self.n_disarmed = _disarm(pa.array(schema.names, pa.string()))
        kinds = [pa.string() if _is_text(kind) else kind for kind in schema.types]
        self._schema = pa.schema(list(zip(names.to_pylist(), kinds, strict=True)))
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
    armed = pc.and_not(pc.match_substring_regex(texts, _FORMULA), is_number)
    armed = pc.fill_null(armed, False)
    disarmed = pc.if_else(armed, pc.binary_join_element_wise("'", texts, ""), texts)
    return disarmed, pc.sum(armed).as_py() or 0


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


class ExcelWriter:
    """Writes tables into one sheet, as the writers of pyarrow do into their files.

    Every text is typed as a text, which no spreadsheet runs, and stays as it is.

    Parameters
    ----------
    path : str, Path or binary file
        The file to write.
    schema : pyarrow.Schema
        Of the tables to come.
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
            raise InputError(f"An Excel sheet holds {MAX_ROWS:,} rows. Write .csv or .parquet instead.")
        self._sheet.append([self._cell(value) for value in row])

    def _cell(self, value: Any) -> Any:
        value = _storable(value)
        if not isinstance(value, str):
            return value
        if len(value) > MAX_TEXT or _UNWRITABLE.search(value):
            raise InputError(
                f"Row {self._rows} of the sheet: Excel holds no text of more than {MAX_TEXT:,} and no "
                "control characters. Write .csv or .parquet instead."
            )
        # XML knows no carriage return; Excel's escape for it must not be in the text already.
        escaped = _ESCAPE.sub("_x005F_", value).replace("\r", "_x000D_")
        cell = self._new_cell(self._sheet, escaped)
        cell.data_type = "s"
        return cell

    def close(self) -> None:
        """Write the file."""
        self._book.save(self.path)


def _storable(value: Any) -> Any:
    """Return `value` as a cell can hold it without losing anything of it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None if math.isnan(value) else str(value)
    if isinstance(value, datetime.datetime):
        return value if value.tzinfo is None else value.isoformat()
    if value is None or isinstance(value, bool | datetime.date | datetime.time):
        return value
    if isinstance(value, int):
        return value if abs(value) <= MAX_INTEGER else str(value)
    return str(value)
