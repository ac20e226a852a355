"""Fit Platt scaling to cross-validated probabilities, and check that it helps."""

import numpy as np
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from leadmodel.arrays import Floats, Ints
from leadmodel.metrics.comparison import paired_difference
from leadmodel.prepare.folds import Folds
from leadmodel.report.refinements import Calibration

__all__ = ["calibrated", "cross_calibrated", "fit_calibration"]


def fit_calibration(
    y: Ints,
    probability: Floats,
    folds: Folds,
) -> tuple[Calibration, Floats]:
    """Fit Platt's line on cross-validated probabilities, and measure it on folds apart from its own.

    Two parameters are as much as a few thousand leads can carry: isotonic regression was level
    or worse on every real set.

    Parameters
    ----------
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    probability : array of shape (n_leads,)
        Of training leads, each by a model without it.
    folds : Folds
        That the line is checked on.

    Returns
    -------
    tuple of Calibration and array of shape (n_leads,)
        The line through all leads, and the probabilities as the model will give them: calibrated,
        each by a line without its lead, if the calibration is used.
    """
    crossed = cross_calibrated(y, probability, folds)
    scale, shift = _line(y, probability)
    change = paired_difference(y, crossed, probability)
    calibration = Calibration(scale=scale, shift=shift, change=change)
    return calibration, crossed if calibration.is_used else probability


def cross_calibrated(y: Ints, probability: Floats, folds: Folds) -> Floats:
    """Return `probability`, each calibrated by the line through the leads of the other folds."""
    crossed = np.empty(len(y))
    for train_idx, test_idx in folds.split(y):
        line = _line(y[train_idx], probability[train_idx])
        crossed[test_idx] = calibrated(probability[test_idx], *line)
    return crossed


def calibrated(probability: Floats, scale: float, shift: float) -> Floats:
    """Return the probabilities whose log-odds are ``scale * log_odds + shift``."""
    return np.asarray(expit(scale * logit(np.clip(probability, 1e-12, 1 - 1e-12)) + shift))


def _line(y: Ints, probability: Floats) -> tuple[float, float]:
    log_odds = logit(np.clip(probability, 1e-12, 1 - 1e-12))
    line = LogisticRegression(C=np.inf).fit(log_odds[:, None], y)
    return float(line.coef_[0, 0]), float(line.intercept_[0])
