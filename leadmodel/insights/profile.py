"""What the training leads looked like: counts and conversions per value, never a lead."""

from bisect import bisect_left
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BaseModel, ConfigDict, model_validator

from leadmodel.leads.schema import MISSING, Field, LeadSchema, Value

__all__ = ["Cell", "FieldProfile", "Profile", "profile_leads", "profile_output"]

N_BINS = 10
MIN_PER_BIN = 20


class Cell(BaseModel):
    """Some training leads: how many, and how many of them converted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int
    converted: int

    @property
    def rate(self) -> float:
        """Share of the leads that converted; 0 for none."""
        return self.converted / self.count if self.count else 0.0


NONE = Cell(count=0, converted=0)


class FieldProfile(BaseModel):
    """The training leads by the values of one field.

    Parameters
    ----------
    cells : dict of str to Cell
        By choice for a text; by bin for a number ("0" is the lowest).
    edges : tuple of float
        Edges of a number's bins, upper ones included; empty for a text.
    other, missing : Cell
        Leads with a rare value, and without any.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cells: dict[str, Cell]
    edges: tuple[float, ...] = ()
    other: Cell
    missing: Cell

    @model_validator(mode="after")
    def _check_bins(self) -> "FieldProfile":
        if self.edges and set(self.cells) != {str(place) for place in range(len(self.edges) - 1)}:
            raise ValueError("a number needs a cell for each of its bins")
        return self

    def cell(self, value: Value) -> Cell:
        """Return the training leads that had `value`, or one of the same bin."""
        if isinstance(value, str):
            return self.missing if value == MISSING else self.cells.get(value, self.other)
        return self.missing if np.isnan(value) else self.cells[str(self.place(value))]

    def place(self, value: float) -> int:
        """Return which bin a number falls into, 0 being the lowest."""
        return bisect_left(self.edges, value, 1, len(self.edges) - 1) - 1

    def bounds(self, value: float) -> tuple[float, float]:
        """Return the lowest and highest value of the bin of `value`."""
        place = self.place(value)
        return self.edges[place], self.edges[place + 1]


class Profile(BaseModel):
    """The training leads, field by field, and what the model says of leads it has not seen.

    Parameters
    ----------
    leads : Cell
        All of them.
    fields : dict of str to FieldProfile
        By field name.
    outputs : dict of str to FieldProfile
        The test leads by what the model says of them, such as "probability": of leads that it has
        learned from it is surer than of new ones, and the models of a cross-validation spread their
        probabilities otherwise. Empty in models of earlier releases.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    leads: Cell
    fields: dict[str, FieldProfile]
    outputs: dict[str, FieldProfile] = {}

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


def profile_output(values: npt.NDArray[np.float64], y: npt.NDArray[Any]) -> FieldProfile:
    """Count leads that the model has not seen by what it says of them, both of shape (n_leads,)."""
    return _profile_number(pd.Series(values), y)


def _profile_field(field: Field, column: pd.Series, y: npt.NDArray[Any]) -> FieldProfile:
    return _profile_text(field, column, y) if field.is_text else _profile_number(column, y)


def _profile_text(field: Field, column: pd.Series, y: npt.NDArray[Any]) -> FieldProfile:
    values = [*column.cat.categories]
    by_value = dict(zip(values, _count_by(column.cat.codes.to_numpy(), y, len(values)), strict=True))
    missing = by_value.pop(MISSING, NONE)
    cells = {choice: by_value.pop(choice, NONE) for choice in field.choices}
    rest = by_value.values()
    other = Cell(count=sum(cell.count for cell in rest), converted=sum(cell.converted for cell in rest))
    return FieldProfile(cells=cells, other=other, missing=missing)


def _profile_number(column: pd.Series, y: npt.NDArray[Any]) -> FieldProfile:
    numbers = column.to_numpy()
    known = ~np.isnan(numbers)
    edges = _edges(numbers[known])
    bins = np.searchsorted(edges[1:-1], numbers[known], side="left")
    cells = {str(place): cell for place, cell in enumerate(_count_by(bins, y[known], len(edges) - 1))}
    return FieldProfile(cells=cells, edges=tuple(edges.tolist()), other=NONE, missing=_count(y[~known]))


def _edges(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the edges of bins of about equal size, fewer where values repeat."""
    n_bins = int(np.clip(len(numbers) // MIN_PER_BIN, 1, N_BINS))
    inner = np.quantile(numbers, np.linspace(0, 1, n_bins + 1)[1:-1], method="inverted_cdf")
    low, high = numbers.min(), numbers.max()
    inner = np.unique(inner)
    return np.concatenate([[low], inner[(inner < high)], [high]])


def _count(y: npt.NDArray[Any]) -> Cell:
    return Cell(count=len(y), converted=int(y.sum()))


def _count_by(places: npt.NDArray[Any], y: npt.NDArray[Any], n_places: int) -> list[Cell]:
    counts, converted = np.bincount(places, minlength=n_places), np.bincount(places, y, n_places)
    return [Cell(count=n, converted=round(k)) for n, k in zip(counts.tolist(), converted, strict=True)]
