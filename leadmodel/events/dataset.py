"""Leads made of a log of events: which there are, what was known of them, and what became of them.

A lead is an entity at a moment, the cutoff. Its features are made of what happened before; it has converted
if it has an outcome after the cutoff and within the horizon. An entity with an outcome at the cutoff
or before is no lead, and neither is one whose horizon reaches beyond what the tables tell of.
"""

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from leadmodel.errors import InputError
from leadmodel.events.labels import describe_features
from leadmodel.events.plan import FeaturePlan
from leadmodel.events.report import EventReport, TableReport
from leadmodel.events.tables import EventTables
from leadmodel.leads.event_recipe import EventConfig
from leadmodel.leads.recipe import FieldConfig, Recipe

if TYPE_CHECKING:
    import polars as pl
__all__ = ["feature_plan", "open_leads", "past_leads", "recipe_of_leads"]

DIGITS = 12
"""Significant digits of features: what threads add up in another order differs behind them."""

TICK = dt.timedelta(microseconds=1)


def feature_plan(hints: EventConfig) -> FeaturePlan:
    """Return which features the recipe asks for."""

    def kinds(part: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(k for log in hints.logs if getattr(log, part) for k in log.kind_names))

    return FeaturePlan(
        kinds=hints.kinds,
        windows=hints.windows,
        values=kinds("value"),
        items=kinds("item"),
        ratios=hints.ratios,
        attributes=hints.attributes,
    )


def recipe_of_leads(recipe: Recipe, hints: EventConfig) -> Recipe:
    """Return what is known of the leads that a recipe's events make: their columns, and how these read."""
    fields = describe_features(hints, feature_plan(hints))
    for name, told in recipe.fields.items():
        fields[name] = fields.get(name, FieldConfig()).model_copy(update=told.model_dump(exclude_none=True))
    return recipe.updated(
        target="converted",
        positive="Yes",
        time="cutoff",
        amount="amount" if hints.outcomes.brings_amounts else None,
        fields=fields,
    )


def past_leads(tables: EventTables, hints: EventConfig) -> tuple[pd.DataFrame, EventReport]:
    """Return the leads whose outcome is known, and what became of the others.

    Parameters
    ----------
    tables : EventTables
        As `leadmodel.events.tables.read_event_tables` returns them.
    hints : EventConfig
        The recipe's ``[events]``.

    Returns
    -------
    DataFrame of shape (n_leads, n_columns)
        The entity by its own name, its fields, the features, ``amount`` (what the outcomes within the
        horizon brought; missing for leads that have not converted, and without amounts no column),
        ``cutoff`` and ``converted``, "Yes" or "No"; the oldest leads first.
    EventReport
        That of the tables, with the leads.

    Raises
    ------
    InputError
        If no lead is left.
    """
    import polars as pl

    until = tables.report.until
    moments = _moments(tables, hints, _cutoffs(tables, hints))
    n_moments = len(moments)
    moments = _not_converted(moments, tables.outcomes, pl.col("cutoff"))
    n_open = len(moments)
    if hints.horizon is not None:
        # A date is the last microsecond of its day: then the whole day is known.
        moments = moments.filter(pl.col("cutoff") + pl.duration(days=hints.horizon) <= until + TICK)
    leads = _labelled(moments, tables.outcomes, hints)
    n_converted = int((leads["converted"] == "Yes").sum())
    left_out = {
        "that had converted already": n_moments - n_open,
        "whose horizon is not over": n_open - len(leads),
    }
    of_leads = TableReport(
        "made of them", "leads", n_moments, len(leads), left_out, {"converted": n_converted}
    )
    report = replace(tables.report, leads=of_leads)
    if leads.is_empty():
        raise InputError(f"The tables must make a lead whose outcome is known.\n{report.summary()}")
    return _described(tables, hints, leads).to_pandas(), report


def open_leads(
    tables: EventTables, hints: EventConfig, cutoff: dt.datetime
) -> "tuple[pl.DataFrame, EventReport]":
    """Return the leads that can be scored at a moment: known by then, and not converted.

    With `after`, those whose start is between the shortest and the longest of these times ago; with
    `every`, those that are active; with `after_events`, those with so many events, the last of them
    within the horizon: what is known of them is what was known right after it.

    Parameters
    ----------
    tables, hints
        As for `past_leads`.
    cutoff : datetime
        In UTC, without a zone. Nothing from then on is used.

    Returns
    -------
    DataFrame of shape (n_leads, n_columns)
        As `past_leads` returns it, without ``amount`` and ``converted``.
    EventReport
        That of the tables, with the leads.

    Raises
    ------
    InputError
        If there is none.
    """
    import polars as pl

    before = replace(tables, log=tables.log.filter(pl.col("time") < cutoff))
    moments = _moments_at(before, hints, cutoff)
    leads = _not_converted(moments, tables.outcomes, pl.lit(cutoff))
    n_later = tables.log.select((pl.col("time") >= cutoff).sum()).collect().item()
    left_out = {"that had converted already": len(moments) - len(leads)}
    later = {f"events from {cutoff:%Y-%m-%d %H:%M} on, which say nothing": n_later}
    of_leads = TableReport("made of them", "leads", len(moments), len(leads), left_out, later)
    report = replace(tables.report, leads=of_leads)
    if leads.is_empty():
        raise InputError(f"There must be a lead to score at {cutoff:%Y-%m-%d %H:%M}.\n{report.summary()}")
    return _described(before, hints, leads), report


def _cutoffs(tables: EventTables, hints: EventConfig) -> list[dt.datetime]:
    """Return midnights every so many days: from the last one whose outcomes are known, back to the first
    before which entities can have been active for all the time that counts."""
    import polars as pl

    if not hints.every or not hints.active_within:
        return []
    first = tables.log.select(pl.col("time").min()).collect().item()
    last = (tables.report.until + TICK).replace(hour=0, minute=0, second=0, microsecond=0)
    cutoff, cutoffs = last - dt.timedelta(days=hints.horizon or 0), []
    while first is not None and cutoff >= first + dt.timedelta(days=hints.active_within):
        cutoffs.append(cutoff)
        cutoff -= dt.timedelta(days=hints.every)
    if not cutoffs:
        raise InputError(
            f"The events must span the days of active_within ({hints.active_within}) and of the horizon "
            f"({hints.horizon}). They begin at {first} and are known until {tables.report.until}."
        )
    return cutoffs[::-1]


def _moments(tables: EventTables, hints: EventConfig, cutoffs: list[dt.datetime]) -> "pl.DataFrame":
    from leadmodel.events.cutoffs import active_leads, leads_after, leads_after_events

    if hints.after:
        return _collected(leads_after(tables.entities, hints.after))
    if hints.after_events:
        found = leads_after_events(tables.log, hints.after_events)
    else:
        assert hints.active_within is not None  # the recipe has one of the three
        found = active_leads(tables.log, cutoffs, hints.active_within)
    return _with_fields(_collected(found), tables)


def _moments_at(tables: EventTables, hints: EventConfig, cutoff: dt.datetime) -> "pl.DataFrame":
    import polars as pl

    if hints.after:
        assert tables.entities is not None
        age, day = pl.lit(cutoff) - pl.col("start"), dt.timedelta(days=1)
        of_age = (age >= hints.after[0] * day) & (age <= hints.after[-1] * day)
        return tables.entities.filter(of_age).with_columns(cutoff=pl.lit(cutoff))
    moments = _moments(tables, hints, [cutoff])
    if hints.after_events and hints.horizon:
        moments = moments.filter(pl.col("cutoff") > cutoff - dt.timedelta(days=hints.horizon))
    return moments


def _with_fields(moments: "pl.DataFrame", tables: EventTables) -> "pl.DataFrame":
    """Put what is known of the entities beside their moments; without a row there, it is missing."""
    if tables.entities is None:
        return moments
    known = tables.entities.drop([name for name in moments.columns if name != "entity"], strict=False)
    return moments.join(known, on="entity", how="left")


def _collected(frame: Any) -> "pl.DataFrame":
    import polars as pl

    return frame.collect(engine="streaming") if isinstance(frame, pl.LazyFrame) else frame


def _not_converted(moments: "pl.DataFrame", outcomes: "pl.DataFrame", at: "pl.Expr") -> "pl.DataFrame":
    """Return the moments of entities without an outcome at that time or before."""
    import polars as pl

    first = outcomes.group_by("entity").agg(pl.col("time").min().alias("(first)"))
    joined = moments.join(first, on="entity", how="left")
    return joined.filter(pl.col("(first)").is_null() | (pl.col("(first)") > at)).drop("(first)")


def _labelled(moments: "pl.DataFrame", outcomes: "pl.DataFrame", hints: EventConfig) -> "pl.DataFrame":
    """Return leads with what became of them; none of them has an outcome at its cutoff or before."""
    import polars as pl

    key = ["entity", "cutoff"]
    counted = moments.select(key).join(outcomes, on="entity").filter(pl.col("time") > pl.col("cutoff"))
    if hints.horizon is not None:
        counted = counted.filter(pl.col("time") <= pl.col("cutoff") + pl.duration(days=hints.horizon))
    priced = pl.when(pl.col("amount").count() > 0).then(pl.col("amount").sum())
    found = counted.group_by(key).agg(priced.alias("amount"), pl.lit("Yes").first().alias("converted"))
    leads = moments.join(found, on=key, how="left").with_columns(pl.col("converted").fill_null("No"))
    return leads if hints.outcomes.brings_amounts else leads.drop("amount")


def _described(tables: EventTables, hints: EventConfig, leads: "pl.DataFrame") -> "pl.DataFrame":
    """Return leads with their features, named and ordered as people read them."""
    import polars as pl
    import polars.selectors as cs

    from leadmodel.events.features import build_features

    of_outcome = [name for name in ("amount", "converted") if name in leads.columns]
    key = ["entity", "cutoff"]
    made = _collected(build_features(tables.log, leads.drop(of_outcome).lazy(), feature_plan(hints)))
    made = made.join(leads.select(*key, *of_outcome), on=key).sort("cutoff", "entity")
    made = made.with_columns(cs.float().round_sig_figs(DIGITS)).drop("start", strict=False)
    features = [name for name in made.columns if name not in (*key, *of_outcome)]
    amount = [name for name in of_outcome if name == "amount"]
    last = [name for name in of_outcome if name == "converted"]
    named = made.select(pl.col("entity").alias(hints.entity), *features, *amount, "cutoff", *last)
    return named
