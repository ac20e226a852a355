"""Read raw leads into typed columns: dicts and tables by one and the same path.

Each column is reduced to its distinct values, so that the schema's reading of a single value
stays the only one and a million leads cost little more than a thousand.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from leadmodel.errors import InputError, LeadError
from leadmodel.leads.field import Field, Value
from leadmodel.leads.schema import LeadSchema
from leadmodel.leads.table import LeadTable, TextColumn

__all__ = [
    "duplicate_names",
    "find_time",
    "is_nested",
    "looks_like_times",
    "read_batch",
    "read_columns",
    "read_leads",
    "read_records",
    "read_times",
]

PARALLEL_FROM = 50_000
"""Leads from which on threads pay."""

_PLAIN_TYPES = {float, int, type(None)}
"""Of values that numpy takes as numbers at once; a bool may stand for a text."""

_INFINITE = {math.inf, -math.inf}

_Codes = npt.NDArray[np.intp]

_ISO = re.compile(r"\s*\d{4}-\d{2}-\d{2}(?!\d)")
_DATE = re.compile(r"\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2}))(?!\d)")
_DAY_FIRST = re.compile(r"\s*(1[3-9]|2\d|3[01])[-/.]")


def read_leads(schema: LeadSchema, leads: pd.DataFrame) -> pd.DataFrame:
    """Read a table of raw leads as the model takes them.

    Returns
    -------
    DataFrame of shape (n_leads, n_fields)
        In the model's column order; texts as ``category`` without gaps, numbers as float64.

    Raises
    ------
    InputError
        If a column is missing or occurs twice.
    LeadError
        If a value cannot be read: the first one, with row, field and value.
    """
    return read_columns(schema, leads).to_frame(leads.index)


def read_columns(schema: LeadSchema, leads: pd.DataFrame) -> LeadTable:
    """Read a table of raw leads, as `read_leads` does."""
    leads = leads.set_axis([str(name) for name in leads.columns], axis="columns")
    if twice := duplicate_names(leads.columns):
        raise InputError(f"The column names must differ. {twice[0]!r} stands there more than once.")
    schema.check_columns(list(leads.columns))
    texts: dict[str, Any] = dict.fromkeys(schema.text_columns)
    numbers = np.empty((len(schema.number_columns), len(leads)))

    def read(name: str) -> None:
        field = schema.by_name[name]
        if field.is_text:
            codes, distinct = _factorize(field, leads[name])
            values = _read_distinct(schema, field, codes, distinct)
            small = codes.astype(np.min_scalar_type(-len(distinct)))  # an eighth of the memory, mostly
            texts[name] = TextColumn.encode(small, values)
        else:
            numbers[schema.number_columns.index(name)] = _read_numbers(schema, field, leads[name])

    if len(leads) < PARALLEL_FROM:
        list(map(read, schema.columns))
    else:
        with ThreadPoolExecutor() as pool:  # Arrow lets go of the interpreter while it parses and counts
            list(pool.map(read, schema.columns))
    return LeadTable(schema, texts, numbers)


def read_batch(schema: LeadSchema, batch: pa.Table, n_before: int = 0) -> LeadTable:
    """Read a batch of a file's leads; columns of no field cost nothing.

    Parameters
    ----------
    schema : LeadSchema
        The fields.
    batch : pyarrow.Table
        As `leadmodel.leads.io.read_batches` yields it.
    n_before : int
        Leads of the file before it, for the row that an error names.
    """
    schema.check_columns(batch.column_names)
    try:
        return read_columns(schema, batch.select(list(schema.by_name)).to_pandas())
    except LeadError as error:
        raise error.at(n_before + (error.row or 0)) from None


def read_records(schema: LeadSchema, leads: Sequence[Mapping[str, Any]]) -> LeadTable:
    """Read raw leads, each a mapping by field name or API parameter; what is absent is missing.

    Raises
    ------
    LeadError
        If a value cannot be read or a name is unknown. Of several leads it names the row.
    """
    try:
        columns = _gather(schema, leads)
        texts = {
            name: TextColumn.encode(*_read_values(schema, schema.by_name[name], columns[name]))
            for name in schema.text_columns
        }
        numbers = np.empty((len(schema.number_columns), len(leads)))
        for row, name in zip(numbers, schema.number_columns, strict=True):
            row[:] = _numbers_of(schema, schema.by_name[name], columns[name])
    except LeadError as error:
        raise error if len(leads) > 1 else LeadError(error.field, error.problem) from None
    return LeadTable(schema, texts, numbers)


def _gather(schema: LeadSchema, leads: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return the raw values of each field."""
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for row, lead in enumerate(leads, 1):
        names = tuple(lead)
        if names not in found:  # most lists have the same names in every lead
            try:
                found[names] = schema.find_fields(names)
            except LeadError as error:
                raise error.at(row) from None
    if len(found) == 1:
        (own,) = found.values()
        return {
            name: [lead[own[name]] for lead in leads] if name in own else [None] * len(leads)
            for name in schema.columns
        }
    by_field = [{name: lead[key] for name, key in found[tuple(lead)].items()} for lead in leads]
    return {name: [lead.get(name) for lead in by_field] for name in schema.columns}


def _numbers_of(schema: LeadSchema, field: Field, values: list[Any]) -> Any:
    is_plain = _PLAIN_TYPES.issuperset(map(type, values)) and _INFINITE.isdisjoint(values)
    if is_plain and field.kind == "numeric" and not field.required:
        try:
            return np.array(values, dtype=np.float64)
        except OverflowError:  # an integer of hundreds of digits, which the field refuses in words
            pass
    codes, typed = _read_values(schema, field, values)
    return np.array(typed, dtype=np.float64)[codes]


def _read_values(schema: LeadSchema, field: Field, values: list[Any]) -> tuple[_Codes, list[Value]]:
    """Read each distinct value once; return the position of each lead's, and what was read."""
    types = set(map(type, values))
    # 1, 1.0 and True are equal, and mean three things.
    keys: list[Any] = values if len(types) == 1 else list(zip(map(type, values), values, strict=True))
    try:
        distinct = list(dict.fromkeys(keys))
        if len(distinct) == len(keys):  # as of one lead
            codes = np.arange(len(keys))
        else:
            positions = {key: position for position, key in enumerate(distinct)}
            codes = np.fromiter(map(positions.__getitem__, keys), np.intp, len(keys))
    except TypeError:
        row = next(
            row for row, value in enumerate(values, 1) if is_nested(value) or isinstance(value, tuple)
        )
        raise LeadError.of_value(field.name, values[row - 1], "be a single value", row) from None
    return codes, _read_distinct(
        schema, field, codes, distinct if keys is values else [value for _, value in distinct]
    )


def duplicate_names(names: Iterable[str]) -> list[str]:
    """Return the names that occur more than once."""
    index = pd.Index(list(names), dtype=object)
    return list(index[index.duplicated()])


def _read_numbers(schema: LeadSchema, field: Field, raw: pd.Series) -> npt.NDArray[np.float64]:
    placeholders = any(re.fullmatch(r"[-+.\d]+|nan", text, re.I) for text in schema.placeholders)
    numbers = _as_floats(field, raw, placeholders)
    if numbers is not None:
        return numbers
    codes, distinct = _factorize(field, raw)
    return np.asarray(_read_distinct(schema, field, codes, distinct), dtype=np.float64)[codes]


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


def find_time(leads: pd.DataFrame) -> str | None:
    """Return the one column of `leads` that holds a date in every row, if it is the only one."""
    complete = (leads[name] for name in leads.columns if leads[name].notna().all())
    found = [str(column.name) for column in complete if looks_like_times(column) and _all_parse(column)]
    return found[0] if len(found) == 1 else None


def _all_parse(column: pd.Series) -> bool:
    try:
        read_times(column)
    except InputError:
        return False
    return True


def looks_like_times(column: pd.Series) -> bool:
    """Whether nearly every value of `column` (no gaps) is a date or a time."""
    if column.dtype.kind == "M":
        return True
    if column.dtype.kind in "biuf" or not len(column):
        return False
    texts = column.drop_duplicates().astype(str)
    return bool(texts.str.match(_DATE).mean() > 0.95)


def read_times(column: pd.Series) -> pd.Series:
    """Return a column of times as something that sorts: UTC times, or numbers.

    A column of numbers (a serial number, seconds since 1970) is taken as it is. Dates such
    as 03/04/2024 are read day first if some date of the column can only be so.

    Raises
    ------
    InputError
        If a value is neither a time nor a number; the first one is named.
    """
    numbers = None if column.dtype.kind == "M" else pd.to_numeric(column, errors="coerce")
    if numbers is not None and numbers.notna().all():
        return numbers
    times = pd.to_datetime(column, utc=True) if numbers is None else _parse_texts(column.astype("str"))
    if times.isna().any():
        row = int(times.isna().to_numpy().argmax())
        raise InputError(
            f"The time column {column.name!r} must hold a date in every row. "
            f"Row {row + 1} holds {column.iloc[row]!r}."
        )
    return times


def _parse_texts(texts: pd.Series) -> pd.Series:
    day_first = bool(texts.str.match(_DAY_FIRST).any())
    times = pd.to_datetime(texts, format="mixed", dayfirst=day_first, errors="coerce", utc=True)
    # A year that comes first is followed by the month, whatever the other dates do.
    iso = texts.str.match(_ISO)
    times[iso] = pd.to_datetime(texts[iso], format="ISO8601", errors="coerce", utc=True)
    return times
