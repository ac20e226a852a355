"""From a probability to what people act on: a score, a grade and a decision."""

from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, field_validator

from leadmodel.leads.recipe import check_bands

__all__ = ["DEFAULT_BANDS", "Decision", "score_grid"]

Probability = Annotated[float, Field(ge=0, le=1)]

DEFAULT_BANDS = {"A": 75, "B": 50, "C": 25, "D": 0}
"""Four equal parts of the training leads: the lowest score of each grade."""


class Decision(BaseModel):
    """How probabilities become scores, grades and decisions.

    Parameters
    ----------
    threshold : float
        The probability from which on a lead counts as positive.
    rule : str
        How the threshold was chosen, in words.
    positive, negative : str
        The decision in words.
    bands : dict of str to int
        The lowest score of each grade, best grade first; the last one is 0.
    grid : tuple of float
        Quantiles of the training leads' cross-validated probabilities, evenly spaced from
        the lowest to the highest.
    value, cost : float, optional
        What a conversion brings and what a call costs, if the rule weighed them. With the cost alone
        a lead counts as positive if its own expected value exceeds it; the threshold is then the
        probability from which a lead of the average amount does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    threshold: float = Field(ge=0, le=1)
    rule: str
    positive: str = "Will convert"
    negative: str = "Will not convert"
    bands: dict[str, int] = DEFAULT_BANDS
    grid: tuple[Probability, ...] = Field(min_length=2, max_length=10_000)
    value: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    cost: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    @field_validator("bands")
    @classmethod
    def _check_bands(cls, bands: dict[str, int]) -> dict[str, int]:
        check_bands(bands)
        return bands

    @property
    def worth(self) -> tuple[float, float] | None:
        """What a conversion brings and what a call costs, where known."""
        return None if self.value is None or self.cost is None else (self.value, self.cost)

    @property
    def is_by_value(self) -> bool:
        """Whether each lead's own expected value decides, rather than its probability."""
        return self.cost is not None and self.value is None

    @property
    def condition(self) -> str:
        """From what on a lead counts as positive, in words."""
        if self.is_by_value:
            return f"from an expected value above {self.cost:,g} on"
        return f"from a probability of {self.threshold:.3f} on"

    def scores(self, probability: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return the percentile, 0 to 100, of each probability among the training leads'."""
        percentiles = np.linspace(0, 100, len(self.grid))
        return np.rint(np.interp(np.asarray(probability), self.grid, percentiles)).astype(np.int64)

    def grade_places(self, scores: npt.ArrayLike) -> npt.NDArray[np.intp]:
        """Return the place of each score's grade in `bands`, 0 being the best."""
        rising = np.array([*self.bands.values()])[::-1]
        return np.asarray(len(rising) - np.searchsorted(rising, scores, side="right"))

    def is_positive(
        self, probability: npt.ArrayLike, value: npt.ArrayLike | None = None
    ) -> npt.NDArray[np.bool_]:
        """Return for which leads to decide: by their probability, or by their value where that decides."""
        if self.is_by_value and value is not None:
            return np.asarray(value) > self.cost
        return np.asarray(probability) >= self.threshold


def score_grid(probability: npt.ArrayLike, n_points: int = 201) -> tuple[float, ...]:
    """Return evenly spaced quantiles of `probability`, for `Decision.grid`."""
    quantiles = np.quantile(np.asarray(probability), np.linspace(0, 1, n_points))
    return tuple(float(value) for value in quantiles)
