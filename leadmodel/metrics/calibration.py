"""Measure how well probabilities agree with outcomes beyond single numbers: curve, slope, and chance."""

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from leadmodel.metrics.bootstrap import Estimate
from leadmodel.metrics.classification import bin_starts, calibration_error, log_odds, sort_leads

__all__ = ["calibration_floor", "calibration_slope", "reliability"]


def reliability(y: npt.ArrayLike, probability: npt.ArrayLike) -> dict[str, list[float]]:
    """Return the reliability curve over 10 bins of equal size.

    Returns
    -------
    dict of list
        ``predicted`` and ``observed`` mean per bin, and ``count``, the leads in it.
    """
    leads = sort_leads(y, probability, None)
    starts = bin_starts(leads)
    count = np.diff(np.append(starts, len(leads.y)))
    # The leads are sorted from the highest probability down; a curve is drawn from the lowest up.
    falling = {
        "predicted": np.add.reduceat(leads.probability, starts) / count,
        "observed": np.add.reduceat(leads.y, starts) / count,
        "count": count.astype(float),
    }
    return {name: values[::-1].tolist() for name, values in falling.items()}


def calibration_floor(probability: npt.ArrayLike, random_state: int = 0, n_draws: int = 200) -> float:
    """Return the calibration error that even exact probabilities have in a sample of this size.

    Parameters
    ----------
    probability : array-like of shape (n_leads,)
        Probabilities from which outcomes are drawn.
    random_state : int
        Seed of the outcomes.
    n_draws : int
        Number of samples of outcomes; their mean error is returned.
    """
    probability = np.asarray(probability, dtype=np.float64)
    rng = np.random.default_rng(random_state)
    leads, total = sort_leads(probability, probability, None), np.array([len(probability)], dtype=float)
    draws = (rng.random(len(probability)) < leads.probability for _ in range(n_draws))
    errors = [calibration_error(leads._replace(y=drawn.astype(float)), total)[0] for drawn in draws]
    return float(np.mean(errors))


def calibration_slope(y: npt.ArrayLike, probability: npt.ArrayLike) -> Estimate | None:
    """Estimate the slope of the outcomes' log-odds over the predicted ones (Cox 1958).

    Below 1, high probabilities are too high and low ones too low; above 1, both are too close to the
    average. None if all probabilities are equal.

    Parameters
    ----------
    y, probability : array-like of shape (n_leads,)
        As for `evaluate`.
    """
    X = log_odds(probability)
    if np.ptp(X) == 0:
        return None
    line = LogisticRegression(C=np.inf).fit(X[:, None], y)
    slope = float(line.coef_[0, 0])
    # Standard error by the inverse of Fisher's information of slope and intercept.
    fitted = line.predict_proba(X[:, None])[:, 1]
    weights = fitted * (1 - fitted)
    centered = X - np.average(X, weights=weights)
    half = 1.96 / float(np.sqrt((weights * centered**2).sum()))
    return Estimate(value=slope, low=slope - half, high=slope + half)
