"""Report leads that are too young for their outcome to be known."""

import numpy as np
import pandas as pd
from scipy.stats import chi2

from leadmodel.arrays import Floats, Ints
from leadmodel.audit.finding import Finding
from leadmodel.errors import InputError, quoted
from leadmodel.leads.outcome.horizon import Observed, Timing, read_timing, within_horizon

__all__ = ["YOUNG", "check_maturity", "describe_horizon", "observe"]

YOUNG = "young leads"
"""Kind of these findings."""

HORIZONS = (3, 7, 14, 30, 45, 60, 90, 120, 180, 270, 365)
"""Horizons in days that are looked at and suggested."""

ALPHA = 0.001
"""Probability that young leads are named though they convert as often as others, over all horizons."""

CLEARLY_LOWER = 0.8
"""Conversion rate of young leads, relative to that of the others, from which on they are not named."""

MAX_MEASURED = 100_000
"""Leads whose dates are read if there is no horizon: reading a million takes seconds."""

MOST = 0.9
"""Share of the conversions that a suggested horizon includes."""


def observe(
    codes: Ints, times: pd.Series | None, converted_at: pd.Series | None, horizon: int | None
) -> tuple[Ints, list[Finding]]:
    """Return the outcomes within the horizon, and what the ages of the leads say about them.

    Parameters
    ----------
    codes : array of shape (n_leads,)
        As `leadmodel.leads.outcome.read.read_outcomes` returns them.
    times, converted_at : Series of shape (n_leads,), optional
        The raw columns with the time of each lead and of its conversion.
    horizon : int, optional
        Days after its time within which a lead converts, or not.

    Raises
    ------
    InputError
        If there is a horizon and no dates, or a date cannot be read.
    """
    if horizon is None and len(codes) > MAX_MEASURED:
        rows = np.sort(np.random.default_rng(0).permutation(len(codes))[:MAX_MEASURED])
        times, converted_at = (None if one is None else one.iloc[rows] for one in (times, converted_at))
        return codes, observe(codes[rows], times, converted_at, None)[1]
    timing = None if times is None else read_timing(codes, times, converted_at)
    if timing is not None:
        if horizon is None:
            return codes, check_maturity(codes, timing)
        observed = within_horizon(codes, timing, horizon)
        return observed.codes, describe_horizon(observed, horizon, timing.delay is not None)
    if horizon is not None or converted_at is not None:
        raise InputError(
            "A horizon counts days from the time of each lead: name a column of dates with --time."
            if times is None
            else f"A horizon counts days: the time column {quoted(str(times.name))} must have dates."
        )
    return codes, []


def describe_horizon(observed: Observed, horizon: int, has_dates: bool) -> list[Finding]:
    """Report which leads count and which are left out, given a horizon.

    Parameters
    ----------
    observed : Observed
        As `leadmodel.leads.outcome.horizon.within_horizon` returns it.
    horizon : int
        Days within which a lead converts, or not.
    has_dates : bool
        Whether the dates of conversion are known.
    """
    known = f"{observed.until:%Y-%m-%d}"
    parts = [
        f"{observed.n_young:,} leads are left out because they are younger than {horizon} days "
        f"({observed.n_young_converted:,} of them converted already); the table ends on {known}."
    ]
    counted = [
        (observed.n_late, "converted after the horizon and count as not converted within it."),
        (observed.n_waiting, "are still open after the horizon and count as not converted within it."),
        (observed.n_undated, "are left out because they have no date, or converted without one."),
        (observed.n_before, "are left out because they converted before they came in."),
    ]
    parts += [f"{number:,} {text}" for number, text in counted if number]
    if not has_dates:
        parts.append(
            f"Conversions after {horizon} days count as well, because their dates are not known: name the "
            "column with --converted-at."
        )
    return [Finding(kind=YOUNG, text=" ".join(parts), severity="note")]


def check_maturity(codes: Ints, timing: Timing) -> list[Finding]:
    """Report that the newest leads convert less often, which they may simply not have done yet.

    Parameters
    ----------
    codes : array of shape (n_leads,)
        1 for converted, 0 for lost, negative for leads without an outcome.
    timing : Timing
        When leads came in and converted.
    """
    is_known = (codes >= 0) & ~np.isnan(timing.age)
    age, y = timing.age[is_known], codes[is_known]
    if not 0 < y.sum() < len(y):
        return []
    flat = _likelihood(y, np.ones(len(y)))
    gains = {days: _likelihood(y, _matured(age, days)) - flat for days in HORIZONS}
    days = max(gains, key=lambda days: gains[days])
    # Wilks: twice the gain of one more parameter has a chi-square distribution, were the rate constant.
    if 2 * gains[days] < chi2.isf(ALPHA / len(HORIZONS), 1):
        return []
    if timing.delay is not None:
        had_time = timing.age >= np.nanmedian(timing.age)
        days = _usual_delay(timing.delay[(codes == 1) & had_time]) or days
    young = age < days
    # Where no half of the leads is older, it is not known how many convert in the end.
    horizon = days if young.mean() < 0.5 else None
    if not young.any() or young.all() or y[young].mean() >= CLEARLY_LOWER * y[~young].mean():
        return []
    text = (
        f"Of the {young.sum():,} leads of the newest {days} days {y[young].mean():.1%} converted, of the "
        f"older ones {y[~young].mean():.1%}. They may be too young, for a lead that has not converted yet "
        "is no loss; or the leads have changed. If they are too young, leave them out with --horizon "
    )
    text += str(horizon) if horizon else "and the days to wait"
    text += "." if timing.delay is not None else " (and --converted-at, if the dates are known)."
    return [Finding(kind=YOUNG, text=text, severity="problem")]


def _matured(age: Floats, days: int) -> Floats:
    """Return the share of all conversions that leads of an age have had, if `MOST` come within `days`."""
    # A day more than its age: a lead of the last day has been observed for some of it.
    return np.asarray(-np.expm1(np.log1p(-MOST) * (age + 1) / days))


def _likelihood(y: Ints, matured: Floats) -> float:
    """Return the log-likelihood of outcomes if the rate of matured leads is the same at all times."""
    rate = np.clip(min(y.sum() / matured.sum(), 1.0) * matured, 1e-9, 1 - 1e-9)
    return float(np.log(np.where(y == 1, rate, 1 - rate)).sum())


def _usual_delay(delay: Floats) -> int | None:
    """Return the least horizon with most conversions of leads that had time enough."""
    known = delay[~np.isnan(delay)]
    days = float(np.quantile(known, MOST)) if len(known) else np.inf
    return next((horizon for horizon in HORIZONS if horizon >= days), None)
