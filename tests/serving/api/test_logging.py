"""Every door of a running app, logged; and a SIGTERM, which loses nothing."""

import base64
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pyarrow as pa
import pytest
from gradio_client import Client
from support import ROOT, command, free_port, running_app, wait_for

from leadmodel.monitoring.log.files import find_files, read_files
from leadmodel.monitoring.log.log import LEADS, REQUESTS

LEAD = {"source": "Referral", "minutes_on_site": 42}


def rows_of(folder: Path, kind: str = LEADS) -> pd.DataFrame:
    return pa.concat_tables(read_files(find_files([folder], kind))).to_pandas()


def run(address: str, name: str, *data: Any) -> Any:
    answer = httpx.post(f"{address}/gradio_api/run/{name}", json={"data": data}, timeout=60)
    return answer.raise_for_status().json()["data"][0]


def press(address: str, button: str, *data: Any) -> None:
    """Do what a button of a page does, with these values of its widgets; all others are empty."""
    config = httpx.get(f"{address}/config").json()
    labels = {part["id"]: part["props"].get("value") for part in config["components"]}
    event, *_ = [
        one
        for one in config["dependencies"]
        if any(labels.get(part) == button and kind == "click" for part, kind in one["targets"])
    ]
    values = [*data, *[None] * (len(event["inputs"]) - len(data))]
    body = {"data": values, "fn_index": event["id"], "session_hash": button}
    httpx.post(f"{address}/gradio_api/queue/join", json=body).raise_for_status()
    listen: dict[str, Any] = {"timeout": 60.0, "params": {"session_hash": button}}
    with httpx.stream("GET", f"{address}/gradio_api/queue/data", **listen) as stream:
        assert any("process_completed" in line for line in stream.iter_lines())


def test_every_door_is_logged_and_its_answers_name_their_call(
    folder: Path, sample: pd.DataFrame, tmp_path: Path
) -> None:
    log, fields = tmp_path / "kept", ["source", "minutes_on_site"]
    leads = sample.head(3)
    sent = base64.b64encode(leads.to_csv(index=False).encode()).decode()
    told: dict[str, list[tuple[str, int]]] = {}
    with running_app(str(folder), LEADMODEL_LOG=str(log), log=tmp_path / "printed") as address:
        one = httpx.post(f"{address}/api/v1/score", json=LEAD).json()
        many = httpx.post(f"{address}/api/v1/score", json=[LEAD, {}]).json()
        told["REST"] = [(one["request_id"], 1), *((lead["request_id"], lead["row"]) for lead in many)]
        assert "row" not in one
        batch = run(address, "predict_batch", [LEAD, LEAD], False)
        client = Client(address, verbose=False)
        single = client.predict(**LEAD, api_name="/predict")
        client.close()
        told["API"] = [*((lead["request_id"], lead["row"]) for lead in batch), (single["request_id"], 1)]
        file = base64.b64decode(run(address, "predict_file", "leads.csv", sent)["content"]).decode()
        scored = pd.read_csv(pa.BufferReader(file.encode()))
        told["file"] = list(scored[["request_id", "row"]].itertuples(index=False, name=None))
        press(address, "Score", "age")
        press(address, "Score the pasted rows", leads.to_csv(index=False), "Fixed number of calls", 0.8)
        told["MCP"] = [(call_tool(address), 1)] if call_tool else []
        metrics = httpx.get(f"{address}/metrics").text
        assert 'leadmodel_log_leads_total{fate="dropped"} 0.0' in metrics
    rows = rows_of(log)
    assert rows.groupby("door").size().to_dict() == {
        "REST": 3, "API": 3, "file": 3, "form": 1, "list": 3, **({"MCP": 1} if told["MCP"] else {})
    }  # fmt: skip
    for door, names in told.items():
        found = rows[rows["door"] == door]
        assert list(found[["request_id", "row"]].itertuples(index=False, name=None)) == names
    assert rows["request_id"].nunique() == 7 + bool(told["MCP"])
    assert rows[[f"lead.{name}" for name in fields]].iloc[0].tolist() == ["Referral", 42]
    requests = rows_of(log, REQUESTS)
    scoring = requests[(requests["route"] == "/api/v1/score") & (requests["status"] == 200)]
    assert scoring["requests"].sum() == 2


try:
    from mcp_client import call

    def call_tool(address: str) -> str:
        import json

        return str(json.loads(call(address, "predict", **LEAD).content[0].text)["request_id"])

except pytest.skip.Exception:
    call_tool = None  # type: ignore[assignment]


def test_a_sigterm_loses_no_answer(folder: Path, tmp_path: Path) -> None:
    """Clients call until the app is gone: every answer that arrived is in the log."""
    port, log = free_port(), tmp_path / "kept"
    settings = {
        "LEADMODEL_REPO": str(folder),
        "GRADIO_SERVER_PORT": str(port),
        "LEADMODEL_LOG": str(log),
    }
    process = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env=os.environ | settings,
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    wait_for(f"http://127.0.0.1:{port}/health", process)
    answered: list[str] = []

    def ask() -> None:
        with httpx.Client() as client:
            while True:
                try:
                    answer = client.post(f"http://127.0.0.1:{port}/api/v1/score", json=LEAD)
                except httpx.TransportError:
                    return
                if answer.is_success:
                    answered.append(answer.json()["request_id"])

    clients = [threading.Thread(target=ask) for _ in range(4)]
    for client in clients:
        client.start()
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    for client in clients:
        client.join(timeout=30)
    printed = process.communicate(timeout=30)[1]
    assert process.returncode == 0
    assert "Traceback" not in printed
    assert len(answered) > 20
    assert set(answered) <= set(rows_of(log)["request_id"])


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("requirements.txt/log", "requirements.txt/log' cannot be written to: Not a directory"),
        ("datasets/demo/log", "Nobody is logged in"),
    ],
)
def test_a_place_that_cannot_be_written_to_ends_with_2(folder: Path, place: str, message: str) -> None:
    done = command("app.py", LEADMODEL_REPO=str(folder), LEADMODEL_LOG=place, HF_TOKEN="")
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
