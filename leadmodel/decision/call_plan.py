"""Which leads of a list to call, and how many of them to expect as customers."""

import math
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from leadmodel.errors import InputError

__all__ = ["CallPlan", "conversions_interval", "plan_calls", "profitable_calls"]

EXACT_UP_TO = 2000
"""Leads for which the distribution is worked out in milliseconds; beyond, it is as good as normal."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CallPlan:
    """Calling the leads of a list that are ranked highest, by probability or by expected value.

    Everything expected holds if the probabilities are true and the leads decide independently.

    Parameters
    ----------
    probability : array of shape (n_leads,)
        Of the whole list, in the order of the calls.
    n_called : int
        How many are called, from the first one on.
    level : float
        The share of lists like this one for which the interval is to hold.
    value, cost : float, optional
        What a customer brings and what a call costs.
    values : array of shape (n_leads,), optional
        The expected value of each lead, highest first, if they are called by that.
    """

    probability: Floats
    n_called: int
    level: float
    value: float | None = None
    cost: float | None = None
    values: Floats | None = None

    @property
    def ranking(self) -> Floats:
        """What leads are called by, highest first."""
        return self.probability if self.values is None else self.values

    @cached_property
    def gains(self) -> Floats:
        """Expected customers among the first 0, 1, 2, … leads, of shape (n_leads + 1,)."""
        return np.concatenate([[0.0], np.cumsum(self.probability)])

    @cached_property
    def returns(self) -> Floats:
        """What `ranking` adds up to among the first 0, 1, 2, … leads, of shape (n_leads + 1,)."""
        return np.concatenate([[0.0], np.cumsum(self.ranking)])

    @property
    def expected(self) -> float:
        """Customers to expect among the leads that are called."""
        return float(self.gains[self.n_called])

    @cached_property
    def interval(self) -> tuple[int, int]:
        """Fewest and most customers among them at `level`."""
        return conversions_interval(self.probability[: self.n_called], self.level)

    @property
    def cutoff(self) -> float | None:
        """The lowest probability, or value if leads are called by it, that is called."""
        return float(self.ranking[self.n_called - 1]) if self.n_called else None

    @property
    def n_tied(self) -> int:
        """Leads that are not called although they are ranked as high as the last one called."""
        return int(np.sum(self.ranking[self.n_called :] == self.cutoff))

    @property
    def expected_profit(self) -> float | None:
        """What calling is expected to bring, where known."""
        if self.values is None or self.cost is None:
            return self.profit(self.expected)
        return float(self.returns[self.n_called]) - self.cost * self.n_called

    def profit(self, n_customers: float) -> float | None:
        """Return what calling brings with so many customers, where each is known to bring the same."""
        if self.value is None or self.cost is None or self.values is not None:
            return None
        return self.value * n_customers - self.cost * self.n_called


def plan_calls(
    probability: Floats,
    n_calls: float | None,
    *,
    value: float | None = None,
    cost: float | None = None,
    level: float = 0.8,
    values: Floats | None = None,
) -> CallPlan:
    """Plan `n_calls` calls, or as many as pay.

    Parameters
    ----------
    probability : array of shape (n_leads,)
        In the order of the calls, highest first unless there are values.
    n_calls : float, optional
        More than there are leads call them all; None calls each lead that pays.
    value, cost : float, optional
        What a customer brings and what a call costs.
    level : float
        Of the interval, above 0 and below 1.
    values : array of shape (n_leads,), optional
        The expected value of each lead, highest first, which then decides instead of `value`.

    Raises
    ------
    InputError
        If a number makes no plan.
    """
    value = _at_least(0, "what a customer brings", value)
    cost = _at_least(0, "what a call costs", cost)
    n_calls = _at_least(1, "the number of calls", n_calls)
    if n_calls is None:
        n_calls = _paying_calls(probability, value, cost, values)
    return CallPlan(probability, min(int(n_calls), len(probability)), level, value, cost, values)


def _paying_calls(
    probability: Floats, value: float | None, cost: float | None, values: Floats | None
) -> int:
    if cost is None or (value is None and values is None):
        needed = (
            "what a call costs"
            if values is not None
            else "both what a call costs and what a customer brings"
        )
        raise InputError(f"Give {needed}, above 0{'' if values is not None else ' each'}.")
    if values is not None:
        return int(np.sum(values > cost))
    assert value is not None
    return profitable_calls(probability, value, cost)


def profitable_calls(probability: Floats, value: float, cost: float) -> int:
    """Return how many leads are expected to bring at least what calling them costs."""
    return int(np.sum(np.asarray(probability) * value >= cost))


def conversions_interval(probability: Floats, level: float) -> tuple[int, int]:
    """Return the central interval for how many leads convert, each by itself.

    Their number has a Poisson-binomial distribution: worked out by convolution for up to
    `EXACT_UP_TO` leads, else by the normal one of the same mean and variance, with the
    correction for whole numbers.

    Parameters
    ----------
    probability : array of shape (n_leads,)
        Of each lead.
    level : float
        Least probability of the interval.
    """
    tail = (1 - level) / 2
    if len(probability) > EXACT_UP_TO:
        low, high = _normal_quantiles(probability, tail)
    else:
        # Rounding must not push the sum of all probabilities below a quantile.
        reached = np.minimum(np.cumsum(_distribution(probability)), 1)
        low, high = np.searchsorted(reached, [tail - 1e-12, 1 - tail - 1e-12]).tolist()
    return max(low, 0), min(high, len(probability))


def _distribution(probability: Floats) -> Floats:
    """Return the probability of 0, 1, 2, … conversions."""
    chances = np.zeros(len(probability) + 1)
    chances[0] = 1
    for n_before, chance in enumerate(probability):
        told = chances[: n_before + 1] * chance
        chances[: n_before + 1] -= told
        chances[1 : n_before + 2] += told
    return chances


def _normal_quantiles(probability: Floats, tail: float) -> tuple[int, int]:
    mean, deviation = probability.sum(), math.sqrt((probability * (1 - probability)).sum())
    reach = NormalDist().inv_cdf(1 - tail) * deviation
    return math.ceil(mean - reach - 0.5), math.ceil(mean + reach - 0.5)


def _at_least(least: float, what: str, number: float | None) -> float | None:
    if number is None or (math.isfinite(number) and number >= least and number > 0):
        return number
    bound = f"at least {least:g}" if least else "above 0"
    raise InputError(f"For a plan, {what} must be {bound}. Got {number:g} instead.")
