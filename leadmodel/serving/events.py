"""Describe calls with raw events: an example, and the request body for OpenAPI."""

import datetime as dt
from typing import Any

from leadmodel.events.calls import EVENTS, CallReader
from leadmodel.leads.event_recipe import DateParts, EntityConfig, EventConfig, LogConfig

__all__ = ["describe_event_call", "example_call"]

MOMENT = dt.datetime(2024, 1, 3, 12, tzinfo=dt.UTC)
PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000}


def example_call(config: EventConfig) -> dict[str, Any]:
    """Return a made-up call of one entity with an event in each table."""
    reader = CallReader(config)
    entity: dict[str, Any] = {config.entity: "1"}
    if config.entities and reader.attributes:
        entity |= dict.fromkeys(reader.attributes)
        entity |= _time(config.entities, MOMENT - dt.timedelta(days=2))
    tables: dict[str, list[dict[str, Any]]] = {name: [] for name in reader.logs}
    for log in config.logs:
        row: dict[str, Any] = dict.fromkeys(reader.shapes[log.table].columns)
        row |= {name: text if isinstance(text, str) else text[0] for name, text in log.where.items()}
        row |= {log.kind_column: next(iter(log.kinds))} if log.kind_column else {}
        row |= {log.value: 1} if log.value else {}
        row |= {log.item: "1"} if log.item else {}
        tables[log.table].append(row | _time(log, MOMENT - dt.timedelta(days=1)))
    return {"entities": [entity | {EVENTS: tables}], "at": f"{MOMENT:%Y-%m-%dT%H:%M:%SZ}"}


def _time(table: LogConfig | EntityConfig, moment: dt.datetime) -> dict[str, Any]:
    """Return a moment in the columns and the form of a table."""
    time = table.start if isinstance(table, EntityConfig) else table.time
    if isinstance(time, DateParts):
        parts = dict(zip(time.date, (moment.year, moment.month, moment.day), strict=True))
        return parts | ({time.step: 1} if time.step else {})
    if time is None:
        return {}
    if table.format:
        return {time: moment.strftime(table.format)}
    if table.unit:
        return {time: int(moment.timestamp()) * PER_SECOND[table.unit]}
    return {time: f"{moment:%Y-%m-%dT%H:%M:%SZ}"}


def describe_event_call(config: EventConfig, most: int) -> dict[str, Any]:
    """Return the request body of /api/v1/score-events as OpenAPI has it."""
    reader, value = CallReader(config), {"type": ["string", "number", "boolean", "null"]}
    tables = {}
    for name, shape in reader.shapes.items():
        row = {
            "type": "object",
            "properties": dict.fromkeys(shape.columns, value),
            "required": list(shape.required),
        }
        tables[name] = {"type": "array", "items": row}
    events: dict[str, Any] = {"type": "object", "properties": tables, "additionalProperties": False}
    if len(reader.logs) == 1:
        events = {"anyOf": [events, tables[reader.logs[0]]]}
    attributes = dict.fromkeys(reader.attributes, value)
    entity = {
        "title": "Entity",
        "type": "object",
        "properties": {config.entity: {"type": ["string", "integer"]}, **attributes, EVENTS: events},
        "required": [config.entity, *(reader.attributes if config.after else ())],
    }
    properties = {
        "entities": {"type": "array", "items": entity, "maxItems": most},
        "at": {"type": ["string", "null"], "title": "Moment, by default now; in UTC without an offset"},
    }
    schema = {"title": "Events", "type": "object", "properties": properties, "required": ["entities"]}
    content = {"schema": schema, "examples": {"one entity": {"value": example_call(config)}}}
    return {"required": True, "content": {"application/json": content}}
