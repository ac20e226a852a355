"""Infer the schema of past leads: the kind of each column, and the columns that are no features."""

import re
from typing import Any

import numpy as np
import pandas as pd

from leadmodel.arrays import Floats, Ints
from leadmodel.errors import InputError
from leadmodel.leads.convert import check_unique, read_columns
from leadmodel.leads.disclosure import publish_ends, publish_typical
from leadmodel.leads.field import FALSE_WORDS, MIN_CATEGORY_COUNT, TRUE_WORDS, Field, Kind
from leadmodel.leads.recipe import FieldConfig, Recipe
from leadmodel.leads.schema import LeadSchema
from leadmodel.leads.values.column import Column
from leadmodel.leads.values.decimals import find_habit
from leadmodel.leads.values.features import why_constant, why_no_feature
from leadmodel.text import fold

__all__ = ["add_usual_values", "infer_schema", "label_of"]


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
    habit = find_habit(leads, recipe.decimal)
    fields: list[Field] = []
    for name in (str(column) for column in leads.columns if column not in ignored):
        config = recipe.fields.get(name, FieldConfig())
        column = Column.read(leads[name], blank, habit, told=config.kind == "numeric")
        if why := why_constant(column) or (config.kind is None and why_no_feature(column)):
            ignored[name] = why
        else:
            fields.append(_infer_field(name, column, config))
    if not fields:
        reasons = "; ".join(f"{name}: {why}" for name, why in ignored.items())
        raise InputError(f"No column is left to train on. {reasons}.")
    schema = LeadSchema(fields=tuple(fields), ignored=ignored, placeholders=recipe.placeholders)
    return add_usual_values(schema, leads, recipe)


def _infer_field(name: str, column: Column, config: FieldConfig) -> Field:
    """Return the field of a column without what only typed leads show."""
    pair = _boolean_pair(column)
    kind: Kind = config.kind or (
        "boolean" if pair else "numeric" if column.measured.is_number else "categorical"
    )
    is_text = kind == "categorical" or pair not in (None, ("0", "1"))
    measured = column.measured if kind == "numeric" else None
    n_leads = len(column.raw)
    n_missing = n_leads - column.n_given + (measured.n_gaps if measured else 0)
    properties: dict[str, Any] = {
        "label": label_of(name),
        # For now only those that other spellings stand for, so that these are read as them.
        "choices": (pair or ("0", "1")) if kind == "boolean" else column.spellings if is_text else (),
        "decimal_comma": kind == "numeric" and column.decimal_comma,
        "missing_share": round(n_missing / n_leads, 4) if n_missing >= MIN_CATEGORY_COUNT else 0.0,
        "reading": column.spelling_note if is_text else column.number_note if measured else "",
        "unit": (measured.unit if measured else None) or "",
        "text_unit": measured.unit if measured else None,
    }
    return Field(name=name, kind=kind, **(properties | config.given()))


def _boolean_pair(column: Column) -> tuple[str, str] | None:
    """Return the two texts for no and yes, ("0", "1") for numbers and truth values, else None."""
    if len(column.values) != 2:
        return None
    no, yes = sorted(column.texts, key=lambda text: fold(text) in TRUE_WORDS)
    if fold(no) not in FALSE_WORDS or fold(yes) not in TRUE_WORDS:
        return None
    is_flag = column.kind == "b" or {no, yes} <= {"0", "1", "0.0", "1.0"}
    return ("0", "1") if is_flag else (no, yes)


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
