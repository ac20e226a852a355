import numpy as np
import pytest

from leadmodel.leads.convert import read_leads
from leadmodel.leads.infer import infer_schema
from leadmodel.leads.sample import SAMPLE_RECIPE, make_sample
from leadmodel.metrics.classification import Estimate
from leadmodel.prepare.folds import Folds
from leadmodel.prepare.pipeline import fit_pipeline
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.report.refinements import Calibration
from leadmodel.training.calibration import calibrated, fit_calibration

RNG = np.random.default_rng(5)
TRUE = RNG.uniform(0.05, 0.95, 4000)
Y = (RNG.random(4000) < TRUE).astype(np.int64)
FOLDS = Folds(3, 0)
SETTINGS = TrainingSettings(max_trees=30, n_folds=3, n_members=2)


def odds(probability: np.ndarray) -> np.ndarray:
    return np.log(probability / (1 - probability))


def test_true_probabilities_are_left_alone() -> None:
    calibration, oof_probability = fit_calibration(Y, TRUE, FOLDS)
    assert not calibration.is_used
    np.testing.assert_array_equal(oof_probability, TRUE)
    assert (calibration.scale, calibration.shift) == (
        pytest.approx(1, abs=0.1),
        pytest.approx(0, abs=0.1),
    )


def test_probabilities_too_sure_of_themselves_are_put_right() -> None:
    sure = 1 / (1 + np.exp(-(2 * odds(TRUE) + 0.5)))
    calibration, oof_probability = fit_calibration(Y, sure, FOLDS)
    assert calibration.is_used
    assert calibration.scale == pytest.approx(0.5, abs=0.05)
    assert calibration.shift == pytest.approx(-0.25, abs=0.06)
    assert np.abs(oof_probability - TRUE).max() < 0.05


def test_the_line_is_drawn_in_log_odds() -> None:
    expected = 1 / (1 + np.exp(-(0.7 * odds(TRUE) - 0.2)))
    np.testing.assert_allclose(calibrated(TRUE, 0.7, -0.2), expected)


@pytest.mark.parametrize("high", [-0.001, 0.001], ids=["helps", "in doubt"])
def test_a_calibration_that_helps_is_inside_the_pipeline(high: float) -> None:
    sample = make_sample(600, random_state=1)
    schema = infer_schema(sample, SAMPLE_RECIPE)
    X, y = read_leads(schema, sample), (sample["status"] == "Won").to_numpy(np.int64)
    change = Estimate(value=-0.002, low=-0.003, high=high)
    calibration = Calibration(scale=0.6, shift=0.3, change=change)
    parameters = SETTINGS.classifier_parameters(len(y)) | {"iterations": 30}
    plain = fit_pipeline(schema, X, y, parameters, 2, lambda step: None)
    inside = fit_pipeline(schema, X, y, parameters, 2, lambda step: None, calibration.line)
    before = plain.predict_proba(X)[:, 1]
    expected = calibrated(before, 0.6, 0.3) if high < 0 else before
    np.testing.assert_allclose(inside.predict_proba(X)[:, 1], expected, atol=1e-12)
