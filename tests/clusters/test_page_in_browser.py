"""Segments in a real browser, at the size of a desk and of a phone."""

from collections.abc import Iterator

import pytest
from kinds import make_kinds
from playwright.sync_api import Browser, expect
from support import running_app, violations

from leadmodel.model import LeadModel

PATIENCE = 120_000


@pytest.fixture(scope="module")
def served(model_of_kinds: LeadModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app of a model with segments."""
    folder = tmp_path_factory.mktemp("app") / "model"
    model_of_kinds.save_pretrained(folder)
    with running_app(str(folder)) as address:
        yield address


@pytest.mark.parametrize("size", [(1280, 900), (390, 844)], ids=["desktop", "phone"])
def test_segments_are_seen_and_lists_filtered_by_them(
    chromium: Browser, served: str, size: tuple[int, int], model_of_kinds: LeadModel
) -> None:
    page = chromium.new_page(viewport={"width": size[0], "height": size[1]})
    page.set_default_timeout(PATIENCE)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(served)
    page.get_by_role("tab", name="Segments", exact=True).click()
    expect(page.locator(".lm-cards section")).to_have_count(3, timeout=PATIENCE)
    assert violations(page) == []
    first = model_of_kinds.config.options["segments"].names[0]
    page.get_by_label(f"1 {first}").uncheck()
    expect(page.locator(".lm-cards section")).to_have_count(2, timeout=PATIENCE)
    page.get_by_label("Conversion", exact=True).check()
    expect(page.get_by_text("The darker, the more")).to_be_visible(timeout=PATIENCE)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")

    leads = make_kinds(40, random_state=3).drop(columns=["kind", "won"])
    names = model_of_kinds.score(leads)["segment"].tolist()
    page.get_by_role("tab", name="List", exact=True).click()
    page.get_by_label("Or paste rows").fill(leads.to_csv(index=False))
    page.get_by_role("button", name="Score the pasted rows").click()
    rows = page.get_by_role("region", name="Ranked leads").locator("tbody tr")
    expect(rows).to_have_count(40, timeout=PATIENCE)
    page.get_by_label(f"{first} ({names.count(first)})").uncheck()
    expect(rows).to_have_count(40 - names.count(first), timeout=PATIENCE)
    assert violations(page) == []
    assert errors == []
    page.close()
