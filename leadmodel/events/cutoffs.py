"""Choose the cutoffs of leads: days after a start, calendar dates, or a number of events."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from leadmodel.errors import InputError
from leadmodel.events.features import nw

__all__ = ["active_leads", "leads_after", "leads_after_events"]


def leads_after(entities: Any, days: Sequence[int]) -> Any:
    """Return each entity with a cutoff at every number of `days` after its start.

    Parameters
    ----------
    entities : polars, DuckDB or PySpark frame of shape (n_entities, n_columns)
        Columns `entity` and `start`; others pass through. Entities without a start are left out.
    days : sequence of int
        Such as (1, 3, 7, 14).

    Returns
    -------
    frame of shape (n_entities * n_days, n_columns + 1)
        With the column `cutoff`.
    """
    _check("days after the start", days)
    start = nw.col("start")
    started = nw.from_native(entities).filter(~start.is_null())
    return _stacked(started.with_columns(cutoff=start.dt.offset_by(f"{n}d")) for n in days)


def active_leads(events: Any, cutoffs: Sequence[datetime], within_days: int) -> Any:
    """Return the entities with an event in the last `within_days` days before each cutoff.

    Parameters
    ----------
    events : polars, DuckDB or PySpark frame
        Columns `entity` and `time`.
    cutoffs : sequence of datetime
        Without a time zone.
    within_days : int
        At least 1.

    Returns
    -------
    frame of shape (n_leads, 2)
        Columns `entity` and `cutoff`.
    """
    _check("cutoffs", cutoffs)
    _check("days within which leads are active", [within_days])
    identified = nw.from_native(events).filter(~nw.col("entity").is_null())
    return _stacked(_active(identified, cutoff, timedelta(days=within_days)) for cutoff in cutoffs)


def _active(events: Any, cutoff: datetime, within: timedelta) -> Any:
    time = nw.col("time")
    recent = events.filter(time < cutoff, time >= cutoff - within)
    # Grouped instead of made unique, which SQL engines do by numbering every row.
    entities = recent.group_by("entity").agg(_n=nw.len())
    return entities.select("entity", cutoff=nw.lit(cutoff, dtype=nw.Datetime("us")))


def leads_after_events(events: Any, n: int) -> Any:
    """Return each entity with a cutoff one microsecond after its `n`-th event.

    Entities with fewer events are left out. All events at the time of the `n`-th one are in the past.

    Parameters
    ----------
    events : polars, DuckDB or PySpark frame
        Columns `entity` and `time`.
    n : int
        At least 1.

    Returns
    -------
    frame of shape (n_leads, 2)
        Columns `entity` and `cutoff`.
    """
    _check("number of events before the cutoff", [n])
    dated = nw.from_native(events).select("entity", "time").drop_nulls()
    # Numbered by time within the entity, since the order of the log does not matter.
    number = nw.col("time").cum_count().over("entity", order_by="time")
    reached = dated.with_columns(_number=number).filter(nw.col("_number") == n)
    return reached.select("entity", cutoff=nw.col("time").dt.offset_by("1us")).to_native()


def _check(what: str, given: Sequence[Any]) -> None:
    if not given or any(isinstance(number, int) and number < 1 for number in given):
        raise InputError(f"The {what} must be at least 1. Got {list(given)} instead.")


def _stacked(frames: Any) -> Any:
    return nw.concat(list(frames), how="vertical").to_native()
