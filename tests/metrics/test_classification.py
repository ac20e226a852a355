"""Each metric is recomputed here from its definition, lead by lead or pair by pair."""

import math

import numpy as np
import numpy.typing as npt
import pytest

from leadmodel.metrics.bootstrap import bootstrap
from leadmodel.metrics.calibration import calibration_floor, calibration_slope, reliability
from leadmodel.metrics.classification import estimate_metrics, evaluate

Y = np.array([1, 0, 1, 1, 0, 0, 1, 0, 0, 0] * 12)
P = np.round(np.clip(np.random.default_rng(5).random(120) * 0.6 + Y * 0.3, 0.01, 0.99), 2)


def pairs_won(y: npt.NDArray[np.int64], p: npt.NDArray[np.float64]) -> float:
    won = [float(a > b) + 0.5 * (a == b) for a in p[y == 1] for b in p[y == 0]]
    return sum(won) / len(won)


def average_precision(y: npt.NDArray[np.int64], p: npt.NDArray[np.float64]) -> float:
    area, before = 0.0, 0.0
    for threshold in sorted(set(p), reverse=True):
        named = y[p >= threshold]
        recall = named.sum() / y.sum()
        area += (recall - before) * named.mean()
        before = recall
    return area


def test_ranking_metrics_follow_their_definitions() -> None:
    found = evaluate(Y, P)
    assert found["roc_auc"] == pytest.approx(pairs_won(Y, P))
    assert found["pr_auc"] == pytest.approx(average_precision(Y, P))


def test_probability_metrics_follow_their_definitions() -> None:
    found = evaluate(Y, P)
    losses = [-math.log(p if y else 1 - p) for y, p in zip(Y, P, strict=True)]
    assert found["log_loss"] == pytest.approx(sum(losses) / len(losses))
    assert found["brier"] == pytest.approx(sum((p - y) ** 2 for y, p in zip(Y, P, strict=True)) / len(Y))


def test_calibration_error_is_the_mean_gap_of_ten_bins() -> None:
    y, p = np.array([0, 1] * 10), np.linspace(0.05, 0.95, 20)
    gaps = [abs(p[i : i + 2].mean() - y[i : i + 2].mean()) for i in range(0, 20, 2)]
    assert evaluate(y, p)["calibration_error"] == pytest.approx(sum(gaps) / 10)


def test_lift_and_capture_count_the_best_ranked() -> None:
    y = np.array([1] * 8 + [0] * 12 + [1] * 2 + [0] * 78)
    p = np.linspace(0.99, 0.01, 100)
    found = evaluate(y, p)
    assert found["captured_top_10"] == pytest.approx(0.8)
    assert found["lift_top_10"] == pytest.approx(8.0)
    assert found["captured_top_20"] == pytest.approx(0.8)
    assert found["lift_top_20"] == pytest.approx(4.0)


def test_a_constant_probability_ranks_nothing() -> None:
    found = evaluate(Y, np.full(len(Y), 0.4))
    assert found["roc_auc"] == pytest.approx(0.5)
    assert found["pr_auc"] == pytest.approx(0.4)
    assert found["lift_top_10"] == pytest.approx(1.0)
    assert found["calibration_error"] == pytest.approx(0.0)


def test_decisions_are_counted() -> None:
    hits = sum(1 for y, p in zip(Y, P, strict=True) if y and p >= 0.5)
    named, converted = int((P >= 0.5).sum()), int(Y.sum())
    estimates = estimate_metrics(Y, P, positive=P >= 0.5, n_resamples=10)
    found = {name: estimate.value for name, estimate in estimates.items()}
    assert found["precision"] == pytest.approx(hits / named)
    assert found["recall"] == pytest.approx(hits / converted)
    assert found["f1"] == pytest.approx(2 * hits / (named + converted))
    assert found["accuracy"] == pytest.approx(sum((P >= 0.5) == Y) / len(Y))


def test_nobody_named_is_no_division_by_zero() -> None:
    assert estimate_metrics(Y, P, positive=P >= 2.0, n_resamples=10)["precision"].value == 0


def test_intervals_are_those_of_repeated_rows() -> None:
    rng = np.random.default_rng(11)
    drawn = [rng.integers(0, len(Y), len(Y)) for _ in range(400)]
    expected = np.quantile([pairs_won(Y[rows], P[rows]) for rows in drawn], [0.025, 0.975])
    found = estimate_metrics(Y, P, random_state=1, n_resamples=400)["roc_auc"]
    assert found.value == pytest.approx(pairs_won(Y, P))
    assert [found.low, found.high] == pytest.approx(list(expected), abs=0.02)


def test_the_same_seed_gives_the_same_intervals() -> None:
    first = estimate_metrics(Y, P, positive=P >= 0.5, random_state=3, n_resamples=50)
    assert first == estimate_metrics(Y, P, positive=P >= 0.5, random_state=3, n_resamples=50)
    assert {"roc_auc", "f1", "precision"} <= set(first)


def test_copies_count_as_one_lead_in_intervals() -> None:
    copies = np.repeat(np.arange(len(Y)), 4)
    once, apart = (estimate_metrics(Y[rows], P[rows]) for rows in (np.arange(len(Y)), copies))
    together = estimate_metrics(Y[copies], P[copies], group_ids=copies)
    for name in ("roc_auc", "log_loss"):
        assert together[name].model_dump() == pytest.approx(once[name].model_dump())
        assert apart[name].high - apart[name].low < 0.6 * (once[name].high - once[name].low)


def test_the_reliability_curve_rises_bin_by_bin() -> None:
    curve = reliability(Y, P)
    assert sum(curve["count"]) == len(Y)
    assert curve["predicted"] == sorted(curve["predicted"])
    lowest = np.argsort(P, kind="stable")[:12]
    assert curve["predicted"][0] == pytest.approx(P[lowest].mean())


def test_profit_is_what_the_calls_bring_less_what_they_cost() -> None:
    called = [y for y, p in zip(Y, P, strict=True) if p >= 0.5]
    expected = (400 * sum(called) - 15 * len(called)) / len(Y)
    found = estimate_metrics(Y, P, positive=P >= 0.5, gain=400.0 * Y - 15, n_resamples=50)["profit"]
    assert found.value == pytest.approx(expected)
    assert found.low < expected < found.high
    assert "profit" not in estimate_metrics(Y, P, positive=P >= 0.5, n_resamples=5)


def test_true_probabilities_show_the_error_of_chance() -> None:
    # Of n leads with p = 1/2 in ten bins, the mean gap is that of a binomial: sqrt(2 / pi) * sd.
    expected = math.sqrt(2 / math.pi) * math.sqrt(0.25 / 200)
    p = np.linspace(0.4999, 0.5001, 2000)
    assert calibration_floor(p) == pytest.approx(expected, rel=0.05)
    assert calibration_floor(np.repeat(p, 4)) == pytest.approx(expected / 2, rel=0.05)


def test_the_slope_is_that_of_a_logistic_regression_by_hand() -> None:
    x, rng = np.random.default_rng(1).normal(-1, 1, 4000), np.random.default_rng(2)
    y = (rng.random(4000) < 1 / (1 + np.exp(-(0.3 + 0.7 * x)))).astype(int)
    # Newton's method on intercept and slope; its Hessian gives the standard error.
    X, beta = np.column_stack([np.ones(4000), x]), np.zeros(2)
    for _ in range(20):
        fitted = 1 / (1 + np.exp(-X @ beta))
        hessian = X.T @ (X * (fitted * (1 - fitted))[:, None])
        beta = beta + np.linalg.solve(hessian, X.T @ (y - fitted))
    half = 1.96 * math.sqrt(np.linalg.inv(hessian)[1, 1])
    slope = calibration_slope(y, 1 / (1 + np.exp(-x)))
    assert slope is not None
    assert slope.value == pytest.approx(beta[1], abs=1e-4)
    assert (slope.low, slope.high) == pytest.approx((beta[1] - half, beta[1] + half), abs=1e-3)
    assert calibration_slope(y, np.full(4000, 0.3)) is None


def test_the_ratio_of_sums_is_that_of_predicted_to_real_conversions() -> None:
    assert evaluate(Y, P)["expected_ratio"] == pytest.approx(sum(P) / sum(Y))
    ratio = estimate_metrics(Y, P)["expected_ratio"]
    assert ratio.low < ratio.value < ratio.high


@pytest.mark.parametrize(
    ("n_leads", "n_resamples"), [(100, 1000), (10_000, 1000), (40_000, 250), (10**6, 200)]
)
def test_many_leads_are_resampled_less_often(n_leads: int, n_resamples: int) -> None:
    drawn = []

    def compute(weights: npt.NDArray[np.float64]) -> dict[str, npt.NDArray[np.float64]]:
        drawn.append(len(weights))
        return {"first": weights[:, 0]}

    bootstrap(compute, n_leads)
    assert sum(drawn) == 1 + n_resamples  # one for the leads themselves
