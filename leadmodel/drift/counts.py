"""Leads counted by the cells of a profile: all that drift is measured by, and sums that add up."""

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BaseModel, ConfigDict, field_serializer

from leadmodel.insights.profile import FieldProfile, Profile
from leadmodel.leads.schema import MIN_CATEGORY_COUNT, MISSING

__all__ = ["Counts", "FieldCounts", "count_leads"]

MAX_NEW = 1000
"""Values unknown to the profile that are told apart, the most frequent ones: a field can hold
another text in each lead, and a file may exceed the memory."""

PARALLEL_FROM = 50_000
"""Leads from which on threads pay."""


class FieldCounts(BaseModel):
    """Leads by the values of one field.

    Parameters
    ----------
    cells : dict of str to int
        By the cells of the field's profile.
    other : int
        Leads with a text that is none of these.
    new : dict of str to int
        The same by text; its JSON names none of fewer than a handful of leads.
    missing : int
        Leads without a value.
    below, above : int
        Leads with a number beyond those of the training leads.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cells: dict[str, int]
    other: int = 0
    new: dict[str, int] = {}
    missing: int = 0
    below: int = 0
    above: int = 0

    @field_serializer("new")
    def _without_rare(self, new: dict[str, int]) -> dict[str, int]:
        return {value: count for value, count in new.items() if count >= MIN_CATEGORY_COUNT}

    def __add__(self, more: "FieldCounts") -> "FieldCounts":
        if self.cells.keys() != more.cells.keys():
            raise ValueError("Only counts by the cells of one profile can be added.")
        return FieldCounts(
            cells={name: count + more.cells[name] for name, count in self.cells.items()},
            other=self.other + more.other,
            new=_most_frequent(Counter(self.new) + Counter(more.new)),
            missing=self.missing + more.missing,
            below=self.below + more.below,
            above=self.above + more.above,
        )


class Counts(BaseModel):
    """Leads by the values of each field, and by what the model says of them.

    Counts of one profile add up: those of a file's batches, or of a month's days.

    Parameters
    ----------
    n_leads : int
        All of them.
    fields, outputs : dict of str to FieldCounts
        By name, as in the profile.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_leads: int
    fields: dict[str, FieldCounts]
    outputs: dict[str, FieldCounts] = {}

    def __add__(self, more: "Counts") -> "Counts":
        if (self.fields.keys(), self.outputs.keys()) != (more.fields.keys(), more.outputs.keys()):
            raise ValueError("Only counts of the same fields and outputs can be added.")
        return Counts(
            n_leads=self.n_leads + more.n_leads,
            fields={name: count + more.fields[name] for name, count in self.fields.items()},
            outputs={name: count + more.outputs[name] for name, count in self.outputs.items()},
        )


def count_leads(
    profile: Profile,
    typed: pd.DataFrame,
    outputs: Mapping[str, npt.NDArray[np.float64]] | None = None,
) -> Counts:
    """Count leads by the cells of a profile.

    Parameters
    ----------
    profile : Profile
        Of the model.
    typed : DataFrame of shape (n_leads, n_fields)
        As `leadmodel.leads.convert.read_leads` returns it.
    outputs : mapping of str to array of shape (n_leads,), optional
        What the model says of the leads; what the profile does not know is left out.
    """
    outputs = outputs or {}
    names = [name for name in profile.outputs if name in outputs]
    asked = [(known, typed[name]) for name, known in profile.fields.items()]
    asked += [(profile.outputs[name], pd.Series(outputs[name])) for name in names]
    if len(typed) < PARALLEL_FROM:
        found = [_count(*one) for one in asked]
    else:
        with ThreadPoolExecutor() as pool:  # numpy lets go of the interpreter while it searches
            found = list(pool.map(_count, *zip(*asked, strict=True)))
    n_fields = len(profile.fields)
    return Counts(
        n_leads=len(typed),
        fields=dict(zip(profile.fields, found[:n_fields], strict=True)),
        outputs=dict(zip(names, found[n_fields:], strict=True)),
    )


def _count(known: FieldProfile, column: pd.Series) -> FieldCounts:
    return _count_numbers(known, column.to_numpy()) if known.edges else _count_texts(known, column)


def _count_numbers(known: FieldProfile, numbers: npt.NDArray[np.float64]) -> FieldCounts:
    low, *inner, high = known.edges
    # One search puts each number into its bin, below or above them all; a gap comes last.
    cuts = np.array([np.nextafter(low, -np.inf), *inner, high])
    places = np.searchsorted(cuts, numbers, side="left")
    below, *bins, above = np.bincount(places, minlength=len(cuts) + 1).tolist()
    missing = int(np.count_nonzero(np.isnan(numbers)))
    cells = dict(zip(known.cells, bins, strict=True))
    return FieldCounts(cells=cells, missing=missing, below=below, above=above - missing)


def _count_texts(known: FieldProfile, column: pd.Series) -> FieldCounts:
    sizes = np.bincount(column.cat.codes.to_numpy(), minlength=len(column.cat.categories)).tolist()
    counts = {value: size for value, size in zip(column.cat.categories, sizes, strict=True) if size}
    missing = counts.pop(MISSING, 0)
    cells = {value: counts.pop(value, 0) for value in known.cells}
    return FieldCounts(cells=cells, other=sum(counts.values()), new=_most_frequent(counts), missing=missing)


def _most_frequent(counts: Mapping[str, int]) -> dict[str, int]:
    if len(counts) <= MAX_NEW:
        return dict(counts)
    return dict(Counter(counts).most_common(MAX_NEW))
