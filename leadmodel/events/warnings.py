"""Refuse histories whose times cannot be read, and warn of what is left out of them or unusual."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import polars as pl

from leadmodel.errors import EventError, quoted
from leadmodel.events.calls import ATTRIBUTES, EntityCall, EventWarning
from leadmodel.events.rows import COPIES, NO_NUMBER, REASONS, ROW, WHY
from leadmodel.leads.event_recipe import DateParts, EventConfig, LogConfig

__all__ = ["LOG", "check_times", "read_histories"]

LOG = "(log)"
"""Column with the position of an event's table in the recipe."""

_, OTHER_KIND, UNDATED, _ = REASONS
MAX_SHOWN = 5
DAY = dt.timedelta(days=1)


@dataclass
class _History:
    """What was found of one entity."""

    times: list[dt.datetime] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    selected: Counter[str] = field(default_factory=Counter)
    n_later: int = 0
    n_copies: int = 0
    n_no_number: int = 0
    start: dt.datetime | None = None
    converted: dt.datetime | None = None


def check_times(
    config: EventConfig,
    call: EntityCall,
    rows: pl.DataFrame,
    entities: pl.DataFrame,
    outcomes: pl.DataFrame,
) -> None:
    """Raise EventError for the first event or outcome without a time, or entity without its start.

    Parameters
    ----------
    config : EventConfig
        The ``[events]`` of the recipe.
    call : EntityCall
        The call.
    rows, entities, outcomes : DataFrame
        As `leadmodel.events.rows` reads them; the events with `LOG`.
    """
    undated = [
        (config.logs[log].table, config.logs[log].time, row)
        for why, log, row in zip(rows[WHY], rows[LOG], rows[ROW], strict=True)
        if why == UNDATED
    ]
    outcome = config.outcomes
    undated += [(outcome.table, outcome.time, row) for row in _undated_rows(outcomes)]
    if ATTRIBUTES in call.tables and config.entities and config.entities.start:
        undated += [(ATTRIBUTES, config.entities.start, row) for row in _undated_rows(entities)]
    if not undated:
        return
    table, time, row = min(undated, key=lambda found: (call.tables[found[0]].entities[found[2]], found[2]))
    names, given = _columns(time), call.tables[table]
    values = ", ".join(quoted(given.columns[name][row]) for name in names)
    problem = (
        f"the field {quoted(names[0])} must be a time that can be read, such as 2022-09-01T12:00:00Z or "
        f"2022-09-01, from 1990 on. Got {values} instead."
    )
    number = given.entities[row] + 1
    if table == ATTRIBUTES:
        raise EventError(number, problem, field=names[0])
    raise EventError(number, problem, table, given.places[row] + 1, names[0])


def _undated_rows(frame: pl.DataFrame) -> list[int]:
    return [row for why, row in zip(frame[WHY], frame[ROW], strict=True) if why == UNDATED]


def _columns(time: str | DateParts) -> list[str]:
    return [time] if isinstance(time, str) else [*time.date, *([time.step] if time.step else [])]


def read_histories(
    config: EventConfig,
    call: EntityCall,
    rows: pl.DataFrame,
    entities: pl.DataFrame,
    outcomes: pl.DataFrame,
    cutoffs: Mapping[str, dt.datetime],
) -> list[tuple[int, tuple[EventWarning, ...]]]:
    """Return the number of events that count, and the warnings, of each entity.

    Parameters
    ----------
    config, call, rows, entities, outcomes
        As for `check_times`.
    cutoffs : mapping of str to datetime
        Moment of each entity, by its position.
    """
    found, moments = [_History() for _ in call.ids], [*cutoffs.values()]
    columns = (rows[name].to_list() for name in ("entity", "time", WHY, COPIES, NO_NUMBER, ROW, LOG))
    for entity, time, why, copies, no_number, row, number in zip(*columns, strict=True):
        history, log = found[int(entity)], config.logs[number]
        history.selected[log.table] += copies
        if why == OTHER_KIND:
            history.kinds[str(call.tables[log.table].columns[log.kind_column or ""][row])] += copies
        elif time >= moments[int(entity)]:
            history.n_later += copies
        else:
            history.times.append(time)
            history.n_copies += copies - 1
            history.n_no_number += no_number
    for entity, time, copies in zip(*(outcomes[name] for name in ("entity", "time", COPIES)), strict=True):
        history = found[int(entity)]
        history.selected[config.outcomes.table] += copies
        if time <= moments[int(entity)]:
            history.converted = min(time, history.converted or time)
    if "start" in entities.columns:
        for entity, start in zip(entities["entity"], entities["start"], strict=True):
            found[int(entity)].start = start
    for table, given in call.tables.items():
        for position in given.entities:
            found[position].sent[table] += 1
    return [
        (
            len(history.times),
            (*_warnings(config, history, call.absent[n], moments[n]), *_unused(call.unused[n])),
        )
        for n, history in enumerate(found)
    ]


def _unused(columns: Mapping[str, list[str]]) -> Iterator[EventWarning]:
    for table, names in columns.items():
        told = f"The recipe does not use these columns of {quoted(table)}: {_listed(names)}."
        yield EventWarning(kind="unused column", message=told)


def _warnings(
    config: EventConfig, history: _History, absent: tuple[str, ...], at: dt.datetime
) -> Iterator[EventWarning]:
    def warn(kind: str, message: str) -> EventWarning:
        return EventWarning.model_validate({"kind": kind, "message": message})

    n_used = len(history.times)
    if history.converted:
        told = f"It converted at {_shown(history.converted)}. The model learned from those who had not yet."
        yield warn("converted", told)
    if history.start and history.start >= at:
        yield warn(
            "after its start", f"The moment, {_shown(at)}, is before its start, {_shown(history.start)}."
        )
    if not n_used:
        yield warn("no events", f"It has no events before {_shown(at)}, and is scored as one without any.")
    elif config.after_events and n_used < config.after_events:
        told = f"It has {_events(n_used)}. The model learned what follows after {config.after_events}."
        yield warn("few events", told)
    for table in absent:
        kinds = dict.fromkeys(kind for log in config.logs if log.table == table for kind in log.kind_names)
        told = f"Nothing was sent of {quoted(table)}: it counts as none of {_listed(kinds)}."
        yield warn("no table", f"{told} Send an empty list if there were none.")
    if history.n_later:
        told = f"{_events(history.n_later)} from {_shown(at)} on were left out. "
        told += "A date counts as the end of its day, and a time without an offset is in UTC."
        yield warn("after the moment", told)
    if history.kinds:
        n = history.kinds.total()
        yield warn(
            "unknown kind", f"{_events(n)} of unknown kinds were left out: {_listed(history.kinds)}."
        )
    yield from (warn("not selected", told) for told in _not_selected(config.logs, history))
    if history.n_copies:
        yield warn(
            "duplicate", f"{_events(history.n_copies)} identical to others left out: they count once."
        )
    if history.n_no_number:
        told = f"{_events(history.n_no_number)} had a value that is not a number and counted without it."
        yield warn("not a number", told)
    if gap := _gap(config, sorted(history.times)):
        yield warn("gap", gap)


def _not_selected(logs: Iterable[LogConfig], history: _History) -> Iterator[str]:
    for log in logs:
        n = history.sent[log.table] - history.selected[log.table]
        if log.where and n > 0:
            texts = {name: [text] if isinstance(text, str) else text for name, text in log.where.items()}
            needed = " and ".join(
                f"{quoted(name)} is {' or '.join(map(quoted, wanted))}" for name, wanted in texts.items()
            )
            told = f"{_events(n)} of {quoted(log.table)} were left out."
            yield f"{told} The recipe takes those whose {needed}."


def _gap(config: EventConfig, times: list[dt.datetime]) -> str | None:
    """Describe the longest silence between two events, if it is longer than all windows of the recipe."""
    days = (*config.windows, *config.after, config.horizon or 0, config.active_within or 0)
    longest, since = max(((b - a, a) for a, b in pairwise(times)), default=(DAY * 0, None))
    if since is None or longest <= max(days) * DAY:
        return None
    told = f"There is no event between {_shown(since)} and {_shown(since + longest)}"
    return f"{told}, {longest / DAY:.0f} days. Is the history complete?"


def _events(n: int) -> str:
    return f"{n:,} event" if n == 1 else f"{n:,} events"


def _listed(names: Iterable[str]) -> str:
    known = list(names)
    more = f" and {len(known) - MAX_SHOWN} more" if len(known) > MAX_SHOWN else ""
    return ", ".join(map(quoted, known[:MAX_SHOWN])) + more


def _shown(time: dt.datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"
