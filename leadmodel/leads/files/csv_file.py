"""Read CSV files of any dialect and encoding."""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import IO, NamedTuple

import pyarrow as pa
import pyarrow.csv

from leadmodel.errors import InputError
from leadmodel.leads.convert import check_unique
from leadmodel.leads.files.layout import N_ROWS, find_header, is_plain_header, most_common_widths
from leadmodel.leads.files.loan import Loan

__all__ = ["check_widths", "csv_batches", "find_delimiter"]

SAMPLE_BYTES = 256_000
BLOCK_BYTES = 4_000_000
"""Bytes of a block of a CSV file. Arrow reads up to 32 of them ahead; a lead must fit into one."""

DELIMITERS = ",;\t|"

MOST_ALIKE = 0.9
"""Least share of the first rows that are as wide as a header below a title."""

_SEPARATOR = re.compile(r"sep=.$", re.IGNORECASE)
"""Excel's line that names the delimiter; nothing else needs it."""


def csv_batches(
    file: IO[bytes], on_report: Callable[[str], None]
) -> Iterator[tuple[pa.RecordBatch, int, str]]:
    """Yield the leads of a CSV file as texts, with the number expected in all and the delimiter.

    Parameters
    ----------
    file : binary file
        The file.
    on_report : callable
        Called if lines above the header were skipped.

    Raises
    ------
    InputError
        If the file is no table; the message goes on after the name of the file, and has no value of
        a lead.
    """
    sample = file.read(SAMPLE_BYTES)
    if sample.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1")):
        raise InputError(
            "is not CSV but Excel or Parquet. Rename it .xlsx or .parquet (save an old .xls as .xlsx)."
        )
    if not sample.strip(b" \t\r\n\xef\xbb\xbf"):
        raise InputError("must have a table with a header. It is empty.")
    encoding = _encoding(sample, file)
    n_bytes = file.seek(0, io.SEEK_END)
    file.seek(0)
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(sample)
    lines = list(io.StringIO(text, newline=""))
    if len(sample) == SAMPLE_BYTES and len(lines) > 1:
        lines.pop()  # it may go on beyond the sample
    n_before, delimiter, names = _find_header(lines, on_report)
    check_unique(names, "must give each column its own name.")
    # Arrow counts its blocks in UTF-8, of which another encoding gives more or less.
    n_blocks = n_bytes / BLOCK_BYTES * len(text.encode()) / len(sample)
    n_leads = 0
    try:
        with Loan(file, encoding) as loan:
            for number, batch in enumerate(_open_csv(loan, n_before, delimiter, names), 1):
                n_leads += batch.num_rows
                if batch.num_rows:
                    yield batch, round(n_leads * max(n_blocks / number, 1)), delimiter
    except pa.ArrowException:  # its text would show the line, which is a lead's
        check_widths(file, encoding, delimiter, n_before)
        raise InputError(
            "cannot be read as a table. Is a quotation mark open, or are there texts of millions of "
            "characters? Save it as CSV again."
        ) from None


def _find_header(lines: Sequence[str], on_report: Callable[[str], None]) -> tuple[int, str, Sequence[str]]:
    """Return the number of lines above the header, the delimiter, and the names of the columns."""
    n_blank = _blank_lines(lines)
    lines = lines[n_blank:]
    delimiter = find_delimiter("".join(lines))
    rows = _first_rows(lines, delimiter)
    if not rows:
        raise InputError("must have a table with a header. Its first line is none.")
    first = rows[0].cells
    is_plain = is_plain_header(first) and len(first) == most_common_widths([row.cells for row in rows])[0]
    if not is_plain or len(first) == 1:
        found = [_below_title(_first_rows(lines, other), other) for other in DELIMITERS]
        if tables := [table for table in found if table]:
            n_above, delimiter, names = max(tables, key=lambda table: len(table[2]))
            on_report(f"The header is line {n_blank + n_above + 1}. The lines above it were skipped.")
            return n_blank + n_above, delimiter, names
    return n_blank, delimiter, [cell or "" for cell in first]


def _below_title(rows: Sequence["_Row"], delimiter: str) -> tuple[int, str, Sequence[str]] | None:
    """Return lines above the header, delimiter and names of a table that begins below its first row."""
    for width in most_common_widths([row.cells for row in rows]):
        # The rows above the header may be of any width.
        padded = [[*row.cells, *[None] * (width - len(row.cells))][:width] for row in rows]
        header = find_header(padded) if width > 1 else None
        if header and header.row and header.n_joined == 1:
            is_wide = [len(row.cells) == width for row in rows[header.row :]]
            if is_wide[0] and sum(is_wide) >= MOST_ALIKE * len(is_wide):
                return rows[header.row].n_above, delimiter, header.names
    return None


class _Row(NamedTuple):
    """A row that is not blank, and the number of lines above it."""

    n_above: int
    cells: list[str | None]


def _first_rows(lines: Sequence[str], delimiter: str) -> list[_Row]:
    reader, rows, n_above = csv.reader(lines, delimiter=delimiter), list[_Row](), 0
    with suppress(csv.Error):
        for row in reader:
            if row:
                rows.append(_Row(n_above, [cell or None for cell in row]))
            n_above = reader.line_num
            if len(rows) == N_ROWS:
                break
    return rows


def _blank_lines(lines: Sequence[str]) -> int:
    """Return the number of lines at the beginning that are blank, or only name the delimiter."""
    is_header = (line.strip() != "" and not _SEPARATOR.match(line.rstrip("\r\n")) for line in lines)
    return next((number for number, found in enumerate(is_header) if found), 0)


def _open_csv(loan: Loan, n_before: int, delimiter: str, names: Sequence[str]) -> pa.csv.CSVStreamingReader:
    return pa.csv.open_csv(
        loan.open(),
        read_options=pa.csv.ReadOptions(block_size=BLOCK_BYTES, skip_rows=n_before),
        parse_options=pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
        ),
    )


def check_widths(
    file: IO[bytes], encoding: str, delimiter: str, n_before: int = 0, errors: str = "replace"
) -> None:
    """Raise InputError for the first line of a CSV file that has not as many values as its header.

    Parameters
    ----------
    file : binary file
        The CSV file; it is read from its beginning.
    encoding, delimiter : str
        Its encoding and delimiter.
    n_before : int
        Number of lines above the header.
    errors : str
        What to do with bytes that the encoding does not have.
    """
    file.seek(0)
    # Detached at the end, because a text file closes the file below it when it is dropped.
    text = io.TextIOWrapper(file, encoding, errors=errors, newline="")
    try:
        for _ in range(n_before):
            text.readline()
        rows = csv.reader(text, delimiter=delimiter)
        n_columns, line = len(next(rows, [])), rows.line_num
        for row in rows:
            if row and len(row) != n_columns:
                raise InputError(
                    f"must have the {n_columns} columns of its header in every line. Line "
                    f"{n_before + line + 1:,} has {len(row):,} values. Put a text that contains "
                    f"{delimiter!r} or a line break in quotation marks, or correct the line."
                )
            line = rows.line_num
    except csv.Error:  # such as a text too long for Python, although not for Arrow
        pass
    finally:
        text.detach()


def _encoding(sample: bytes, file: IO[bytes]) -> str:
    if sample.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while sample:
            decoder.decode(sample)
            sample = file.read(BLOCK_BYTES)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def find_delimiter(text: str) -> str:
    """Return the delimiter that divides the header into most columns."""

    def n_columns(delimiter: str) -> int:
        return len(next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), []))

    return max(DELIMITERS, key=n_columns)
