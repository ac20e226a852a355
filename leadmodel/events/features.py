"""Build the features of leads from event logs, with one set of expressions for all engines.

Narwhals runs them on polars, DuckDB and PySpark. Time is counted in whole microseconds since 1970, so that
every engine compares and divides alike. Nothing from the cutoff of a lead on is used.
"""

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import add
from typing import Any

from leadmodel.errors import InputError
from leadmodel.events.windows import INSTALL_ENGINES, FeaturePlan

try:
    import narwhals as nw
except ImportError:
    raise InputError(
        f"Tables of events need Narwhals and polars. Install them with: {INSTALL_ENGINES}"
    ) from None

__all__ = ["FeaturePlan", "build_features", "nw"]

HOUR = 3_600_000_000
DAY = 24 * HOUR

STAMP = 5 * 10**18
"""Added to a time, it makes a number of 19 digits, so that texts of times sort as times do."""

SHARES = {"share_on_weekends": "_weekend", "share_at_night": "_night", "share_in_office_hours": "_office"}

LEAD = ("_entity", "_cutoff")
"""Columns that identify a lead while its features are computed."""

AGE = nw.col("_cutoff") - nw.col("_time")


def build_features(events: Any, leads: Any, plan: FeaturePlan) -> Any:
    """Compute the features of each lead from its events before its cutoff.

    Every row of the log is an event, duplicates included. Events of kinds that the plan does not name,
    and events without a time or an entity, are ignored. The order of the log does not matter: of events
    at the same time, the kind that the plan names later counts as the later event, and of attributes
    the text that sorts last. Hours and weekdays are those of the times as written.

    Parameters
    ----------
    events : polars, DuckDB or PySpark frame
        Columns `entity`, `time` (without a time zone) and `kind`; `value`, `item` and attributes as
        the plan needs them.
    leads : frame of the same engine, of shape (n_leads, n_columns)
        Columns `entity` and `cutoff`; `start`, if given, makes the feature `days_since_start`.
    plan : FeaturePlan
        Features to compute.

    Returns
    -------
    frame of shape (n_leads, n_columns + n_features)
        One row per lead, in any order: its columns, then ``plan.features``. A lead without events has
        zero counts and otherwise missing features. Lazy if either frame is.

    Raises
    ------
    InputError
        If a column is missing or has a feature's name, or the engines differ.
    """
    log, table = nw.from_native(events), nw.from_native(leads)
    _check_engine(log, table)
    columns = table.collect_schema().names()
    _check_columns("events", log.collect_schema().names(), plan.columns)
    _check_columns("leads", columns, ("entity", "cutoff"))
    if taken := sorted({*plan.features, "days_since_start"} & set(columns)):
        raise InputError(f"No column of the leads may have the name of a feature. Got {taken}.")
    is_eager = isinstance(log, nw.DataFrame) and isinstance(table, nw.DataFrame)
    log, table = log.lazy(), table.lazy()
    table = table.with_columns(_cutoff=_clock(table, "cutoff"))
    ends = table.select(_entity="entity", _cutoff="_cutoff").unique()
    past = _prepare_events(log, plan).join(ends, on="_entity").filter(nw.col("_time") < nw.col("_cutoff"))
    aggregated = past.group_by(*LEAD).agg(**_aggregates(plan))
    if plan.items:
        aggregated = aggregated.join(_count_items(past, plan), on=list(LEAD), how="left")
    if "start" in columns:
        table = table.with_columns(_start=_clock(table, "start"))
    joined = table.join(aggregated, left_on=["entity", "_cutoff"], right_on=list(LEAD), how="left")
    features = joined.select(*columns, **_features(plan, "start" in columns))
    return (features.collect(engine="streaming") if is_eager else features).to_native()


def _check_columns(what: str, columns: list[str], required: Sequence[str]) -> None:
    if absent := [name for name in required if name not in columns]:
        raise InputError(f"The {what} must have the columns {absent}. Got {columns} instead.")


def _prepare_events(log: Any, plan: FeaturePlan) -> Any:
    """Return the events of the plan with everything about them that does not depend on the cutoff."""
    time, hour = nw.col("_time"), nw.col("_hour")
    weekend = (nw.col("_day") + 3) % 7 >= 5  # day 0, 1970-01-01, was a Thursday
    codes = {kind: code for code, kind in enumerate(plan.kinds)}
    events = log.filter(nw.col("kind").is_in(plan.kinds))
    events = events.with_columns(_time=_clock(log, "time")).with_columns(_day=time // DAY)
    events = events.with_columns(_hour=(time - nw.col("_day") * DAY) // HOUR)
    return events.select(
        *(name for name in plan.columns if name not in ("entity", "time", "kind")),
        "_time",
        "_day",
        _entity="entity",
        _code=nw.col("kind").replace_strict(codes, default=None, return_dtype=nw.Int8),
        _weekend=_flag(weekend),
        _night=_flag(hour < 6),
        _office=_flag((hour >= 9) & (hour < 17) & ~weekend),
    )


def _flag(condition: nw.Expr) -> nw.Expr:
    return nw.when(condition).then(1).otherwise(0).cast(nw.Int8)


def _aggregates(plan: FeaturePlan) -> dict[str, nw.Expr]:
    """Return the aggregates per lead by column; an underscore marks one that is not a feature itself."""
    time, code, value = nw.col("_time"), nw.col("_code"), nw.col("value")
    columns = {
        "_events": nw.len().cast(nw.Int32),
        "_first": AGE.max(),
        # Time and kind in one number: the minimum then gives the kind of the first event, too.
        "_first_code": (time * len(plan.kinds) + code).min() % len(plan.kinds),
        "_days": nw.col("_day").n_unique().cast(nw.Int32),
        **{name: nw.col(name).sum().cast(nw.Int32) for name in ("_weekend", "_night", "_office")},
    }
    for n, kind in enumerate(plan.kinds):
        columns[f"_last_{kind}"] = nw.when(code == n).then(AGE).min()
        for suffix, condition in _within(plan, kind):
            columns[f"{kind}{suffix}"] = _count(condition)
            if kind in plan.values:
                columns[f"{kind}_value{suffix}"] = nw.when(condition).then(value).sum()
        if kind in plan.values:
            columns[f"{kind}_value_mean"] = nw.when(code == n).then(value).mean()
    # With the time in front, the smallest text is the earliest one, and null attributes drop out; the
    # time is removed by `_first_and_last`.
    stamp = (time + STAMP).cast(nw.String)
    for name in plan.attributes:
        stamped = nw.concat_str(stamp, nw.col(name))
        columns |= {f"first_{name}": stamped.min(), f"last_{name}": stamped.max()}
    return columns


def _within(plan: FeaturePlan, kind: str, age: nw.Expr = AGE) -> Iterator[tuple[str, nw.Expr]]:
    """Yield the condition of each window for the events of a kind, with the suffix of its features."""
    is_kind = nw.col("_code") == plan.kinds.index(kind)
    for suffix, days in plan.spans:
        yield suffix, is_kind if days is None else is_kind & (age <= days * DAY)


def _count_items(past: Any, plan: FeaturePlan) -> Any:
    """Count the distinct items of each lead by kind and window."""
    # Each item is first reduced to its latest event, because engines count distinct values slowly.
    latest = past.filter(~nw.col("item").is_null()).group_by(*LEAD, "_code", "item").agg(_age=AGE.min())
    counts = {
        f"{kind}_items{suffix}": _count(condition)
        for kind in plan.items
        for suffix, condition in _within(plan, kind, nw.col("_age"))
    }
    return latest.group_by(*LEAD).agg(**counts)


def _count(condition: nw.Expr) -> nw.Expr:
    # Not the sum of the condition, because Spark cannot add booleans.
    return nw.when(condition).then(1).otherwise(0).sum().cast(nw.Int32)


def _features(plan: FeaturePlan, has_start: bool) -> dict[str, nw.Expr]:
    """Compute the features from the aggregates, by name."""
    features = _totals(plan)
    for name, (above, below) in plan.ratios.items():
        for suffix, _ in plan.spans:
            features[name + suffix] = _ratio(features[above + suffix], features[below + suffix])
    for name in plan.counted:
        for short, long in plan.trends:
            pace = _divide(features[f"{name}_last_{short}d"], short)
            overall = _divide(features[f"{name}_last_{long}d"], long)
            features[f"{name}_trend_{short}d_{long}d"] = _ratio(pace, overall)
    features |= {f"{kind}_value_mean": nw.col(f"{kind}_value_mean") for kind in plan.values}
    features |= {name: nw.col(part) / nw.col("_events") for name, part in SHARES.items()}
    features |= _times(plan) | _first_and_last(plan)
    ordered = {name: features[name] for name in plan.features}
    if has_start:
        ordered["days_since_start"] = _divide(nw.col("_cutoff") - nw.col("_start"), DAY)
    return ordered


def _totals(plan: FeaturePlan) -> dict[str, nw.Expr]:
    """Return counts and sums, which are zero without events."""
    sums = [f"{kind}_value" for kind in plan.values] + [f"{kind}_items" for kind in plan.items]
    totals = {"active_days": nw.col("_days").fill_null(0)}
    for suffix, _ in plan.spans:
        totals |= {name + suffix: nw.col(name + suffix).fill_null(0) for name in (*plan.kinds, *sums)}
        totals[f"events{suffix}"] = reduce(add, [totals[kind + suffix] for kind in plan.kinds])
    return totals


def _divide(expression: nw.Expr, number: int) -> nw.Expr:
    # By a constant, polars multiplies eight rows at a time by the reciprocal, and divides the rows that are
    # left: the last digit of a feature would depend on the lead's place in the table. Hence the column.
    return expression / (nw.col("_cutoff") * 0 + number)


def _ratio(above: nw.Expr, below: nw.Expr) -> nw.Expr:
    # Missing where it is not defined, which the model can tell from zero.
    return nw.when(below > 0).then(above / below)


def _times(plan: FeaturePlan) -> dict[str, nw.Expr]:
    """Return recency, tenure and the time between events, in days."""
    last, first, n = _latest(plan), nw.col("_first"), nw.col("_events")
    return {
        **{f"days_since_last_{kind}": _divide(nw.col(f"_last_{kind}"), DAY) for kind in plan.kinds},
        "days_since_last_event": _divide(last, DAY),
        "days_since_first_event": _divide(first, DAY),
        "days_first_to_last_event": _divide(first - last, DAY),
        "days_between_events": nw.when(n > 1).then(_divide(first - last, DAY) / (n - 1)),
    }


def _latest(plan: FeaturePlan) -> nw.Expr:
    ages = [f"_last_{kind}" for kind in plan.kinds]
    # Spark's `least`, which `min_horizontal` becomes, needs two columns.
    return nw.col(ages[0]) if len(ages) == 1 else nw.min_horizontal(*ages)


def _first_and_last(plan: FeaturePlan) -> dict[str, nw.Expr]:
    """Return the first and the last kind of event, and the attributes at both ends."""
    first, last = nw.lit(None, dtype=nw.String), nw.lit(None, dtype=nw.String)
    # Of kinds at the same time the one that the plan names last remains.
    for code, kind in enumerate(plan.kinds):
        first = nw.when(nw.col("_first_code") == code).then(nw.lit(kind)).otherwise(first)
        last = nw.when(nw.col(f"_last_{kind}") == _latest(plan)).then(nw.lit(kind)).otherwise(last)
    names = [f"{which}_{name}" for name in plan.attributes for which in ("first", "last")]
    attributes = {name: nw.col(name).str.slice(len(str(STAMP))) for name in names}
    return {"first_kind": first, "last_kind": last, **attributes}


def _check_engine(*frames: Any) -> None:
    """Raise InputError unless all frames are of polars, of DuckDB or of PySpark."""
    engines = [frame.implementation for frame in frames]
    supported = all(e.is_polars() or e.is_duckdb() or e.is_spark_like() for e in engines)
    if not supported or len(set(engines)) > 1:
        names = " and ".join(engine.value for engine in engines)
        raise InputError(
            "Tables of events must be frames of one engine: polars, DuckDB or PySpark. "
            f"Got {names} instead."
        )


def _clock(frame: Any, column: str) -> nw.Expr:
    """Return a time in microseconds since 1970, by the function of the engine."""
    time = nw.col(column)
    if frame.implementation.is_duckdb():
        return time.dt.total_microseconds()
    if frame.implementation.is_spark_like():
        return _from_calendar(time)
    return time.dt.timestamp("us")


def _from_calendar(time: nw.Expr) -> nw.Expr:
    """Compute microseconds from calendar fields; in Spark, instants depend on the session's time zone.

    Days are counted by the proleptic Gregorian calendar with years that begin in March, as in Howard
    Hinnant's "chrono-Compatible Low-Level Date Algorithms".
    """
    month, late = time.dt.month(), (time.dt.month() + 9) // 12
    year = time.dt.year() + late - 1
    leaps = year // 4 - year // 100 + year // 400
    days = year * 365 + leaps + (153 * (month + 9 - 12 * late) + 2) // 5 + time.dt.day() - 719_469
    seconds = (time.dt.hour() * 60 + time.dt.minute()) * 60 + time.dt.second()
    # A remainder has the sign of the time, which is negative before 1970.
    micros = (time.dt.microsecond() + 1_000_000) % 1_000_000
    return (days.cast(nw.Int64) * 86_400 + seconds) * 1_000_000 + micros
