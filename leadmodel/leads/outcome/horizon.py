"""Limit outcomes to those within some days after the lead came in."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadmodel.arrays import Floats, Ints
from leadmodel.errors import InputError, quoted
from leadmodel.leads.outcome.read import is_given
from leadmodel.leads.outcome.rule import OPEN, UNCLEAR
from leadmodel.leads.times.read import read_times

__all__ = ["Observed", "Timing", "read_timing", "within_horizon"]

MIN_DELAY = -1.0
"""Least days from a lead to its conversion: a date without a clock may lie before the hour of the lead."""


@dataclass(frozen=True, eq=False)
class Timing:
    """When leads came in and when they converted.

    Attributes
    ----------
    age : array of shape (n_leads,)
        Days from each lead to the newest moment that the table knows; NaN without a date.
    delay : array of shape (n_leads,), optional
        Days from each lead to its conversion; NaN where that is not known. None without such dates.
    until : Timestamp
        The newest moment: of a lead, or of a conversion.
    """

    age: Floats
    delay: Floats | None
    until: pd.Timestamp


@dataclass(frozen=True, eq=False)
class Observed:
    """Outcomes within the horizon, and how many leads it concerns.

    Attributes
    ----------
    codes : array of shape (n_leads,)
        1 for converted within the horizon, 0 for not, OPEN or UNCLEAR for leads that are left out.
    until : Timestamp
        The newest moment that the table knows.
    n_young, n_young_converted : int
        Leads that are younger than the horizon and left out, and the converted ones among them.
    n_late : int
        Leads that converted after the horizon, and count as not converted.
    n_waiting : int
        Open leads that are older than the horizon, and count as not converted.
    n_undated : int
        Leads that are left out because they have no date, or converted without one.
    n_before : int
        Leads that are left out because they converted before they came in.
    """

    codes: Ints
    until: pd.Timestamp
    n_young: int
    n_young_converted: int
    n_late: int
    n_waiting: int
    n_undated: int
    n_before: int


def read_timing(codes: Ints, times: pd.Series, converted_at: pd.Series | None) -> Timing | None:
    """Return when leads came in and converted, or None if the times are no dates.

    Parameters
    ----------
    codes : array of shape (n_leads,)
        As `leadmodel.leads.outcome.read.read_outcomes` returns them.
    times, converted_at : Series of shape (n_leads,)
        The raw columns. Dates of leads that have not converted are ignored: they may be of a loss, or of
        a conversion that is only expected.

    Raises
    ------
    InputError
        If a date cannot be read.
    """
    came = _read_dates(times)
    if came is None:
        return None
    converted = None
    if converted_at is not None:
        converted = _read_dates(converted_at.where(codes == 1))
        if converted is None:
            name = quoted(str(converted_at.name))
            raise InputError(f"The column {name} (--converted-at) must have dates for converted leads.")
    until = came.max() if converted is None else max(came.max(), converted.max())
    return Timing(_days(until - came), None if converted is None else _days(converted - came), until)


def _days(spans: pd.Series) -> Floats:
    return np.asarray(spans.dt.total_seconds() / 86_400, dtype=float)


def within_horizon(codes: Ints, timing: Timing, horizon: int) -> Observed:
    """Return which leads converted within `horizon` days, of those that are old enough to tell.

    A younger lead is left out whatever its outcome: of the young ones only those with a fast outcome have
    one. Without dates of conversion the outcome of the others stays as it is.
    """
    result = codes.copy()
    late = waiting = before = np.zeros(len(codes), dtype=bool)
    undated = np.isnan(timing.age) & (codes >= 0)
    if timing.delay is not None:
        converted = codes == 1
        late = converted & (timing.delay > horizon)
        before = converted & (timing.delay < MIN_DELAY)
        undated |= converted & np.isnan(timing.delay)
        # It may convert one day, but it has not within the horizon.
        waiting = codes == OPEN
        result[late | waiting] = 0
        result[before] = UNCLEAR
    young = timing.age < horizon
    result[undated | np.isnan(timing.age)] = UNCLEAR
    result[young] = OPEN
    is_old = ~young & ~np.isnan(timing.age)
    return Observed(
        codes=result,
        until=timing.until,
        n_young=int(young.sum()),
        n_young_converted=int((young & (codes == 1)).sum()),
        n_late=int((late & is_old).sum()),
        n_waiting=int((waiting & is_old).sum()),
        n_undated=int((undated & ~young).sum()),
        n_before=int((before & is_old).sum()),
    )


def _read_dates(column: pd.Series) -> pd.Series | None:
    """Return UTC times, NaT where there is none; None if the column has numbers or nothing."""
    given = column[is_given(column)]
    if given.empty:
        return None
    try:
        times = read_times(given)
    except InputError:
        raise InputError(f"The column {quoted(str(column.name))} must have dates only, or gaps.") from None
    return times.reindex(column.index) if times.dtype.kind == "M" else None
