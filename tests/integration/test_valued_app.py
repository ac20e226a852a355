"""The app of a model that tells what leads are worth: every door, and the pages in a real browser."""

import shutil
from collections.abc import Iterator
from typing import Any

import httpx
import pandas as pd
import pytest
from playwright.sync_api import Page, expect, sync_playwright
from support import running_app, when_ready

from leadmodel.leads.recipe import DecisionConfig
from leadmodel.leads.sample import SAMPLE_RECIPE, make_sample
from leadmodel.model import LeadModel
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.training.interface import train_model

CHROMIUM = shutil.which("chromium")
LEADS = make_sample(60, random_state=9).drop(columns="status")
COST = 25.0
PATIENCE = 60_000


@pytest.fixture(scope="module")
def costed(sold: pd.DataFrame, quick: TrainingSettings) -> LeadModel:
    """A model that decides by the value of each lead."""
    recipe = SAMPLE_RECIPE.updated(amount="amount", decision=DecisionConfig(cost=COST))
    return train_model(sold, recipe, quick)


@pytest.fixture(scope="module")
def shop(costed: LeadModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of its app."""
    folder = tmp_path_factory.mktemp("valued") / "model"
    costed.save_pretrained(folder)
    with running_app(str(folder)) as address:
        yield address


@pytest.fixture
def page(shop: str) -> Iterator[Page]:
    """The app in a browser; an error in its console fails the test."""
    if CHROMIUM is None:
        pytest.skip("Debian's chromium is not installed")
    errors: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(shop)
        yield page
        browser.close()
    assert errors == []


def records() -> list[dict[str, Any]]:
    return [
        {name: None if pd.isna(value) else value for name, value in lead.items()}
        for lead in LEADS.to_dict("records")
    ]


def test_every_door_tells_the_same_value(shop: str, costed: LeadModel) -> None:
    expected = [answer.model_dump(mode="json") for answer in costed.answers(records())]
    assert expected[0]["expected_value"] > 0
    assert len(expected[0]["amount_interval"]) == 2
    assert httpx.post(f"{shop}/api/v1/score", json=records(), timeout=60).json() == expected
    batch = httpx.post(
        f"{shop}/gradio_api/run/predict_batch", json={"data": [records(), False]}, timeout=60
    )
    assert batch.json()["data"][0] == expected
    one = httpx.post(f"{shop}/api/v1/score", json=records()[0], timeout=60).json()
    assert one["expected_value"] == expected[0]["expected_value"]


def test_the_description_of_the_api_names_value_and_amount(shop: str) -> None:
    answer = httpx.get(f"{shop}/openapi.json").json()["components"]["schemas"]["Answer"]
    assert {"expected_amount", "expected_value", "amount_interval"} <= answer["properties"].keys()
    assert not {"expected_amount", "expected_value"} & set(answer["required"])


def test_the_model_describes_its_amounts(shop: str, costed: LeadModel) -> None:
    described = httpx.get(f"{shop}/api/v1/model").json()
    revenue = costed.evaluation.options["revenue"]
    assert revenue is not None
    assert described["revenue"]["chosen"] == revenue.chosen
    assert described["revenue"]["terms"]["unit"] == "€"
    assert described["decision"]["cost"] == COST


def test_a_lead_shows_what_it_is_worth(page: Page, costed: LeadModel) -> None:
    when_ready(page)
    page.get_by_role("button", name="Fill in an example").click()
    page.get_by_role("button", name="Score", exact=True).click()
    expect(page.locator(".lm-worth")).to_contain_text("Worth €", timeout=PATIENCE)
    expect(page.locator(".lm-worth")).to_contain_text("(80%)")
    expect(page.locator(".lm-head")).to_contain_text("call line at a value of €25")


def test_a_list_is_ranked_by_value_or_by_chance(page: Page, costed: LeadModel) -> None:
    page.get_by_role("tab", name="List", exact=True).click()
    box = page.get_by_label("Or paste rows, with column names in the first row")
    box.fill(LEADS.to_csv(index=False))
    page.get_by_role("button", name="Score the pasted rows").click()
    table = page.get_by_role("region", name="Ranked leads")
    scored = costed.score(LEADS.astype(object).where(LEADS.notna(), None))
    first = table.locator("tbody tr").first
    terms = costed.config.options["revenue"].terms  # type: ignore[union-attr]
    # A model that decides by value ranks by it.
    expect(first).to_contain_text(terms.money(scored["expected_value"].max()), timeout=PATIENCE)
    expect(page.get_by_label("Value of a customer")).to_have_count(0)
    page.get_by_label("All profitable calls").check()
    n_calls = int((scored["expected_value"] > COST).sum())
    expect(page.locator(".lm-plan")).to_contain_text(f"{n_calls:,}calls of 60 leads", timeout=PATIENCE)
    page.get_by_label("Probability", exact=True).check()
    expect(first).to_contain_text(f"{scored['probability'].max():.1%}", timeout=PATIENCE)
    expect(page.get_by_label("Value of a customer")).to_be_visible()
    expect(table.locator("th[aria-sort=descending]")).to_contain_text("Probability")


def test_the_model_page_tells_what_leads_are_worth(page: Page) -> None:
    page.get_by_role("tab", name="Model", exact=True).click()
    expect(page.get_by_role("heading", name="Expected amounts").first).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_alt_text("revenue", exact=True)).to_be_visible()
