"""Reduce a raw column to its distinct values, and find out what they are.

A million leads have few distinct values in most columns, and Arrow counts and compares texts in
a fraction of the time that Python takes.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy.special import pdtr

from leadmodel.arrays import Bools, Floats, Ints
from leadmodel.errors import InputError, LeadError, quoted
from leadmodel.leads.convert import is_nested, looks_like_times
from leadmodel.leads.disclosure import MAX_READ, personal_data
from leadmodel.leads.field import GROUPED_BY_COMMA, MIN_CATEGORY_COUNT, plain_number
from leadmodel.leads.schema import LeadSchema
from leadmodel.text import fold

__all__ = ["Column"]

_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[\s_.-]+")
_IDENTIFIER_NAME = re.compile(
    r"(^| )(id|uuid|guid|pk)$|^id "
    r"|(lead|customer|client|contact|person|user|member|student|account|company|deal|order|record|row)id$"
)
_NUMBER_NAME = re.compile(r"(^| )(nr|no|number|key|index|row|serial|#)$|^$|^unnamed")
_PLAIN_NUMBER = r"^[+-]?(\d[\d.,]*|\.\d+)([eE][+-]?\d+)?$"
_LEADING_ZERO = r"^[+-]?0\d"

MIN_LEADS = 50
"""Leads below which a few different numbers, such as ranks, look like serial numbers by chance."""

NO_CHANCE = 0.001
"""Probability below which whole numbers repeat too seldom to be measured ones."""


@dataclass(frozen=True, eq=False)
class Column:
    """Hold the distinct values of a raw column, texts without surrounding blanks.

    Of texts that differ only by case, spaces, width or the composition of accents, the one seen most
    stands for all.

    Attributes
    ----------
    raw : Series of shape (n_leads,)
        All values.
    schema : LeadSchema
        Says which values are missing.
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
    schema: LeadSchema
    values: Any
    counts: Ints
    kind: str
    respelled: dict[str, tuple[str, int]] = field(default_factory=dict)

    @classmethod
    def read(cls, raw: pd.Series, schema: LeadSchema) -> "Column":
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
        if column.dtype == "str":
            return cls._read_texts(raw, _as_arrow(found.index), counts, schema)
        if column.dtype == object:
            is_given = np.array([not schema.is_missing(value) for value in found.index], dtype=bool)
            return cls(raw, schema, found.index.to_numpy()[is_given], counts[is_given], "O")
        return cls(raw, schema, found.index.to_numpy(), counts, column.dtype.kind)

    @classmethod
    def _read_texts(cls, raw: pd.Series, written: pa.Array, counts: Ints, schema: LeadSchema) -> "Column":
        texts = pc.utf8_trim_whitespace(written)
        is_given = ~_isin(texts, ["", *schema.placeholders])
        texts, counts = texts.filter(pa.array(is_given)), counts[is_given]
        values = texts.to_numpy(zero_copy_only=False)
        # Numbers have one spelling, and texts that nearly all differ are no categories.
        if 2 * len(values) <= counts.sum() and _cast(texts) is None:
            keys = np.array([fold(text) for text in values], dtype=object)
        elif texts.equals(written):
            return cls(raw, schema, values, counts, "U")
        else:
            keys = values
        codes, distinct = pd.factorize(keys)
        # The spelling of most leads comes first, and of two with as many the one that occurs first.
        order = np.lexsort((-counts, codes))
        chosen = order[np.searchsorted(codes[order], np.arange(len(distinct)))]
        others = np.setdiff1d(np.arange(len(codes)), chosen)
        respelled = {
            values[other]: (values[chosen[codes[other]]], int(counts[other]))
            for other in others.tolist()
            if values[other] != values[chosen[codes[other]]]
        }
        return cls(
            raw, schema, values[chosen], np.bincount(codes, weights=counts).astype(np.int64), "U", respelled
        )

    @cached_property
    def n_given(self) -> int:
        """Number of leads that have a value."""
        return int(self.counts.sum())

    @cached_property
    def texts(self) -> list[str]:
        """Distinct values as texts."""
        return list(map(str, self.values.tolist()))

    @cached_property
    def numbers(self) -> Floats:
        """Distinct values as the field will read them, NaN for those that are no numbers."""
        if self.kind in "iuf":
            return self.values.astype(np.float64)
        if self.kind in "bM":
            return np.full(len(self.values), np.nan)
        plain = _cast(self._array)
        if plain is not None:
            return plain
        # If none of thousands of texts is a number, the others need not be tried.
        tried = self.texts[:: len(self.texts) // MAX_READ + 1]
        if all(math.isnan(_to_number(text, self.decimal_comma)) for text in tried):
            return np.full(len(self.values), np.nan)
        return np.array([_to_number(text, self.decimal_comma) for text in self.texts])

    @cached_property
    def _array(self) -> pa.Array:
        return pa.array(self.texts, pa.string())

    @cached_property
    def decimal_comma(self) -> bool:
        """Whether commas mark decimals: some comma cannot separate thousands."""
        if self.kind in "biufM":
            return False
        with_comma = self._array.filter(pc.match_substring(self._array, ","))
        return not all(map(GROUPED_BY_COMMA.fullmatch, with_comma.to_pylist()))

    @cached_property
    def is_numeric(self) -> bool:
        """Whether every value is a number; codes with leading zeros are none."""
        if self.kind in "biufM":
            return self.kind in "iuf"
        return bool(
            not np.isnan(self.numbers).any()
            and _matches(self._array, _PLAIN_NUMBER).all()
            and not _matches(self._array, _LEADING_ZERO).any()
        )

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
            f"Texts that differ only by case, spaces, width or accents' composition are taken as one"
            f"{example}: {n_leads:,} leads have another spelling than most."
        )

    def why_constant(self) -> str | None:
        """Return why the column tells nothing: nearly all leads have one value, or none."""
        n_leads, most = len(self.raw), int(self.counts.max(initial=0))
        n_missing = n_leads - self.n_given
        if n_leads - max(most, n_missing) >= MIN_CATEGORY_COUNT:
            return None
        if not self.n_given:
            return "empty"
        if most == n_leads:
            return "constant"
        few = f"fewer than {MIN_CATEGORY_COUNT} leads"
        return f"constant except for {few}" if most > n_missing else f"filled in for {few}"

    def why_no_feature(self) -> str | None:
        """Return why the column cannot be a feature, or None if it can."""
        # Dates are recognized by some values as well as by all; those of a million would take seconds.
        if looks_like_times(pd.Series(self.values[:: len(self.values) // MAX_READ + 1])):
            return "date"
        if self.kind not in "bM":
            # The texts of a million numbers would cost more than they tell: phone numbers are whole.
            is_fraction = self.kind == "f" and bool((self.numbers % 1 != 0).any())
            texts = [] if is_fraction else list(map(str, self.values[:MAX_READ].tolist()))
            content = personal_data(self._name, texts, self.n_given) if texts else None
            if content:
                return f"personal data: {content}"
        self._check_stray_texts()
        return self._why_id()

    @property
    def _name(self) -> str:
        return str(self.raw.name)

    def _check_stray_texts(self) -> None:
        """Raise LeadError for a text among numbers: as categories, numbers would teach nothing."""
        if self.kind in "biufM":
            return
        is_number = ~np.isnan(self.numbers)
        share = float(np.average(is_number, weights=self.counts))
        if 0.95 <= share < 1 and len(np.unique(self.numbers[is_number])) > 20:
            strays = {text for text, known in zip(self.texts, is_number.tolist(), strict=True) if not known}
            row, stray = next((row, text) for row, text in self.raw.items() if str(text).strip() in strays)
            must = (
                "be a number, as nearly all others are (or name its placeholder, or its kind, in a recipe)"
            )
            raise LeadError.of_value(self._name, stray, must, int(str(row)) + 1)

    def _why_id(self) -> str | None:
        share = len(self.counts) / self.n_given
        if self.is_numeric:
            if share <= 0.5 or (self.numbers % 1 != 0).any():
                return None
            words = " ".join(_WORD_STARTS.split(self._name)).strip().lower()
            # A person with several leads has one id in all of them.
            if _IDENTIFIER_NAME.search(words):
                return "id"
            if share <= 0.99:
                return None
            return "id" if _NUMBER_NAME.search(words) or self._never_repeats or self._is_steady else None
        if share < 0.5 or len(self.counts) < 100:
            return None
        is_prose = np.average(_matches(self._array, r"\s"), weights=self.counts) > 0.5
        return "text, different for nearly every lead" if is_prose else "id"

    @property
    def _is_steady(self) -> bool:
        """Whether the numbers rise or fall throughout the file, of which these leads may be a part."""
        # Rows are named by their position in the file, and training leads are shuffled.
        steps = np.diff(Column.read(self.raw.sort_index(), self.schema).numbers)
        return bool((steps >= 0).all() or (steps <= 0).all())

    @property
    def _never_repeats(self) -> bool:
        """Whether the numbers repeat less than measured ones would: serial numbers in any order.

        Whole numbers drawn evenly from a range repeat about as often as a Poisson variable says (the
        birthday problem), and those of any other distribution repeat more often.
        """
        if self.n_given < MIN_LEADS:
            return False
        n_possible = self.numbers.max() - self.numbers.min() + 1
        n_pairs = self.n_given * (self.n_given - 1) / 2
        return bool(pdtr(self.n_given - len(self.counts), n_pairs / n_possible) < NO_CHANCE)


def _as_arrow(texts: pd.Index) -> pa.Array:
    array = pa.array(texts, pa.string(), from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _cast(texts: pa.Array) -> Floats | None:
    """Return `texts` as numbers, or None if one is no plain number; Arrow parses many times faster."""
    try:
        return np.asarray(texts.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
    except pa.ArrowException:
        return None


def _matches(texts: pa.Array, pattern: str) -> Bools:
    return np.asarray(pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False), dtype=bool)


def _isin(texts: pa.Array, values: Sequence[str]) -> Bools:
    found = pc.is_in(texts, pa.array(values, pa.string()))
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)


def _to_number(text: str, decimal_comma: bool) -> float:
    try:
        return float(plain_number(text, decimal_comma))
    except ValueError:
        return math.nan
