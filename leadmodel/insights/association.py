"""Measure the association between pairs of fields of any kind."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata, spearmanr

from leadmodel.arrays import Positions
from leadmodel.leads.field import MISSING, Field
from leadmodel.leads.schema import LeadSchema
from leadmodel.records import Record

__all__ = ["Association", "associate", "category_codes", "correlation_ratio", "cramers_v", "spearman"]


MAX_FIELDS = 20
"""Fields compared, the most important ones; a picture of more is unreadable and takes seconds."""

MAX_LEADS = 10_000
"""Sample size at which a correlation is known to ±0.02; more leads would only cost time."""

MIN_LEADS = 100
"""Least leads with both values; with fewer, chance alone gives ±0.2."""


class Association(Record):
    """Association of each pair of fields.

    Parameters
    ----------
    fields : tuple of str
        Field names, the most important first.
    strength : tuple of tuple of float
        Symmetric. Two numbers: Spearman's rank correlation, -1 to 1. Two texts: Cramér's V, bias
        corrected, 0 to 1. A number and a text: the correlation ratio of the number's ranks, bias
        corrected, 0 to 1. None where too few leads have both, or one of them does not vary.
    """

    fields: tuple[str, ...]
    strength: tuple[tuple[float | None, ...], ...]

    def pairs(self) -> list[tuple[str, str, float]]:
        """Return the pairs of fields with their strengths, the strongest first."""
        pairs = [
            (self.fields[row], self.fields[column], value)
            for row in range(len(self.fields))
            for column in range(row)
            if (value := self.strength[row][column]) is not None
        ]
        return sorted(pairs, key=lambda pair: -abs(pair[2]))


def associate(
    schema: LeadSchema, X: pd.DataFrame, names: Sequence[str], random_state: int = 0
) -> Association:
    """Measure the association of each pair of fields, on the leads with both values.

    Parameters
    ----------
    schema : LeadSchema
        The fields.
    X : DataFrame of shape (n_leads, n_fields)
        Typed leads.
    names : sequence of str
        The fields, the most important first; the first `MAX_FIELDS` are used.
    random_state : int
        Seed of the sample of at most `MAX_LEADS` leads.
    """
    names = names[:MAX_FIELDS]
    X = X.sample(min(len(X), MAX_LEADS), random_state=random_state)
    fields = [schema.by_name[name] for name in names]
    columns = [
        category_codes(field, X[field.name]) if field.is_text else X[field.name].to_numpy(dtype=np.float64)
        for field in fields
    ]
    strength: list[list[float | None]] = [[1.0] * len(names) for _ in names]
    for row in range(len(names)):
        for column in range(row):
            strength[row][column] = strength[column][row] = _strength(columns[row], columns[column])
    return Association(fields=tuple(names), strength=tuple(map(tuple, strength)))


def category_codes(field: Field, column: pd.Series) -> Positions:
    """Encode texts as indices into the choices of the field: their number for others, -1 for missing."""
    codes = {choice: code for code, choice in enumerate(field.choices)} | {MISSING: -1}
    # Looked up once per category, not once per lead.
    by_category = [codes.get(text, len(field.choices)) for text in column.cat.categories]
    return np.asarray(by_category, dtype=np.intp)[column.cat.codes.to_numpy()]


def _strength(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> float | None:
    # Positions of texts are integers, and numbers are floats; a missing text is -1.
    given = np.logical_and(
        *(column >= 0 if column.dtype.kind == "i" else ~np.isnan(column) for column in (a, b))
    )
    if given.sum() < MIN_LEADS:
        return None
    texts = [column[given] for column in (a, b) if column.dtype.kind == "i"]
    numbers = [column[given] for column in (a, b) if column.dtype.kind == "f"]
    if not numbers:
        value = cramers_v(*texts)
    elif not texts:
        value = spearman(*numbers)
    else:
        # Ranks, so that a few extreme amounts do not decide the ratio.
        value = correlation_ratio(texts[0], rankdata(numbers[0]))
    return None if np.isnan(value) else round(value, 3)


def spearman(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Return Spearman's rank correlation; NaN if one of the arrays is constant."""
    # SciPy warns of a constant array, and warnings are errors in the tests.
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(spearmanr(a, b).statistic)


def cramers_v(a: Positions, b: Positions) -> float:
    """Return Cramér's V of two arrays of codes, bias corrected (Bergsma 2013); NaN if one is constant."""
    # Not scipy.stats.contingency.association, whose V is not corrected: fields with many values would seem
    # associated by chance.
    n = len(a)
    (a, rows), (b, columns) = _compact(a), _compact(b)
    observed = np.bincount(a * columns + b, minlength=rows * columns).reshape(rows, columns)
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0)) / n
    phi = float(((observed - expected) ** 2 / expected).sum()) / n
    # Bergsma subtracts the expected value under independence, and shrinks the table accordingly.
    phi = max(0.0, phi - (rows - 1) * (columns - 1) / (n - 1))
    least = min(levels - (levels - 1) ** 2 / (n - 1) for levels in (rows, columns)) - 1
    return float(np.sqrt(phi / least)) if least > 0 else float("nan")


def correlation_ratio(codes: Positions, values: npt.ArrayLike) -> float:
    """Return the correlation ratio of `values` by group, bias corrected (Kelley 1935).

    It is the square root of the share of the variance that the groups explain; NaN if one is constant.
    """
    values = np.asarray(values, dtype=np.float64)
    (codes, groups), n = _compact(codes), len(values)
    deviations = values - values.mean()
    total = float((deviations**2).sum())
    if groups < 2 or groups == n or not total:
        return float("nan")
    # Sums of deviations by group, squared: one pass over the leads instead of one per group.
    between = float((np.bincount(codes, deviations) ** 2 / np.bincount(codes)).sum())
    explained = 1 - (1 - between / total) * (n - 1) / (n - groups)
    return float(np.sqrt(max(0.0, explained)))


def _compact(codes: Positions) -> tuple[Positions, int]:
    """Return `codes` renumbered without gaps, and the number of distinct ones."""
    distinct, codes = np.unique(codes, return_inverse=True)
    return codes, len(distinct)
