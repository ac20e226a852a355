"""The published Space as it really starts: its own files, in an environment built as a Space builds it."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gradio_client
import mcp_client
import pytest
import yaml
from hub_server import LoopbackHub
from huggingface_hub import snapshot_download
from playwright.sync_api import expect, sync_playwright
from support import running_app, when_ready

from leadmodel.model import LeadModel
from leadmodel.publishing.hub.space import HubSpace

pytestmark = [pytest.mark.package, pytest.mark.timeout(1800)]

REPO, OTHER_REPO, SPACE = "demo/leads", "demo/other-leads", "demo/leads-app"
LEAD = {"source": "Referral", "minutes_on_site": 42}
BESIDE = ("uvicorn>=0.14.0", "websockets>=10.4", "spaces", "datasets")
"""What the Hub installs in a Gradio Space beside its requirements.txt and Gradio."""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment made by the one pip command that builds a Gradio Space."""
    files = Path(__file__).parents[2] / "leadmodel" / "publishing" / "hub" / "space_files"
    front = yaml.safe_load((files / "README.md").read_text(encoding="utf-8").split("---\n")[1])
    folder = tmp_path_factory.mktemp("space")
    probe = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "threadpoolctl==3.8.0"]
    if subprocess.run([*probe, "--dest", folder / "probe"], capture_output=True, check=False).returncode:
        pytest.skip("no package registry can be reached")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    gradio = f"gradio[oauth,mcp]=={front['sdk_version']}"
    install = [
        folder / "venv" / "bin" / "pip",
        "install",
        "--quiet",
        "-r",
        files / "requirements.txt",
        gradio,
    ]
    done = subprocess.run([*install, *BESIDE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "venv" / "bin" / "python"


@contextmanager
def running_space(
    home: Path, python: Path, repository: str | None = None, log: Path | None = None
) -> Iterator[str]:
    """Start a Space's files as the Hub does, in a home that cannot be written; yield its address."""
    # A container's user is not root; here root gives up the right to write where the mode forbids it.
    as_user = (
        ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
        if os.getuid() == 0 and shutil.which("setpriv")
        else []
    )
    temporary = home.parent / "tmp"
    temporary.mkdir(exist_ok=True)
    environment = {
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "HF_HOME": str(temporary / "hf"),
        "SYSTEM": "spaces",
        "SPACE_ID": SPACE,
        "SPACE_HOST": "demo-leads-app.hf.space",
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_NUM_PORTS": "1",
        "GRADIO_THEME": "huggingface",
        "LEADMODEL_POLL": "1",
    }
    # Compiled before: what is installed is compiled too, and a Space's home cannot be written later.
    subprocess.run([python, "-m", "compileall", "-q", home], check=True)
    subprocess.run(["chmod", "-R", "a-w", home], check=True)
    try:
        with running_app(
            repository, home, log=log, python=python, prefix=as_user, **environment
        ) as address:
            yield address
    finally:
        subprocess.run(["chmod", "-R", "u+w", home], check=True)


def score(address: str) -> dict[str, object]:
    """Score a lead as a script does."""
    asked = ["curl", "-sf", "-H", "Content-Type: application/json", "-d", json.dumps(LEAD)]
    done = subprocess.run([*asked, f"{address}/api/v1/score"], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


@pytest.mark.skipif(shutil.which("chromium") is None, reason="Debian's chromium is not installed")
def test_the_published_space_starts_answers_and_takes_a_newer_revision(
    hub: LoopbackHub, model: LeadModel, second_model: LeadModel, python: Path, tmp_path: Path
) -> None:
    model.push_to_hub(REPO)
    HubSpace(SPACE).publish(REPO, "Leads")
    home = Path(snapshot_download(SPACE, repo_type="space", local_dir=tmp_path / "home"))
    with running_space(home, python) as address:
        assert score(address)["probability"] == model.answer(LEAD).probability
        client = gradio_client.Client(address, verbose=False)
        assert client.predict(**LEAD, api_name="/predict")["probability"] == score(address)["probability"]
        tools = mcp_client.with_session(address, lambda session: session.list_tools()).tools
        # Gradio puts the name of the Space before those of its tools.
        assert "leads_app_predict" in {tool.name for tool in tools}
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            page = browser.new_page()
            page.goto(address)
            when_ready(page)
            expect(page.get_by_label("Occupation")).to_be_visible()
            browser.close()
        expected = second_model.answer(LEAD).probability
        second_model.push_to_hub(REPO)
        deadline = time.monotonic() + 120
        while score(address)["probability"] != expected:
            assert time.monotonic() < deadline, "the newer revision is not served"
            time.sleep(0.2)


@pytest.mark.parametrize("named", [True, False], ids=["another model", "no model"])
def test_a_copy_of_the_space_serves_what_its_variable_names(
    hub: LoopbackHub, model: LeadModel, second_model: LeadModel, python: Path, tmp_path: Path, named: bool
) -> None:
    model.push_to_hub(REPO)
    second_model.push_to_hub(OTHER_REPO)
    HubSpace(SPACE).publish(REPO, "Leads")
    home = Path(snapshot_download(SPACE, repo_type="space", local_dir=tmp_path / "home"))
    log = tmp_path / "log"
    with running_space(home, python, OTHER_REPO if named else "", log) as address:
        answer = score(address)
    if named:
        assert answer["probability"] == second_model.answer(LEAD).probability
    else:
        assert "training on the synthetic sample" in log.read_text(encoding="utf-8")
        assert "Synthetic" in log.read_text(encoding="utf-8").splitlines()[-2]
