"""Configure event logs in a recipe: tables, columns, joins, and the leads to make of them."""

import datetime as dt
import re
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PositiveInt, model_validator

from leadmodel.records import Record

__all__ = [
    "DateParts",
    "EntityConfig",
    "EventConfig",
    "JoinConfig",
    "LogConfig",
    "OutcomeConfig",
    "Prices",
    "TableConfig",
    "TimedConfig",
]

Unit = Literal["s", "ms", "us"]

RESERVED = ("converted", "cutoff", "amount")
"""Columns that leads get besides their fields and features."""


def _check_file(name: str) -> str:
    path = PurePosixPath(name)
    if path.suffix.lower() not in (".csv", ".parquet") or path.is_absolute() or ".." in path.parts:
        raise ValueError("a table is a .csv or .parquet file in the folder of the data")
    return name


def _check_rising(days: tuple[int, ...]) -> tuple[int, ...]:
    if list(days) != sorted(set(days)):
        raise ValueError("the days must rise")
    return days


def _check_kind(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ValueError("the name of a kind has lowercase letters, digits and _, such as 'views'")
    return name


TableFile = Annotated[str, AfterValidator(_check_file)]
Days = Annotated[tuple[PositiveInt, ...], AfterValidator(_check_rising)]
KindName = Annotated[str, AfterValidator(_check_kind)]


class JoinConfig(Record):
    """A table to join on the column `on`, with one row per value.

    If both tables have a column of the same name, that of the log is used.
    """

    table: TableFile
    on: str


class DateParts(Record):
    """A time in several columns: year, month and day, and a number that orders the events of a day.

    The number counts as seconds after midnight: it orders events but is not a clock.
    """

    date: tuple[str, str, str]
    step: str | None = None


def _time_columns(time: str | DateParts | None) -> list[str]:
    columns = (*time.date, time.step) if isinstance(time, DateParts) else (time,)
    return [column for column in columns if column]


class TableConfig(Record):
    """A table in the folder of the data, and a filter of its rows.

    Parameters
    ----------
    table : str
        A .csv or .parquet file in the folder.
    entity : str, optional
        Column with the id of the entity; by default that of the recipe.
    where : dict of str to str or tuple of str
        Keep only rows in which each column has one of these texts.
    joins : tuple of JoinConfig
        Tables to join.
    unit : {"s", "ms", "us"}, optional
        Unit of times that are numbers since 1970; inferred by default.
    format : str, optional
        Format of times that are texts ("%d/%m/%Y %H:%M"); ISO 8601 by default.
    duplicates : {"drop", "keep"}
        Whether identical rows count once. Finding them takes memory for every row, so that a log
        larger than memory must keep them.
    """

    table: TableFile
    entity: str | None = None
    where: dict[str, str | tuple[str, ...]] = Field(default_factory=dict)
    joins: tuple[JoinConfig, ...] = ()
    unit: Unit | None = None
    format: str | None = None
    duplicates: Literal["drop", "keep"] = "drop"

    def columns(self) -> list[str]:
        """Return the columns, other than the entity, that the table or its joins must have."""
        return list(self.where)


class EntityConfig(TableConfig):
    """Table of entities: their start, and the fields known from then on."""

    start: str | DateParts | None = None
    fields: tuple[str, ...] = ()

    def columns(self) -> list[str]:
        return [*super().columns(), *_time_columns(self.start), *self.fields]


class TimedConfig(TableConfig):
    """Table whose rows have a time."""

    time: str | DateParts

    def columns(self) -> list[str]:
        return [*super().columns(), *_time_columns(self.time)]


class Prices(BaseModel):
    """Amount of an outcome by the value of a column: ``{ column = "plan", Gold = 90, Free = 0 }``."""

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, float]

    column: str

    @property
    def by_value(self) -> dict[str, float]:
        """Price of each value."""
        return dict(self.__pydantic_extra__)


class OutcomeConfig(TimedConfig):
    """Table of outcomes: an entity in it converted at that time.

    The amount is in the column `amount`, or given by `prices` for the values of a column.
    """

    amount: str | None = None
    prices: Prices | None = None

    @property
    def brings_amounts(self) -> bool:
        """Whether outcomes have amounts."""
        return self.amount is not None or self.prices is not None

    @model_validator(mode="after")
    def _check_amount(self) -> "OutcomeConfig":
        if self.amount is not None and self.prices is not None:
            raise ValueError("amount or prices, not both")
        return self

    def columns(self) -> list[str]:
        amount = self.prices.column if self.prices else self.amount
        return [*super().columns(), *filter(None, [amount])]


class LogConfig(TimedConfig):
    """Table of events.

    Parameters
    ----------
    kind : str, optional
        Kind of all its events, as a plural ("views"); names features such as views_last_7d.
    kind_column, kinds : str and dict of str to str, optional
        Or the column with the kind, and the name of each of its values.
    other : str, optional
        Name of all other values of that column; by default such rows are left out.
    value : str, optional
        Column of numbers to sum, such as minutes.
    item : str, optional
        Column with the object of the event, such as a product; distinct ones are counted.
    attributes : tuple of str
        Columns of texts of which the first and the last are features.
    """

    kind: KindName | None = None
    kind_column: str | None = None
    kinds: dict[str, KindName] = Field(default_factory=dict)
    other: KindName | None = None
    value: str | None = None
    item: str | None = None
    attributes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _check_one_kind(self) -> "LogConfig":
        by_column = (self.kind_column is not None, bool(self.kinds), self.kind is None)
        if len(set(by_column)) > 1 or (self.other and self.kind):
            raise ValueError("give kind, or kind_column and kinds")
        return self

    @property
    def kind_names(self) -> tuple[str, ...]:
        """Kinds of its events."""
        names = (self.kind, *self.kinds.values(), self.other)
        return tuple(dict.fromkeys(filter(None, names)))

    def columns(self) -> list[str]:
        own = (self.kind_column, self.value, self.item, *self.attributes)
        return [*super().columns(), *filter(None, own)]


class EventConfig(Record):
    """Configuration of the leads to make of event logs.

    The cutoffs are given by one of `after`, `every` (with `active_within`) and `after_events`.

    Parameters
    ----------
    entity : str
        Column with the id of the entity, such as "visitor_id".
    logs : tuple of LogConfig
        Tables of events.
    outcomes : OutcomeConfig
        Table of outcomes.
    entities : EntityConfig, optional
        Table of entities.
    windows : tuple of int
        Days before the cutoff in which events are counted, ascending; without any, only totals.
    horizon : int, optional
        Days after the cutoff within which an outcome counts; by default any later one does.
    after : tuple of int
        Cutoffs in days after the start of each entity.
    every, active_within : int, optional
        Cutoffs every `every` days, for each entity with an event in the `active_within` days before.
    after_events : int, optional
        Cutoff right after this number of events of an entity, such as clicks of a session.
    ratios : dict of str to tuple of str
        Features that divide the number of events of one kind by that of another.
    until : date, optional
        Last day that the tables cover; by default that of the newest row.
    """

    entity: str
    logs: Annotated[tuple[LogConfig, ...], Field(min_length=1)]
    outcomes: OutcomeConfig
    entities: EntityConfig | None = None
    windows: Days = (1, 7, 30, 90)
    horizon: PositiveInt | None = None
    after: Days = ()
    every: PositiveInt | None = None
    active_within: PositiveInt | None = None
    after_events: PositiveInt | None = None
    ratios: dict[str, tuple[str, str]] = Field(default_factory=dict)
    until: dt.date | None = None

    @model_validator(mode="after")
    def _check_cutoffs(self) -> "EventConfig":
        if sum(map(bool, (self.after, self.every, self.after_events))) != 1:
            raise ValueError("give one of after, every and after_events")
        if (self.every is None) != (self.active_within is None):
            raise ValueError("every and active_within go together")
        if self.after and not (self.entities and self.entities.start):
            raise ValueError("after counts from the start of an entity: give entities with a start")
        if self.horizon is None and not self.after_events:
            raise ValueError("give the horizon in days")
        return self

    @model_validator(mode="after")
    def _check_names(self) -> "EventConfig":
        for name, pair in self.ratios.items():
            if unknown := [kind for kind in pair if kind not in self.kinds]:
                raise ValueError(f"the ratio {name!r} needs a kind {unknown[0]!r}, which no log has")
        taken = [*RESERVED, self.entity, "entity", "start"]
        if clash := [name for name in (*self.fields, *self.attributes) if name in taken]:
            raise ValueError(f"{clash[0]!r} cannot be a field: the leads have a column of that name")
        if self.entity in taken[:3]:
            raise ValueError(f"the entity cannot be named {self.entity!r}: the leads have such a column")
        return self

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of events of all logs."""
        return tuple(dict.fromkeys(kind for log in self.logs for kind in log.kind_names))

    @property
    def fields(self) -> tuple[str, ...]:
        """Fields of an entity that are known from its start."""
        return self.entities.fields if self.entities else ()

    @property
    def attributes(self) -> tuple[str, ...]:
        """Attributes of the events of all logs."""
        return tuple(dict.fromkeys(name for log in self.logs for name in log.attributes))
