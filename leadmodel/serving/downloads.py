"""A ranked list as a file to take away, made in memory alone."""

import io

import pyarrow as pa
import pyarrow.csv

from leadmodel.batch.spreadsheets import DisarmedCsvWriter, ExcelWriter

__all__ = ["count_formulas", "to_csv", "to_excel"]


def to_csv(table: pa.Table) -> bytes:
    """Return `table` as CSV, every text as it is."""
    sink = pa.BufferOutputStream()
    pa.csv.write_csv(table, sink)
    return sink.getvalue().to_pybytes()


def to_excel(table: pa.Table) -> bytes:
    """Return `table` as an Excel file whose texts are texts, whatever they look like.

    Raises
    ------
    InputError
        If a text is one that a sheet cannot hold.
    """
    buffer = io.BytesIO()
    writer = ExcelWriter(buffer, table.schema)
    writer.write_table(table)
    writer.close()
    return buffer.getvalue()


def count_formulas(table: pa.Table) -> int:
    """Return how many texts, names of columns among them, a spreadsheet would run in a CSV file."""
    writer = DisarmedCsvWriter(pa.BufferOutputStream(), table.schema)
    writer.write_table(table)
    writer.close()
    return writer.n_disarmed
