"""The form in a real browser, as a person sees it."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from models import trained
from playwright.sync_api import Browser, Page, expect
from support import running_app, when_ready

from leadmodel.insights.conversion import find_notable
from leadmodel.leads.recipe import DecisionConfig, FieldConfig
from leadmodel.leads.sample import SAMPLE_RECIPE
from leadmodel.model import LeadModel
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.report.readiness import evaluate_readiness


@pytest.fixture(params=[(1280, 900), (390, 844)], ids=["desktop", "phone"])
def page(chromium: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The app's first page, at two sizes; an error in its console fails the test."""
    width, height = request.param
    errors: list[str] = []
    page = chromium.new_page(viewport={"width": width, "height": height})
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    when_ready(page)
    yield page
    page.close()
    assert errors == []


def test_a_visitor_scores_an_example(page: Page) -> None:
    page.get_by_role("button", name="Fill in an example").click()
    expect(page.get_by_label("Age", exact=True)).not_to_have_value("")
    page.get_by_role("button", name="Score", exact=True).click()
    answer = page.locator(".lm-card")
    expect(answer).to_contain_text("% chance")
    expect(answer).to_contain_text("Lowers the chance")
    expect(page.locator(".lm-chance")).to_contain_text("%")


def test_every_page_says_whether_the_model_can_be_used(page: Page, model: LeadModel) -> None:
    for tab in ("Lead", "List", "Model", "Insights"):
        page.get_by_role("tab", name=tab, exact=True).click()
        expect(page.get_by_text(model.summary())).to_be_visible()
    refused = page.get_by_text("Do not use these scores to decide.")
    expect(refused).to_have_count(int(model.readiness.level == "not ready"))


def test_nothing_filled_in_is_nothing_known(page: Page) -> None:
    with page.expect_request("**/queue/join*") as sent:
        page.get_by_role("button", name="Score", exact=True).click()
    _curve_of, *values = sent.value.post_data_json["data"]
    assert set(values) == {None, "(unknown)"}
    expect(page.locator(".lm-card")).not_to_contain_text("is 0")


def test_unknown_is_enough_and_clear_forgets(page: Page) -> None:
    page.get_by_label("Age", exact=True).fill("31")
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_label("Age", exact=True)).to_have_value("")
    page.get_by_role("button", name="Score", exact=True).click()
    expect(page.locator(".lm-card")).to_contain_text("although past leads always had them")


def test_an_odd_number_is_scored_with_a_warning(page: Page) -> None:
    page.get_by_label("Age", exact=True).fill("900")
    page.get_by_role("button", name="Score", exact=True).click()
    expect(page.locator(".lm-note")).to_contain_text("Age: 900 is outside the training range")


def test_typing_into_a_list_filters_it_and_takes_the_only_match(page: Page) -> None:
    course, source = (page.get_by_label(label, exact=True) for label in ("Course", "Source"))
    expect(course).to_have_value("")
    course.click()
    page.keyboard.type("fin")
    expect(page.get_by_role("option")).to_contain_text(["Finance"])
    page.keyboard.press("Enter")
    expect(course).to_have_value("Finance")
    source.focus()
    page.keyboard.type("ref")
    page.keyboard.press("Tab")
    expect(source).to_have_value("Referral")
    course.click()
    page.get_by_role("option", name="Design").click()
    expect(course).to_have_value("Design")
    # A text that the model does not know stays, and the answer asks whether another was meant.
    source.fill("Referal")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Score", exact=True).click()
    expect(page.locator(".lm-note").first).to_contain_text("Did you mean 'Referral'?")
    expect(source).to_have_value("Referal")
    source.fill("")
    page.keyboard.press("Tab")
    expect(source).to_have_value("")


def focused(page: Page) -> str:
    """The label of what the keyboard is at."""
    told = "(e => e.getAttribute('aria-label') || e.closest('fieldset')?.innerText || e.innerText)"
    return str(page.evaluate(f"{told}(document.activeElement)")).split("\n")[0]


def test_the_keyboard_leads_from_the_first_field_to_the_answer(page: Page, model: LeadModel) -> None:
    importance = model.evaluation.importance
    ranked = sorted(model.schema.fields, key=lambda field: -importance[field.name])
    page.get_by_role("tab", name="Insights").focus()  # the last of them
    for field in ranked:
        page.keyboard.press("Tab")
        assert focused(page) == field.label
        if field.kind == "numeric":
            page.keyboard.type("3")
        elif field.kind == "boolean":
            page.keyboard.press("ArrowUp")  # from "(unknown)", the last choice
        else:
            page.keyboard.type(field.choices[0])
    for button in ("Clear", "Fill in an example", "Score"):
        page.keyboard.press("Tab")
        assert focused(page) == button
    expect(page.get_by_role("listbox")).to_have_count(0)
    with page.expect_request("**/queue/join*") as sent:
        page.keyboard.press("Enter")
    _curve_of, *values = sent.value.post_data_json["data"]
    expected = {"numeric": lambda field: 3, "boolean": lambda field: "Yes"}
    assert values == [expected.get(field.kind, lambda field: field.choices[0])(field) for field in ranked]
    expect(page.locator(".lm-chance")).to_contain_text("%")


@pytest.mark.parametrize(
    ("label", "typed", "key"), [("Age", "31", "Enter"), ("Course", "Fin", "Control+Enter")]
)
def test_a_key_scores_from_inside_a_field(page: Page, label: str, typed: str, key: str) -> None:
    page.get_by_label(label, exact=True).press_sequentially(typed)
    page.get_by_label(label, exact=True).press(key)
    expect(page.locator(".lm-card")).to_contain_text("% chance")
    expect(page.get_by_role("listbox")).to_have_count(0)
    assert page.locator("#lm-result").bounding_box()["y"] < page.viewport_size["height"] / 2


def test_what_would_raise_it_and_the_curve_of_a_field(page: Page, model: LeadModel) -> None:
    page.get_by_role("button", name="Fill in an example").click()
    expect(page.get_by_label("Age", exact=True)).not_to_have_value("")
    page.get_by_role("button", name="Score", exact=True).click()
    best = model.what_if(model.schema.example()).changes[0]
    points = round(100 * best.probability) - round(100 * (best.probability - best.gain))
    told = page.locator(".lm-changes li").first
    expect(told).to_contain_text(f"If {best.label} were {best.after} instead of {best.before}")
    expect(told).to_contain_text(f"(+{points} points)")
    page.get_by_label("See how the chance changes").click()
    page.get_by_role("option", name="Webinar").click()
    yes, no = (model.answer(model.schema.example() | {"webinar": one}).probability for one in ("Yes", "No"))
    bars = page.locator(".lm-bars > b")
    expect(bars).to_have_text([f"{no:.0%}", f"{yes:.0%}"])
    page.get_by_label("See how the chance changes").click()
    page.get_by_role("option", name="Pages per visit").click()
    expect(page.get_by_role("img", name="Probability by Pages per visit")).to_be_visible()
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0


def test_an_answer_beside_other_values_says_so(page: Page) -> None:
    age, old = page.get_by_label("Age", exact=True), page.locator("#lm-result.lm-stale")
    age.fill("31")
    page.get_by_role("button", name="Score", exact=True).click()
    expect(page.locator(".lm-chance")).to_be_visible()
    expect(old).to_have_count(0)
    age.fill("32")
    expect(old).to_have_count(1)
    age.fill("31")
    expect(old).to_have_count(0)


def test_a_link_reopens_the_form_and_its_answer(page: Page, address: str) -> None:
    page.get_by_label("Age", exact=True).fill("31.5")
    page.get_by_role("radio", name="Yes").first.check()
    page.get_by_label("City").fill("Düsseldorf & more #1")
    expect(page.locator("#lm-link")).to_have_count(0)
    page.get_by_role("button", name="Link to this lead").click()
    link = page.locator("#lm-link textarea").input_value()
    assert link.startswith(f"{address}/#lead?")
    page.get_by_role("button", name="Score", exact=True).click()
    chance = page.locator(".lm-chance").inner_text()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("about:blank")
    page.goto(link)
    expect(page.locator(".lm-chance")).to_have_text(chance)
    expect(page.get_by_label("Age", exact=True)).to_have_value("31.5")
    expect(page.get_by_label("City")).to_have_value("Düsseldorf & more #1")
    expect(page.get_by_role("radio", name="Yes").first).to_be_checked()
    expect(page.locator("#lm-result.lm-stale")).to_have_count(0)
    assert not [url for url in asked if "31.5" in url.partition("#")[0]]


def test_what_a_link_gets_wrong_is_told_and_does_no_harm(page: Page, address: str) -> None:
    evil = "%3Cimg%20src=x%20onerror=window.evil=1%3E"
    page.goto(f"{address}/#lead?age=31&webinar={evil}&{evil}=1&city={evil}&minutes_on_site=long")
    note = page.locator("#lm-result > * .lm-note").first
    expect(note).to_contain_text("Parts of the link could not be read")
    expect(note.get_by_role("listitem")).to_have_count(3)
    expect(page.get_by_label("Age", exact=True)).to_have_value("31")
    expect(page.locator(".lm-chance")).to_contain_text("%")
    assert page.evaluate("window.evil") is None
    assert page.locator("img[src=x]").count() == 0


def test_nothing_is_wider_than_the_screen(page: Page) -> None:
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0


def fits(page: Page) -> bool:
    """Whether nothing is wider than the screen."""
    root = "document.documentElement"
    return bool(page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth"))


def test_the_page_of_the_model_tells_whether_to_use_it(page: Page, model: LeadModel) -> None:
    page.get_by_role("tab", name="Model").click()
    labels = {field.name: field.label for field in model.schema.fields}
    verdict = evaluate_readiness(model.evaluation, labels)
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
    expect(page.get_by_role("heading", name="Associations")).to_be_visible()
    field = page.get_by_label("Field", exact=True)
    field.click()
    page.get_by_role("option", name="Age", exact=True).click()
    shown = page.get_by_role("img", name="Age, conversion rate")
    expect(shown).to_be_visible()
    assert shown.evaluate("image => image.naturalWidth") > 300
    page.get_by_text("In words").click()
    expect(page.get_by_text("not given: ")).to_be_visible()
    assert fits(page)


EVIL = "<img src=x onerror=window.evil=1> <script>window.evil=1</script> =1+1 ${window.evil=1} {{x}} \"'😀"


@pytest.fixture(scope="module")
def hostile_page(
    chromium: Browser, sample: pd.DataFrame, quick: TrainingSettings, tmp_path_factory: Any
) -> Iterator[Page]:
    """The app of a model whose title, fields, values and help texts hold markup."""
    leads = sample.rename(columns={"age": EVIL + " a", "course": EVIL + " b", "webinar": EVIL + " c"})
    leads["source"] = leads["source"].replace("Search", EVIL)
    leads["fold"] = np.arange(len(leads)) % 7  # a thirteenth field, so that there is a fold
    hints = {name: FieldConfig(help=EVIL, unit=EVIL) for name in (EVIL + " a", EVIL + " b", EVIL + " c")}
    words = DecisionConfig(positive=EVIL, negative=EVIL)
    recipe = SAMPLE_RECIPE.updated(title=EVIL, fields=hints, decision=words)
    folder = tmp_path_factory.mktemp("hostile") / "model"
    trained(leads, recipe, quick).save_pretrained(folder)
    with running_app(str(folder)) as address:
        page = chromium.new_page()
        page.goto(address)
        when_ready(page)
        yield page
        page.close()


def test_fields_under_the_fold_are_filled_in_and_unknown_until_then(hostile_page: Page) -> None:
    folded = hostile_page.get_by_label("Fold", exact=True)
    expect(folded).to_be_hidden()
    with hostile_page.expect_request("**/queue/join*") as sent:
        hostile_page.get_by_role("button", name="Score", exact=True).click()
    _curve_of, *values = sent.value.post_data_json["data"]
    assert len(values) == 13
    assert set(values) == {None, "(unknown)"}
    expect(hostile_page.get_by_text("No field is marked as one that you can change")).to_be_visible()
    hostile_page.get_by_role("button", name="Fill in an example").click()
    expect(folded).to_have_value("3")
    hostile_page.get_by_role("button", name="Clear").click()
    expect(folded).to_be_hidden()


def test_markup_in_names_and_values_stays_text(hostile_page: Page) -> None:
    hostile_page.get_by_role("button", name="Fill in an example").click()
    hostile_page.wait_for_timeout(500)
    hostile_page.get_by_role("button", name="Score", exact=True).click()
    expect(hostile_page.locator(".lm-card")).to_contain_text("% chance")
    expect(hostile_page.locator(".lm-decision")).to_have_text(EVIL)
    assert hostile_page.evaluate("window.evil") is None
    assert hostile_page.locator("img[src=x]").count() == 0


@pytest.mark.parametrize("tab", ["Model", "Insights"])
def test_markup_stays_text_on_every_page(hostile_page: Page, tab: str) -> None:
    hostile_page.get_by_role("tab", name=tab).click()
    title = {"Model": "Other revisions", "Insights": "Associations"}[tab]
    expect(hostile_page.get_by_role("heading", name=title)).to_be_visible()
    if tab == "Model":
        hostile_page.get_by_role("button", name="The model card").click()
        expect(hostile_page.get_by_role("heading", name="How to use it")).to_be_visible()
    hostile_page.wait_for_timeout(500)
    assert hostile_page.evaluate("window.evil") is None
    assert hostile_page.locator("img[src=x]").count() == 0
