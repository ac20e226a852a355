"""Read the lists that strangers send, and write the ranked ones, in memory alone.

Whatever a file is, its reader answers in words and within seconds. The checks come before the readers,
which make up all cells before a far one, or unpack a thousand times the size of the file.
"""

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
from leadmodel.leads.convert import check_unique
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

# Bytes of an upload: 50,000 leads of a thousand bytes each.
MAX_BYTES = 50_000_000

# Bytes within an Excel or Parquet file, which can be a thousand times those of the file itself.
MAX_UNPACKED = 100_000_000

# A to ZZ in Excel; CRMs export a few hundred at most.
MAX_COLUMNS = 702

# Characters of a column's name, which is compared with those of the fields, and quoted in messages.
MAX_NAME = 1000

_FAR_CELL = re.compile(rb"""\sr\s*=\s*["'][A-Z]{3,}\d""")
_ROW = re.compile(rb"""<(?:\w+:)?row\s[^>]*?\br\s*=\s*["'](\d+)""")
_OLE = b"\xd0\xcf\x11\xe0"
_BINARY_TABLES = (b"PK\x03\x04", _OLE, b"PAR1")

# Bytes of a sheet that are searched at a time.
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
        raise InputError(f"The file {quoted(name, 300)} is damaged. Save it again.") from None


def read_pasted(text: str) -> pa.Table:
    """Read rows that were pasted, the names of their columns first; as `read_list` does."""
    if not text.strip():
        raise InputError("Paste the column names in the first row and the leads below, one per row.")
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
        if max(map(len, batch.column_names), default=0) > MAX_NAME:
            raise InputError(
                f"must have column names of at most {MAX_NAME:,} characters. Is the first row one?"
            )
        batches.append(batch)
    table = pa.concat_tables(batches)
    check_unique(table.column_names, "must give each column its own name.")
    nested = [field.name for field in table.schema if pa.types.is_nested(field.type)]
    if nested:
        raise InputError(f"must have single values. Its column {quoted(nested[0])} has lists; drop it.")
    return table


def _check_leads(n_leads: int) -> None:
    if n_leads > MAX_LEADS:
        raise InputError(
            f"must have at most {MAX_LEADS:,} leads. It has more; split it, or score it by "
            "`python -m leadmodel score`."
        )


def _check_columns(n_columns: int) -> None:
    if n_columns > MAX_COLUMNS:
        raise InputError(f"must have at most {MAX_COLUMNS:,} columns. Drop those that are not needed.")


def _check_unpacked(n_bytes: int) -> None:
    if n_bytes > MAX_UNPACKED:
        raise InputError(
            f"must have at most {MAX_UNPACKED:,} bytes when unpacked. It has {n_bytes:,}; split it."
        )


def _check_text(content: bytes) -> None:
    is_utf_16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    if b"\0" in content and not is_utf_16 and not content.startswith(_BINARY_TABLES):
        raise InputError("must be a table: CSV, Excel (.xlsx) or Parquet. It is none of these.")


def _check_excel(content: bytes) -> None:
    if content.startswith(_OLE):
        raise InputError("is protected by a password, or an old .xls. Save it as .xlsx without one.")
    if not zipfile.is_zipfile(io.BytesIO(content)) or b"[Content_Types].xml" not in content:
        raise InputError("is not an Excel file, although its name ends in .xlsx. Correct its name.")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        _check_unpacked(sum(part.file_size for part in archive.infolist()))
        # A sheet may have any name; nothing but a sheet has rows and cells with numbers.
        for part in archive.namelist():
            with archive.open(part) as sheet:
                before = b""
                while chunk := sheet.read(_CHUNK):
                    text = before + chunk
                    if _FAR_CELL.search(text):
                        _check_columns(MAX_COLUMNS + 1)
                    _check_leads(max((int(row) for row in _ROW.findall(text)), default=0) - 1)
                    before = text[-200:]  # for a tag that the chunk cuts in two


def _check_parquet(content: bytes) -> None:
    try:
        file = pa.parquet.ParquetFile(pa.BufferReader(content))
    except (pa.ArrowException, OSError):
        raise InputError("cannot be read as a table: it is no Parquet file, or damaged.") from None
    groups, schema = file.metadata, file.schema_arrow
    _check_leads(groups.num_rows)
    _check_columns(len(schema))
    _check_unpacked(sum(groups.row_group(i).total_byte_size for i in range(groups.num_row_groups)))
    # A long text that many leads share is stored once; with dictionaries it is counted before it is copied.
    is_text = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary)
    texts = [field.name for field in schema if any(test(field.type) for test in is_text)]
    packed = pa.parquet.ParquetFile(pa.BufferReader(content), read_dictionary=texts)
    n_bytes = 0
    for batch in packed.iter_batches(columns=texts):
        for column in batch:
            if pa.types.is_dictionary(column.type):
                lengths = pa.compute.binary_length(column.dictionary)
                n_bytes += pa.compute.sum(lengths.take(column.indices)).as_py() or 0
            else:
                n_bytes += column.nbytes
    _check_unpacked(n_bytes)


def take_upload(file: Path) -> tuple[str, bytes]:
    """Return name and content of an uploaded file, and delete it."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:  # another visitor sent the same list, and Gradio keeps equal files once
        raise InputError("The file did not arrive. Choose it again.") from None
    file.unlink(missing_ok=True)
    with suppress(OSError):  # the name of the folder is the checksum of the list
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
