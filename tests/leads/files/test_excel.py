import datetime as dt
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from leadmodel.errors import InputError
from leadmodel.leads.io import read_table
from leadmodel.prepare.source import read_past_leads
from leadmodel.serving.lead_files import read_list

HEADER = ["name", "source", "visits", "created", "status"]
DAY = dt.datetime(2024, 5, 1)
LEADS: list[list[Any]] = [
    [f"lead {n}", ("web", "fair")[n % 2], n % 7, DAY + dt.timedelta(n), ("won", "lost")[n % 2]]
    for n in range(12)
]
Rows = list[list[Any]]


def sheet_of(rows: Rows, change: Callable[[Worksheet], object] = lambda sheet: None) -> Worksheet:
    sheet = Workbook().active
    assert isinstance(sheet, Worksheet)
    for row in rows:
        sheet.append(row)
    change(sheet)
    return sheet


def read(folder: Path, sheet: Worksheet, name: str | None = None) -> tuple[pd.DataFrame, list[str]]:
    path, reports = folder / "leads.xlsx", list[str]()
    assert sheet.parent is not None
    sheet.parent.save(path)
    leads = read_table(path, name, reports.append)
    uploaded = read_list("leads.xlsx", path.read_bytes()) if name is None else None
    assert uploaded is None or uploaded.to_pandas().equals(leads), "an uploaded list is read alike"
    return leads, reports


@pytest.fixture
def plain(tmp_path: Path) -> pd.DataFrame:
    leads, reports = read(tmp_path, sheet_of([HEADER, *LEADS]))
    assert reports == []
    assert [dtype.kind for dtype in leads.dtypes] == ["O", "O", "i", "M", "O"]
    assert leads["name"].tolist() == [row[0] for row in LEADS]
    return leads


def margin(rows: Rows) -> Rows:
    return [[None, None, *row] for row in rows]


@pytest.mark.parametrize(
    ("above", "line"),
    [
        ([["Leads of May"]], 2),
        ([["Leads of May"], [], ["as of", dt.datetime(2024, 6, 1)], []], 5),
        ([[], [], ["Leads of May"]], 4),
    ],
    ids=["title", "title and date", "blank rows"],
)
@pytest.mark.parametrize("shift", [lambda rows: rows, margin], ids=["flush", "margin"])
def test_a_title_above_the_header_is_skipped(
    tmp_path: Path, plain: pd.DataFrame, above: Rows, line: int, shift: Callable[[Rows], Rows]
) -> None:
    leads, reports = read(tmp_path, sheet_of(shift([*above, HEADER, *LEADS])))
    pd.testing.assert_frame_equal(leads, plain)
    assert reports == [f"The header is row {line}. The rows above it were skipped."]


def test_texts_alone_are_read_beside_a_margin(tmp_path: Path) -> None:
    rows = [[], [], *margin([["field", "meaning"], ["a", "first"], ["b", "second"]])]
    leads, reports = read(tmp_path, sheet_of(rows))
    assert (leads.to_dict("list"), reports) == ({"field": ["a", "b"], "meaning": ["first", "second"]}, [])


def test_a_merged_title_is_skipped(tmp_path: Path, plain: pd.DataFrame) -> None:
    sheet = sheet_of([["Leads of May"], HEADER, *LEADS], lambda sheet: sheet.merge_cells("A1:E1"))
    assert read(tmp_path, sheet)[0].equals(plain)


def test_the_largest_table_is_read_behind_a_cover(tmp_path: Path, plain: pd.DataFrame) -> None:
    cover = sheet_of([["Leads of May"], ["by", "Ann"], ["of", "CRM"]])
    assert isinstance(cover.parent, Workbook)
    for name, rows in {"Leads": [HEADER, *LEADS], "Codes": [["code", "meaning"], ["a", "b"]]}.items():
        sheet = cover.parent.create_sheet(name)
        for row in rows:
            sheet.append(row)
    leads, reports = read(tmp_path, cover)
    assert leads.equals(plain)
    assert reports == [
        "The file has 3 sheets: 'Sheet', 'Leads', 'Codes'. The leads are those of 'Leads'. Name another "
        "one with --sheet."
    ]
    codes, reports = read(tmp_path, cover, "Codes")
    assert (codes.to_dict("list"), reports) == ({"code": ["a"], "meaning": ["b"]}, [])
    with pytest.raises(InputError, match=r"must have the sheet 'leads'. It has .* Did you mean 'Leads'\?"):
        read(tmp_path, cover, "leads")


def test_the_first_sheet_stays_the_default(tmp_path: Path, plain: pd.DataFrame) -> None:
    sheet = sheet_of([HEADER, *LEADS])
    assert isinstance(sheet.parent, Workbook)
    for row in [HEADER, *LEADS, *LEADS]:
        sheet.parent.create_sheet("old").append(row)
    assert read(tmp_path, sheet)[0].equals(plain)


def test_a_sheet_is_named_in_a_recipe_and_by_option(tmp_path: Path) -> None:
    sheet = sheet_of([["a", "b"], [1, 2]])
    assert isinstance(sheet.parent, Workbook)
    other = sheet.parent.create_sheet("other")
    other.append(["c", "d"])
    other.append([3, 4])
    read(tmp_path, sheet)
    (tmp_path / "leads.toml").write_text('sheet = "other"\n')
    leads, recipe = read_past_leads(tmp_path / "leads.xlsx", recipe=tmp_path / "leads.toml")
    assert ([*leads], recipe.sheet) == (["c", "d"], "other")
    leads, recipe = read_past_leads(tmp_path / "leads.xlsx", recipe=recipe, sheet="Sheet")
    assert ([*leads], recipe.sheet) == (["a", "b"], "Sheet")


def test_a_sheet_of_a_csv_file_is_ignored_and_said(tmp_path: Path) -> None:
    (tmp_path / "leads.csv").write_text("a,b\n1,2\n")
    reports: list[str] = []
    read_table(tmp_path / "leads.csv", "Leads", reports.append)
    assert reports == ["The file is not an Excel file (.xlsx): the sheet 'Leads' is ignored."]


def test_cells_merged_down_are_filled(tmp_path: Path, plain: pd.DataFrame) -> None:
    rows = [[*row] for row in LEADS]
    for row in rows:
        row[1] = "web"
    for row in rows[1:4]:
        row[1] = None
    leads, reports = read(tmp_path, sheet_of([HEADER, *rows], lambda sheet: sheet.merge_cells("B2:B5")))
    assert leads["source"].tolist() == ["web"] * 12
    assert reports == ["3 merged cells were filled with their value."]


@pytest.mark.parametrize(
    "total",
    [
        ["Total", None, 31, None, None],
        [None, "Grand total:", None, None, None],
        ["Summe", None, None, None, None],
    ],
)
@pytest.mark.parametrize("blank", [[], [[]]], ids=["adjacent", "after a gap"])
def test_a_row_of_totals_is_left_out(
    tmp_path: Path, plain: pd.DataFrame, total: list[Any], blank: Rows
) -> None:
    leads, reports = read(tmp_path, sheet_of([HEADER, *LEADS, *blank, total]))
    pd.testing.assert_frame_equal(leads, plain)
    assert "The last row has totals and is left out." in reports


def test_sums_without_a_name_are_totals_only_if_they_are_sums(tmp_path: Path) -> None:
    header, rows = ["a", "b", "c", "d"], [["x", n + 1, 2 * n, "y"] for n in range(10)]
    leads, _ = read(tmp_path, sheet_of([header, *rows, [None, 55, 90, None]]))
    assert len(leads) == 10
    leads, _ = read(tmp_path, sheet_of([header, *rows, [None, 55, 91, None]]))
    assert len(leads) == 11


def test_a_last_lead_of_a_source_named_total_stays(tmp_path: Path) -> None:
    rows = [[n, "Total", 5, n] for n in range(10)]
    leads, reports = read(tmp_path, sheet_of([["a", "source", "c", "d"], *rows]))
    assert (len(leads), reports) == (10, [])


def test_two_header_rows_give_one_name_each(tmp_path: Path, plain: pd.DataFrame) -> None:
    def merge(sheet: Worksheet) -> None:
        sheet.merge_cells("A1:A2")
        sheet.merge_cells("B1:C1")
        sheet.merge_cells("D1:E1")

    first = ["name", "Origin", None, "Deal", None]
    leads, reports = read(tmp_path, sheet_of([first, [None, *HEADER[1:]], *LEADS], merge))
    pd.testing.assert_frame_equal(leads, plain)
    assert "The header is row 2. The rows above it were skipped." in reports
    leads, reports = read(tmp_path, sheet_of([first, [None, "source", "n", "created", "n"], *LEADS], merge))
    assert [*leads] == ["name", "Origin source", "Origin n", "Deal created", "Deal n"]
    assert reports[0].startswith("The header has two rows, which are joined: 'name', 'Origin source'")


def test_what_is_hidden_is_read_and_said(tmp_path: Path, plain: pd.DataFrame) -> None:
    def hide(sheet: Worksheet) -> None:
        sheet.column_dimensions["B"].hidden = True
        sheet.row_dimensions[4].hidden = True
        sheet.row_dimensions[5].hidden = True

    leads, reports = read(tmp_path, sheet_of([HEADER, *LEADS], hide))
    assert leads.equals(plain)
    assert reports == [
        "Hidden columns are read as well: 'source'.",
        "2 hidden rows are read as well. Is a filter set?",
    ]


@pytest.mark.parametrize(
    "rows",
    [
        [["a", None, None, "d"], ["x", "y", "z", "w"], ["x", "y", "z", "v"]],
        [["a", "a"], ["x", "y"], ["z", "w"]],
        [["Leads"], ["Leads of May"]],
        [["id", None, None], ["x", 1, 2], ["y", 3, 4]],
        [["name"], ["Bob", "web", "won"], ["Eve", "fair", "lost"]],
    ],
    ids=["unnamed columns", "equal names", "texts alone", "names of one", "one name"],
)
def test_a_lead_never_becomes_the_header(tmp_path: Path, rows: Rows) -> None:
    path = tmp_path / "leads.xlsx"
    sheet = sheet_of(rows)
    assert sheet.parent is not None
    sheet.parent.save(path)
    try:
        assert [*read_table(path)] == ["Leads"]
    except InputError as error:
        assert "must give each column its own name" in str(error)


def test_merges_that_no_spreadsheet_writes_cost_nothing(tmp_path: Path, plain: pd.DataFrame) -> None:
    """Each fills all cells, so that twenty thousand of them would take hours."""
    names = [f"n{n}" for n in range(100)]
    sheet = sheet_of([names, *([n] * 100 for n in range(1000))])
    assert sheet.parent is not None
    sheet.parent.save(tmp_path / "leads.xlsx")
    merged = b"".join(b'<mergeCell ref="A%d:XFD1048576"/>' % n for n in range(3, 20_003))
    with (
        zipfile.ZipFile(tmp_path / "leads.xlsx") as old,
        zipfile.ZipFile(tmp_path / "merged.xlsx", "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for part in old.namelist():
            content = old.read(part)
            new.writestr(part, content.replace(b"</sheetData>", b"</sheetData>" + merged))
    assert len(read_table(tmp_path / "merged.xlsx")) == 1000
