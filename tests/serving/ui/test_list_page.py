"""The page of lists in a real browser, at the size of a desk and of a phone."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, expect
from support import running_app

from leadmodel.leads.sample import make_sample
from leadmodel.model import LeadModel

EVIL = "<img src=x onerror=window.evil=1> {{7*7}} ${window.evil=1}"
PATIENCE = 60_000
"""Milliseconds, for a busy machine."""


@pytest.fixture(scope="module")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the app puts what is sent to it."""
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def browser(
    chromium: Browser, model: LeadModel, uploads: Path, tmp_path_factory: Any
) -> Iterator[tuple[Browser, str]]:
    """A browser, and the address of an app of its own."""
    folder = tmp_path_factory.mktemp("app") / "model"
    model.save_pretrained(folder)
    with running_app(str(folder), GRADIO_TEMP_DIR=str(uploads)) as address:
        yield chromium, address


def open_page(browser: Browser, address: str, width: int, height: int) -> Page:
    page = browser.new_page(viewport={"width": width, "height": height}, accept_downloads=True)
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    page.get_by_role("tab", name="List", exact=True).click()
    return page


@pytest.fixture(params=[(1280, 900), (390, 844)], ids=["desktop", "phone"])
def page(browser: tuple[Browser, str], request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page at two sizes; an error in its console fails the test."""
    errors: list[str] = []
    page = open_page(*browser, *request.param)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.close()
    assert errors == []


@pytest.fixture(scope="module")
def leads() -> pd.DataFrame:
    """More leads than the page shows, with a note that means harm."""
    return make_sample(400, random_state=8).assign(note=[EVIL, "=1+1", *["Zoë"] * 398])


def upload(page: Page, name: str, content: bytes) -> None:
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    page.locator("input[type=file]").first.set_input_files(file)


def download(page: Page, button: str) -> bytes:
    with page.expect_download(timeout=PATIENCE) as waiting:
        page.get_by_role("button", name=button).click()
    return Path(waiting.value.path()).read_bytes()


def test_a_team_ranks_filters_plans_and_takes_its_list_away(
    page: Page, browser: tuple[Browser, str], leads: pd.DataFrame, uploads: Path, model: LeadModel
) -> None:
    upload(page, "leads.csv", leads.to_csv(index=False, sep=";").encode())
    table = page.get_by_role("region", name="Ranked leads")
    expect(table).to_be_visible(timeout=PATIENCE)
    probability = model.predict_proba(leads.astype(str).replace("nan", None))[:, 1]
    best = sorted(probability, reverse=True)
    expect(table.locator("tbody tr").first).to_contain_text(f"{best[0]:.1%}")
    expect(page.get_by_text("The first 300 of 400 leads")).to_be_visible()
    assert not [path for path in uploads.rglob("*.csv")]

    page.get_by_label("A (").uncheck()
    expect(table.locator("tbody tr").first.locator(".lm-grade")).to_have_text("B", timeout=PATIENCE)
    page.get_by_label("A (").check()
    page.get_by_role("button", name="age", exact=True).click()
    expect(table.locator("th[aria-sort=ascending]")).to_contain_text("age", timeout=PATIENCE)

    page.get_by_label("Calls", exact=True).fill("50")
    plan = page.locator(".lm-plan")
    expect(plan).to_contain_text(f"{sum(best[:50]):,.1f}customers expected", timeout=PATIENCE)
    if page.viewport_size == {"width": 1280, "height": 900}:
        tops = {figure.bounding_box()["y"] for figure in plan.locator("[role=status] div > b").all()}
        assert len(tops) == 1, "the key figures stand in one row"
    page.get_by_label("Cost of a call").fill("40")
    page.get_by_label("Value of a customer").fill("100")
    page.get_by_label("All profitable calls").check()
    n_calls = sum(chance >= 0.4 for chance in best)
    expect(plan).to_contain_text(f"{n_calls:,}calls of 400 leads", timeout=PATIENCE)

    page.get_by_label("Only the planned calls").check()
    csv = pd.read_csv(io.BytesIO(download(page, "Download CSV")))
    assert csv["probability"].tolist() == pytest.approx(best[:n_calls])
    page.get_by_label("All leads").check()
    sheet = openpyxl.load_workbook(io.BytesIO(download(page, "Download Excel"))).active
    assert sheet.max_row == 401
    expect(page.get_by_text("Cells that look like formulas: 1.")).to_be_visible()

    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
    assert page.evaluate("window.evil") is None
    other = open_page(*browser, 800, 600)
    expect(other.get_by_label("Or paste rows, with column names in the first row")).to_be_visible()
    assert other.get_by_role("region", name="Ranked leads").count() == 0
    other.close()


def test_rows_are_pasted_and_wrong_passwords_told(page: Page, leads: pd.DataFrame) -> None:
    box = page.get_by_label("Or paste rows, with column names in the first row")
    box.fill(leads.head(3).to_csv(index=False, sep="\t"))
    page.get_by_role("button", name="Score the pasted rows").click()
    table = page.get_by_role("region", name="Ranked leads")
    expect(table.locator("tbody tr")).to_have_count(3, timeout=PATIENCE)

    box.fill(leads.head(3).drop(columns="age").to_csv(index=False))
    page.get_by_role("button", name="Score the pasted rows").click()
    expect(page.get_by_role("alert")).to_contain_text("- age (missing)", timeout=PATIENCE)
    expect(page.get_by_role("alert")).to_be_in_viewport(timeout=PATIENCE)
    expect(table).not_to_be_visible()
