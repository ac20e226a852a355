import io
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import polars as pl
import pytest
from support import command

from leadmodel.atomic import write_leads
from leadmodel.errors import InputError
from leadmodel.leads.io import read_batches, read_table


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a,b\n1,x\n", {"a": ["1"], "b": ["x"]}),
        (b"a;b\n1,5;NA\n", {"a": ["1,5"], "b": ["NA"]}),
        (b"a\tb\r\n007\tnull\r\n", {"a": ["007"], "b": ["null"]}),
        (b"a|b\n1|x\n", {"a": ["1"], "b": ["x"]}),
        ("a,b\nü,€\n".encode("utf-8-sig"), {"a": ["ü"], "b": ["€"]}),
        ("a,b\nü,€\n".encode("cp1252"), {"a": ["ü"], "b": ["€"]}),
        ("a,b\nü,€\n".encode("utf-16"), {"a": ["ü"], "b": ["€"]}),
        (b'a,"b,c"\n1,"x\ny"\n', {"a": ["1"], "b,c": ["x\ny"]}),
        (b",b\n0,x\n", {"": ["0"], "b": ["x"]}),
        (b"a\n1\n", {"a": ["1"]}),
        (b"\n\na,b\n007,NA\n", {"a": ["007"], "b": ["NA"]}),
        (b"sep=;\r\na;b\r\n1;2\r\n", {"a": ["1"], "b": ["2"]}),
        ("a,b\n😀,=1+1\n".encode(), {"a": ["😀"], "b": ["=1+1"]}),
    ],
    ids=[
        "comma",
        "semicolon",
        "tab",
        "pipe",
        "bom",
        "cp1252",
        "utf16",
        "quotes",
        "unnamed",
        "one",
        "blank",
        "sep",
        "emoji",
    ],
)
def test_csv_of_any_dialect_reads_as_text(
    tmp_path: Path, content: bytes, expected: dict[str, list[str]]
) -> None:
    assert read_table(written(tmp_path, "leads.csv", content)).to_dict("list") == expected


def test_only_the_empty_text_is_a_gap(tmp_path: Path) -> None:
    leads = read_table(written(tmp_path, "leads.csv", b"a,b\n,NA\nnan,\n"))
    assert leads.isna().to_numpy().tolist() == [[True, False], [False, True]]


def test_a_late_latin_letter_is_found(tmp_path: Path) -> None:
    content = b"a,b\n" + b"1,x\n" * 100_000 + "2,ü\n".encode("cp1252")
    assert read_table(written(tmp_path, "leads.csv", content))["b"].iloc[-1] == "ü"


@pytest.mark.parametrize("suffix", [".parquet", ".xlsx"])
def test_parquet_and_excel_keep_their_types(tmp_path: Path, suffix: str) -> None:
    leads = pd.DataFrame(
        {"n": [1, 2], "t": ["x", None], "d": pd.to_datetime(["2024-01-01", "2024-01-02"]), "f": [0.5, None]}
    )
    path = tmp_path / f"leads{suffix}"
    leads.to_parquet(path) if suffix == ".parquet" else leads.to_excel(path, index=False)
    read = read_table(path)
    assert [dtype.kind for dtype in read.dtypes] == ["i", "O", "M", "f"]
    assert read["t"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("leads.csv", b"", "must have a table with a header. It is empty"),
        ("leads.csv", b"\xef\xbb\xbf \n", "must have a table with a header. It is empty"),
        ("leads.csv", b"a,b\n", "must have leads below its header. It has none"),
        ("leads.csv", b"a,a\n1,2\n", "must give each column its own name. 'a' appears more than once"),
        ("leads.csv", b"a,b\n1,2\n1,2,3\n", "must have the 2 columns .*. Line 3 has 3 values"),
        ("leads.parquet", b"no parquet", "cannot be read as a table"),
        ("leads.xlsx", b"no workbook", "cannot be read as a table"),
        ("leads.csv", b"PK\x03\x04 and so on", "is not CSV but Excel or Parquet"),
        ("leads.csv", b'"a,b\n1,2\n', "cannot be read as a table|must have leads"),
    ],
    ids=["empty", "blank", "header", "duplicate", "ragged", "parquet", "excel", "renamed", "open quote"],
)
def test_what_is_no_table_is_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=rf"{name}' {message}"):
        read_table(written(tmp_path, name, content))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize(("values", "n_values"), [("ann@x.org,+49 30,ü,4", 4), ("ann@x.org,+49 3ü", 2)])
def test_a_line_of_another_width_is_named_by_its_number_alone(
    tmp_path: Path, encoding: str, values: str, n_values: int
) -> None:
    leads = 'sep=,\nmail,phone,note\nbob@x.org,1,"two\nlines"\n\nbob@x.org,2,\n'
    content = (leads + "bob@x.org,3,x\n" * 400_000 + values + "\n").encode(encoding)
    with pytest.raises(InputError, match=rf"Line 400,007 has {n_values} values") as raised:
        read_table(written(tmp_path, "leads.csv", content))
    assert "must have the 3 columns of its header in every line" in str(raised.value)
    assert "ann" not in str(raised.value) and "+49" not in str(raised.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none.csv' cannot be opened: No such file or directory"):
        read_table(tmp_path / "none.csv")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """The address of a web server that serves the test's folder."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_url_is_read(tmp_path: Path, site: str) -> None:
    written(tmp_path, "leads.csv", b"a,b\n1,x\n")
    assert read_table(f"{site}/leads.csv").to_dict("list") == {"a": ["1"], "b": ["x"]}


def test_a_url_that_answers_not_is_named(site: str) -> None:
    with pytest.raises(InputError, match=r"none.csv' cannot be opened"):
        read_table(f"{site}/none.csv")


SLOW_READER = r"""
import io, sys, threading, time
from leadmodel.leads.io import read_batches

class Slow(io.BytesIO):
    n_reads = 0
    def read(self, size=-1):
        if threading.current_thread() is not threading.main_thread():
            self.n_reads += 1
            time.sleep(0.2 * (self.n_reads > 1))
        return super().read(size)

def leads(header=b"", times=2_000_000):
    return Slow(header + b"a,b\n" + b"1,2\n" * times)

"""

WAYS_OUT = {
    "a line above the header": r"""
try:
    list(read_batches("x.csv", leads(b"Leads of May\n")))
except ValueError as error:
    sys.exit(str(error))
""",
    "utf-16": r"""
try:
    list(read_batches("x.csv", Slow(("Leads of May\na,b\n" + "1,2\n" * 2_000_000).encode("utf-16"))))
except ValueError as error:
    sys.exit(str(error))
""",
    "an error of the caller": r"""
for batch in read_batches("x.csv", leads()):
    raise SystemExit("a is missing")
""",
    "held until the end": r"""
batches = read_batches("x.csv", leads())
next(batches)
sys.exit("held")
""",
}


@pytest.mark.parametrize("way", WAYS_OUT)
def test_reading_that_ends_early_leaves_no_thread_behind(way: str) -> None:
    for _ in range(2):
        done = command("-c", SLOW_READER + WAYS_OUT[way])
        assert done.returncode == 1, done.stderr
        assert len(done.stderr.splitlines()) == 1, done.stderr


class Broken(io.BytesIO):
    """A file whose disk fails behind the first megabytes."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() > 5_000_000 and threading.current_thread() is not threading.main_thread():
            raise OSError("the disk is gone")
        return super().read(size)


def test_a_read_that_fails_is_told_and_not_taken_for_the_end() -> None:
    with pytest.raises(InputError, match=r"cannot be read as a table: the disk is gone"):
        list(read_batches("leads.csv", Broken(b"a,b\n" + b"11,22\n" * 3_000_000)))


def test_large_texts_of_other_encodings_come_whole() -> None:
    n_leads = 700_000
    for encoding in ("utf-8-sig", "utf-16", "cp1252"):
        content = "name,city\n" + "Zoë,Köln\n" * n_leads
        batches = list(read_batches("leads.csv", io.BytesIO(content.encode(encoding))))
        assert len(batches) > 1
        leads = [batch.to_pandas() for batch in batches]
        assert sum(map(len, leads)) == n_leads
        assert {*pd.concat(leads)["city"]} == {"Köln"}


LEADS = pl.DataFrame({"who": ["007", "NA"], "visits": [1, None]})


@pytest.mark.parametrize("name", ["leads.csv", "leads.PARQUET"])
def test_leads_come_back_as_they_were(tmp_path: Path, name: str) -> None:
    write_leads(LEADS, tmp_path / name)
    read = pl.from_pandas(read_table(tmp_path / name)).cast(LEADS.schema)
    assert read.equals(LEADS)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_what_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    old = tmp_path / "leads.csv"
    old.write_text("old")
    nested = pl.DataFrame({"lists": [[1], [2]]})
    with pytest.raises(InputError, match=r"leads.csv' cannot be written"):
        write_leads(nested, old)
    assert old.read_text() == "old"
    assert list(tmp_path.iterdir()) == [old]


@pytest.mark.parametrize(
    ("name", "message"),
    [("leads.xlsx", "must end in .csv or .parquet"), ("none/leads.csv", "does not exist; create it first")],
)
def test_where_leads_cannot_go_is_told(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        write_leads(LEADS, tmp_path / name)
