"""Raw tables of events, outcomes and entities, made into one canonical log.

Nothing that is wrong with a row is passed over: a rule leaves it out, or takes it, and counts it.

- A row whose time is lacking or cannot be read is left out. Where more than one row in ten is such, not
  the rows are wrong but the column or its format, and the table is refused.
- Times are in UTC; a date counts as the end of its day (see `leadmodel.events.timestamps`).
- What lies after today, or after the day `until` of the recipe, is left out: a mistake, or a plan.
- Rows that are the same in every column count once; the order of the rows does not matter.
- A row without an id, or of a kind that the recipe does not name, is left out.
- Of several rows of one entity in the table of entities the earliest counts.
- Events and outcomes of unknown entities are counted; they make no lead.
- A value that is no number, and an outcome without a price, count without it.

Ids stay texts: 007 is not 7, and what Parquet holds as 7.0 is 7.
"""

import datetime as dt
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from leadmodel.errors import InputError, quoted
from leadmodel.events.plan import INSTALL_ENGINES
from leadmodel.events.report import EventReport, TableReport
from leadmodel.events.rows import NO_NUMBER, REASONS, WHY, entity_rows, event_rows, outcome_rows
from leadmodel.events.scan import COPIES, UNJOINED
from leadmodel.leads.event_recipe import EventConfig, OutcomeConfig, TableConfig

if TYPE_CHECKING:
    import polars as pl

__all__ = ["EventTables", "check_engines", "read_event_tables"]

MOST_UNDATED = 0.1
"""Share of rows without a time up to which the rows, not the recipe, are taken to be wrong."""


def check_engines() -> None:
    """Raise InputError, with the line that installs them, if polars or Narwhals is missing."""
    try:
        import narwhals  # noqa: F401
        import polars  # noqa: F401
    except ImportError:
        raise InputError(f"Events need polars and Narwhals. Install them with: {INSTALL_ENGINES}") from None


@dataclass(frozen=True)
class EventTables:
    """The canonical tables of a folder; a context, for the log lies in a temporary file meanwhile.

    Attributes
    ----------
    log : LazyFrame
        Columns entity, time, kind, value, item and the attributes.
    outcomes : DataFrame
        Columns entity, time and amount (null where none is told).
    entities : DataFrame, optional
        Columns entity, start (where told) and the fields; one row per entity.
    report : EventReport
        What was read, and what was left out.
    """

    log: "pl.LazyFrame"
    outcomes: "pl.DataFrame"
    entities: "pl.DataFrame | None"
    report: EventReport
    _files: ExitStack

    def __enter__(self) -> "EventTables":
        return self

    def __exit__(self, *error: object) -> None:
        self._files.close()


def read_event_tables(
    folder: str | Path, hints: EventConfig, now: dt.datetime | None = None
) -> EventTables:
    """Read the tables that a recipe names.

    Parameters
    ----------
    folder : str or Path
        Where they are, as CSV (in UTF-8) or Parquet.
    hints : EventConfig
        The recipe's ``[events]``.
    now : datetime, optional
        In UTC, without a zone; by default the clock's.

    Raises
    ------
    InputError
        If a table or a column is lacking, or a table cannot be read.
    """
    check_engines()
    import polars as pl

    if not Path(folder).is_dir():
        raise InputError(
            f"A recipe with events needs the folder of its tables. {quoted(str(folder), 300)} is none."
        )
    today = hints.until or (now or dt.datetime.now(dt.UTC)).date()
    with ExitStack() as files:
        spool = Path(files.enter_context(tempfile.TemporaryDirectory(prefix="leadmodel-")))
        try:
            reader = _Reader(Path(folder), hints, dt.datetime.combine(today, dt.time.max), spool)
            return reader.read(files)
        except pl.exceptions.PolarsError as error:
            raise InputError(
                f"The tables in {quoted(str(folder), 300)} cannot be read: {error!s:.300}"
            ) from None


@dataclass(frozen=True)
class _Reader:
    """One reading of a folder: each table is parsed once, into the `spool`, and counted there."""

    folder: Path
    hints: EventConfig
    latest: dt.datetime
    spool: Path

    def read(self, files: ExitStack) -> EventTables:
        import polars as pl

        hints, entities, reports = self.hints, None, []
        if hints.entities:
            rows = self._spooled(entity_rows, hints.entities)
            entities, of_entities = self._distinct(rows)
            reports.append(of_entities)
        logs = [self._spooled(event_rows, one) for one in hints.logs]
        log = pl.concat([_kept(rows) for rows in logs], how="diagonal")
        known = (log if entities is None else entities.lazy()).select("entity").unique()
        outcomes = self._spooled(outcome_rows, hints.outcomes)
        reports.append(self._report(hints.outcomes, outcomes, "outcomes", known))
        for one, rows in zip(hints.logs, logs, strict=True):
            reports.append(self._report(one, rows, " and ".join(one.kind_names), known))
        read = _kept(outcomes).collect()
        report = EventReport(str(self.folder), self._until(log, read, entities), tuple(reports))
        return EventTables(log, read, entities, report, files.pop_all())

    def _spooled(self, make: "Callable[..., pl.LazyFrame]", hints: TableConfig) -> "pl.LazyFrame":
        import polars as pl

        path = self.spool / f"{len(list(self.spool.iterdir()))}.parquet"
        make(self.folder, hints, self.hints.entity, self.latest).sink_parquet(path)
        return pl.scan_parquet(path)

    def _distinct(self, rows: "pl.LazyFrame") -> "tuple[pl.DataFrame, TableReport]":
        """Return the earliest row of each entity, and what was read."""
        hints = self.hints.entities
        assert hints is not None
        kept = _kept(rows).collect()
        # Sorted by all columns, the choice does not depend on the order of the rows.
        by = [name for name in ("entity", "start", *kept.columns) if name in kept.columns]
        distinct = kept.sort(by, nulls_last=True).unique("entity", keep="first", maintain_order=True)
        further = {f"of a {self.hints.entity} that has an earlier row": len(kept) - len(distinct)}
        return distinct, self._report(hints, rows, "entities", None, further)

    def _report(
        self,
        hints: TableConfig,
        rows: "pl.LazyFrame",
        what: str,
        known: "pl.LazyFrame | None",
        further: dict[str, int] | None = None,
    ) -> TableReport:
        import polars as pl

        sums = [pl.col(name).sum() for name in (COPIES, UNJOINED, NO_NUMBER)]
        counted = rows.group_by(WHY).agg(pl.len().alias("n"), *sums).collect()
        by_why = dict(zip(counted[WHY], counted["n"], strict=True))
        n_rows, n_distinct = int(counted[COPIES].sum()), int(counted["n"].sum())
        _check_dated(hints.table, by_why.get("without a time", 0), n_distinct)
        left_out = {why: by_why.get(why, 0) for why in REASONS} | (further or {})
        left_out["the same as another row"] = n_rows - n_distinct
        kept = counted.filter(pl.col(WHY).is_null())
        lacking = "a price" if isinstance(hints, OutcomeConfig) else "a value that is a number"
        noted = {
            "that a joined table does not know": int(counted[UNJOINED].sum()),
            f"without {lacking}": int(kept[NO_NUMBER].sum()),
        }
        if known is not None:
            strangers = _kept(rows).join(known, on="entity", how="anti")
            noted[f"of an unknown {self.hints.entity}"] = strangers.select(pl.len()).collect().item()
        return TableReport(hints.table, what, n_rows, n_rows - sum(left_out.values()), left_out, noted)

    def _until(
        self, log: "pl.LazyFrame", outcomes: "pl.DataFrame", entities: "pl.DataFrame | None"
    ) -> dt.datetime:
        import polars as pl

        if self.hints.until:
            return self.latest
        newest = [log.select(pl.col("time").max()).collect().item(), outcomes["time"].max()]
        if entities is not None and "start" in entities.columns:
            newest.append(entities["start"].max())
        if found := [time for time in newest if isinstance(time, dt.datetime)]:
            return max(found)
        raise InputError("The tables must hold an event or an outcome with a time. They hold none.")


def _kept(rows: "pl.LazyFrame") -> "pl.LazyFrame":
    import polars as pl

    return rows.filter(pl.col(WHY).is_null()).drop(WHY, COPIES, UNJOINED, NO_NUMBER)


def _check_dated(table: str, n_undated: int, n_rows: int) -> None:
    if n_undated > MOST_UNDATED * n_rows:
        raise InputError(
            f"The rows of {quoted(table)} must have a time that can be read. {n_undated:,} of {n_rows:,} "
            "have none. Correct the column, its unit (s, ms, us) or its format in the recipe."
        )
