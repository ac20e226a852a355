"""Read the tables of events, outcomes and entities, and report which rows were left out.

Every irregular row is counted:

- A row without a readable time is left out. If these are more than one in ten, the column or its format
  in the recipe must be wrong, and the table is refused.
- Times are in UTC; a date counts as the end of its day (see `leadmodel.events.timestamps`).
- Rows after today, or after the day `until` of the recipe, are left out as mistakes or plans.
- Duplicate rows count once; the order of the rows does not matter.
- A row without an id, or of a kind that the recipe does not name, is left out.
- If an entity has several rows in the table of entities, the earliest counts.
- Events and outcomes of unknown entities do not make leads.
- An event whose value is not a number counts without it, as does an outcome without a price.

Ids stay texts: 007 is not 7, and what Parquet holds as 7.0 is 7.
"""

import datetime as dt
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from leadmodel.errors import InputError, quoted
from leadmodel.events.files import check_tables, table_files
from leadmodel.events.rows import (
    COPIES,
    NO_NUMBER,
    REASONS,
    UNJOINED,
    WHY,
    entity_rows,
    event_rows,
    outcome_rows,
)
from leadmodel.leads.event_recipe import EventConfig, OutcomeConfig, TableConfig

__all__ = [
    "EventReport",
    "EventTables",
    "TableReport",
    "earliest_rows",
    "kept_rows",
    "read_event_tables",
]

MOST_UNDATED = 0.1
"""Share of rows without a time above which the recipe, not the rows, must be wrong."""


@dataclass(frozen=True)
class TableReport:
    """Number of rows read from one table.

    Attributes
    ----------
    table : str
        Name of the table.
    what : str
        Plural noun for its rows.
    n_rows, n_kept : int
        Rows that the recipe selects, and those of them that count.
    left_out, noted : dict of str to int
        Rows that do not count, and irregular ones that do, by the reason.
    """

    table: str
    what: str
    n_rows: int
    n_kept: int
    left_out: dict[str, int] = field(default_factory=dict)
    noted: dict[str, int] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """Return the lines to print."""
        rows = "" if self.n_rows == self.n_kept else f" of {self.n_rows:,} rows"
        reasons = (
            (f"left out: {_listed(self.left_out)}", self.left_out),
            (_listed(self.noted), self.noted),
        )
        lines = [f"    {line}" for line, counts in reasons if any(counts.values())]
        return [f"  {self.table}: {self.n_kept:,} {self.what}{rows}", *lines]


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{n:,} {why}" for why, n in counts.items() if n)


@dataclass(frozen=True)
class EventReport:
    """Number of rows read from all tables, and of leads made of them.

    Attributes
    ----------
    folder : str
        Folder of the tables.
    until : datetime
        Time up to which the tables are complete, in UTC.
    tables : tuple of TableReport
        Tables in the order of the recipe.
    leads : TableReport, optional
        Number of leads, and of candidates that are not leads.
    """

    folder: str
    until: dt.datetime
    tables: tuple[TableReport, ...]
    leads: TableReport | None = None

    def summary(self) -> str:
        """Return the report as text."""
        reports = [*self.tables, *([self.leads] if self.leads else [])]
        heading = f"Read from {self.folder}, which is complete until {self.until:%Y-%m-%d %H:%M} UTC:"
        return "\n".join([heading, *(line for report in reports for line in report.lines())])


@dataclass(frozen=True)
class EventTables:
    """Canonical tables of a folder; a context manager, since the log is kept in a temporary file.

    Attributes
    ----------
    log : LazyFrame
        Columns entity, time, kind, value, item and the attributes.
    outcomes : DataFrame
        Columns entity, time and amount (null where unknown).
    entities : DataFrame, optional
        Columns entity, start (if configured) and the fields; one row per entity.
    report : EventReport
        Number of rows that were read and left out.
    """

    log: pl.LazyFrame
    outcomes: pl.DataFrame
    entities: pl.DataFrame | None
    report: EventReport
    _files: ExitStack

    def __enter__(self) -> "EventTables":
        return self

    def __exit__(self, *error: object) -> None:
        self._files.close()


def read_event_tables(
    folder: str | Path, config: EventConfig, now: dt.datetime | None = None
) -> EventTables:
    """Read the tables of a recipe.

    Parameters
    ----------
    folder : str or Path
        Folder of the tables, CSV (in UTF-8) or Parquet; if the recipe has one table, its file will do.
    config : EventConfig
        The recipe's ``[events]``.
    now : datetime, optional
        In UTC, without a zone; by default the clock's.

    Raises
    ------
    InputError
        If a table or a column is lacking, or a table cannot be read.
    """
    files = table_files(config)
    if not (Path(folder).is_dir() or (len(files) == 1 and Path(folder).is_file())):
        raise InputError(
            f"A recipe with events needs the folder of its tables. {quoted(str(folder), 300)} is not a "
            "folder"
            + (" and not a file." if len(files) == 1 else f", and the recipe has {len(files)} tables.")
        )
    today = config.until or (now or dt.datetime.now(dt.UTC)).date()
    with ExitStack() as stack:
        spool = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="leadmodel-")))
        try:
            reader = _Reader(Path(folder), config, dt.datetime.combine(today, dt.time.max), spool)
            return reader.read(stack)
        except pl.exceptions.PolarsError as error:  # its text may quote rows
            check_tables(Path(folder), config)
            raise InputError(
                f"The tables in {quoted(str(folder), 300)} cannot be read: one is damaged, or a column of "
                f"it holds lists ({type(error).__name__}). Save the table again."
            ) from None


@dataclass(frozen=True)
class _Reader:
    """Reader of a folder, which parses each table once into the `spool`, where it is counted."""

    folder: Path
    config: EventConfig
    latest: dt.datetime
    spool: Path

    def read(self, files: ExitStack) -> EventTables:
        config, entities, reports = self.config, None, []
        if config.entities:
            rows = self._spooled(entity_rows, config.entities)
            kept = kept_rows(rows).collect()
            entities = earliest_rows(kept.lazy()).collect()
            later = {f"of a {config.entity} that has an earlier row": len(kept) - len(entities)}
            reports.append(self._report(config.entities, rows, "entities", None, later))
        logs = [self._spooled(event_rows, log_config) for log_config in config.logs]
        # By name, because the logs may have different attributes.
        log = pl.concat([kept_rows(rows) for rows in logs], how="diagonal")
        known = (log if entities is None else entities.lazy()).select("entity").unique()
        rows = self._spooled(outcome_rows, config.outcomes)
        reports.append(self._report(config.outcomes, rows, "outcomes", known))
        for log_config, log_rows in zip(config.logs, logs, strict=True):
            reports.append(self._report(log_config, log_rows, " and ".join(log_config.kind_names), known))
        outcomes, until = kept_rows(rows).collect(), self.latest
        if not config.until:
            newest = [log.select(pl.col("time").max()).collect().item(), outcomes["time"].max()]
            if entities is not None and "start" in entities.columns:
                newest.append(entities["start"].max())
            times = [time for time in newest if isinstance(time, dt.datetime)]
            if not times:
                raise InputError("The tables must have an event or an outcome with a time. They have none.")
            until = max(times)
        report = EventReport(str(self.folder), until, tuple(reports))
        # The files go on to the tables, which close them; an error above closes them at once.
        return EventTables(log, outcomes, entities, report, files.pop_all())

    def _spooled(self, make: Callable[..., pl.LazyFrame], config: TableConfig) -> pl.LazyFrame:
        # Parquet on disk, so that a log larger than memory is parsed once and read many times.
        path = self.spool / f"{len(list(self.spool.iterdir()))}.parquet"
        make(self.folder, config, self.config.entity, self.latest).sink_parquet(path)
        return pl.scan_parquet(path)

    def _report(
        self,
        config: TableConfig,
        rows: pl.LazyFrame,
        what: str,
        known: pl.LazyFrame | None,
        further: dict[str, int] | None = None,
    ) -> TableReport:
        sums = [pl.col(name).sum() for name in (COPIES, UNJOINED, NO_NUMBER)]
        counted = rows.group_by(WHY).agg(pl.len().alias("n"), *sums).collect()
        by_why = dict(zip(counted[WHY], counted["n"], strict=True))
        n_rows, n_distinct = int(counted[COPIES].sum()), int(counted["n"].sum())
        n_undated = by_why.get("without a time", 0)
        if n_undated > MOST_UNDATED * n_distinct:
            raise InputError(
                f"The rows of {quoted(config.table)} must have a time that can be read. {n_undated:,} of "
                f"{n_distinct:,} have none. Correct the column, its unit (s, ms, us) or its format in the "
                "recipe."
            )
        left_out = {why: by_why.get(why, 0) for why in REASONS} | (further or {})
        left_out["the same as another row"] = n_rows - n_distinct
        kept = counted.filter(pl.col(WHY).is_null())
        absent = "a price" if isinstance(config, OutcomeConfig) else "a value that is a number"
        noted = {
            "that a joined table does not know": int(counted[UNJOINED].sum()),
            f"without {absent}": int(kept[NO_NUMBER].sum()),
        }
        if known is not None:
            unknown = kept_rows(rows).join(known, on="entity", how="anti")
            noted[f"of an unknown {self.config.entity}"] = unknown.select(pl.len()).collect().item()
        return TableReport(config.table, what, n_rows, n_rows - sum(left_out.values()), left_out, noted)


def kept_rows(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Return the rows that count, without the columns that say why others do not."""
    return rows.filter(pl.col(WHY).is_null()).drop(WHY, COPIES, UNJOINED, NO_NUMBER)


def earliest_rows(entities: pl.LazyFrame) -> pl.LazyFrame:
    """Return the earliest row of each entity."""
    names = entities.collect_schema().names()
    # Sorted by all columns, so that the choice does not depend on the order of the rows.
    by = [name for name in ("entity", "start", *names) if name in names]
    return entities.sort(by, nulls_last=True).unique("entity", keep="first", maintain_order=True)
