"""Read a prediction log back: its files in, what to look at out. No lead is in what comes out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from leadmodel.drift.counts import Counts, count_leads
from leadmodel.drift.drift import Drift, compare_leads
from leadmodel.model import LeadModel
from leadmodel.monitoring.history import Requests, Slices, requests_over_time
from leadmodel.monitoring.log.files import find_files, read_files
from leadmodel.monitoring.log.log import LEAD, LEADS, REQUESTS
from leadmodel.monitoring.log.outcomes import KEY, OUTCOMES, read_outcomes
from leadmodel.monitoring.log.privacy import restore_leads
from leadmodel.monitoring.log.store import LogStore

__all__ = ["MAX_LEADS", "History", "gather", "read_history"]

MAX_LEADS = 1_000_000
"""Leads looked at, the newest: more would take a page too long, and the memory with it."""

LATEST = 1000
"""Leads of now: enough to see a shift that matters, and not so many that last month hides it."""

PARTS = ["time", "revision", "probability", "grade", *KEY]


@dataclass(frozen=True, eq=False)
class History:
    """A log as it is looked at.

    Parameters
    ----------
    slices : Slices
        The time looked back upon.
    scored : DataFrame of shape (n_leads, 6)
        ``slice``, ``time``, ``revision``, ``probability``, ``grade`` and ``converted``: 1, 0, or a
        gap where the outcome is not known.
    drifts : list of Drift or None
        By slice, of the leads that the served revision has scored, against those that it has learned
        from: others were logged by what another revision knows, and are of the time before it.
    drift : Drift, optional
        The same of the latest slices with `LATEST` such leads together, or of all.
    since : str
        Where these slices begin.
    requests : list of Requests or None
        By slice.
    is_cut : bool
        Whether there are more than `MAX_LEADS`, so that the oldest were left out.
    """

    slices: Slices
    scored: pd.DataFrame
    drifts: list[Drift | None]
    drift: Drift | None
    since: str
    requests: list[Requests | None]
    is_cut: bool


def read_history(place: LogStore, model: LeadModel, days: int, now: datetime | None = None) -> History:
    """Read the last days of a log.

    Parameters
    ----------
    place : LogStore
        Where it is.
    model : LeadModel
        Served now; drift is measured from its training leads.
    days : int
        One of `leadmodel.monitoring.history.SPANS`.
    now : datetime, optional
        Until when, in UTC.

    Raises
    ------
    HubError
        If the repository of the log cannot be read.
    """
    slices = Slices.until(now or datetime.now(UTC), days)
    roots = [*place.roots([LEADS, REQUESTS], days + 4), *place.roots([OUTCOMES])]
    since = slices.edges[0].date().isoformat()

    def recent(kind: str) -> list[Path]:
        return [path for path in find_files(roots, kind) if path.parent.name >= since]

    newest_first = read_files(recent(LEADS)[::-1])
    requests = pa.concat_tables([*read_files(recent(REQUESTS)), NO_REQUESTS])
    return gather(model, slices, newest_first, read_outcomes(roots), requests)


NO_REQUESTS = pa.table(
    {
        "time": pa.array([], pa.timestamp("ms", "UTC")),
        "route": pa.array([], pa.string()),
        "status": pa.array([], pa.int16()),
        "seconds": pa.array([], pa.float64()),
        "requests": pa.array([], pa.int64()),
    }
)


def gather(
    model: LeadModel,
    slices: Slices,
    tables: Iterable[pa.Table],
    outcomes: pd.DataFrame,
    requests: pa.Table,
) -> History:
    """Count and gather what the tables of a log hold, one table at a time.

    Parameters
    ----------
    model : LeadModel
        Served now.
    slices : Slices
        The time looked back upon.
    tables : iterable of pyarrow.Table
        Of leads, the newest first.
    outcomes : DataFrame
        As `leadmodel.monitoring.log.outcomes.read_outcomes` returns them.
    requests : pyarrow.Table
        Of requests.
    """
    counts: dict[int, list[Counts]] = {}
    parts: list[pd.DataFrame] = []
    n_leads, is_cut = 0, False
    for table in tables:
        if n_leads >= MAX_LEADS:
            is_cut = True
            break
        part = _gather(model, slices, table, outcomes, counts)
        parts.append(part)
        n_leads += len(part)
    summed = {place: reduce(add, some) for place, some in counts.items()}
    latest = _latest(summed)
    asked = requests.to_pandas()
    asked["slice"] = slices.places(asked["time"])
    return History(
        slices=slices,
        scored=_join(parts),
        drifts=[_compare(model, summed.get(place)) for place in range(len(slices))],
        drift=_compare(model, reduce(add, (summed[place] for place in latest)) if latest else None),
        since=slices.names[min(latest)] if latest else "",
        requests=requests_over_time(slices, asked),
        is_cut=is_cut,
    )


def _latest(counts: Mapping[int, Counts]) -> list[int]:
    """Return the last slices that have `LATEST` leads together."""
    places, n_leads = [], 0
    for place in sorted(counts, reverse=True):
        if n_leads < LATEST:
            places.append(place)
            n_leads += counts[place].n_leads
    return places


def _gather(
    model: LeadModel,
    slices: Slices,
    table: pa.Table,
    outcomes: pd.DataFrame,
    counts: dict[int, list[Counts]],
) -> pd.DataFrame:
    """Add a table's leads to the counts, and return of them what is not a field."""
    part = table.select(PARTS).to_pandas()
    part["slice"] = slices.places(part["time"])
    own = part["slice"].where(part["revision"] == model.revision, -1)
    for place in np.unique(own[own >= 0]):
        counts.setdefault(int(place), []).append(_count(model, table.filter(pa.array(own == place))))
    part = part.merge(outcomes, on=KEY, how="left").drop(columns=KEY)
    part["converted"] = part["converted"].astype("float64")
    return part[part["slice"] >= 0]


def _count(model: LeadModel, table: pa.Table) -> Counts:
    kept = {
        name.removeprefix(LEAD): table[name].combine_chunks()
        for name in table.column_names
        if name.startswith(LEAD)
    }
    typed = restore_leads(model.schema, kept)
    return count_leads(model.profile, typed, {"probability": table["probability"].to_numpy()})


def _compare(model: LeadModel, counts: Counts | None) -> Drift | None:
    if counts is None:
        return None
    return compare_leads(model.schema, model.profile, counts)


def _join(parts: list[pd.DataFrame]) -> pd.DataFrame:
    if parts:
        joined = pd.concat(parts, ignore_index=True)
        return joined.astype({"revision": "category", "grade": "category"})
    kinds = {"time": "datetime64[ms, UTC]", "revision": "str", "probability": "float64", "grade": "str"}
    empty = {name: pd.Series(dtype=kind) for name, kind in kinds.items()}
    return pd.DataFrame(
        empty | {"slice": pd.Series(dtype="int64"), "converted": pd.Series(dtype="float64")}
    )
