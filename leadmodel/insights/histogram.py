"""How the numbers of a field are spread among the leads of each outcome, in bins of equal width."""

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

__all__ = ["Histogram", "count_histogram"]

Floats = npt.NDArray[np.float64]

N_BINS = 20

TAIL = 0.01
"""Share of the leads at either end that is left out: one mistyped number would press all others into a
single bin."""


class Histogram(BaseModel):
    """The leads of each outcome in bins of equal width.

    Parameters
    ----------
    edges : tuple of float
        Of the bins, rising; each holds its lower edge, the last one its upper edge too.
    converted, other : tuple of int
        Leads per bin.
    beyond : int
        Leads outside the outermost edges.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    edges: tuple[float, ...]
    converted: tuple[int, ...]
    other: tuple[int, ...]
    beyond: int


def count_histogram(numbers: npt.ArrayLike, y: npt.NDArray[np.int64]) -> Histogram:
    """Count the leads of each outcome in bins over the middle 98 % of the numbers.

    Parameters
    ----------
    numbers : array-like of shape (n_leads,)
        NaN where none was given; at least one was.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    """
    given = np.asarray(numbers, dtype=np.float64)
    known = ~np.isnan(given)
    given, y = given[known], y[known]
    edges = _edges(given)
    converted, other = (np.histogram(given[y == outcome], edges)[0].tolist() for outcome in (1, 0))
    return Histogram(
        edges=tuple(edges.tolist()),
        converted=tuple(converted),
        other=tuple(other),
        beyond=len(given) - sum(converted) - sum(other),
    )


def _edges(given: Floats) -> Floats:
    low, high = np.quantile(given, [TAIL, 1 - TAIL])
    if (given % 1 != 0).any():
        return np.histogram_bin_edges(given, N_BINS, (low, high))
    # As many whole numbers in each bin, or bins would differ by nothing but that.
    low, high = np.floor(low), np.ceil(high)
    width = np.ceil((high - low + 1) / N_BINS)
    return np.arange(low, high + width + 1, width) - 0.5
