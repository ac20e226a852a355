"""What sets each segment apart from all leads, in numbers and in plain words.

Only values that are common are named, with shares and winsorized means: never a lead's own value.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from leadmodel.arrays import Bools, Floats, Positions
from leadmodel.clusters.results import Trait
from leadmodel.leads.field import MIN_CATEGORY_COUNT, MISSING, Field
from leadmodel.leads.schema import LeadSchema
from leadmodel.text import format_number

__all__ = ["describe", "find_traits", "name_segments"]

MAX_TRAITS = 5
MIN_DIFFERENCE = 0.1
"""Below this a difference sets nobody apart, however sure it is."""

MAX_VALUE = 40
"""Letters of a value in a name."""


def find_traits(
    schema: LeadSchema, X: pd.DataFrame, places: Positions, n_segments: int
) -> list[tuple[Trait, ...]]:
    """Return what sets each segment apart, one trait per field, the strongest first.

    Parameters
    ----------
    schema : LeadSchema
        The fields.
    X : DataFrame of shape (n_leads, n_fields)
        Typed leads, numbers held within their usual range (`leadmodel.clusters.pipeline.winsorized`).
    places : array of shape (n_leads,)
        Of each lead's segment.
    n_segments : int
        Segments.
    """
    found: list[list[Trait]] = [[] for _ in range(n_segments)]
    for field in schema.fields:
        for place, traits in enumerate(found):
            inside = places == place
            if trait := _trait(field, X[field.name], inside):
                traits.append(trait)
    return [_strongest(traits) for traits in found]


def _strongest(traits: list[Trait]) -> tuple[Trait, ...]:
    ranked = sorted(traits, key=lambda trait: -trait.difference)
    clear = [trait for trait in ranked if trait.difference >= MIN_DIFFERENCE]
    return tuple((clear or ranked[:1])[:MAX_TRAITS])


def _trait(field: Field, column: pd.Series, inside: Bools) -> Trait | None:
    """Return what is most unlike all leads in one field; None where nothing is more frequent here."""
    if field.is_text:
        texts = column.astype(object).to_numpy()
        shares = {value: texts == value for value in (*field.choices, MISSING)}
    elif field.kind == "boolean":
        shares = {name: column.to_numpy() == value for name, value in (("Yes", 1.0), ("No", 0.0))}
        shares[MISSING] = column.isna().to_numpy()
    else:
        shares = {MISSING: column.isna().to_numpy()}
    traits = [_share(field, value, here, inside) for value, here in shares.items()]
    if field.kind == "numeric":
        traits.append(_level(field, column.to_numpy(), inside))
    return max(filter(None, traits), key=lambda trait: trait.difference, default=None)


def _share(field: Field, value: str, has: Bools, inside: Bools) -> Trait | None:
    here, everywhere = float(has[inside].mean()), float(has.mean())
    if here <= everywhere or has[inside].sum() < MIN_CATEGORY_COUNT:
        return None
    named = "not given" if value == MISSING else value
    return _rounded(field, named, here, everywhere, here - everywhere)


def _level(field: Field, numbers: Floats, inside: Bools) -> Trait | None:
    known = ~np.isnan(numbers)
    here, everywhere = np.sort(numbers[known & inside]), np.sort(numbers[known])
    if len(here) < MIN_CATEGORY_COUNT:
        return None
    shares = [np.searchsorted(some, everywhere, side="right") / len(some) for some in (here, everywhere)]
    distance = float(np.abs(shares[0] - shares[1]).max())
    means = float(here.mean()), float(everywhere.mean())
    return _rounded(field, "high" if means[0] > means[1] else "low", *means, distance)


def _rounded(field: Field, value: str, here: float, everywhere: float, difference: float) -> Trait:
    numbers = [float(f"{number:.4g}") for number in (here, everywhere, difference)]
    return Trait(
        field=field.name, value=value, here=numbers[0], everywhere=numbers[1], difference=numbers[2]
    )


def name_segments(schema: LeadSchema, traits: Sequence[Sequence[Trait]]) -> list[str]:
    """Return a name for each segment: its strongest traits, as many as tell it from the others."""
    for n_traits in range(2, MAX_TRAITS + 1):
        names = [_name(schema, some[:n_traits]) for some in traits]
        if len(set(names)) == len(names):
            return names
    return [f"{name} ({number})" for number, name in enumerate(names, 1)]


def _name(schema: LeadSchema, traits: Sequence[Trait]) -> str:
    """Return such as "Source: Referral, high time on site"."""
    told = ", ".join(_told_short(schema.by_name[trait.field], trait) for trait in traits) or "Leads"
    return told[:1].upper() + told[1:190]


def _told_short(field: Field, trait: Trait) -> str:
    label = _clipped(field.label)
    if trait.is_level and field.kind == "numeric":
        # An abbreviation keeps its capitals.
        return f"{trait.value} {label if label[1:2].isupper() else label[:1].lower() + label[1:]}"
    return f"{label} {trait.value}" if trait.value == "not given" else f"{label}: {_clipped(trait.value)}"


def _clipped(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1].rstrip() + "…"


def _number(mean: float) -> str:
    """Return a mean as it can be remembered, in three digits."""
    return format_number(float(f"{mean:.3g}"))


def describe(schema: LeadSchema, trait: Trait) -> str:
    """Return a trait as a sentence."""
    field = schema.by_name[trait.field]
    if trait.is_level and field.kind == "numeric":
        unit = f" {field.unit}".rstrip()
        here, everywhere = _number(trait.here), _number(trait.everywhere)
        return (
            f"{field.label} is {trait.value}: {here}{unit} on average, {everywhere}{unit} over all leads."
        )
    said = "was not given" if trait.value == "not given" else f"is {trait.value}"
    return f"{field.label} {said} for {trait.here:.0%} of them, {trait.everywhere:.0%} of all leads."
