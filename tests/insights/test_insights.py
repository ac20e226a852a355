"""What is kept of the training leads: aggregates, and nothing that points to a lead."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from leadmodel.insights.insights import MIN_LEADS, N_BINS, Insights, count_histogram, find_insights
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


def test_every_lead_within_the_edges_is_counted_for_its_outcome() -> None:
    rng = np.random.default_rng(0)
    numbers, y = rng.normal(size=3000), rng.integers(0, 2, 3000)
    numbers[:50] = np.nan
    found = count_histogram(numbers, y)
    assert len(found.edges) == N_BINS + 1
    for place, (low, high) in enumerate(zip(found.edges[:-1], found.edges[1:], strict=True)):
        is_inside = (numbers >= low) & ((numbers < high) | ((place == N_BINS - 1) & (numbers == high)))
        assert found.converted[place] == (is_inside & (y == 1)).sum()
        assert found.other[place] == (is_inside & (y == 0)).sum()
    assert found.beyond == 2950 - sum(found.converted) - sum(found.other)
    # One in a hundred at either end.
    assert abs(found.beyond - 59) <= 2


def test_one_mistyped_number_does_not_press_the_others_into_a_bin() -> None:
    numbers = np.append(np.linspace(0.5, 9.5, 999), 1e9)
    found = count_histogram(numbers, np.ones(1000, dtype=np.int64))
    assert found.edges[-1] < 10
    assert max(found.converted) < 60


def test_each_bin_of_whole_numbers_holds_as_many_of_them() -> None:
    numbers = np.repeat(np.arange(18, 71), 4)
    found = count_histogram(numbers, np.ones(len(numbers), dtype=np.int64))
    assert set(found.converted[:-1]) == {4 * 3}
    assert found.edges[:2] == (17.5, 20.5)


def test_a_few_whole_numbers_have_a_bin_each() -> None:
    found = count_histogram([0, 1, 1, 3], np.array([1, 0, 1, 0]))
    assert found.edges == (-0.5, 0.5, 1.5, 2.5, 3.5)
    assert (found.converted, found.other) == ((1, 1, 0, 0), (0, 1, 0, 1))


def test_a_constant_has_a_histogram_too() -> None:
    for number in (3.0, 0.25):
        found = count_histogram([number] * 9, np.ones(9, dtype=np.int64))
        assert sum(found.converted) == 9
