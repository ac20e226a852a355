"""Hold typed leads by column, one lead or a million, and find their unusual values.

A DataFrame of one row takes longer to create than its lead takes to score, so columns are plain
arrays here and become a DataFrame only where a library needs one.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadmodel.arrays import Floats, Positions
from leadmodel.leads.field import MISSING, Value, ValueWarning
from leadmodel.leads.schema import LeadSchema

__all__ = [
    "LeadTable",
    "TextColumn",
    "UnusualValues",
    "count_warnings",
    "find_unusual",
    "warning_texts",
    "warnings_by_lead",
]


class TextColumn(NamedTuple):
    """Hold the texts of a field: `codes` of shape (n_leads,) are positions in `categories`."""

    codes: npt.NDArray[np.integer]
    categories: list[str]

    @classmethod
    def encode(cls, codes: npt.NDArray[np.integer], values: Sequence[Value]) -> "TextColumn":
        """Return the column of `codes` into `values`."""
        # Two raw texts can be converted to one, as "Yes" and "yes ", and categories must differ.
        texts = [str(value) for value in values]
        if len(set(texts)) == len(texts):
            return cls(codes, texts)
        positions = {text: position for position, text in enumerate(dict.fromkeys(texts))}
        return cls(np.array([positions[text] for text in texts], dtype=codes.dtype)[codes], list(positions))

    def to_categorical(self) -> pd.Categorical:
        """Return the column as a pandas categorical."""
        categories = pd.Index(self.categories, dtype=object)
        return pd.Categorical.from_codes(self.codes, categories=categories, validate=False)


@dataclass(frozen=True, eq=False)
class LeadTable:
    """Hold typed leads by column.

    Parameters
    ----------
    schema : LeadSchema
        The fields.
    texts : dict of str to TextColumn
        By field name, in the order of the model's columns.
    numbers : array of shape (n_numbers, n_leads)
        A row for each number column, NaN where the value is missing.
    """

    schema: LeadSchema
    texts: dict[str, TextColumn]
    numbers: Floats

    @classmethod
    def from_frame(cls, schema: LeadSchema, X: pd.DataFrame) -> "LeadTable":
        """Return the leads of a DataFrame with the columns of `to_frame`."""
        numbers = np.empty((len(schema.number_columns), len(X)))
        for row, name in zip(numbers, schema.number_columns, strict=True):
            row[:] = X[name].to_numpy()
        texts = {}
        for name in schema.text_columns:
            values = X[name].array
            if not isinstance(values, pd.Categorical):
                raise TypeError(f"The column {name!r} must be of dtype category.")
            texts[name] = TextColumn(values.codes, list(values.categories))
        return cls(schema, texts, numbers)

    @classmethod
    def from_rows(cls, schema: LeadSchema, rows: Iterable[Sequence[Value]]) -> "LeadTable":
        """Return the leads of typed rows, their values in the order of the model's columns."""
        columns = list(zip(*rows, strict=True)) or [()] * len(schema.columns)
        n_texts = len(schema.text_columns)
        texts = {
            name: TextColumn.encode(np.arange(len(values)), values)
            for name, values in zip(schema.text_columns, columns, strict=False)
        }
        n_leads = len(columns[0]) if columns else 0
        numbers = np.array(columns[n_texts:], dtype=np.float64).reshape(len(schema.number_columns), n_leads)
        return cls(schema, texts, numbers)

    def __len__(self) -> int:
        return int(self.numbers.shape[1])

    def rows(self) -> list[list[Value]]:
        """Return the values of each lead, in the order of the model's columns."""
        texts = ([categories[code] for code in codes.tolist()] for codes, categories in self.texts.values())
        return [list(row) for row in zip(*texts, *self.numbers.tolist(), strict=True)]

    def to_frame(self, index: pd.Index | None = None) -> pd.DataFrame:
        """Return a DataFrame in the model's column order: texts as ``category``, numbers as float64."""
        columns = {name: column.to_categorical() for name, column in self.texts.items()}
        numbers = dict(zip(self.schema.number_columns, self.numbers, strict=True))
        index = pd.RangeIndex(len(self)) if index is None else index
        return pd.DataFrame(columns | numbers, index=index, copy=False)

    def take(self, positions: Positions) -> "LeadTable":
        """Return the leads at some positions."""
        texts = {
            name: TextColumn(codes[positions], categories)
            for name, (codes, categories) in self.texts.items()
        }
        return LeadTable(self.schema, texts, self.numbers[:, positions])

    def count_missing(self) -> dict[str, int]:
        """Count the missing values of each field."""
        gaps = np.isnan(self.numbers).sum(axis=1).tolist()
        missing = dict(zip(self.schema.number_columns, gaps, strict=True))
        for name, texts in self.texts.items():
            is_missing = np.array([text == MISSING for text in texts.categories], dtype=bool)
            missing[name] = int(is_missing[texts.codes].sum())
        return missing

    def impute(self) -> "LeadTable":
        """Fill in the training leads' mean for missing numbers that no training lead lacked.

        CatBoost treats a missing value as a number below all others if it has never seen one. For
        every field withheld from real leads, the mean had a log loss at most that of the median.
        """
        means = self.schema.means
        gaps = np.isnan(self.numbers[: len(means)])
        if not gaps.any():
            return self
        # The schema puts these numbers before those that may have gaps.
        filled = np.where(gaps, np.array(means)[:, None], self.numbers[: len(means)])
        return LeadTable(self.schema, self.texts, np.vstack([filled, self.numbers[len(means) :]]))


class UnusualValues(NamedTuple):
    """Hold the leads with unusual values of one field, and the position of each lead's warning.

    There is one warning per distinct value, however many leads have it.
    """

    leads: Positions
    codes: Positions
    warnings: list[ValueWarning | None]


def find_unusual(table: LeadTable) -> list[UnusualValues]:
    """Find unusual values field by field, in the order of the model's columns."""
    by_name, found = table.schema.by_name, []
    for name, (codes, categories) in table.texts.items():
        if by_name[name].usual_texts.issuperset(categories):
            continue
        warnings = [by_name[name].warning(text) for text in categories]
        is_unusual = np.array([warning is not None for warning in warnings])
        leads = np.flatnonzero(is_unusual[codes])
        found.append(UnusualValues(leads, codes[leads].astype(np.intp), warnings))
    low, high = np.array(table.schema.ranges, dtype=np.float64).reshape(-1, 2).T[..., None]
    usual = (table.numbers >= low) & (table.numbers <= high)  # false for missing values
    for position in () if usual.all() else np.flatnonzero(~usual.all(axis=1)):
        field, numbers = by_name[table.schema.number_columns[position]], table.numbers[position]
        unusual = ~usual[position]
        if field.warning(np.nan) is None:
            unusual &= ~np.isnan(numbers)
        leads = np.flatnonzero(unusual)
        if not len(leads):  # for a single lead, factorizing nothing would take half of the time
            continue
        codes, values = pd.factorize(numbers[leads], use_na_sentinel=False)
        found.append(UnusualValues(leads, codes, [field.warning(float(value)) for value in values]))
    return [values for values in found if len(values.leads)]


def warnings_by_lead(table: LeadTable) -> dict[int, list[ValueWarning]]:
    """Return the warnings of each lead that has any, by its position."""
    found: defaultdict[int, list[ValueWarning]] = defaultdict(list)
    for leads, codes, warnings in find_unusual(table):
        for lead, code in zip(leads.tolist(), codes.tolist(), strict=True):
            if warning := warnings[code]:
                found[lead].append(warning)
    return dict(found)


def count_warnings(table: LeadTable) -> Counter[tuple[str, str]]:
    """Count the warnings by field and kind."""
    counts: Counter[tuple[str, str]] = Counter()
    for _, codes, warnings in find_unusual(table):
        numbers = np.bincount(codes, minlength=len(warnings)).tolist()
        for warning, number in zip(warnings, numbers, strict=True):
            if warning:
                counts[warning.field, warning.kind] += number
    return counts


def warning_texts(table: LeadTable) -> pa.Array:
    """Return the warnings of each lead as one text, null where there are none.

    Each message is created once and repeated by Arrow, whatever the number of leads.
    """
    found = find_unusual(table)
    is_unusual = np.zeros(len(table), dtype=bool)
    for leads, _, _ in found:
        is_unusual[leads] = True
    if not is_unusual.any():
        return pa.nulls(len(table), pa.string())
    # Texts are joined for the leads with any warning alone, and then spread over all leads.
    positions = np.cumsum(is_unusual) - 1
    columns = []
    for leads, codes, warnings in found:
        messages = [warning and warning.message for warning in warnings]
        places = np.full(positions[-1] + 1, len(messages))
        places[positions[leads]] = codes
        columns.append(pa.array([*messages, None], pa.string()).take(pa.array(places)))
    texts = pc.binary_join_element_wise(*columns, " ", null_handling="skip")
    return texts.take(pa.array(positions, mask=~is_unusual))
