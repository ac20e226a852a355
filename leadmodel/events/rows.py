"""Read raw tables of events, CSV or Parquet, as a stream of rows with entity, time and kind.

A row that does not count stays among them, with the reason.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

import polars as pl

from leadmodel.errors import InputError, quoted
from leadmodel.events.files import scan_table
from leadmodel.events.timestamps import DayBoundary, read_event_time
from leadmodel.leads.event_recipe import (
    DateParts,
    EntityConfig,
    JoinConfig,
    LogConfig,
    OutcomeConfig,
    TableConfig,
)

__all__ = [
    "COPIES",
    "NO_NUMBER",
    "REASONS",
    "ROW",
    "UNJOINED",
    "WHY",
    "Tables",
    "entity_rows",
    "event_rows",
    "outcome_rows",
]

Tables = Path | Mapping[str, pl.LazyFrame]
"""A folder of tables, or tables that are opened already: their rows have the columns of joined ones too."""

COPIES = "(copies)"
"""Column with the number of identical rows."""

UNJOINED = "(unjoined)"
"""Column that is true where a joined table has no matching row."""

WHY = "(why)"
"""Column with the reason why a row does not count; null where it does."""

ROW = "(row)"
"""Column with the number of a row, in tables that have it; of identical rows the first one's."""

NO_NUMBER = "(no number)"
"""Column that is true where a value or an amount is not a number."""

REASONS = ("without an id", "of other kinds", "without a time", "after the last day")


def event_rows(tables: Tables, config: LogConfig, entity: str, latest: dt.datetime) -> pl.LazyFrame:
    """Read entity, time, kind, value, item and attributes of each event; see `WHY`."""
    rows = _open_table(tables, config, entity)
    schema = rows.collect_schema()
    texts = {name: _as_text(name, schema[name]) for name in config.columns() if name in schema}
    nothing = pl.lit(None, pl.String)
    kind = pl.lit(config.kind)
    if config.kind_column:
        kind = texts[config.kind_column].replace_strict(
            config.kinds, default=config.other, return_dtype=pl.String
        )
    value = texts.get(config.value or "", nothing)
    columns = {
        "kind": kind,
        "value": _number(value),
        "item": texts.get(config.item or "", nothing),
        **{name: texts[name] for name in config.attributes},
        NO_NUMBER: value.is_not_null() & _number(value).is_null(),
    }
    return _select(rows, _time(rows, config, config.time), columns, latest)


def outcome_rows(tables: Tables, config: OutcomeConfig, entity: str, latest: dt.datetime) -> pl.LazyFrame:
    """Read entity, time and amount of each outcome; see `WHY`."""
    rows = _open_table(tables, config, entity)
    schema = rows.collect_schema()
    amount = pl.lit(None, pl.Float64)
    if config.prices:
        prices, name = config.prices.by_value, config.prices.column
        amount = _as_text(name, schema[name]).replace_strict(prices, default=None, return_dtype=pl.Float64)
    elif config.amount:
        amount = _number(_as_text(config.amount, schema[config.amount]))
    columns = {"amount": amount, NO_NUMBER: amount.is_null() & pl.lit(config.brings_amounts)}
    return _select(rows, _time(rows, config, config.time), columns, latest)


def entity_rows(tables: Tables, config: EntityConfig, entity: str, latest: dt.datetime) -> pl.LazyFrame:
    """Read entity, start and fields of each row; see `WHY`.

    A start may be missing; a date as start is the beginning of its day.
    """
    rows = _open_table(tables, config, entity)
    schema = rows.collect_schema()
    columns = {name: _as_text(name, schema[name]) for name in config.fields} | {NO_NUMBER: pl.lit(False)}
    if config.start is None:
        return _select(rows, pl.lit(latest), columns, latest).drop("time")
    return _select(rows, _time(rows, config, config.start, "start"), columns, latest).rename(
        {"time": "start"}
    )


def _open_table(tables: Tables, config: TableConfig, entity: str) -> pl.LazyFrame:
    name = config.entity or entity
    rows = _scan_rows(tables, config, [name, *config.columns()])
    return rows.with_columns(_as_text(name, rows.collect_schema()[name]).alias("(entity)"))


def _time(
    rows: pl.LazyFrame, config: TableConfig, time: str | DateParts, day: DayBoundary = "end"
) -> pl.Expr:
    return read_event_time(rows, time, table=config.table, unit=config.unit, format=config.format, day=day)


def _number(text: pl.Expr) -> pl.Expr:
    number = text.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def _select(
    rows: pl.LazyFrame, time: pl.Expr, columns: dict[str, pl.Expr], latest: dt.datetime
) -> pl.LazyFrame:
    entity = pl.col("(entity)")
    named = [value.alias(name) for name, value in columns.items()]
    named += [pl.col(ROW)] if ROW in rows.collect_schema() else []
    read = rows.select(entity.alias("entity"), time.alias("time"), *named, COPIES, UNJOINED)
    has = read.collect_schema()
    wrong = (
        pl.col("entity").is_null(),
        pl.col("kind").is_null() if "kind" in has else pl.lit(False),
        pl.col("time").is_null(),
        pl.col("time") > latest,
    )
    # The first reason that applies; the order is that of REASONS.
    why = pl.coalesce(
        pl.when(applies).then(pl.lit(reason)) for reason, applies in zip(REASONS, wrong, strict=True)
    )
    return read.with_columns(why.alias(WHY))


def _scan_rows(tables: Tables, config: TableConfig, columns: Sequence[str]) -> pl.LazyFrame:
    """Open a table with its joins, and filter its rows.

    Parameters
    ----------
    tables : Path or mapping of str to LazyFrame
        Where the table is.
    config : TableConfig
        Configuration of the table in the recipe.
    columns : sequence of str
        Columns that the table, or one that it joins, must have.

    Returns
    -------
    LazyFrame
        All columns, as texts if it is a CSV, and `COPIES` and `UNJOINED`.

    Raises
    ------
    InputError
        If a table or a column is missing.
    """
    rows = _open(tables, config.table)
    names = rows.collect_schema().names()
    if config.duplicates == "drop":
        first = [pl.col(ROW).min()] if ROW in names else []
        distinct = [name for name in names if name != ROW]
        rows = rows.group_by(distinct).agg(pl.len().alias(COPIES), *first)
    else:
        rows = rows.with_columns(pl.lit(1, pl.UInt32).alias(COPIES))
    rows = rows.with_columns(pl.lit(False).alias(UNJOINED))
    for join in config.joins if isinstance(tables, Path) else ():
        rows = _join(tables, rows, config.table, join)
    _check_columns(rows, config.table, columns)
    schema = rows.collect_schema()
    for name, wanted in config.where.items():
        texts = [wanted] if isinstance(wanted, str) else list(wanted)
        rows = rows.filter(_as_text(name, schema[name]).is_in(texts))
    return rows


def _open(tables: Tables, table: str) -> pl.LazyFrame:
    return scan_table(tables, table) if isinstance(tables, Path) else tables[table]


def _as_text(name: str, dtype: pl.DataType) -> pl.Expr:
    """Convert a column to texts without surrounding blanks: 7.0 becomes "7", and an empty text null."""
    column = pl.col(name)
    if dtype.is_float():
        # Parquet stores whole ids as floats where some are missing.
        column = (
            pl.when(column == column.round())
            .then(column.cast(pl.Int64, strict=False).cast(pl.String))
            .otherwise(column.cast(pl.String))
        )
    text = column.cast(pl.String).str.strip_chars()
    return pl.when(text != "").then(text)


def _join(tables: Tables, rows: pl.LazyFrame, table: str, join: JoinConfig) -> pl.LazyFrame:
    """Add the columns of another table to each row, and mark rows without a match."""
    other = _open(tables, join.table)
    _check_columns(rows, table, [join.on])
    _check_columns(other, join.table, [join.on])
    schema = rows.collect_schema()
    names = [name for name in other.collect_schema().names() if name not in schema]
    key = "(key)"
    right = other.select(_as_text(join.on, other.collect_schema()[join.on]).alias(key), *names)
    # Identical rows are no ambiguity, only different ones for the same key are.
    right = right.filter(pl.col(key).is_not_null()).unique()
    if twice := right.group_by(key).len().filter(pl.col("len") > 1).head(1).collect()[key].to_list():
        raise InputError(
            f"The table {quoted(join.table)} must have one row for each {quoted(join.on)}, on which it is "
            f"joined. It has several for {quoted(twice[0])}."
        )
    right = right.with_columns(pl.lit(False).alias("(lacks)"))
    joined = rows.with_columns(_as_text(join.on, schema[join.on]).alias(key)).join(
        right, on=key, how="left"
    )
    lacks = pl.col("(lacks)").fill_null(True)
    return joined.with_columns((pl.col(UNJOINED) | lacks).alias(UNJOINED)).drop(key, "(lacks)")


def _check_columns(rows: pl.LazyFrame, table: str, columns: Sequence[str]) -> None:
    names = [name for name in rows.collect_schema().names() if name not in (COPIES, UNJOINED, ROW)]
    for name in columns:
        if name not in names:
            close = get_close_matches(name, names, n=1)
            hint = f" Did you mean {quoted(close[0])}?" if close else ""
            raise InputError(
                f"The recipe names a column {quoted(name)}, which is not in the table "
                f"{quoted(table)}.{hint} "
                f"Found: {', '.join(names[:40])}."
            )
