"""Reduce a raw column to its distinct values: their counts, spellings, and numbers.

A million leads have few distinct values in most columns, and Arrow counts and compares texts in a
fraction of the time that Python takes.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadmodel.arrays import Bools, Floats, Ints
from leadmodel.errors import InputError, quoted
from leadmodel.leads.convert import is_nested
from leadmodel.leads.field import MIN_CATEGORY_COUNT
from leadmodel.leads.schema import LeadSchema
from leadmodel.leads.values.decimals import Mark, NumberHabit
from leadmodel.leads.values.measure import Measured, measure
from leadmodel.text import fold

__all__ = ["Column", "matches"]

_NO_PLAIN_NUMBER = r"[^\d.eE+-]|^[+-]?0\d"

MAX_MARKED = 5000
"""Texts that are looked at for the mark of decimals."""

N_TRIED = 300
"""Most frequent texts of a column that are tried first as numbers."""

Respelled = dict[str, tuple[str, int]]


@dataclass(frozen=True, eq=False)
class Column:
    """Hold the distinct values of a raw column, texts without surrounding blanks.

    Of texts that differ only by case, spaces, width or the composition of accents, the one seen most
    stands for all.

    Attributes
    ----------
    raw : Series of shape (n_leads,)
        All values.
    habit : NumberHabit
        How the file writes numbers.
    told : bool
        Whether a recipe says that the values are numbers.
    values : array of shape (n_distinct,)
        The distinct ones that are not missing, in the order in which they first occur.
    counts : array of shape (n_distinct,)
        Number of leads by distinct value.
    kind : str
        "b", "iuf" or "M" for truth values, numbers and times, "U" for texts, "O" for others.
    respelled : dict of str to tuple of str and int
        By spelling that is replaced, the one that stands for it, and the number of leads with the former.
    """

    raw: pd.Series
    habit: NumberHabit
    told: bool
    values: Any
    counts: Ints
    kind: str
    respelled: Respelled

    @classmethod
    def read(
        cls, raw: pd.Series, schema: LeadSchema, habit: NumberHabit, *, told: bool = False
    ) -> "Column":
        """Count the values of a column that are not missing by `schema`.

        Raises
        ------
        InputError
            If it holds lists.
        """
        # Counting a categorical column would count its unused categories as well.
        column = raw.astype(object) if isinstance(raw.dtype, pd.CategoricalDtype) else raw
        if column.dtype == object and any(map(is_nested, column)):
            raise InputError(
                f"The column {raw.name!r} must have single values. It has lists; drop or expand it."
            )
        if column.dtype == object and pd.api.types.infer_dtype(column, skipna=True) == "string":
            column = column.astype("str")
        found = column.value_counts(sort=False)
        counts: Ints = found.to_numpy(dtype=np.int64).astype(np.int64)
        values, kind, respelled = found.index.to_numpy(), column.dtype.kind, Respelled()
        if column.dtype == "str":
            kind = "U"
            values, counts, respelled = _merge_spellings(_as_arrow(found.index), counts, schema)
        elif kind == "O":
            is_given = np.array([not schema.is_missing(value) for value in values], dtype=bool)
            values, counts = values[is_given], counts[is_given]
        return cls(raw, habit, told, values, counts, kind, respelled)

    @property
    def name(self) -> str:
        """Name of the column."""
        return str(self.raw.name)

    @cached_property
    def n_given(self) -> int:
        """Number of leads that have a value."""
        return int(self.counts.sum())

    @cached_property
    def texts(self) -> list[str]:
        """Distinct values as texts."""
        return list(map(str, self.values.tolist()))

    @cached_property
    def array(self) -> pa.Array:
        """Distinct values as texts, in Arrow."""
        return pa.array(self.texts, pa.string())

    @property
    def spellings(self) -> tuple[str, ...]:
        """Texts that stand for other spellings."""
        return tuple(dict.fromkeys(chosen for chosen, _ in self.respelled.values()))

    @property
    def spelling_note(self) -> str:
        """Sentences on texts that count as another one; names those that are no single lead's."""
        if not self.respelled:
            return ""
        other, (chosen, count) = max(self.respelled.items(), key=lambda item: item[1][1])
        n_leads = sum(count for _, count in self.respelled.values())
        example = f" ({quoted(other)} is {quoted(chosen)})" if count >= MIN_CATEGORY_COUNT else ""
        return (
            "Texts that differ only by case, spaces, width or accents' composition are taken as one"
            f"{example}: {n_leads:,} leads have another spelling than most."
        )

    @cached_property
    def measured(self) -> Measured:
        """The values as numbers, if they are some."""
        nothing, none = np.full(len(self.values), np.nan), np.zeros(len(self.values), dtype=bool)
        if self.kind in "iuf":
            return Measured(self.values.astype(np.float64), none)
        if self.kind in "bM":
            return Measured(nothing, ~none, is_number=False, share=0.0)
        plain = None
        if not self.decimal_comma and not matches(self.array, _NO_PLAIN_NUMBER).any():
            plain = _cast(self.array)
        if plain is not None:
            return Measured(plain, none)
        # A column of texts need not be read to its end: its most frequent ones tell.
        often = np.argsort(-self.counts, kind="stable")[:N_TRIED]
        tried = measure([self.texts[place] for place in often], self.counts[often], self.decimal_comma)
        if tried.share < 0.5:
            return Measured(nothing, ~none, is_number=False, share=0.0)
        return measure(self.texts, self.counts, self.decimal_comma, told=self.told)

    @property
    def numbers(self) -> Floats:
        """The distinct numbers as the field will read them, without gaps."""
        return self.measured.numbers[~np.isnan(self.measured.numbers)]

    @cached_property
    def _mark(self) -> tuple[Mark, bool]:
        """The mark of decimals, and whether it is known."""
        if self.kind in "biufM":
            return ".", True
        is_marked = matches(self.array, "[.,]")
        texts = [self.array.filter(pa.array(which)) for which in (is_marked, ~is_marked)]
        steps = [np.arange(0, len(some), len(some) // MAX_MARKED + 1) for some in texts]
        taken = [some.take(pa.array(step)).to_pylist() for some, step in zip(texts, steps, strict=True)]
        return self.habit.find_mark([text for some in taken for text in some])

    @property
    def decimal_comma(self) -> bool:
        """Whether commas mark decimals."""
        return self._mark[0] == ","

    @property
    def number_note(self) -> str:
        """Sentences on how texts are read as numbers, empty if they are plain ones."""
        notes = list(self.measured.notes)
        if not self._mark[1]:
            notes.append(
                "Whether 1.036 and 1,036 are about 1 or about 1000 is not known from the file: the point "
                'is taken for the mark of decimals. If it is the comma, put decimal = "," into a recipe.'
            )
        elif self.decimal_comma and not matches(self.array, ",").any():
            notes.append("Points separate thousands, as the file writes numbers: 1.036 is read as 1036.")
        return " ".join(notes)


def matches(texts: pa.Array, pattern: str) -> Bools:
    """Return which of `texts` hold a match of `pattern`."""
    return np.asarray(pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False), dtype=bool)


def _merge_spellings(
    written: pa.Array, counts: Ints, schema: LeadSchema
) -> tuple[Any, Ints, dict[str, tuple[str, int]]]:
    """Return the distinct texts that are not missing, their counts, and the spellings that are replaced."""
    texts = pc.utf8_trim_whitespace(written)
    blanks = pa.array(["", *schema.placeholders], pa.string())
    is_given = ~pc.is_in(texts, blanks).to_numpy(zero_copy_only=False)
    texts, counts = texts.filter(pa.array(is_given)), counts[is_given]
    values = texts.to_numpy(zero_copy_only=False)
    if not texts.equals(written):
        codes, values = pd.factorize(values)
        counts = np.bincount(codes, weights=counts).astype(np.int64)
    # Numbers have one spelling, and texts that nearly all differ are no categories.
    if 2 * len(values) > counts.sum() or _cast(texts) is not None:
        return values, counts, {}
    codes, distinct = pd.factorize(np.array([fold(text) for text in values], dtype=object))
    # The spelling of most leads comes first, and of two with as many the one that occurs first.
    order = np.lexsort((-counts, codes))
    chosen = order[np.searchsorted(codes[order], np.arange(len(distinct)))]
    others = np.setdiff1d(np.arange(len(codes)), chosen)
    respelled = {
        values[other]: (values[chosen[codes[other]]], int(counts[other])) for other in others.tolist()
    }
    return values[chosen], np.bincount(codes, weights=counts).astype(np.int64), respelled


def _as_arrow(texts: pd.Index) -> pa.Array:
    array = pa.array(texts, pa.string(), from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _cast(texts: pa.Array) -> Floats | None:
    """Return `texts` as numbers, or None if one is no plain number; Arrow parses many times faster."""
    try:
        return np.asarray(texts.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
    except pa.ArrowException:
        return None
