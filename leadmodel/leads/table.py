"""Typed leads by column: what everything after the door works on, be it one lead or a million.

A DataFrame of one row takes longer to make than its lead takes to score, so columns are plain
arrays here, and become a DataFrame only where a library wants one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadmodel.leads.schema import MISSING, LeadSchema, Value

__all__ = ["LeadTable", "TextColumn"]


class TextColumn(NamedTuple):
    """The texts of one field: `codes` of shape (n_leads,) are positions in `categories`."""

    codes: npt.NDArray[np.integer]
    categories: list[str]

    @classmethod
    def encode(cls, codes: npt.NDArray[np.integer], values: Sequence[Value]) -> "TextColumn":
        """Return the column of `codes` into `values`.

        Two raw texts can read as one ("Yes" and "yes "), and categories must differ.
        """
        texts = [str(value) for value in values]
        if len(set(texts)) == len(texts):
            return cls(codes, texts)
        positions = {text: position for position, text in enumerate(dict.fromkeys(texts))}
        return cls(np.array([positions[text] for text in texts], dtype=codes.dtype)[codes], list(positions))

    def to_categorical(self) -> pd.Categorical:
        """Return the column as pandas has it."""
        categories = pd.Index(self.categories, dtype=object)
        return pd.Categorical.from_codes(self.codes, categories=categories, validate=False)


@dataclass(frozen=True, eq=False)
class LeadTable:
    """Typed leads by column.

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
    numbers: npt.NDArray[np.float64]

    @classmethod
    def from_frame(cls, schema: LeadSchema, X: pd.DataFrame) -> "LeadTable":
        """Return the leads of a DataFrame as `to_frame` makes it."""
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

    def take(self, positions: npt.NDArray[np.intp]) -> "LeadTable":
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

        CatBoost takes a gap that it has not learned from for a number below all others. The mean's
        log loss was level with the median's or better for every field withheld from real leads.
        """
        means = self.schema.means
        gaps = np.isnan(self.numbers[: len(means)])
        if not gaps.any():
            return self
        # The schema puts these numbers before those that may have gaps.
        filled = np.where(gaps, np.array(means)[:, None], self.numbers[: len(means)])
        return LeadTable(self.schema, self.texts, np.vstack([filled, self.numbers[len(means) :]]))
