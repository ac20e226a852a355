import re
import sys

import numpy as np
import pandas as pd
import pytest

from leadmodel.errors import InputError
from leadmodel.leads.convert import read_leads
from leadmodel.leads.infer import infer_schema
from leadmodel.leads.sample import SAMPLE_RECIPE
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.prepare.split import Folds
from leadmodel.training import tuning
from leadmodel.training.crossvalidation import CrossValidated, cross_validate
from leadmodel.training.tuning import tune

SETTINGS = TrainingSettings(max_trees=40, n_folds=3, tune_minutes=10)
FOLDS = Folds(SETTINGS.n_folds, 0)
Leads = tuple[pd.DataFrame, np.ndarray]


@pytest.fixture(scope="module")
def leads(sample: pd.DataFrame) -> Leads:
    typed = read_leads(infer_schema(sample, SAMPLE_RECIPE), sample)
    return typed, (sample["status"] == "Won").to_numpy(np.int64)


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """End a search after three fruitless trials, whatever the machine's speed."""
    monkeypatch.setattr(tuning, "N_FRUITLESS", 3)


def checked(leads: Leads, changes: dict[str, object], seed: int = 0) -> CrossValidated:
    parameters = SETTINGS.classifier_parameters(len(leads[1])) | changes
    return cross_validate(*leads, parameters, Folds(SETTINGS.n_folds, seed), SETTINGS.patience)


def log_loss(y: np.ndarray, probability: np.ndarray) -> np.ndarray:
    return -np.log(np.where(y == 1, probability, 1 - probability))


def test_a_bad_default_is_found_out_and_the_gain_is_that_of_new_folds(leads: Leads) -> None:
    slow = {"learning_rate": 0.03}
    parameters = SETTINGS.classifier_parameters(len(leads[1])) | slow
    found, best = tune(*leads, parameters, checked(leads, slow), FOLDS, SETTINGS)
    assert found.is_used
    assert found.best["learning_rate"] > 0.03
    here, there = (
        log_loss(leads[1], checked(leads, slow | changes, seed=1).trial.probability)
        for changes in (found.best, {})
    )
    assert found.change.value == pytest.approx(float((here - there).mean()), abs=1e-12)
    again = checked(leads, found.best).trial.probability
    np.testing.assert_array_equal(best.trial.probability, again)


def test_the_same_seed_finds_the_same_and_ends_by_itself(leads: Leads) -> None:
    default = checked(leads, {})
    parameters = SETTINGS.classifier_parameters(len(leads[1]))
    steps: list[str] = []
    one, _ = tune(*leads, parameters, default, FOLDS, SETTINGS, steps.append)
    two, _ = tune(*leads, parameters, default, FOLDS, SETTINGS)
    assert one.model_dump(exclude={"seconds"}) == two.model_dump(exclude={"seconds"})
    assert one.ended == "3 trials in a row brought no improvement"
    assert re.match(r"tuning, \d+% of the time, 1 tried, log loss 0\.\d{4} \(-0\.0000\)$", steps[0])
    assert f"{one.n_trials} tried" in steps[-1]


def test_what_is_not_better_on_new_folds_is_not_used(leads: Leads) -> None:
    default = checked(leads, {})
    found, _ = tune(*leads, SETTINGS.classifier_parameters(len(leads[1])), default, FOLDS, SETTINGS)
    assert found.is_used == (found.change.high < 0)


def test_without_optuna_the_line_that_installs_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(InputError, match=r"pip install optuna==\d"):
        tuning.check_optuna()


def test_the_line_names_the_release_that_is_tested() -> None:
    from importlib.metadata import version

    assert tuning.OPTUNA == f"optuna=={version('optuna')}"
