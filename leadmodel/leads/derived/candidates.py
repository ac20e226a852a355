"""Propose the fields that the raw columns of past leads allow to derive."""

from collections.abc import Collection, Iterator

import pandas as pd

from leadmodel.leads.convert import read_columns
from leadmodel.leads.derived.record import MAX_TEXT, Column, Proposal
from leadmodel.leads.derived.registry import DERIVATIONS, PROPOSERS
from leadmodel.leads.field import MIN_CATEGORY_COUNT, Field, Kind
from leadmodel.leads.infer import add_usual_values, label_of
from leadmodel.leads.recipe import Recipe
from leadmodel.leads.schema import LeadSchema

__all__ = ["find_candidates"]


def find_candidates(
    schema: LeadSchema, leads: pd.DataFrame, recipe: Recipe, suspects: Collection[str] = ()
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
    recipe : Recipe
        What is known of the columns.
    suspects : collection of str
        Other columns that are no sources.
    """
    unused = {*recipe.unused(), *suspects}
    names = [name for name in leads.columns if _may_be_source(schema, name) and name not in unused]
    candidates = {}
    for name in names:
        column = _read_column(schema, leads[name], name, recipe)
        proposals = next(filter(None, (propose(column) for propose in PROPOSERS)), [])
        fields = _complete(schema, leads, recipe, proposals)
        if fields:
            candidates[name] = fields
    return candidates


def _may_be_source(schema: LeadSchema, name: str) -> bool:
    field = schema.by_name.get(name)
    return (
        field.kind == "categorical" if field else not schema.ignored[name].startswith(("empty", "constant"))
    )


def _read_column(schema: LeadSchema, values: pd.Series, name: str, recipe: Recipe) -> Column:
    counts = values.dropna().value_counts(sort=False)
    known = {
        str(value)[:MAX_TEXT]: int(count) for value, count in counts.items() if not schema.is_missing(value)
    }
    config = recipe.fields.get(name)
    label = (config and config.label) or label_of(name)
    return Column(name, label, list(known), list(known.values()))


def _complete(
    schema: LeadSchema, leads: pd.DataFrame, recipe: Recipe, proposals: list[Proposal]
) -> tuple[Field, ...]:
    """Return the fields of proposals with their choices and ranges, without those that tell nothing."""
    taken = {*map(str, leads.columns), *schema.by_name}
    fields = []
    for suffix, label, derived, properties in proposals:
        kind: Kind = "numeric" if DERIVATIONS[derived.how].is_number else "categorical"
        name = _free_name(f"{derived.source} {suffix}", taken)
        fields.append(Field(name=name, kind=kind, label=label, derived=derived, **properties))
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
