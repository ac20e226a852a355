import threading
import time
from pathlib import Path

import hostile
import pandas as pd
import pytest
from hub_server import Fault, LoopbackHub
from huggingface_hub import HfApi

from leadmodel.leads.sample import SAMPLE_RECIPE
from leadmodel.model import LeadModel
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.serving.reload import Updater
from leadmodel.serving.service import ScoringService
from leadmodel.training.interface import train_model

REPO = "demo/leads"


@pytest.fixture
def service(hub: LoopbackHub, model: LeadModel) -> ScoringService:
    """A service of the first model that is published."""
    model.push_to_hub(REPO)
    return ScoringService(LeadModel.from_pretrained(REPO))


def test_a_newer_revision_is_served(service: ScoringService, second_model: LeadModel) -> None:
    updater = Updater(service, REPO)
    first = service.model
    updater.check()
    assert service.model is first
    newer = second_model.push_to_hub(REPO).commit
    updater.check()
    assert service.model.revision == newer
    assert service.model.files == second_model.files


def test_a_pinned_tag_stays(service: ScoringService, second_model: LeadModel) -> None:
    first = service.model
    second_model.push_to_hub(REPO)
    Updater(service, REPO, "v1").check()
    assert service.model is first


def test_a_broken_revision_is_refused_once_and_the_old_one_serves(
    hub: LoopbackHub, service: ScoringService, second_model: LeadModel, caplog: pytest.LogCaptureFixture
) -> None:
    first, updater = service.model, Updater(service, REPO)
    HfApi().upload_file(path_or_fileobj=b"{}", path_in_repo="config.json", repo_id=REPO)
    updater.check()
    assert service.model is first
    assert "is refused: config.json must be of format 1" in caplog.text
    caplog.clear()
    updater.check()
    assert caplog.text == ""
    second_model.push_to_hub(REPO)
    updater.check()
    assert service.model.files == second_model.files


def test_a_revision_that_cannot_be_shown_is_refused_and_the_old_one_serves(
    hub: LoopbackHub, service: ScoringService, model: LeadModel, caplog: pytest.LogCaptureFixture
) -> None:
    first, files = service.model, hostile.KINDS["a level of an unknown field"][0](model, Path("unused"))
    HfApi().upload_file(path_or_fileobj=files["metrics.json"], path_in_repo="metrics.json", repo_id=REPO)
    Updater(service, REPO).check()
    assert service.model is first
    assert "is refused: The model cannot be shown: KeyError: 'shoe size'" in caplog.text


def test_other_fields_need_a_restart(
    service: ScoringService,
    sample: pd.DataFrame,
    quick: TrainingSettings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    first = service.model
    train_model(sample.drop(columns="age"), SAMPLE_RECIPE, quick).push_to_hub(REPO)
    Updater(service, REPO).check()
    assert service.model is first
    assert "it has other fields than the served one (age); restart the app" in caplog.text


def test_a_silent_hub_changes_nothing(
    hub: LoopbackHub, service: ScoringService, caplog: pytest.LogCaptureFixture
) -> None:
    first = service.model
    hub.fail("*", "/", Fault.hang_up(), times=None)
    Updater(service, REPO).check()
    assert service.model is first
    assert "Newer revisions of demo/leads cannot be looked up" in caplog.text


def test_a_failing_download_is_tried_again_at_the_next_look(
    hub: LoopbackHub, service: ScoringService, second_model: LeadModel
) -> None:
    first, updater = service.model, Updater(service, REPO)
    newer = second_model.push_to_hub(REPO).commit
    hub.fail("*", "/resolve/", Fault.status(500), times=None)
    updater.check()
    assert service.model is first
    hub.heal()
    updater.check()
    assert service.model.revision == newer


def test_a_nudge_looks_at_once_and_stop_ends_the_thread(
    service: ScoringService, second_model: LeadModel
) -> None:
    updater = Updater(service, REPO, seconds=3600)
    updater.start()
    newer = second_model.push_to_hub(REPO).commit
    updater.check_now()
    deadline = time.monotonic() + 30
    while service.model.revision != newer and time.monotonic() < deadline:
        time.sleep(0.02)
    updater.stop()
    updater.join(timeout=5)
    assert service.model.revision == newer
    assert not updater.is_alive()


def test_no_answer_is_of_two_models(
    service: ScoringService, model: LeadModel, second_model: LeadModel
) -> None:
    """Sixteen callers while the model is replaced: each answer is wholly of its revision."""
    lead = {"source": "Referral", "minutes_on_site": 20, "age": 40}
    revisions = [model.push_to_hub(REPO).commit, second_model.push_to_hub(REPO).commit]
    expected = {
        revision: one.answer(lead).model_copy(update={"revision": revision})
        for revision, one in zip(revisions, (model, second_model), strict=True)
    }
    models = [LeadModel.from_pretrained(REPO, revision) for revision in revisions]
    service.model = models[0]
    answers: list[object] = []
    done = threading.Event()

    def call() -> None:
        while not done.is_set():
            answers.append(service.answer(lead))

    callers = [threading.Thread(target=call) for _ in range(16)]
    for caller in callers:
        caller.start()
    for number in range(40):
        service.model = models[number % 2]
        time.sleep(0.01)
    done.set()
    for caller in callers:
        caller.join()
    assert {answer.revision for answer in answers} == set(revisions)  # type: ignore[attr-defined]
    assert [answer for answer in answers if answer not in expected.values()] == []
