"""Profile the training leads: counts and conversions by value, never a single lead."""

from bisect import bisect_left
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field as ModelField
from pydantic import model_validator

from leadmodel.arrays import Floats
from leadmodel.leads.disclosure import publish_ends, publish_quantiles
from leadmodel.leads.field import MIN_CATEGORY_COUNT, MIN_TOLD, MISSING, Field, Value
from leadmodel.leads.schema import LeadSchema
from leadmodel.records import Record

__all__ = ["Cell", "FieldProfile", "Profile", "profile_leads", "profile_output"]

N_BINS, MIN_PER_BIN = 10, 20
"""Most bins of a number, and least leads per bin: deciles of large tables, fewer bins of small ones."""


class Cell(Record):
    """Number of leads in a group, and of conversions among them."""

    count: int
    converted: int

    @property
    def rate(self) -> float:
        """Conversion rate; 0 for an empty group."""
        return self.converted / self.count if self.count else 0.0

    @property
    def is_told(self) -> bool:
        """Whether the number of conversions among these leads may be published."""
        return self.count >= MIN_TOLD


NONE = Cell(count=0, converted=0)


class FieldProfile(Record):
    """Training leads by the values of one field.

    Parameters
    ----------
    cells : dict of str to Cell
        By choice for a category; by bin for a number ("0" is the lowest).
    edges : tuple of float
        Edges of a number's bins, upper ones included; empty for a text. The outermost are not the
        lowest and the highest number: see `leadmodel.leads.disclosure.publish_ends`.
    other, missing : Cell
        Leads with a rare value, and without any. For a number, `other` is those beyond the outermost
        edges, which are counted in the outermost bins as well; see `beyond`.

    No cell has a count of 1 to 4: such leads are counted in the largest one. Cells of 5 to 9 leads share
    the conversions of them all. Models of release 0.1 have the counts as they were.
    """

    cells: dict[str, Cell]
    edges: tuple[float, ...] = ()
    other: Cell
    missing: Cell

    @model_validator(mode="after")
    def _check_bins(self) -> "FieldProfile":
        bins = {str(index) for index in range(len(self.edges) - 1)}
        if self.edges and (not bins or set(self.cells) != bins):
            raise ValueError("a number needs a cell for each of its bins")
        return self

    @property
    def beyond(self) -> tuple[int, int]:
        """Training leads below and above the edges of a number; 0 for fewer than MIN_CATEGORY_COUNT."""
        # Release 0.1 reads these profiles too and refuses unknown keys, so that the two numbers have no
        # keys: the conversions of so few leads are not published, and their key holds the count above.
        return self.other.count - self.other.converted, self.other.converted

    def cell(self, value: Value) -> Cell:
        """Return the training leads with `value`, or with a number in its bin."""
        if isinstance(value, str):
            return self.missing if value == MISSING else self.cells.get(value, self.other)
        return self.missing if np.isnan(value) else self.cells[str(self.bin_of(value))]

    def bin_of(self, value: float) -> int:
        """Return the index of the bin of a number, 0 being the lowest; the outer bins are open."""
        return bisect_left(self.edges, value, 1, len(self.edges) - 1) - 1

    def bounds(self, value: float) -> tuple[float, float]:
        """Return the edges of the bin of `value`."""
        index = self.bin_of(value)
        return self.edges[index], self.edges[index + 1]


class Profile(Record):
    """Training leads by field, and test leads by the predictions of the model.

    Parameters
    ----------
    leads : Cell
        All training leads.
    fields : dict of str to FieldProfile
        By field name.
    outputs : dict of str to FieldProfile
        Test leads by each output of the model, such as "probability". Training leads would not do: a
        model is more confident about leads it was fitted on, and the models of a cross-validation
        differ from the final one. Empty in models of earlier releases.
    """

    leads: Cell
    fields: dict[str, FieldProfile]
    outputs: dict[str, FieldProfile] = ModelField(default_factory=dict)

    @model_validator(mode="after")
    def _check_outputs(self) -> "Profile":
        if not all(output.edges for output in self.outputs.values()):
            raise ValueError("an output needs the edges of its bins")
        return self


def profile_leads(
    schema: LeadSchema,
    typed: pd.DataFrame,
    y: npt.NDArray[Any],
    outputs: Mapping[str, FieldProfile] | None = None,
) -> Profile:
    """Count leads and conversions by the values of each field.

    Parameters
    ----------
    schema : LeadSchema
        The fields.
    typed : DataFrame of shape (n_leads, n_fields)
        As `leadmodel.leads.convert.read_leads` returns it.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    outputs : mapping of str to FieldProfile, optional
        As `profile_output` returns them, by name.
    """
    fields = {field.name: _profile_field(field, typed[field.name], y) for field in schema.fields}
    return Profile(leads=_count(y), fields=fields, outputs=dict(outputs or {}))


def profile_output(values: Floats, y: npt.NDArray[Any]) -> FieldProfile:
    """Count test leads by an output of the model; both arrays are of shape (n_leads,)."""
    return _profile_number(pd.Series(values), y)


def _profile_field(field: Field, column: pd.Series, y: npt.NDArray[Any]) -> FieldProfile:
    if field.is_text:
        return _profile_text(field, column, y)
    # No and yes cannot identify a lead, so that their edges need no protection.
    edges = np.array([0.0, 0.0, 1.0]) if field.kind == "boolean" else None
    return _profile_number(column, y, edges)


def _profile_text(field: Field, column: pd.Series, y: npt.NDArray[Any]) -> FieldProfile:
    values = [*column.cat.categories]
    by_value = dict(zip(values, _count_by(column.cat.codes.to_numpy(), y, len(values)), strict=True))
    missing = by_value.pop(MISSING, NONE)
    cells = [by_value.pop(choice, NONE) for choice in field.choices]
    rest = by_value.values()
    other = Cell(count=sum(cell.count for cell in rest), converted=sum(cell.converted for cell in rest))
    *cells, other, missing = _protect([*cells, other, missing])
    return FieldProfile(cells=dict(zip(field.choices, cells, strict=True)), other=other, missing=missing)


def _profile_number(column: pd.Series, y: npt.NDArray[Any], edges: Floats | None = None) -> FieldProfile:
    numbers = column.to_numpy()
    known = ~np.isnan(numbers)
    given = numbers[known]
    edges = _edges(given) if edges is None else edges
    bins = np.searchsorted(edges[1:-1], given, side="left")
    *cells, missing = _protect([*_count_by(bins, y[known], len(edges) - 1), _count(y[~known])])
    below, above = (
        n_leads if n_leads >= MIN_CATEGORY_COUNT else 0
        for n_leads in (int((given < edges[0]).sum()), int((given > edges[-1]).sum()))
    )
    return FieldProfile(
        cells={str(index): cell for index, cell in enumerate(cells)},
        edges=tuple(edges.tolist()),
        other=Cell(count=below + above, converted=above),
        missing=missing,
    )


def _edges(numbers: Floats) -> Floats:
    """Return the edges of bins of about equal size, fewer where values repeat."""
    n_bins = int(np.clip(len(numbers) // MIN_PER_BIN, 1, N_BINS))
    inner = np.unique(publish_quantiles(numbers, np.linspace(0, 1, n_bins + 1)[1:-1]))
    low, high = publish_ends(numbers)
    return np.concatenate([[low], inner[(inner >= low) & (inner < high)], [high]])


def _protect(cells: list[Cell]) -> list[Cell]:
    """Return cells without small counts, and with the same sums."""
    # The leads of small cells are added to the largest one. The sums stay, because the difference from the
    # number of all leads would reveal what was left out.
    counts, converted = (
        np.array(numbers) for numbers in zip(*((c.count, c.converted) for c in cells), strict=True)
    )
    largest = int(counts.argmax())
    small = (counts < MIN_CATEGORY_COUNT) & (np.arange(len(cells)) != largest)
    for numbers in (counts, converted):
        numbers[largest] += numbers[small].sum()
        numbers[small] = 0
    few = (counts > 0) & (counts < MIN_TOLD)
    if few.any() and counts[few].sum() < MIN_TOLD:
        few[largest] = True  # a single cell would keep its conversions
    if few.any():
        # The cumulated shares are rounded, not the shares, so that the sum is kept.
        shares = np.cumsum(counts[few]) * (converted[few].sum() / counts[few].sum())
        converted[few] = np.diff(np.rint(shares), prepend=0)
    return [Cell(count=n, converted=k) for n, k in zip(counts.tolist(), converted.tolist(), strict=True)]


def _count(y: npt.NDArray[Any]) -> Cell:
    return Cell(count=len(y), converted=int(y.sum()))


def _count_by(codes: npt.NDArray[Any], y: npt.NDArray[Any], n_codes: int) -> list[Cell]:
    counts, converted = np.bincount(codes, minlength=n_codes), np.bincount(codes, y, n_codes)
    return [Cell(count=n, converted=round(k)) for n, k in zip(counts.tolist(), converted, strict=True)]
