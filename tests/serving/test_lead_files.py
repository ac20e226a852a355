"""Lists from strangers: read, or refused in words."""

import io
import zipfile

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from leadmodel.errors import InputError
from leadmodel.serving.lead_files import MAX_BYTES, MAX_COLUMNS, read_list, read_pasted

LEADS = pd.DataFrame({"city": ["Köln", "NA", "01234"], "age": [31.0, None, 7.0]})


def as_excel(leads: pd.DataFrame) -> bytes:
    file = io.BytesIO()
    leads.to_excel(file, index=False)
    return file.getvalue()


def as_parquet(table: pa.Table) -> bytes:
    file = io.BytesIO()
    pa.parquet.write_table(table, file)
    return file.getvalue()


def with_sheet(rows: str, **parts: bytes) -> bytes:
    """An Excel file whose sheet holds this XML, and further parts."""
    file = io.BytesIO()
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheet = f'<worksheet xmlns="{space}"><sheetData>{rows}</sheetData></worksheet>'
    with (
        zipfile.ZipFile(io.BytesIO(as_excel(LEADS))) as plain,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        for name in plain.namelist():
            is_sheet = name.startswith("xl/worksheets/")
            made.writestr(name, sheet if is_sheet else plain.read(name))
        for name, content in parts.items():
            made.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("leads.csv", LEADS.to_csv(index=False).encode()),
        ("leads.txt", LEADS.to_csv(index=False, sep="\t").encode("utf-16")),
        ("leads.csv", LEADS.to_csv(index=False, sep=";").encode("cp1252")),
        ("leads.XLSX", as_excel(LEADS)),
        ("leads.parquet", as_parquet(pa.Table.from_pandas(LEADS))),
    ],
    ids=["commas", "tabs", "semicolons", "excel", "parquet"],
)
def test_every_kind_of_list_is_read(name: str, content: bytes) -> None:
    table = read_list(name, content)
    assert table.column_names == ["city", "age"]
    assert table["city"].to_pylist() == ["Köln", "NA", "01234"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_pasted_rows_are_read(delimiter: str) -> None:
    table = read_pasted(f"\ncity{delimiter}age\r\nKöln{delimiter}31\r\n\r\n")
    assert table.to_pylist() == [{"city": "Köln", "age": "31"}]


def row(number: int, column: str) -> str:
    return f'<row r="{number}"><c r="{column}{number}"><v>1</v></c></row>'


WIDE = pd.DataFrame([range(5000)], columns=[f"c{place}" for place in range(5000)])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.csv", b"", "The file 'x.csv' must have a table with a header. It is empty"),
        ("x.csv", b"a,b\n", "must have leads below its header"),
        ("x.jpg", bytes(range(256)), "must be a table: CSV, Excel .* It is none of these"),
        ("x.csv", as_excel(LEADS), "is not CSV but Excel or Parquet"),
        ("x.csv", b"a\n" * (MAX_BYTES // 2 + 1), "must have at most 50,000,000 bytes"),
        ("x.csv", b"a,b\n" + b"1,2\n" * 50_001, "at most 50,000 leads"),
        ("x.csv", WIDE.to_csv(index=False).encode(), f"at most {MAX_COLUMNS} columns"),
        ("x.csv", b"a,a\n1,2\n", "'a' appears more than once"),
        ("x.xlsx", b"\xd0\xcf\x11\xe0" + bytes(500), "protected by a password, or an old .xls"),
        ("x.xlsx", b"a,b\n1,2\n", "is not an Excel file, although its name ends in .xlsx"),
        ("x.xlsx", as_excel(LEADS)[:3000], "is not an Excel file"),
        ("x.xlsx", as_excel(WIDE), f"at most {MAX_COLUMNS} columns"),
        ("x.xlsx", with_sheet("<row><c"), "is damaged"),
        ("x.xlsx", with_sheet(row(1, "A") + row(2, "XFD")), f"at most {MAX_COLUMNS} columns"),
        ("x.xlsx", with_sheet(row(1, "A") + row(1_048_576, "A")), "at most 50,000 leads"),
        ("x.xlsx", with_sheet("", bomb=bytes(101_000_000)), "100,000,000 bytes when unpacked"),
        ("x.parquet", b"PAR1" + bytes(500), "cannot be read as a table"),
        ("x.parquet", as_parquet(pa.table({"a": pa.nulls(50_001)})), "at most 50,000 leads"),
        ("x.parquet", as_parquet(pa.table({"a": [[1, 2]]})), "'a' has lists; drop it"),
        (
            "x.parquet",
            as_parquet(pa.table({"a": ["x" * 1_000_000] * 101})),
            "100,000,000 bytes when unpacked. It has 101,000,000",
        ),
        (
            "x.parquet",
            as_parquet(pa.Table.from_arrays([pa.array([1])] * 2, names=["a", "a"])),
            "'a' appears more than once",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_what_is_no_list_is_refused_in_words(name: str, content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_list(name, content)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (" \n", "Paste the column names"),
        ("a,b", "What was pasted must have leads below its header"),
        ("a,b\n\ud800,1", "What was pasted must be valid Unicode"),
    ],
    ids=["nothing", "names alone", "half a letter"],
)
def test_what_cannot_be_pasted(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_pasted(text)
