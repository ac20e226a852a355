"""The expressions of event features: one set for polars, DuckDB and PySpark.

Time is counted in whole microseconds since 1970, so that every engine compares and divides alike.
"""

from collections.abc import Iterator
from functools import reduce
from operator import add
from typing import Any

from leadmodel.events.engines import clock, nw
from leadmodel.events.plan import FeaturePlan

__all__ = ["LEAD", "aggregates", "descriptions", "different_items", "steps"]

HOUR = 3_600_000_000
DAY = 24 * HOUR

STAMP = 5 * 10**18
"""Added to a time it makes a number of 19 digits, so that texts of times sort as times do."""

SHARES = {"share_on_weekends": "_weekend", "share_at_night": "_night", "share_in_office_hours": "_office"}

LEAD = ("_entity", "_cutoff")
"""The columns that name a lead half-way."""

Named = Iterator[tuple[str, nw.Expr]]
AGE = nw.col("_cutoff") - nw.col("_time")


def steps(log: Any, plan: FeaturePlan) -> Any:
    """Return the events of the plan's kinds with what is the same for every lead that has them."""
    time, hour, weekend = nw.col("_time"), nw.col("_hour"), (nw.col("_day") + 3) % 7 >= 5
    codes = {kind: code for code, kind in enumerate(plan.kinds)}
    known = log.filter(nw.col("kind").is_in(plan.kinds))
    known = known.with_columns(_time=clock(log, "time")).with_columns(_day=time // DAY)
    known = known.with_columns(_hour=(time - nw.col("_day") * DAY) // HOUR)
    return known.select(
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


def aggregates(plan: FeaturePlan) -> dict[str, nw.Expr]:
    """Return what is gathered per lead, by the name of its column; an underscore marks a half-way one."""
    time, code = nw.col("_time"), nw.col("_code")
    made = {
        "_events": nw.len().cast(nw.Int32),
        "_first": AGE.max(),
        "_first_code": (time * len(plan.kinds) + code).min() % len(plan.kinds),
        "_days": nw.col("_day").n_unique().cast(nw.Int32),
        **{name: nw.col(name).sum().cast(nw.Int32) for name in ("_weekend", "_night", "_office")},
        **{f"_last_{kind}": nw.when(code == n).then(AGE).min() for n, kind in enumerate(plan.kinds)},
    }
    made |= dict(_counts(plan)) | dict(_values(plan)) | dict(_attributes(plan))
    return made


def _within(plan: FeaturePlan, kind: str, age: nw.Expr = AGE) -> Iterator[tuple[str, nw.Expr]]:
    of_kind = nw.col("_code") == plan.kinds.index(kind)
    for ending, days in plan.spans:
        yield ending, of_kind if days is None else of_kind & (age <= days * DAY)


def _counts(plan: FeaturePlan) -> Named:
    for kind in plan.kinds:
        for ending, here in _within(plan, kind):
            yield f"{kind}{ending}", _count(here)


def _values(plan: FeaturePlan) -> Named:
    value = nw.col("value")
    for kind in plan.values:
        for ending, here in _within(plan, kind):
            yield f"{kind}_value{ending}", nw.when(here).then(value).sum()
        yield f"{kind}_value_mean", nw.when(nw.col("_code") == plan.kinds.index(kind)).then(value).mean()


def different_items(past: Any, plan: FeaturePlan) -> Any:
    """Return how many different items each lead's past has, by kind and window.

    Each item is reduced to its latest event first: engines count distinct values slowly.
    """
    latest = past.filter(~nw.col("item").is_null()).group_by(*LEAD, "_code", "item").agg(_age=AGE.min())
    counts = {
        f"{kind}_items{ending}": _count(here)
        for kind in plan.items
        for ending, here in _within(plan, kind, nw.col("_age"))
    }
    return latest.group_by(*LEAD).agg(**counts)


def _count(condition: nw.Expr) -> nw.Expr:
    return nw.when(condition).then(1).otherwise(0).sum().cast(nw.Int32)


def _attributes(plan: FeaturePlan) -> Named:
    stamp = (nw.col("_time") + STAMP).cast(nw.String)
    for name in plan.attributes:
        stamped = nw.concat_str(stamp, nw.col(name))
        yield f"first_{name}", stamped.min()
        yield f"last_{name}", stamped.max()


def descriptions(plan: FeaturePlan, started: bool) -> dict[str, nw.Expr]:
    """Return the features of a lead from what was gathered, by name; `started` if leads have a start."""
    made = dict(_amounts(plan)) | dict(_quotients(plan)) | dict(_times(plan)) | dict(_shares())
    made |= dict(_ends(plan))
    ordered = {name: made[name] for name in plan.features}
    return ordered | ({"days_since_start": (nw.col("_cutoff") - nw.col("_start")) / DAY} if started else {})


def _amounts(plan: FeaturePlan) -> Named:
    """Counts and sums: without an event they are zero, not missing."""
    sums = [f"{kind}_value" for kind in plan.values] + [f"{kind}_items" for kind in plan.items]
    for ending, _ in plan.spans:
        for name in (*plan.kinds, *sums):
            yield name + ending, _zero(name + ending)
        yield f"events{ending}", reduce(add, [_zero(kind + ending) for kind in plan.kinds])
    yield "active_days", _zero("_days")


def _zero(name: str) -> nw.Expr:
    return nw.col(name).fill_null(0)


def _quotients(plan: FeaturePlan) -> Named:
    """What is divided by a count: missing where that is zero."""
    counts = dict(_amounts(plan))
    for name, (above, below) in plan.ratios.items():
        for ending, _ in plan.spans:
            yield name + ending, _divided(counts[above + ending], counts[below + ending])
    for name in plan.counted:
        for short, long in plan.trends:
            rate = counts[f"{name}_last_{short}d"] / short
            yield f"{name}_trend_{short}d_{long}d", _divided(rate, counts[f"{name}_last_{long}d"] / long)
    for kind in plan.values:
        yield f"{kind}_value_mean", nw.col(f"{kind}_value_mean")


def _divided(above: nw.Expr, below: nw.Expr) -> nw.Expr:
    return nw.when(below > 0).then(above / below)


def _times(plan: FeaturePlan) -> Named:
    """Recency, tenure and the time between, in days."""
    last, first, n = _latest(plan), nw.col("_first"), nw.col("_events")
    for kind in plan.kinds:
        yield f"days_since_last_{kind}", nw.col(f"_last_{kind}") / DAY
    yield "days_since_last_event", last / DAY
    yield "days_since_first_event", first / DAY
    yield "days_first_to_last_event", (first - last) / DAY
    yield "days_between_events", nw.when(n > 1).then((first - last) / DAY / (n - 1))


def _latest(plan: FeaturePlan) -> nw.Expr:
    ages = [f"_last_{kind}" for kind in plan.kinds]
    return nw.col(ages[0]) if len(ages) == 1 else nw.min_horizontal(*ages)


def _shares() -> Named:
    for name, part in SHARES.items():
        yield name, nw.col(part) / nw.col("_events")


def _ends(plan: FeaturePlan) -> Named:
    """What came first and what came last."""
    first, last = nw.lit(None, dtype=nw.String), nw.lit(None, dtype=nw.String)
    for code, kind in enumerate(plan.kinds):
        first = nw.when(nw.col("_first_code") == code).then(nw.lit(kind)).otherwise(first)
        last = nw.when(nw.col(f"_last_{kind}") == _latest(plan)).then(nw.lit(kind)).otherwise(last)
    yield "first_kind", first
    yield "last_kind", last
    for name in plan.attributes:
        for which in ("first", "last"):
            yield f"{which}_{name}", nw.col(f"{which}_{name}").str.slice(len(str(STAMP)))
