"""Turn probabilities into scores, grades and decisions."""

from functools import lru_cache
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, Field

from leadmodel.arrays import Bools, Floats, Ints, Positions
from leadmodel.leads.recipe import check_bands
from leadmodel.records import Record

__all__ = ["DEFAULT_BANDS", "Decision", "score_grid"]

Probability = Annotated[float, Field(ge=0, le=1)]

DEFAULT_BANDS = {"A": 75, "B": 50, "C": 25, "D": 0}
"""Lowest score of each grade; the defaults split the training leads into four equal parts."""


class Decision(Record):
    """Rule that turns probabilities into scores, grades and decisions.

    Parameters
    ----------
    threshold : float
        Lowest probability with a positive decision.
    rule : str
        Rule by which the threshold was chosen, in words.
    positive, negative : str
        The two decisions in words.
    bands : dict of str to int
        Lowest score of each grade, best grade first; the last one is 0.
    grid : tuple of float
        Evenly spaced quantiles of the out-of-fold probabilities of the training leads, the lowest and
        the highest included.
    value, cost : float, optional
        Value of a conversion and cost of a call, if the rule weighed them. With the cost alone, a lead
        is positive if its own expected value exceeds it; the threshold is then the probability from
        which on a lead of average amount is.
    """

    threshold: float = Field(ge=0, le=1)
    rule: str
    positive: str = "Will convert"
    negative: str = "Will not convert"
    bands: Annotated[dict[str, int], AfterValidator(check_bands)] = DEFAULT_BANDS
    grid: tuple[Probability, ...] = Field(min_length=2, max_length=10_000)
    value: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    cost: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    @property
    def value_and_cost(self) -> tuple[float, float] | None:
        """Value of a conversion and cost of a call, where both are known."""
        return None if self.value is None or self.cost is None else (self.value, self.cost)

    @property
    def is_by_value(self) -> bool:
        """Whether the expected value of each lead decides, rather than its probability."""
        return self.cost is not None and self.value is None

    @property
    def condition(self) -> str:
        """Condition of a positive decision, in words."""
        if self.is_by_value:
            return f"if the expected value is above {self.cost:,g}"
        return f"if the probability is at least {self.threshold:.3f}"

    def scores(self, probability: npt.ArrayLike) -> Ints:
        """Return the percentile, 0 to 100, of each probability among those of the training leads."""
        return np.rint(np.interp(np.asarray(probability), *_percentiles(self.grid))).astype(np.int64)

    def grade_places(self, scores: npt.ArrayLike) -> Positions:
        """Return the index in `bands` of the grade of each score, 0 being the best."""
        rising = np.array([*self.bands.values()])[::-1]  # searchsorted takes ascending numbers only
        return np.asarray(len(rising) - np.searchsorted(rising, scores, side="right"))

    def is_positive(self, probability: npt.ArrayLike, value: npt.ArrayLike | None = None) -> Bools:
        """Return the decision on each lead, by its probability or, where that decides, by its value."""
        if self.is_by_value and value is not None:
            return np.asarray(value) > self.cost
        return np.asarray(probability) >= self.threshold


@lru_cache
def _percentiles(grid: tuple[float, ...]) -> tuple[Floats, Floats]:
    # Kept, because for a single lead making them takes as long as all other steps of its decision.
    return np.array(grid), np.linspace(0, 100, len(grid))


def score_grid(probability: npt.ArrayLike, n_points: int = 201) -> tuple[float, ...]:
    """Compute evenly spaced quantiles of `probability`, for `Decision.grid`."""
    quantiles = np.quantile(np.asarray(probability), np.linspace(0, 1, n_points))
    return tuple(float(value) for value in quantiles)
