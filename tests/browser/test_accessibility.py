"""Every page, at the size of a desk and of a phone, checked by axe."""

import pandas as pd
import pytest
from playwright.sync_api import Browser, expect
from support import violations, when_ready

import leadmodel


@pytest.mark.parametrize("size", [(1280, 900), (390, 844)], ids=["desktop", "phone"])
def test_every_page_can_be_used_by_everybody(
    chromium: Browser, address: str, sample: pd.DataFrame, size: tuple[int, int]
) -> None:
    page = chromium.new_page(viewport={"width": size[0], "height": size[1]})
    page.set_default_timeout(60_000)
    page.goto(address)
    when_ready(page)
    page.get_by_role("button", name="Fill in an example").click()
    page.get_by_role("button", name="Score", exact=True).click()
    expect(page.locator(".lm-chance")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("tab", name="List", exact=True).click()
    page.get_by_label("Or paste rows").fill(sample.head(60).to_csv(index=False))
    page.get_by_role("button", name="Score the pasted rows").click()
    expect(page.get_by_role("button", name="Download CSV")).to_be_visible()
    assert violations(page) == []
    for tab, shown in (("Model", "Other revisions"), ("Insights", "Associations")):
        page.get_by_role("tab", name=tab, exact=True).click()
        expect(page.get_by_text(shown, exact=True).first).to_be_visible()
        assert violations(page) == []
    page.close()


@pytest.mark.parametrize("colors", ["background: #fff; color: #111", "background: #111; color: #eee"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_audit_in_a_notebook_can_be_read_by_everybody(
    chromium: Browser, sample: pd.DataFrame, width: int, colors: str
) -> None:
    leads = sample.assign(**{"signed by": sample["status"].map({"Won": "x" * 300})})
    html = leadmodel.check(leads, target="status")._repr_html_()
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.set_content(
        f'<!doctype html><html lang="en"><head><title>Audit</title></head><body style="{colors}"><main>'
        f"<h1>Notebook</h1><h2>Cell</h2>{html}</main></body></html>"
    )
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()
