"""What a lead's probability would be if one of its fields had another value."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from leadmodel.arrays import Floats
from leadmodel.errors import InputError, quoted
from leadmodel.explain.reasons import show_value
from leadmodel.insights.profile import FieldProfile, Profile
from leadmodel.leads.field import Field, Value
from leadmodel.leads.schema import LeadSchema

__all__ = ["Change", "Curve", "Predict", "WhatIf", "find_changes", "trace_curve"]

Predict = Callable[[Sequence[list[Value]]], Floats]
"""Returns the probability of each of some typed rows, in the order of the model's columns."""

MAX_CHANGES = 3
MIN_GAIN = 0.01
"""Of probability: less is not worth anybody's work."""

MIN_LEADS = 20
"""Training leads of a choice: what the model says of fewer is mostly chance."""

AS_GOOD = 0.005
"""Of probability: values whose gains differ by less are as good; the nearest of them asks for least."""

N_POINTS = 60
MAX_CHOICES = 15
"""Of a curve: more points or bars than these show nobody more."""


class Change(BaseModel):
    """Another value of one field, and what the probability would be with it.

    Parameters
    ----------
    field, label : str
        The field.
    before, after : str
        The lead's value and the other one, as people read them.
    value : float or str
        The other one, as a lead would give it.
    probability, gain : float
        With the other value; and how much that is above the lead's own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: str
    label: str
    before: str
    after: str
    value: float | str
    probability: float
    gain: float


class WhatIf(BaseModel):
    """The single changes that would raise a lead's probability most.

    Parameters
    ----------
    probability : float
        The lead's, as it is.
    tried : tuple of str
        Labels of the fields that the recipe marks with `influence = true`.
    changes : tuple of Change
        At most three, of different fields, the largest gain first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    probability: float
    tried: tuple[str, ...]
    changes: tuple[Change, ...]


class Curve(BaseModel):
    """A lead's probability over the values of one field, all else as it is.

    Parameters
    ----------
    field, label, unit : str
        The field.
    values : tuple of float or str
        Rising numbers; or texts, of which "(missing)" stands for one that was not given.
    names : tuple of str
        The values as people read them.
    probabilities : tuple of float
        One per value.
    own : float or str, optional
        The lead's value, one of `values`; None for a number that was not given.
    own_name : str
        It, as people read it.
    own_probability : float
        The lead's, as it is.
    edges : tuple of float
        Of the bins of about equal size into which the training leads' numbers fall; empty for texts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: str
    label: str
    unit: str
    values: tuple[float | str, ...]
    names: tuple[str, ...]
    probabilities: tuple[float, ...]
    own: float | str | None
    own_name: str
    own_probability: float
    edges: tuple[float, ...]


def find_changes(schema: LeadSchema, profile: Profile, row: list[Value], predict: Predict) -> WhatIf:
    """Try other values of each field that can be influenced, one field at a time.

    Parameters
    ----------
    schema, profile : LeadSchema, Profile
        The fields, and the values that the training leads had.
    row : list of float or str
        The typed lead in the order of the model's columns.
    predict : callable
        Is called once, for all variants together.
    """
    fields = [field for field in schema.fields if field.influence]
    own = dict(zip(schema.columns, row, strict=True))
    tried = [
        (field, value)
        for field in fields
        for value in _choices(field, profile.fields[field.name])
        if value != own[field.name]
    ]
    probability, *varied = _predict_variants(schema, row, tried, predict)
    by_field: dict[str, list[tuple[float, Value]]] = {}
    for (field, value), varied_probability in zip(tried, varied, strict=True):
        by_field.setdefault(field.name, []).append((varied_probability, value))
    found = [
        _change(schema.by_name[name], own[name], probability, *_best(own[name], variants))
        for name, variants in by_field.items()
    ]
    worth = sorted((one for one in found if one.gain >= MIN_GAIN), key=lambda one: -one.gain)
    return WhatIf(
        probability=probability,
        tried=tuple(field.label for field in fields),
        changes=tuple(worth[:MAX_CHANGES]),
    )


def _predict_variants(
    schema: LeadSchema, row: list[Value], variants: Sequence[tuple[Field, Value]], predict: Predict
) -> list[float]:
    """Return the probability of the lead, and with each of the variants' values in place of its own."""
    rows = [row]
    for field, value in variants:
        place = schema.columns.index(field.name)
        rows.append([*row[:place], value, *row[place + 1 :]])
    probabilities: list[float] = predict(rows).tolist()
    return probabilities


def _choices(field: Field, known: FieldProfile) -> list[Value]:
    """Return the values worth trying: common enough, and of numbers neither rarely low nor high."""
    if field.is_text:
        return [choice for choice in field.choices if known.cells[choice].count >= MIN_LEADS]
    if field.kind == "boolean":
        return [0.0, 1.0]
    inner = known.edges[1:-1] or known.edges
    return list(dict.fromkeys(float(math.floor(edge)) if field.integer else edge for edge in inner))


def _best(own: Value, variants: Sequence[tuple[float, Value]]) -> tuple[float, Value]:
    """Return the variant of the highest probability; of several as good, the nearest to `own`."""
    highest = max(probability for probability, _ in variants)
    as_good = [variant for variant in variants if variant[0] >= highest - AS_GOOD]

    def distance(variant: tuple[float, Value]) -> tuple[float, float]:
        probability, value = variant
        far = abs(value - own) if isinstance(value, float) and isinstance(own, float) else 0.0
        return (0.0 if math.isnan(far) else far, -probability)

    return min(as_good, key=distance)


def _change(field: Field, own: Value, before: float, probability: float, value: Value) -> Change:
    return Change(
        field=field.name,
        label=field.label,
        before=show_value(field, own),
        after=show_value(field, value),
        value=value,
        probability=probability,
        gain=probability - before,
    )


def trace_curve(
    schema: LeadSchema, profile: Profile, row: list[Value], name: str, predict: Predict
) -> Curve:
    """Return the probability of a lead over the values of the field `name`.

    Parameters
    ----------
    schema, profile, row, predict
        As for `find_changes`.
    name : str
        The field.

    Raises
    ------
    InputError
        If there is no such field.
    """
    field = _named(schema, name)
    own = row[schema.columns.index(name)]
    edges = profile.fields[name].edges if field.kind == "numeric" else ()
    tried = _points(field, edges, own) if edges else _bars(field, own)
    variants = [(field, value) for value in tried]
    own_probability, *varied = _predict_variants(schema, row, variants, predict)
    pairs = list(zip(varied, tried, strict=True))
    if field.kind == "categorical":
        pairs.sort(key=lambda pair: -pair[0])
    probabilities, values = zip(*pairs, strict=True)
    return Curve(
        field=name,
        label=field.label,
        unit=field.unit,
        values=values,
        names=tuple(show_value(field, value) for value in values),
        probabilities=probabilities,
        own=None if _is_gap(own) else own,
        own_name=show_value(field, own),
        own_probability=own_probability,
        edges=tuple(dict.fromkeys(edges)),
    )


def _named(schema: LeadSchema, name: str) -> Field:
    if name in schema.by_name:
        return schema.by_name[name]
    known = ", ".join(schema.by_name)
    raise InputError(f"The curve must be of a field of the model: {known}. Got {quoted(name)}.")


def _is_gap(value: Value) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _points(field: Field, edges: Sequence[float], own: Value) -> list[Value]:
    """Return numbers over the range of the training leads, the lead's own among them."""
    even = np.linspace(edges[0], edges[-1], N_POINTS)
    points = {*(np.round(even) if field.integer else even).tolist(), *edges}
    return sorted(points if _is_gap(own) else {*points, float(own)})


def _bars(field: Field, own: Value) -> list[Value]:
    """Return the most frequent choices, the lead's own value among them."""
    choices: list[Value] = [0.0, 1.0] if not field.is_text else [*field.choices[:MAX_CHOICES]]
    return choices if own in choices or _is_gap(own) else [*choices, own]
