"""Find pairs of fields that interact: their effects on conversion do not add up."""

from collections.abc import Sequence
from itertools import combinations
from math import sqrt
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import chi2

from leadmodel.arrays import Floats, Ints, Positions
from leadmodel.insights.association import category_codes
from leadmodel.insights.conversion import range_names
from leadmodel.insights.profile import Cell
from leadmodel.leads.disclosure import publish_quantiles
from leadmodel.leads.field import Field
from leadmodel.leads.schema import LeadSchema
from leadmodel.records import Record

__all__ = ["Interaction", "find_interactions"]

MAX_FIELDS, MAX_GROUPS, MAX_FOUND = 12, 4, 5
"""Most fields that are paired, groups of each field, and pairs that are reported."""

MIN_CELL = 30
"""Least leads in a cell that is tested and reported; the rate of fewer is mostly chance."""

LEVEL = 0.05
"""Probability of reporting any pair if none interacts; divided among the pairs (Bonferroni)."""

QUARTILES = (0.25, 0.5, 0.75)


class Interaction(Record):
    """Training leads by the values of two fields at once.

    Parameters
    ----------
    fields : tuple of str
        Names of the two fields.
    rows, columns : tuple of str
        Groups of the first and the second field: the most frequent values, or ranges between quartiles.
    cells : tuple of tuple of Cell
        Leads by row and column; None where there are too few.
    expected : tuple of tuple of float
        Conversion rate if the effects of both fields on the log-odds added up.
    beyond : float
        Chi-square statistic of the difference over its degrees of freedom; chance alone gives 1.
    """

    fields: tuple[str, str]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[Cell | None, ...], ...]
    expected: tuple[tuple[float | None, ...], ...]
    beyond: float

    def strongest(self) -> tuple[int, int]:
        """Return row and column of the cell that differs most significantly."""
        indices = [(row, column) for row in range(len(self.rows)) for column in range(len(self.columns))]
        return max(indices, key=self._z)

    def _z(self, index: tuple[int, int]) -> float:
        """Return by how many standard errors the rate of a cell differs from the expected rate."""
        row, column = index
        cell, expected = self.cells[row][column], self.expected[row][column]
        if cell is None or expected is None:
            return -1.0
        variance = max(expected * (1 - expected), 1e-6)
        return abs(cell.rate - expected) * sqrt(cell.count / variance)


class _Groups(NamedTuple):
    """A field in a few groups: their labels, and the index of the group of each lead, or -1."""

    name: str
    labels: list[str]
    codes: Positions


class _TestedPair(NamedTuple):
    """A pair of fields with its leads by row and column, and the test of their additivity."""

    row_field: _Groups
    column_field: _Groups
    leads: Positions
    converted: Positions
    expected: Floats
    statistic: float
    freedom: int


def find_interactions(
    schema: LeadSchema, X: pd.DataFrame, y: Ints, names: Sequence[str]
) -> tuple[Interaction, ...]:
    """Find the pairs of fields that interact significantly, the strongest first.

    Parameters
    ----------
    schema : LeadSchema
        The fields.
    X : DataFrame of shape (n_leads, n_fields)
        Typed leads.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    names : sequence of str
        The fields, the most important first; the first `MAX_FIELDS` are tested.
    """
    fields = [schema.by_name[name] for name in names[:MAX_FIELDS]]
    groups = [(_group_text if field.is_text else _group_number)(field, X[field.name]) for field in fields]
    pairs = [_test(row_field, column_field, y) for row_field, column_field in combinations(groups, 2)]
    pairs = [pair for pair in pairs if pair.freedom > 0]
    limit = LEVEL / max(len(pairs), 1)
    significant = [pair for pair in pairs if chi2.sf(pair.statistic, pair.freedom) < limit]
    # By the excess over what chance alone gives, because pairs with more cells have larger statistics.
    significant.sort(key=lambda pair: pair.freedom - pair.statistic)
    return tuple(_describe(pair) for pair in significant[:MAX_FOUND])


def _group_text(field: Field, column: pd.Series) -> _Groups:
    codes = category_codes(field, column)
    counts = np.bincount(codes[codes >= 0], minlength=len(field.choices))[: len(field.choices)]
    chosen = np.argsort(-counts, kind="stable")[:MAX_GROUPS]
    group_of = np.full(len(field.choices) + 2, -1, dtype=np.intp)  # the last two: other, and missing
    group_of[chosen] = np.arange(len(chosen))
    return _Groups(field.name, [field.choices[code] for code in chosen], group_of[codes])


def _group_number(field: Field, column: pd.Series) -> _Groups:
    numbers = column.to_numpy(dtype=np.float64)
    given = numbers[~np.isnan(numbers)]
    inner = np.unique(publish_quantiles(given, QUARTILES))
    inner = inner[inner < given.max()]  # or the last group would be empty
    codes = np.where(np.isnan(numbers), -1, np.searchsorted(inner, numbers, side="left"))
    return _Groups(field.name, range_names(field, [given.min(), *inner, given.max()]), codes)


def _test(row_field: _Groups, column_field: _Groups, y: Ints) -> _TestedPair:
    """Test whether effects on the log-odds add up, by least squares (Grizzle, Starmer & Koch 1969)."""
    shape = len(row_field.labels), len(column_field.labels)
    grouped = (row_field.codes >= 0) & (column_field.codes >= 0)
    cells = row_field.codes * shape[1] + column_field.codes
    leads, converted = (
        np.bincount(cells[chosen], minlength=shape[0] * shape[1]).reshape(shape)
        for chosen in (grouped, grouped & (y == 1))
    )
    rows, columns = np.divmod(np.arange(leads.size), shape[1])
    # One effect for each row and column. The two sets are collinear, which least squares by the smallest
    # solution does not mind; its rank counts the effects that are free.
    design = np.hstack([np.eye(shape[0])[rows], np.eye(shape[1])[columns]])
    # Half a lead of each outcome is added (Haldane), so that log-odds stay finite without conversions.
    won, lost = converted.ravel() + 0.5, (leads - converted).ravel() + 0.5
    log_odds = np.log(won / lost)
    is_enough = leads.ravel() >= MIN_CELL
    # The variance of log-odds is 1 / won + 1 / lost.
    weight = np.where(is_enough, np.sqrt(won * lost / (won + lost)), 0.0)
    effects, _, rank, _ = np.linalg.lstsq(design * weight[:, None], log_odds * weight, rcond=None)
    fitted = design @ effects
    statistic = float(((weight * (log_odds - fitted)) ** 2).sum())
    expected = (1 / (1 + np.exp(-fitted))).reshape(shape)
    freedom = int(is_enough.sum() - rank)
    return _TestedPair(row_field, column_field, leads, converted, expected, statistic, freedom)


def _describe(pair: _TestedPair) -> Interaction:
    is_enough = pair.leads >= MIN_CELL
    rows = np.flatnonzero(is_enough.any(axis=1)).tolist()
    columns = np.flatnonzero(is_enough.any(axis=0)).tolist()

    def cell(row: int, column: int) -> Cell | None:
        if not is_enough[row, column]:
            return None
        return Cell(count=int(pair.leads[row, column]), converted=int(pair.converted[row, column]))

    def expected(row: int, column: int) -> float | None:
        return round(float(pair.expected[row, column]), 3) if is_enough[row, column] else None

    return Interaction(
        fields=(pair.row_field.name, pair.column_field.name),
        rows=tuple(pair.row_field.labels[row] for row in rows),
        columns=tuple(pair.column_field.labels[column] for column in columns),
        cells=tuple(tuple(cell(row, column) for column in columns) for row in rows),
        expected=tuple(tuple(expected(row, column) for column in columns) for row in rows),
        beyond=round(pair.statistic / pair.freedom, 2),
    )
