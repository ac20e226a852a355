"""The Monitoring page in a real browser, over a replayed log, at the size of a desk and of a phone."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from models import trained
from playwright.sync_api import Browser, Page, expect
from replay import replay
from support import running_app, violations, when_ready

from leadmodel.leads.sample import SAMPLE_RECIPE, make_sample
from leadmodel.model import LeadModel
from leadmodel.prepare.settings import TrainingSettings

FIGURES = 10


@pytest.fixture(scope="module")
def monitored(quick: TrainingSettings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app that has logged for a month."""
    folder = tmp_path_factory.mktemp("monitored")
    models = [trained(make_sample(3000, random_state=seed), SAMPLE_RECIPE, quick) for seed in (3, 4)]
    models[1].save_pretrained(folder / "model")
    replay(models, folder / "log", n_leads=4000)
    with running_app(str(folder / "model"), LEADMODEL_LOG=str(folder / "log")) as address:
        yield address


@pytest.fixture(params=[(1280, 900), (390, 844)], ids=["desktop", "phone"])
def page(chromium: Browser, monitored: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page, opened; an error in its console fails the test."""
    errors: list[str] = []
    width, height = request.param
    page = chromium.new_page(viewport={"width": width, "height": height})
    page.set_default_timeout(60_000)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(monitored)
    when_ready(page)
    page.get_by_role("tab", name="Monitoring", exact=True).click()
    expect(page.get_by_role("heading", name="Errors and latency")).to_be_visible(timeout=60_000)
    yield page
    page.close()
    assert errors == []


def test_the_page_tells_what_moved_in_words_figures_and_tables(page: Page) -> None:
    card = page.locator(".lm-report .lm-card")
    expect(card).to_contain_text("Look into it")
    expect(card).to_contain_text("leads were scored in the last 30 days")
    expect(card).to_contain_text("The largest shift is in Source. Referral: ")
    for heading in ("Scores", "Drift", "Outcomes", "Errors and latency"):
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    figures = page.locator(".lm-report img")
    expect(figures).to_have_count(FIGURES)
    for number in range(FIGURES):
        assert figures.nth(number).get_attribute("alt")
    width = page.viewport_size["width"]  # type: ignore[index]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_text("The same as a table").first.click()
    expect(page.locator(".lm-report details[open] tbody tr")).to_have_count(10)


def test_everybody_can_use_it(page: Page) -> None:
    for summary in page.locator(".lm-report summary").all():
        summary.click()
    assert violations(page) == []


def test_another_time_is_looked_back(page: Page) -> None:
    page.get_by_label("7 days").check()
    expect(page.locator(".lm-report .lm-card")).to_contain_text("in the last 7 days", timeout=60_000)


def test_a_lead_scored_just_now_is_there_and_named(page: Page) -> None:
    page.get_by_role("tab", name="Lead", exact=True).click()
    page.get_by_role("button", name="Score", exact=True).click()
    told = page.locator("#lm-result code")
    expect(told).to_have_text(re.compile("^[0-9a-f]{32}$"))
    assert told.inner_text() not in page.locator(".lm-report").first.inner_html()


def test_without_a_log_there_is_no_such_page(address: str) -> None:
    assert "Monitoring" not in httpx.get(f"{address}/config").text


def test_the_page_is_behind_the_sign_in(model: LeadModel, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path / "model")
    settings = {"LEADMODEL_LOG": str(tmp_path / "log"), "LEADMODEL_AUTH": "ann:secret"}
    with running_app(str(tmp_path / "model"), **settings) as address:
        config = httpx.get(f"{address}/config", auth=("ann", "secret")).json()
        labels = {part["id"]: part["props"].get("label") for part in config["components"]}
        (event,) = [
            one
            for one in config["dependencies"]
            if any(labels.get(part) == "Monitoring" for part, _ in one["targets"])
        ]
        body = {"data": [30], "fn_index": event["id"], "session_hash": "x"}
        for path in ("/config", "/gradio_api/run/predict", "/gradio_api/queue/join"):
            assert httpx.post(address + path, json=body).status_code == 401
        answer = httpx.post(
            f"{address}/gradio_api/run/predict", json=body, auth=("ann", "secret"), timeout=60
        )
        assert "Fewer than 5 leads were logged" in answer.text
