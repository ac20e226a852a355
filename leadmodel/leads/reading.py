"""Read a table of leads as a CRM exports it: CSV of any dialect, Parquet or Excel."""

import codecs
import csv
import io
import urllib.request
import zipfile
from pathlib import Path
from typing import IO, cast

import fsspec
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from leadmodel.errors import InputError, quoted
from leadmodel.leads.table import duplicate_names

__all__ = ["csv_options", "read_table"]

_SAMPLE_BYTES = 256_000
_DELIMITERS = ",;\t|"


def read_table(source: str | Path) -> pd.DataFrame:
    """Read leads from a path, a URL or ``hf://datasets/USER/NAME/file``.

    Texts stay texts: a CSV comes back with every column as text and only the empty text as a
    gap, so that the country code NA and the postcode 01234 survive.

    Parameters
    ----------
    source : str or Path
        A name that ends in .parquet, .xlsx or .xls is read as such, anything else as CSV.

    Returns
    -------
    DataFrame of shape (n_leads, n_columns)

    Raises
    ------
    InputError
        If there is no such file, or it is no table with a header and at least one lead.
    """
    name = str(source)
    content = _read_bytes(name)
    if not content.strip():
        raise InputError(f"The file {quoted(name)} must hold a table with a header. It is empty.")
    suffix = Path(name.split("?")[0]).suffix.lower()
    try:
        leads = _read_content(content, suffix)
    except (pa.ArrowInvalid, ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise InputError(f"The file {quoted(name)} cannot be read as a table: {error}") from None
    if not len(leads):
        raise InputError(f"The file {quoted(name)} must hold leads below its header. It holds none.")
    return leads


def _read_bytes(source: str) -> bytes:
    try:
        if source.startswith(("http://", "https://")):
            with urllib.request.urlopen(source, timeout=60) as response:
                return cast(bytes, response.read())
        with fsspec.open(source, "rb") as file:
            return cast(bytes, cast(IO[bytes], file).read())
    except (OSError, ValueError, ImportError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"The file {quoted(source)} cannot be opened: {reason}.") from None


def _read_content(content: bytes, suffix: str) -> pd.DataFrame:
    if suffix == ".parquet":
        return pa.parquet.read_table(pa.BufferReader(content)).to_pandas()
    if suffix in (".xlsx", ".xls"):
        return _read_excel(content)
    return _read_csv(content)


def _read_excel(content: bytes) -> pd.DataFrame:
    # Without a header pandas cannot rename a second "age" to "age.1" behind our back.
    cells = pd.read_excel(
        io.BytesIO(content), header=None, dtype=object, keep_default_na=False, na_values=[""]
    )
    names = ["" if pd.isna(name) else str(name) for name in cells.iloc[0]]
    return cells.iloc[1:].reset_index(drop=True).set_axis(names, axis="columns").infer_objects()


def _read_csv(content: bytes) -> pd.DataFrame:
    encoding = _encoding(content)
    read, parse, names = csv_options(content[:_SAMPLE_BYTES], encoding)
    if duplicate := duplicate_names(names):
        raise ValueError(f"two columns are named {duplicate[0]!r}; each needs a name of its own.")
    convert = pa.csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()), null_values=[""], strings_can_be_null=True
    )
    table = pa.csv.read_csv(
        pa.BufferReader(content), read_options=read, parse_options=parse, convert_options=convert
    )
    return table.to_pandas()


def csv_options(
    sample: bytes, encoding: str
) -> tuple[pa.csv.ReadOptions, pa.csv.ParseOptions, list[str]]:
    """Return how to read a CSV that begins with `sample`, and the names of its columns."""
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(sample)
    delimiter = _delimiter(text)
    names = next(csv.reader(io.StringIO(text), delimiter=delimiter))
    read = pa.csv.ReadOptions(encoding=encoding, column_names=names, skip_rows=0)
    read.skip_rows_after_names = 1
    parse = pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    return read, parse, names


def _encoding(content: bytes) -> str:
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            return encoding
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _delimiter(text: str) -> str:
    """Return the delimiter that splits the header, and the lines below it, into most columns."""
    header = next(csv.reader(io.StringIO(text), delimiter="\0"), [""])[0]
    return max(_DELIMITERS, key=lambda delimiter: len(next(csv.reader([header], delimiter=delimiter))))
