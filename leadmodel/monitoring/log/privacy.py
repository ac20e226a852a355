"""What of a lead may be kept: nothing that could tell who it is.

Ids, dates and free text are no fields of a schema, and so never get here. Of what does, a text is
kept if it is one of the choices that at least a handful of training leads had, and a number within
the range of the training leads: a mail address or a telephone number in the wrong field is neither.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from leadmodel.leads.schema import MISSING, Field, LeadSchema, Value

__all__ = ["OTHER", "keep_frame", "keep_leads", "restore_leads"]

OTHER = "(other)"
"""Stands for every text that the schema does not know as a choice."""


def keep_leads(schema: LeadSchema, leads: Sequence[Mapping[str, Any]]) -> dict[str, pa.Array]:
    """Return what may be kept of raw leads that have been scored, by field name; a gap is null."""
    known: dict[Any, Any] = {}
    rows = [schema.read_lead(lead, known)[0] for lead in leads]
    columns = zip(*rows, strict=True) if rows else ([] for _ in schema.columns)
    return {
        name: _keep(schema.by_name[name], values)
        for name, values in zip(schema.columns, columns, strict=True)
    }


def keep_frame(schema: LeadSchema, typed: pd.DataFrame) -> dict[str, pa.Array]:
    """Return the same of typed leads, as `leadmodel.leads.convert.read_leads` returns them."""
    return {name: _keep_column(schema.by_name[name], typed[name]) for name in schema.columns}


def _keep(field: Field, values: Iterable[Value]) -> pa.Array:
    if field.is_text:
        kept = _kept_texts(field)
        return pa.array([kept.get(str(value), OTHER) for value in values], pa.string())
    return _keep_numbers(field, np.array(list(values), dtype=np.float64))


def _keep_column(field: Field, column: pd.Series) -> pa.Array:
    if not field.is_text:
        return _keep_numbers(field, column.to_numpy())
    categories = _keep(field, column.cat.categories)
    return categories.take(pa.array(column.cat.codes.to_numpy()))


def _kept_texts(field: Field) -> dict[str, str | None]:
    return {choice: choice for choice in field.choices} | {MISSING: None}


def _keep_numbers(field: Field, numbers: npt.NDArray[np.float64]) -> pa.Array:
    if field.minimum is None or field.maximum is None:  # a flag: 0, 1 or nothing
        low, high = 0.0, 1.0
    else:
        # Beyond the range is all that is to be known of what lies beyond it.
        low, high = np.nextafter(field.minimum, -np.inf), np.nextafter(field.maximum, np.inf)
    return pa.array(np.clip(numbers, low, high), from_pandas=True)


def restore_leads(schema: LeadSchema, kept: Mapping[str, pa.Array]) -> pd.DataFrame:
    """Return kept leads as the model takes leads; a field that was not kept has gaps alone.

    Parameters
    ----------
    schema : LeadSchema
        Of the model to look at them with; a choice that it does not know is another text.
    kept : mapping of str to array
        By field name.
    """
    n_leads = max((len(column) for column in kept.values()), default=0)
    columns = {}
    for field in (schema.by_name[name] for name in schema.columns):
        column = kept.get(field.name)
        if column is None or pa.types.is_string(column.type) != field.is_text:
            column = pa.nulls(n_leads, pa.string() if field.is_text else pa.float64())
        columns[field.name] = _restore(field, column)
    return pd.DataFrame(columns, copy=False)


def _restore(field: Field, column: pa.Array) -> Any:
    if not field.is_text:
        return column.to_numpy(zero_copy_only=False).astype(np.float64)
    encoded = column.fill_null(MISSING).dictionary_encode()
    return pd.Categorical.from_codes(
        encoded.indices.to_numpy(), categories=pd.Index(encoded.dictionary.to_pylist(), dtype=object)
    )
