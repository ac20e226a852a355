"""Make leads from event tables: choose cutoffs, compute features, and label the outcome.

A lead is an entity at a cutoff. Its features are computed from events before the cutoff; it converted if it
has an outcome after the cutoff and within the horizon. An entity with an outcome up to the cutoff is not a
lead, and neither is one whose horizon ends after the tables do.
"""

import datetime as dt
from dataclasses import replace
from typing import Any

import pandas as pd
import polars as pl
import polars.selectors as cs

from leadmodel.errors import InputError
from leadmodel.events.cutoffs import active_leads, leads_after, leads_after_events
from leadmodel.events.features import build_features
from leadmodel.events.tables import EventReport, EventTables, TableReport
from leadmodel.events.windows import describe_features, feature_plan
from leadmodel.leads.event_recipe import EventConfig
from leadmodel.leads.recipe import FieldConfig, Recipe

__all__ = ["describe_leads", "open_leads", "past_leads", "recipe_of_leads"]

DIGITS = 12
"""Significant digits of features: beyond them, sums depend on the order in which threads add."""

TICK = dt.timedelta(microseconds=1)


def recipe_of_leads(recipe: Recipe, config: EventConfig) -> Recipe:
    """Return the recipe of the leads that the events of a recipe make: target, time, and fields."""
    fields = describe_features(config, feature_plan(config))
    for name, given in recipe.fields.items():
        fields[name] = fields.get(name, FieldConfig()).model_copy(
            update=given.model_dump(exclude_none=True)
        )
    return recipe.updated(
        target="converted",
        positive="Yes",
        time="cutoff",
        amount="amount" if config.outcomes.brings_amounts else None,
        fields=fields,
    )


def past_leads(tables: EventTables, config: EventConfig) -> tuple[pd.DataFrame, EventReport]:
    """Make the leads whose outcome is known.

    Parameters
    ----------
    tables : EventTables
        As `leadmodel.events.tables.read_event_tables` returns them.
    config : EventConfig
        The ``[events]`` of the recipe.

    Returns
    -------
    DataFrame of shape (n_leads, n_columns)
        The entity by its own name, its fields, the features, ``amount`` (the sum of the outcomes within
        the horizon, missing for leads that did not convert; only if the tables have amounts),
        ``cutoff`` and ``converted``, "Yes" or "No"; the oldest leads first.
    EventReport
        Report of the tables and the leads.

    Raises
    ------
    InputError
        If there is no lead.
    """
    until = tables.report.until
    candidates = _candidates(tables, config, _cutoffs(tables, config))
    n_candidates = len(candidates)
    candidates = _not_converted(candidates, tables.outcomes, pl.col("cutoff"))
    n_open = len(candidates)
    if config.horizon is not None:
        # The last day is complete although it ends a microsecond before midnight.
        candidates = candidates.filter(pl.col("cutoff") + pl.duration(days=config.horizon) <= until + TICK)
    leads = _label(candidates, tables.outcomes, config)
    n_converted = int((leads["converted"] == "Yes").sum())
    left_out = {
        "that had converted already": n_candidates - n_open,
        "whose horizon is not over": n_open - len(leads),
    }
    of_leads = TableReport(
        "made of them", "leads", n_candidates, len(leads), left_out, {"converted": n_converted}
    )
    report = replace(tables.report, leads=of_leads)
    if leads.is_empty():
        raise InputError(f"The tables must contain a lead with a known outcome.\n{report.summary()}")
    return _with_features(tables, config, leads).to_pandas(), report


def open_leads(
    tables: EventTables, config: EventConfig, cutoff: dt.datetime
) -> tuple[pl.DataFrame, EventReport]:
    """Make the leads to score at a cutoff: known by then, and not converted yet.

    With `after`, these are the entities whose start was between the shortest and the longest of these
    times before; with `every`, the active ones; with `after_events`, those that reached this number of
    events within the horizon, described by what was known right after.

    Parameters
    ----------
    tables, config
        As for `past_leads`.
    cutoff : datetime
        In UTC, without a zone. Later events are ignored.

    Returns
    -------
    DataFrame of shape (n_leads, n_columns)
        As `past_leads` returns it, without ``amount`` and ``converted``.
    EventReport
        Report of the tables and the leads.

    Raises
    ------
    InputError
        If there is no lead.
    """
    before = replace(tables, log=tables.log.filter(pl.col("time") < cutoff))
    candidates = _candidates_at(before, config, cutoff)
    leads = _not_converted(candidates, tables.outcomes, pl.lit(cutoff))
    n_later = tables.log.select((pl.col("time") >= cutoff).sum()).collect().item()
    left_out = {"that had converted already": len(candidates) - len(leads)}
    later = {f"events from {cutoff:%Y-%m-%d %H:%M} on, which are not used": n_later}
    of_leads = TableReport("made of them", "leads", len(candidates), len(leads), left_out, later)
    report = replace(tables.report, leads=of_leads)
    if leads.is_empty():
        problem = f"There must be at least one lead to score at {cutoff:%Y-%m-%d %H:%M}."
        raise InputError(f"{problem}\n{report.summary()}")
    return _with_features(before, config, leads), report


def _cutoffs(tables: EventTables, config: EventConfig) -> list[dt.datetime]:
    """Return cutoffs every `every` days, from the latest with a complete outcome window back to the first
    with a complete activity window, in ascending order."""
    if not config.every or not config.active_within:
        return []
    first = tables.log.select(pl.col("time").min()).collect().item()
    last = (tables.report.until + TICK).replace(hour=0, minute=0, second=0, microsecond=0)
    cutoff, cutoffs = last - dt.timedelta(days=config.horizon or 0), []
    while first is not None and cutoff >= first + dt.timedelta(days=config.active_within):
        cutoffs.append(cutoff)
        cutoff -= dt.timedelta(days=config.every)
    if not cutoffs:
        raise InputError(
            f"The events must span the days of active_within ({config.active_within}) and of the horizon "
            f"({config.horizon}). They begin at {first} and are known until {tables.report.until}."
        )
    return cutoffs[::-1]


def _candidates(tables: EventTables, config: EventConfig, cutoffs: list[dt.datetime]) -> pl.DataFrame:
    if config.after:
        return _collected(leads_after(tables.entities, config.after))
    if config.after_events:
        candidates = leads_after_events(tables.log, config.after_events)
    else:
        assert config.active_within is not None  # the recipe has one of the three
        candidates = active_leads(tables.log, cutoffs, config.active_within)
    leads = _collected(candidates)
    if tables.entities is None:
        return leads
    # Entities without a row in their table have missing fields.
    fields = tables.entities.drop([name for name in leads.columns if name != "entity"], strict=False)
    return leads.join(fields, on="entity", how="left")


def _candidates_at(tables: EventTables, config: EventConfig, cutoff: dt.datetime) -> pl.DataFrame:
    if config.after:
        assert tables.entities is not None
        age, day = pl.lit(cutoff) - pl.col("start"), dt.timedelta(days=1)
        of_age = (age >= config.after[0] * day) & (age <= config.after[-1] * day)
        return tables.entities.filter(of_age).with_columns(cutoff=pl.lit(cutoff))
    candidates = _candidates(tables, config, [cutoff])
    if config.after_events and config.horizon:
        candidates = candidates.filter(pl.col("cutoff") > cutoff - dt.timedelta(days=config.horizon))
    return candidates


def _collected(frame: Any) -> pl.DataFrame:
    return frame.collect(engine="streaming") if isinstance(frame, pl.LazyFrame) else frame


def _not_converted(candidates: pl.DataFrame, outcomes: pl.DataFrame, at: pl.Expr) -> pl.DataFrame:
    """Return the candidates without an outcome up to that time."""
    first = outcomes.group_by("entity").agg(pl.col("time").min().alias("(first)"))
    joined = candidates.join(first, on="entity", how="left")
    return joined.filter(pl.col("(first)").is_null() | (pl.col("(first)") > at)).drop("(first)")


def _label(candidates: pl.DataFrame, outcomes: pl.DataFrame, config: EventConfig) -> pl.DataFrame:
    """Add outcome and amount to leads, none of which has an outcome up to its cutoff."""
    key = ["entity", "cutoff"]
    counted = candidates.select(key).join(outcomes, on="entity").filter(pl.col("time") > pl.col("cutoff"))
    if config.horizon is not None:
        counted = counted.filter(pl.col("time") <= pl.col("cutoff") + pl.duration(days=config.horizon))
    priced = pl.when(pl.col("amount").count() > 0).then(pl.col("amount").sum())
    outcome = counted.group_by(key).agg(priced.alias("amount"), pl.lit("Yes").first().alias("converted"))
    leads = candidates.join(outcome, on=key, how="left").with_columns(pl.col("converted").fill_null("No"))
    return leads if config.outcomes.brings_amounts else leads.drop("amount")


def describe_leads(log: pl.LazyFrame, leads: pl.LazyFrame, config: EventConfig) -> pl.LazyFrame:
    """Add the features to leads, rounded to `DIGITS`, in any order of rows."""
    described = build_features(log, leads, feature_plan(config))
    return described.with_columns(cs.float().round_sig_figs(DIGITS)).drop("start", strict=False)


def _with_features(tables: EventTables, config: EventConfig, leads: pl.DataFrame) -> pl.DataFrame:
    """Add the features to leads, and order the columns for people."""
    labels = [name for name in ("amount", "converted") if name in leads.columns]
    key = ["entity", "cutoff"]
    # Without the labels, so that no feature can use them.
    table = _collected(describe_leads(tables.log, leads.drop(labels).lazy(), config))
    labelled = leads.select(*key, *labels).with_columns(cs.float().round_sig_figs(DIGITS))
    table = table.join(labelled, on=key).sort("cutoff", "entity")
    features = [name for name in table.columns if name not in (*key, *labels)]
    last = [name for name in ("amount", "cutoff", "converted") if name in table.columns]
    return table.select(pl.col("entity").alias(config.entity), *features, *last)
