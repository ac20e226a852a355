"""The form in a real browser, as a person sees it."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

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
