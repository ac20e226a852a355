"""Make the features of entities whose events come with a call, as those of the training leads were made.

The functions that read tables and build features are those of training. Polars needs tens of milliseconds
to put their expressions together, and one to compute them for an entity. So they are put together once, on
sources that give the rows of the call that is being answered.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import polars as pl
from polars.io.plugins import register_io_source

from leadmodel.errors import InputError, quoted
from leadmodel.events.calls import ATTRIBUTES, CallReader, EntityCall, EventWarning
from leadmodel.events.cutoffs import leads_after_events
from leadmodel.events.dataset import describe_leads
from leadmodel.events.rows import ROW, WHY, entity_rows, event_rows, outcome_rows
from leadmodel.events.tables import earliest_rows, kept_rows
from leadmodel.events.timestamps import EARLIEST, LATEST, N_PROBED, find_unit, read_moment
from leadmodel.events.warnings import LOG, check_times, read_histories
from leadmodel.leads.event_recipe import EntityConfig, EventConfig, LogConfig, OutcomeConfig, TableConfig

__all__ = ["Described", "OnlineFeatures"]

ROWS, CUTOFFS, ENTITIES, LEADS = "(rows)", "(cutoffs)", "(entities)", "(leads)"
"""Sources of a plan, beside the tables of the call and `LOG`, the events that count."""

MOMENTS = pl.Schema([("entity", pl.String()), ("cutoff", pl.Datetime("us"))])
FAR = dt.datetime(9999, 1, 1)
FEW_ROWS = 20_000
"""Up to this many events, optimizing a plan takes longer than running it as it is."""

MAX_PLANS = 8
"""Units of times, of all tables, for which plans are kept."""

TICK = dt.timedelta(microseconds=1)
Frames = Mapping[str, pl.DataFrame]
Units = Mapping[tuple[str, str], str | None]
Timed = TypeVar("Timed", LogConfig, OutcomeConfig, EntityConfig)


@dataclass(frozen=True)
class Described:
    """One entity at a moment.

    Parameters
    ----------
    entity : str
        Its id.
    at : datetime
        The moment, in UTC without a zone.
    features : dict of str to object
        Its attributes and features by name.
    n_events : int
        Events before the moment, of which the features are made.
    warnings : tuple of EventWarning
        What was left out of its history, or is unusual in it.
    """

    entity: str
    at: dt.datetime
    features: dict[str, Any]
    n_events: int
    warnings: tuple[EventWarning, ...] = ()


class OnlineFeatures:
    """Make features of the entities of calls; safe to use from several threads.

    Parameters
    ----------
    config : EventConfig
        The ``[events]`` of the recipe that the model was trained by.
    """

    def __init__(self, config: EventConfig) -> None:
        self.config, self.reader = config, CallReader(config)
        self._idle: defaultdict[tuple[Any, ...], list[_Plan]] = defaultdict(list)

    def describe(self, entities: Sequence[Mapping[str, Any]], at: dt.datetime) -> list[Described]:
        """Make the features of each entity at the moment `at`.

        If the recipe asks after a number of events, the moment is right after the last of them, or of
        those that there are.

        Parameters
        ----------
        entities : sequence of mapping
            As `leadmodel.events.calls` describes them.
        at : datetime
            In UTC, without a zone; events from then on are left out.

        Raises
        ------
        InputError
            If an entity or an event is wrong: the first one, with its place.
        """
        call = self.reader.read(entities)
        if not call.ids:
            return []
        try:
            return self._describe(call, at)
        except pl.exceptions.PolarsError as error:  # its text may quote rows
            raise InputError(f"The events cannot be read ({type(error).__name__}).") from None
        except UnicodeEncodeError:
            raise InputError("The events must be valid Unicode.") from None

    @staticmethod
    def as_moment(at: str | dt.datetime | dt.date | None) -> dt.datetime:
        """Return a moment in UTC, without a zone: a date is the beginning of its day, None is now.

        Raises
        ------
        InputError
            If it is no moment of the years 1990 to 2100.
        """
        if at is None:
            return dt.datetime.now(dt.UTC).replace(tzinfo=None)
        if isinstance(at, dt.date | dt.datetime):
            at = at.isoformat()
        if not isinstance(at, str):
            raise InputError(
                f"The moment must be a text such as 2022-09-01T12:00. Got {quoted(at)} instead."
            )
        try:
            moment = read_moment(at)
        except OverflowError:
            moment = FAR
        if not EARLIEST <= moment < LATEST:
            raise InputError(f"The moment must be in the years 1990 to 2100. Got {quoted(at)} instead.")
        return moment

    def _describe(self, call: EntityCall, at: dt.datetime) -> list[Described]:
        units, keys = self._units(call), [str(n) for n in range(len(call.ids))]
        frames = self._frames(call, units)
        with self._plan(units, frames) as plan:
            rows, entities, outcomes = plan.read(frames)
            check_times(self.config, call, rows, entities, outcomes)
            cutoffs = dict.fromkeys(keys, at)
            if self.config.after_events:
                cutoffs |= plan.moments(rows, at)
            log_frames = {ROWS: rows, ENTITIES: entities, CUTOFFS: _cutoff_frame(cutoffs)}
            table = plan.features(log_frames)
        names = [name for name in table.columns if name not in ("entity", "cutoff")]
        values = dict(zip(table["entity"], table.select(names).iter_rows(named=True), strict=True))
        histories = read_histories(self.config, call, rows, entities, outcomes, cutoffs)
        return [
            Described(call.ids[n], cutoffs[key], values[key], *histories[n]) for n, key in enumerate(keys)
        ]

    def _frames(self, call: EntityCall, units: Units) -> dict[str, pl.DataFrame]:
        """Return the rows of a call as frames, each entity by its position; all but times are texts."""
        frames = {}
        for name, rows in call.tables.items():
            entities = pl.Series(rows.entities, dtype=pl.Int64).cast(pl.String)
            columns = {key: entities for key in self.reader.keys}
            columns |= {key: pl.Series(texts, dtype=pl.String) for key, texts in rows.columns.items()}
            for key in rows.columns:
                if units.get((name, key)):
                    columns[key] = columns[key].cast(pl.Float64, strict=False)
            frames[name] = pl.DataFrame(columns | {ROW: pl.Series(range(len(entities)), dtype=pl.Int64)})
        return frames

    @contextmanager
    def _plan(self, units: Units, frames: Frames) -> Iterator["_Plan"]:
        """Take a plan that no other thread uses, or make one, and put it back."""
        idle = self._idle[tuple(units.values())]
        try:
            plan = idle.pop()
        except IndexError:
            plan = _Plan(self.config, units, {name: frame.clear() for name, frame in frames.items()})
        try:
            yield plan
        finally:
            plan.release()
            idle.append(plan)
            if len(self._idle) > MAX_PLANS:  # strangers can choose the units
                self._idle.clear()

    def _units(self, call: EntityCall) -> dict[tuple[str, str], str | None]:
        """Return the unit of each column of times, None for texts; plans for numbers are others."""
        units = {}
        for config in _timed(self.config):
            time = config.start if isinstance(config, EntityConfig) else config.time
            if isinstance(time, str) and config.format is None:
                name = _name_in_call(config, call.tables)
                given = [text for text in call.tables[name].columns[time] if text is not None]
                units[name, time] = find_unit(given[:N_PROBED], time, config.table, config.unit)
        return units


class _Plan:
    """The reading and the features of a recipe, put together once and run on the frames of each call."""

    def __init__(self, config: EventConfig, units: Units, empty: Frames) -> None:
        self._frames = dict(empty)
        sources = {name: self._source(name, frame.schema) for name, frame in empty.items()}
        logs = (event_rows(sources, _with_unit(log, units), config.entity, FAR) for log in config.logs)
        self._logs = [
            (log.table, rows.with_columns(pl.lit(n).alias(LOG)))
            for n, (log, rows) in enumerate(zip(config.logs, logs, strict=True))
        ]
        outcome = _with_unit(config.outcomes, units)
        self._outcomes = outcome.table, outcome_rows(sources, outcome, config.entity, FAR)
        self._entities = "", pl.LazyFrame(schema={"entity": pl.String})
        if config.entities:
            table = _name_in_call(config.entities, empty)
            named = config.entities.model_copy(update={"table": table})
            self._entities = table, entity_rows(sources, _with_unit(named, units), config.entity, FAR)
        # Concatenated to, so that there are all columns even if no table of the call has rows.
        self._no_rows = (
            pl.concat([log for _, log in self._logs], how="diagonal").collect_schema().to_frame()
        )
        entities = self._entities[1]
        self._kept = kept_rows(self._source(ROWS, self._no_rows.schema)).drop(ROW, LOG)
        known = self._source(ENTITIES, entities.collect_schema())
        if config.entities:
            known = earliest_rows(kept_rows(known).drop(ROW))
        self._leads = self._source(CUTOFFS, MOMENTS).join(known, on="entity", how="left")
        log = self._source(LOG, self._kept.collect_schema())
        # Their events and leads are sources of their own, because they are used more than once.
        leads = self._source(LEADS, self._leads.collect_schema())
        self._features = describe_leads(log, leads, config)
        self._moments = leads_after_events(log, config.after_events) if config.after_events else None

    def _source(self, name: str, schema: pl.Schema) -> pl.LazyFrame:
        def give(
            columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _: int | None
        ) -> Iterator[pl.DataFrame]:
            frame = self._frames[name]
            frame = frame if predicate is None else frame.filter(predicate)
            frame = frame if columns is None else frame.select(columns)
            yield frame if n_rows is None else frame.head(n_rows)

        return register_io_source(give, schema=schema)

    def release(self) -> None:
        """Forget the rows of the call."""
        self._frames.clear()

    def read(self, frames: Frames) -> list[pl.DataFrame]:
        """Return the events, the entities and the outcomes of a call."""
        self._frames.update(frames)
        tables = [*self._logs, self._entities, self._outcomes]
        # A table without rows takes as long as one with some.
        full = [n for n, (table, _) in enumerate(tables) if len(frames.get(table, ()))]
        read = dict(zip(full, pl.collect_all([tables[n][1] for n in full], **self._how()), strict=True))
        rows = [read[n] for n in range(len(self._logs)) if n in read]
        others = [
            read[n] if n in read else tables[n][1].collect_schema().to_frame()
            for n in range(len(self._logs), len(tables))
        ]
        return [pl.concat([self._no_rows, *rows], how="diagonal"), *others]

    def moments(self, rows: pl.DataFrame, at: dt.datetime) -> dict[str, dt.datetime]:
        """Return the cutoff of each entity with events, right after the number of them in the recipe."""
        before = rows.filter(pl.col(WHY).is_null() & (pl.col("time") < at))
        self._frames[LOG] = kept_rows(before.lazy()).drop(ROW, LOG).collect()
        latest = before.group_by("entity").agg(pl.col("time").max() + TICK)
        assert self._moments is not None
        reached = self._moments.collect()
        return dict(latest.iter_rows()) | dict(reached.select("entity", "cutoff").iter_rows())

    def features(self, frames: Frames) -> pl.DataFrame:
        """Return the leads with their features."""
        self._frames.update(frames)
        how = self._how()
        self._frames[LOG], self._frames[LEADS] = pl.collect_all([self._kept, self._leads], **how)
        return self._features.collect(**how)

    def _how(self) -> dict[str, Any]:
        if sum(map(len, self._frames.values())) > FEW_ROWS:
            return {"engine": "streaming"}
        return {"optimizations": pl.QueryOptFlags.none()}


def _timed(config: EventConfig) -> list[LogConfig | OutcomeConfig | EntityConfig]:
    return [*config.logs, config.outcomes, *([config.entities] if config.entities else [])]


def _with_unit(table: Timed, units: Units) -> Timed:
    time = table.start if isinstance(table, EntityConfig) else table.time
    unit = units.get((table.table, time)) if isinstance(time, str) else None
    return table.model_copy(update={"unit": unit}) if unit else table


def _name_in_call(table: TableConfig, tables: Mapping[str, Any]) -> str:
    """Return the name under which a call has the rows of a table of the recipe."""
    return ATTRIBUTES if isinstance(table, EntityConfig) and table.table not in tables else table.table


def _cutoff_frame(cutoffs: Mapping[str, dt.datetime]) -> pl.DataFrame:
    return pl.DataFrame({"entity": list(cutoffs), "cutoff": list(cutoffs.values())}, schema=MOMENTS)
