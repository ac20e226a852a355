"""Check the entities of a call, each with its events as the tables of the recipe have them.

    {"student_id": 7, "date_registered": "2022-08-29", "student_country": "US",
     "events": {"365_student_learning": [{"date_watched": "2022-08-30", "minutes_watched": 12.5,
                                          "course_id": 14}]}}

A recipe with one table of events takes a list of rows in place of the tables. Columns of joined tables
belong in the rows. Nothing here needs polars, which only reading the rows does.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import PurePosixPath
from typing import Any, Literal

from leadmodel.errors import EventError, InputError, quoted
from leadmodel.leads.event_recipe import DateParts, EventConfig, LogConfig, TimedConfig
from leadmodel.records import Record

__all__ = [
    "ATTRIBUTES",
    "EVENTS",
    "OTHERS",
    "CallReader",
    "EntityCall",
    "EventWarning",
    "TableRows",
    "count_events",
]

EVENTS = "events"
"""Key of an entity's events, beside its attributes."""

ATTRIBUTES = "(attributes)"
"""Table of the entities' own attributes, where the recipe has them in a table of their own."""

OTHERS = "(other columns)"
"""Column with all that a row has beyond the recipe's columns: rows that differ in it are two events."""

MAX_NAME = 100
"""Characters of a column's name that are compared with those of the recipe, and shown."""


class EventWarning(Record):
    """Warn of something in a history, which is scored all the same."""

    kind: Literal[
        "unknown kind",
        "after the moment",
        "not selected",
        "duplicate",
        "not a number",
        "unused column",
        "no table",
        "no events",
        "few events",
        "gap",
        "after its start",
        "converted",
    ]
    message: str


@dataclass(frozen=True)
class TableRows:
    """Rows of one table, of all entities of a call.

    Parameters
    ----------
    columns : dict of str to list of str or None
        Texts by column, `OTHERS` included.
    entities, places : list of int
        Position of each row's entity in the call, and its own among the rows of the entity.
    """

    columns: dict[str, list[str | None]]
    entities: list[int] = field(default_factory=list)
    places: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class EntityCall:
    """Entities and events of one call.

    Parameters
    ----------
    ids : list of str
        Of the entities.
    tables : dict of str to TableRows
        Rows by table.
    absent : list of tuple of str
        Tables of events that each entity has no list for.
    unused : list of dict of str to list of str
        Columns of each entity's events that the recipe does not use, by table.
    """

    ids: list[str]
    tables: dict[str, TableRows]
    absent: list[tuple[str, ...]]
    unused: list[dict[str, list[str]]]


@dataclass(frozen=True)
class _Shape:
    """Columns of a table, those of them that every row must have, be it as null, and keys of joins."""

    name: str
    columns: tuple[str, ...]
    required: tuple[str, ...]
    keys: tuple[str, ...]


class CallReader:
    """Read the entities of calls by a recipe."""

    def __init__(self, config: EventConfig) -> None:
        self.config = config
        timed = (*config.logs, config.outcomes)
        logs = list(dict.fromkeys(log.table for log in config.logs))
        self.logs = tuple(logs)
        self.shapes: dict[str, _Shape] = {}
        for name in dict.fromkeys(table.table for table in timed):
            users = [table for table in timed if table.table == name]
            used = [column for table in users for column in table.columns()]
            if config.entities and config.entities.table == name:
                used += config.entities.columns()
            # A table of events that has the outcomes as well need not have the amounts.
            needing = [table for table in users if isinstance(table, LogConfig)] or users
            required = [column for table in needing for column in _required(table)]
            keys = _unique(join.on for table in users for join in table.joins)
            self.shapes[name] = _Shape(name, _unique(used), _unique(required), keys)
        self.attributes: tuple[str, ...] = ()
        if config.entities and config.entities.table not in self.shapes:
            self.attributes = _unique(config.entities.columns())
        named = (*timed, config.entities) if config.entities else timed
        self.keys = {config.entity, *(table.entity or config.entity for table in named)}

    def read(self, entities: Sequence[Mapping[str, Any]]) -> EntityCall:
        """Read the entities of a call.

        Raises
        ------
        InputError
            If they are no list.
        EventError
            If an entity or a row is wrong; the first one, with entity, row and field.
        """
        if not isinstance(entities, Sequence) or isinstance(entities, str):
            raise InputError(f"The entities must be a list of objects. Got {quoted(entities)} instead.")
        tables = {name: _empty(shape.columns) for name, shape in self.shapes.items()}
        if self.attributes:
            tables[ATTRIBUTES] = _empty(self.attributes)
        call = EntityCall([], tables, [], [])
        for position, entity in enumerate(entities):
            if not isinstance(entity, Mapping):
                raise EventError(
                    position + 1, f"an entity must be an object. Got {quoted(entity)} instead."
                )
            call.ids.append(self._read_id(position, entity))
            call.unused.append({})
            self._read_attributes(call, position, entity)
            self._read_events(call, position, entity.get(EVENTS))
        return call

    def _read_id(self, position: int, entity: Mapping[str, Any]) -> str:
        names = [self.config.entity]
        names += [self.config.entities.entity or ""] if self.config.entities else []
        value = next((entity[name] for name in names if name in entity), None)
        text = _text(value, position + 1, names[0])
        if text is None or not text.strip():
            problem = f"the entity must have its id as {quoted(names[0])}. Got {quoted(value)} instead."
            raise EventError(position + 1, problem, field=names[0])
        return text.strip()

    def _read_attributes(self, call: EntityCall, position: int, entity: Mapping[str, Any]) -> None:
        known = {*self.keys, EVENTS, *self.attributes}
        for name in entity:
            if name not in known:
                problem = f"the entity has an attribute {quoted(name)} that the recipe does not know."
                hint = _hint(str(name), (*self.attributes, EVENTS))
                expected = ", ".join((self.config.entity, *self.attributes, EVENTS))
                raise EventError(
                    position + 1, f"{problem}{hint} Known: {expected}.", field=str(name)[:MAX_NAME]
                )
        if any(name in entity for name in self.attributes):
            rows = call.tables[ATTRIBUTES]
            for name in self.attributes:
                rows.columns[name].append(_text(entity.get(name), position + 1, name))
            rows.columns[OTHERS].append(None)
            rows.entities.append(position)
            rows.places.append(0)
        elif self.config.after:
            missing = ", ".join(map(quoted, self.attributes))
            raise EventError(position + 1, f"the entity must have the attributes {missing}. It has none.")

    def _read_events(self, call: EntityCall, position: int, events: Any) -> None:
        given: dict[str, Any] = {}
        if isinstance(events, Mapping):
            for key, rows in events.items():
                name = self._find_table(position, key)
                if name in given:
                    raise EventError(position + 1, f"the table {quoted(name)} must be given once.")
                given[name] = rows
        elif events is not None:
            if len(self.logs) > 1:
                example = ", ".join(map(quoted, self.logs))
                problem = f"the events must be an object with the rows of each table: {example}."
                raise EventError(position + 1, f"{problem} Got {quoted(events)} instead.", field=EVENTS)
            given[self.logs[0]] = events
        for name, rows in given.items():
            if not isinstance(rows, Sequence) or isinstance(rows, str):
                problem = f"the events must be a list of rows. Got {quoted(rows)} instead."
                raise EventError(position + 1, problem, name)
            self._read_rows(call, position, self.shapes[name], rows)
        call.absent.append(tuple(name for name in self.logs if given.get(name) is None))

    def _find_table(self, position: int, key: Any) -> str:
        for name in self.shapes:
            if key in (name, PurePosixPath(name).stem):
                return name
        problem = f"the events have a table {quoted(key)} that the recipe does not name."
        hint = _hint(str(key), self.shapes)
        raise EventError(
            position + 1, f"{problem}{hint} Known: {', '.join(self.shapes)}.", str(key)[:MAX_NAME]
        )

    def _read_rows(self, call: EntityCall, position: int, shape: _Shape, rows: Sequence[Any]) -> None:
        others = self._check_keys(call, position, shape, rows)
        table, number = call.tables[shape.name], position + 1
        for name in shape.columns:
            column = table.columns[name]
            try:
                column += [_text(row.get(name), number, name) for row in rows]
            except EventError as error:
                place = next(n for n, row in enumerate(rows, 1) if _is_nested(row.get(name)))
                raise EventError(
                    number, error.args[0].partition(": ")[2], shape.name, place, name
                ) from None
        for row in rows:
            kept = [(name, repr(row[name])) for name in others if name in row]
            table.columns[OTHERS].append(repr(kept) if kept else None)
        table.entities.extend([position] * len(rows))
        table.places.extend(range(len(rows)))

    def _check_keys(self, call: EntityCall, position: int, shape: _Shape, rows: Sequence[Any]) -> list[str]:
        """Check the columns of rows, and return those that the recipe does not use, in order."""
        seen: dict[tuple[Any, ...], int] = {}
        for place, row in enumerate(rows, 1):
            if not isinstance(row, Mapping):
                problem = f"an event must be an object. Got {quoted(row)} instead."
                raise EventError(position + 1, problem, shape.name, place)
            seen.setdefault(tuple(row), place)
            for key in self.keys.intersection(row):
                own = _text(row[key], position + 1, key)
                if own is not None and own.strip() != call.ids[position]:
                    problem = f"the event must be of its entity. Its {quoted(key)} is {quoted(own)}."
                    raise EventError(position + 1, problem, shape.name, place, key)
        unused: dict[Any, None] = {}
        for names, place in seen.items():
            free = [str(name)[:MAX_NAME] for name in names if name not in self.keys | {*shape.columns}]
            for name in (name for name in shape.columns if name not in names):
                close = get_close_matches(name, free, n=1, cutoff=0.8)
                if close or name in shape.required:
                    hint = f" It has {quoted(close[0])}; name it {quoted(name)}." if close else ""
                    problem = f"the event must have a field {quoted(name)}.{hint}"
                    raise EventError(position + 1, problem, shape.name, place, name)
            unused |= dict.fromkeys(name for name in names if name not in self.keys | {*shape.columns})
        if told := [str(name)[:MAX_NAME] for name in unused if name not in shape.keys]:
            call.unused[position][shape.name] = told
        return sorted(unused, key=str)


def count_events(entity: Any) -> int:
    """Return how many rows an entity of a call has, whatever it is."""
    events = entity.get(EVENTS) if isinstance(entity, Mapping) else None
    tables = events.values() if isinstance(events, Mapping) else [events]
    return sum(len(rows) for rows in tables if isinstance(rows, list | tuple))


def _required(table: TimedConfig) -> list[str]:
    parts = table.time
    times = (
        [*parts.date, *([parts.step] if parts.step else [])] if isinstance(parts, DateParts) else [parts]
    )
    kind = [table.kind_column] if isinstance(table, LogConfig) and table.kind_column else []
    return [*times, *kind, *table.where]


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _empty(columns: tuple[str, ...]) -> TableRows:
    return TableRows({name: [] for name in (*columns, OTHERS)})


def _hint(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name[:MAX_NAME], list(known), n=1)
    return f" Did you mean {quoted(close[0])}?" if close else ""


def _is_nested(value: Any) -> bool:
    return isinstance(value, Mapping | list | tuple | set)


def _text(value: Any, entity: int, name: str) -> str | None:
    """Return a value as a CSV file would have it; raise EventError if it is no single value."""
    if value is None or isinstance(value, str):
        return value
    value = value.item() if type(value).__module__ == "numpy" and not value.shape else value
    if value != value:  # NaN and NaT
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, int | float):
        try:
            return str(value)
        except ValueError:  # an integer of thousands of digits
            raise _unreadable(value, entity, name) from None
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    raise _unreadable(value, entity, name)


def _unreadable(value: Any, entity: int, name: str) -> EventError:
    return EventError(
        entity, f"the field {quoted(name)} must be a single value. Got {quoted(value)} instead.", field=name
    )
