"""Remove from leads everything that could identify a person before they are logged.

Ids, dates and free text are not fields of a schema and never arrive here. A text is kept only if it is a
choice of the schema, which several training leads had, and a number only within the range of the training
leads: a mail address or telephone number in the wrong field is neither.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from leadmodel.arrays import Floats
from leadmodel.leads.field import MISSING, Field
from leadmodel.leads.schema import LeadSchema
from leadmodel.leads.table import LeadTable

__all__ = ["OTHER", "keep_leads", "restore_leads"]

OTHER = "(other)"
"""Replacement of every text that is not a choice of the schema."""


def keep_leads(table: LeadTable) -> dict[str, pa.Array]:
    """Return what may be logged of typed leads, by field name; missing values are null."""
    by_name, kept = table.schema.by_name, {}
    for name, (codes, categories) in table.texts.items():
        known: dict[str, str | None] = {choice: choice for choice in by_name[name].choices}
        known[MISSING] = None
        texts = pa.array([known.get(text, OTHER) for text in categories], pa.string())
        kept[name] = texts.take(pa.array(codes))
    for name, numbers in zip(table.schema.number_columns, table.numbers, strict=True):
        kept[name] = _keep_numbers(by_name[name], numbers)
    return kept


def _keep_numbers(field: Field, numbers: Floats) -> pa.Array:
    if field.minimum is None or field.maximum is None:  # a flag: 0, 1 or nothing
        low, high = 0.0, 1.0
    else:
        # Of a number outside the range only the side is kept: the next float beyond the limit.
        low, high = np.nextafter(field.minimum, -np.inf), np.nextafter(field.maximum, np.inf)
    return pa.array(np.clip(numbers, low, high), from_pandas=True)


def restore_leads(schema: LeadSchema, kept: Mapping[str, pa.Array]) -> pd.DataFrame:
    """Restore logged leads to typed ones; a field that was not logged is missing throughout.

    Parameters
    ----------
    schema : LeadSchema
        Schema of the model that compares them; texts that are not its choices count as rare.
    kept : mapping of str to array
        Logged columns by field name.
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
