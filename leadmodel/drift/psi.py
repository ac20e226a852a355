"""How far two counts of the same cells are apart, and how far chance alone would take them."""

from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict
from scipy.special import bdtrc
from scipy.stats import chi2

__all__ = ["Shift", "compare_cells", "merge_cells", "psi"]

Ints = npt.NDArray[np.int64]

MIN_EXPECTED = 5
"""Leads to expect in a cell of the smaller sample: with fewer, chi-square is no guide (Cochran 1954)."""


class Shift(BaseModel):
    """How far the leads of now are from those of then, by the cells of one field.

    Parameters
    ----------
    psi : float
        Population stability index over cells that are merged until each has enough leads.
    chance : float, optional
        What chance alone reaches only so often; None if there are too few leads for two cells.
    surges : tuple of int
        Cells too small for that, which have grown beyond chance all the same.
    """

    model_config = ConfigDict(frozen=True)

    psi: float
    chance: float | None
    surges: tuple[int, ...]

    @property
    def is_certain(self) -> bool:
        """Whether chance is no explanation."""
        return bool(self.surges) or (self.chance is not None and self.psi > self.chance)


def psi(then: npt.ArrayLike, now: npt.ArrayLike) -> float:
    """Return the population stability index of two counts of the same cells.

    It is the sum of (q - p) ln(q / p) over the cells' shares p then and q now: Jeffreys'
    divergence (1946). An empty cell counts as half a lead, for its logarithm would be infinite.

    >>> round(psi([50, 50], [70, 30]), 4)
    0.1695
    """
    p, q = (_shares(np.asarray(counts, dtype=np.float64)) for counts in (then, now))
    return float(((q - p) * np.log(q / p)).sum())


def _shares(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.maximum(counts, 0.5) / max(counts.sum(), 1.0)


def compare_cells(then: Ints, now: Ints, alpha: float, *, ordered: bool) -> Shift:
    """Compare two counts of the same cells.

    Without a shift, and with n and m leads in k cells, PSI over (1/n + 1/m) is distributed as
    chi-square with k - 1 degrees of freedom (Yurdakul and Naranjo 2020); what small cells add to it
    is allowed for. Half of `alpha` is spent on that, the other half on cells too small even so.

    Parameters
    ----------
    then, now : array of shape (n_cells,)
        Counts.
    alpha : float
        How often a shift may be seen where there is none.
    ordered : bool
        Whether the cells have an order, so that neighbours are merged; else the smallest are.
    """
    n, m = int(then.sum()), int(now.sum())
    if not n or not m:
        return Shift(psi=0.0, chance=None, surges=())
    groups = merge_cells(then, now, ordered=ordered)
    n_groups = int(groups.max()) + 1
    chance = _by_chance(n, m, np.bincount(groups, then + now), alpha / 2)
    surges = _surges(then, now, alpha / 2)
    # What has grown on its own must not vanish among others.
    groups[surges] = n_groups + np.arange(len(surges))
    merged = [np.bincount(groups, counts) for counts in (then, now)]
    there = (merged[0] + merged[1]) > 0
    return Shift(psi=psi(merged[0][there], merged[1][there]), chance=chance, surges=tuple(surges.tolist()))


def _by_chance(n: int, m: int, both: npt.NDArray[Any], alpha: float) -> float | None:
    """Return the PSI that chance reaches with probability `alpha`, for n and m leads, `both` by cell."""
    free = len(both) - 1
    if not free:
        return None
    # To the next order, a Poisson count x in place of its mean adds not 1 but 1 + 1/(2x) to the mean
    # of the sum and 2 + 15/(4x) to its variance; a scaled chi-square has both (Satterthwaite 1946).
    excess = float(((n + m) / (min(n, m) * both)).sum())
    mean, variance = free + excess / 2, 2 * free + 15 / 4 * excess
    return (1 / n + 1 / m) * variance / (2 * mean) * float(chi2.isf(alpha, 2 * mean**2 / variance))


def merge_cells(then: Ints, now: Ints, *, ordered: bool) -> npt.NDArray[np.intp]:
    """Return the group of each cell, such that enough leads are to be expected in each group.

    Only the sums of both counts decide, which say nothing of a shift, so that merging does not
    favour one.

    Parameters
    ----------
    then, now : array of shape (n_cells,)
        Counts.
    ordered : bool
        Whether neighbours are merged; else the smallest cells are.
    """
    both = then + now
    expected = both * min(then.sum(), now.sum()) / both.sum()
    order = np.arange(len(both)) if ordered else np.argsort(-both, kind="stable")
    groups = np.zeros(len(both), dtype=np.intp)
    group, gathered = 0, 0.0
    for cell in order:
        groups[cell] = group
        gathered += expected[cell]
        if gathered >= MIN_EXPECTED:
            group, gathered = group + 1, 0.0
    return np.minimum(groups, max(group - 1, 0))


def _surges(then: Ints, now: Ints, alpha: float) -> npt.NDArray[np.intp]:
    """Return the small cells that have more leads now than chance gives them.

    Given the leads of a cell in both samples, those of now are binomial (Przyborowski and Wilenski
    1940).
    """
    both = then + now
    share = now.sum() / both.sum()
    small = (both > 0) & (both * min(share, 1 - share) < MIN_EXPECTED)
    by_chance = bdtrc(now - 1, both, share)
    return np.flatnonzero(small & (now > 0) & (by_chance * np.count_nonzero(small) < alpha))
