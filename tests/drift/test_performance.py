import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from leadmodel.drift.performance import Performance, compare_performance
from leadmodel.leads.sample import make_sample
from leadmodel.metrics.classification import evaluate
from leadmodel.model import LeadModel


@pytest.fixture(scope="module")
def leads() -> pd.DataFrame:
    return make_sample(3000, random_state=8)


@pytest.fixture(scope="module")
def probability(model: LeadModel, leads: pd.DataFrame) -> np.ndarray:
    return model.predict_proba(leads)[:, 1]


@pytest.fixture(scope="module")
def y(leads: pd.DataFrame) -> np.ndarray:
    return (leads["status"] == "Won").to_numpy().astype(np.int64)


def test_figures_are_those_of_plain_formulas(
    model: LeadModel, y: np.ndarray, probability: np.ndarray
) -> None:
    found = compare_performance(model.evaluation, y, probability)
    own = evaluate(y, probability)
    loss = -np.where(y == 1, np.log(probability), np.log(1 - probability))
    assert found.log_loss["now"].value == pytest.approx(own["log_loss"])
    assert found.log_loss["now"].high == pytest.approx(loss.mean() + 1.96 * loss.std(ddof=1) / 3000**0.5)
    assert found.gap["now"].value == pytest.approx(probability.mean() - y.mean())
    assert found.calibration_error["now"] == own["calibration_error"]
    assert found.reliability["then"] == model.evaluation.curves.reliability
    assert sum(found.reliability["now"]["count"]) == 3000
    assert found.roc_auc["then"] == model.evaluation.test["roc_auc"]
    assert (found.n_leads, found.n_converted) == (3000, y.sum())
    written = found.model_dump_json()
    assert Performance.model_validate_json(written) == found
    assert {"fell", "told"} <= json.loads(written).keys()


def test_the_interval_of_roc_auc_is_delongs(
    model: LeadModel, y: np.ndarray, probability: np.ndarray
) -> None:
    said = probability.round(2)[:400]
    won, lost = said[y[:400] == 1], said[y[:400] == 0]
    ahead = (won[:, None] > lost) + 0.5 * (won[:, None] == lost)
    error = np.sqrt(ahead.mean(1).var(ddof=1) / len(won) + ahead.mean(0).var(ddof=1) / len(lost))
    found = compare_performance(model.evaluation, y[:400], said).roc_auc["now"]
    assert found.value == pytest.approx(ahead.mean())
    assert found.high - found.low == pytest.approx(2 * 1.96 * error)


def test_leads_of_the_same_kind_show_no_fall(
    model: LeadModel, y: np.ndarray, probability: np.ndarray
) -> None:
    found = compare_performance(model.evaluation, y, probability)
    assert not found.degraded
    assert found.changes == ()


def test_each_kind_of_fall_is_told(model: LeadModel, y: np.ndarray, probability: np.ndarray) -> None:
    shuffled = np.random.default_rng(0).permutation(y)
    assert (
        compare_performance(model.evaluation, shuffled, probability).changes[0].startswith("ROC AUC fell: ")
    )
    low = expit(logit(probability) - 1)
    told = compare_performance(model.evaluation, y, low).changes
    points = 100 * (y.mean() - low.mean())
    assert told[-1].startswith(f"Probabilities are {points:.0f} points too low now")
    too_sure = expit(4 * (logit(probability) - np.median(logit(probability))))
    found = compare_performance(model.evaluation, y, too_sure)
    assert found.changes[0].startswith("Log loss: ")
    assert found.degraded


def test_few_outcomes_show_no_fall_that_chance_explains(
    model: LeadModel, y: np.ndarray, probability: np.ndarray
) -> None:
    rng, fallen = np.random.default_rng(2), 0
    for _ in range(200):
        rows = rng.integers(len(y), size=150)
        fallen += compare_performance(model.evaluation, y[rows], probability[rows]).degraded
    assert fallen <= 10
