import math

import numpy as np
import pandas as pd
import pytest

from leadmodel.leads.convert import read_leads
from leadmodel.leads.infer import infer_schema
from leadmodel.leads.sample import SAMPLE_RECIPE, make_sample
from leadmodel.metrics.comparison import Trial, compare
from leadmodel.model import LeadModel
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.prepare.split import Folds
from leadmodel.training.crossvalidation import sample_leads, try_others
from leadmodel.training.interface import train_model

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


def test_models_are_compared_on_a_sample_of_many_leads(quick: TrainingSettings) -> None:
    settings = quick.model_copy(update={"large_from": 1000, "compared_leads": 1200, "n_members": 3})
    model = train_model(make_sample(3000), SAMPLE_RECIPE, settings)
    evaluation, record = model.evaluation, model.config.training
    assert len(record.members) == 1
    assert record.settings["n_folds"] == len(evaluation.folds) == 2
    n_compared = evaluation.n_compared
    assert n_compared is not None
    assert 1200 <= n_compared < record.n_train
    # The metrics of the model itself are those of all training leads, the comparison's those of the sample.
    means = np.mean([fold["roc_auc"] for fold in evaluation.folds])
    assert evaluation.cross_validated["roc_auc"] == pytest.approx(means)
    card = model.files["README.md"].decode()
    assert f"Cross-validated on a random sample of {n_compared:,} training leads" in card
    assert set(record.stages) == {"preparation", "folds", "comparison", "final model", "evaluation"}


@pytest.mark.parametrize("rate", [0.5, 0.1, 0.001])
def test_the_sample_has_enough_leads_of_either_outcome(rate: float) -> None:
    y = (np.arange(100_000) < rate * 100_000).astype(np.int64)
    rows = sample_leads(y, 2_000, random_state=0)
    assert len(np.unique(rows)) == len(rows) == min(100_000, max(2_000, round(500 / rate)))
    assert (np.diff(rows) > 0).all()
    assert y[rows].sum() >= min(y.sum(), 400)
