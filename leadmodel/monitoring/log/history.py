"""Read a prediction log and aggregate it for the monitoring page."""

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
from leadmodel.monitoring.log.files import LogStore, find_files, read_files
from leadmodel.monitoring.log.log import LEAD, LEADS, REQUESTS
from leadmodel.monitoring.log.outcomes import KEY, OUTCOMES, read_outcomes
from leadmodel.monitoring.log.privacy import restore_leads

__all__ = ["MAX_LEADS", "History", "gather", "read_history"]

MAX_LEADS = 1_000_000
"""Most leads that are read, the newest; more would take too much time and memory for a page."""

LATEST = 1000
"""Leads of the current drift: enough to detect a shift that matters, few enough to be recent."""

COLUMNS = ["time", "revision", "probability", "grade", *KEY]


@dataclass(frozen=True, eq=False)
class History:
    """Aggregates of a prediction log over time.

    Parameters
    ----------
    slices : Slices
        Time slices.
    scored : DataFrame of shape (n_leads, 6)
        ``slice``, ``time``, ``revision``, ``probability``, ``grade`` and ``converted``: 1, 0, or a
        NaN where the outcome is unknown.
    drifts : list of Drift or None
        Drift by slice of the leads scored by the served revision from its training leads. Leads of
        other revisions were logged by other schemas, and came before it.
    drift : Drift, optional
        Drift of the latest slices with `LATEST` such leads together, or of all.
    since : str
        Name of the first of these slices.
    requests : list of Requests or None
        Requests by slice.
    is_cut : bool
        Whether the oldest leads were left out, because there are more than `MAX_LEADS`.
    """

    slices: Slices
    scored: pd.DataFrame
    drifts: list[Drift | None]
    drift: Drift | None
    since: str
    requests: list[Requests | None]
    is_cut: bool


def read_history(store: LogStore, model: LeadModel, days: int, now: datetime | None = None) -> History:
    """Read the last days of a log.

    Parameters
    ----------
    store : LogStore
        Location of the log.
    model : LeadModel
        Served model; drift is measured from its training leads.
    days : int
        One of `leadmodel.monitoring.history.SPANS`.
    now : datetime, optional
        End of the time, in UTC; by default the clock.

    Raises
    ------
    HubError
        If the repository of the log cannot be read.
    """
    slices = Slices.until(now or datetime.now(UTC), days)
    roots = [*store.roots([LEADS, REQUESTS], days + 4), *store.roots([OUTCOMES])]
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
    """Aggregate the tables of a log, one at a time.

    Parameters
    ----------
    model : LeadModel
        Served model.
    slices : Slices
        Time slices.
    tables : iterable of pyarrow.Table
        Tables of leads, the newest first.
    outcomes : DataFrame
        As `leadmodel.monitoring.log.outcomes.read_outcomes` returns them.
    requests : pyarrow.Table
        Table of requests.
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
    totals = {index: reduce(add, parts) for index, parts in counts.items()}
    latest = _latest(totals)
    request_frame = requests.to_pandas()
    request_frame["slice"] = slices.index_of(request_frame["time"])
    return History(
        slices=slices,
        scored=_join(parts),
        drifts=[_compare(model, totals.get(index)) for index in range(len(slices))],
        drift=_compare(model, reduce(add, (totals[index] for index in latest)) if latest else None),
        since=slices.names[min(latest)] if latest else "",
        requests=requests_over_time(slices, request_frame),
        is_cut=is_cut,
    )


def _latest(counts: Mapping[int, Counts]) -> list[int]:
    """Return the last slices that have `LATEST` leads together."""
    latest, n_leads = [], 0
    for index in sorted(counts, reverse=True):
        if n_leads < LATEST:
            latest.append(index)
            n_leads += counts[index].n_leads
    return latest


def _gather(
    model: LeadModel,
    slices: Slices,
    table: pa.Table,
    outcomes: pd.DataFrame,
    counts: dict[int, list[Counts]],
) -> pd.DataFrame:
    """Add the leads of a table to the counts, and return their predictions and outcomes."""
    part = table.select(COLUMNS).to_pandas()
    part["slice"] = slices.index_of(part["time"])
    # -1 marks leads of other revisions, which cannot be compared with this model's profile.
    own = part["slice"].where(part["revision"] == model.revision, -1)
    for index in np.unique(own[own >= 0]):
        counts.setdefault(int(index), []).append(_count(model, table.filter(pa.array(own == index))))
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
    dtypes = {
        "time": "datetime64[ms, UTC]",
        "revision": "str",
        "probability": "float64",
        "grade": "str",
        "slice": "int64",
        "converted": "float64",
    }
    return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in dtypes.items()})
