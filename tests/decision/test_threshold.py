import numpy as np
import pytest

from leadmodel.decision.threshold import choose_threshold
from leadmodel.errors import InputError
from leadmodel.leads.recipe import DecisionConfig
from leadmodel.metrics.curves import CallPayoff, profit_per_lead

RNG = np.random.default_rng(2)
Y = RNG.integers(0, 2, 300)
P = np.round(np.clip(RNG.random(300) * 0.7 + Y * 0.25, 0, 1), 2)
EVERY = np.linspace(0, 1, 1001)


def counts(threshold: float) -> tuple[int, int]:
    """Return how many leads are called, and how many of them converted."""
    called = [y for y, p in zip(Y, P, strict=True) if p >= threshold]
    return len(called), int(sum(called))


def chosen(**hints: object) -> float:
    return choose_threshold(DecisionConfig.model_validate(hints), Y, P).probability


def test_no_threshold_has_a_higher_f1() -> None:
    def f1(threshold: float) -> float:
        called, hits = counts(threshold)
        return 2 * hits / (Y.sum() + called)

    assert f1(chosen()) == pytest.approx(max(f1(threshold) for threshold in EVERY))


def test_a_precision_floor_holds_with_as_many_conversions_as_it_lets() -> None:
    def hits_if_held(threshold: float) -> int:
        called, hits = counts(threshold)
        return hits if called >= 20 and hits / called >= 0.8 else 0

    called, hits = counts(chosen(min_precision=0.8))
    assert hits / called >= 0.8
    assert hits == max(hits_if_held(threshold) for threshold in EVERY)


def test_a_recall_floor_holds_with_as_few_calls_as_it_lets() -> None:
    called, hits = counts(chosen(min_recall=0.9))
    assert hits / Y.sum() >= 0.9
    enough = [counts(threshold) for threshold in EVERY]
    assert called == min(called for called, hits in enough if hits / Y.sum() >= 0.9)


@pytest.mark.parametrize("percent", [1, 20, 55, 100])
def test_a_budget_is_not_exceeded_and_used(percent: int) -> None:
    called, _ = counts(chosen(budget=f"{percent}%"))
    ties = max(np.unique(P, return_counts=True)[1])
    assert percent * 3 - ties < called <= percent * 3


def test_a_budget_of_a_week_knows_how_many_leads_come() -> None:
    hints = DecisionConfig(budget="35 / week")
    by_week = choose_threshold(hints, Y, P, leads_per_day=10)
    assert by_week.probability == chosen(budget="50%")
    assert "35 calls a week, with 70 leads a week" in by_week.rule


def test_value_and_cost_choose_the_highest_profit() -> None:
    def profit(threshold: float) -> float:
        called, hits = counts(threshold)
        return hits * 400 - called * 150

    assert profit(chosen(value=400, cost=150)) == max(profit(threshold) for threshold in EVERY)
    share, curve = profit_per_lead(CallPayoff(400.0 * Y, P, 150))
    assert curve.max() == pytest.approx(profit(chosen(value=400, cost=150)) / 300)
    assert (share[0], curve[0], share[-1]) == (0, 0, 1)
    assert curve[-1] == pytest.approx((400 * Y.sum() - 150 * 300) / 300)


def test_where_no_call_pays_nobody_is_called() -> None:
    never = choose_threshold(DecisionConfig(value=1, cost=2), Y, P)
    assert counts(never.probability) == (0, 0)
    assert "no call pays" in never.rule


def test_a_budget_of_a_period_needs_dates() -> None:
    with pytest.raises(InputError, match=r"there is none\. Give the budget as a share"):
        chosen(budget="200/week")


def test_a_precision_that_no_threshold_reaches_is_refused() -> None:
    with pytest.raises(InputError, match=r"No threshold reaches a precision of 0.9 .* is 0.5"):
        choose_threshold(DecisionConfig(min_precision=0.9), [0, 1] * 50, [0.5] * 100)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": 3.0}, "value and cost must be given together"),
        ({"min_recall": 0.5, "budget": "20%"}, "give only one rule"),
        ({"min_recall": 1.5}, "min_recall: Input should be less than or equal to 1"),
        ({"budget": "200 a week"}, r"must look like 20% or 200/week .* Got '200 a week'"),
        ({"budget": "0%"}, "be above 0"),
        ({"bands": {"A": 50}}, "must fall from at most 100 to 0"),
    ],
    ids=["value alone", "two rules", "out of range", "budget in words", "no budget", "bands"],
)
def test_a_decision_that_contradicts_itself_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        DecisionConfig().updated(**change)


def test_a_rule_of_the_command_line_replaces_that_of_the_recipe() -> None:
    recipe = DecisionConfig(positive="Buys", value=400, cost=15)
    updated = recipe.updated(min_recall=0.8, budget=None)
    assert updated == DecisionConfig(positive="Buys", min_recall=0.8)
