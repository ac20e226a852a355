"""Convert raw leads, dicts or a table, into typed columns.

Each column is reduced to its distinct values, so that the schema converts each of them once and a
million leads take little longer than a thousand.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadmodel.arrays import Floats, Positions
from leadmodel.errors import InputError, LeadError, quoted
from leadmodel.leads.derived.convert import derive_columns, derive_lists
from leadmodel.leads.field import Field, Value
from leadmodel.leads.schema import LeadSchema
from leadmodel.leads.table import LeadTable, TextColumn
from leadmodel.leads.values.bulk import read_quantities
from leadmodel.leads.values.numbers import Quantity, is_gap

__all__ = [
    "check_unique",
    "is_nested",
    "read_batch",
    "read_columns",
    "read_leads",
    "read_records",
]

PARALLEL_FROM = 50_000
"""Number of leads from which on threads are faster."""

_PLAIN_TYPES = {float, int, type(None)}
"""Types of values that numpy converts to numbers at once; a bool may stand for a text."""

_INFINITE = {math.inf, -math.inf}


def read_leads(schema: LeadSchema, leads: pd.DataFrame) -> pd.DataFrame:
    """Read a table of raw leads as the model takes them.

    Returns
    -------
    DataFrame of shape (n_leads, n_fields)
        In the model's column order; texts as ``category`` without gaps, numbers as float64.

    Raises
    ------
    InputError
        If a column is missing or occurs twice; names may differ by capitals, spaces and signs.
    LeadError
        If a value cannot be read: the first one, with row, field and value.
    """
    return read_columns(schema, leads).to_frame(leads.index)


def read_columns(schema: LeadSchema, leads: pd.DataFrame) -> LeadTable:
    """Read a table of raw leads, as `read_leads` does."""
    leads = leads.set_axis([str(name) for name in leads.columns], axis="columns")
    check_unique(leads.columns)
    columns = schema.match_columns(list(leads.columns))
    if any(name != column for name, column in columns.items()):
        leads = leads[list(columns.values())].set_axis(list(columns), axis="columns")
    if schema.sources:
        leads = leads.assign(**derive_columns(schema.sources, leads, schema.is_missing))
    texts: dict[str, Any] = dict.fromkeys(schema.text_columns)
    numbers = np.empty((len(schema.number_columns), len(leads)))

    def read(name: str) -> None:
        field = schema.by_name[name]
        if field.is_text:
            codes, distinct = _factorize(field, leads[name])
            values = _read_distinct(schema, field, codes, distinct)
            # Codes of one byte, enough for most columns, take an eighth of the memory.
            texts[name] = TextColumn.encode(codes.astype(np.min_scalar_type(-len(distinct))), values)
        else:
            numbers[schema.number_columns.index(name)] = _read_numbers(schema, field, leads[name])

    if len(leads) < PARALLEL_FROM:
        list(map(read, schema.columns))
    else:
        with ThreadPoolExecutor() as pool:  # Arrow and pandas release the GIL while they parse and count
            list(pool.map(read, schema.columns))
    return LeadTable(schema, texts, numbers)


def read_batch(schema: LeadSchema, batch: pa.Table, n_before: int = 0) -> LeadTable:
    """Read a batch of a file's leads; columns that are no fields are not converted.

    Parameters
    ----------
    schema : LeadSchema
        The fields.
    batch : pyarrow.Table
        As `leadmodel.leads.io.read_batches` yields it.
    n_before : int
        Number of leads before it in the file, so that errors name the row in the file.
    """
    columns = list(schema.match_columns(batch.column_names).values())
    try:
        return read_columns(schema, batch.select(columns).to_pandas())
    except LeadError as error:
        raise error.at(n_before + (error.row or 0)) from None


def read_records(schema: LeadSchema, leads: Sequence[Mapping[str, Any]]) -> LeadTable:
    """Read raw leads, each a mapping by field name or API parameter; an absent value is missing.

    Raises
    ------
    LeadError
        If a value cannot be read or a name is unknown; it names the row if there are several leads.
    """
    try:
        columns = _gather(schema, leads)
        if schema.sources:
            columns |= derive_lists(schema.sources, columns, schema.is_missing)
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
    """Return the raw values of each input."""
    keys_of: dict[tuple[str, ...], dict[str, str]] = {}
    for row, lead in enumerate(leads, 1):
        names = tuple(lead)
        if names not in keys_of:  # most lists have the same names in every lead
            try:
                keys_of[names] = schema.find_fields(names)
            except LeadError as error:
                raise error.at(row) from None
    if len(keys_of) == 1:  # as for one lead: no need to go lead by lead
        (keys,) = keys_of.values()
        return {
            name: [lead[keys[name]] for lead in leads] if name in keys else [None] * len(leads)
            for name in schema.inputs
        }
    by_field = [{name: lead[key] for name, key in keys_of[tuple(lead)].items()} for lead in leads]
    return {name: [lead.get(name) for lead in by_field] for name in schema.inputs}


def _numbers_of(schema: LeadSchema, field: Field, values: list[Any]) -> Any:
    is_plain = _PLAIN_TYPES.issuperset(map(type, values)) and _INFINITE.isdisjoint(values)
    if is_plain and field.kind == "numeric" and not field.required:
        try:
            return np.array(values, dtype=np.float64)
        except OverflowError:  # an integer of hundreds of digits: the field's error says so
            pass
    codes, typed = _read_values(schema, field, values)
    return np.array(typed, dtype=np.float64)[codes]


def _read_values(schema: LeadSchema, field: Field, values: list[Any]) -> tuple[Positions, list[Value]]:
    """Read each distinct value once; return the position of each lead's, and what was read."""
    if len(values) == 1 and not is_nested(values[0]):
        # A single lead has nothing to count: this saves a tenth of its time.
        return np.zeros(1, dtype=np.intp), [schema.read_value(field, values[0])]
    types = set(map(type, values))
    # 1, 1.0 and True are equal as keys, but differ as texts.
    keys: list[Any] = values if len(types) == 1 else list(zip(map(type, values), values, strict=True))
    try:
        distinct = list(dict.fromkeys(keys))
        if len(distinct) == len(keys):  # as for one lead
            codes = np.arange(len(keys))
        else:
            positions = {key: position for position, key in enumerate(distinct)}
            codes = np.fromiter(map(positions.__getitem__, keys), np.intp, len(keys))
    except TypeError:
        # A tuple may have a hash, and hold something that has none.
        rows = (row for row, value in enumerate(values) if is_nested(value) or isinstance(value, tuple))
        row = next(rows)
        raise LeadError.of_value(field.name, values[row], "be a single value", row + 1) from None
    if keys is not values:
        distinct = [value for _, value in distinct]
    return codes, _read_distinct(schema, field, codes, distinct)


def check_unique(names: Iterable[str], rule: str = "The column names must differ.") -> None:
    """Raise InputError, beginning with `rule`, if a column name occurs more than once."""
    index = pd.Index(list(names), dtype=object)
    if index.has_duplicates:
        twice = quoted(index[index.duplicated()][0])
        raise InputError(f"{rule} {twice} appears more than once.")


def _read_numbers(schema: LeadSchema, field: Field, raw: pd.Series) -> Floats:
    is_plain = field.kind != "boolean" and not field.required
    if isinstance(raw.dtype, pd.CategoricalDtype):
        is_plain = False
    elif raw.dtype.kind not in "iuf":
        # Arrow would read a placeholder such as -1 or nan as a number.
        is_number = (re.fullmatch(r"[-+.\d]+|nan", text, re.I) for text in schema.placeholders)
        is_plain = is_plain and not field.decimal_comma and not any(is_number)
    if is_plain:
        try:
            # Arrow parses texts ten times faster than pandas, and refuses all but plain numbers.
            numbers = pa.array(raw).cast(pa.float64()).to_numpy(zero_copy_only=False)
            if not np.isinf(numbers).any():  # else the field's error names the first infinite value
                return numbers
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            pass
    codes, distinct = _factorize(field, raw)
    numbers = _read_number_texts(schema, field, distinct[:-1]) if raw.dtype == "str" else None
    if numbers is None:
        numbers = np.asarray(_read_distinct(schema, field, codes, distinct), dtype=np.float64)
    return numbers[codes]


def _read_number_texts(schema: LeadSchema, field: Field, distinct: list[str]) -> Floats | None:
    """Return the numbers of texts and a gap at the end, None if they must be read one by one."""
    if field.kind != "numeric" or field.required:
        return None
    texts = pc.utf8_trim_whitespace(pa.array(distinct, pa.string()))
    read = read_quantities(texts, field.decimal_comma)
    is_blank = pc.is_in(texts, pa.array(["", *schema.placeholders], pa.string()))
    numbers = np.where(is_blank.to_numpy(zero_copy_only=False), np.nan, read.convert(field.base_unit))
    if field.text_unit is None and set(read.forms) - {Quantity(1.0)}:
        return None
    unread = texts.filter(pa.array(np.isnan(numbers))).to_pylist()
    if not all(schema.is_missing(text) or is_gap(text) for text in unread):
        return None  # the error will name the row
    return np.append(numbers, np.nan)


def _factorize(field: Field, raw: pd.Series) -> tuple[Positions, list[Any]]:
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
    """Return whether `value` is a list, dict or another value without a hash."""
    return getattr(value, "__hash__", None) is None


def _read_distinct(schema: LeadSchema, field: Field, codes: Positions, distinct: list[Any]) -> list[Value]:
    values: list[Value] = []
    for code, value in enumerate(distinct):
        try:
            values.append(schema.read_value(field, value))
        except LeadError as error:
            rows = np.flatnonzero(codes == code)
            if len(rows):
                raise error.at(int(rows[0]) + 1) from None
            # No lead has it: an unused category, or the missing value of a required field.
            values.append(field.missing_value)
    return values
