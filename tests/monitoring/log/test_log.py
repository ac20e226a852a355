"""The prediction log: what it keeps, how it is written, and that no answer waits for it."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from support import ROOT

from leadmodel.leads.convert import read_leads, read_records
from leadmodel.leads.table import LeadTable
from leadmodel.model import LeadModel
from leadmodel.monitoring.log.files import LogStore, find_files, read_files
from leadmodel.monitoring.log.history import read_history
from leadmodel.monitoring.log.log import LEADS, PredictionLog, ScoredCall
from leadmodel.monitoring.log.outcomes import store_outcomes
from leadmodel.serving.service import ScoringService

NEVER = 3600.0
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
LEAD = {"source": "Referral", "minutes_on_site": 20, "age": 40, "webinar": "Yes"}


def logged(folder: Path) -> pd.DataFrame:
    """Return all rows of a log, in the order they were written."""
    tables = list(read_files(find_files([folder], LEADS)))
    return pa.concat_tables(tables, promote_options="default").to_pandas() if tables else pd.DataFrame()


def made_call(model: LeadModel, n_leads: int = 1, time: datetime = NOW, name: str = "a" * 32) -> ScoredCall:
    leads = [LEAD | {"age": 20 + number % 40} for number in range(n_leads)]
    return ScoredCall(model, leads, [0.25] * n_leads, ["A"] * n_leads, "REST", name, time)


@pytest.fixture
def service(model: LeadModel, tmp_path: Path) -> ScoringService:
    """A service whose log writes when it is told to."""
    return ScoringService(model, log=PredictionLog(LogStore(tmp_path), seconds=NEVER))


def test_a_lead_and_its_answer_are_logged(service: ScoringService, tmp_path: Path) -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    answer = service.answer(LEAD, channel="form")
    assert service.log is not None
    service.log.close()
    (row,) = logged(tmp_path).to_dict("records")
    assert re.fullmatch("[0-9a-f]{32}", str(answer.request_id))
    assert (row["request_id"], row["row"], row["door"]) == (answer.request_id, 1, "form")
    assert (row["probability"], row["grade"]) == (answer.probability, answer.grade)
    assert row["revision"] == service.model.revision
    assert before <= row["time"] <= datetime.now(UTC)
    fields = {name: row[f"lead.{name}"] for name in service.model.schema.columns}
    assert {name: fields[name] for name in LEAD} == LEAD
    assert {name for name, value in fields.items() if pd.notna(value)} == set(LEAD)


def test_a_list_is_logged_row_by_row_under_one_name(service: ScoringService, tmp_path: Path) -> None:
    answers = service.answers([LEAD, {}, LEAD | {"age": 60}], channel="REST")
    service.log.close()  # type: ignore[union-attr]
    rows = logged(tmp_path)
    assert [answer.row for answer in answers] == rows["row"].tolist() == [1, 2, 3]
    assert {answer.request_id for answer in answers} == set(rows["request_id"])
    assert rows["probability"].tolist() == [answer.probability for answer in answers]
    assert np.array_equal(rows["lead.age"], [40, np.nan, 60], equal_nan=True)


def test_a_table_is_logged_as_its_leads_are(
    service: ScoringService, sample: pd.DataFrame, tmp_path: Path
) -> None:
    leads = sample.head(30)
    ranked = service.rank("leads.csv", pa.Table.from_pandas(leads, preserve_index=False), "list")
    fields = list(service.model.schema.by_name)
    service.answers(leads[fields].astype(object).where(leads[fields].notna(), None).to_dict("records"))
    service.log.close()  # type: ignore[union-attr]
    rows = logged(tmp_path)
    table, list_ = rows[rows["door"] == "list"], rows[rows["door"] == "API"]
    columns = [name for name in rows if name.startswith("lead.")]
    pd.testing.assert_frame_equal(
        table[columns].reset_index(drop=True), list_[columns].reset_index(drop=True)
    )
    np.testing.assert_allclose(table["probability"], list_["probability"], rtol=1e-9)
    assert set(ranked.answer("request_id").to_pylist()) == set(table["request_id"])
    best = ranked.answer("row").to_pylist()[0]
    assert table["probability"].tolist()[best - 1] == table["probability"].max()


def test_without_a_log_answers_have_no_name(model: LeadModel) -> None:
    service = ScoringService(model)
    assert service.answer(LEAD) == model.answer(LEAD)
    assert not {"request_id", "row"} & service.answers([LEAD])[0].model_dump().keys()


PRIVATE = "ann.planted@example.org"


@pytest.mark.parametrize("as_table", [False, True], ids=["leads", "table"])
def test_what_could_tell_who_it_is_is_not_kept(
    service: ScoringService, sample: pd.DataFrame, tmp_path: Path, as_table: bool
) -> None:
    """Planted in every field: a mail address, a text of few leads, a telephone number; and an id."""
    schema = service.model.schema
    fields = schema.by_name.values()
    planted = {field.name: PRIVATE if field.is_text else 4915112345678 for field in fields}
    rare = {field.name: "Kötzschenbroda" if field.is_text else -19850312.5 for field in fields}
    ignored = {name: f"planted {name}" for name in schema.ignored}
    leads = [lead | ignored for lead in (planted, rare)]
    if as_table:
        service.rank("leads.csv", pa.Table.from_pylist([{**lead} for lead in leads]), "list")
    else:
        service.answers(leads)
    service.log.close()  # type: ignore[union-attr]
    rows = logged(tmp_path)
    for field in fields:
        kept = rows[f"lead.{field.name}"].tolist()
        if field.is_text:
            assert kept == ["(other)", "(other)"]
        else:
            assert kept == [pytest.approx(field.maximum), pytest.approx(field.minimum)]
            assert kept[0] > (field.maximum or 1)
            assert kept[1] < (field.minimum or 0)
    content = b"".join(path.read_bytes() for path in tmp_path.rglob("*.parquet"))
    told = rows.to_csv()
    for secret in (PRIVATE, "Kötzschenbroda", "4915112345678", "19850312", "planted"):
        assert secret not in told
        assert secret.encode() not in content


def test_each_row_names_the_model_that_answered(
    service: ScoringService, second_model: LeadModel, tmp_path: Path
) -> None:
    first = service.model
    answers = [service.answer(LEAD)]
    service.model = second_model
    answers += [service.answer(LEAD), *service.answers([LEAD, LEAD])]
    service.model = first
    answers.append(service.answer(LEAD))
    service.log.close()  # type: ignore[union-attr]
    rows = logged(tmp_path)
    assert rows["revision"].tolist() == [answer.revision for answer in answers]
    assert rows["probability"].tolist() == [answer.probability for answer in answers]
    assert len(set(rows["revision"])) == 2


def test_many_threads_lose_and_mix_up_nothing(model: LeadModel, tmp_path: Path) -> None:
    log = PredictionLog(LogStore(tmp_path), seconds=0.01, max_rows=100)
    service, answers = ScoringService(model, log=log), []

    def call(number: int) -> None:
        for _ in range(20):
            answers.extend(service.answers([LEAD | {"age": 20 + number}] * 3))

    threads = [threading.Thread(target=call, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    rows = logged(tmp_path)
    assert len(rows) == len(answers) == log.n_logged == 12 * 20 * 3
    found = {(row.request_id, row.row): row for row in rows.itertuples()}
    assert all(found[one.request_id, one.row].probability == one.probability for one in answers)
    assert max(table.num_rows for table in read_files(find_files([tmp_path], LEADS))) == 100


def test_files_are_of_bounded_size_and_one_day(model: LeadModel, tmp_path: Path) -> None:
    log = PredictionLog(LogStore(tmp_path), seconds=NEVER, max_rows=40)
    for day in (0, 0, 1):
        log.add(made_call(model, 50, NOW + timedelta(days=day)))
        log.flush()
    log.close()
    files = find_files([tmp_path], LEADS)
    sizes = [(path.parent.name, table.num_rows) for path in files for table in read_files([path])]
    assert sorted(sizes) == sorted(
        [("2026-05-04", 40), ("2026-05-04", 40), ("2026-05-04", 20), ("2026-05-05", 40), ("2026-05-05", 10)]
    )


def test_a_file_grows_while_it_is_read(model: LeadModel, tmp_path: Path) -> None:
    log = PredictionLog(LogStore(tmp_path), seconds=NEVER)
    sizes = []
    for _ in range(3):
        log.add(made_call(model, 2))
        log.flush()
        sizes.append(len(logged(tmp_path)))
    log.close()
    assert sizes == [2, 4, 6]
    assert len(find_files([tmp_path], LEADS)) == 1


def test_a_full_queue_drops_and_counts_and_does_not_wait(model: LeadModel, tmp_path: Path) -> None:
    log = PredictionLog(LogStore(tmp_path), seconds=NEVER, max_waiting=10)
    with log._files:  # as a disk that does not answer
        for size in (4, 4, 4, 2, 1):
            log.add(made_call(model, size))
    log.close()
    assert (log.n_logged, log.n_dropped) == (10, 5)
    assert len(logged(tmp_path)) == 10


def test_a_failing_disk_costs_nothing_that_it_takes_later(
    model: LeadModel, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "leads"
    blocked.write_text("in the way")
    log = PredictionLog(LogStore(tmp_path), seconds=NEVER, max_waiting=10)
    log.add(made_call(model, 6))
    log.flush()
    assert "The prediction log cannot be written: " in caplog.text
    assert (log.n_logged, log.n_dropped) == (0, 0)
    blocked.unlink()
    log.add(made_call(model, 3))
    log.flush()
    assert len(logged(tmp_path)) == log.n_logged == 9
    log.close()


def test_what_a_disk_never_takes_is_given_up_and_counted(model: LeadModel, tmp_path: Path) -> None:
    (tmp_path / "leads").write_text("in the way")
    log = PredictionLog(LogStore(tmp_path), seconds=NEVER, max_waiting=10)
    for _ in range(5):
        log.add(made_call(model, 6))
        log.flush()
    log.close()
    assert log.n_dropped >= 18
    assert log.n_logged + log.n_dropped == 30


def test_what_cannot_be_read_is_left_out(
    model: LeadModel, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = PredictionLog(LogStore(tmp_path), seconds=NEVER)
    log.add(made_call(model))
    log.close()
    (whole,) = find_files([tmp_path], LEADS)
    (whole.parent / "20260504T000000Z-torn.parquet").write_bytes(whole.read_bytes()[:-9])
    (whole.parent / f".{'0' * 32}").write_bytes(b"PAR1")
    assert len(logged(tmp_path)) == 1
    assert "20260504T000000Z-torn.parquet" in caplog.text


@pytest.mark.parametrize(
    "foreign",
    [
        {"name": ["Ann"], "city": ["Cologne"]},
        {"request_id": [1], "row": [1], "time": ["x"], "route": ["/"], "converted": ["yes"]},
    ],
    ids=["other columns", "other types"],
)
def test_a_foreign_file_is_left_out(
    model: LeadModel, tmp_path: Path, caplog: pytest.LogCaptureFixture, foreign: dict[str, list[Any]]
) -> None:
    now = datetime.now(UTC)
    log = PredictionLog(LogStore(tmp_path), seconds=NEVER)
    log.add(made_call(model, time=now))
    log.close()
    for kind in ("leads", "requests", "outcomes"):
        path = tmp_path / kind / f"{now:%Y-%m-%d}" / "zz-foreign.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pa.parquet.write_table(pa.table(foreign), path)
    pd.DataFrame({"request_id": ["a" * 32], "status": ["Won"]}).to_csv(tmp_path / "won.csv")
    assert store_outcomes(LogStore(tmp_path), tmp_path / "won.csv").n_converted == 1
    history = read_history(LogStore(tmp_path), model, 30)
    assert history.scored["converted"].tolist() == [1.0]
    assert "zz-foreign.parquet is not of the prediction log" in caplog.text


WRITE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from leadmodel.model import LeadModel
from leadmodel.monitoring.log.files import LogStore
from leadmodel.monitoring.log.log import PredictionLog, ScoredCall
model = LeadModel.from_pretrained(sys.argv[1])
log = PredictionLog(LogStore(Path(sys.argv[2])), seconds=3600)
lead = model.schema.example()
print("ready", flush=True)
number = 0
while True:
    number += 1
    log.add(ScoredCall(model, [lead], [0.5], ["A"], "REST", f"{number:032x}", datetime.now(UTC)))
    log.flush()
    print(number, flush=True)
"""


@pytest.mark.parametrize("number", range(5))
def test_a_killed_process_leaves_whole_files_with_all_that_was_saved(
    folder: Path, tmp_path: Path, number: int
) -> None:
    words = [sys.executable, "-c", WRITE, str(folder), str(tmp_path / "log")]
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.05 + 0.017 * number)
    os.kill(process.pid, signal.SIGKILL)
    saved = len(process.communicate()[0].split())
    files = find_files([tmp_path / "log"], LEADS)
    rows = [pa.parquet.read_table(path).num_rows for path in files]
    assert saved <= sum(rows) <= saved + 1


def test_frames_and_leads_keep_the_same(model: LeadModel, sample: pd.DataFrame) -> None:
    from leadmodel.monitoring.log.privacy import keep_leads, restore_leads

    leads = sample.head(200)[list(model.schema.by_name)]
    typed = read_leads(model.schema, leads)
    raw: Sequence[Any] = leads.astype(object).where(leads.notna(), None).to_dict("records")
    kept = keep_leads(LeadTable.from_frame(model.schema, typed))
    assert {name: column.to_pylist() for name, column in kept.items()} == {
        name: column.to_pylist() for name, column in keep_leads(read_records(model.schema, raw)).items()
    }
    restored = restore_leads(model.schema, kept)
    assert list(restored.columns) == list(typed.columns)
    for field in model.schema.fields:
        now, then = restored[field.name], typed[field.name]
        if field.is_text:
            known = then.astype(object).where(then.isin([*field.choices, "(missing)"]), "(other)")
            assert now.astype(object).tolist() == known.tolist()
        else:
            # Of a number beyond the published range, only that it lies beyond is kept.
            low, high = np.nextafter(field.minimum, -np.inf), np.nextafter(field.maximum, np.inf)
            np.testing.assert_array_equal(now, then.clip(low, high))
