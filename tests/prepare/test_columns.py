"""More columns than the leads can bear: the best are kept, chosen anew wherever a model is judged."""

import numpy as np
import pandas as pd
import pytest
from skops.io import loads
from support import with_amounts

from leadmodel.leads.convert import read_leads
from leadmodel.leads.field import MIN_CATEGORY_COUNT
from leadmodel.leads.recipe import Recipe
from leadmodel.leads.sample import SAMPLE_RECIPE, make_sample
from leadmodel.model import LeadModel
from leadmodel.prepare.columns import choose_columns, forget_rare, max_columns
from leadmodel.prepare.data import TrainingData, prepare
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.prepare.split import Folds
from leadmodel.publishing.files import TRUSTED_TYPES
from leadmodel.training.check.report import audit_report
from leadmodel.training.crossvalidation import cross_validate, try_others
from leadmodel.training.interface import train_model

RECIPE = Recipe(target="won", positive="yes")
SETTINGS = TrainingSettings(max_trees=20, n_folds=3, n_members=1, race_below=0)
N, K = 300, 300


@pytest.fixture(scope="module")
def leads() -> pd.DataFrame:
    """Leads of 300 columns, of which three tell something."""
    rng = np.random.default_rng(6)
    columns = {f"x{place}": rng.normal(size=N).round(3) for place in range(K)}
    columns["x7"] = rng.choice(["Fair", "Letter", "Search"], N)
    told = columns["x3"] + np.asarray(columns["x250"]) + 2 * (columns["x7"] == "Fair") - 0.5  # type: ignore[operator]
    return pd.DataFrame(
        columns | {"won": np.where(rng.random(N) < 1 / (1 + np.exp(-2 * told)), "yes", "no")}
    )


@pytest.fixture(scope="module")
def past(leads: pd.DataFrame) -> TrainingData:
    """The same, ready to train on."""
    return prepare(leads, RECIPE, SETTINGS)


def test_the_columns_that_tell_something_are_kept(past: TrainingData) -> None:
    assert len(past.schema.fields) == max_columns(len(past.train[1])) == 200
    assert {"x3", "x7", "x250"} <= set(past.schema.by_name)
    why = set(past.schema.ignored.values())
    assert why == {"target", "too many columns for 240 leads: 200 of 300 rank better"}
    assert past.train[0].shape == (240, 200)
    assert past.test[0].shape == (60, 200)
    report = audit_report(past).replace("\n    ", " ")
    assert "100 columns are left out. Too many columns for 240 leads: 200 of 300" in report


def test_the_test_leads_choose_nothing(leads: pd.DataFrame, past: TrainingData) -> None:
    other = leads.copy()
    rows = past.X.index[past.split.test]
    other.loc[rows, "x11"] = (other.loc[rows, "won"] == "yes").astype(float)
    assert set(prepare(other, RECIPE, SETTINGS).schema.by_name) == set(past.schema.by_name)


def test_columns_of_chance_do_not_look_good_on_the_folds() -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame({f"x{place}": rng.normal(size=200) for place in range(600)})
    y = rng.integers(0, 2, 200)
    settings = TrainingSettings(max_trees=30, n_folds=4, n_members=1, ordered_below=0, race_below=0)
    folds = Folds(settings.n_folds, settings.seed)
    checked = cross_validate(X, y, settings.classifier_parameters(200), folds, settings.patience)
    found = [checked.trial, *try_others(X, y, folds)]
    for trial in found:
        other, converted = (trial.probability[y == outcome] for outcome in (0, 1))
        assert (converted[:, None] > other).mean() < 0.62


def test_as_many_columns_as_usual_are_all_kept() -> None:
    X = pd.DataFrame({f"x{place}": np.arange(60.0) for place in range(200)})
    assert choose_columns(X, np.arange(60) % 2) == list(X.columns)
    assert max_columns(100_000) == 10_000


def test_a_model_of_wide_leads_takes_them_whole(leads: pd.DataFrame) -> None:
    model: LeadModel = train_model(leads, RECIPE, SETTINGS)
    assert len(model.schema.fields) == 200
    assert model.predict_proba(leads).shape == (N, 2)
    answer = model.answer(leads.drop(columns="won").iloc[0].to_dict())
    assert 0 < answer.probability < 1
    assert len(model.schema.ignored) == 101


@pytest.fixture(scope="module")
def town_leads() -> pd.DataFrame:
    """Leads with amounts of which many have a town of their own, which tells a lot."""
    town_leads, rng = with_amounts(make_sample(1500, random_state=8)), np.random.default_rng(0)
    won = (town_leads["status"] == "Won").to_numpy()
    towns = np.where(won, rng.integers(0, 150, len(town_leads)), rng.integers(100, 400, len(town_leads)))
    return town_leads.assign(city=[f"Town {town}" for town in towns])


@pytest.fixture(scope="module")
def settings() -> TrainingSettings:
    """Settings under which values have models of their own and texts are compared one by one too."""
    return TrainingSettings(max_trees=60, n_folds=3, n_members=2, segment_by="source", race_below=0)


@pytest.fixture(scope="module")
def trained(town_leads: pd.DataFrame, settings: TrainingSettings) -> LeadModel:
    """A model of these leads."""
    return train_model(town_leads, SAMPLE_RECIPE.updated(amount="amount"), settings)


def rare_texts(town_leads: pd.DataFrame, settings: TrainingSettings) -> dict[str, list[str]]:
    X, _ = prepare(town_leads, SAMPLE_RECIPE.updated(amount="amount"), settings).train
    counts = {name: X[name].value_counts() for name in X.select_dtypes("category").columns}
    return {name: [*some[(some > 0) & (some < MIN_CATEGORY_COUNT)].index] for name, some in counts.items()}


def test_a_rare_text_is_scored_as_one_never_seen(
    town_leads: pd.DataFrame, settings: TrainingSettings, trained: LeadModel
) -> None:
    rare = rare_texts(town_leads, settings)["city"]
    assert len(rare) > 100
    for row in range(3):
        asked = (
            town_leads.iloc[[row] * (len(rare) + 1)].assign(city=[*rare, "Nowhere"]).reset_index(drop=True)
        )
        found = trained.predict_proba(asked)
        np.testing.assert_array_equal(found, np.tile(found[-1], (len(found), 1)))
        predictions = trained.predictor.predict(read_leads(trained.schema, asked))
        amounts = predictions.columns["expected_amount"]
        assert np.ptp(amounts) == 0


def test_the_pipeline_alone_says_the_same(town_leads: pd.DataFrame, trained: LeadModel) -> None:
    pipeline = loads(trained.files["model.skops"], trusted=list(TRUSTED_TYPES))
    whole = trained.classifier.predict_proba(read_leads(trained.schema, town_leads))[:, 1]
    np.testing.assert_allclose(pipeline.predict_proba(town_leads)[:, 1], whole, atol=1e-12)


def test_the_files_hold_no_rare_text(
    town_leads: pd.DataFrame, settings: TrainingSettings, trained: LeadModel
) -> None:
    content = b"".join(trained.files.values())
    for text in rare_texts(town_leads, settings)["city"]:
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
    town_leads: pd.DataFrame, settings: TrainingSettings, trained: LeadModel
) -> None:
    again = train_model(town_leads, SAMPLE_RECIPE.updated(amount="amount"), settings)
    np.testing.assert_array_equal(again.predict_proba(town_leads), trained.predict_proba(town_leads))
