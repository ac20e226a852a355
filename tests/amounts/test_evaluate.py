"""How near expectations came, recomputed by plain formulas."""

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

from leadmodel.amounts.evaluate import ObservedAmounts, compare_amounts, evaluate_amounts
from leadmodel.amounts.results import MEAN

RNG = np.random.default_rng(4)
N = 400
P = RNG.beta(1, 3, N)
Y = (RNG.random(N) < P).astype(np.int64)
EXPECTED = np.exp(RNG.normal(4, 0.7, N))
UNCUT = np.where(Y == 1, EXPECTED * np.exp(RNG.normal(0, 0.4, N)), 0.0)
UNCUT[np.flatnonzero(Y)[:5]] = np.nan
LIMIT = 250.0
SOLD = ObservedAmounts(np.minimum(UNCUT, LIMIT), Y)
PREDICTED = {
    "expected_amount": EXPECTED,
    "amount_low": 0.6 * EXPECTED,
    "amount_high": 1.7 * EXPECTED,
    "expected_value": 1.2 * P * EXPECTED,
}
RIVALS = {"mean amount": P * 80, "one regression": P * 60}
TEST = evaluate_amounts(SOLD, UNCUT, P, PREDICTED, RIVALS, 80.0, 0)


def weights() -> np.ndarray:
    """Each converted lead with an amount stands for those without as well."""
    known, converted = (Y == 1) & ~np.isnan(UNCUT), Y.sum()
    return np.where(Y == 0, 1.0, np.where(known, converted / known.sum(), 0.0))


def test_leads_with_an_amount_stand_for_those_without() -> None:
    np.testing.assert_allclose(SOLD.weights, weights())
    assert SOLD.weights.sum() == pytest.approx(N)
    assert SOLD.total == pytest.approx(np.nanmean(SOLD.amounts[Y == 1]) * Y.sum())


@pytest.mark.parametrize(
    ("name", "told"),
    [("this model", 1.2 * P * EXPECTED), ("mean amount", P * 80), ("one regression", P * 60)],
)
def test_errors_of_values_are_those_of_scikit_learn(name: str, told: np.ndarray) -> None:
    assert TEST is not None
    real, found = np.nan_to_num(SOLD.amounts), TEST.value[name]
    rmse = np.sqrt(mean_squared_error(real, told, sample_weight=weights()))
    assert found["rmse"].value == pytest.approx(rmse)
    assert found["mae"].value == pytest.approx(mean_absolute_error(real, told, sample_weight=weights()))
    assert found["r2"].value == pytest.approx(r2_score(real, told, sample_weight=weights()))
    assert found["rmse"].low < rmse < found["rmse"].high
    if name != "this model":
        beyond = found["rmse"].value - TEST.value["this model"]["rmse"].value
        assert found["rmse_beyond"].value == pytest.approx(beyond)


def test_errors_of_amounts_are_over_converted_leads_alone() -> None:
    assert TEST is not None
    known = (Y == 1) & ~np.isnan(UNCUT)
    rmse = np.sqrt(mean_squared_error(SOLD.amounts[known], EXPECTED[known]))
    assert TEST.amount["this model"]["rmse"].value == pytest.approx(rmse)
    assert TEST.amount["mean amount"]["r2"].value <= 0
    inside = (0.6 * EXPECTED <= SOLD.amounts) & (SOLD.amounts <= 1.7 * EXPECTED)
    assert TEST.coverage.value == pytest.approx(inside[known].mean())


def test_value_caught_is_that_of_the_leads_ranked_highest() -> None:
    assert TEST is not None
    shares = []
    for ranking in (P * EXPECTED, P):
        budget, caught = 0.2 * weights().sum(), 0.0
        for lead in np.argsort(-ranking):
            taken = min(weights()[lead], budget)
            budget -= taken
            caught += taken * np.nan_to_num(SOLD.amounts[lead])
        shares.append(caught / SOLD.total)
    assert TEST.caught_by_value.value == pytest.approx(shares[0])
    assert TEST.caught_by_probability.value == pytest.approx(shares[1])
    assert TEST.caught_more.value == pytest.approx(shares[0] - shares[1])
    assert TEST.caught_more.low < TEST.caught_more.value < TEST.caught_more.high
    assert TEST.total.value == pytest.approx((weights() * 1.2 * P * EXPECTED).sum() / SOLD.total)


def test_what_was_cut_and_what_is_not_known_is_counted() -> None:
    assert TEST is not None
    known = UNCUT[(Y == 1) & ~np.isnan(UNCUT)]
    assert (TEST.n_amounts, TEST.n_unknown, TEST.n_cut) == (len(known), 5, (known > LIMIT).sum())
    assert TEST.share_cut == pytest.approx(np.maximum(known - LIMIT, 0).sum() / known.sum())


def test_too_few_amounts_are_not_judged_by() -> None:
    few = np.where(np.cumsum(Y) <= 9, np.where(Y == 1, 5.0, 0.0), np.where(Y == 1, np.nan, 0.0))
    assert evaluate_amounts(ObservedAmounts(few, Y), few, P, PREDICTED, RIVALS, 80.0, 0) is None


def test_equal_amounts_have_no_r2() -> None:
    same = np.where(Y == 1, 10.0, 0.0)
    test = evaluate_amounts(ObservedAmounts(same, Y), same, P, PREDICTED, RIVALS, 10.0, 0)
    assert test is not None
    assert "r2" not in test.amount["this model"]
    assert "r2" in test.value["this model"]


def test_ways_are_compared_by_the_loss_of_the_gamma_distribution() -> None:
    amounts = np.exp(RNG.normal(3, 1, 300))
    told = {
        MEAN: np.full(300, amounts.mean()),
        "true": np.exp(np.log(amounts) * 0.8 + 1),
        "other": amounts * 3,
    }
    trials = {trial.name: trial for trial in compare_amounts(amounts, told, dict.fromkeys(told, ""))}
    for name, one in told.items():
        loss = np.mean(amounts / one + np.log(one)) - np.mean(amounts / told[MEAN] + np.log(told[MEAN]))
        assert trials[name].change.value == pytest.approx(loss)
        assert trials[name].rmse == pytest.approx(np.sqrt(np.mean((one - amounts) ** 2)))
    # Leads that stand there twice tell no more than once.
    twice = {name: np.repeat(one, 2) for name, one in told.items()}
    doubled = compare_amounts(
        np.repeat(amounts, 2), twice, dict.fromkeys(told, ""), np.repeat(np.arange(300), 2)
    )
    for trial in doubled:
        assert trial.change.high == pytest.approx(trials[trial.name].change.high)
    # Two intervals that hold together with 95 %: each with 97.5 %.
    differences = amounts / told["true"] + np.log(told["true"]) - amounts / told[MEAN] - np.log(told[MEAN])
    half = 2.2414 * differences.std(ddof=1) / np.sqrt(300)
    assert trials["true"].change.high - trials["true"].change.value == pytest.approx(half, rel=1e-4)
