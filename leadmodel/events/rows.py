"""The rows of a raw table as canonical ones: whose, when, what; and why a row does not count."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

from leadmodel.events.scan import COPIES, UNJOINED, as_text, scan_rows
from leadmodel.events.timestamps import Midnight, read_event_time
from leadmodel.leads.event_recipe import DateParts, EntityConfig, LogConfig, OutcomeConfig, TableConfig

if TYPE_CHECKING:
    import polars as pl

__all__ = ["NO_NUMBER", "REASONS", "WHY", "entity_rows", "event_rows", "outcome_rows"]

WHY = "(why)"
"""The column that says why a row does not count; null where it does."""

NO_NUMBER = "(no number)"
"""The column that says whether a row lacks the value or the amount that it should have."""

REASONS = ("without an id", "of other kinds", "without a time", "after the last day")


def event_rows(folder: Path, hints: LogConfig, entity: str, latest: dt.datetime) -> "pl.LazyFrame":
    """Return entity, time, kind, value, item and attributes of each event, and why it does not count."""
    import polars as pl

    rows = _named(folder, hints, entity)
    schema = rows.collect_schema()
    texts = {name: as_text(name, schema[name]) for name in hints.columns() if name in schema}
    nothing = pl.lit(None, pl.String)
    kind = pl.lit(hints.kind)
    if hints.kind_column:
        given = texts[hints.kind_column]
        kind = given.replace_strict(hints.kinds, default=hints.other, return_dtype=pl.String)
    given = texts.get(hints.value or "", nothing)
    columns = {
        "kind": kind,
        "value": _number(given),
        "item": texts.get(hints.item or "", nothing),
        **{name: texts[name] for name in hints.attributes},
        NO_NUMBER: given.is_not_null() & _number(given).is_null(),
    }
    return _tagged(rows, _time(rows, hints, hints.time), columns, latest)


def outcome_rows(folder: Path, hints: OutcomeConfig, entity: str, latest: dt.datetime) -> "pl.LazyFrame":
    """Return entity, time and amount of each outcome, and why it does not count."""
    import polars as pl

    rows = _named(folder, hints, entity)
    schema = rows.collect_schema()
    amount, told = pl.lit(None, pl.Float64), hints.amount or (hints.prices and hints.prices.column)
    if hints.prices:
        prices, name = hints.prices.by_value, hints.prices.column
        amount = as_text(name, schema[name]).replace_strict(prices, default=None, return_dtype=pl.Float64)
    elif hints.amount:
        amount = _number(as_text(hints.amount, schema[hints.amount]))
    columns = {"amount": amount, NO_NUMBER: amount.is_null() & pl.lit(bool(told))}
    return _tagged(rows, _time(rows, hints, hints.time), columns, latest)


def entity_rows(folder: Path, hints: EntityConfig, entity: str, latest: dt.datetime) -> "pl.LazyFrame":
    """Return entity, start (null where none is told) and fields of each row, and why it does not count.

    A start that is a date is the beginning of its day.
    """
    import polars as pl

    rows = _named(folder, hints, entity)
    schema = rows.collect_schema()
    columns = {name: as_text(name, schema[name]) for name in hints.fields} | {NO_NUMBER: pl.lit(False)}
    if hints.start is None:
        return _tagged(rows, pl.lit(latest), columns, latest).drop("time")
    return _tagged(rows, _time(rows, hints, hints.start, "start"), columns, latest).rename(
        {"time": "start"}
    )


def _named(folder: Path, hints: TableConfig, entity: str) -> "pl.LazyFrame":
    name = hints.entity or entity
    rows = scan_rows(folder, hints, [name, *hints.columns()])
    return rows.with_columns(as_text(name, rows.collect_schema()[name]).alias("(entity)"))


def _time(
    rows: "pl.LazyFrame", hints: TableConfig, time: str | DateParts, day: Midnight = "end"
) -> "pl.Expr":
    return read_event_time(rows, time, table=hints.table, unit=hints.unit, format=hints.format, day=day)


def _number(text: "pl.Expr") -> "pl.Expr":
    import polars as pl

    number = text.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def _tagged(
    rows: "pl.LazyFrame", time: "pl.Expr", columns: "dict[str, pl.Expr]", latest: dt.datetime
) -> "pl.LazyFrame":
    import polars as pl

    entity = pl.col("(entity)")
    named = [value.alias(name) for name, value in columns.items()]
    read = rows.select(entity.alias("entity"), time.alias("time"), *named, COPIES, UNJOINED)
    has = read.collect_schema()
    wrong = (
        pl.col("entity").is_null(),
        pl.col("kind").is_null() if "kind" in has else pl.lit(False),
        pl.col("time").is_null(),
        pl.col("time") > latest,
    )
    why = pl.coalesce(pl.when(one).then(pl.lit(reason)) for reason, one in zip(REASONS, wrong, strict=True))
    return read.with_columns(why.alias(WHY))
