"""Measure the population stability index (PSI) of two samples, and its range under chance alone."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict
from scipy.special import bdtrc
from scipy.stats import chi2

__all__ = ["Cells", "Shift", "compare_cells", "merge_cells", "psi"]

Ints = npt.NDArray[np.int64]

MIN_EXPECTED = 5
"""Least expected leads in a cell of the smaller sample for chi-square to hold (Cochran 1954)."""


class Shift(BaseModel):
    """Shift of one field between two samples.

    Parameters
    ----------
    psi : float
        Population stability index over cells that are merged until each has enough leads.
    chance : float, optional
        PSI that chance alone exceeds with probability `alpha`; None with too few leads for two cells.
    new_cells : tuple of int
        Indices of cells too small for that test which have grown significantly all the same.
    """

    model_config = ConfigDict(frozen=True)

    psi: float
    chance: float | None
    new_cells: tuple[int, ...]

    @property
    def is_certain(self) -> bool:
        """Whether the shift is significant."""
        return bool(self.new_cells) or (self.chance is not None and self.psi > self.chance)


def psi(then: npt.ArrayLike, now: npt.ArrayLike) -> float:
    """Return the population stability index of two counts of the same cells.

    It is the sum of (q - p) ln(q / p) over the shares p then and q now of the cells: Jeffreys'
    divergence (1946). An empty cell counts as half a lead, since its logarithm would be infinite.

    >>> round(psi([50, 50], [70, 30]), 4)
    0.1695
    """
    return float(_psi_terms(then, now).sum())


def _psi_terms(then: npt.ArrayLike, now: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the contribution of each cell to PSI."""
    counts = (np.asarray(n_leads, dtype=np.float64) for n_leads in (then, now))
    p, q = (np.maximum(n_leads, 0.5) / max(n_leads.sum(), 1.0) for n_leads in counts)
    return np.asarray((q - p) * np.log(q / p))


@dataclass(frozen=True)
class Cells:
    """Two counts of the same cells of one field.

    Attributes
    ----------
    names : tuple of str
        Names of the cells for people; the last one is for leads without a value.
    then, now : array of shape (n_cells,)
        Number of leads.
    edges : tuple of float
        Edges of the bins of a number, between the cells below and above them; empty for a text.
    """

    names: tuple[str, ...]
    then: npt.NDArray[np.int64]
    now: npt.NDArray[np.int64]
    edges: tuple[float, ...] = ()

    @cached_property
    def share_then(self) -> npt.NDArray[np.float64]:
        """Share of the leads in each cell then."""
        return self.then / max(self.then.sum(), 1)

    @cached_property
    def share_now(self) -> npt.NDArray[np.float64]:
        """Share of the leads in each cell now."""
        return self.now / max(self.now.sum(), 1)

    @cached_property
    def weights(self) -> npt.NDArray[np.float64]:
        """Contribution of each cell to PSI; 0 for cells that are empty both times."""
        return np.where(self.then + self.now > 0, _psi_terms(self.then, self.now), 0.0)

    @cached_property
    def by_weight(self) -> list[int]:
        """Indices of the cells that are not empty both times, the largest contribution first."""
        ranked = np.argsort(-self.weights, kind="stable")
        return [int(cell) for cell in ranked if self.then[cell] + self.now[cell]]


def compare_cells(then: Ints, now: Ints, alpha: float, *, ordered: bool, hidden: int = 0) -> Shift:
    """Compare two counts of the same cells.

    Without a shift, and with n and m leads in k cells, PSI over (1/n + 1/m) is distributed as
    chi-square with k - 1 degrees of freedom (Yurdakul and Naranjo 2020), here with a correction for
    small cells. This test uses half of `alpha`, the test of cells too small for it the other half.

    Parameters
    ----------
    then, now : array of shape (n_cells,)
        Counts.
    alpha : float
        Probability of finding a shift where there is none.
    ordered : bool
        Whether neighboring cells are merged; else the smallest are.
    hidden : int
        Largest count of then that stands there as 0, because the profile does not publish it.
    """
    n, m = int(then.sum()), int(now.sum())
    if not n or not m:
        return Shift(psi=0.0, chance=None, new_cells=())
    groups = merge_cells(then, now, ordered=ordered)
    n_groups = int(groups.max()) + 1
    chance = _critical_psi(n, m, np.bincount(groups, then + now), alpha / 2)
    new_cells = _find_new_cells(np.where(then == 0, hidden, then), now, alpha / 2)
    # Each gets a group of its own, or merging would hide its growth.
    groups[new_cells] = n_groups + np.arange(len(new_cells))
    merged = [np.bincount(groups, counts) for counts in (then, now)]
    occupied = (merged[0] + merged[1]) > 0
    value = psi(merged[0][occupied], merged[1][occupied])
    return Shift(psi=value, chance=chance, new_cells=tuple(new_cells.tolist()))


def _critical_psi(n: int, m: int, both: npt.NDArray[Any], alpha: float) -> float | None:
    """Return the PSI that chance exceeds with probability `alpha`, for n and m leads, `both` by cell."""
    freedom = len(both) - 1
    if not freedom:
        return None
    # To the next order, a Poisson count x in place of its mean adds not 1 but 1 + 1/(2x) to the mean
    # of the sum and 2 + 15/(4x) to its variance; a scaled chi-square has both (Satterthwaite 1946).
    excess = float(((n + m) / (min(n, m) * both)).sum())
    mean, variance = freedom + excess / 2, 2 * freedom + 15 / 4 * excess
    return (1 / n + 1 / m) * variance / (2 * mean) * float(chi2.isf(alpha, 2 * mean**2 / variance))


def merge_cells(then: Ints, now: Ints, *, ordered: bool) -> npt.NDArray[np.intp]:
    """Assign cells to groups with enough expected leads each.

    Only the sums of both counts are used: they carry no information about a shift, so that merging
    does not bias the test.

    Parameters
    ----------
    then, now : array of shape (n_cells,)
        Counts.
    ordered : bool
        Whether neighboring cells are merged; else the smallest are.
    """
    both = then + now
    expected = both * min(then.sum(), now.sum()) / both.sum()
    order = np.arange(len(both)) if ordered else np.argsort(-both, kind="stable")
    groups = np.zeros(len(both), dtype=np.intp)
    group, total = 0, 0.0
    for cell in order:
        groups[cell] = group
        total += expected[cell]
        if total >= MIN_EXPECTED:
            group, total = group + 1, 0.0
    return np.minimum(groups, max(group - 1, 0))  # the remainder joins the last full group


def _find_new_cells(then: Ints, now: Ints, alpha: float) -> npt.NDArray[np.intp]:
    """Find the small cells that have significantly more leads now.

    Given the sum of both counts of a cell, the count of now is binomial (Przyborowski and Wilenski
    1940).
    """
    both = then + now
    share = now.sum() / both.sum()
    small = (both > 0) & (both * min(share, 1 - share) < MIN_EXPECTED)
    p_value = bdtrc(now - 1, both, share)
    return np.flatnonzero(small & (now > 0) & (p_value * np.count_nonzero(small) < alpha))
