"""Event logs to features: one row per lead, made of nothing but what happened before its cutoff."""

from typing import Any

from leadmodel.errors import InputError
from leadmodel.events.engines import check_engine, clock, nw
from leadmodel.events.expressions import LEAD, aggregates, descriptions, different_items, steps
from leadmodel.events.plan import FeaturePlan

__all__ = ["FeaturePlan", "build_features"]


def build_features(events: Any, leads: Any, plan: FeaturePlan) -> Any:
    """Describe each lead by its events before its cutoff.

    Every row of the log is an event, also one that is there twice. Kinds that the plan does not
    name are left out, as is an event without a time or an entity. The order of the log does not
    matter: of events at one moment, the kind that the plan names later counts as the later event, and
    of attributes the text that sorts last. Hours and weekdays are those of the times as written.

    Parameters
    ----------
    events : polars, DuckDB or PySpark frame
        Columns `entity`, `time` (without a time zone) and `kind`; `value`, `item` and attributes as
        the plan needs them.
    leads : frame of the same engine, of shape (n_leads, n_columns)
        Columns `entity` and `cutoff`; `start`, if given, makes the feature `days_since_start`.
    plan : FeaturePlan
        What to count.

    Returns
    -------
    frame of shape (n_leads, n_columns + n_features)
        One row for each lead, in any order: its columns, then ``plan.features``. A lead without
        events has zero counts; what cannot be said of it is missing. Lazy if either frame is.

    Raises
    ------
    InputError
        If a column is missing or has a feature's name, or the engines differ.
    """
    log, table = nw.from_native(events), nw.from_native(leads)
    check_engine(log, table)
    _check(log, table, plan)
    made = _described(log.lazy(), table.lazy(), plan)
    if isinstance(log, nw.DataFrame) and isinstance(table, nw.DataFrame):
        return made.collect(engine="streaming").to_native()
    return made.to_native()


def _check(log: Any, table: Any, plan: FeaturePlan) -> None:
    for what, frame, needed in (("events", log, plan.columns), ("leads", table, ("entity", "cutoff"))):
        columns = frame.collect_schema().names()
        if lacking := [name for name in needed if name not in columns]:
            raise InputError(f"The {what} must have the columns {lacking}. Got {columns} instead.")
    if taken := sorted({*plan.features, "days_since_start"} & set(table.collect_schema().names())):
        raise InputError(f"No column of the leads may have the name of a feature. Got {taken}.")


def _described(log: Any, table: Any, plan: FeaturePlan) -> Any:
    columns = table.collect_schema().names()
    table = table.with_columns(_cutoff=clock(table, "cutoff"))
    ends = table.select(_entity="entity", _cutoff="_cutoff").unique()
    past = steps(log, plan).join(ends, on="_entity").filter(nw.col("_time") < nw.col("_cutoff"))
    found = past.group_by(*LEAD).agg(**aggregates(plan))
    if plan.items:
        found = found.join(different_items(past, plan), on=list(LEAD), how="left")
    if "start" in columns:
        table = table.with_columns(_start=clock(table, "start"))
    joined = table.join(found, left_on=["entity", "_cutoff"], right_on=list(LEAD), how="left")
    return joined.select(*columns, **descriptions(plan, "start" in columns))
