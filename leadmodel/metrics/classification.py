"""Measure how good probabilities are, with bootstrap intervals.

Every metric is computed from weighted counts, and a bootstrap resample is nothing but
integer weights: one sort serves the estimate and a thousand resamples alike.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import logit
from scipy.stats import rankdata

from leadmodel.arrays import Bools, Floats, Ints, Positions
from leadmodel.metrics.bootstrap import N_RESAMPLES, Estimate, bootstrap

__all__ = [
    "Estimate",
    "SortedLeads",
    "bin_starts",
    "calibration_error",
    "captured_share",
    "estimate_metrics",
    "estimate_roc_auc",
    "evaluate",
    "log_losses",
    "log_odds",
    "roc_auc",
    "sort_leads",
]

N_BINS = 10


class SortedLeads(NamedTuple):
    """Leads from the highest probability to the lowest, with one row of weights per resample."""

    y: Floats
    probability: Floats
    weights: Floats
    last_of_tie: Bools


def evaluate(y: npt.ArrayLike, probability: npt.ArrayLike) -> dict[str, float]:
    """Compute the metrics of probabilities, without intervals.

    Parameters
    ----------
    y : array-like of shape (n_leads,)
        1 for converted, 0 for the others; both occur.
    probability : array-like of shape (n_leads,)
        Predicted probabilities of a conversion.

    Returns
    -------
    dict
        ``roc_auc``; ``pr_auc``, the average precision; ``log_loss`` in nats; ``brier``;
        ``calibration_error``, the expected calibration error over 10 bins of equal size (Naeini et
        al. 2015); ``expected_ratio``, the sum of the probabilities over the number of conversions
        (calibration in the large); ``captured_top_10`` and ``captured_top_20``, the share of all
        conversions among the leads ranked highest; ``lift_top_10`` and ``lift_top_20``, their conversion
        rate divided by that of all leads.
    """
    return {name: float(values[0]) for name, values in _compute(y, probability, None).items()}


def estimate_metrics(
    y: npt.ArrayLike,
    probability: npt.ArrayLike,
    *,
    positive: Bools | None = None,
    gain: Floats | None = None,
    random_state: int = 0,
    n_resamples: int = N_RESAMPLES,
    group_ids: Ints | None = None,
) -> dict[str, Estimate]:
    """Estimate the metrics of `evaluate`, each with its 95 % bootstrap interval.

    With decisions, estimate their ``precision``, ``recall``, ``f1`` and ``accuracy`` as well, and with
    the gain of each call the ``profit`` per lead, called or not.

    Parameters
    ----------
    y, probability : array-like of shape (n_leads,)
        As for `evaluate`.
    positive : array of bool of shape (n_leads,), optional
        The decisions.
    gain : array of shape (n_leads,), optional
        Amount that each lead brought, less the cost of a call.
    random_state : int
        Seed of the resamples.
    n_resamples : int
        Number of resamples.
    group_ids : array of shape (n_leads,), optional
        Leads with the same one count as one lead in the intervals; see `bootstrap`.
    """

    def compute(weights: Floats) -> dict[str, Floats]:
        metrics = _compute(y, probability, weights)
        return metrics if positive is None else metrics | _decision_metrics(y, positive, gain, weights)

    return bootstrap(compute, len(np.asarray(y)), random_state, n_resamples, group_ids)


def captured_share(value: Floats, ranking: Floats, weights: Floats, share: float) -> Floats:
    """Return the share of all `value` held by the leads ranked highest; tied leads count in part.

    Parameters
    ----------
    value, ranking : array of shape (n_leads,)
        Amount that each lead brought, and what they are ranked by, highest first.
    weights : array of shape (n_draws, n_leads)
        Weight of each lead in each draw.
    share : float
        Share of the leads that are called, above 0 and at most 1.

    Returns
    -------
    array of shape (n_draws,)
    """
    leads = sort_leads(value, ranking, weights)
    # Cumulated counts are read at the last lead of each tie only: the order within a tie is arbitrary.
    caught = np.cumsum(leads.weights * leads.y, axis=1)[:, leads.last_of_tie]
    called = np.cumsum(leads.weights, axis=1)[:, leads.last_of_tie]
    return np.asarray(_captured(caught, called, share * called[:, -1]) / caught[:, -1])


def log_odds(probability: npt.ArrayLike) -> Floats:
    """Return the log-odds of probabilities, finite for 0 and 1 as well."""
    return np.asarray(logit(np.clip(probability, 1e-12, 1 - 1e-12)))


def log_losses(y: npt.ArrayLike, probability: npt.ArrayLike) -> Floats:
    """Return the log loss of each lead, in nats."""
    # Clipped as scikit-learn did: a sure but wrong probability would cost infinitely much.
    clipped = np.clip(np.asarray(probability, dtype=np.float64), 1e-15, 1 - 1e-15)
    return -np.where(np.asarray(y) == 1, np.log(clipped), np.log1p(-clipped))


def roc_auc(converted: Floats, called: Floats) -> Floats:
    """Return the ROC AUC from cumulated counts of ranked leads; ties count half.

    Parameters
    ----------
    converted, called : array of shape (n_draws, n_ranks)
        Number of conversions, and of leads, at each distinct rank or above, the highest rank first.

    Returns
    -------
    array of shape (n_draws,)
    """
    others = called - converted
    heights = converted - _steps(converted) / 2
    area = (_steps(others) * heights).sum(axis=1)
    return np.asarray(area / (converted[:, -1] * others[:, -1]))


def estimate_roc_auc(y: npt.ArrayLike, probability: npt.ArrayLike) -> Estimate:
    """Estimate ROC AUC with the interval of DeLong et al. (1988), by ranks (Sun and Xu 2014).

    Millions of leads take no resamples here.
    """
    y, probability = np.asarray(y), np.asarray(probability)
    ranks = rankdata(probability)
    converted, other = y == 1, y == 0
    n, m = int(converted.sum()), int(other.sum())
    ahead = (ranks[converted] - rankdata(probability[converted])) / m
    behind = 1 - (ranks[other] - rankdata(probability[other])) / n
    value, half = float(ahead.mean()), 1.96 * float(np.sqrt(ahead.var(ddof=1) / n + behind.var(ddof=1) / m))
    return Estimate(value=value, low=value - half, high=value + half)


def sort_leads(y: Any, probability: Any, weights: Floats | None) -> SortedLeads:
    """Sort leads by their probability, the highest first, with their outcomes and weights."""
    probability = np.asarray(probability, dtype=np.float64)
    order = np.argsort(-probability, kind="stable")
    weights = np.ones((1, len(order))) if weights is None else weights[:, order]
    ranked = probability[order]
    last_of_tie = np.append(ranked[1:] != ranked[:-1], True)
    return SortedLeads(np.asarray(y, dtype=np.float64)[order], ranked, weights, last_of_tie)


def _compute(y: Any, probability: Any, weights: Floats | None) -> dict[str, Floats]:
    leads = sort_leads(y, probability, weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        return _ranking_metrics(leads) | _probability_metrics(leads)


def _ranking_metrics(leads: SortedLeads) -> dict[str, Floats]:
    ends = leads.last_of_tie
    converted = np.cumsum(leads.weights * leads.y, axis=1)[:, ends]
    called = np.cumsum(leads.weights, axis=1)[:, ends]
    hits, total = converted[:, -1], called[:, -1]
    # A resample may leave out the leads of the highest ranks, so that none are called there.
    precision = converted / np.maximum(called, 1)
    metrics: dict[str, Floats] = {
        "roc_auc": roc_auc(converted, called),
        "pr_auc": (precision * _steps(converted)).sum(axis=1) / hits,
    }
    for percent in (10, 20):
        captured = _captured(converted, called, percent / 100 * total) / hits
        metrics[f"captured_top_{percent}"] = captured
        metrics[f"lift_top_{percent}"] = captured / (percent / 100)
    return metrics


def _steps(cumulated: Floats) -> Floats:
    return np.diff(cumulated, axis=1, prepend=0.0)


def _captured(converted: Floats, called: Floats, budget: Floats) -> Floats:
    """Return the conversions among the first `budget` leads; of a tie at the end, the expected part."""
    last = (called < budget[:, None]).sum(axis=1)
    rows = np.arange(len(called))
    share_beyond = (called[rows, last] - budget) / _steps(called)[rows, last]
    return np.asarray(converted[rows, last] - share_beyond * _steps(converted)[rows, last])


def _probability_metrics(leads: SortedLeads) -> dict[str, Floats]:
    total, converted = leads.weights.sum(axis=1), leads.weights @ leads.y
    return {
        "log_loss": leads.weights @ log_losses(leads.y, leads.probability) / total,
        "brier": leads.weights @ (leads.probability - leads.y) ** 2 / total,
        "calibration_error": calibration_error(leads, total),
        "expected_ratio": leads.weights @ leads.probability / np.where(converted > 0, converted, np.nan),
    }


def calibration_error(leads: SortedLeads, total: Floats) -> Floats:
    """Return the expected calibration error of each row of weights, whose sums are `total`."""
    gaps = np.add.reduceat(leads.weights * (leads.probability - leads.y), bin_starts(leads), axis=1)
    return np.asarray(np.abs(gaps).sum(axis=1) / total)


def bin_starts(leads: SortedLeads) -> Positions:
    """Return where bins of about equal size begin; none divides leads of one probability."""
    first_of_tie = np.flatnonzero(np.append(True, leads.last_of_tie[:-1]))
    wanted = np.linspace(0, len(leads.y), N_BINS + 1).astype(int)[:-1]
    return np.unique(first_of_tie[np.searchsorted(first_of_tie, wanted, side="right") - 1])


def _decision_metrics(y: Any, positive: Bools, gain: Floats | None, weights: Floats) -> dict[str, Floats]:
    y = np.asarray(y, dtype=np.float64)
    hits, called, converted = (weights @ v for v in (positive * y, positive.astype(float), y))
    correct, total = weights @ (positive == (y == 1)).astype(float), weights.sum(axis=1)
    # At least 1, so that a resample without decisions or conversions counts as 0 rather than NaN.
    metrics = {
        "precision": hits / np.maximum(called, 1),
        "recall": hits / np.maximum(converted, 1),
        "f1": 2 * hits / np.maximum(called + converted, 1),
        "accuracy": correct / total,
    }
    if gain is not None:
        metrics["profit"] = weights @ (positive * gain) / total
    return metrics
