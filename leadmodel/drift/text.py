"""What moved between the training leads and those of now, in plain words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from leadmodel.errors import quoted
from leadmodel.insights.conversion import range_names, shown
from leadmodel.leads.schema import MIN_CATEGORY_COUNT, Field

__all__ = ["ABOVE", "BELOW", "MISSING_CELL", "OTHER", "Cells", "percent", "tell_movement"]

BELOW, ABOVE = "below the range then", "above the range then"
OTHER, MISSING_CELL = "any other", "not given"

WORTH_TELLING = 0.25
"""Part of the whole movement from which on a cell's own is told."""

MAX_TOLD = 3


@dataclass(frozen=True)
class Cells:
    """Two counts of the same cells of one field.

    Attributes
    ----------
    names : tuple of str
        What people call the cells.
    then, now : array of shape (n_cells,)
        Leads.
    edges : tuple of float
        Edges of a number's bins, between the cells below and above them; empty for a text.
    """

    names: tuple[str, ...]
    then: npt.NDArray[np.int64]
    now: npt.NDArray[np.int64]
    edges: tuple[float, ...] = ()

    @staticmethod
    def ranges(field: Field, edges: Sequence[float]) -> list[str]:
        """Return the names of a number's bins, with its unit."""
        unit = f" {field.unit}" if field.unit else ""
        return [f"{name}{unit}" for name in range_names(field, edges)]

    @cached_property
    def p(self) -> npt.NDArray[np.float64]:
        """Shares then."""
        return self.then / max(self.then.sum(), 1)

    @cached_property
    def q(self) -> npt.NDArray[np.float64]:
        """Shares now."""
        return self.now / max(self.now.sum(), 1)

    @cached_property
    def weights(self) -> npt.NDArray[np.float64]:
        """What each cell adds to PSI."""
        p, q = (np.maximum(counts, 0.5) / max(counts.sum(), 1) for counts in (self.then, self.now))
        there = self.then + self.now > 0
        return np.where(there, (q - p) * np.log(q / p), 0.0)

    @cached_property
    def by_weight(self) -> list[int]:
        """The places of all cells that any lead is in, what moved most first."""
        ranked = np.argsort(-self.weights, kind="stable")
        return [int(place) for place in ranked if self.then[place] + self.now[place]]


def tell_movement(
    field: Field, cells: Cells, surges: Sequence[int], appeared: Mapping[str, float]
) -> tuple[str, ...]:
    """Return in sentences what moved most.

    Parameters
    ----------
    field : Field
        The field.
    cells : Cells
        Its counts.
    surges : sequence of int
        Small cells that have grown beyond chance.
    appeared : mapping of str to float
        Shares of the values that are new.
    """
    least = WORTH_TELLING * cells.weights.sum()
    places = [place for place in cells.by_weight if place in surges or cells.weights[place] >= least]
    places = (places or cells.by_weight)[:MAX_TOLD]
    sentences: list[str] = []
    for place in places:
        sentence = _tell_cell(field, cells, place, appeared)
        if sentence not in sentences:
            sentences.append(sentence)
    return tuple(sentences)


def _tell_cell(field: Field, cells: Cells, place: int, appeared: Mapping[str, float]) -> str:
    name, label = cells.names[place], field.label
    then, now = percent(cells.p[place]), percent(cells.q[place])
    if name == MISSING_CELL and place == len(cells.names) - 1:
        return f"{label}: not given by {then} then, {now} now."
    if not cells.edges:
        return _tell_text(label, cells, place, appeared)
    if place in (0, len(cells.names) - 2):
        end = f"below {shown(cells.edges[0])}" if place == 0 else f"above {shown(cells.edges[-1])}"
        return f"{label}: {end}, where hardly a lead was then: {then} then, {now} now."
    return _tell_median(field, cells) or _more(label, name, cells, place)


def _tell_text(label: str, cells: Cells, place: int, appeared: Mapping[str, float]) -> str:
    if place != len(cells.names) - 2:
        return _more(label, cells.names[place], cells, place)
    new = ", ".join(f"{quoted(value)} {percent(share)}" for value, share in list(appeared.items())[:3])
    then, now = percent(cells.p[place]), percent(cells.q[place])
    named = f" ({new})" if new else ""
    rare = f"a value that fewer than {MIN_CATEGORY_COUNT} training leads had"
    return f"{label}: {rare}: {then} then, {now} now{named}."


def _more(label: str, name: str, cells: Cells, place: int) -> str:
    then, now = cells.p[place], cells.q[place]
    word = "more" if now > then else "fewer"
    return f"{label}: {word} leads with {name}: {percent(then)} then, {percent(now)} now."


def _tell_median(field: Field, cells: Cells) -> str | None:
    """Return where the middle of the leads has gone, or None where it shows nowhere else."""
    if field.kind == "boolean":
        return None
    before, after = (
        _median(cells.edges, counts, whole=field.integer) for counts in (cells.then, cells.now)
    )
    then, now = (shown(float(f"{median:.3g}")) for median in (before, after))
    if then == now or np.isnan(before + after):
        return None
    word = "higher" if after > before else "lower"
    unit = f" {field.unit}" if field.unit else ""
    return f"{field.label}: {word}; median about {then}{unit} then, {now}{unit} now."


def _median(edges: Sequence[float], counts: npt.NDArray[np.int64], *, whole: bool) -> float:
    """Return the median of binned numbers, taken to lie evenly within their bin; NaN of none."""
    bins = counts[1:-2].astype(np.float64)
    bins[0] += counts[0]
    bins[-1] += counts[-2]
    half = bins.sum() / 2
    if not half:
        return float("nan")
    place = int(np.searchsorted(np.cumsum(bins), half))
    part = (half - bins[:place].sum()) / bins[place]
    value = edges[place] + part * (edges[place + 1] - edges[place])
    return float(np.ceil(value)) if whole else float(value)


def percent(share: float) -> str:
    """Return a share in percent, small ones to a tenth.

    >>> percent(0.3), percent(0.014), percent(0)
    ('30%', '1.4%', '0%')
    """
    return f"{share:.1%}" if 0 < share < 0.0995 else f"{share:.0%}"
