"""The form in a real browser, as a person sees it."""

import shutil
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Page, expect, sync_playwright
from support import running_app

from leadmodel.evaluation.conversions import find_notable
from leadmodel.evaluation.verdict import judge_model
from leadmodel.leads.recipe import DecisionHints, FieldHints
from leadmodel.leads.sample import SAMPLE_RECIPE
from leadmodel.model import LeadModel
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
        page.goto(address, wait_until="networkidle")
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


def fits(page: Page) -> bool:
    """Whether nothing is wider than the screen."""
    root = "document.documentElement"
    return bool(page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth"))


def test_the_page_of_the_model_tells_whether_to_use_it(page: Page, model: LeadModel) -> None:
    page.get_by_role("tab", name="The model").click()
    labels = {field.name: field.label for field in model.schema.fields}
    verdict = judge_model(model.evaluation, labels)
    expect(page.locator(".lm-verdict")).to_contain_text(verdict.level.capitalize())
    for check in verdict.checks:
        expect(page.get_by_text(check.sentence, exact=True)).to_be_visible()
    auc = model.evaluation.test["roc_auc"]
    row = page.get_by_role("row").filter(has_text="ROC AUC").filter(has_text="a coin")
    expect(row).to_contain_text(f"{auc.value:.3f}")
    expect(page.get_by_role("img", name="reliability")).to_be_visible()
    expect(page.get_by_text("served from a folder")).to_be_visible()
    page.get_by_role("button", name="The model card").click()
    expect(page.get_by_role("heading", name="How to use it")).to_be_visible()
    expect(page.locator("pre").filter(has_text="import skops.io")).to_be_visible()
    assert fits(page)


def test_the_page_of_insights_tells_what_the_leads_say(page: Page, model: LeadModel) -> None:
    page.get_by_role("tab", name="Insights").click()
    told = find_notable(model.schema, model.profile)
    expect(page.get_by_role("listitem").filter(has_text=told[0])).to_be_visible()
    expect(page.get_by_role("heading", name="What goes together")).to_be_visible()
    field = page.get_by_label("Field", exact=True)
    field.click()
    page.get_by_role("option", name="Age", exact=True).click()
    shown = page.get_by_role("img", name="Age, who converts")
    expect(shown).to_be_visible()
    assert shown.evaluate("image => image.naturalWidth") > 300
    page.get_by_text("In words").click()
    expect(page.get_by_text("not given: ")).to_be_visible()
    assert fits(page)


EVIL = "<img src=x onerror=window.evil=1> <script>window.evil=1</script> =1+1 ${window.evil=1} {{x}} \"'😀"


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
        page.goto(address, wait_until="networkidle")
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


@pytest.mark.parametrize("tab", ["The model", "Insights"])
def test_markup_stays_text_on_every_page(hostile_page: Page, tab: str) -> None:
    hostile_page.get_by_role("tab", name=tab).click()
    title = {"The model": "Other revisions", "Insights": "What goes together"}[tab]
    expect(hostile_page.get_by_role("heading", name=title)).to_be_visible()
    if tab == "The model":
        hostile_page.get_by_role("button", name="The model card").click()
        expect(hostile_page.get_by_role("heading", name="How to use it")).to_be_visible()
    hostile_page.wait_for_timeout(500)
    assert hostile_page.evaluate("window.evil") is None
    assert hostile_page.locator("img[src=x]").count() == 0
