"""Read a table of leads as a CRM exports it: CSV of any dialect, Parquet or Excel."""

import codecs
import csv
import io
import re
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import fsspec
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from leadmodel.errors import InputError, quoted
from leadmodel.leads.table import duplicate_names

__all__ = ["find_delimiter", "read_batches", "read_table"]

_SAMPLE_BYTES = 256_000
BLOCK_BYTES = 16_000_000
_BATCH_ROWS = 200_000
_SEPARATOR = re.compile(r"sep=.$", re.IGNORECASE)
_DELIMITERS = ",;\t|"


def read_table(source: str | Path) -> pd.DataFrame:
    """Read leads from a path, a URL or ``hf://datasets/USER/NAME/file``.

    Texts stay texts: a CSV comes back with every column as text and only the empty text as a
    gap, so that the country code NA and the postcode 01234 survive.

    Parameters
    ----------
    source : str or Path
        A name that ends in .parquet or .xlsx is read as such, anything else as CSV.

    Returns
    -------
    DataFrame of shape (n_leads, n_columns)

    Raises
    ------
    InputError
        If there is no such file, or it is no table with a header and at least one lead.
    """
    return pa.concat_tables(read_batches(source)).to_pandas()


def read_batches(source: str | Path, file: IO[bytes] | None = None) -> Iterator[pa.Table]:
    """Read leads as `read_table` does, some at a time, so that a file may exceed the memory.

    Parameters
    ----------
    source : str or Path
        As `read_table` takes it.
    file : binary file, optional
        What to read, if it is open already; then `source` is its name alone.

    Yields
    ------
    pyarrow.Table
        All of one schema; none is empty.

    Raises
    ------
    InputError
        As `read_table`; what is wrong late in the file is found late.
    """
    name = str(source)
    n_leads = 0
    try:
        with file or _open(name) as file:
            for batch in _batches(file, Path(name.split("?")[0]).suffix.lower()):
                n_leads += batch.num_rows
                if batch.num_rows:
                    yield batch
    except InputError as error:
        raise InputError(f"The file {quoted(name, 300)} {error}") from None
    except (pa.ArrowException, csv.Error, ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise InputError(f"The file {quoted(name, 300)} cannot be read as a table: {error}") from None
    if not n_leads:
        raise InputError(f"The file {quoted(name, 300)} must hold leads below its header. It holds none.")


def _open(source: str) -> IO[bytes]:
    try:
        if source.startswith(("http://", "https://")):
            with urllib.request.urlopen(source, timeout=60) as response:
                return io.BytesIO(response.read())
        return cast(IO[bytes], fsspec.open(source, "rb").open())
    except Exception as error:  # each place a file can come from fails in its own way
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise InputError(f"cannot be opened: {reason:.200}.") from None


def _batches(file: IO[bytes], suffix: str) -> Iterator[pa.Table]:
    if suffix == ".parquet":
        parquet = pa.parquet.ParquetFile(file)
        for batch in parquet.iter_batches(batch_size=_BATCH_ROWS):
            yield pa.Table.from_batches([batch])
    elif suffix == ".xlsx":
        yield pa.Table.from_pandas(_read_excel(file), preserve_index=False)
    else:
        yield from _csv_batches(file)


def _read_excel(file: IO[bytes]) -> pd.DataFrame:
    # Without a header pandas cannot rename a second "age" to "age.1" behind our back.
    cells = pd.read_excel(file, header=None, dtype=object, keep_default_na=False, na_values=[""])
    if cells.empty:
        raise InputError("must hold a table with a header. Its first sheet is empty.")
    names = ["" if pd.isna(name) else str(name) for name in cells.iloc[0]]
    leads = cells.iloc[1:].reset_index(drop=True).set_axis(names, axis="columns")
    _check_names(names)
    return leads.apply(_one_kind)


def _one_kind(column: pd.Series) -> pd.Series:
    """Return a column of cells as numbers, times or truth values if all are, else as texts."""
    inferred = column.infer_objects()
    return column.astype("str") if inferred.dtype == object else inferred


def _csv_batches(file: IO[bytes]) -> Iterator[pa.Table]:
    sample = file.read(_SAMPLE_BYTES)
    if sample.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1")):
        raise InputError(
            "is no CSV, but Excel or Parquet. Name it .xlsx or .parquet (an old .xls: save anew)."
        )
    if not sample.strip(b" \t\r\n\xef\xbb\xbf"):
        raise InputError("must hold a table with a header. It is empty.")
    encoding = _encoding(sample, file)
    file.seek(0)
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(sample)
    n_before = _lines_before_header(text)
    text = "".join(text.splitlines(keepends=True)[n_before:])
    delimiter = find_delimiter(text)
    names = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    _check_names(names)
    batches = pa.csv.open_csv(
        pa.PythonFile(file, mode="r"),
        read_options=pa.csv.ReadOptions(encoding=encoding, block_size=BLOCK_BYTES, skip_rows=n_before),
        parse_options=pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
        ),
    )
    for batch in batches:
        yield pa.Table.from_batches([batch])


def _lines_before_header(text: str) -> int:
    """Return how many lines are blank, or Excel's "sep=;", before the names of the columns."""
    lines = text.splitlines()
    return next((n for n, line in enumerate(lines) if line.strip() and not _SEPARATOR.match(line)), 0)


def _check_names(names: list[str]) -> None:
    if twice := duplicate_names(names):
        raise InputError(f"must give each column its own name. {twice[0]!r} stands there more than once.")


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
    """Return the delimiter that cuts the header into most columns."""
    return max(
        _DELIMITERS,
        key=lambda mark: len(next(csv.reader(io.StringIO(text, newline=""), delimiter=mark), [])),
    )
