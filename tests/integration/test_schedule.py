"""What retrains on a schedule: each only calls commands that exist, with options that they take."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from support import ROOT, command

from leadmodel.leads.sample import make_sample
from leadmodel.model import LeadModel

WORKFLOW = ROOT / ".github" / "workflows" / "retrain.yml"


def assert_is_a_command(line: str) -> None:
    """Have the command itself say that it takes these options: without leads it goes no further."""
    arguments = shlex.split(line)
    assert arguments[:3] == ["python", "-m", "leadmodel"]
    done = command(*arguments[1:])
    assert done.returncode == 2
    assert "usage:" not in done.stderr
    assert "/nowhere" in done.stderr


def test_the_workflow_calls_the_command() -> None:
    flow = yaml.safe_load(WORKFLOW.read_text())
    job = flow["jobs"]["retrain"]
    line = job["steps"][-1]["run"]
    assert job["env"].keys() == {"HF_TOKEN", "LEADS", "MODEL"}
    assert flow["concurrency"] == "retrain"
    assert flow[True]["schedule"], "YAML reads the key on as true"
    assert_is_a_command(
        line.replace("$LEADS", "/nowhere").replace("$MODEL", "/nowhere").replace(" --push", "")
    )


class _Jobs(BaseHTTPRequestHandler):
    """As much of the Hub as schedules a job."""

    posted: list[tuple[str, dict[str, Any]]]

    def do_GET(self) -> None:
        self._answer({"type": "user", "name": "demo", "orgs": [], "auth": {"type": "access_token"}})

    def do_POST(self) -> None:
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.posted.append((self.path, content))
        owner = {"id": "1", "name": "demo", "type": "user"}
        spec = {key: value for key, value in content["jobSpec"].items() if key != "secrets"}
        answer = {"id": "job-7", "createdAt": "2026-01-01T00:00:00.000Z", "jobSpec": spec, "owner": owner}
        self._answer(answer | {"schedule": content["schedule"], "status": {}, "initiator": owner})

    def _answer(self, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def jobs_server() -> Iterator[tuple[str, list[tuple[str, dict[str, Any]]]]]:
    posted: list[tuple[str, dict[str, Any]]] = []
    handler = type("Jobs", (_Jobs,), {"posted": posted})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", posted
        server.shutdown()


def test_the_job_on_the_hub_calls_the_command_in_the_image_of_the_space() -> None:
    with jobs_server() as (address, posted):
        done = command(
            "examples/schedule_on_hub.py",
            *("demo/space", "demo/model", "hf://datasets/demo/leads/leads.csv"),
            HF_ENDPOINT=address,
            HF_TOKEN="a-token",
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Scheduled @weekly: job-7\n"
    [(path, content)] = posted
    assert path == "/api/scheduled-jobs/demo"
    spec = content["jobSpec"]
    assert spec["spaceId"] == "demo/space"
    assert spec["secrets"] == {"HF_TOKEN": "a-token"}
    shell, flag, line = spec["command"]
    assert (shell, flag) == ("sh", "-c")
    called = line.removeprefix("cd /home/user/app && ")
    assert called == (
        "python -m leadmodel retrain --data hf://datasets/demo/leads/leads.csv --model demo/model --push"
    )


def airflow_python() -> str | None:
    """The Python of an environment with Airflow: LEADMODEL_AIRFLOW, or beside an airflow command."""
    named = os.environ.get("LEADMODEL_AIRFLOW") or shutil.which("airflow")
    return str(Path(named).parent / "python") if named else None


@pytest.mark.skipif(airflow_python() is None, reason="LEADMODEL_AIRFLOW names no airflow command")
@pytest.mark.timeout(600)
def test_the_dag_is_parsed_and_runs_once(model: LeadModel, sample: pd.DataFrame, tmp_path: Path) -> None:
    work, home = tmp_path / "work", tmp_path / "project"
    work.mkdir()
    (home / ".venv" / "bin").mkdir(parents=True)
    python_here = home / ".venv" / "bin" / "python"
    python_here.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    python_here.chmod(0o755)
    for name in ("leadmodel", "model_card.md"):
        (home / name).symlink_to(ROOT / name)
    model.save_pretrained(home / "model")
    make_sample(2400, random_state=3).to_csv(tmp_path / "past.csv", index=False)
    sample.head(50).to_csv(tmp_path / "new.csv", index=False)
    environment = os.environ | {
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "examples"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONPATH": "",
        "LEADMODEL_HOME": str(home),
        "LEADMODEL_MODEL": str(home / "model"),
        "LEADMODEL_WORK": str(work),
        "LEADMODEL_PAST": f"cp {tmp_path / 'past.csv'} $PAST",
        "LEADMODEL_NEW": f"cp {tmp_path / 'new.csv'} $NEW",
    }
    code = (
        "import runpy; "
        f"dag = runpy.run_path({str(ROOT / 'examples' / 'airflow_dag.py')!r})['dag']; "
        "run = dag.test(); print('state:', run.state)"
    )
    python = airflow_python()
    assert python is not None
    subprocess.run(
        [python, "-m", "airflow", "db", "migrate"], env=environment, check=True, capture_output=True
    )
    done = subprocess.run(
        [python, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert "state: success" in done.stdout, done.stdout + done.stderr
    assert len(pd.read_csv(work / "scored.csv")) == 50
