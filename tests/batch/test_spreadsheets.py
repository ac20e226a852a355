import datetime
import re
from contextlib import closing
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pytest

from leadmodel.batch import spreadsheets
from leadmodel.batch.score import Scored, score_file
from leadmodel.batch.spreadsheets import ExcelWriter
from leadmodel.errors import InputError
from leadmodel.leads.sample import make_sample
from leadmodel.model import LeadModel

FORMULAS = ['=HYPERLINK("http://evil")', "+49 30 1234", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1"]
PLAIN = ["-5", "+1,5", "ok = fine", "", "a@b", "'=1", "_x000D_"]
LEADS = make_sample(20, random_state=9).assign(note=[*FORMULAS, *PLAIN, *["x"] * 6])


@pytest.fixture
def leads(tmp_path: Path) -> Path:
    path = tmp_path / "leads.parquet"
    LEADS.rename(columns={"note": "=note"}).to_parquet(path, index=False)
    return path


def test_a_csv_runs_nothing_where_that_is_asked_for(model: LeadModel, leads: Path, tmp_path: Path) -> None:
    scored = tmp_path / "scored.csv"
    assert score_file(model, leads, scored, safe_cells=True) == Scored(20, n_disarmed=len(FORMULAS) + 1)
    written = pd.read_csv(scored, dtype=str, keep_default_na=False, lineterminator="\n")
    assert written["'=note"].tolist() == [*("'" + text for text in FORMULAS), *PLAIN, *["x"] * 6]
    texts = LEADS.select_dtypes("str").drop(columns="note").fillna("")
    pd.testing.assert_frame_equal(written[texts.columns], texts, check_dtype=False)


def test_an_excel_file_runs_nothing_and_changes_nothing(
    model: LeadModel, leads: Path, tmp_path: Path
) -> None:
    assert score_file(model, leads, tmp_path / "scored.xlsx") == Scored(20)
    header, *rows = openpyxl.load_workbook(tmp_path / "scored.xlsx").active.iter_rows()
    place = [cell.value for cell in header].index("=note")
    assert header[place].data_type == "s"
    cells = [row[place] for row in rows]
    written = [cell.value or "" for cell in cells]
    excel_reads = [re.sub("_x(.{4})_", lambda hit: chr(int(hit[1], 16)), text) for text in written]
    assert excel_reads == LEADS["note"].tolist()
    assert {cell.data_type for cell in cells if cell.value} == {"s"}
    probabilities = [row[len(LEADS.columns)].value for row in rows]
    assert probabilities == pytest.approx(model.score(LEADS)["probability"].tolist())


def test_excel_keeps_what_it_can_hold(tmp_path: Path) -> None:
    zone, moment = datetime.UTC, datetime.datetime(2024, 5, 1, 12)
    columns = {
        "whole": [2**60, -3],
        "real": [float("inf"), float("nan")],
        "moment": [moment, None],
        "zoned": [moment.replace(tzinfo=zone), None],
        "flag": [True, False],
    }
    table = pa.table(columns)
    with closing(ExcelWriter(tmp_path / "table.xlsx", table.schema)) as writer:
        writer.write_table(table)
    rows = list(openpyxl.load_workbook(tmp_path / "table.xlsx").active.iter_rows(values_only=True))
    assert rows[1] == (str(2**60), "inf", moment, "2024-05-01T12:00:00+00:00", True)
    assert rows[2] == (-3, None, None, None, False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x" * 32_768, "Row 2 of the sheet: Excel allows no text of more than 32,767"),
        ("\x01", "no control characters. Write .csv"),
    ],
)
def test_what_excel_cannot_hold_is_refused(tmp_path: Path, text: str, message: str) -> None:
    table = pa.table({"note": [text]})
    with closing(ExcelWriter(tmp_path / "table.xlsx", table.schema)) as writer:
        with pytest.raises(InputError, match=message):
            writer.write_table(table)


def test_a_sheet_has_so_many_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheets, "MAX_ROWS", 3)
    table = pa.table({"n": [1, 2, 3]})
    with closing(ExcelWriter(tmp_path / "table.xlsx", table.schema)) as writer:
        with pytest.raises(InputError, match=r"An Excel sheet has at most 3 rows. Use .csv or .parquet"):
            writer.write_table(table)
