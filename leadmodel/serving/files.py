"""Read lists that strangers send, and write the ranked ones, in memory alone."""

import io
import re
import zipfile
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet

from leadmodel.batch.spreadsheets import DisarmedCsvWriter, ExcelWriter
from leadmodel.errors import InputError, quoted
from leadmodel.leads.convert import duplicate_names
from leadmodel.leads.io import read_batches
from leadmodel.serving.service import MAX_LEADS

__all__ = [
    "MAX_BYTES",
    "MAX_COLUMNS",
    "count_formulas",
    "read_list",
    "read_pasted",
    "take_upload",
    "to_csv",
    "to_excel",
]

MAX_BYTES = 50_000_000
"""Of an upload: 50,000 leads of a thousand bytes each."""

MAX_UNPACKED = 100_000_000
"""Bytes within an Excel or Parquet file, which can be a thousand times those of the file itself."""

MAX_COLUMNS = 702
"""A to ZZ in Excel; CRMs export a few hundred at most."""

MAX_NAME = 1000
"""Characters of a column's name, which is compared with those of the fields, and told."""

_FAR_CELL = re.compile(rb"""\sr\s*=\s*["'][A-Z]{3,}\d""")
_ROW = re.compile(rb"""<(?:\w+:)?row\s[^>]*?\br\s*=\s*["'](\d+)""")
_OLE = b"\xd0\xcf\x11\xe0"
_BINARY_TABLES = (b"PK\x03\x04", _OLE, b"PAR1")
_CHUNK = 4_000_000


def read_list(name: str, content: bytes) -> pa.Table:
    """Read an uploaded file as a table of leads.

    Parameters
    ----------
    name : str
        As the visitor knows the file; ends in .xlsx or .parquet, or it is read as CSV.
    content : bytes
        All of it.

    Raises
    ------
    InputError
        If it is no table, or too large in any respect.
    """
    try:
        return _read(name, content)
    except InputError as error:
        started = str(error).startswith("The file ")
        raise error if started else InputError(f"The file {quoted(name, 300)} {error}") from None
    except Exception:  # whatever a damaged file makes its readers raise, the file is to blame
        raise InputError(f"The file {quoted(name, 300)} is damaged. Save it anew.") from None


def read_pasted(text: str) -> pa.Table:
    """Read rows that were pasted, the names of their columns first; as `read_list` does."""
    if not text.strip():
        raise InputError("Paste the names of the columns and below them the leads, one in a line.")
    try:
        return read_list("pasted rows", (text.strip("\r\n") + "\n").encode())
    except UnicodeEncodeError:
        raise InputError("What was pasted must be valid Unicode.") from None
    except InputError as error:
        raise InputError(str(error).replace("The file 'pasted rows'", "What was pasted")) from None


def _read(name: str, content: bytes) -> pa.Table:
    if len(content) > MAX_BYTES:
        raise InputError(f"must have at most {MAX_BYTES:,} bytes. It has {len(content):,}.")
    check = {".xlsx": _check_excel, ".parquet": _check_parquet}.get(Path(name).suffix.lower(), _check_text)
    check(content)
    batches, n_leads = [], 0
    for batch in read_batches(name, io.BytesIO(content)):
        n_leads += batch.num_rows
        _check_leads(n_leads)
        _check_columns(batch.num_columns)
        _check_names(batch.column_names)
        batches.append(batch)
    table = pa.concat_tables(batches)
    if twice := duplicate_names(table.column_names):
        raise InputError(
            f"must give each column its own name. {quoted(twice[0])} stands there more than once."
        )
    nested = [field.name for field in table.schema if pa.types.is_nested(field.type)]
    if nested:
        raise InputError(f"must hold single values. Its column {quoted(nested[0])} holds lists; drop it.")
    return table


def _check_leads(n_leads: int) -> None:
    if n_leads > MAX_LEADS:
        raise InputError(
            f"must hold at most {MAX_LEADS:,} leads. It holds more; split it, or score it by "
            "`python -m leadmodel score`."
        )


def _check_columns(n_columns: int) -> None:
    if n_columns > MAX_COLUMNS:
        raise InputError(f"must have at most {MAX_COLUMNS:,} columns. Drop those that are not needed.")


def _check_names(names: list[str]) -> None:
    if max(map(len, names), default=0) > MAX_NAME:
        raise InputError(
            f"must have column names of at most {MAX_NAME:,} characters. Is the first row one?"
        )


def _check_unpacked(n_bytes: int) -> None:
    if n_bytes > MAX_UNPACKED:
        raise InputError(
            f"must hold at most {MAX_UNPACKED:,} bytes when unpacked. It holds {n_bytes:,}; split it."
        )


def _check_text(content: bytes) -> None:
    is_utf_16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    if b"\0" in content and not is_utf_16 and not content.startswith(_BINARY_TABLES):
        raise InputError("must be a table: CSV, Excel (.xlsx) or Parquet. It is none of them.")


def _check_excel(content: bytes) -> None:
    if content.startswith(_OLE):
        raise InputError("is protected by a password, or an old .xls. Save it as .xlsx without one.")
    if not zipfile.is_zipfile(io.BytesIO(content)) or b"[Content_Types].xml" not in content:
        raise InputError("is no Excel file, though it is named .xlsx. Name it as what it is.")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        _check_unpacked(sum(part.file_size for part in archive.infolist()))
        # A sheet may have any name; nothing but a sheet has rows and cells with numbers.
        for part in archive.namelist():
            _check_sheet(archive, part)


def _check_sheet(archive: zipfile.ZipFile, part: str) -> None:
    """Look for cells far out: a reader makes up all cells before them."""
    with archive.open(part) as sheet:
        before = b""
        while chunk := sheet.read(_CHUNK):
            seen = before + chunk
            if _FAR_CELL.search(seen):
                _check_columns(MAX_COLUMNS + 1)
            _check_leads(max((int(row) for row in _ROW.findall(seen)), default=0) - 1)
            before = seen[-200:]


def _check_parquet(content: bytes) -> None:
    try:
        file = pa.parquet.ParquetFile(pa.BufferReader(content))
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"cannot be read as a table: {error}") from None
    about = file.metadata
    _check_leads(about.num_rows)
    _check_columns(len(file.schema_arrow))
    _check_unpacked(sum(about.row_group(place).total_byte_size for place in range(about.num_row_groups)))
    texts = [field.name for field in file.schema_arrow if _is_text(field.type)]
    # A long text that many leads share is stored once; with dictionaries it is counted before it is copied.
    packed = pa.parquet.ParquetFile(pa.BufferReader(content), read_dictionary=texts)
    _check_unpacked(sum(_size(column) for batch in packed.iter_batches(columns=texts) for column in batch))


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind)


def _size(column: pa.Array) -> int:
    if not pa.types.is_dictionary(column.type):
        return column.nbytes
    lengths = pa.compute.binary_length(column.dictionary)
    return pa.compute.sum(lengths.take(column.indices)).as_py() or 0


def take_upload(file: Path) -> tuple[str, bytes]:
    """Return name and content of an uploaded file, and delete it."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:  # two visitors sent the same at once, and the other one was faster
        raise InputError("The file did not arrive. Choose it again.") from None
    file.unlink(missing_ok=True)
    with suppress(OSError):  # the folder's name is the checksum of the list
        file.parent.rmdir()
    return file.name, content


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
