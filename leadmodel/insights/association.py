"""How strongly the fields of a lead go along with each other, whatever their kinds."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BaseModel, ConfigDict
from scipy.stats import rankdata

from leadmodel.leads.schema import MISSING, Field, LeadSchema

__all__ = ["Association", "associate", "category_codes", "correlation_ratio", "cramers_v", "spearman"]

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]

MAX_FIELDS = 20
"""More make a picture that nobody reads; their pairs would cost seconds."""

MAX_LEADS = 10_000
"""A correlation of so many leads is known to ±0.02; more would cost seconds and change nothing."""

MIN_LEADS = 100
"""Leads with both fields given, below which the strength is mostly chance (±0.2)."""


class Association(BaseModel):
    """The association of each pair of some fields.

    Parameters
    ----------
    fields : tuple of str
        Names, the most important first.
    strength : tuple of tuple of float
        Symmetric. Two numbers: Spearman's rank correlation, -1 to 1. Two texts: Cramér's V, bias
        corrected, 0 to 1. A number and a text: the correlation ratio of the number's ranks, bias
        corrected, 0 to 1. None where too few leads have both, or one of them does not vary.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fields: tuple[str, ...]
    strength: tuple[tuple[float | None, ...], ...]

    def pairs(self) -> list[tuple[str, str, float]]:
        """Return the pairs of fields with their strengths, the strongest first."""
        known = [
            (self.fields[one], self.fields[other], value)
            for one in range(len(self.fields))
            for other in range(one)
            if (value := self.strength[one][other]) is not None
        ]
        return sorted(known, key=lambda pair: -abs(pair[2]))


def associate(
    schema: LeadSchema, X: pd.DataFrame, names: Sequence[str], random_state: int = 0
) -> Association:
    """Measure the association of each pair of fields, on the leads that have both.

    Parameters
    ----------
    schema : LeadSchema
        The fields.
    X : DataFrame of shape (n_leads, n_fields)
        Typed leads.
    names : sequence of str
        The fields, the most important first; the first `MAX_FIELDS` are looked at.
    random_state : int
        Seed of the draw from very many leads.
    """
    names = names[:MAX_FIELDS]
    X = X.sample(min(len(X), MAX_LEADS), random_state=random_state)
    columns = [_read(schema.by_name[name], X[name]) for name in names]
    strength: list[list[float | None]] = [[1.0] * len(names) for _ in names]
    for one in range(len(names)):
        for other in range(one):
            strength[one][other] = strength[other][one] = _strength(columns[one], columns[other])
    return Association(fields=tuple(names), strength=tuple(map(tuple, strength)))


def category_codes(field: Field, column: pd.Series) -> Codes:
    """Return the place of each text among the field's choices, their number for others, -1 for none."""
    places = {choice: place for place, choice in enumerate(field.choices)} | {MISSING: -1}
    of_category = [places.get(text, len(field.choices)) for text in column.cat.categories]
    return np.asarray(of_category, dtype=np.intp)[column.cat.codes.to_numpy()]


def _read(field: Field, column: pd.Series) -> Codes | Floats:
    return category_codes(field, column) if field.is_text else column.to_numpy(dtype=np.float64)


def _is_text(column: npt.NDArray[Any]) -> bool:
    return column.dtype.kind == "i"


def _strength(one: Codes | Floats, other: Codes | Floats) -> float | None:
    known = np.ones(len(one), dtype=np.bool_)
    for column in (one, other):
        known &= column >= 0 if _is_text(column) else ~np.isnan(column)
    if known.sum() < MIN_LEADS:
        return None
    one, other = one[known], other[known]
    if _is_text(one) and _is_text(other):
        value = cramers_v(one.astype(np.intp), other.astype(np.intp))
    elif not _is_text(one) and not _is_text(other):
        value = spearman(one, other)
    else:
        texts, numbers = (one, other) if _is_text(one) else (other, one)
        value = correlation_ratio(texts.astype(np.intp), rankdata(numbers))
    return None if np.isnan(value) else round(value, 3)


def spearman(one: npt.ArrayLike, other: npt.ArrayLike) -> float:
    """Return Spearman's rank correlation; NaN if one of them does not vary."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.corrcoef(rankdata(one), rankdata(other))[0, 1])


def cramers_v(one: Codes, other: Codes) -> float:
    """Return Cramér's V of two arrays of codes, bias corrected (Bergsma 2013); NaN if one is constant.

    Without the correction, fields of many values would seem to go together by chance.
    """
    n = len(one)
    (one, rows), (other, columns) = _compact(one), _compact(other)
    seen = np.bincount(one * columns + other, minlength=rows * columns).reshape(rows, columns)
    expected = np.outer(seen.sum(axis=1), seen.sum(axis=0)) / n
    phi = float(((seen - expected) ** 2 / expected).sum()) / n
    phi = max(0.0, phi - (rows - 1) * (columns - 1) / (n - 1))
    least = min(levels - (levels - 1) ** 2 / (n - 1) for levels in (rows, columns)) - 1
    return float(np.sqrt(phi / least)) if least > 0 else float("nan")


def correlation_ratio(codes: Codes, values: npt.ArrayLike) -> float:
    """Return the correlation ratio of `values` by group, bias corrected (Kelley 1935).

    The root of the share of their variance that the groups explain; NaN if one is constant.
    """
    values = np.asarray(values, dtype=np.float64)
    (codes, groups), n = _compact(codes), len(values)
    deviations = values - values.mean()
    total = float((deviations**2).sum())
    if groups < 2 or groups == n or not total:
        return float("nan")
    between = float((np.bincount(codes, deviations) ** 2 / np.bincount(codes)).sum())
    explained = 1 - (1 - between / total) * (n - 1) / (n - groups)
    return float(np.sqrt(max(0.0, explained)))


def _compact(codes: Codes) -> tuple[Codes, int]:
    """Return `codes` without gaps between them, and how many differ."""
    seen, codes = np.unique(codes, return_inverse=True)
    return codes, len(seen)
