from pathlib import Path

import pytest

from leadmodel.errors import InputError
from leadmodel.leads.io import read_table

NAMES = ["name", "mail", "visits", "status"]
LEADS = [[f"lead {n}", f"n{n}@x.org", str(n % 5), ("won", "lost")[n % 2]] for n in range(20)]


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "leads.csv"
    path.write_text(text, encoding=encoding, newline="")
    return path


def table(delimiter: str = ",", end: str = "\n") -> str:
    return end.join(delimiter.join(row) for row in [NAMES, *LEADS]) + end


@pytest.mark.parametrize(
    ("above", "line"),
    [
        ("Report generated 2024-05-01\n", 2),
        ("Report generated 2024-05-01, 12:30\n\nby Ann\n\n", 5),
        ('"Leads\nof May"\n', 3),
        ("Leads,,,\n,,,\n", 3),
        ("\n\nReport: leads; of May\n", 4),
        ("sep=,\nReport\n", 3),
    ],
    ids=["title", "three lines", "line break", "padded", "semicolon", "sep"],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_lines_above_the_header_are_skipped(
    tmp_path: Path, above: str, line: int, delimiter: str, encoding: str
) -> None:
    above = above.replace("Leads,,,\n,,,", f"Leads{delimiter * 3}\n{delimiter * 3}")
    reports: list[str] = []
    leads = read_table(write(tmp_path, above + table(delimiter), encoding), on_report=reports.append)
    assert [*leads] == NAMES
    assert leads.to_numpy().tolist() == LEADS
    assert reports == [f"The header is line {line}. The lines above it were skipped."]


def test_lines_are_counted_from_the_top_of_the_file(tmp_path: Path) -> None:
    text = "Report generated 2024-05-01\r\n\r\n" + table(end="\r\n") + "a,b,c,d,e\r\n"
    with pytest.raises(InputError, match=r"must have the 4 columns .* Line 24 has 5 values"):
        read_table(write(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    [
        table(),
        "\n\n" + table(),
        "sep=;\n" + table(";"),
        table().replace("name", "", 1),
        "note\none\ntwo\n",
        "note\none; two; three\nfour\n",
    ],
    ids=["plain", "blank lines", "sep", "unnamed", "one column", "one column of prose"],
)
def test_plain_tables_are_read_without_a_word(tmp_path: Path, text: str) -> None:
    reports: list[str] = []
    read_table(write(tmp_path, text), on_report=reports.append)
    assert reports == []


@pytest.mark.parametrize(
    "text",
    [
        "name,mail,status\n" + "".join(",".join(row) + "\n" for row in LEADS),
        "id,,,name\nu1,a,b,Bob\nu2,c,d,Eve\n",
        "a,a\nx,y\n",
        "mail\nann@x.org,web,y\nbob@x.org,fair,z\n",
        "name\nann,web,y\nBob,fair,z\n",
    ],
    ids=["a name lacks", "unnamed columns", "equal names", "one mail", "one name"],
)
def test_a_lead_never_becomes_the_header(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"must (have the|give each)") as raised:
        read_table(write(tmp_path, text))
    assert "ann" not in str(raised.value) and "Bob" not in str(raised.value)
