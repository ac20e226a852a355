"""Read a table of leads as a CRM exports it: CSV of any dialect, Parquet or Excel."""

import atexit
import shutil
import tempfile
import urllib.request
import zipfile
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, cast
from weakref import WeakSet

import fsspec
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from leadmodel.errors import InputError, quoted
from leadmodel.leads.files.csv_file import csv_batches
from leadmodel.leads.files.excel import read_excel
from leadmodel.leads.files.loan import Loan

__all__ = [
    "Batch",
    "ignore",
    "is_text",
    "read_batches",
    "read_table",
    "stream_leads",
]

BATCH_ROWS = 200_000
LARGE_GROUP = 50_000
"""Leads in a row group of Parquet from which on reading its dictionaries as such is faster."""


@dataclass(frozen=True)
class Batch:
    """A batch of the leads in a file.

    Attributes
    ----------
    leads : pyarrow.Table
        At least one lead; texts that the file stores as a dictionary may come as one.
    schema : pyarrow.Schema
        Types of the columns in the file.
    n_expected : int
        Estimated number of leads in the whole file.
    delimiter : str, optional
        What separates the columns of a CSV file.
    """

    leads: pa.Table
    schema: pa.Schema
    n_expected: int
    delimiter: str | None = None


def ignore(report: str) -> None:
    """Ignore what was skipped or chosen on reading."""


def read_table(
    source: str | Path, sheet: str | None = None, on_report: Callable[[str], None] = ignore
) -> pd.DataFrame:
    """Read leads from a path, a URL or ``hf://datasets/USER/NAME/file``.

    Texts stay texts: a CSV comes back with every column as text and only the empty text as a
    gap, so that the country code NA and the postcode 01234 survive.

    Parameters
    ----------
    source : str or Path
        A name that ends in .parquet or .xlsx is read as such, anything else as CSV.
    sheet : str, optional
        Sheet of an Excel file; by default the first one, or the largest if the first is a cover.
    on_report : callable, optional
        Called with each thing that was skipped, chosen, filled or joined, such as a title above the
        header.

    Returns
    -------
    DataFrame of shape (n_leads, n_columns)

    Raises
    ------
    InputError
        If there is no such file, or it is no table with a header and at least one lead.
    """
    batches = list(stream_leads(source, sheet=sheet, on_report=on_report))
    leads = pa.concat_tables([batch.leads for batch in batches]).to_pandas()
    if delimiter := batches[0].delimiter:
        # Where nothing else says how the file writes decimals, this does.
        leads.attrs["delimiter"] = delimiter
    return leads


def read_batches(
    source: str | Path,
    file: IO[bytes] | None = None,
    sheet: str | None = None,
    on_report: Callable[[str], None] = ignore,
) -> Iterator[pa.Table]:
    """Read leads as `read_table` does, some at a time; see `stream_leads`.

    Yields
    ------
    pyarrow.Table
        All of one schema; none is empty.
    """
    return (batch.leads for batch in stream_leads(source, file, (), sheet, on_report))


def stream_leads(
    source: str | Path,
    file: IO[bytes] | None = None,
    categories: Collection[str] = (),
    sheet: str | None = None,
    on_report: Callable[[str], None] = ignore,
) -> Iterator[Batch]:
    """Read leads as `read_table` does, some at a time, so that a file may exceed the memory.

    Parameters
    ----------
    source, sheet, on_report
        As `read_table` takes them.
    file : binary file, optional
        What to read, if it is open already; then `source` is its name alone.
    categories : collection of str
        Columns of few different texts, which may come as dictionaries where the file has them so.

    Yields
    ------
    Batch
        All of one schema.

    Raises
    ------
    InputError
        As `read_table`; what is wrong late in the file is found late.
    """
    read = partial(_batches, categories=categories, sheet=sheet, on_report=on_report)
    batches = _stream(source, file, read)
    _begun.add(batches)
    return batches


_begun: WeakSet[Generator[Batch]] = WeakSet()


@atexit.register
def _close_all() -> None:
    """Stop reading files that were not read to their end, before the interpreter ends."""
    for batches in list(_begun):
        with suppress(ValueError):  # raised for a generator that another thread is running
            batches.close()


def _stream(
    source: str | Path, file: IO[bytes] | None, read: Callable[[IO[bytes], str], Iterator[Batch]]
) -> Generator[Batch]:
    name = str(source)
    n_leads = 0
    try:
        with file or _open(name) as file:
            for batch in read(file, Path(name.split("?")[0]).suffix.lower()):
                n_leads += batch.leads.num_rows
                yield batch
    except InputError as error:
        raise InputError(f"The file {quoted(name, 300)} {error}") from None
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError(f"The file {quoted(name, 300)} cannot be read as a table: {why}.") from None
    except (pa.ArrowException, ValueError, KeyError, zipfile.BadZipFile):
        # What libraries say of a damaged file may quote its content, and that is somebody's.
        raise InputError(
            f"The file {quoted(name, 300)} cannot be read as a table: it is damaged, protected by a "
            "password, or not what its name says. Save it again."
        ) from None
    if not n_leads:
        raise InputError(f"The file {quoted(name, 300)} must have leads below its header. It has none.")


def _open(source: str) -> IO[bytes]:
    try:
        if not source.startswith(("http://", "https://")):
            return cast(IO[bytes], fsspec.open(source, "rb").open())
        with urllib.request.urlopen(source, timeout=60) as response:
            # On disk, because it may exceed the memory; without a name, so that nothing of it remains.
            file = tempfile.TemporaryFile()
            shutil.copyfileobj(response, file)
        file.seek(0)
        return cast(IO[bytes], file)
    except Exception as error:  # each file system of fsspec raises errors of its own
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise InputError(f"cannot be opened: {reason:.200}.") from None


def _batches(
    file: IO[bytes],
    suffix: str,
    categories: Collection[str],
    sheet: str | None,
    on_report: Callable[[str], None],
) -> Iterator[Batch]:
    if sheet and suffix != ".xlsx":
        on_report(f"The file is not an Excel file (.xlsx): the sheet {quoted(sheet)} is ignored.")
    if suffix == ".parquet":
        with Loan(file) as loan:
            yield from _parquet_batches(loan, categories)
    elif suffix == ".xlsx":
        leads = pa.Table.from_pandas(read_excel(file, sheet, on_report), preserve_index=False)
        if leads.num_rows:
            yield Batch(leads, leads.schema, leads.num_rows)
    else:
        for batch, n_expected, delimiter in csv_batches(file, on_report):
            yield Batch(pa.Table.from_batches([batch]), batch.schema, n_expected, delimiter)


def _parquet_batches(loan: Loan, categories: Collection[str]) -> Iterator[Batch]:
    parquet = pa.parquet.ParquetFile(loan.open())
    metadata, schema = parquet.metadata, parquet.schema_arrow
    del parquet  # the loan ends only when nothing refers to the file any more
    # A batch of dictionaries ends with its row group, and small batches cost more than that saves.
    texts = None
    if metadata.num_rows >= LARGE_GROUP * metadata.num_row_groups:
        texts = [field.name for field in schema if field.name in categories and is_text(field.type)]
    # In no variable, for the same reason.
    for batch in pa.parquet.ParquetFile(loan.open(), metadata=metadata, read_dictionary=texts).iter_batches(
        batch_size=BATCH_ROWS
    ):
        if batch.num_rows:
            yield Batch(pa.Table.from_batches([batch]), schema, metadata.num_rows)


def is_text(dtype: pa.DataType) -> bool:
    """Return whether the values of an Arrow type are texts."""
    return pa.types.is_string(dtype) or pa.types.is_large_string(dtype)
