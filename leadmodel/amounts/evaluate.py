"""Compare expected amounts and values with what leads really brought."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from leadmodel.amounts.results import MEAN, AmountTrial, Metrics, RevenueTest
from leadmodel.arrays import Bools, Floats, Ints, Positions
from leadmodel.metrics.bootstrap import Estimate, bootstrap
from leadmodel.metrics.classification import captured_share
from leadmodel.metrics.curves import thin, trace_gains

__all__ = ["ObservedAmounts", "compare_amounts", "evaluate_amounts"]

MIN_TEST_AMOUNTS = 10
"""Fewer amounts of test leads than this are not judged by."""

TOP = 0.2


@dataclass(frozen=True, eq=False)
class ObservedAmounts:
    """What leads really brought.

    Parameters
    ----------
    amounts : array of shape (n_leads,)
        0 for those that did not convert, NaN where not known; at most the limit.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    """

    amounts: Floats
    y: Ints

    @property
    def known(self) -> Bools:
        """Which converted leads have an amount."""
        return (self.y == 1) & ~np.isnan(self.amounts)

    @property
    def weights(self) -> Floats:
        """Of each lead: one with an amount stands for those without as well, which count nothing."""
        known = self.known
        return np.where(self.y == 1, known * (self.y.sum() / max(known.sum(), 1)), 1.0)

    @property
    def filled(self) -> Floats:
        """The amounts, 0 where not known."""
        return np.nan_to_num(self.amounts, nan=0.0)

    @property
    def total(self) -> float:
        """The sum of the amounts, those not known taken to be like the others."""
        return float(self.weights @ self.filled)


def compare_amounts(
    amounts: Floats,
    expected: Mapping[str, Floats],
    characters: Mapping[str, str],
    group_ids: Positions | None = None,
) -> tuple[AmountTrial, ...]:
    """Compare ways to expect the amounts of converted leads.

    Parameters
    ----------
    amounts : array of shape (n_leads,)
        What they brought.
    expected : mapping of str to array of shape (n_leads,)
        By name of the way, the mean first; above 0.
    characters : mapping of str to str
        By name.
    group_ids : array of shape (n_leads,), optional
        The same number for leads that belong together: they tell little more than one of them.
    """
    losses = {name: amounts / predicted + np.log(predicted) for name, predicted in expected.items()}
    z = _z(max(len(expected) - 1, 1))
    return tuple(
        AmountTrial(
            name=name,
            character=characters[name],
            rmse=float(np.sqrt(np.mean((predicted - amounts) ** 2))),
            mae=float(np.mean(np.abs(predicted - amounts))),
            change=_mean_interval(losses[name] - losses[MEAN], z, group_ids),
        )
        for name, predicted in expected.items()
    )


def _z(n_intervals: int) -> float:
    """Return how many standard errors an interval reaches, all of them holding with 95 % (Bonferroni)."""
    return NormalDist().inv_cdf(1 - 0.025 / n_intervals)


def _mean_interval(differences: Floats, z: float, group_ids: Positions | None) -> Estimate:
    """Return a mean and its interval, by the sums of groups where there are any (Liang and Zeger 1986)."""
    mean = float(differences.mean())
    sums = differences - mean
    if group_ids is not None:
        together = np.unique(group_ids, return_inverse=True)[1]
        sums = np.asarray(np.bincount(together, weights=sums), dtype=np.float64)
    n_sums = max(len(sums), 2)  # of a single group the variance is not known
    half = z * float(np.sqrt(np.sum(sums**2) * n_sums / (n_sums - 1))) / len(differences)
    return Estimate(value=mean, low=mean - half, high=mean + half)


def evaluate_amounts(
    observed: ObservedAmounts,
    uncut: Floats,
    probability: Floats,
    expected: Mapping[str, Floats],
    rivals: Mapping[str, Floats],
    mean: float,
    random_state: int,
) -> RevenueTest | None:
    """Judge expected amounts and values on test leads.

    Parameters
    ----------
    observed : ObservedAmounts
        What the test leads really brought, beyond the limit cut to it.
    uncut : array of shape (n_leads,)
        The amounts as they were.
    probability : array of shape (n_leads,)
        That each lead converts.
    expected : mapping of str to array of shape (n_leads,)
        The predictions: ``expected_amount``, ``amount_low``, ``amount_high`` and ``expected_value``.
    rivals : mapping of str to array of shape (n_leads,)
        Values that others expected.
    mean : float
        The amount that knowing nothing of a lead would expect.
    random_state : int
        Seed of the resamples.
    """
    known = observed.known
    if known.sum() < MIN_TEST_AMOUNTS:
        return None
    real, weights = observed.filled, observed.weights
    value, amount = expected["expected_value"], expected["expected_amount"]
    is_covered = (expected["amount_low"] <= real) & (real <= expected["amount_high"])

    def ranked(draws: Floats) -> dict[str, Floats]:
        by_value = captured_share(real, value, draws * weights, TOP)
        by_chance = captured_share(real, probability, draws * weights, TOP)
        return {
            "caught_by_value": by_value,
            "caught_by_probability": by_chance,
            "caught_more": by_value - by_chance,
            "total": draws @ (weights * value) / (draws @ (weights * real)),
            "coverage": draws @ (known * is_covered) / (draws @ known),
        }

    predicted = {"this model": value, **rivals}
    amounts = {"this model": amount[known], "mean amount": np.full(int(known.sum()), mean)}
    beyond = uncut[known].sum() - real[known].sum()
    return RevenueTest(
        n_amounts=int(known.sum()),
        n_unknown=int(observed.y.sum() - known.sum()),
        n_cut=int(np.sum(uncut[known] > real[known])),
        share_cut=float(beyond / uncut[known].sum()) if beyond else 0.0,
        value=_evaluate_errors(real, predicted, weights, random_state),
        amount=_evaluate_errors(real[known], amounts, np.ones(int(known.sum())), random_state),
        **bootstrap(ranked, len(real), random_state),
        by_value=thin(*trace_gains(real * weights, value)),
        by_probability=thin(*trace_gains(real * weights, probability)),
    )


def _evaluate_errors(
    real: Floats, predicted: Mapping[str, Floats], weights: Floats, random_state: int
) -> dict[str, Metrics]:
    """Return RMSE, MAE and R² of each way to tell `real`, and by how much the RMSE exceeds the first's."""
    first = next(iter(predicted))
    centred = real - np.median(real)  # exactly 0 where all amounts are equal, so that there is no R²

    def compute(draws: Floats) -> dict[str, Floats]:
        drawn = draws * weights
        total = drawn.sum(axis=1)
        spread = drawn @ centred**2 / total - (drawn @ centred / total) ** 2
        metrics: dict[str, Floats] = {}
        for name, values in predicted.items():
            mse = drawn @ (values - real) ** 2 / total
            metrics[f"{name}/rmse"] = np.sqrt(mse)
            metrics[f"{name}/mae"] = drawn @ np.abs(values - real) / total
            # NaN where a resample holds one amount alone: the bootstrap leaves it out of the interval.
            metrics[f"{name}/r2"] = np.where(spread > 0, 1 - mse / np.where(spread > 0, spread, 1), np.nan)
            if name != first:
                metrics[f"{name}/rmse_beyond"] = metrics[f"{name}/rmse"] - metrics[f"{first}/rmse"]
        return metrics

    estimates = bootstrap(compute, len(real), random_state)
    return {
        name: {
            key.rpartition("/")[2]: values
            for key, values in estimates.items()
            if key.startswith(f"{name}/")
        }
        for name in predicted
    }
