"""No lead in any log: a canary through every door, wrong input and failures inside."""

import json
import logging
import sys
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from gradio_client import Client
from support import running_app

from leadmodel.serving.web.safe_errors import SafeFormatter, describe

CANARY = "canary-7f3a"
JSON = {"Content-Type": "application/json"}
FAILING = """
from leadmodel.cli import serve as app
from leadmodel.model import LeadModel

def fail(self, leads, **options):
    raise RuntimeError(f"cannot score {leads}")

served = app.load_model
app.load_model = lambda *names: (served(*names), setattr(LeadModel, "answers", fail))[0]
app.main([])
"""


@pytest.mark.parametrize(
    ("code", "kept"),
    [("", ""), (FAILING, ""), ("", "kept"), ("", "kept/in the way")],
    ids=["the app", "an app that fails inside", "an app that keeps leads", "one that cannot keep them"],
)
def test_no_door_tells_the_log_of_a_lead(folder: Path, tmp_path: Path, code: str, kept: str) -> None:
    keep = tmp_path / "kept"
    if kept.endswith("in the way"):
        keep.mkdir()
        (keep / "leads").write_text(kept)
    settings = {"LEADMODEL_LOG": str(keep)} if kept else {}
    with running_app(str(folder), code=code, log=tmp_path / "log", **settings) as address:
        for body in bodies():
            post_everywhere(address, body)
        use_the_form(address)
        use_gradio_client(address)
        named = {"User-Agent": CANARY, "Cookie": CANARY}
        httpx.get(f"{address}/{CANARY}?{CANARY}={CANARY}", headers=named)
        answer = httpx.post(f"{address}/api/v1/score", json={"source": CANARY})
        assert answer.status_code == (500 if code else 200)
        assert CANARY not in answer.text or not code
    told = (tmp_path / "log").read_text()
    assert "revision" in told
    assert CANARY not in told
    assert ("RuntimeError" in told) == bool(code)
    assert ("The prediction log cannot be written" in told) == kept.endswith("in the way")
    files = list(keep.rglob("*.parquet"))
    assert bool(files) == bool(kept)
    assert not any(CANARY in pd.read_parquet(path).to_csv() for path in files)


def bodies() -> list[Any]:
    """Return what callers may post, right and wrong."""
    lead, wrong, unknown = {"source": CANARY}, {"age": CANARY}, {CANARY: CANARY}
    data = [{"data": [one, False]} for one in ([lead], [wrong], [unknown], [CANARY], CANARY)]
    calls = [
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {"name": name, "arguments": arguments},
        }
        for name, arguments in [("predict", lead), ("predict", wrong), ("predict", unknown), (CANARY, lead)]
    ]
    odd = [{"jsonrpc": "2.0", "id": {CANARY: 1}, "method": CANARY}, {"data": CANARY}, {"data": [CANARY]}]
    return [lead, wrong, unknown, [lead], [wrong], CANARY, *data, *calls, *odd, f'{{"{CANARY}'.encode()]


def post_everywhere(address: str, body: Any) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = JSON | {"Accept": "application/json, text/event-stream"}
    with httpx.Client(base_url=address, headers=headers, timeout=60) as client:
        for path in (
            "/api/v1/score",
            "/gradio_api/run/predict",
            "/gradio_api/run/predict_batch",
            "/gradio_api/run/predict_batch/",
            "/gradio_api/call/predict_batch",
            "/gradio_api/call/v2/predict_batch",
            "/gradio_api/queue/join",
            "/gradio_api/upload",
            "/gradio_api/mcp/",
            "/login",
            f"/api/v1/score?reasons={CANARY}",
        ):
            client.post(path, content=content)


def use_the_form(address: str) -> None:
    """Send what a form would, with values that its widgets do not have."""
    with httpx.Client(base_url=address, timeout=30) as client:
        for dependency in client.get("/config").json()["dependencies"]:
            for data in ([CANARY] * len(dependency["inputs"]), [], [CANARY]):
                body = {"data": data, "fn_index": dependency["id"], "session_hash": "form"}
                joined = client.post("/gradio_api/queue/join", json=body)
                run = client.post("/gradio_api/run/predict", json=body)
                assert {joined.status_code, run.status_code} <= {200, 400, 404, 422, 500}
    listen = {"timeout": 2.0, "params": {"session_hash": "form"}}
    try:
        with httpx.stream("GET", f"{address}/gradio_api/queue/data", **listen) as stream:  # type: ignore[arg-type]
            stream.read()
    except httpx.ReadTimeout:
        pass


def use_gradio_client(address: str) -> None:
    client = Client(address, verbose=False)
    for arguments in ({"source": CANARY}, {"age": CANARY}):
        try:
            client.predict(**arguments, api_name="/predict")
        except Exception as error:
            assert "age" in str(error) or "cannot score" in str(error) or "error" in str(error).lower()
    client.close()


def test_an_error_is_told_by_its_kind_and_place() -> None:
    try:
        int(CANARY)
    except ValueError as error:
        told = describe(error)
    kind, place = told.splitlines()
    assert kind == "builtins.ValueError"
    assert place.startswith(f"  {__file__}:")


@pytest.mark.parametrize(
    ("logger", "expected"),
    [("leadmodel", "said canary-7f3a\nbuiltins.ValueError"), ("mcp.server", "(elsewhere.py:7)\nbuiltins")],
)
def test_only_trusted_loggers_are_quoted(logger: str, expected: str) -> None:
    try:
        int(CANARY)
    except ValueError:
        record = logging.LogRecord(
            logger, logging.ERROR, "elsewhere.py", 7, "said %s", (CANARY,), sys.exc_info()
        )
    told = SafeFormatter("%(message)s").format(record)
    assert told.startswith(expected)
    assert "invalid literal" not in told
