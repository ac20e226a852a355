"""What callers must observe: each door without a key and with one, other sites, and limits."""

import base64
import json
import shutil
import uuid
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AuthenticationError
from playwright.sync_api import expect, sync_playwright
from support import command, running_app, when_ready

from leadmodel.model import LeadModel
from leadmodel.serving.ui.list_page import BY_NUMBER
from leadmodel.serving.web.access import OPEN

ANN, BOB = ("ann", "secret"), ("bob", "pass:wörd")
LEAD = {"source": "Referral", "minutes_on_site": 42}
RATE = 500
STRANGERS = count(1)


@pytest.fixture(scope="module")
def guarded(model: LeadModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app that asks for everything that can be asked for."""
    folder = tmp_path_factory.mktemp("guarded") / "model"
    model.save_pretrained(folder)
    settings = {
        "LEADMODEL_AUTH": ", ".join(":".join(account) for account in (ANN, BOB)),
        "LEADMODEL_RATE": str(RATE),
        "LEADMODEL_PROXY": "1",
        "LEADMODEL_ORIGINS": "https://crm.example/",
    }
    with running_app(str(folder), **settings) as address:
        yield address


LIST_ROUTES = """
import json, re, sys
from starlette.routing import Mount
from leadmodel.model import LeadModel
from leadmodel.serving.web.app import build_app
from leadmodel.serving.service import ScoringService

def paths(routes, before=""):
    for route in routes:
        path = before + re.sub("{[^}]*}", "x", getattr(route, "path", ""))
        inner = route if isinstance(route, Mount) else getattr(route, "original_router", None)
        if inner:
            yield from paths(inner.routes, path)
        for method in getattr(route, "methods", None) or ["GET"]:
            yield method, path or "/"

app = build_app(ScoringService(LeadModel.from_pretrained(sys.argv[1])))
print(json.dumps(sorted(set(paths(app.routes)))))
"""


def test_every_route_is_closed_to_strangers(guarded: str, folder: Path) -> None:
    routes = {tuple(route) for route in json.loads(command("-c", LIST_ROUTES, folder).stdout)}
    assert len(routes) > 60
    assert {
        ("GET", "/config"),
        ("POST", "/gradio_api/queue/join"),
        ("GET", "/gradio_api/mcp/sse"),
    } <= routes
    with httpx.Client(base_url=guarded) as client:
        answers = {(method, path): client.request(method, path).status_code for method, path in routes}
    unguarded = {path for (_, path), status in answers.items() if status != 401}
    assert unguarded <= OPEN


DOORS = [
    ("GET", "/", None),
    ("GET", "/config", None),
    ("GET", "/docs", None),
    ("GET", "/openapi.json", None),
    ("GET", "/metrics", None),
    ("GET", "/api/v1/schema", None),
    ("POST", "/api/v1/score", LEAD),
    ("GET", "/gradio_api/info", None),
    ("GET", "/gradio_api/mcp/schema", None),
    ("POST", "/gradio_api/run/predict", {"data": ["Referral"]}),
    ("POST", "/gradio_api/run/predict", {"data": ["Referral"] + [None] * 11, "session_hash": "x"}),
    ("POST", "/gradio_api/call/predict_batch", {"data": [[LEAD], False]}),
]


@pytest.mark.parametrize(("method", "path", "body"), DOORS, ids=lambda value: str(value)[:40])
def test_each_door_opens_by_a_password_or_a_session(
    guarded: str, method: str, path: str, body: Any
) -> None:
    signed_in = httpx.post(f"{guarded}/login", data=dict(zip(("username", "password"), ANN, strict=True)))
    stranger: dict[str, Any] = {"X-Forwarded-For": f"8.8.1.{next(STRANGERS)}"}
    keys: dict[str, tuple[dict[str, Any], int]] = {
        "none": ({}, 401),
        "wrong": ({"auth": ("ann", "guess"), "headers": stranger}, 401),
        "other's": ({"auth": ("ann", BOB[1]), "headers": stranger}, 401),
        "damaged": ({"headers": stranger | {"Authorization": "Basic é".encode()}}, 401),
        "forged": ({"cookies": {"leadmodel-session": "99999999999.0"}}, 401),
        "password": ({"auth": BOB}, 200),
        "session": ({"headers": {"Cookie": signed_in.headers["set-cookie"].split(";")[0]}}, 200),
    }
    got = {
        name: httpx.request(method, guarded + path, json=body, timeout=30, **key).status_code
        for name, (key, _) in keys.items()
    }
    assert got == {name: status for name, (_, status) in keys.items()}


def test_health_is_open_and_a_page_leads_to_the_sign_in(guarded: str) -> None:
    assert httpx.get(f"{guarded}/health").is_success
    page = httpx.get(guarded, headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["location"]) == (303, "/login")
    refused = httpx.get(f"{guarded}/config")
    assert refused.headers["www-authenticate"].startswith("Basic")
    assert (
        "www-authenticate" not in httpx.get(f"{guarded}/config", headers={"Sec-Fetch-Mode": "cors"}).headers
    )


def test_nothing_is_told_of_the_model_before_the_sign_in(guarded: str, model: LeadModel) -> None:
    page = httpx.get(guarded, headers={"Accept": "text/html"}, follow_redirects=True).text
    assert "Sign in" in page
    assert not [name for name in [*model.schema.by_name, model.config.title] if name in page]


def test_gradio_client_signs_in(guarded: str, model: LeadModel) -> None:
    client = Client(guarded, auth=BOB, verbose=False)
    assert client.predict(**LEAD, api_name="/predict") == model.answer(LEAD).model_dump(mode="json")
    client.close()
    with pytest.raises(AuthenticationError, match="Invalid credentials"):
        Client(guarded, auth=("ann", "guess"), verbose=False)


def test_guessing_is_slowed_down(guarded: str) -> None:
    headers = {"X-Forwarded-For": "8.8.4.4"}
    guesses = [
        httpx.get(f"{guarded}/config", auth=("ann", str(number)), headers=headers) for number in range(12)
    ]
    assert [guess.status_code for guess in guesses] == [401] * 10 + [429] * 2
    assert 0 < int(guesses[-1].headers["retry-after"]) <= 60
    assert httpx.post(f"{guarded}/login", data={"username": "ann"}, headers=headers).status_code == 429
    assert httpx.get(f"{guarded}/config", auth=ANN).is_success


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(guarded: str) -> None:
    form = dict(zip(("username", "password"), BOB, strict=True))
    plain = httpx.post(f"{guarded}/login", data=form).headers["set-cookie"]
    assert "; HttpOnly; SameSite=Lax" in plain
    by_https = httpx.post(f"{guarded}/login", data=form, headers={"X-Forwarded-Proto": "https"})
    assert by_https.headers["set-cookie"].endswith("; HttpOnly; SameSite=None; Secure; Partitioned")
    assert "secret" not in plain + by_https.headers["set-cookie"]


@pytest.mark.skipif(shutil.which("chromium") is None, reason="Debian's chromium is not installed")
def test_a_person_signs_in_and_scores(guarded: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page()
        page.goto(guarded)
        page.get_by_label("User name").fill(ANN[0])
        page.get_by_label("Password").fill("guess")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_have_text("The user name or the password is wrong.")
        page.get_by_label("User name").fill(ANN[0])
        page.get_by_label("Password").fill(ANN[1])
        page.get_by_role("button", name="Sign in").click()
        when_ready(page)
        page.get_by_role("button", name="Score", exact=True).click()
        expect(page.locator(".lm-card")).to_contain_text("% chance")
        page.goto(f"{guarded}/logout")
        page.goto(guarded)
        expect(page.get_by_label("Password")).to_be_visible()
        browser.close()


@pytest.mark.parametrize(("method", "path", "body"), DOORS, ids=lambda value: str(value)[:40])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://["])
def test_pages_of_other_sites_are_refused(
    address: str, method: str, path: str, body: Any, origin: str
) -> None:
    answer = httpx.request(method, address + path, json=body, headers={"Origin": origin}, timeout=30)
    assert answer.status_code == 403
    asked = httpx.options(
        address + path, headers={"Origin": origin, "Access-Control-Request-Method": method}
    )
    for refused in (answer, asked):
        assert "access-control-allow-origin" not in refused.headers
        assert "access-control-allow-credentials" not in refused.headers


def test_own_pages_and_named_sites_may_call(guarded: str) -> None:
    url, named = f"{guarded}/api/v1/score", {"Origin": "https://crm.example"}
    own = httpx.post(url, json=LEAD, auth=ANN, headers={"Origin": guarded})
    assert own.is_success
    assert "access-control-allow-origin" not in own.headers
    theirs = httpx.post(url, json=LEAD, auth=ANN, headers=named)
    assert theirs.headers["access-control-allow-origin"] == "https://crm.example"
    assert httpx.post(url, json=LEAD, headers=named).status_code == 401


def test_a_caller_has_so_many_leads_a_minute(guarded: str) -> None:
    def score(n_leads: int, caller: str, path: str = "/api/v1/score") -> httpx.Response:
        body: Any = [LEAD] * n_leads
        body = body if path == "/api/v1/score" else {"data": [body, False]}
        headers = {"X-Forwarded-For": caller}
        return httpx.post(guarded + path, json=body, auth=ANN, headers=headers, timeout=30)

    assert score(RATE - 100, "9.9.9.1").is_success
    refused = score(200, "9.9.9.1")
    assert refused.status_code == 429
    assert 5 <= int(refused.headers["retry-after"]) <= 12
    assert "500 leads a minute" in refused.json()["detail"]
    direct = score(200, "9.9.9.1", "/gradio_api/run/predict_batch")
    assert direct.status_code == 429
    assert "500 leads a minute" in direct.json()["error"]
    # What a caller claims to be stands before what the proxy has seen.
    assert score(200, "1.1.1.1, 9.9.9.1").status_code == 429
    assert score(200, "9.9.9.2").is_success


def wait_for_answer(client: httpx.Client, path: str, **query: str) -> str:
    """Return what Gradio's stream of events tells until it ends."""
    with client.stream("GET", path, params=query) as stream:
        for line in stream.iter_lines():
            if line.startswith("data:") and (
                "process_completed" in line or path.startswith("/gradio_api/call")
            ):
                return line
    return ""


def by_call(client: httpx.Client) -> str:
    """Score 400 leads as gradio_client does."""
    event = client.post("/gradio_api/call/predict_batch", json={"data": [[LEAD] * 400, False]}).json()
    return wait_for_answer(client, f"/gradio_api/call/predict_batch/{event['event_id']}")


def by_file(client: httpx.Client) -> str:
    """Score a file of 400 leads."""
    content = base64.b64encode(full_csv(client, 400).encode()).decode()
    return client.post("/gradio_api/run/predict_file", json={"data": ["leads.csv", content]}).text


def by_list_page(client: httpx.Client) -> str:
    """Paste 400 leads into the page of lists."""
    config = client.get("/config").json()
    (button,) = [
        part["id"] for part in config["components"] if part["props"].get("value") == "Score the pasted rows"
    ]
    (event,) = [one for one in config["dependencies"] if [button, "click"] in one["targets"]]
    call = {
        "data": [full_csv(client, 400), BY_NUMBER, 0.8],
        "fn_index": event["id"],
        "session_hash": uuid.uuid4().hex,
    }
    client.post("/gradio_api/queue/join", json=call).raise_for_status()
    return wait_for_answer(client, "/gradio_api/queue/data", session_hash=call["session_hash"])


def full_csv(client: httpx.Client, n_leads: int) -> str:
    example = client.get("/api/v1/schema").json()["example"]
    row = ",".join(str(value) for value in example.values())
    return "\n".join([",".join(example), *[row] * n_leads])


@pytest.mark.parametrize("score", [by_call, by_file, by_list_page], ids=lambda way: way.__name__)
def test_leads_are_counted_however_they_come(guarded: str, score: Callable[[httpx.Client], str]) -> None:
    headers = {"X-Forwarded-For": f"8.8.2.{next(STRANGERS)}"}
    with httpx.Client(base_url=guarded, auth=ANN, headers=headers, timeout=30) as client:
        first = score(client)
        assert first and "leads a minute" not in first and '"success":false' not in first
        assert "The limit is 500 leads a minute." in score(client)


def test_tools_are_counted_as_well(guarded: str) -> None:
    headers = {"X-Forwarded-For": "8.8.3.1", "Accept": "application/json, text/event-stream"}
    arguments = {"name": "predict_batch", "arguments": {"leads": [LEAD] * 400}}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": arguments}
    answers = [
        httpx.post(f"{guarded}/gradio_api/mcp/", json=call, auth=ANN, headers=headers, timeout=30).text
        for _ in range(2)
    ]
    assert "probability" in answers[0]
    assert "The limit is 500 leads a minute." in answers[1]


def test_nothing_of_a_form_is_written_to_the_disk(address: str) -> None:
    assert httpx.get(f"{address}/gradio_api/deep_link", params={"session_hash": "x"}).status_code == 404
    assert httpx.get(f"{address}/gradio_api/runs").status_code == 404


def test_a_file_that_is_too_large_is_refused(address: str) -> None:
    upload = {"files": ("leads.csv", b"x" * 51_000_000)}
    answer = httpx.post(f"{address}/gradio_api/upload", files=upload, timeout=30)
    assert answer.status_code == 413
    assert "50,000,000 bytes" in answer.text


def test_other_files_cannot_be_read(address: str) -> None:
    for path in ("/etc/passwd", "../../../etc/passwd", str(Path(__file__)), "http://127.0.0.1:1/x"):
        answer = httpx.get(f"{address}/gradio_api/file={path}")
        assert answer.status_code in (400, 403, 404), path
