"""Numbers with their 95 % intervals, by the bootstrap: a resample is nothing but integer weights."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

__all__ = ["N_RESAMPLES", "Estimate", "bootstrap"]

Floats = npt.NDArray[np.float64]

N_RESAMPLES = 1000


class Estimate(BaseModel):
    """A metric and its 95 % interval."""

    model_config = ConfigDict(frozen=True)

    value: float
    low: float
    high: float

    def told(self, form: str = ".3f") -> str:
        """Return the metric and its interval, each number by the format `form`."""
        return f"{self.value:{form}} ({self.low:{form}} to {self.high:{form}})"


def bootstrap(
    compute: Callable[[Floats], dict[str, Floats]],
    n_leads: int,
    random_state: int = 0,
    n_resamples: int = N_RESAMPLES,
) -> dict[str, Estimate]:
    """Return what `compute` gives for the leads, with 95 % percentile intervals (Efron 1979).

    Parameters
    ----------
    compute : callable
        Takes weights of shape (n_draws, n_leads) and returns numbers of shape (n_draws,) by name.
        A name whose number is not finite for the leads themselves is left out.
    n_leads : int
        Number of leads.
    random_state : int
        Seed of the resamples.
    n_resamples : int
        Number of resamples.
    """
    rng = np.random.default_rng(random_state)
    with np.errstate(invalid="ignore", divide="ignore"):
        point = compute(np.ones((1, n_leads)))
        parts = [compute(weights) for weights in _resamples(n_leads, n_resamples, rng)]
    known = {name: float(number[0]) for name, number in point.items() if np.isfinite(number[0])}
    return {
        name: _interval(value, np.concatenate([part[name] for part in parts]))
        for name, value in known.items()
    }


def _resamples(n: int, n_resamples: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Yield weights of shape (some resamples, n): a few at a time, so that memory stays small."""
    step = max(1, 2_000_000 // n)
    for start in range(0, n_resamples, step):
        draws = rng.integers(0, n, (min(step, n_resamples - start), n))
        yield np.stack([np.bincount(drawn, minlength=n) for drawn in draws]).astype(np.float64)


def _interval(value: float, drawn: Floats) -> Estimate:
    # A resample without a single conversion has no ROC AUC; it says nothing of the spread.
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return Estimate(value=value, low=float(low), high=float(high))
