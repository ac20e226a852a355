"""More columns than the leads can bear: the best are kept, chosen anew wherever a model is judged."""

import numpy as np
import pandas as pd
import pytest

from leadmodel.leads.recipe import Recipe
from leadmodel.model import LeadModel
from leadmodel.prepare.data import TrainingData, prepare
from leadmodel.prepare.folds import Folds
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.prepare.width import choose_columns, max_columns
from leadmodel.training.baselines import try_others
from leadmodel.training.crossvalidation import cross_validate
from leadmodel.training.report import audit_report
from leadmodel.training.run import train

RECIPE = Recipe(target="won", positive="yes")
SETTINGS = TrainingSettings(max_trees=20, n_folds=3, n_members=1)
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
    assert why == {"target", "too many columns: of 300, 200 others tell more of 240 leads"}
    assert past.train[0].shape == (240, 200)
    assert past.test[0].shape == (60, 200)
    assert "100 columns are left out. Too many columns: of 300, 200 others" in audit_report(past).replace(
        "\n    ", " "
    )


def test_the_test_leads_choose_nothing(leads: pd.DataFrame, past: TrainingData) -> None:
    other = leads.copy()
    rows = past.X.index[past.split.test]
    other.loc[rows, "x11"] = (other.loc[rows, "won"] == "yes").astype(float)
    assert set(prepare(other, RECIPE, SETTINGS).schema.by_name) == set(past.schema.by_name)


def test_columns_of_chance_do_not_look_good_on_the_folds() -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame({f"x{place}": rng.normal(size=200) for place in range(600)})
    y = rng.integers(0, 2, 200)
    settings = TrainingSettings(max_trees=30, n_folds=4, n_members=1, ordered_below=0)
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
    model: LeadModel = train(leads, RECIPE, SETTINGS)
    assert len(model.schema.fields) == 200
    assert model.predict_proba(leads).shape == (N, 2)
    answer = model.answer(leads.drop(columns="won").iloc[0].to_dict())
    assert 0 < answer.probability < 1
    assert len(model.schema.ignored) == 101
