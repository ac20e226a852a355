"""Take the pictures of the README: python docs/screenshots.py

Trains on the synthetic leads, which describe nobody. Needs playwright and Debian's chromium.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.serving import our_app
from leadmodel.leads.sample import SAMPLE_RECIPE, make_sample
from leadmodel.training.interface import train_model

HERE = Path(__file__).parent
CHROMIUM = {"executable_path": "/usr/bin/chromium", "args": ["--no-sandbox", "--disable-gpu"]}


def main() -> None:
    """Start the app, use it as a visitor would, and take the pictures."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        train_model(make_sample(), SAMPLE_RECIPE).save_pretrained(f"{folder}/model")
        with our_app(f"{folder}/model") as (address, _, _):
            browser = playwright.chromium.launch(**CHROMIUM)  # type: ignore[arg-type]
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.set_default_timeout(60_000)
            page.goto(address)
            take_lead(page)
            take_list(page)
            for tab, shown in (("Model", "Other revisions"), ("Insights", "Associations")):
                page.get_by_role("tab", name=tab, exact=True).click()
                expect(page.get_by_text(shown, exact=True).first).to_be_visible()
                take(page, tab.lower())
            browser.close()


def take_lead(page: Page) -> None:
    """Fill in a lead and score it."""
    expect(page.get_by_role("button", name="Score", exact=True)).to_be_enabled()
    page.get_by_role("button", name="Fill in an example").click()
    expect(page.get_by_label("Age", exact=True)).not_to_have_value("")
    page.get_by_role("button", name="Score", exact=True).click()
    expect(page.locator(".lm-chance")).to_be_visible()
    take(page, "lead", full_page=True)


def take_list(page: Page) -> None:
    """Paste leads and score them."""
    page.get_by_role("tab", name="List", exact=True).click()
    page.get_by_label("Or paste rows").fill(make_sample(300, random_state=5).to_csv(index=False))
    page.get_by_role("button", name="Score the pasted rows").click()
    expect(page.get_by_role("button", name="Download CSV")).to_be_visible()
    page.get_by_text("Show grades").evaluate("label => label.scrollIntoView({block: 'start'})")
    take(page, "list")


def take(page: Page, name: str, *, full_page: bool = False) -> None:
    """Take a picture when everything has faded in."""
    page.wait_for_timeout(2000)
    page.screenshot(path=HERE / f"{name}.png", full_page=full_page)


if __name__ == "__main__":
    main()
