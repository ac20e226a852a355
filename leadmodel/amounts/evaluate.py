"""What leads really brought, and how near to it expectations came."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from leadmodel.amounts.results import MEAN, AmountTrial, Metrics, RevenueTest
from leadmodel.metrics.bootstrap import Estimate, bootstrap
from leadmodel.metrics.classification import captured_share
from leadmodel.metrics.curves import Line, thin

__all__ = ["ObservedAmounts", "compare_amounts", "evaluate_amounts"]

MIN_TEST_AMOUNTS = 10
"""Fewer amounts of test leads than this are not judged by."""

TOP = 0.2

Floats = npt.NDArray[np.float64]


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
    y: npt.NDArray[np.int64]

    @property
    def known(self) -> npt.NDArray[np.bool_]:
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
    groups: npt.NDArray[np.intp] | None = None,
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
    groups : array of shape (n_leads,), optional
        The same number for leads that belong together: they tell little more than one of them.
    """
    losses = {name: amounts / told + np.log(told) for name, told in expected.items()}
    z = _z(max(len(expected) - 1, 1))
    return tuple(
        AmountTrial(
            name=name,
            character=characters[name],
            rmse=float(np.sqrt(np.mean((told - amounts) ** 2))),
            mae=float(np.mean(np.abs(told - amounts))),
            change=_mean_interval(losses[name] - losses[MEAN], z, groups),
        )
        for name, told in expected.items()
    )


def _z(n_intervals: int) -> float:
    """Return how many standard errors an interval reaches, all of them holding with 95 % (Bonferroni)."""
    return NormalDist().inv_cdf(1 - 0.025 / n_intervals)


def _mean_interval(differences: Floats, z: float, groups: npt.NDArray[np.intp] | None) -> Estimate:
    """Return a mean and its interval, by the sums of groups where there are any (Liang and Zeger 1986)."""
    mean = float(differences.mean())
    sums = differences - mean
    if groups is not None:
        together = np.unique(groups, return_inverse=True)[1]
        sums = np.asarray(np.bincount(together, weights=sums), dtype=np.float64)
    n_sums = max(len(sums), 2)
    half = z * float(np.sqrt(np.sum(sums**2) * n_sums / (n_sums - 1))) / len(differences)
    return Estimate(value=mean, low=mean - half, high=mean + half)


def evaluate_amounts(
    sold: ObservedAmounts,
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
    sold : ObservedAmounts
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
    known = sold.known
    if known.sum() < MIN_TEST_AMOUNTS:
        return None
    real, weights = sold.filled, sold.weights
    value, amount = expected["expected_value"], expected["expected_amount"]
    inside = (expected["amount_low"] <= real) & (real <= expected["amount_high"])

    def ranked(draws: Floats) -> dict[str, Floats]:
        by_value = captured_share(real, value, draws * weights, TOP)
        by_chance = captured_share(real, probability, draws * weights, TOP)
        return {
            "caught_by_value": by_value,
            "caught_by_probability": by_chance,
            "caught_more": by_value - by_chance,
            "total": draws @ (weights * value) / (draws @ (weights * real)),
            "coverage": draws @ (known * inside) / (draws @ known),
        }

    told = {"this model": value, **rivals}
    amounts = {"this model": amount[known], "mean amount": np.full(int(known.sum()), mean)}
    beyond = uncut[known].sum() - real[known].sum()
    return RevenueTest(
        n_amounts=int(known.sum()),
        n_unknown=int(sold.y.sum() - known.sum()),
        n_cut=int(np.sum(uncut[known] > real[known])),
        share_cut=float(beyond / uncut[known].sum()) if beyond else 0.0,
        value=_judge_errors(real, told, weights, random_state),
        amount=_judge_errors(real[known], amounts, np.ones(int(known.sum())), random_state),
        **bootstrap(ranked, len(real), random_state),
        by_value=_gains(real * weights, value),
        by_probability=_gains(real * weights, probability),
    )


def _judge_errors(
    real: Floats, told: Mapping[str, Floats], weights: Floats, random_state: int
) -> dict[str, Metrics]:
    """Return RMSE, MAE and R² of each way to tell `real`, and by how much the RMSE exceeds the first's."""
    first = next(iter(told))
    centred = real - np.median(real)  # exactly 0 where all amounts are equal, so that there is no R²

    def compute(draws: Floats) -> dict[str, Floats]:
        drawn = draws * weights
        total = drawn.sum(axis=1)
        spread = drawn @ centred**2 / total - (drawn @ centred / total) ** 2
        found: dict[str, Floats] = {}
        for name, one in told.items():
            mse = drawn @ (one - real) ** 2 / total
            found[f"{name}/rmse"] = np.sqrt(mse)
            found[f"{name}/mae"] = drawn @ np.abs(one - real) / total
            found[f"{name}/r2"] = np.where(spread > 0, 1 - mse / np.where(spread > 0, spread, 1), np.nan)
            if name != first:
                found[f"{name}/rmse_beyond"] = found[f"{name}/rmse"] - found[f"{first}/rmse"]
        return found

    estimates = bootstrap(compute, len(real), random_state)
    return {
        name: {key.rpartition("/")[2]: one for key, one in estimates.items() if key.startswith(f"{name}/")}
        for name in told
    }


def _gains(value: Floats, ranking: Floats) -> Line:
    ranked = value[np.argsort(-ranking, kind="stable")]
    share = np.linspace(0, 1, len(ranked) + 1)
    return thin(share, np.concatenate([[0.0], np.cumsum(ranked) / ranked.sum()]))
