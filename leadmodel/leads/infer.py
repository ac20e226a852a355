"""From a table of past leads to their schema: what each column is, and which are no features."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from leadmodel.errors import InputError, LeadError
from leadmodel.leads.convert import duplicate_names, is_nested, looks_like_times, read_leads
from leadmodel.leads.disclosure import publish_ends, publish_typical
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

__all__ = ["infer_schema", "personal_data"]

_ID_NAME = re.compile(r"(^|[\s_\-.])(id|uuid|guid|nr|no|number|key|index|row)$|^$|^unnamed", re.IGNORECASE)
_PLAIN_NUMBER = re.compile(r"[+-]?(\d[\d.,]*|\.\d+)([eE][+-]?\d+)?$")
_LEADING_ZERO = re.compile(r"[+-]?0\d")

_MAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@.]+")
_PHONE = re.compile(r"(\+|00?)?[\d\s()/.-]{6,20}")
_WRITTEN = re.compile(r"^\s*\+|\d[\s()/-]+\d")
_GROUPED = re.compile(r"\d{1,3}(\s\d{3})+")
_PHONE_NAME = re.compile(r"phone|mobile|whatsapp|(^|[\s_-])(tel|cell|fax)([\s_.-]|$)", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d_]['’.\w-]*([\s,]+[^\W\d_]['’.\w-]*){0,4}")
_NAME_NAME = re.compile(
    r"^((full|first|last|middle|sur|given|family|contact|person|customer|client|lead|student)[\s_-]*)?name$",
    re.IGNORECASE,
)

MAX_READ = 5000
"""Leads that are enough to tell what a column holds."""

MIN_DISTINCT = 50
"""Different values, or half of all, below which a column groups leads rather than names them."""

NEARLY_ALL = 0.8
"""Share of the values that must look alike; what people type never does altogether."""


def infer_schema(leads: pd.DataFrame, recipe: Recipe) -> LeadSchema:
    """Infer the schema of raw `leads`, where `recipe` does not say otherwise.

    Parameters
    ----------
    leads : DataFrame of shape (n_leads, n_columns)
        As `leadmodel.leads.io.read_table` returns it.
    recipe : Recipe
        Columns that are no features, placeholders, and hints by field.

    Raises
    ------
    InputError
        If no column is left to learn from, two have one name, or one holds lists.
    """
    if twice := duplicate_names(leads.columns):
        raise InputError(f"The column names must differ. {twice[0]!r} stands there more than once.")
    blank = LeadSchema(fields=(), placeholders=recipe.placeholders)
    ignored = {name: why for name, why in recipe.unused().items() if name in leads.columns}
    fields: list[Field] = []
    for name in (str(column) for column in leads.columns if column not in ignored):
        answered = _answered(leads[name], blank)
        hints = recipe.fields.get(name, FieldConfig())
        if why := _why_no_feature(name, answered, len(leads), hints):
            ignored[name] = why
        else:
            fields.append(_infer_field(name, answered, hints, _missing_share(answered, leads)))
    if not fields:
        reasons = "; ".join(f"{name}: {why}" for name, why in ignored.items())
        raise InputError(f"No column is left to learn from. {reasons}.")
    schema = LeadSchema(fields=tuple(fields), ignored=ignored, placeholders=recipe.placeholders)
    return _with_ranges(schema, leads, recipe)


def _answered(column: pd.Series, schema: LeadSchema) -> pd.Series:
    """Return the values of `column` that were given, texts without surrounding blanks."""
    if column.dtype.kind in "biufM":
        return column.dropna()
    if any(map(is_nested, column)):
        raise InputError(
            f"The column {column.name!r} must hold single values. It holds lists; drop it, or spread it."
        )
    missing = [value for value in column.drop_duplicates() if schema.is_missing(value)]
    kept = column[~column.isin(missing) & column.notna()]
    return kept.str.strip() if kept.dtype == "str" else kept


def _why_no_feature(name: str, answered: pd.Series, n_leads: int, hints: FieldConfig) -> str | None:
    """Return why a column cannot be a feature, or None if it can."""
    counts = answered.value_counts()
    if why := _why_constant(counts, n_leads):
        return why
    if hints.kind is not None:
        return None
    if looks_like_times(answered):
        return "date"
    if what := personal_data(name, answered):
        return f"personal data: {what}"
    _check_stray_texts(name, answered)
    return _why_id(name, answered, len(counts))


def _why_constant(counts: pd.Series, n_leads: int) -> str | None:
    """Return why a column says nothing: all leads but a handful have one value, or none."""
    most, answered = int(counts.max()) if len(counts) else 0, int(counts.sum())
    if n_leads - max(most, n_leads - answered) >= MIN_CATEGORY_COUNT:
        return None
    if not answered:
        return "empty"
    if most == n_leads:
        return "constant"
    few = f"fewer than {MIN_CATEGORY_COUNT} leads"
    return f"constant but for {few}" if most > n_leads - answered else f"filled in for {few}"


def _why_id(name: str, answered: pd.Series, n_distinct: int) -> str | None:
    share = n_distinct / len(answered)
    if _is_numeric(answered):
        numbers = _numbers(answered)
        whole = bool((numbers % 1 == 0).all())
        steady = numbers.is_monotonic_increasing or numbers.is_monotonic_decreasing
        named = _ID_NAME.search(name) is not None
        return "id" if whole and share > 0.99 and (named or steady) else None
    if share < 0.5 or n_distinct < 100:
        return None
    wordy = answered.astype(str).str.contains(r"\s", regex=True).mean() > 0.5
    return "text, nearly each lead its own" if wordy else "id"


def _missing_share(answered: pd.Series, leads: pd.DataFrame) -> float:
    n_missing = len(leads) - len(answered)
    return n_missing / len(leads) if n_missing >= MIN_CATEGORY_COUNT else 0.0


def _is_numeric(answered: pd.Series) -> bool:
    if answered.dtype.kind in "iuf":
        return True
    if answered.dtype.kind in "bM":
        return False
    texts = answered.drop_duplicates().astype(str)
    plain = texts.str.match(_PLAIN_NUMBER).all() and not texts.str.match(_LEADING_ZERO).any()
    return bool(plain) and bool(_plain(texts).notna().all())


def _check_stray_texts(name: str, answered: pd.Series) -> None:
    """Raise LeadError for the one text among numbers: as categories, numbers would teach nothing."""
    if answered.dtype.kind in "biufM":
        return
    numbers = _plain(answered.astype(str))
    if 0.95 <= numbers.notna().mean() < 1 and numbers.nunique() > 20:
        row = int(answered.index[int(numbers.isna().to_numpy().argmax())])
        must = "be a number, as nearly all others are (or name its placeholder, or its kind, in a recipe)"
        raise LeadError.of_value(name, answered[row], must, row + 1)


def _plain(texts: pd.Series) -> pd.Series:
    """Return texts as numbers, read as the field will read them; NaN where they are none."""
    try:  # Arrow parses plain numbers many times faster.
        numbers = pa.array(texts, pa.string()).cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowException:
        return _plain_each(texts)
    return pd.Series(numbers, index=texts.index)


def _plain_each(texts: pd.Series) -> pd.Series:
    decimal_comma = _decimal_comma(texts)

    def number(text: str) -> float:
        try:
            return float(plain_number(text, decimal_comma))
        except ValueError:
            return float("nan")

    return texts.map({text: number(text) for text in texts.unique()}).astype(float)


def _decimal_comma(texts: pd.Series) -> bool:
    """Whether commas mark decimals: some comma cannot separate thousands."""
    with_comma = texts[texts.str.contains(",", regex=False)]
    return len(with_comma) > 0 and not bool(with_comma.str.fullmatch(GROUPED_BY_COMMA).all())


def _numbers(answered: pd.Series) -> pd.Series:
    if answered.dtype.kind in "iuf":
        return answered
    return _plain(answered.astype(str))


def _infer_field(name: str, answered: pd.Series, hints: FieldConfig, missing_share: float) -> Field:
    pair = _boolean_pair(answered)
    numeric = pair is None and _is_numeric(answered)
    kind: Kind = hints.kind or ("boolean" if pair else "numeric" if numeric else "categorical")
    text = answered.dtype.kind not in "biuf"
    facts: dict[str, Any] = {
        "label": _readable(name),
        "choices": pair or ("0", "1") if kind == "boolean" else (),
        "decimal_comma": kind == "numeric" and text and _decimal_comma(answered.astype(str)),
        "missing_share": round(missing_share, 4),
    }
    return Field(name=name, kind=kind, **(facts | hints.given()))


def _boolean_pair(answered: pd.Series) -> tuple[str, str] | None:
    """Return the two texts for no and yes, ("0", "1") for numbers and truth values, else None."""
    distinct = list(answered.drop_duplicates().head(3))
    if len(distinct) != 2:
        return None
    texts = sorted((str(value) for value in distinct), key=lambda text: text.lower() in TRUE_WORDS)
    no, yes = texts
    if no.lower() not in FALSE_WORDS or yes.lower() not in TRUE_WORDS:
        return None
    written_as_number = {no, yes} <= {"0", "1", "0.0", "1.0"} or answered.dtype.kind == "b"
    return ("0", "1") if written_as_number else (no, yes)


def _readable(name: str) -> str:
    """Return a column's name as a label.

    >>> _readable("page_views_per_visit")
    'Page views per visit'
    """
    text = re.sub(r"[\s_]+", " ", name).strip() or "(no name)"
    return text if " " in name.strip() else text[0].upper() + text[1:]


def _with_ranges(schema: LeadSchema, leads: pd.DataFrame, recipe: Recipe) -> LeadSchema:
    """Complete the fields with what only typed leads show: choices, ranges, typical values."""
    typed = read_leads(schema, leads)
    fields = []
    for field in schema.fields:
        hints = recipe.fields.get(field.name, FieldConfig()).given()
        column = typed[field.name]
        seen = _seen_choices(field, column) if field.is_text else _seen_numbers(field, column)
        fields.append(Field(**(field.model_dump() | seen | hints)))
    return LeadSchema(fields=tuple(fields), ignored=schema.ignored, placeholders=schema.placeholders)


def _seen_choices(field: Field, column: pd.Series) -> dict[str, Any]:
    counts = column.value_counts().drop(field.missing_value, errors="ignore")
    common = [str(value) for value, count in counts.items() if count >= MIN_CATEGORY_COUNT]
    choices = field.choices if field.kind == "boolean" else tuple(common)
    return {"choices": choices, "typical": common[0] if common else None}


def _seen_numbers(field: Field, column: pd.Series) -> dict[str, Any]:
    numbers = column.dropna().to_numpy()
    whole = bool(np.all(numbers % 1 == 0))
    if field.kind == "boolean":
        (low, high), typical = (0.0, 1.0), float(np.mean(numbers) >= 0.5)
    else:
        (low, high), typical = publish_ends(numbers), publish_typical(numbers)
    return {
        "minimum": low,
        "maximum": high,
        "integer": whole,
        "typical": int(typical) if whole and typical % 1 == 0 else typical,
        "assumed": float(np.mean(numbers)) if len(numbers) == len(column) else None,
    }


def personal_data(name: str, answered: pd.Series) -> str | None:
    """Return what personal data a column holds, or None.

    Names are told by the name of their column as well, for cities and firms look like them;
    telephone numbers too, unless they are written as only such numbers are.

    Parameters
    ----------
    name : str
        Of the column.
    answered : Series
        Its values without gaps.

    >>> personal_data("contact", pd.Series([f"lead{number}@example.org" for number in range(60)]))
    'mail addresses'
    """
    if answered.dtype.kind in "bM":
        return None
    some = answered.head(MAX_READ)
    texts = some.drop_duplicates().astype(str).str.removesuffix(".0")
    if len(texts) < min(MIN_DISTINCT, len(some) / 2):
        return None
    if _share(texts, _MAIL) >= NEARLY_ALL:
        return "mail addresses"
    if _look_like_phones(texts, named=_PHONE_NAME.search(name) is not None):
        return "telephone numbers"
    if _NAME_NAME.search(name.strip()) and _share(texts, _NAME) >= NEARLY_ALL:
        return "names"
    return None


def _look_like_phones(texts: pd.Series, named: bool) -> bool:
    digits = texts.str.count(r"\d")
    plain = texts.str.fullmatch(_PHONE) & digits.between(8, 15) & ~texts.str.fullmatch(_GROUPED)
    written = texts.str.contains(_WRITTEN) & (digits >= 9)
    return bool((plain & (written | named)).mean() >= NEARLY_ALL)


def _share(texts: pd.Series, pattern: re.Pattern[str]) -> float:
    return float(texts.str.fullmatch(pattern).mean())
