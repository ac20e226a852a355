"""The race of settings: an honest choice, an exact blend, the default where nothing is better."""

import math

import numpy as np
import pandas as pd
import pytest
from catboost import CatBoostClassifier

from leadmodel.leads.recipe import Recipe
from leadmodel.model import LeadModel
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.prepare.split import Folds
from leadmodel.training.crossvalidation import cross_validate
from leadmodel.training.interface import train_model
from leadmodel.training.portfolio import SETTINGS, Race, cross_validate_blend, race, select_blend

SETTINGS_OF_RACE = TrainingSettings(max_trees=80, n_folds=3, n_members=2, patience=20)


def make_cells(n_leads: int = 1500) -> pd.DataFrame:
    """Return leads whose outcome depends on the cell of a grid: fine structure, without noise to smooth."""
    rng = np.random.default_rng(0)
    visits, minutes = rng.uniform(0, 8, (2, n_leads))
    cells = rng.uniform(size=(8, 8)) < 0.4
    won = np.where(rng.uniform(size=n_leads) < 0.03, 0, cells[visits.astype(int), minutes.astype(int)])
    source = rng.choice(["web", "fair", "call"], n_leads)
    return pd.DataFrame({"visits": visits, "minutes": minutes, "source": source, "status": won})


def run(leads: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray, Race]:
    X, y = leads.drop(columns="status").astype({"source": "category"}), leads["status"].to_numpy()
    settings, folds = SETTINGS_OF_RACE, Folds(SETTINGS_OF_RACE.n_folds, 0)
    default = cross_validate(X, y, settings.classifier_parameters(len(y)), folds, settings.patience)
    return X, y, race(X, y, default, folds, settings)


@pytest.fixture(scope="module")
def raced() -> tuple[pd.DataFrame, np.ndarray, Race]:
    """A race on leads with fine structure."""
    return run(make_cells())


def log_loss(y: np.ndarray, log_odds: np.ndarray) -> float:
    return sum(math.log1p(math.exp(-z if won else z)) for won, z in zip(y, log_odds, strict=True)) / len(y)


def test_the_blend_is_selected_greedily_with_repeats() -> None:
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 300)
    columns = {
        name: (2 * y - 1) * 0.7 + rng.normal(0, spread, 300)
        for name, spread in zip("abc", (1, 2, 3), strict=True)
    }
    chosen: list[str] = []
    losses = []
    for _ in range(4):
        trials = {
            name: log_loss(y, sum(columns[each] for each in [*chosen, name]) / (len(chosen) + 1))
            for name in columns
        }
        chosen.append(min(trials, key=trials.__getitem__))
        losses.append(trials[chosen[-1]])
    expected = chosen[: losses.index(min(losses)) + 1]
    assert select_blend(pd.DataFrame(columns), y) == expected
    assert expected[0] == "a"


def test_a_setting_that_fits_the_leads_better_is_used(raced: tuple[pd.DataFrame, np.ndarray, Race]) -> None:
    _, y, found = raced
    portfolio = found.portfolio
    assert portfolio.is_used
    assert {entry.name for entry in portfolio.entries} == {"default", *SETTINGS}
    assert sum(entry.n_models for entry in portfolio.entries) == len(found.members) >= 2
    assert len({member["random_seed"] for member in found.members}) == len(found.members)
    best = next(entry for entry in portfolio.entries if entry.n_models)
    assert best.behind < 0
    assert best.n_folds == 3
    loss = log_loss(y, np.log(found.checked.trial.probability / (1 - found.checked.trial.probability)))
    by_hand = float(np.mean([fold["log_loss"] for fold in found.checked.folds]))
    assert loss == pytest.approx(by_hand, abs=0.002)


def test_the_same_leads_give_the_same_race(raced: tuple[pd.DataFrame, np.ndarray, Race]) -> None:
    again = run(make_cells())[2]
    assert again.members == raced[2].members
    assert again.portfolio == raced[2].portfolio


def test_leads_of_noise_keep_the_default() -> None:
    leads = make_cells(600)
    leads["status"] = np.random.default_rng(2).integers(0, 2, 600)
    _, _, found = run(leads)
    assert not found.portfolio.is_used
    assert found.checked is found.best
    expected = SETTINGS_OF_RACE.members(SETTINGS_OF_RACE.classifier_parameters(600), found.best.n_trees)
    assert found.members == expected


def test_a_blend_is_cross_validated_as_the_mean_of_its_settings(
    raced: tuple[pd.DataFrame, np.ndarray, Race],
) -> None:
    X, y, _ = raced
    folds, settings = Folds(3, 7), SETTINGS_OF_RACE
    plain = settings.classifier_parameters(len(y)) | SETTINGS["plain"]
    deep = settings.classifier_parameters(len(y)) | SETTINGS["deep"]
    odds = []
    for parameters in (plain, deep):
        p = cross_validate(X, y, parameters, folds, settings.patience).trial.probability
        odds.append(np.log(p / (1 - p)))
    members = [settings.member(plain, 10, 0), settings.member(deep, 20, 1), settings.member(deep, 20, 2)]
    expected = 1 / (1 + np.exp(-(odds[0] + 2 * odds[1]) / 3))
    np.testing.assert_allclose(cross_validate_blend(X, y, members, folds, settings), expected, atol=1e-9)


@pytest.fixture(scope="module")
def blended() -> LeadModel:
    """A model whose classifier is a blend."""
    return train_model(make_cells(), Recipe(target="status"), SETTINGS_OF_RACE)


def test_the_model_is_the_mean_of_its_members_and_explained_exactly(blended: LeadModel) -> None:
    members = blended.config.training.members
    assert (
        len({member["depth"] for member in members} | {member["learning_rate"] for member in members}) > 1
    )
    assert isinstance(blended.predictor.classifier, CatBoostClassifier)
    assert blended.predictor.classifier.tree_count_ == sum(member["iterations"] for member in members)
    assert blended.predictor.explainer.is_tabulated
    leads = make_cells(40)
    log_odds = np.log(blended.predict_proba(leads)[:, 1] / blended.predict_proba(leads)[:, 0])
    np.testing.assert_allclose(blended.explain(leads).sum(axis=1), log_odds, atol=1e-6)


def test_the_card_names_what_was_tried(blended: LeadModel) -> None:
    card = blended.files["README.md"].decode()
    for entry in blended.evaluation.portfolio.entries:
        assert f"| {entry.name} |" in card
        assert f"| {entry.behind:+.4f} | {entry.n_models} |" in card
    assert "CatBoost, default settings" in {each.name for each in blended.evaluation.comparison}
