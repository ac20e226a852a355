"""Estimate metrics with 95 % intervals: by the bootstrap, or for a mean by the normal distribution."""

from collections.abc import Callable

import numpy as np

from leadmodel.arrays import Floats, Ints
from leadmodel.records import Record

__all__ = ["N_RESAMPLES", "Estimate", "bootstrap"]

N_RESAMPLES = 1000
MIN_RESAMPLES = 200

MAX_DRAWN = 10_000_000
"""Leads that are drawn in all, so that an interval of many leads, which is narrow, takes seconds."""


class Estimate(Record):
    """A metric and its 95 % interval."""

    value: float
    low: float
    high: float

    @classmethod
    def of_mean(cls, values: Floats, z: float = 1.96) -> "Estimate":
        """Estimate the mean of independent `values`, within `z` standard errors to either side."""
        mean = float(values.mean())
        half = z * float(values.std(ddof=1)) / float(np.sqrt(len(values)))
        return cls(value=mean, low=mean - half, high=mean + half)

    def summary(self, form: str = ".3f") -> str:
        """Return the metric and its interval, each number in the format `form`."""
        return f"{self.value:{form}} ({self.low:{form}} to {self.high:{form}})"


def bootstrap(
    compute: Callable[[Floats], dict[str, Floats]],
    n_leads: int,
    random_state: int = 0,
    n_resamples: int = N_RESAMPLES,
    group_ids: Ints | None = None,
) -> dict[str, Estimate]:
    """Estimate the numbers that `compute` returns, with 95 % percentile intervals (Efron 1979).

    A resample is a vector of integer weights, so that `compute` can sort the leads once for all of them.

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
        Number of resamples; for more than 10,000 leads down to a fifth of it.
    group_ids : array of shape (n_leads,), optional
        A number for each lead, from 0 on; leads with the same one are drawn together (cluster bootstrap).
    """
    n_resamples = min(n_resamples, max(MIN_RESAMPLES, MAX_DRAWN // n_leads))
    rng = np.random.default_rng(random_state)
    n_drawn = n_leads if group_ids is None else int(group_ids.max()) + 1
    # A resample with leads of one outcome alone divides by zero; its NaN is left out of the interval.
    with np.errstate(invalid="ignore", divide="ignore"):
        point = compute(np.ones((1, n_leads)))
        parts = []
        step = max(1, 2_000_000 // n_leads)  # at most 16 MB of weights at a time
        for start in range(0, n_resamples, step):
            draws = rng.integers(0, n_drawn, (min(step, n_resamples - start), n_drawn))
            weights = np.stack([np.bincount(drawn, minlength=n_drawn) for drawn in draws])
            weights = weights if group_ids is None else weights[:, group_ids]
            parts.append(compute(weights.astype(np.float64)))
    estimates = {}
    for name, (value,) in point.items():
        if np.isfinite(value):
            low, high = np.nanquantile(np.concatenate([part[name] for part in parts]), [0.025, 0.975])
            estimates[name] = Estimate(value=float(value), low=float(low), high=float(high))
    return estimates
