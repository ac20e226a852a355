"""Plan which leads of a list to call, and estimate how many of them become customers."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtri

from leadmodel.arrays import Floats
from leadmodel.errors import InputError

__all__ = ["CallPlan", "conversions_interval", "plan_calls"]

EXACT_UP_TO = 2000
"""Leads up to which the exact distribution takes milliseconds; with more it is practically normal."""


@dataclass(frozen=True, eq=False)
class CallPlan:
    """Plan to call the leads of a list that rank highest, by probability or by expected value.

    Expected numbers assume that the probabilities hold and leads decide independently.

    Parameters
    ----------
    probability : array of shape (n_leads,)
        Probability of each lead of the list, in the order of the calls.
    n_called : int
        Number of calls, from the first lead on.
    level : float
        Confidence level of the interval.
    value, cost : float, optional
        Value of a customer and cost of a call.
    values : array of shape (n_leads,), optional
        Expected value of each lead, highest first, if leads are called by it.
    """

    probability: Floats
    n_called: int
    level: float
    value: float | None = None
    cost: float | None = None
    values: Floats | None = None

    @property
    def ranking(self) -> Floats:
        """Expected values if leads are called by them, else probabilities."""
        return self.probability if self.values is None else self.values

    @cached_property
    def gains(self) -> Floats:
        """Expected customers among the first 0, 1, 2, … leads, of shape (n_leads + 1,)."""
        return np.concatenate([[0.0], np.cumsum(self.probability)])

    @cached_property
    def returns(self) -> Floats:
        """Sum of `ranking` over the first 0, 1, 2, … leads, of shape (n_leads + 1,)."""
        return np.concatenate([[0.0], np.cumsum(self.ranking)])

    @property
    def expected(self) -> float:
        """Expected customers among the leads that are called."""
        return float(self.gains[self.n_called])

    @cached_property
    def interval(self) -> tuple[int, int]:
        """Likely range of the number of customers, at `level`."""
        return conversions_interval(self.probability[: self.n_called], self.level)

    @property
    def cutoff(self) -> float | None:
        """Lowest probability that is called, or lowest value if leads are called by value."""
        return float(self.ranking[self.n_called - 1]) if self.n_called else None

    @property
    def n_tied(self) -> int:
        """Leads that are not called although they rank as high as the last one called."""
        return int(np.sum(self.ranking[self.n_called :] == self.cutoff))

    @property
    def expected_profit(self) -> float | None:
        """Expected profit of the calls, where values and costs are known."""
        if self.values is None or self.cost is None:
            return self.profit(self.expected)
        return float(self.returns[self.n_called]) - self.cost * self.n_called

    def profit(self, n_customers: float) -> float | None:
        """Return the profit of the calls with `n_customers`, if every customer has the same value."""
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
    """Plan `n_calls` calls, or all profitable ones.

    Parameters
    ----------
    probability : array of shape (n_leads,)
        Probability of each lead in the order of the calls, highest first unless there are values.
    n_calls : float, optional
        Number of calls, at most one for each lead; by default every profitable one.
    value, cost : float, optional
        Value of a customer and cost of a call.
    level : float
        Confidence level of the interval, between 0 and 1.
    values : array of shape (n_leads,), optional
        Expected value of each lead, highest first, used instead of `value`.

    Raises
    ------
    InputError
        If a number is out of range, or one is missing that profitable calls need.
    """
    value = _at_least(0, "the value of a customer", value)
    cost = _at_least(0, "the cost of a call", cost)
    n_calls = _at_least(1, "the number of calls", n_calls)
    if n_calls is None:
        n_calls = _count_profitable(probability, value, cost, values)
    return CallPlan(probability, min(int(n_calls), len(probability)), level, value, cost, values)


def _count_profitable(
    probability: Floats, value: float | None, cost: float | None, values: Floats | None
) -> int:
    if values is not None:
        if cost is None:
            raise InputError("Enter the cost of a call, above 0.")
        return int(np.sum(values > cost))
    if cost is None or value is None:
        raise InputError("Enter the cost of a call and the value of a customer, both above 0.")
    return int(np.sum(probability * value >= cost))


def conversions_interval(probability: Floats, level: float) -> tuple[int, int]:
    """Return the central interval of the number of conversions among independent leads.

    The number has a Poisson binomial distribution. It is computed by convolution for up to
    `EXACT_UP_TO` leads, else approximated by the normal distribution with continuity correction.

    Parameters
    ----------
    probability : array of shape (n_leads,)
        Probability of each lead.
    level : float
        Least coverage of the interval.
    """
    tail = (1 - level) / 2
    if len(probability) > EXACT_UP_TO:
        mean, deviation = probability.sum(), math.sqrt((probability * (1 - probability)).sum())
        reach = float(ndtri(1 - tail)) * deviation
        low, high = math.ceil(mean - reach - 0.5), math.ceil(mean + reach - 0.5)
    else:
        # Rounding must not push the sum of all probabilities below a quantile.
        cumulated = np.minimum(np.cumsum(_distribution(probability)), 1)
        low, high = np.searchsorted(cumulated, [tail - 1e-12, 1 - tail - 1e-12]).tolist()
    return max(low, 0), min(high, len(probability))


def _distribution(probability: Floats) -> Floats:
    """Return the probabilities of 0, 1, 2, … conversions, adding one lead at a time."""
    chances = np.zeros(len(probability) + 1)
    chances[0] = 1
    for n_before, chance in enumerate(probability):
        converted = chances[: n_before + 1] * chance
        chances[: n_before + 1] -= converted
        chances[1 : n_before + 2] += converted
    return chances


def _at_least(least: float, what: str, number: float | None) -> float | None:
    if number is None or (math.isfinite(number) and number >= least and number > 0):
        return number
    bound = f"at least {least:g}" if least else "above 0"
    raise InputError(f"In a call plan, {what} must be {bound}. Got {number:g} instead.")
