"""Count leads by the cells of a profile; drift needs nothing else, and counts can be added up."""

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
from pydantic import Field as ModelField
from pydantic import field_serializer

from leadmodel.arrays import Floats
from leadmodel.insights.profile import FieldProfile, Profile
from leadmodel.leads.field import MIN_CATEGORY_COUNT, MISSING
from leadmodel.records import Record

__all__ = ["Counts", "FieldCounts", "count_leads"]

MAX_NEW = 1000
"""Most new values that are counted separately: every lead of a huge file may hold another text."""

PARALLEL_FROM = 50_000
"""Leads from which on threads save more time than they cost."""


class FieldCounts(Record):
    """Number of leads by the values of one field.

    Parameters
    ----------
    cells : dict of str to int
        By cell of the profile of the field.
    other : int
        Leads with any other text.
    new : dict of str to int
        Those by text; rare ones, which may point to a person, are left out of the JSON.
    missing : int
        Leads without a value.
    below, above : int
        Leads with a number outside the range of the training leads.
    """

    cells: dict[str, int]
    other: int = 0
    new: dict[str, int] = ModelField(default_factory=dict)
    missing: int = 0
    below: int = 0
    above: int = 0

    @field_serializer("new")
    def _without_rare(self, new: dict[str, int]) -> dict[str, int]:
        return {value: count for value, count in new.items() if count >= MIN_CATEGORY_COUNT}

    def __add__(self, other: "FieldCounts") -> "FieldCounts":
        if self.cells.keys() != other.cells.keys():
            raise ValueError("Only counts by the cells of one profile can be added.")
        return FieldCounts(
            cells={name: count + other.cells[name] for name, count in self.cells.items()},
            other=self.other + other.other,
            new=_most_frequent(Counter(self.new) + Counter(other.new)),
            missing=self.missing + other.missing,
            below=self.below + other.below,
            above=self.above + other.above,
        )


class Counts(Record):
    """Number of leads by the values of each field, and by the predictions for them.

    Counts by one profile can be added, such as those of batches or of days.

    Parameters
    ----------
    n_leads : int
        Number of leads.
    fields, outputs : dict of str to FieldCounts
        By name, as in the profile.
    """

    n_leads: int
    fields: dict[str, FieldCounts]
    outputs: dict[str, FieldCounts] = ModelField(default_factory=dict)

    def __add__(self, other: "Counts") -> "Counts":
        if (self.fields.keys(), self.outputs.keys()) != (other.fields.keys(), other.outputs.keys()):
            raise ValueError("Only counts of the same fields and outputs can be added.")
        return Counts(
            n_leads=self.n_leads + other.n_leads,
            fields={name: count + other.fields[name] for name, count in self.fields.items()},
            outputs={name: count + other.outputs[name] for name, count in self.outputs.items()},
        )


def count_leads(
    profile: Profile,
    typed: pd.DataFrame,
    outputs: Mapping[str, Floats] | None = None,
) -> Counts:
    """Count leads by the cells of a profile.

    Parameters
    ----------
    profile : Profile
        Of the model.
    typed : DataFrame of shape (n_leads, n_fields)
        As `leadmodel.leads.convert.read_leads` returns it.
    outputs : mapping of str to array of shape (n_leads,), optional
        Predictions by name; those that the profile does not have are ignored.
    """
    outputs = outputs or {}
    names = [name for name in profile.outputs if name in outputs]
    profiles = [*profile.fields.values(), *(profile.outputs[name] for name in names)]
    columns = [*(typed[name] for name in profile.fields), *(pd.Series(outputs[name]) for name in names)]
    if len(typed) < PARALLEL_FROM:
        counts = list(map(_count, profiles, columns))
    else:
        with ThreadPoolExecutor() as pool:  # numpy releases the interpreter lock while it searches
            counts = list(pool.map(_count, profiles, columns))
    n_fields = len(profile.fields)
    return Counts(
        n_leads=len(typed),
        fields=dict(zip(profile.fields, counts[:n_fields], strict=True)),
        outputs=dict(zip(names, counts[n_fields:], strict=True)),
    )


def _count(profile: FieldProfile, column: pd.Series) -> FieldCounts:
    if profile.edges:
        return _count_numbers(profile, column.to_numpy())
    sizes = np.bincount(column.cat.codes.to_numpy(), minlength=len(column.cat.categories)).tolist()
    counts = {value: size for value, size in zip(column.cat.categories, sizes, strict=True) if size}
    missing = counts.pop(MISSING, 0)
    cells = {value: counts.pop(value, 0) for value in profile.cells}
    return FieldCounts(cells=cells, other=sum(counts.values()), new=_most_frequent(counts), missing=missing)


def _count_numbers(profile: FieldProfile, numbers: Floats) -> FieldCounts:
    low, *inner, high = profile.edges
    # One search finds the bin of each number, below and above included; NaN sorts last.
    # The lowest edge is a value that occurs, and belongs to the first bin.
    cuts = np.array([np.nextafter(low, -np.inf), *inner, high])
    indices = np.searchsorted(cuts, numbers, side="left")
    below, *bins, above = np.bincount(indices, minlength=len(cuts) + 1).tolist()
    missing = int(np.count_nonzero(np.isnan(numbers)))
    cells = dict(zip(profile.cells, bins, strict=True))
    return FieldCounts(cells=cells, missing=missing, below=below, above=above - missing)


def _most_frequent(counts: Mapping[str, int]) -> dict[str, int]:
    if len(counts) <= MAX_NEW:
        return dict(counts)
    return dict(Counter(counts).most_common(MAX_NEW))
