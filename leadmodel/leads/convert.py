"""Many leads at once: a frame of raw columns to the model's frame of typed ones.

Each column is reduced to its distinct values, so that the schema's reading of a single value
stays the only one and a million leads cost little more than a thousand.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadmodel.errors import InputError, LeadError
from leadmodel.leads.schema import Field, LeadSchema, Value, ValueWarning

__all__ = ["duplicate_names", "is_nested", "read_batch", "read_leads", "remark_leads", "warn_of_leads"]

PARALLEL_FROM = 50_000
"""Leads from which on threads pay."""

_Codes = npt.NDArray[np.intp]


def read_leads(schema: LeadSchema, leads: pd.DataFrame) -> pd.DataFrame:
    """Return raw `leads` as the model takes them.

    Returns
    -------
    DataFrame of shape (n_leads, n_fields)
        In the model's column order; texts as ``category`` without gaps, numbers as float64.

    Raises
    ------
    InputError
        If a column is lacking or stands there twice.
    LeadError
        If a value cannot be read: the first one, with row, field and value.
    """
    leads = leads.set_axis([str(name) for name in leads.columns], axis="columns")
    if twice := duplicate_names(leads.columns):
        raise InputError(f"The column names must differ. {twice[0]!r} stands there more than once.")
    schema.check_columns(list(leads.columns))
    fields = [schema.by_name[name] for name in schema.columns]
    columns = _read_columns(schema, fields, leads)
    return pd.DataFrame(columns, index=leads.index, copy=False)


def read_batch(schema: LeadSchema, batch: pa.Table, n_before: int = 0) -> pd.DataFrame:
    """Return a batch of a file's leads as `read_leads` does; columns of no field cost nothing.

    Parameters
    ----------
    schema : LeadSchema
        The fields.
    batch : pyarrow.Table
        As `leadmodel.leads.read.read_batches` yields it.
    n_before : int
        Leads of the file before it, for the row that an error names.
    """
    schema.check_columns(batch.column_names)
    try:
        return read_leads(schema, batch.select(list(schema.by_name)).to_pandas())
    except LeadError as error:
        raise error.at(n_before + (error.row or 0)) from None


def _read_columns(schema: LeadSchema, fields: list[Field], leads: pd.DataFrame) -> dict[str, Any]:
    def read(field: Field) -> Any:
        return _read_column(schema, field, leads[field.name])

    if len(leads) < PARALLEL_FROM:
        return {field.name: read(field) for field in fields}
    # Arrow lets go of the interpreter while it parses and counts.
    with ThreadPoolExecutor() as pool:
        return dict(zip((field.name for field in fields), pool.map(read, fields), strict=True))


def remark_leads(schema: LeadSchema, typed: pd.DataFrame) -> dict[int, list[ValueWarning]]:
    """Return what is unusual about `typed` leads, as `read_leads` returns them, by position.

    Leads with nothing unusual are not in it, so that a million usual ones cost nothing.
    """
    found: defaultdict[int, list[ValueWarning]] = defaultdict(list)
    for rows, codes, remarks in _unusual(schema, typed):
        for row, code in zip(rows.tolist(), codes.tolist(), strict=True):
            if remark := remarks[code]:
                found[row].append(remark)
    return dict(found)


def warn_of_leads(schema: LeadSchema, typed: pd.DataFrame) -> pa.Array:
    """Return what `remark_leads` finds as one text for each lead, null where there is nothing.

    Every message is made once and put in its places by Arrow, whatever the number of leads.
    """
    found = _unusual(schema, typed)
    is_unusual = np.zeros(len(typed), dtype=bool)
    for rows, _, _ in found:
        is_unusual[rows] = True
    if not is_unusual.any():
        return pa.nulls(len(typed), pa.string())
    places = np.cumsum(is_unusual) - 1
    columns = [
        _spread_messages(places[rows], codes, remarks, places[-1] + 1) for rows, codes, remarks in found
    ]
    texts = pc.binary_join_element_wise(*columns, " ", null_handling="skip")
    return texts.take(pa.array(places, mask=~is_unusual))


def _spread_messages(
    places: _Codes, codes: _Codes, remarks: list[ValueWarning | None], n_leads: int
) -> pa.Array:
    messages = [None if remark is None else remark.message for remark in remarks]
    spread = np.full(n_leads, len(messages))
    spread[places] = codes
    return pa.array([*messages, None], pa.string()).take(pa.array(spread))


def duplicate_names(names: Iterable[str]) -> list[str]:
    """Return the names that stand there more than once."""
    index = pd.Index(list(names), dtype=object)
    return list(index[index.duplicated()])


def _unusual(
    schema: LeadSchema, typed: pd.DataFrame
) -> list[tuple[_Codes, _Codes, list[ValueWarning | None]]]:
    """Return, for each field with any, the unusual leads and the place of each one's remark in a list."""
    fields = (schema.by_name[name] for name in schema.columns)
    found = [
        (_unusual_texts if field.is_text else _unusual_numbers)(field, typed[field.name])
        for field in fields
    ]
    return [part for part in found if len(part[0])]


def _unusual_texts(field: Field, column: pd.Series) -> tuple[_Codes, _Codes, list[ValueWarning | None]]:
    remarks = [field.remark(value) for value in column.cat.categories]
    is_odd = np.array([remark is not None for remark in remarks], dtype=bool)
    codes = column.cat.codes.to_numpy()
    rows = np.flatnonzero(is_odd[codes]) if is_odd.any() else np.empty(0, dtype=np.intp)
    return rows, codes[rows].astype(np.intp), remarks


def _unusual_numbers(field: Field, column: pd.Series) -> tuple[_Codes, _Codes, list[ValueWarning | None]]:
    numbers = column.to_numpy()
    ranged = field.minimum is not None and field.maximum is not None
    low, high = (field.minimum, field.maximum) if ranged else (-np.inf, np.inf)
    beyond = ~((numbers >= low) & (numbers <= high))
    if field.remark(np.nan) is None:
        beyond &= ~np.isnan(numbers)
    rows = np.flatnonzero(beyond)
    codes, distinct = pd.factorize(numbers[rows], use_na_sentinel=False)
    return rows, codes, [field.remark(float(value)) for value in distinct]


def _read_column(schema: LeadSchema, field: Field, raw: pd.Series) -> Any:
    placeholders = any(re.fullmatch(r"[-+.\d]+|nan", text, re.I) for text in schema.placeholders)
    numbers = None if field.is_text else _as_floats(field, raw, placeholders)
    if numbers is not None:
        return numbers
    codes, distinct = _factorize(field, raw)
    return _spread(field, codes, _read_distinct(schema, field, codes, distinct))


def _as_floats(field: Field, raw: pd.Series, numeric_placeholders: bool) -> npt.NDArray[np.float64] | None:
    """Return a column of plain finite numbers at once, or None where values need reading."""
    reading = field.kind == "boolean" or field.required or isinstance(raw.dtype, pd.CategoricalDtype)
    if reading or (raw.dtype.kind not in "iuf" and (field.decimal_comma or numeric_placeholders)):
        return None
    try:
        # Arrow parses texts ten times faster than pandas, and refuses what is no plain number.
        numbers = pa.array(raw).cast(pa.float64()).to_numpy(zero_copy_only=False)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return None
    return None if np.isinf(numbers).any() else numbers


def _factorize(field: Field, raw: pd.Series) -> tuple[_Codes, list[Any]]:
    """Return each lead's position in the list of distinct values; the last one is None."""
    if isinstance(raw.dtype, pd.CategoricalDtype):
        codes, distinct = raw.cat.codes.to_numpy().astype(np.intp), [*raw.cat.categories]
    else:
        try:
            codes, uniques = pd.factorize(raw)
        except TypeError:
            row = next(row for row, value in enumerate(raw, 1) if is_nested(value))
            raise LeadError.of_value(field.name, raw.iloc[row - 1], "be a single value", row) from None
        distinct = list(uniques)
    if len(codes) and codes.min() < 0:
        codes = np.where(codes < 0, len(distinct), codes)
    return codes, [*distinct, None]


def is_nested(value: Any) -> bool:
    """Whether `value` is a list or the like, which no cell of a table should be."""
    return getattr(value, "__hash__", None) is None


def _read_distinct(schema: LeadSchema, field: Field, codes: _Codes, distinct: list[Any]) -> list[Value]:
    values: list[Value] = []
    for code, value in enumerate(distinct):
        try:
            values.append(schema.read_value(field, value))
        except LeadError as error:
            rows = np.flatnonzero(codes == code)
            if len(rows):
                raise error.at(int(rows[0]) + 1) from None
            values.append(field.missing_value)
    return values


def _spread(field: Field, codes: _Codes, values: list[Value]) -> Any:
    if not field.is_text:
        return np.asarray(values, dtype=np.float64)[codes]
    # Two raw texts can read as one ("Yes" and "yes "), and categories must differ.
    new_codes, categories = pd.factorize(np.asarray(values, dtype=object))
    if len(categories) < len(values):
        codes = new_codes[codes]
    return pd.Categorical.from_codes(codes, categories=pd.Index(categories, dtype=object), validate=False)
