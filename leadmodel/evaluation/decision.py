"""From a probability to what people act on: a score, a grade and a decision."""

from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, field_validator

from leadmodel.errors import InputError

__all__ = ["DEFAULT_BANDS", "Decision", "best_f1_threshold", "score_grid"]

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
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    threshold: float = Field(ge=0, le=1)
    rule: str
    positive: str = "Will convert"
    negative: str = "Will not convert"
    bands: dict[str, int] = DEFAULT_BANDS
    grid: tuple[Probability, ...] = Field(min_length=2, max_length=10_000)

    @field_validator("bands")
    @classmethod
    def _check_bands(cls, bands: dict[str, int]) -> dict[str, int]:
        lowest = list(bands.values())
        if not lowest or lowest[-1] != 0 or sorted(set(lowest), reverse=True) != lowest:
            raise InputError(f"The lowest scores of the grades must fall to 0. Got {bands} instead.")
        return bands

    def scores(self, probability: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return the percentile, 0 to 100, of each probability among the training leads'."""
        percentiles = np.linspace(0, 100, len(self.grid))
        return np.rint(np.interp(np.asarray(probability), self.grid, percentiles)).astype(np.int64)

    def grade_places(self, scores: npt.ArrayLike) -> npt.NDArray[np.intp]:
        """Return the place of each score's grade in `bands`, 0 being the best."""
        rising = np.array([*self.bands.values()])[::-1]
        return np.asarray(len(rising) - np.searchsorted(rising, scores, side="right"))

    def is_positive(self, probability: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Return which probabilities reach the threshold."""
        return np.asarray(probability) >= self.threshold


def best_f1_threshold(y: npt.ArrayLike, probability: npt.ArrayLike) -> float:
    """Return the threshold of the highest F1, half-way to the next lower probability.

    Parameters
    ----------
    y : array-like of shape (n_leads,)
        1 for converted, 0 for the others; at least one converted.
    probability : array-like of shape (n_leads,)
        Of leads that the model has not seen, or the threshold flatters it.
    """
    probability = np.asarray(probability, dtype=np.float64)
    order = np.argsort(-probability)
    ranked, hits = probability[order], np.cumsum(np.asarray(y)[order])
    f1 = 2 * hits / (np.arange(1, len(ranked) + 1) + hits[-1])
    f1[:-1][ranked[1:] == ranked[:-1]] = 0  # a threshold cannot split a tie
    best = int(np.argmax(f1))
    lower = ranked[best + 1] if best + 1 < len(ranked) else 0.0
    return float((ranked[best] + lower) / 2)


def score_grid(probability: npt.ArrayLike, n_points: int = 201) -> tuple[float, ...]:
    """Return evenly spaced quantiles of `probability`, for `Decision.grid`."""
    quantiles = np.quantile(np.asarray(probability), np.linspace(0, 1, n_points))
    return tuple(float(value) for value in quantiles)
