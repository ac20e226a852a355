"""Propose the fields that the raw columns of past leads allow to derive."""

from collections.abc import Collection, Iterator

import numpy as np
import pandas as pd

from leadmodel.arrays import Ints
from leadmodel.leads.convert import read_columns
from leadmodel.leads.derived.dates import propose as propose_dates
from leadmodel.leads.derived.email import propose_match
from leadmodel.leads.derived.message import propose as propose_message
from leadmodel.leads.derived.record import MAX_TEXT, Column, Proposal
from leadmodel.leads.derived.registry import PROPOSERS
from leadmodel.leads.derived.web import are_websites
from leadmodel.leads.derived.words import words_of
from leadmodel.leads.field import MIN_CATEGORY_COUNT, Field
from leadmodel.leads.infer import add_usual_values, label_of
from leadmodel.leads.recipe import Recipe
from leadmodel.leads.schema import LeadSchema

__all__ = ["find_candidates"]


def find_candidates(
    schema: LeadSchema, leads: pd.DataFrame, y: Ints, recipe: Recipe, suspects: Collection[str] = ()
) -> dict[str, tuple[Field, ...]]:
    """Return the fields that may be derived, by raw column.

    A field is a candidate if at least five leads differ from the others in it. Columns that the recipe
    names as ids, leaks or not to be used are no sources.

    Parameters
    ----------
    schema : LeadSchema
        Inferred from the leads.
    leads : DataFrame of shape (n_leads, n_columns)
        Raw training leads.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others; it chooses the words of messages.
    recipe : Recipe
        What is known of the columns.
    suspects : collection of str
        Other columns that are no sources.
    """
    unused = {*recipe.unused(), *suspects}
    names = [name for name in leads.columns if _may_be_source(schema, name) and name not in unused]
    read = [_read_column(schema, leads[name], y, recipe) for name in names]
    columns = [column for column in read if column.texts]
    proposed = {}
    # An event's features are made before a cutoff, not at a time of the lead's own.
    has_time = recipe.time is not None and recipe.events is None
    time = _read_column(schema, leads[recipe.time], y, recipe) if has_time else None
    websites = [column for column in columns if are_websites(column)]
    for column in columns:
        tried = (propose(column) for propose in PROPOSERS)
        proposed[column.name] = next(filter(None, tried), []) or propose_dates(column, time)
        if websites and any(one.derived.how == "email domain" for one in proposed[column.name]):
            proposed[column.name].append(propose_match(column, websites[0]))
    private = {
        word
        for name, why in schema.ignored.items()
        if "personal data" in why
        for word in _words(leads[name])
    }
    for column in columns:
        if not proposed[column.name]:
            proposed[column.name] = propose_message(column, private)
    complete = {
        name: _complete(schema, leads, recipe, proposals)
        for name, proposals in proposed.items()
        if proposals
    }
    return {name: fields for name, fields in complete.items() if fields}


def _may_be_source(schema: LeadSchema, name: str) -> bool:
    field = schema.by_name.get(name)
    if field is not None:
        return field.kind == "categorical"
    return not schema.ignored.get(name, "empty").startswith(("empty", "constant"))


def _read_column(schema: LeadSchema, values: pd.Series, y: Ints, recipe: Recipe) -> Column:
    name, codes_of = str(values.name), pd.factorize(values.astype(object))
    codes, distinct = codes_of[0], codes_of[1].tolist()
    counts = np.bincount(codes[codes >= 0], minlength=len(distinct)).tolist()
    converted = np.bincount(codes[codes >= 0], weights=y[codes >= 0], minlength=len(distinct)).tolist()
    given = [place for place, value in enumerate(distinct) if not schema.is_missing(value)]
    config = recipe.fields.get(name)
    return Column(
        name=name,
        label=(config and config.label) or label_of(name),
        texts=[str(distinct[place])[:MAX_TEXT].strip() for place in given],
        counts=[counts[place] for place in given],
        converted=[int(converted[place]) for place in given],
    )


def _words(values: pd.Series) -> set[str]:
    """Return the words of names and of what stands before the @ of mail addresses."""
    return {word for text in values.dropna().unique() for word in words_of(str(text).partition("@")[0])}


def _complete(
    schema: LeadSchema, leads: pd.DataFrame, recipe: Recipe, proposals: list[Proposal]
) -> tuple[Field, ...]:
    """Return the fields of proposals with their choices and ranges, without those that tell nothing."""
    taken = {*map(str, leads.columns), *schema.by_name}
    fields = []
    for suffix, label, derived, properties in proposals:
        name = _free_name(f"{derived.source} {suffix}", taken)
        fields.append(Field(name=name, kind=derived.kind, label=label, derived=derived, **properties))
    found = LeadSchema(fields=tuple(fields), placeholders=schema.placeholders)
    missing = read_columns(found, leads).count_missing() if fields else {}
    fields = [
        field.model_copy(update={"missing_share": _share(missing[field.name], len(leads))})
        for field in fields
        if len(leads) - missing[field.name] >= MIN_CATEGORY_COUNT
    ]
    # First the values that five leads share; then again, with all others as one value.
    for _ in range(2):
        found = LeadSchema(fields=tuple(fields), placeholders=schema.placeholders)
        fields = list(add_usual_values(found, leads, recipe).fields) if fields else []
    return tuple(field for field in fields if _tells_something(field))


def _share(n_missing: int, n_leads: int) -> float:
    return round(n_missing / n_leads, 4) if n_missing >= MIN_CATEGORY_COUNT else 0.0


def _tells_something(field: Field) -> bool:
    has_gaps = field.missing_share > 0
    if field.is_text:
        return len(field.choices) + has_gaps >= 2
    return field.minimum is not None and (field.minimum != field.maximum or has_gaps)


def _free_name(name: str, taken: Collection[str]) -> str:
    return next(free for free in _numbered(name) if free not in taken)


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name} {number}"
        number += 1
