"""The form in a real browser, as a person sees it."""

import shutil
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Page, expect, sync_playwright
from support import running_app, visit

from leadmodel.leads.recipe import DecisionHints, FieldHints
from leadmodel.leads.sample import SAMPLE_RECIPE
from leadmodel.training.run import train
from leadmodel.training.settings import TrainingSettings

CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")


@pytest.fixture(params=[(1280, 900), (390, 844)], ids=["desktop", "phone"])
def page(address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The app's first page, at two sizes; an error in its console fails the test."""
    width, height = request.param
    errors: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": width, "height": height})
        page.on("pageerror", lambda error: errors.append(str(error)))
        visit(page, address)
        yield page
        browser.close()
    assert errors == []


def test_a_visitor_scores_an_example(page: Page) -> None:
    page.get_by_role("button", name="Fill in an example").click()
    expect(page.get_by_label("Age", exact=True)).not_to_have_value("")
    page.get_by_role("button", name="Score").click()
    answer = page.locator(".lm-card")
    expect(answer).to_contain_text("chance to convert")
    expect(answer).to_contain_text("Speaks against it")
    expect(page.locator(".lm-chance")).to_contain_text("%")


def test_nothing_filled_in_is_nothing_known(page: Page) -> None:
    with page.expect_request("**/queue/join*") as sent:
        page.get_by_role("button", name="Score").click()
    assert set(sent.value.post_data_json["data"]) == {None, "(unknown)"}
    expect(page.locator(".lm-card")).not_to_contain_text("is 0")


def test_unknown_is_enough_and_clear_forgets(page: Page) -> None:
    page.get_by_label("Age", exact=True).fill("31")
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_label("Age", exact=True)).to_have_value("")
    page.get_by_role("button", name="Score").click()
    expect(page.locator(".lm-card")).to_contain_text("was not given")


def test_an_odd_number_is_scored_with_a_warning(page: Page) -> None:
    page.get_by_label("Age", exact=True).fill("900")
    page.get_by_role("button", name="Score").click()
    expect(page.locator(".lm-note")).to_contain_text("Age: 900 lies outside the training leads'")


def test_nothing_is_wider_than_the_screen(page: Page) -> None:
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0


EVIL = "<img src=x onerror=window.evil=1> <script>window.evil=1</script> =1+1 \"'😀"


@pytest.fixture(scope="module")
def hostile_page(sample: pd.DataFrame, quick: TrainingSettings, tmp_path_factory: Any) -> Iterator[Page]:
    """The app of a model whose title, fields, values and help texts hold markup."""
    leads = sample.rename(columns={"age": EVIL + " a", "course": EVIL + " b", "webinar": EVIL + " c"})
    leads["source"] = leads["source"].replace("Search", EVIL)
    hints = {name: FieldHints(help=EVIL, unit=EVIL) for name in (EVIL + " a", EVIL + " b", EVIL + " c")}
    words = DecisionHints(positive=EVIL, negative=EVIL)
    recipe = SAMPLE_RECIPE.updated(title=EVIL, fields=hints, decision=words)
    folder = tmp_path_factory.mktemp("hostile") / "model"
    train(leads, recipe, quick).save_pretrained(folder)
    with running_app(str(folder)) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        visit(page, address)
        yield page
        browser.close()


def test_markup_in_names_and_values_stays_text(hostile_page: Page) -> None:
    hostile_page.get_by_role("button", name="Fill in an example").click()
    hostile_page.wait_for_timeout(500)
    hostile_page.get_by_role("button", name="Score").click()
    expect(hostile_page.locator(".lm-card")).to_contain_text("chance to convert")
    expect(hostile_page.locator(".lm-decision")).to_have_text(EVIL)
    assert hostile_page.evaluate("window.evil") is None
    assert hostile_page.locator("img[src=x]").count() == 0
