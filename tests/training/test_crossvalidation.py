import math

import numpy as np
import pandas as pd
import pytest

from leadmodel.leads.convert import read_leads
from leadmodel.leads.infer import infer_schema
from leadmodel.leads.sample import SAMPLE_RECIPE
from leadmodel.metrics.comparison import Trial, compare
from leadmodel.model import LeadModel
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.prepare.split import Folds
from leadmodel.training.crossvalidation import try_others

RNG = np.random.default_rng(4)
Y = RNG.integers(0, 2, 200)
GOOD = np.clip(0.3 + 0.4 * Y + RNG.normal(0, 0.1, 200), 0.01, 0.99)


def trial(name: str, probability: np.ndarray) -> Trial:
    return Trial(name=name, character="", probability=probability, fit_seconds=2.0, score_seconds=0.4)


def test_the_difference_is_paired_lead_by_lead() -> None:
    flat = np.full(200, 0.5)
    best, other = compare(Y, [trial("flat", flat), trial("good", GOOD)])
    assert (best.name, other.name) == ("good", "flat")
    assert (best.behind.value, best.behind.low, best.behind.high) == (0, 0, 0)
    losses = [-math.log(p if y else 1 - p) for y, p in zip(Y, GOOD, strict=True)]
    differences = [math.log(2) - loss for loss in losses]
    mean = sum(differences) / 200
    spread = math.sqrt(sum((one - mean) ** 2 for one in differences) / 199 / 200)
    assert other.behind.value == pytest.approx(mean)
    assert other.behind.high == pytest.approx(mean + 1.96 * spread)
    assert other.score_seconds == pytest.approx(2.0)


def test_the_usual_models_learn_and_the_prior_does_not(
    sample: pd.DataFrame, quick: TrainingSettings
) -> None:
    schema = infer_schema(sample, SAMPLE_RECIPE)
    y = (sample["status"] == "Won").to_numpy(np.int64)
    trials = try_others(read_leads(schema, sample), y, Folds(quick.n_folds, quick.seed))
    found = {candidate.name: candidate.metrics for candidate in compare(y, trials)}
    assert found.pop("Prior")["roc_auc"] == pytest.approx(0.5, abs=0.05)
    assert len(found) == 3
    assert min(metrics["roc_auc"] for metrics in found.values()) > 0.6


def test_the_card_and_the_metrics_tell_the_comparison(model: LeadModel) -> None:
    names = {candidate.name for candidate in model.evaluation.comparison}
    assert names >= {"CatBoost", "Prior", "Logistic regression", "Random forest"}
    card = model.files["README.md"].decode()
    for candidate in model.evaluation.comparison:
        assert f"| {candidate.name} | {candidate.metrics['log_loss']:.4f} |" in card
