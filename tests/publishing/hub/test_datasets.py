"""A log in a dataset repository: private, committed in the background, and back from there."""

import os
import re
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pandas as pd
import pyarrow as pa
import pytest
from hub_server import Fault, LoopbackHub
from huggingface_hub import HfApi
from support import running_app

from leadmodel.model import LeadModel
from leadmodel.monitoring.log.files import LogStore, find_files, read_files
from leadmodel.monitoring.log.log import LEADS, PredictionLog, ScoredCall
from leadmodel.monitoring.log.outcomes import read_outcomes, store_outcomes
from leadmodel.publishing.hub import datasets
from leadmodel.publishing.hub.client import HubError

LOG = "datasets/demo/log"
NOW = datetime.now(UTC)


@pytest.fixture
def place(hub: LoopbackHub) -> Iterator[LogStore]:
    """A log on the Hub, and nothing of it on this machine."""
    place = LogStore.of(LOG)
    yield place
    shutil.rmtree(place.folder, ignore_errors=True)
    shutil.rmtree(Path(os.environ["HF_HOME"]) / "leadmodel", ignore_errors=True)


def call(model: LeadModel, number: int, time: datetime = NOW) -> ScoredCall:
    return ScoredCall(model, [model.schema.example()], [0.5], ["B"], "API", f"{number:032x}", time)


def names(place: LogStore, days: int | None = None) -> list[str]:
    """Return the calls in a log, as whoever reads it finds them."""
    tables = read_files(find_files(place.roots([LEADS], days), LEADS, days), ["request_id"])
    return sorted(pa.concat_tables(tables)["request_id"].to_pylist())


def committed(hub: LoopbackHub) -> list[str]:
    files = hub.repository("dataset", "demo/log").at("main").files
    return sorted(name for name in files if name.endswith(".parquet"))


def test_the_place_is_told_by_its_name(tmp_path: Path) -> None:
    assert (
        LogStore.of("datasets/demo/log").repo_id
        == LogStore.of("hf://datasets/demo/log/").repo_id
        == "demo/log"
    )
    for folder in (
        "datasets",
        "./datasets/demo/log",
        "datasets/demo",
        "datasets/demo/log/2026",
        "demo/log",
    ):
        assert LogStore.of(folder) == LogStore(Path(folder).absolute())


def test_a_closed_log_is_committed_to_a_private_repository(
    hub: LoopbackHub, place: LogStore, model: LeadModel
) -> None:
    log = PredictionLog(place, seconds=3600)
    for number in range(3):
        log.add(call(model, number))
    log.close()
    assert hub.repository("dataset", "demo/log").private
    assert len(committed(hub)) == 1
    shutil.rmtree(place.folder)
    assert names(place) == names(place, days=2) == [f"{number:032x}" for number in range(3)]


def test_a_file_that_grows_is_committed_again_whole(
    hub: LoopbackHub, place: LogStore, model: LeadModel
) -> None:
    log = PredictionLog(place, seconds=3600)
    assert log._uploads is not None
    for number in range(3):
        log.add(call(model, number))
        log.flush()
        log._uploads.commit()
        assert len(committed(hub)) == 1
        shutil.rmtree(Path(os.environ["HF_HOME"]) / "leadmodel" / "fetched", ignore_errors=True)
        assert len(names(place)) == number + 1
    log.close()


def test_past_days_leave_this_machine_once_they_are_committed(
    hub: LoopbackHub, place: LogStore, model: LeadModel
) -> None:
    log = PredictionLog(place, seconds=3600)
    log.add(call(model, 1, NOW - timedelta(days=2)))
    log.add(call(model, 2))
    log.close()
    assert [path.parent.name for path in find_files([place.folder], LEADS)] == [NOW.date().isoformat()]
    assert len(names(place)) == 2
    assert names(place, days=1) == [f"{2:032x}"]


def test_what_a_silent_hub_does_not_take_is_committed_at_the_next_start(
    hub: LoopbackHub, place: LogStore, model: LeadModel, caplog: pytest.LogCaptureFixture
) -> None:
    log = PredictionLog(place, seconds=3600)
    hub.fail("POST", "/commit/", Fault.status(403), times=None)
    log.add(call(model, 1))
    log.close()
    assert "1 files of the prediction log are not sent and wait for the next start" in caplog.text
    assert len(find_files([place.folder], LEADS)) == 1
    hub.heal()
    PredictionLog(place, seconds=3600).close()
    assert len(committed(hub)) == 1


def test_an_app_starts_to_log_while_the_hub_is_silent(
    hub: LoopbackHub,
    place: LogStore,
    model: LeadModel,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    hub.fail("*", "/", Fault.hang_up(), times=None)
    monkeypatch.setattr(datasets, "START_SECONDS", 60)
    log = PredictionLog(place, seconds=3600)
    log.add(call(model, 1))
    log.flush()
    assert "The prediction log waits on this machine" in caplog.text
    hub.heal()
    log.close()
    assert len(committed(hub)) == 1


def test_a_silent_hub_holds_up_neither_start_nor_stop(
    hub: LoopbackHub,
    place: LogStore,
    model: LeadModel,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(datasets, "STOP_SECONDS", 1)
    hub.fail("*", "/", Fault.silent(), times=None)
    log = PredictionLog(place, seconds=3600)
    log.add(call(model, 1))
    log.close()
    assert "1 files of the prediction log are not sent and wait for the next start" in caplog.text
    hub.heal()
    PredictionLog(place, seconds=3600).close()
    assert names(place) == [f"{1:032x}"]


def test_a_hub_that_falls_silent_while_it_takes_the_log_does_not_hold_up_the_stop(
    hub: LoopbackHub,
    place: LogStore,
    model: LeadModel,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(datasets, "STOP_SECONDS", 2)
    log = PredictionLog(place, seconds=3600)
    hub.fail("PUT", "/cdn/", Fault.silent(), times=None)
    log.add(call(model, 1))
    log.close()
    assert "1 files of the prediction log are not sent and wait for the next start" in caplog.text


def test_an_app_starts_and_stops_while_the_hub_is_silent_and_sends_the_rest_the_next_time(
    hub: LoopbackHub, place: LogStore, folder: Path, tmp_path: Path
) -> None:
    """`running_app` fails if the app has not ended 20 seconds after it was told to."""
    hub.fail("*", "/", Fault.silent(), times=None)
    with running_app(str(folder), log=tmp_path / "printed", LEADMODEL_LOG=LOG) as address:
        name = httpx.post(f"{address}/api/v1/score", json={"age": 40}).json()["request_id"]
    printed = (tmp_path / "printed").read_text()
    assert re.search(r"\d files of the prediction log are not sent and wait for the next start", printed)
    hub.heal()
    with running_app(str(folder), LEADMODEL_LOG=LOG):
        pass
    shutil.rmtree(place.folder)
    assert names(place) == [name]


def test_a_public_repository_is_refused(
    hub: LoopbackHub, place: LogStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "START_SECONDS", 60)
    HfApi().create_repo("demo/log", repo_type="dataset")
    with pytest.raises(HubError, match="'demo/log' must be private"):
        PredictionLog(place)


@pytest.mark.parametrize(
    ("token", "message"),
    [("reader", "may only read"), ("stranger", "may not write to 'demo/log'"), ("", "Nobody is logged in")],
)
def test_who_may_not_write_is_told_at_once(
    hub: LoopbackHub, place: LogStore, monkeypatch: pytest.MonkeyPatch, token: str, message: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    monkeypatch.setattr(datasets, "START_SECONDS", 60)
    with pytest.raises(HubError, match=message):
        PredictionLog(place)


def test_outcomes_are_stored_in_the_repository(
    hub: LoopbackHub, place: LogStore, model: LeadModel, tmp_path: Path
) -> None:
    log = PredictionLog(place, seconds=3600)
    log.add(call(model, 1))
    log.close()
    shutil.rmtree(place.folder)
    path = tmp_path / "outcomes.csv"
    pd.DataFrame({"request_id": [f"{1:032x}"], "status": ["Won"]}).to_csv(path, index=False)
    assert store_outcomes(place, path).n_stored == 1
    shutil.rmtree(place.folder)
    assert len(read_outcomes(place.roots(["outcomes"]))) == 1


def test_no_such_repository_is_told(hub: LoopbackHub, place: LogStore) -> None:
    with pytest.raises(HubError, match="'demo/log' cannot be read"):
        place.roots([LEADS])


def test_an_app_that_is_stopped_commits_its_last_lead(
    hub: LoopbackHub, place: LogStore, folder: Path
) -> None:
    with running_app(str(folder), LEADMODEL_LOG=LOG) as address:
        name = httpx.post(f"{address}/api/v1/score", json={"age": 40}).json()["request_id"]
    deadline = time.monotonic() + 30
    while not committed(hub) and time.monotonic() < deadline:
        time.sleep(0.1)
    shutil.rmtree(place.folder, ignore_errors=True)
    assert names(place) == [name]
