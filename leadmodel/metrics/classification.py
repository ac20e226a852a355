"""How good probabilities are, with bootstrap intervals.

Every metric is computed from weighted counts, and a bootstrap resample is nothing but
integer weights: one sort serves the estimate and a thousand resamples alike.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from leadmodel.metrics.bootstrap import N_RESAMPLES, Estimate, bootstrap

__all__ = [
    "Estimate",
    "calibration_floor",
    "captured_share",
    "estimate_metrics",
    "evaluate",
    "log_losses",
    "reliability",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

N_BINS = 10


class _Sorted(NamedTuple):
    """Leads from the highest probability to the lowest, with one row of weights per resample."""

    y: Floats
    probability: Floats
    weights: Floats
    last_of_tie: npt.NDArray[np.bool_]


def evaluate(y: npt.ArrayLike, probability: npt.ArrayLike) -> dict[str, float]:
    """Return the metrics of probabilities, without intervals.

    Parameters
    ----------
    y : array-like of shape (n_leads,)
        1 for converted, 0 for the others; both occur.
    probability : array-like of shape (n_leads,)
        Between 0 and 1.

    Returns
    -------
    dict
        ``roc_auc``; ``pr_auc``, the average precision; ``log_loss`` in nats; ``brier``;
        ``calibration_error``, the expected one over 10 bins of equal size (Naeini et al. 2015);
        ``captured_top_10`` and ``captured_top_20``, the share of all conversions among the
        leads ranked highest; ``lift_top_10`` and ``lift_top_20``, their conversion rate over
        that of all.
    """
    return {name: float(values[0]) for name, values in _compute(y, probability, None).items()}


def estimate_metrics(
    y: npt.ArrayLike,
    probability: npt.ArrayLike,
    *,
    positive: npt.NDArray[np.bool_] | None = None,
    gain: Floats | None = None,
    random_state: int = 0,
    n_resamples: int = N_RESAMPLES,
) -> dict[str, Estimate]:
    """Return the metrics of `evaluate`, each with its 95 % percentile bootstrap interval (Efron 1979).

    Given decisions, their ``precision``, ``recall``, ``f1`` and ``accuracy`` as well, and ``profit``
    per lead, called or not, given what calling each one gains.

    Parameters
    ----------
    y, probability : array-like of shape (n_leads,)
        As for `evaluate`.
    positive : array of bool of shape (n_leads,), optional
        The decisions.
    gain : array of shape (n_leads,), optional
        What each lead brought, less what a call costs.
    random_state : int
        Seed of the resamples.
    n_resamples : int
        Number of resamples.
    """

    def compute(weights: Floats) -> dict[str, Floats]:
        found = _compute(y, probability, weights)
        return found if positive is None else found | _decide(y, positive, gain, weights)

    return bootstrap(compute, len(np.asarray(y)), random_state, n_resamples)


def log_losses(y: npt.NDArray[Any], probability: Floats) -> Floats:
    """Return the log loss of each lead, in nats; a probability of exactly 0 or 1 costs 35 at most."""
    clipped = np.clip(probability, 1e-15, 1 - 1e-15)
    return -np.where(y == 1, np.log(clipped), np.log1p(-clipped))


def captured_share(value: Floats, ranking: Floats, weights: Floats, share: float) -> Floats:
    """Return what share of all `value` the leads ranked highest hold, a tie's leads in equal parts.

    Parameters
    ----------
    value, ranking : array of shape (n_leads,)
        What each lead brought, and by what they are ranked, highest first.
    weights : array of shape (n_draws, n_leads)
        Of each lead.
    share : float
        Of the leads that are called, above 0 and at most 1.

    Returns
    -------
    array of shape (n_draws,)
    """
    leads = _sort(value, ranking, weights)
    caught = np.cumsum(leads.weights * leads.y, axis=1)[:, leads.last_of_tie]
    called = np.cumsum(leads.weights, axis=1)[:, leads.last_of_tie]
    return np.asarray(_captured(caught, called, share * called[:, -1]) / caught[:, -1])


def reliability(y: npt.ArrayLike, probability: npt.ArrayLike) -> dict[str, list[float]]:
    """Return the reliability curve over 10 bins of equal size.

    Returns
    -------
    dict of list
        ``predicted`` and ``observed`` mean per bin, and ``count``, the leads in it.
    """
    leads = _sort(y, probability, None)
    starts = _bin_starts(leads)
    count = np.diff(np.append(starts, len(leads.y)))
    falling = {
        "predicted": np.add.reduceat(leads.probability, starts) / count,
        "observed": np.add.reduceat(leads.y, starts) / count,
        "count": count.astype(float),
    }
    return {name: values[::-1].tolist() for name, values in falling.items()}


def calibration_floor(probability: npt.ArrayLike, random_state: int = 0, n_draws: int = 200) -> float:
    """Return the calibration error that true probabilities show on so few leads, by chance alone.

    Parameters
    ----------
    probability : array-like of shape (n_leads,)
        Taken to be true.
    random_state : int
        Seed of the outcomes that are drawn.
    n_draws : int
        How often they are drawn; the mean error is returned.
    """
    probability = np.asarray(probability, dtype=np.float64)
    rng = np.random.default_rng(random_state)
    errors = []
    for _ in range(n_draws):
        leads = _sort(rng.random(len(probability)) < probability, probability, None)
        errors.append(float(_calibration_error(leads, np.array([len(probability)], dtype=float))[0]))
    return float(np.mean(errors))


def _sort(y: Any, probability: Any, weights: Floats | None) -> _Sorted:
    probability = np.asarray(probability, dtype=np.float64)
    order = np.argsort(-probability, kind="stable")
    weights = np.ones((1, len(order))) if weights is None else weights[:, order]
    ranked = probability[order]
    last_of_tie = np.append(ranked[1:] != ranked[:-1], True)
    return _Sorted(np.asarray(y, dtype=np.float64)[order], ranked, weights, last_of_tie)


def _compute(y: Any, probability: Any, weights: Floats | None) -> dict[str, Floats]:
    leads = _sort(y, probability, weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        return _ranking(leads) | _probabilities(leads)


def _ranking(leads: _Sorted) -> dict[str, Floats]:
    ends = leads.last_of_tie
    converted = np.cumsum(leads.weights * leads.y, axis=1)[:, ends]
    called = np.cumsum(leads.weights, axis=1)[:, ends]
    hits, total = converted[:, -1], called[:, -1]
    precision = converted / np.maximum(called, 1)
    found: dict[str, Floats] = {
        "roc_auc": _roc_auc(converted, called),
        "pr_auc": (precision * _steps(converted)).sum(axis=1) / hits,
    }
    for percent in (10, 20):
        captured = _captured(converted, called, percent / 100 * total) / hits
        found[f"captured_top_{percent}"] = captured
        found[f"lift_top_{percent}"] = captured / (percent / 100)
    return found


def _steps(cumulated: Floats) -> Floats:
    return np.diff(cumulated, axis=1, prepend=0.0)


def _roc_auc(converted: Floats, called: Floats) -> Floats:
    others = called - converted
    heights = converted - _steps(converted) / 2
    area = (_steps(others) * heights).sum(axis=1)
    return np.asarray(area / (converted[:, -1] * others[:, -1]))


def _captured(converted: Floats, called: Floats, budget: Floats) -> Floats:
    """Return the conversions among the first `budget` leads, a share of those of the last tie."""
    place = (called < budget[:, None]).sum(axis=1)
    rows = np.arange(len(called))
    share_beyond = (called[rows, place] - budget) / _steps(called)[rows, place]
    return np.asarray(converted[rows, place] - share_beyond * _steps(converted)[rows, place])


def _probabilities(leads: _Sorted) -> dict[str, Floats]:
    total = leads.weights.sum(axis=1)
    return {
        "log_loss": leads.weights @ log_losses(leads.y, leads.probability) / total,
        "brier": leads.weights @ (leads.probability - leads.y) ** 2 / total,
        "calibration_error": _calibration_error(leads, total),
    }


def _calibration_error(leads: _Sorted, total: Floats) -> Floats:
    gaps = np.add.reduceat(leads.weights * (leads.probability - leads.y), _bin_starts(leads), axis=1)
    return np.asarray(np.abs(gaps).sum(axis=1) / total)


def _bin_starts(leads: _Sorted) -> npt.NDArray[np.intp]:
    """Return where bins of about equal size begin; none divides leads of one probability."""
    first_of_tie = np.flatnonzero(np.append(True, leads.last_of_tie[:-1]))
    wanted = np.linspace(0, len(leads.y), N_BINS + 1).astype(int)[:-1]
    return np.unique(first_of_tie[np.searchsorted(first_of_tie, wanted, side="right") - 1])


def _decide(
    y: Any, positive: npt.NDArray[np.bool_], gain: Floats | None, weights: Floats
) -> dict[str, Floats]:
    y = np.asarray(y, dtype=np.float64)
    hits, named, converted = (weights @ v for v in (positive * y, positive.astype(float), y))
    right, total = weights @ (positive == (y == 1)).astype(float), weights.sum(axis=1)
    found = {
        "precision": hits / np.maximum(named, 1),
        "recall": hits / np.maximum(converted, 1),
        "f1": 2 * hits / np.maximum(named + converted, 1),
        "accuracy": right / total,
    }
    if gain is not None:
        found["profit"] = weights @ (positive * gain) / total
    return found
