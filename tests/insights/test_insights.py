"""What is kept of the training leads: aggregates, and nothing that points to a lead."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from leadmodel.insights.insights import MIN_LEADS, Insights, find_insights
from leadmodel.leads.convert import read_leads
from leadmodel.leads.infer import infer_schema
from leadmodel.leads.recipe import Recipe
from leadmodel.model import LeadModel

RNG = np.random.default_rng(3)
Y = RNG.integers(0, 2, 1000)
LEADS = pd.DataFrame(
    {
        "minutes": RNG.gamma(2, 20, 1000).round(2),
        "rarely": np.where(np.arange(1000) < 150, RNG.normal(0, 1, 1000), np.nan),
        "source": RNG.choice(["Search", "Social"], 1000),
        "city": ["Springfield"] * 990 + ["Ogdenville"] * 6 + ["Brockway"] * 4,
    }
)
SCHEMA = infer_schema(LEADS, Recipe())
IMPORTANCE = {"source": 3.0, "minutes": 2.0, "rarely": 1.0}
FOUND = find_insights(SCHEMA, read_leads(SCHEMA, LEADS), Y, IMPORTANCE)


def test_a_number_is_kept_as_five_quantiles_by_outcome() -> None:
    spread = FOUND.spreads["minutes"]
    for outcome, five in ((1, spread.converted), (0, spread.other)):
        rising = np.sort(LEADS["minutes"].to_numpy()[Y == outcome])
        for share, value in zip((0.05, 0.25, 0.5, 0.75, 0.95), five, strict=True):
            place = round(share * len(rising)) - 1
            assert rising[place - 6] < value < rising[place + 6]
            assert value not in rising


def test_a_number_of_few_leads_is_not_kept() -> None:
    known = LEADS["rarely"].notna().to_numpy()
    assert min((Y[known] == 1).sum(), (Y[known] == 0).sum()) < MIN_LEADS
    assert set(FOUND.spreads) == {"minutes"}


def test_the_most_important_fields_come_first() -> None:
    assert FOUND.association.fields == ("source", "minutes", "rarely", "city")


def test_neither_extreme_nor_rare_values_are_kept() -> None:
    text = FOUND.model_dump_json()
    assert str(LEADS["minutes"].max()) not in text
    assert str(LEADS["minutes"].min()) not in text
    assert "Brockway" not in text


def test_json_keeps_the_insights_and_refuses_what_it_does_not_know() -> None:
    text = FOUND.model_dump_json()
    assert Insights.model_validate_json(text) == FOUND
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Insights.model_validate_json(text[:-1] + ', "leads": []}')


def test_a_model_carries_them_and_one_without_them_is_read_as_well(model: LeadModel) -> None:
    insights = model.evaluation.insights
    assert insights is not None
    assert {"minutes_on_site", "age"} <= set(insights.spreads)
    text = model.evaluation.model_dump_json(exclude={"insights"}).encode()
    older = LeadModel(model.files | {"metrics.json": text})
    assert older.evaluation.insights is None
