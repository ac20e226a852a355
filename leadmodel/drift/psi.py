"""Measure the shift of one field by the population stability index (PSI), and describe it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import bdtrc
from scipy.stats import chi2

from leadmodel.arrays import Floats, Ints, Positions
from leadmodel.errors import quoted
from leadmodel.leads.field import MIN_CATEGORY_COUNT, Field
from leadmodel.text import format_number, format_percent

__all__ = [
    "MAJOR",
    "MISSING_CELL",
    "MODERATE",
    "Cells",
    "Shift",
    "compare_cells",
    "describe_shift",
    "merge_cells",
    "psi",
]

MODERATE, MAJOR = 0.1, 0.25
"""Customary bounds of PSI (Siddiqi 2006)."""

MIN_EXPECTED = 5
"""Least expected leads in a cell of the smaller sample for chi-square to hold (Cochran 1954)."""

MISSING_CELL = "not given"

MIN_WEIGHT = 0.25
"""Share of the PSI of a field from which on a cell gets a sentence."""

MAX_SENTENCES = 3


class Shift(NamedTuple):
    """Shift of one field between two samples.

    Attributes
    ----------
    psi : float
        Population stability index over cells that are merged until each has enough leads.
    chance : float, optional
        PSI that chance alone exceeds with probability `alpha`; None with too few leads for two cells.
    new_cells : tuple of int
        Indices of cells too small for that test which have grown significantly all the same.
    """

    psi: float
    chance: float | None
    new_cells: tuple[int, ...]

    @property
    def is_significant(self) -> bool:
        """Whether chance alone does not explain the shift."""
        return bool(self.new_cells) or (self.chance is not None and self.psi > self.chance)


def psi(then: npt.ArrayLike, now: npt.ArrayLike) -> float:
    """Return the population stability index of two counts of the same cells.

    It is the sum of (q - p) ln(q / p) over the shares p then and q now of the cells: Jeffreys'
    divergence (1946).

    >>> round(psi([50, 50], [70, 30]), 4)
    0.1695
    """
    return float(_psi_terms(then, now).sum())


def _psi_terms(then: npt.ArrayLike, now: npt.ArrayLike) -> Floats:
    """Return the contribution of each cell to PSI."""
    counts = (np.asarray(n_leads, dtype=np.float64) for n_leads in (then, now))
    # An empty cell counts as half a lead, because its logarithm would be infinite.
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
    then: Ints
    now: Ints
    edges: tuple[float, ...] = ()

    @cached_property
    def share_then(self) -> Floats:
        """Share of the leads in each cell then."""
        return self.then / max(self.then.sum(), 1)

    @cached_property
    def share_now(self) -> Floats:
        """Share of the leads in each cell now."""
        return self.now / max(self.now.sum(), 1)

    @cached_property
    def weights(self) -> Floats:
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
    small cells.

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
        return Shift(0.0, None, ())
    groups = merge_cells(then, now, ordered=ordered)
    # There are two tests, of the merged cells and of the small ones, and each may use half of alpha.
    chance = _critical_psi(n, m, np.bincount(groups, then + now), alpha / 2)
    # A profile shows 0 for a cell of 1 to `hidden` leads. The test takes the largest of these counts, or
    # a value that a few training leads had would count as new as soon as some leads have it again.
    new_cells = _find_new_cells(np.where(then == 0, hidden, then), now, alpha / 2)
    # Each gets a group of its own, or merging would hide its growth.
    groups[new_cells] = groups.max() + 1 + np.arange(len(new_cells))
    merged = [np.bincount(groups, counts) for counts in (then, now)]
    # Groups whose cells have all moved to groups of their own are empty, and not half a lead.
    occupied = (merged[0] + merged[1]) > 0
    return Shift(psi(merged[0][occupied], merged[1][occupied]), chance, tuple(new_cells.tolist()))


def _critical_psi(n: int, m: int, both: npt.NDArray[Any], alpha: float) -> float | None:
    """Return the PSI that chance exceeds with probability `alpha`, for n and m leads, `both` by cell."""
    freedom = len(both) - 1
    if not freedom:
        return None
    # The customary bounds of 0.1 and 0.25 ignore the number of leads: with 10 bins and 100 leads, chance
    # alone exceeds 0.1 in most samples. Yurdakul and Naranjo, "Statistical properties of the population
    # stability index", Journal of Risk Model Validation 14(4), 2020, derive the distribution used here.
    # To the next order, a Poisson count x in place of its mean adds not 1 but 1 + 1/(2x) to the mean
    # of the sum and 2 + 15/(4x) to its variance; a scaled chi-square has both (Satterthwaite 1946).
    excess = float(((n + m) / (min(n, m) * both)).sum())
    mean, variance = freedom + excess / 2, 2 * freedom + 15 / 4 * excess
    return (1 / n + 1 / m) * variance / (2 * mean) * float(chi2.isf(alpha, 2 * mean**2 / variance))


def merge_cells(then: Ints, now: Ints, *, ordered: bool) -> Positions:
    """Assign cells to groups with enough expected leads each.

    Parameters
    ----------
    then, now : array of shape (n_cells,)
        Counts.
    ordered : bool
        Whether neighboring cells are merged; else the smallest are.
    """
    # Only the sums of both counts are used: they carry no information about a shift, so that merging
    # does not bias the test.
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


def _find_new_cells(then: Ints, now: Ints, alpha: float) -> Positions:
    """Find the small cells that have significantly more leads now."""
    both = then + now
    share = now.sum() / both.sum()
    small = (both > 0) & (both * min(share, 1 - share) < MIN_EXPECTED)
    # Given the sum of both counts of a cell, the count of now is binomial (Przyborowski and Wilenski
    # 1940). The p-values are multiplied by the number of tests (Bonferroni).
    p_value = bdtrc(now - 1, both, share)
    return np.flatnonzero(small & (now > 0) & (p_value * np.count_nonzero(small) < alpha))


def describe_shift(
    field: Field, cells: Cells, new_cells: Sequence[int], appeared: Mapping[str, float]
) -> tuple[str, ...]:
    """Describe the cells that moved most.

    Parameters
    ----------
    field : Field
        The field.
    cells : Cells
        Its counts.
    new_cells : sequence of int
        Indices of the small cells that have grown significantly.
    appeared : mapping of str to float
        Shares of the values that are new.
    """
    least = MIN_WEIGHT * cells.weights.sum()
    chosen = [cell for cell in cells.by_weight if cell in new_cells or cells.weights[cell] >= least]
    chosen = (chosen or cells.by_weight)[:MAX_SENTENCES]
    # Without duplicates, because the median may describe two ranges of a number.
    return tuple(dict.fromkeys(_describe_cell(field, cells, cell, appeared) for cell in chosen))


def _describe_cell(field: Field, cells: Cells, cell: int, appeared: Mapping[str, float]) -> str:
    name, label = cells.names[cell], field.label
    then, now = format_percent(cells.share_then[cell]), format_percent(cells.share_now[cell])
    # The last cell holds missing values; a text of the same name may be among the others.
    if name == MISSING_CELL and cell == len(cells.names) - 1:
        return f"{label}: missing for {then} then, {now} now."
    is_next_to_last = cell == len(cells.names) - 2
    if cells.edges and (cell == 0 or is_next_to_last):
        side, edge = ("below", cells.edges[0]) if cell == 0 else ("above", cells.edges[-1])
        return f"{label}: {side} {format_number(edge)}, rare in training: {then} then, {now} now."
    if not cells.edges and is_next_to_last:
        new = [f"{quoted(value)} {format_percent(share)}" for value, share in appeared.items()]
        listed = f" ({', '.join(new[:3])})" if new else ""
        rare = f"values of fewer than {MIN_CATEGORY_COUNT} training leads"
        return f"{label}: {rare}: {then} then, {now} now{listed}."
    if cells.edges and field.kind != "boolean":
        before, after = (_median(cells.edges, counts) for counts in (cells.then, cells.now))
        if field.integer:
            before, after = np.ceil(before), np.ceil(after)
        medians = [format_number(float(f"{median:.3g}")) for median in (before, after)]
        # A change that three digits do not show is described by the share of the cell instead.
        if medians[0] != medians[1] and not np.isnan(before + after):
            direction = "higher" if after > before else "lower"
            unit = f" {field.unit}" if field.unit else ""
            return f"{label}: {direction}; median about {medians[0]}{unit} then, {medians[1]}{unit} now."
    change = "more" if cells.share_now[cell] > cells.share_then[cell] else "fewer"
    return f"{label}: {change} leads with {name}: {then} then, {now} now."


def _median(edges: Sequence[float], counts: Ints) -> float:
    """Return the median of binned numbers, assumed uniform within bins; NaN without any."""
    bins = counts[1:-2].astype(np.float64)
    # Numbers beyond the outermost edges count as if they lay in the outermost bins.
    bins[0] += counts[0]
    bins[-1] += counts[-2]
    cumulated = np.concatenate([[0.0], np.cumsum(bins)])
    return float(np.interp(cumulated[-1] / 2, cumulated, edges)) if cumulated[-1] else float("nan")
