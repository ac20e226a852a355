"""From a CSV to a public app and back: the commands, the Hub between them, and its failures."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from hub_server import Fault, LoopbackHub
from huggingface_hub import snapshot_download
from support import command, running_app

from leadmodel.model import LeadModel
from leadmodel.publishing.hub.push import versions
from leadmodel.publishing.hub.space import HubSpace

REPO, SPACE = "demo/leads", "demo/leads-app"
LEAD = {"source": "Referral", "minutes_on_site": 42}


def score(address: str, client: Any = httpx) -> dict[str, Any]:
    answer = client.post(
        f"{address}/gradio_api/run/predict_batch", json={"data": [[LEAD], True]}, timeout=30
    )
    answer.raise_for_status()
    return dict(answer.json()["data"][0][0])


def wait_for_revision(address: str, revision: str) -> None:
    deadline = time.monotonic() + 30
    while score(address)["revision"] != revision:
        assert time.monotonic() < deadline, "the newer revision is not served"
        time.sleep(0.05)


def test_one_command_from_a_csv_to_a_public_app(
    hub: LoopbackHub, sample: pd.DataFrame, tmp_path: Path
) -> None:
    csv, output = tmp_path / "leads.csv", tmp_path / "model"
    sample.to_csv(csv, index=False)
    pushed = ["--push", REPO, "--space", SPACE]
    done = command("train.py", "--data", csv, "--target", "status", "--output", output, *pushed)
    assert done.returncode == 0, done.stderr
    assert f"Model: {hub.url}/{REPO} (v1, commit " in done.stdout
    assert f"App:   {hub.url}/spaces/{SPACE}" in done.stdout
    assert "writer" not in done.stdout + done.stderr
    assert LeadModel.from_pretrained(REPO).files == LeadModel.from_pretrained(output).files

    space = snapshot_download(SPACE, repo_type="space", local_dir=tmp_path / "space")
    variables = hub.repository("space", SPACE).variables
    with running_app(variables["LEADMODEL_REPO"].value, Path(space)) as address:
        answer = score(address)
    assert answer["revision"] == versions(REPO)["v1"]
    assert answer == LeadModel.from_pretrained(REPO).answer(LEAD).model_dump(mode="json")


def test_a_space_that_fails_leaves_the_model_and_says_how_to_go_on(
    hub: LoopbackHub, sample: pd.DataFrame, tmp_path: Path
) -> None:
    csv, output = tmp_path / "leads.csv", tmp_path / "model"
    sample.to_csv(csv, index=False)
    hub.fail("POST", f"/spaces/{SPACE}/commit/", Fault.status(501), times=None)
    pushed = ["--push", REPO, "--space", SPACE]
    done = command("train.py", "--data", csv, "--target", "status", "--output", output, *pushed)
    assert done.returncode == 2
    assert "written after" in done.stdout
    assert f"Model: {hub.url}/{REPO} (v1, commit " in done.stdout
    assert f"Could not write the files of the Space '{SPACE}'" in done.stderr
    again = f"publish {output} --push {REPO} --space {SPACE}"
    assert f"To publish without training again: leadmodel {again}" in done.stderr
    hub.heal()
    done = command("-m", "leadmodel", *again.split())
    assert (done.returncode, done.stderr) == (0, "")
    assert f"App:   {hub.url}/spaces/{SPACE}" in done.stdout
    assert list(versions(REPO)) == ["v1"]


def test_a_space_without_a_variable_serves_its_model(
    hub: LoopbackHub, model: LeadModel, tmp_path: Path
) -> None:
    published = model.push_to_hub(REPO)
    hub.fail("*", "/variables", Fault.status(501), times=None)
    HubSpace(SPACE).publish(REPO, "Leads")
    space = snapshot_download(SPACE, repo_type="space", local_dir=tmp_path / "space")
    code = (
        "import os, runpy; del os.environ['LEADMODEL_REPO']; runpy.run_path('app.py', run_name='__main__')"
    )
    with running_app("", Path(space), code=code) as address:
        assert score(address)["revision"] == published.commit


def test_a_slow_hub_makes_the_app_start_from_the_cache_and_correct_itself(
    hub: LoopbackHub, model: LeadModel, second_model: LeadModel
) -> None:
    model.push_to_hub(REPO)
    LeadModel.from_pretrained(REPO)
    newer = second_model.push_to_hub(REPO).commit
    hub.fail("*", "", Fault.slow(1), times=None)
    with running_app(REPO, LEADMODEL_POLL="3600") as address:
        wait_for_revision(address, newer)


@pytest.mark.parametrize(
    ("token", "arguments", "message"),
    [
        ("reader", ["--push", REPO], "The token may only read"),
        ("", ["--push", REPO], "Nobody is logged in"),
        ("writer", ["--space", SPACE], "--space needs --push as well"),
        ("writer", ["--push", "other/leads"], "may not write to 'other/leads'"),
    ],
)
def test_what_cannot_be_published_is_told_before_training(
    hub: LoopbackHub, tmp_path: Path, token: str, arguments: list[str], message: str
) -> None:
    done = command("train.py", "--output", tmp_path / "model", *arguments, HF_TOKEN=token)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "model").exists()


@pytest.fixture
def app(hub: LoopbackHub, model: LeadModel) -> Iterator[str]:
    """The app, following the first model's repository by quick looks."""
    model.push_to_hub(REPO)
    with running_app(REPO, LEADMODEL_POLL="0.2", LEADMODEL_WEBHOOK_SECRET="hush") as address:
        yield address


def test_a_newer_revision_is_picked_up_under_load(app: str, second_model: LeadModel) -> None:
    """No failed request and no mixed answer, while sixteen clients ask and the model changes."""
    answers: list[dict[str, Any]] = []
    failures: list[Exception] = []
    done = threading.Event()

    def ask() -> None:
        with httpx.Client() as client:
            while not done.is_set():
                try:
                    answers.append(score(app, client))
                except (httpx.HTTPError, KeyError) as error:
                    failures.append(error)

    clients = [threading.Thread(target=ask) for _ in range(16)]
    for client in clients:
        client.start()
    newer = second_model.push_to_hub(REPO).commit
    wait_for_revision(app, newer)
    deadline = time.monotonic() + 60  # on a busy machine the first answer of the new model takes a while
    while time.monotonic() < deadline and not any(answer["revision"] == newer for answer in answers[-50:]):
        time.sleep(0.1)
    done.set()
    for client in clients:
        client.join()
    assert failures == []
    found = versions(REPO)
    expected = {
        found[tag]: LeadModel.from_pretrained(REPO, tag).answer(LEAD).model_dump(mode="json")
        for tag in ("v1", "v2")
    }
    assert {answer["revision"] for answer in answers} == set(expected)
    assert [answer for answer in answers if answer != expected[answer["revision"]]] == []


def test_going_back_is_one_command(app: str, model: LeadModel, second_model: LeadModel) -> None:
    wait_for_revision(app, versions(REPO)["v1"])
    second_model.push_to_hub(REPO)
    done = command("-m", "leadmodel", "rollback", "--model", REPO, "--to", "v1")
    assert done.returncode == 0, done.stderr
    assert "is now v3" in done.stdout
    wait_for_revision(app, versions(REPO)["v3"])
    assert score(app)["probability"] == model.answer(LEAD).probability


def test_the_webhook_needs_its_secret(app: str) -> None:
    for secret, status in (("hush", 202), ("wrong", 403), (None, 403), ("ü", 403)):
        headers = {} if secret is None else {"X-Webhook-Secret": secret.encode()}
        assert httpx.post(f"{app}/webhooks/hub", headers=headers).status_code == status


def test_a_pinned_app_stays_with_its_revision(
    hub: LoopbackHub, model: LeadModel, second_model: LeadModel
) -> None:
    first = model.push_to_hub(REPO).commit
    second_model.push_to_hub(REPO)
    with running_app(REPO, LEADMODEL_REVISION="v1", LEADMODEL_POLL="0.1") as address:
        time.sleep(0.5)
        assert score(address)["revision"] == first


def test_the_app_starts_from_the_cache_without_a_hub(
    model: LeadModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LoopbackHub() as other:
        other.add_token("writer", user="demo", write=True)
        environment = {"HF_ENDPOINT": other.url, "HF_HOME": str(tmp_path), "HF_TOKEN": "writer"}
        model.save_pretrained(tmp_path / "model")
        push = (
            "import sys; from leadmodel.model import LeadModel; "
            "model = LeadModel.from_pretrained(sys.argv[1]); model.push_to_hub('demo/leads'); "
            "LeadModel.from_pretrained('demo/leads')"
        )
        done = command("-c", push, tmp_path / "model", **environment)
        assert done.returncode == 0, done.stderr
        commit = other.repository("model", REPO).commits[0].oid
    with running_app(REPO, **environment) as address:
        assert score(address)["revision"] == commit


def test_without_hub_and_cache_the_app_ends_with_one_message(tmp_path: Path) -> None:
    environment = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path), "LEADMODEL_REPO": REPO}
    done = command("app.py", GRADIO_SERVER_PORT="0", **environment)
    assert done.returncode == 2
    assert "the cache does not hold it" in done.stderr
    assert "Traceback" not in done.stderr
