"""Nobody learns from a model whether a lead had a rare text."""

import numpy as np
import pandas as pd
import pytest
from skops.io import loads
from support import with_amounts

from leadmodel.leads.convert import read_leads
from leadmodel.leads.field import MIN_CATEGORY_COUNT
from leadmodel.leads.sample import SAMPLE_RECIPE, make_sample
from leadmodel.model import LeadModel
from leadmodel.prepare.data import prepare
from leadmodel.prepare.rare_categories import forget_rare
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.publishing.files import TRUSTED_TYPES
from leadmodel.training.run import train


@pytest.fixture(scope="module")
def leads() -> pd.DataFrame:
    """Leads with amounts of which many have a town of their own, which tells a lot."""
    leads, rng = with_amounts(make_sample(1500, random_state=8)), np.random.default_rng(0)
    won = (leads["status"] == "Won").to_numpy()
    towns = np.where(won, rng.integers(0, 150, len(leads)), rng.integers(100, 400, len(leads)))
    return leads.assign(city=[f"Town {town}" for town in towns])


@pytest.fixture(scope="module")
def settings() -> TrainingSettings:
    """Settings under which values have models of their own and texts are compared one by one too."""
    return TrainingSettings(max_trees=60, n_folds=3, n_members=2, segment_by="source")


@pytest.fixture(scope="module")
def trained(leads: pd.DataFrame, settings: TrainingSettings) -> LeadModel:
    """A model of these leads."""
    return train(leads, SAMPLE_RECIPE.updated(amount="amount"), settings)


def rare_texts(leads: pd.DataFrame, settings: TrainingSettings) -> dict[str, list[str]]:
    X, _ = prepare(leads, SAMPLE_RECIPE.updated(amount="amount"), settings).train
    counts = {name: X[name].value_counts() for name in X.select_dtypes("category").columns}
    return {name: [*some[(some > 0) & (some < MIN_CATEGORY_COUNT)].index] for name, some in counts.items()}


def test_a_rare_text_is_scored_as_one_never_seen(
    leads: pd.DataFrame, settings: TrainingSettings, trained: LeadModel
) -> None:
    rare = rare_texts(leads, settings)["city"]
    assert len(rare) > 100
    for row in range(3):
        asked = leads.iloc[[row] * (len(rare) + 1)].assign(city=[*rare, "Nowhere"]).reset_index(drop=True)
        found = trained.predict_proba(asked)
        np.testing.assert_array_equal(found, np.tile(found[-1], (len(found), 1)))
        predictions = trained.predictor.predict(read_leads(trained.schema, asked))
        assert predictions.expected_amount is not None
        assert np.ptp(predictions.expected_amount) == 0


def test_the_pipeline_alone_says_the_same(leads: pd.DataFrame, trained: LeadModel) -> None:
    pipeline = loads(trained.files["model.skops"], trusted=list(TRUSTED_TYPES))
    whole = trained.classifier.predict_proba(read_leads(trained.schema, leads))[:, 1]
    np.testing.assert_allclose(pipeline.predict_proba(leads)[:, 1], whole, atol=1e-12)


def test_the_files_hold_no_rare_text(
    leads: pd.DataFrame, settings: TrainingSettings, trained: LeadModel
) -> None:
    content = b"".join(trained.files.values())
    for text in rare_texts(leads, settings)["city"]:
        assert f'"{text}"'.encode() not in content


def test_common_texts_stay_and_no_token_can_be_asked_for() -> None:
    values = ["a"] * 5 + ["b"] * 4 + ["c"] + ["d"] * 90
    X = pd.DataFrame({"text": pd.Categorical(values), "number": np.arange(100.0)})
    found = forget_rare(X)
    kept = found["text"].astype(str)
    assert list(kept[:5]) == ["a"] * 5
    assert list(kept[10:]) == ["d"] * 90
    tokens = set(kept[5:10])
    assert len(tokens) == 2
    assert all(token != token.strip() for token in tokens)
    assert list(X["text"]) == values
    assert list(forget_rare(X)["text"]) == list(found["text"])


def test_training_is_the_same_each_time(
    leads: pd.DataFrame, settings: TrainingSettings, trained: LeadModel
) -> None:
    again = train(leads, SAMPLE_RECIPE.updated(amount="amount"), settings)
    np.testing.assert_array_equal(again.predict_proba(leads), trained.predict_proba(leads))
