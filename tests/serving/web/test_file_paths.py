"""No request reads a file that was not uploaded, whatever its route and wherever it names the file."""

import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from gradio_client import Client, handle_file
from support import ROOT, running_app

from leadmodel.model import LeadModel

SECRET = f"canary-{uuid.uuid4()}"

WITHOUT_MIDDLEWARE = """
import os
from leadmodel.model import LeadModel
from leadmodel.serving.web.app import build_app, serve
from leadmodel.serving.service import ScoringService
from leadmodel.serving.web.file_paths import UploadedFilesOnly

app = build_app(ScoringService(LeadModel.from_pretrained(os.environ["LEADMODEL_REPO"])))
app.user_middleware = [layer for layer in app.user_middleware if layer.cls is not UploadedFilesOnly]
serve(app, "127.0.0.1", int(os.environ["GRADIO_SERVER_PORT"]))
"""


@pytest.fixture(scope="module")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def secrets(uploads: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Path]]:
    """Files that hold the secret: outside, inside the working directory, the environment, a link."""
    outside = tmp_path_factory.mktemp("outside") / "secret.txt"
    inside = ROOT / ".pytest_cache" / f"{uuid.uuid4()}.txt"
    inside.parent.mkdir(exist_ok=True)
    link = uploads / "link.txt"
    for path in (outside, inside):
        path.write_text(SECRET)
    link.symlink_to(outside)
    yield [outside, inside, Path("/proc/self/environ"), link]
    inside.unlink()


@pytest.fixture(scope="module")
def guarded(
    model: LeadModel, uploads: Path, secrets: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("app") / "model"
    model.save_pretrained(folder)
    with running_app(str(folder), GRADIO_TEMP_DIR=str(uploads), SECRET=SECRET) as address:
        yield address


def file_object(path: Path | str, **more: Any) -> dict[str, Any]:
    return {"path": str(path), "meta": {"_type": "gradio.FileData"}, **more}


def payloads(paths: list[Path]) -> Iterator[Any]:
    """Yield every shape in which a request can name files."""
    yield from (file_object(path) for path in paths)
    yield [file_object(path, url=f"/gradio_api/file={path}", orig_name="a.csv") for path in paths]
    yield {"value": {"deep": [[file_object(path, url=f"file://{path}")] for path in paths]}}


def calls(address: str, event: dict[str, Any], value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every route by which an event can be called, with a body for it."""
    data = [value] * max(1, len(event["inputs"]))
    body = {"data": data, "fn_index": event["id"], "session_hash": "stranger"}
    api = f"{address}/gradio_api"
    yield f"{api}/queue/join", body
    yield f"{api}/run/predict", body
    for route in ("run", "api", "call", "call/v2"):
        yield f"{api}/{route}/{event['api_name']}", {"data": data}
    call = {"name": f"{event['api_name']}", "arguments": {"leads": data, "source": value}}
    yield f"{api}/mcp/", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}


def read_everything(client: httpx.Client, address: str, answer: httpx.Response) -> str:
    """Return an answer, what its event tells, and all files that either names."""
    text = answer.text
    if "event_id" in text:
        url = f"{address}/gradio_api/queue/data?session_hash=stranger"
        if "/call/" in str(answer.url):
            url = f"{answer.url}/{answer.json()['event_id']}"
        with client.stream("GET", url) as stream:
            lines = stream.iter_lines()
            for line in lines:
                text += line
                if "process_completed" in line or line in ("event: complete", "event: error"):
                    text += next(lines, "")
                    break
    files = re.findall(r"/gradio_api/file=([^'\"\\ ]+)", text)
    files += re.findall(r"""path['"]: ?['"]([^'"]+)""", text)
    return text + "".join(client.get(f"{address}/gradio_api/file={path}").text for path in set(files))


def test_no_event_hands_out_a_file_by_any_route(guarded: str, secrets: list[Path]) -> None:
    events = httpx.get(f"{guarded}/config").json()["dependencies"]
    assert len(events) > 20
    accept = {"Accept": "application/json, text/event-stream"}
    with httpx.Client(timeout=60, headers=accept) as client:
        for event in events:
            for value in payloads(secrets):
                for url, body in calls(guarded, event, value):
                    answer = client.post(url, json=body)
                    assert SECRET not in read_everything(client, guarded, answer), (url, body)
                    assert answer.status_code == 403, (url, answer.text)


def test_no_file_is_downloaded_by_its_path(guarded: str, secrets: list[Path]) -> None:
    for path in [*secrets, "/proc/self/environ", "https://example.org/", "link.txt", f"{ROOT}/README.md"]:
        for route in ("file=", "file/", "proxy="):
            answer = httpx.get(f"{guarded}/gradio_api/{route}{path}")
            assert answer.status_code == 403
            assert SECRET not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        '{"data":[{"p\\u0061th":"%s","m\\u0065ta":{"_type":"gradio.FileData"}}],"fn_index":1}',
        '{"data":[{"path":"%s","path":"a","meta":{"_type":"gradio.FileData"}}],"fn_index":1}',
        '{"data":[{"path":"%s","meta":{"_type":"gradio.FileData"},"meta":1}],"fn_index":1}',
        '{"data":[{"path":"%s","meta":{"_type":"gradio.FileData"}}],"fn_index":1,"x":' + "1" * 5000 + "}",
        '{"data":' + "[" * 100_000 + '{"path":"%s","meta":{}}' + "]" * 100_000 + "}",
    ],
    ids=["escapes", "key twice", "meta twice", "number too long", "too deep"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32-le"])
def test_no_way_of_writing_a_file_object_passes(
    guarded: str, secrets: list[Path], body: str, encoding: str
) -> None:
    content = (body % secrets[0]).encode(encoding)
    answer = httpx.post(
        f"{guarded}/gradio_api/run/predict", content=content, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (400, 403, 422)


def test_gradio_alone_refuses_as_well(
    model: LeadModel, secrets: list[Path], uploads: Path, tmp_path: Path
) -> None:
    model.save_pretrained(tmp_path / "model")
    with running_app(
        str(tmp_path / "model"), code=WITHOUT_MIDDLEWARE, GRADIO_TEMP_DIR=str(uploads)
    ) as address:
        for path in secrets[:3]:
            body = {"data": [file_object(path)], "fn_index": 1, "session_hash": "stranger"}
            answer = httpx.post(f"{address}/gradio_api/queue/join", json=body)
            assert answer.status_code == 200
            with httpx.Client(timeout=60) as client:
                told = read_everything(client, address, answer)
            assert '"success":false' in told
            assert SECRET not in told


def test_an_upload_reaches_the_list_page(guarded: str, sample: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    sample.tail(30).to_csv(path, index=False)
    config = httpx.get(f"{guarded}/config").json()
    files = {one["id"] for one in config["components"] if one["type"] == "file"}
    event = next(e for e in config["dependencies"] if files & set(e["inputs"]))
    client = Client(guarded, verbose=False)
    for with_url in (False, True):  # gradio_client sends none, a page sends one
        sent = client.endpoints[event["id"]]._upload_file(handle_file(path), 0)
        more = {"url": f"{guarded}/gradio_api/file={sent['path']}"} if with_url else {}
        data = [file_object(sent["path"], **more)] + [None] * (len(event["inputs"]) - 1)
        body = {"data": data, "fn_index": event["id"], "session_hash": uuid.uuid4().hex}
        assert httpx.post(f"{guarded}/gradio_api/queue/join", json=body).status_code == 200
        stream = httpx.get(
            f"{guarded}/gradio_api/queue/data?session_hash={body['session_hash']}", timeout=60
        )
        completed = [
            json.loads(line[6:]) for line in stream.text.splitlines() if "process_completed" in line
        ]
        assert completed[0]["success"]
        assert "30" in json.dumps(completed[0]["output"])
    client.close()


def test_a_lead_may_have_a_field_named_path_or_url(guarded: str) -> None:
    answer = httpx.post(f"{guarded}/api/v1/score", json={"path": "/pricing", "url": "/", "meta": "x"})
    assert answer.status_code == 422
    assert "does not know" in answer.text
