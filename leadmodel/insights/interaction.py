"""Pairs of fields that convert together otherwise than each by itself would suggest."""

from collections.abc import Sequence
from itertools import combinations
from math import sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BaseModel, ConfigDict
from scipy.stats import chi2

from leadmodel.insights.association import category_codes
from leadmodel.insights.conversion import range_names
from leadmodel.insights.profile import Cell
from leadmodel.leads.disclosure import publish_quantiles
from leadmodel.leads.schema import Field, LeadSchema

__all__ = ["Interaction", "find_interactions"]

MAX_FIELDS, MAX_GROUPS, MAX_FOUND = 12, 4, 5
"""Fields that are paired, the most important ones; groups of each; and pairs that are told."""

MIN_CELL = 30
"""Leads with both values: fewer are neither told nor looked at, for their rate would be chance."""

LEVEL = 0.05
"""Chance of naming any pair where none interacts; shared among the pairs (Bonferroni)."""

QUARTILES = (0.25, 0.5, 0.75)

Floats = npt.NDArray[np.float64]


class Interaction(BaseModel):
    """The training leads by the values of two fields at once.

    Parameters
    ----------
    fields : tuple of str
        The names of the two.
    rows, columns : tuple of str
        Groups of the first and the second: the most frequent values, or ranges between quartiles.
    cells : tuple of tuple of Cell
        By row and column; None where there are too few leads.
    expected : tuple of tuple of float
        The rate if both fields did what they do, each whatever the other: their effects on the
        log-odds added up.
    beyond : float
        How much farther the cells are from that than chance would bring them, in units of
        chi-square over its degrees of freedom; chance alone gives 1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fields: tuple[str, str]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[Cell | None, ...], ...]
    expected: tuple[tuple[float | None, ...], ...]
    beyond: float

    def strongest(self) -> tuple[int, int]:
        """Return row and column of the cell that chance would bring least likely so far off."""
        places = [(row, column) for row in range(len(self.rows)) for column in range(len(self.columns))]
        return max(places, key=self._distance)

    def _distance(self, place: tuple[int, int]) -> float:
        row, column = place
        cell, expected = self.cells[row][column], self.expected[row][column]
        if cell is None or expected is None:
            return -1.0
        spread = max(expected * (1 - expected), 1e-6)
        return abs(cell.rate - expected) * sqrt(cell.count / spread)


class _Groups(NamedTuple):
    """A field in a few groups: their names, and the group of each lead, -1 for none of them."""

    name: str
    labels: list[str]
    codes: npt.NDArray[np.intp]


class _Found(NamedTuple):
    """A pair of fields, its leads by row and column, and how far they are from what was expected."""

    one: _Groups
    other: _Groups
    leads: npt.NDArray[np.intp]
    converted: npt.NDArray[np.intp]
    expected: Floats
    statistic: float
    freedom: int


def find_interactions(
    schema: LeadSchema, X: pd.DataFrame, y: npt.NDArray[np.int64], names: Sequence[str]
) -> tuple[Interaction, ...]:
    """Find the pairs of fields that interact beyond doubt, the strongest first.

    Parameters
    ----------
    schema : LeadSchema
        The fields.
    X : DataFrame of shape (n_leads, n_fields)
        Typed leads.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    names : sequence of str
        The fields, the most important first; the first `MAX_FIELDS` are looked at.
    """
    groups = [_group(schema.by_name[name], X[name]) for name in names[:MAX_FIELDS]]
    found = [_test(one, other, y) for one, other in combinations(groups, 2)]
    found = [one for one in found if one.freedom > 0]
    limit = LEVEL / max(len(found), 1)
    sure = [one for one in found if chi2.sf(one.statistic, one.freedom) < limit]
    sure.sort(key=lambda one: one.freedom - one.statistic)
    return tuple(_describe(one) for one in sure[:MAX_FOUND])


def _group(field: Field, column: pd.Series) -> _Groups:
    return _group_text(field, column) if field.is_text else _group_number(field, column)


def _group_text(field: Field, column: pd.Series) -> _Groups:
    codes = category_codes(field, column)
    counts = np.bincount(codes[codes >= 0], minlength=len(field.choices))[: len(field.choices)]
    chosen = np.argsort(-counts, kind="stable")[:MAX_GROUPS]
    places = np.full(len(field.choices) + 2, -1, dtype=np.intp)  # the last two: others, and none
    places[chosen] = np.arange(len(chosen))
    return _Groups(field.name, [field.choices[place] for place in chosen], places[codes])


def _group_number(field: Field, column: pd.Series) -> _Groups:
    numbers = column.to_numpy(dtype=np.float64)
    known = numbers[~np.isnan(numbers)]
    inner = np.unique(publish_quantiles(known, QUARTILES))
    inner = inner[inner < known.max()]
    codes = np.where(np.isnan(numbers), -1, np.searchsorted(inner, numbers, side="left"))
    return _Groups(field.name, range_names(field, [known.min(), *inner, known.max()]), codes)


def _test(one: _Groups, other: _Groups, y: npt.NDArray[np.int64]) -> _Found:
    """Test whether effects on the log-odds add up, by least squares (Grizzle, Starmer & Koch 1969)."""
    shape = len(one.labels), len(other.labels)
    leads, converted = _count(one, other), _count(one, other, y == 1)
    rows, columns = np.divmod(np.arange(leads.size), shape[1])
    design = np.hstack([np.eye(shape[0])[rows], np.eye(shape[1])[columns]])
    # Half a lead more of each outcome keeps the log-odds of a cell without conversions finite.
    won, lost = converted.ravel() + 0.5, (leads - converted).ravel() + 0.5
    log_odds = np.log(won / lost)
    is_enough = leads.ravel() >= MIN_CELL
    weight = np.where(is_enough, np.sqrt(won * lost / (won + lost)), 0.0)
    effects, _, rank, _ = np.linalg.lstsq(design * weight[:, None], log_odds * weight, rcond=None)
    fitted = design @ effects
    statistic = float(((weight * (log_odds - fitted)) ** 2).sum())
    expected = (1 / (1 + np.exp(-fitted))).reshape(shape)
    return _Found(one, other, leads, converted, expected, statistic, int(is_enough.sum() - rank))


def _count(
    one: _Groups, other: _Groups, chosen: npt.NDArray[np.bool_] | bool = True
) -> npt.NDArray[np.intp]:
    """Return the chosen leads by the group of `one` and of `other`."""
    known = (one.codes >= 0) & (other.codes >= 0) & chosen
    shape = len(one.labels), len(other.labels)
    places = one.codes[known] * shape[1] + other.codes[known]
    return np.bincount(places, minlength=shape[0] * shape[1]).reshape(shape)


def _describe(found: _Found) -> Interaction:
    is_enough = found.leads >= MIN_CELL
    rows = np.flatnonzero(is_enough.any(axis=1)).tolist()
    columns = np.flatnonzero(is_enough.any(axis=0)).tolist()

    def cell(row: int, column: int) -> Cell | None:
        if not is_enough[row, column]:
            return None
        return Cell(count=int(found.leads[row, column]), converted=int(found.converted[row, column]))

    def expected(row: int, column: int) -> float | None:
        return round(float(found.expected[row, column]), 3) if is_enough[row, column] else None

    return Interaction(
        fields=(found.one.name, found.other.name),
        rows=tuple(found.one.labels[row] for row in rows),
        columns=tuple(found.other.labels[column] for column in columns),
        cells=tuple(tuple(cell(row, column) for column in columns) for row in rows),
        expected=tuple(tuple(expected(row, column) for column in columns) for row in rows),
        beyond=round(found.statistic / found.freedom, 2),
    )
