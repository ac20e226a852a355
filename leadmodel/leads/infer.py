"""Infer the schema of past leads: the kind of each column, and the columns that are no features."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.special import pdtr

from leadmodel.arrays import Floats, Ints
from leadmodel.errors import InputError, LeadError
from leadmodel.leads.convert import check_unique, is_nested, looks_like_times, read_columns
from leadmodel.leads.disclosure import personal_data, publish_ends, publish_typical
from leadmodel.leads.field import (
    FALSE_WORDS,
    GROUPED_BY_COMMA,
    MIN_CATEGORY_COUNT,
    TRUE_WORDS,
    Field,
    Kind,
    plain_number,
)
from leadmodel.leads.recipe import FieldConfig, Recipe
from leadmodel.leads.schema import LeadSchema

__all__ = ["add_usual_values", "infer_schema", "label_of"]

_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[\s_.-]+")
_IDENTIFIER_NAME = re.compile(
    r"(^| )(id|uuid|guid|pk)$|^id "
    r"|(lead|customer|client|contact|person|user|member|student|account|company|deal|order|record|row)id$"
)
_NUMBER_NAME = re.compile(r"(^| )(nr|no|number|key|index|row|serial|#)$|^$|^unnamed")
NO_CHANCE = 0.001
"""Probability below which whole numbers repeat too seldom to be measured ones."""

_PLAIN_NUMBER = re.compile(r"[+-]?(\d[\d.,]*|\.\d+)([eE][+-]?\d+)?$")
_LEADING_ZERO = re.compile(r"[+-]?0\d")


def infer_schema(leads: pd.DataFrame, recipe: Recipe) -> LeadSchema:
    """Infer the schema of raw `leads`, where `recipe` does not say otherwise.

    Parameters
    ----------
    leads : DataFrame of shape (n_leads, n_columns)
        As `leadmodel.leads.io.read_table` returns it.
    recipe : Recipe
        Columns that are no features, placeholders, and the configuration of fields.

    Raises
    ------
    InputError
        If no column is left to train on, two have one name, or one holds lists.
    """
    check_unique(leads.columns)
    blank = LeadSchema(fields=(), placeholders=recipe.placeholders)
    ignored = {name: why for name, why in recipe.unused().items() if name in leads.columns}
    fields: list[Field] = []
    for name in (str(column) for column in leads.columns if column not in ignored):
        column = _Column(name, _given(leads[name], blank), len(leads))
        config = recipe.fields.get(name, FieldConfig())
        if why := column.why_constant() or (config.kind is None and column.why_no_feature()):
            ignored[name] = why
        else:
            fields.append(column.infer_field(config))
    if not fields:
        reasons = "; ".join(f"{name}: {why}" for name, why in ignored.items())
        raise InputError(f"No column is left to train on. {reasons}.")
    schema = LeadSchema(fields=tuple(fields), ignored=ignored, placeholders=recipe.placeholders)
    return add_usual_values(schema, leads, recipe)


def _given(column: pd.Series, schema: LeadSchema) -> pd.Series:
    """Return the values of `column` that are not missing, texts without surrounding blanks."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        # Counting the values of a categorical column would count its unused categories as well.
        column = column.astype(object)
    if column.dtype.kind in "biufM":
        return column.dropna()
    if column.dtype == "str":
        column = column.str.strip()
    elif any(map(is_nested, column)):
        raise InputError(
            f"The column {column.name!r} must have single values. It has lists; drop or expand it."
        )
    missing = [value for value in column.unique() if schema.is_missing(value)]
    return column[~column.isin(missing) & column.notna()] if missing else column


@dataclass(frozen=True, eq=False)
class _Column:
    """A raw column. Nearly every check looks at its distinct values, which are found once.

    Parameters
    ----------
    name : str
        Its name.
    values : Series of shape (n_given,)
        The values that are not missing.
    n_leads : int
        Number of leads, with and without a value.
    """

    name: str
    values: pd.Series
    n_leads: int

    @cached_property
    def counts(self) -> pd.Series:
        """Number of leads by distinct value."""
        return self.values.value_counts(sort=False)

    @cached_property
    def texts(self) -> list[str]:
        """Distinct values as texts."""
        return list(map(str, self.counts.index.tolist()))

    @cached_property
    def numbers(self) -> Floats:
        """Distinct values as the field will read them, NaN for those that are no numbers."""
        if self.values.dtype.kind in "iuf":
            return self.counts.index.to_numpy(dtype=np.float64)
        try:  # Arrow parses plain numbers many times faster, and refuses all others.
            return pa.array(self.texts, pa.string()).cast(pa.float64()).to_numpy(zero_copy_only=False)
        except pa.ArrowException:
            return np.array([_to_number(text, self.decimal_comma) for text in self.texts])

    @cached_property
    def decimal_comma(self) -> bool:
        """Whether commas mark decimals: some comma cannot separate thousands."""
        if self.values.dtype.kind in "biuf":
            return False
        with_comma = [text for text in self.texts if "," in text]
        return not all(map(GROUPED_BY_COMMA.fullmatch, with_comma))

    @cached_property
    def is_numeric(self) -> bool:
        """Whether every value is a number; codes with leading zeros are none."""
        if self.values.dtype.kind in "biufM":
            return self.values.dtype.kind in "iuf"
        return (
            not np.isnan(self.numbers).any()
            and all(map(_PLAIN_NUMBER.match, self.texts))
            and not any(map(_LEADING_ZERO.match, self.texts))
        )

    def why_constant(self) -> str | None:
        """Return why the column tells nothing: nearly all leads have one value, or none."""
        n_given, most = len(self.values), int(self.counts.max()) if len(self.values) else 0
        n_missing = self.n_leads - n_given
        if self.n_leads - max(most, n_missing) >= MIN_CATEGORY_COUNT:
            return None
        if not n_given:
            return "empty"
        if most == self.n_leads:
            return "constant"
        few = f"fewer than {MIN_CATEGORY_COUNT} leads"
        return f"constant except for {few}" if most > n_missing else f"filled in for {few}"

    def why_no_feature(self) -> str | None:
        """Return why the column cannot be a feature, or None if it can."""
        if looks_like_times(pd.Series(self.counts.index)):
            return "date"
        if self.values.dtype.kind not in "bM":
            # The texts of a million numbers would cost more than they tell: phone numbers are whole.
            is_fraction = self.values.dtype.kind == "f" and bool((self.numbers % 1 != 0).any())
            content = None if is_fraction else personal_data(self.name, self.texts, len(self.values))
            if content:
                return f"personal data: {content}"
        self._check_stray_texts()
        return self._why_id()

    def _check_stray_texts(self) -> None:
        """Raise LeadError for a text among numbers: as categories, numbers would teach nothing."""
        if self.values.dtype.kind in "biufM":
            return
        is_number = ~np.isnan(self.numbers)
        share = float(np.average(is_number, weights=self.counts))
        if 0.95 <= share < 1 and len(np.unique(self.numbers[is_number])) > 20:
            stray = self.values[self.values.isin(self.counts.index[~is_number])]
            must = (
                "be a number, as nearly all others are (or name its placeholder, or its kind, in a recipe)"
            )
            raise LeadError.of_value(self.name, stray.iloc[0], must, int(stray.index[0]) + 1)

    def _why_id(self) -> str | None:
        share = len(self.counts) / len(self.values)
        if self.is_numeric:
            if share <= 0.5 or (self.numbers % 1 != 0).any():
                return None
            words = " ".join(_WORD_STARTS.split(self.name)).strip().lower()
            # A person with several leads has one id in all of them.
            if _IDENTIFIER_NAME.search(words):
                return "id"
            if share <= 0.99:
                return None
            return "id" if _NUMBER_NAME.search(words) or self._never_repeats or self._is_steady else None
        if share < 0.5 or len(self.counts) < 100:
            return None
        has_blank = [re.search(r"\s", text) is not None for text in self.texts]
        is_prose = np.average(has_blank, weights=self.counts) > 0.5
        return "text, different for nearly every lead" if is_prose else "id"

    @property
    def _is_steady(self) -> bool:
        """Whether the numbers rise or fall throughout the file, of which these leads may be a part."""
        firsts = self.values.drop_duplicates().index  # in the order of the distinct values
        steps = np.diff(self.numbers[np.argsort(firsts)] if firsts.dtype.kind in "iu" else self.numbers)
        return bool((steps >= 0).all() or (steps <= 0).all())

    @property
    def _never_repeats(self) -> bool:
        """Whether the numbers repeat less than measured ones would: serial numbers in any order.

        Whole numbers drawn evenly from a range repeat about as often as a Poisson variable says (the
        birthday problem), and those of any other distribution repeat more often.
        """
        n_given, n_repeated = len(self.values), len(self.values) - len(self.counts)
        n_possible = self.numbers.max() - self.numbers.min() + 1
        return bool(pdtr(n_repeated, n_given * (n_given - 1) / 2 / n_possible) < NO_CHANCE)

    def infer_field(self, config: FieldConfig) -> Field:
        """Return the field without what only typed leads show."""
        pair = self._boolean_pair()
        kind: Kind = config.kind or ("boolean" if pair else "numeric" if self.is_numeric else "categorical")
        n_missing = self.n_leads - len(self.values)
        properties: dict[str, Any] = {
            "label": label_of(self.name),
            "choices": pair or ("0", "1") if kind == "boolean" else (),
            "decimal_comma": kind == "numeric" and self.decimal_comma,
            "missing_share": round(n_missing / self.n_leads, 4) if n_missing >= MIN_CATEGORY_COUNT else 0.0,
        }
        return Field(name=self.name, kind=kind, **(properties | config.given()))

    def _boolean_pair(self) -> tuple[str, str] | None:
        """Return the two texts for no and yes, ("0", "1") for numbers and truth values, else None."""
        if len(self.counts) != 2:
            return None
        no, yes = sorted(self.texts, key=lambda text: text.lower() in TRUE_WORDS)
        if no.lower() not in FALSE_WORDS or yes.lower() not in TRUE_WORDS:
            return None
        is_flag = self.values.dtype.kind == "b" or {no, yes} <= {"0", "1", "0.0", "1.0"}
        return ("0", "1") if is_flag else (no, yes)


def _to_number(text: str, decimal_comma: bool) -> float:
    try:
        return float(plain_number(text, decimal_comma))
    except ValueError:
        return float("nan")


def label_of(name: str) -> str:
    """Return the label of a column for people."""
    label = re.sub(r"[\s_]+", " ", name).strip() or "(no name)"
    # Names with blanks were written for people already.
    return label if " " in name.strip() else label[0].upper() + label[1:]


def add_usual_values(schema: LeadSchema, leads: pd.DataFrame, recipe: Recipe) -> LeadSchema:
    """Complete the fields with what only typed leads show: choices, ranges, typical values."""
    table = read_columns(schema, leads)
    numbers = dict(zip(schema.number_columns, table.numbers, strict=True))
    fields = []
    for field in schema.fields:
        if field.is_text:
            codes, categories = table.texts[field.name]
            counts = np.bincount(codes, minlength=len(categories))
            seen = _usual_texts(field, counts, categories)
        else:
            seen = _usual_numbers(field, numbers[field.name])
        config = recipe.fields.get(field.name, FieldConfig()).given()
        # Not model_copy, which would keep what the field has cached of its choices.
        fields.append(Field(**(field.model_dump() | seen | config)))
    return LeadSchema(fields=tuple(fields), ignored=schema.ignored, placeholders=schema.placeholders)


def _usual_texts(field: Field, counts: Ints, categories: list[str]) -> dict[str, Any]:
    common = [
        categories[code]
        for code in np.argsort(-counts, kind="stable")
        if counts[code] >= MIN_CATEGORY_COUNT and categories[code] != field.missing_value
    ]
    choices = field.choices if field.kind == "boolean" else tuple(common)
    return {"choices": choices, "typical": next(iter(common), None)}


def _usual_numbers(field: Field, column: Floats) -> dict[str, Any]:
    numbers = column[~np.isnan(column)]
    is_whole = bool(np.all(numbers % 1 == 0))
    if field.kind == "boolean":
        (low, high), typical = (0.0, 1.0), float(np.mean(numbers) >= 0.5)
    else:
        (low, high), typical = publish_ends(numbers), publish_typical(numbers)
    return {
        "minimum": low,
        "maximum": high,
        "integer": is_whole,
        "typical": int(typical) if is_whole and typical % 1 == 0 else typical,
        "assumed": float(np.mean(numbers)) if len(numbers) == len(column) else None,
    }
