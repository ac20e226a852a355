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
    leads = [started.with_columns(cutoff=start.dt.offset_by(f"{n}d")) for n in days]
    return nw.concat(leads, how="vertical").to_native()


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
    time, active = nw.col("time"), []
    for cutoff in cutoffs:
        recent = identified.filter(time < cutoff, time >= cutoff - timedelta(days=within_days))
        # Grouped instead of made unique, which SQL engines do by numbering every row.
        entities = recent.group_by("entity").agg(_n=nw.len())
        active.append(entities.select("entity", cutoff=nw.lit(cutoff, dtype=nw.Datetime("us"))))
    return nw.concat(active, how="vertical").to_native()


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
    # Numbered by time within the entity, because the order of the log must not matter.
    number = nw.col("time").cum_count().over("entity", order_by="time")
    reached = dated.with_columns(_number=number).filter(nw.col("_number") == n)
    return reached.select("entity", cutoff=nw.col("time").dt.offset_by("1us")).to_native()


def _check(what: str, values: Sequence[Any]) -> None:
    if not values or any(isinstance(value, int) and value < 1 for value in values):
        raise InputError(f"The {what} must be at least 1. Got {list(values)} instead.")
