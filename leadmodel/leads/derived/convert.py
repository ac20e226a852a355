"""Derive the typed columns of derived fields from raw leads, a table or a list."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from leadmodel.arrays import Positions
from leadmodel.errors import LeadError, quoted
from leadmodel.leads.derived.record import MAX_TEXT, OTHER
from leadmodel.leads.derived.registry import DERIVATIONS
from leadmodel.leads.field import Field, Value

__all__ = ["derive_columns", "derive_lists", "group_by_source"]

IsMissing = Callable[[Any], bool]
_NESTED = (list, tuple, set, dict)


def group_by_source(fields: Sequence[Field]) -> dict[str, list[Field]]:
    """Return the derived ones of `fields` by their raw column."""
    groups: dict[str, list[Field]] = {}
    for field in fields:
        if field.derived is not None:
            groups.setdefault(field.derived.source, []).append(field)
    return groups


def derive_columns(
    groups: Mapping[str, Sequence[Field]], leads: pd.DataFrame, is_missing: IsMissing
) -> dict[str, Any]:
    """Return the columns of derived fields by name; each distinct raw value is read once."""
    derived: dict[str, Any] = {}
    for source, fields in groups.items():
        codes, texts = _factorize(leads, source, is_missing)
        for field in fields:
            other = field.derived.other if field.derived else None
            if other is None:
                derived[field.name] = _spread([_derive(field, text) for text in texts], codes)
                continue
            other_codes, others = _factorize(leads, other, is_missing)
            if other in leads:  # a gap, where a table has the column, is not the same as no column
                others = [text or "" for text in others]
            # A pair of texts as one number, so that each pair is read once.
            pairs, places = np.unique(codes * len(others) + other_codes, return_inverse=True)
            first, second = (part.tolist() for part in np.divmod(pairs, len(others)))
            values = [_derive(field, texts[i], others[j]) for i, j in zip(first, second, strict=True)]
            derived[field.name] = _spread(values, places)
    return derived


def _factorize(leads: pd.DataFrame, name: str, is_missing: IsMissing) -> tuple[Positions, list[str | None]]:
    """Return each lead's position in the list of distinct texts; the last one is None."""
    if name not in leads:
        return np.zeros(len(leads), dtype=np.intp), [None]
    column = leads[name]
    column = column.astype(object) if isinstance(column.dtype, pd.CategoricalDtype) else column
    try:
        codes, distinct = pd.factorize(column)
    except TypeError:
        row = next(row for row, value in enumerate(column, 1) if isinstance(value, _NESTED))
        raise _not_single(name).at(row) from None
    return np.where(codes < 0, len(distinct), codes), [*_to_texts(name, list(distinct), is_missing), None]


def _spread(values: list[Value | None], codes: Any) -> Any:
    """Return a column of `values` at the positions `codes`."""
    if not any(isinstance(value, str) for value in values):
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)[codes]
    positions = {value: position for position, value in enumerate(dict.fromkeys(values))}
    positions = {value: position for position, value in enumerate(v for v in positions if v is not None)}
    places = np.array([-1 if value is None else positions[value] for value in values])
    return pd.Categorical.from_codes(places[codes], categories=pd.Index([*positions], dtype=object))


def derive_lists(
    groups: Mapping[str, Sequence[Field]], columns: Mapping[str, list[Any]], is_missing: IsMissing
) -> dict[str, list[Any]]:
    """Return the values of derived fields by name, as `derive_columns` does, from lists of raw values."""
    derived: dict[str, list[Any]] = {}
    for source, fields in groups.items():
        texts = _to_texts(source, columns[source], is_missing)
        for field in fields:
            other = field.derived.other if field.derived else None
            others = [None] * len(texts) if other is None else _to_texts(other, columns[other], is_missing)
            pairs = list(zip(texts, others, strict=True))
            read = {pair: _derive(field, *pair) for pair in set(pairs)}
            derived[field.name] = [read[pair] for pair in pairs]
    return derived


def _to_texts(source: str, values: Sequence[Any], is_missing: IsMissing) -> list[str | None]:
    texts: list[str | None] = []
    for row, value in enumerate(values, 1):
        if isinstance(value, _NESTED):
            raise _not_single(source).at(row)
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # a column of telephone numbers with gaps comes as floats
        too_large = isinstance(value, int) and value.bit_length() > 1024  # Python refuses to print it
        texts.append(None if too_large or is_missing(value) else str(value)[:MAX_TEXT].strip())
    return texts


def _not_single(source: str) -> LeadError:
    # Without the value, which says who the lead is.
    return LeadError(source, f"the field {quoted(source)} must be a single value.")


def _derive(field: Field, text: str | None, other: str | None = None) -> Value | None:
    """Return the derived value of raw texts, `OTHER` for one that is not among the field's choices."""
    if text is None or field.derived is None:
        return None
    read = DERIVATIONS[field.derived.how].read
    value = read(text, field.derived, other) if field.derived.other else read(text, field.derived)
    if isinstance(value, str) and field.choices and value not in field.choices:
        return OTHER
    return value
