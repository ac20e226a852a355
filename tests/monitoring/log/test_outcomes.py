"""Outcomes come back: joined by the call's name, the last one counting, what does not fit told."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from support import command

from leadmodel.errors import InputError
from leadmodel.model import LeadModel
from leadmodel.monitoring.log.files import LogStore
from leadmodel.monitoring.log.log import PredictionLog, ScoredCall
from leadmodel.monitoring.log.outcomes import Columns, JoinedOutcomes, read_outcomes, store_outcomes

LIST, ONE = "1" * 32, "2" * 32


@pytest.fixture
def log(model: LeadModel, tmp_path: Path) -> Path:
    """A log of a list of three leads, and of one lead by itself."""
    folder = tmp_path / "log"
    made = PredictionLog(LogStore(folder), seconds=3600)
    for name, size in ((LIST, 3), (ONE, 1)):
        leads, now = [model.schema.example()] * size, datetime.now(UTC)
        made.add(ScoredCall(model, leads, [0.5] * size, ["B"] * size, "API", name, now))
    made.close()
    return folder


def store(log: Path, rows: list[tuple[object, ...]], columns: Columns | None = None) -> JoinedOutcomes:
    path = log.parent / "outcomes.csv"
    pd.DataFrame(rows, columns=["request_id", "row", "status"]).to_csv(path, index=False)
    return store_outcomes(LogStore(log), path, columns)


def known(log: Path) -> dict[tuple[str, int], bool]:
    found = read_outcomes([log])
    return {(one.request_id, one.row): one.converted for one in found.itertuples()}


def test_outcomes_find_their_leads(log: Path) -> None:
    joined = store(log, [(LIST, 1, "Won"), (LIST, 3, "Lost"), (ONE, None, " Won"), (LIST, 2, None)])
    assert joined == JoinedOutcomes(3, 2, n_open=1, n_unknown=0, n_unclear=0, n_twice=0, n_replaced=0)
    assert known(log) == {(LIST, 1): True, (LIST, 3): False, (ONE, 1): True}


def test_the_last_outcome_of_a_lead_counts_and_is_told(log: Path) -> None:
    first = store(log, [(ONE, 1, "Won"), (ONE, 1, "Lost"), (LIST, 2, "Won")])
    assert (first.n_stored, first.n_twice, first.n_replaced) == (2, 1, 0)
    assert known(log)[ONE, 1] is False
    second = store(log, [(ONE, 1, "Won")])
    assert (second.n_stored, second.n_twice, second.n_replaced) == (1, 0, 1)
    assert known(log) == {(ONE, 1): True, (LIST, 2): True}


def test_what_fits_no_lead_is_counted(log: Path) -> None:
    joined = store(log, [("3" * 32, 1, "Won"), (LIST, None, "Won"), (LIST, 9, "Lost"), (ONE, 1, "Won")])
    assert (joined.n_stored, joined.n_unknown, joined.n_unclear) == (1, 1, 2)
    told = " ".join(joined.summary())
    assert "1 outcomes stored, 1 of them converted" in told
    assert "1 outcomes refer to calls that are not in the log" in told
    assert "2 outcomes do not say which lead of a call they belong to" in told


def test_a_file_may_call_its_columns_otherwise(log: Path, tmp_path: Path) -> None:
    path = tmp_path / "crm.xlsx"
    pd.DataFrame({"Ref": [LIST, LIST], "No": [1, 2], "Stage": ["closed", "open"]}).to_excel(
        path, index=False
    )
    columns = Columns(target="Stage", positive="closed", request_id="Ref", row="No")
    assert store_outcomes(LogStore(log), path, columns).n_converted == 1
    assert known(log) == {(LIST, 1): True, (LIST, 2): False}


def test_open_stages_are_no_outcomes(log: Path) -> None:
    rows = [(LIST, 1, "WON"), (LIST, 2, "Negotiation"), (LIST, 3, "closed lost"), (ONE, 1, "Parked")]
    joined = store(log, rows)
    assert known(log) == {(LIST, 1): True, (LIST, 3): False}
    assert (joined.n_stored, joined.n_open, joined.n_unread) == (2, 1, 1)
    assert "1 rows have an outcome that the model has not learned" in " ".join(joined.summary())
    assert store(log, rows, Columns(negative="parked")).n_stored == 3
    assert known(log)[ONE, 1] is False


def test_a_file_without_a_conversion_needs_the_label_said(log: Path) -> None:
    with pytest.raises(InputError, match="None of the 1 outcomes is the label of a converted lead"):
        store(log, [(ONE, 1, "Lost")])
    assert store(log, [(ONE, 1, "Lost")], Columns(positive="Won")).n_converted == 0


@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        ([("9" * 32, 1, "Won")], None, "None of the 1 outcomes is of a lead in the log"),
        ([(ONE, 1, "Won")], Columns(target="stage"), "No column is named 'stage'.*--target"),
        ([(ONE, 1, "Won")], Columns(request_id="request"), "Did you mean 'request_id'.*--id"),
        ([(ONE, 1, "Won"), (ONE, "x", "Won")], None, "The column 'row' must have .* Row 2 has 'x'"),
        ([(ONE, 0.5, "Won")], None, "Row 1 has '0.5'"),
    ],
)
def test_a_wrong_file_is_refused(
    log: Path, rows: list[tuple[object, ...]], columns: Columns | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        store(log, rows, columns)
    assert known(log) == {}


def test_the_command_says_what_it_did(log: Path, tmp_path: Path) -> None:
    path = tmp_path / "outcomes.csv"
    pd.DataFrame({"request_id": [ONE, "x"], "status": ["Won", "Lost"]}).to_csv(path, index=False)
    done = command("-m", "leadmodel", "outcomes", path, "--log", log)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "1 outcomes stored, 1 of them converted."
    for words in (["none.csv", "--log", log], [path, "--log", tmp_path / "nowhere"]):
        done = command("-m", "leadmodel", "outcomes", *words)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
    assert "There is no log with leads in" in done.stderr
    assert not (tmp_path / "nowhere").exists()
