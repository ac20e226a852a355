"""Predict the probability of a lead with another value of one of its fields."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from leadmodel.arrays import Floats
from leadmodel.errors import InputError, quoted
from leadmodel.explain.reasons import show_value
from leadmodel.insights.profile import FieldProfile, Profile
from leadmodel.leads.field import Field, Value
from leadmodel.leads.schema import LeadSchema
from leadmodel.records import Record

__all__ = ["Change", "Curve", "Predict", "WhatIf", "find_changes", "trace_curve"]

Predict = Callable[[Sequence[list[Value]]], Floats]
"""Function that returns the probabilities of typed rows, whose values are in the order of the columns."""

MAX_CHANGES = 3
MIN_GAIN = 0.01
"""Least gain of probability; less is not worth the work."""

MIN_LEADS = 20
"""Least training leads of a choice; for fewer, the prediction is mostly chance."""

AS_GOOD = 0.005
"""Difference of probability below which two values count as equally good; the nearer one is less work."""

N_POINTS = 60
MAX_CHOICES = 15
"""Most points and bars of a curve; more would not be visible."""


class Change(Record):
    """Another value of one field, and the probability with it.

    Parameters
    ----------
    field, label : str
        The field.
    before, after : str
        The value of the lead and the other one, formatted for people.
    value : float or str
        The other value, typed.
    probability, gain : float
        Probability with the other value, and its difference from that of the lead.
    """

    field: str
    label: str
    before: str
    after: str
    value: float | str
    probability: float
    gain: float


class WhatIf(Record):
    """Changes of single fields that would raise the probability of a lead most.

    Parameters
    ----------
    probability : float
        Probability of the lead as it is.
    tried : tuple of str
        Labels of the fields that the recipe marks with `influence = true`.
    changes : tuple of Change
        At most three, of different fields, the largest gain first.
    """

    probability: float
    tried: tuple[str, ...]
    changes: tuple[Change, ...]


class Curve(Record):
    """Probability of a lead over the values of one field, all others unchanged.

    Parameters
    ----------
    field, label, unit : str
        The field.
    values : tuple of float or str
        Ascending numbers; or texts, of which "(missing)" stands for a missing value.
    names : tuple of str
        The values, formatted for people.
    probabilities : tuple of float
        Probability with each value.
    own : float or str, optional
        Value of the lead, one of `values`; None for a missing number.
    own_name : str
        Value of the lead, formatted for people.
    own_probability : float
        Probability of the lead as it is.
    edges : tuple of float
        Edges of bins with about equally many training leads; empty for texts.
    """

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
        The fields, and the values of the training leads.
    row : list of float or str
        Typed values of the lead, in the order of the columns.
    predict : callable
        Called once, with all variants.
    """
    fields = [field for field in schema.fields if field.influence and field.derived is None]
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
    changes = []
    for name, variants in by_field.items():
        field, (best_probability, value) = schema.by_name[name], _best(own[name], variants)
        if best_probability - probability >= MIN_GAIN:
            changes.append(
                Change(
                    field=name,
                    label=field.label,
                    before=show_value(field, own[name]),
                    after=show_value(field, value),
                    value=value,
                    probability=best_probability,
                    gain=best_probability - probability,
                )
            )
    changes.sort(key=lambda change: -change.gain)
    return WhatIf(
        probability=probability,
        tried=tuple(field.label for field in fields),
        changes=tuple(changes[:MAX_CHANGES]),
    )


def _predict_variants(
    schema: LeadSchema, row: list[Value], variants: Sequence[tuple[Field, Value]], predict: Predict
) -> list[float]:
    """Return the probability of the lead, and that with each of the other values."""
    rows = [row]
    for field, value in variants:
        index = schema.columns.index(field.name)
        rows.append([*row[:index], value, *row[index + 1 :]])
    probabilities: list[float] = predict(rows).tolist()
    return probabilities


def _choices(field: Field, profile: FieldProfile) -> list[Value]:
    """Return the values worth trying."""
    if field.is_text:
        return [choice for choice in field.choices if profile.cells[choice].count >= MIN_LEADS]
    if field.kind == "boolean":
        return [0.0, 1.0]
    # Without the outermost edges, near which the training leads are few.
    inner = profile.edges[1:-1] or profile.edges
    return list(dict.fromkeys(float(math.floor(edge)) if field.integer else edge for edge in inner))


def _best(own: Value, variants: Sequence[tuple[float, Value]]) -> tuple[float, Value]:
    """Return the variant of the highest probability; of equally good ones, the nearest to `own`."""
    highest = max(probability for probability, _ in variants)
    equally_good = [variant for variant in variants if variant[0] >= highest - AS_GOOD]

    def distance(variant: tuple[float, Value]) -> tuple[float, float]:
        probability, value = variant
        # Texts, and values in place of a missing number, have no distance.
        if isinstance(value, str) or isinstance(own, str) or math.isnan(own):
            return 0.0, -probability
        return abs(value - own), -probability

    return min(equally_good, key=distance)


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
    if name not in schema.by_name:
        names = ", ".join(schema.by_name)
        raise InputError(f"The curve must be of a field of the model: {names}. Got {quoted(name)}.")
    field = schema.by_name[name]
    own = row[schema.columns.index(name)]
    edges = profile.fields[name].edges if field.kind == "numeric" else ()
    values = _points(field, edges, own) if edges else _bars(field, own)
    variants = [(field, value) for value in values]
    own_probability, *varied = _predict_variants(schema, row, variants, predict)
    pairs = list(zip(varied, values, strict=True))
    if field.kind == "categorical":
        pairs.sort(key=lambda pair: -pair[0])
    return Curve(
        field=name,
        label=field.label,
        unit=field.unit,
        values=tuple(value for _, value in pairs),
        names=tuple(show_value(field, value) for _, value in pairs),
        probabilities=tuple(probability for probability, _ in pairs),
        own=None if _is_gap(own) else own,
        own_name=show_value(field, own),
        own_probability=own_probability,
        edges=tuple(dict.fromkeys(edges)),
    )


def _is_gap(value: Value) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _points(field: Field, edges: Sequence[float], own: Value) -> list[Value]:
    """Return numbers over the range of the training leads, and that of the lead."""
    even = np.linspace(edges[0], edges[-1], N_POINTS)
    points = {*(np.round(even) if field.integer else even).tolist(), *edges}
    return sorted(points if _is_gap(own) else {*points, float(own)})


def _bars(field: Field, own: Value) -> list[Value]:
    """Return the most frequent choices, and that of the lead."""
    choices: list[Value] = [0.0, 1.0] if not field.is_text else [*field.choices[:MAX_CHOICES]]
    return choices if own in choices or _is_gap(own) else [*choices, own]
