"""The plan of calls against plain sums over every outcome."""

import itertools
import math

import numpy as np
import pytest

from leadmodel.decision.call_plan import (
    EXACT_UP_TO,
    conversions_interval,
    plan_calls,
)
from leadmodel.errors import InputError

FEW = np.array([0.9, 0.7, 0.7, 0.4, 0.15])


def enumerated(probability: np.ndarray) -> list[float]:
    """Chances of 0, 1, 2, … conversions, summed over each way that the leads can turn out."""
    chances = [0.0] * (len(probability) + 1)
    for outcome in itertools.product([0, 1], repeat=len(probability)):
        pairs = zip(outcome, probability, strict=True)
        chances[sum(outcome)] += math.prod(p if won else 1 - p for won, p in pairs)
    return chances


def quantile(chances: list[float], share: float) -> int:
    return next(k for k in range(len(chances)) if sum(chances[: k + 1]) >= share)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_few_leads_have_the_exact_interval(level: float) -> None:
    chances = enumerated(FEW)
    expected = quantile(chances, (1 - level) / 2), quantile(chances, (1 + level) / 2)
    assert conversions_interval(FEW, level) == expected


def test_leads_that_are_alike_are_binomial() -> None:
    n, p = 400, 0.3
    chances = [math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]
    expected = quantile(chances, 0.025), quantile(chances, 0.975)
    assert conversions_interval(np.full(n, p), 0.95) == expected


def test_many_leads_are_as_good_as_exact() -> None:
    many = np.random.default_rng(0).beta(1, 4, EXACT_UP_TO + 1)
    below, above = conversions_interval(many[:-1], 0.8), conversions_interval(many, 0.8)
    assert max(abs(a - b) for a, b in zip(below, above, strict=True)) <= 1


@pytest.mark.parametrize("n", [1, 7, EXACT_UP_TO + 5])
@pytest.mark.parametrize("certain", [0.0, 1.0])
def test_certainty_has_no_spread(certain: float, n: int) -> None:
    assert conversions_interval(np.full(n, certain), 0.95) == (certain * n, certain * n)


def test_nobody_called_is_nobody_won() -> None:
    assert conversions_interval(FEW[:0], 0.8) == (0, 0)


def test_a_number_of_calls_takes_the_best_leads() -> None:
    plan = plan_calls(FEW, 2, value=100, cost=30)
    assert plan.expected == pytest.approx(0.9 + 0.7)
    assert (plan.cutoff, plan.n_tied) == (0.7, 1)
    assert plan.profit(plan.expected) == pytest.approx(1.6 * 100 - 2 * 30)
    assert plan.gains == pytest.approx([0, 0.9, 1.6, 2.3, 2.7, 2.85])


def test_the_calls_that_pay_bring_the_largest_profit() -> None:
    profits = [100 * FEW[:n].sum() - 41 * n for n in range(6)]
    assert plan_calls(FEW, None, value=100, cost=41).n_called == int(np.argmax(profits)) == 3


def test_more_calls_than_leads_call_them_all() -> None:
    assert plan_calls(FEW, 1000).n_called == len(FEW)


def test_a_call_that_never_pays_is_not_made() -> None:
    plan = plan_calls(FEW, None, value=1, cost=10)
    assert (plan.n_called, plan.cutoff, plan.expected, plan.interval) == (0, None, 0, (0, 0))


def test_leads_called_by_value_bring_their_values() -> None:
    chances, values = np.array([0.2, 0.9, 0.5, 0.1]), np.array([90.0, 50.0, 50.0, 4.0])
    plan = plan_calls(chances, 2, cost=30, values=values)
    assert plan.returns == pytest.approx([0, 90, 140, 190, 194])
    assert plan.expected == pytest.approx(1.1)
    assert plan.expected_profit == pytest.approx(140 - 2 * 30)
    assert (plan.cutoff, plan.n_tied) == (50, 1)
    assert plan.profit(1) is None  # what a customer brings differs
    assert plan_calls(chances, None, cost=50, values=values).n_called == 1
    assert plan_calls(chances, None, cost=3, values=values).n_called == 4
    with pytest.raises(InputError, match="Enter the cost of a call, above 0"):
        plan_calls(chances, None, values=values)


@pytest.mark.parametrize(
    ("n_calls", "worth", "message"),
    [
        (0, {}, "the number of calls must be at least 1. Got 0"),
        (math.nan, {}, "the number of calls must be at least 1. Got nan"),
        (2, {"value": 0.0}, "the value of a customer must be above 0. Got 0"),
        (2, {"cost": -3.0}, "the cost of a call must be above 0. Got -3"),
        (None, {"cost": 3.0}, "Enter the cost of a call and the value of a customer"),
    ],
    ids=["no calls", "no number", "no value", "negative cost", "half of it"],
)
def test_what_makes_no_plan_is_refused(
    n_calls: float | None, worth: dict[str, float], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        plan_calls(FEW, n_calls, **worth)
