"""The app at the level of its connections: heads, bodies, hosts, sessions, and what browsers are told."""

import json
import re
import socket
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from support import running_app

from leadmodel.model import LeadModel

JSON = {"Content-Type": "application/json"}
LEAD = {"source": "Referral", "minutes_on_site": 42}
ACCOUNT = {"username": "ann", "password": "secret"}


@pytest.fixture(scope="module")
def locked(model: LeadModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app that asks for a sign-in."""
    folder = tmp_path_factory.mktemp("locked") / "model"
    model.save_pretrained(folder)
    with running_app(str(folder), LEADMODEL_AUTH="ann:secret", LEADMODEL_PROXY="1") as address:
        yield address


def connect(address: str) -> socket.socket:
    host, port = address.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=30)


def head(path: str, **headers: str) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        *(f"{key}: {value}" for key, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).replace("_", "-").encode()


def test_open_paths_take_little(locked: str) -> None:
    for path in ("/login", "/health", "/webhooks/hub"):
        with connect(locked) as client:
            client.sendall(head(path, Content_Length="45000000"))
            assert b" 413 " in client.recv(1000), path
        with connect(locked) as client:
            client.sendall(head(path, Transfer_Encoding="chunked") + b"ffff\r\n" + b"a&" * 20_000)
            assert b" 413 " in client.recv(1000), path


def test_who_has_guessed_too_often_is_refused_before_a_body(locked: str) -> None:
    stranger = {"X-Forwarded-For": "8.8.8.8"}
    guesses = [httpx.post(f"{locked}/login", data={"username": "x"}, headers=stranger) for _ in range(10)]
    assert {guess.status_code for guess in guesses} == {401}
    with connect(locked) as client:
        client.sendall(head("/login", Content_Length="100", X_Forwarded_For="8.8.8.8"))
        assert b" 429 " in client.recv(1000)


def test_heads_and_bodies_have_a_time(folder: Path) -> None:
    # An app of its own: on a busy machine, any other request may take longer than these few seconds.
    code = (
        "from leadmodel.serving.web import bounds; bounds.SECONDS = 3; "
        "from leadmodel.cli.serve import main; main([])"
    )
    with running_app(str(folder), code=code) as address:
        with connect(address) as silent, connect(address) as slow, connect(address) as unfinished:
            slow.sendall(b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            unfinished.sendall(head("/health", Content_Length="100") + b"user")
            assert b" 408 " in unfinished.recv(1000)
            assert (silent.recv(1000), slow.recv(1000)) == (b"", b"")


def test_a_connection_that_is_used_again_has_a_time_as_well(locked: str) -> None:
    with connect(locked) as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        received = b""
        while not received.endswith(b"}"):  # head and body may come apart
            received += client.recv(10_000)
        assert b" 200 " in received
        client.sendall(b"GET /health HTTP/1.1\r\n")
        assert client.recv(1000) == b""


def test_a_head_has_a_size(address: str) -> None:
    with connect(address) as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
        with pytest.raises(OSError, match=r"reset|pipe"):
            for _ in range(1000):
                client.sendall(b"x" * 10_000)


def test_unfinished_bodies_share_a_limit_and_leads_are_answered(address: str) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(address)) for _ in range(5)]
        for client in clients:
            client.sendall(
                head("/api/v1/score", Content_Type="application/json", Content_Length="45000001")
            )
        for client in clients[:4]:
            client.sendall(b" " * 45_000_000)
        clients[4].sendall(b" " * 45_000_000)
        assert b" 503 " in clients[4].recv(1000)
        assert httpx.post(f"{address}/api/v1/score", json=LEAD, timeout=30).is_success
    # What was held is given back when they leave.
    body = b" " * 45_000_000 + json.dumps(LEAD).encode()
    for _ in range(50):
        answer = httpx.post(f"{address}/api/v1/score", content=body, headers=JSON, timeout=60)
        if answer.status_code != 503:
            break
    assert answer.is_success


ROUTES = ["run/predict", "api/predict", "call/predict", "call/v2/predict", "queue/join"]


@pytest.mark.parametrize("path", ["/api/v1/score", *(f"/gradio_api/{route}" for route in ROUTES)])
def test_too_many_items_are_refused_by_each_door(address: str, path: str) -> None:
    for body in (b"[" + b"[]," * 300_000 + b"[]]", b'{"data": [' + b"{}," * 300_000 + b"{}]}"):
        answer = httpx.post(address + path, content=body, headers=JSON, timeout=60)
        assert answer.status_code == 422
        assert "at most 200,000 lists and objects" in answer.text


@pytest.mark.parametrize("n_letters", [10_000, 3_000_000])
def test_no_answer_holds_what_was_sent(address: str, n_letters: int) -> None:
    long = "é" + "x" * n_letters
    calls: list[tuple[str, Any]] = [
        ("/api/v1/score", {long: 1}),
        ("/api/v1/score", [{long: 1}]),
        ("/api/v1/score", {"age": long}),
        ("/api/v1/score", long),
        ("/gradio_api/run/predict_batch", {"data": [[{long: 1}]]}),
        ("/gradio_api/run/predict_batch", {"data": long}),
        ("/gradio_api/run/predict", {"data": [long], "session_hash": "x"}),
        ("/gradio_api/run/predict_file", {"data": ["a.csv", long]}),
        ("/gradio_api/run/" + "x" * 10_000, {"data": []}),
        ("/gradio_api/call/v2/predict", {long: 1}),
        ("/gradio_api/queue/join", {"data": long}),
        ("/gradio_api/queue/join", {"data": [], "fn_index": long}),
        ("/gradio_api/queue/join", long),
    ]
    for path, body in calls:
        answer = httpx.post(address + path, json=body, timeout=60)
        assert "x" * 1000 not in answer.text
        if path == "/gradio_api/run/predict":  # a text that no lead had is scored, and quoted in a warning
            assert answer.status_code == 200
        else:
            assert 400 <= answer.status_code <= 500
            assert len(answer.content) < 2000, path


def test_no_tool_tells_what_was_sent(address: str) -> None:
    headers = {"Accept": "application/json, text/event-stream"}
    long = "x" * 100_000
    for name, arguments in (("predict_batch", {"leads": long}), ("predict", {"age": long}), (long, {})):
        parameters = {"name": name, "arguments": arguments}
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": parameters}
        answer = httpx.post(f"{address}/gradio_api/mcp/", json=call, headers=headers, timeout=30)
        assert '"isError":true' in answer.text
        assert len(answer.text) < 2000


@pytest.mark.parametrize("columns", [["x" * 6000], [f"{'x' * 900}{number}" for number in range(30)]])
def test_the_names_of_a_file_are_not_told_back(address: str, columns: list[str]) -> None:
    file = "\n".join([",".join(columns), ",".join("1" * len(columns))])
    call = {"data": ["leads.csv", b64encode(file.encode()).decode()]}
    answer = httpx.post(f"{address}/gradio_api/run/predict_file", json=call, timeout=30)
    assert answer.status_code == 422
    assert len(answer.content) < 4000


@pytest.mark.parametrize("route", ["run/x", "api/x", "call/x", "call/v2/x"])
def test_an_unknown_endpoint_is_not_found(address: str, route: str) -> None:
    calls = [
        {"data": []},
        {"data": [], "fn_index": 9999},
        {"data": [], "fn_index": -1, "session_hash": "x"},
    ]
    for call in calls:
        assert httpx.post(f"{address}/gradio_api/{route}", json=call).status_code == 404
        assert httpx.post(f"{address}/gradio_api/queue/join", json=call).status_code in (400, 404)


def test_unknown_parameters_are_refused(address: str) -> None:
    answer = httpx.post(f"{address}/gradio_api/call/v2/predict", json={"agee": 3})
    assert (answer.status_code, "other parameters" in answer.text) == (422, True)


@pytest.mark.parametrize("route", ROUTES)
def test_half_a_character_is_refused(address: str, route: str) -> None:
    for body in (
        b'{"data": ["\\ud800"]}',
        b'{"data": ["\xed\xa0\x80"]}',
        b'{"data": [], "session_hash": "\\udfff"}',
    ):
        answer = httpx.post(f"{address}/gradio_api/{route}", content=body, headers=JSON, timeout=30)
        assert answer.status_code == 422
        assert "UTF-8" in answer.text


def test_who_signs_out_is_out(locked: str) -> None:
    signed_in = [httpx.post(f"{locked}/login", data=ACCOUNT) for _ in range(2)]
    one, other = ({"Cookie": answer.headers["set-cookie"].split(";")[0]} for answer in signed_in)
    assert httpx.get(f"{locked}/config", headers=one).is_success
    assert httpx.get(f"{locked}/logout", headers=one).status_code == 303
    assert httpx.get(f"{locked}/config", headers=one).status_code == 401
    assert httpx.get(f"{locked}/config", headers=other).is_success


def test_another_name_of_this_machine_is_refused_where_nobody_signs_in(address: str, locked: str) -> None:
    for host in (
        "evil.example",
        "evil.example:7860",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "[",
    ):
        refused = httpx.get(f"{address}/config", headers={"Host": host})
        assert (refused.status_code, "LEADMODEL_ORIGINS" in refused.text) == (403, True)
        assert httpx.get(f"{locked}/config", headers={"Host": host}).status_code == 401
    for host in ("localhost", "localhost:7860", "app.localhost", "127.0.0.1:1", "[::1]:7860"):
        assert httpx.get(f"{address}/config", headers={"Host": host}).is_success


def test_a_named_site_and_a_proxy_answer_for_their_names(folder: Path) -> None:
    with running_app(str(folder), LEADMODEL_ORIGINS="https://leads.example") as address:
        hosts = {"leads.example": 200, "evil.example": 403}
        for host, status in hosts.items():
            assert httpx.get(f"{address}/health", headers={"Host": host}).status_code == status
        policy = httpx.get(f"{address}/docs").headers["content-security-policy"]
        assert "frame-ancestors 'self' https://leads.example" in policy
    on_space = {"SPACE_ID": "ann/leads", "SPACE_HOST": "ann-leads.hf.space"}
    with running_app(str(folder), **on_space) as address:
        answer = httpx.get(f"{address}/docs", headers={"Host": "ann-leads.hf.space"})
        assert answer.is_success
        framers = re.findall("frame-ancestors [^;]*", answer.headers["content-security-policy"])
        assert framers == ["frame-ancestors 'self' https://ann-leads.hf.space https://huggingface.co"]


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/health", "/login", "/config", "/gradio_api/info", "/nothing"]
)
def test_each_answer_keeps_its_page_to_its_own_site(address: str, locked: str, path: str) -> None:
    for app in (address, locked):
        headers = httpx.get(app + path, headers={"Accept": "text/html"}).headers
        assert headers["x-content-type-options"] == "nosniff"
        if headers.get("content-type") == "application/json":
            continue
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'self'" in policy
        assert "*" not in policy
