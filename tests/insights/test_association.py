"""Strengths of association against their textbook formulas."""

import math

import numpy as np
import pandas as pd
import pytest

from leadmodel.insights.association import (
    associate,
    correlation_ratio,
    cramers_v,
    spearman,
)
from leadmodel.leads.convert import read_leads
from leadmodel.leads.infer import infer_schema
from leadmodel.leads.recipe import Recipe

RNG = np.random.default_rng(1)


def test_cramers_v_is_that_of_the_two_by_two_table() -> None:
    # 40 and 10 against 20 and 30: chi-square = n (ad - bc)² / ((a+b)(c+d)(a+c)(b+d)).
    one = np.repeat([0, 0, 1, 1], [40, 10, 20, 30])
    other = np.repeat([0, 1, 0, 1], [40, 10, 20, 30])
    chi = 100 * (40 * 30 - 10 * 20) ** 2 / (50 * 50 * 60 * 40)
    phi = chi / 100 - 1 / 99
    assert cramers_v(one, other) == pytest.approx(math.sqrt(phi / (2 - 1 / 99 - 1)))


def test_texts_of_many_values_do_not_seem_to_go_together_by_chance() -> None:
    one, other = RNG.integers(0, 50, 1000), RNG.integers(0, 50, 1000)
    assert cramers_v(one, other) < 0.1
    assert cramers_v(one, one) == pytest.approx(1)


def test_the_correlation_ratio_is_the_explained_share_of_the_variance() -> None:
    codes = RNG.integers(0, 3, 500)
    values = RNG.normal(codes, 1.0)
    frame = pd.DataFrame({"code": codes, "value": values})
    means = frame.groupby("code")["value"].transform("mean")
    within = float(((values - means) ** 2).sum()) / (500 - 3)
    total = float(values.var(ddof=1))
    assert correlation_ratio(codes, values) == pytest.approx(math.sqrt(1 - within / total))


def test_spearman_is_the_correlation_of_the_ranks() -> None:
    one = RNG.integers(0, 20, 300).astype(float)
    other = one**3 + RNG.normal(0, 500, 300)
    expected = pd.Series(one).corr(pd.Series(other), method="spearman")
    assert spearman(one, other) == pytest.approx(expected)


@pytest.mark.parametrize(
    "value",
    [cramers_v(np.zeros(9, int), np.arange(9) % 3), correlation_ratio(np.arange(9) % 3, np.ones(9))],
    ids=["texts", "mixed"],
)
def test_what_does_not_vary_goes_with_nothing(value: float) -> None:
    assert math.isnan(value)


def leads() -> pd.DataFrame:
    source = RNG.choice(["Search", "Social", "Fair"], 800)
    visits = RNG.integers(0, 30, 800).astype(float)
    return pd.DataFrame(
        {
            "source": source,
            "medium": np.where(RNG.random(800) < 0.9, source, "Other"),
            "visits": visits,
            "minutes": 40 - visits + RNG.normal(0, 3, 800),
            "rarely": np.where(np.arange(800) < 60, visits, np.nan),
        }
    )


def test_each_pair_has_the_measure_of_its_kinds() -> None:
    raw = leads()
    schema = infer_schema(raw, Recipe())
    X = read_leads(schema, raw)
    names = ["visits", "source", "minutes", "medium", "rarely"]
    found = associate(schema, X, names)
    assert found.fields == tuple(names)
    assert found.strength == tuple(zip(*found.strength, strict=True))
    texts = cramers_v(pd.factorize(raw["source"])[0], pd.factorize(raw["medium"])[0])
    numbers = pd.Series(raw["visits"]).corr(raw["minutes"], method="spearman")
    mixed = correlation_ratio(pd.factorize(raw["source"])[0], raw["visits"].rank().to_numpy())
    assert found.strength[1][3] == pytest.approx(texts, abs=5e-4)
    assert found.strength[0][2] == pytest.approx(numbers, abs=5e-4)
    assert found.strength[0][1] == pytest.approx(mixed, abs=5e-4)
    assert numbers < -0.8
    strongest = ("minutes", "visits", found.strength[0][2]), ("medium", "source", found.strength[1][3])
    assert set(found.pairs()[:2]) == set(strongest)


def test_few_leads_with_both_say_nothing() -> None:
    raw = leads()
    schema = infer_schema(raw, Recipe())
    found = associate(schema, read_leads(schema, raw), ["rarely", "visits"])
    assert found.strength[0][1] is None
    assert found.pairs() == []
