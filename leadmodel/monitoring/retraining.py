"""Train a challenger, compare it with the published champion, and decide which one to publish."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pydantic import ValidationError

from leadmodel.arrays import Bools
from leadmodel.drift.counts import count_leads
from leadmodel.drift.drift import Drift, compare_leads
from leadmodel.drift.performance import evaluate_outcomes
from leadmodel.errors import InputError, ModelError
from leadmodel.leads.convert import read_leads
from leadmodel.leads.outcome.read import MIN_LEADS_PER_OUTCOME
from leadmodel.leads.outcome.rule import OutcomeRule
from leadmodel.leads.recipe import Recipe
from leadmodel.leads.times.read import read_times
from leadmodel.metrics.classification import evaluate
from leadmodel.metrics.comparison import paired_difference
from leadmodel.model import LeadModel
from leadmodel.monitoring.deployment import MAX_AGE_DAYS, decide
from leadmodel.prepare.data import TrainingData, fingerprint, prepare
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.publishing.card import render_card
from leadmodel.report.gate import Comparison, Gate, Rule
from leadmodel.training.fit import fit
from leadmodel.training.package import package

_NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?")

__all__ = ["Retrained", "champion_recipe", "champion_settings", "retrain", "with_gate"]


@dataclass(frozen=True)
class Retrained:
    """A challenger, and the decision of the gate about it.

    Attributes
    ----------
    gate : Gate
        The decision.
    drift : Drift, optional
        Drift of the new leads from those of the champion; None if there are no new leads.
    challenger : LeadModel, optional
        The new model, with the decision in its card; None if none was trained.
    """

    gate: Gate
    drift: Drift | None = None
    challenger: LeadModel | None = None


class _NewLeads(NamedTuple):
    """Leads of the challenger, which of them are newer than those of the champion, and their drift."""

    data: TrainingData
    is_new: Bools
    drift: Drift


def champion_recipe(champion: LeadModel, more: OutcomeRule | None = None) -> Recipe:
    """Return the recipe of the champion.

    Parameters
    ----------
    champion : LeadModel
        The published model.
    more : OutcomeRule, optional
        What values of the target mean that the champion has not learned.

    Raises
    ------
    ModelError
        If the model is of an older release without a recipe.
    """
    if champion.config.recipe is None:
        raise ModelError("The model has no recipe, because it is from an older release. Train it again.")
    # The next model is to learn of the same outcomes, even if the new leads lack a value or have one more.
    rule, more = champion.config.outcome_rule, more or OutcomeRule()
    return champion.config.recipe.updated(
        positive=rule.positive + more.positive,
        negative=rule.negative + more.negative or None,
        open=rule.open + more.open or None,
    )


def champion_settings(champion: LeadModel) -> TrainingSettings:
    """Return the training settings of the champion.

    Raises
    ------
    ModelError
        If the model names settings that this release does not know.
    """
    try:
        return TrainingSettings.model_validate(champion.config.training.settings)
    except ValidationError:
        raise ModelError(
            "The model was trained with the settings of another release. Train it again."
        ) from None


def retrain(
    leads: pd.DataFrame,
    champion: LeadModel,
    recipe: Recipe,
    *,
    max_age_days: float = MAX_AGE_DAYS,
    force: bool = False,
    progress: Callable[[str], None] = lambda message: None,
    run: str | None = None,
) -> Retrained:
    """Train a challenger like the champion, and decide which one to publish.

    They are compared on the test leads of the challenger, the newest ones, as far as they are newer than
    all training leads of the champion. Without times, the champion may have learned from some of them,
    which favors it.

    Parameters
    ----------
    leads : DataFrame of shape (n_leads, n_columns)
        All leads with an outcome to learn from today, old ones included.
    champion : LeadModel
        The published model.
    recipe : Recipe
        Recipe of the leads; see `champion_recipe`.
    max_age_days : float
        Days after which a challenger that is not worse replaces the champion.
    force : bool
        Whether to publish in any case.
    progress : callable, optional
        As `leadmodel.training.fit.fit` takes it.
    run : str, optional
        As `leadmodel.training.package.package` takes it.

    Raises
    ------
    InputError
        If the leads lack a column of the champion, are unusable, or are not newer than those of the
        champion.
    """
    columns = champion.schema.match_columns([str(name) for name in leads.columns])
    leads = leads.rename(columns={column: name for name, column in columns.items()})
    age = datetime.now(UTC) - datetime.fromisoformat(champion.config.created)
    age_days = round(age.total_seconds() / 86_400, 2)
    facts: dict[str, Any] = {"champion": champion.revision, "age_days": age_days}
    # The same leads would give the same model, and the test no new evidence.
    if fingerprint(leads) == champion.config.training.fingerprint:
        return Retrained(Gate(publish=False, rule="nothing new", drifted=False, **facts))
    settings = champion_settings(champion)
    data = prepare(leads, recipe, settings)
    # Compared before the training, so that unusable leads are refused early.
    news = _compare_leads(champion, data)
    challenger = package(fit(data, settings, progress), run)
    comparison = _compare_with_champion(champion, challenger, news)
    drift = news.drift
    # At most three sentences: the first one about each of the largest drifts.
    moved = [sentence for field in drift.ranked if field.drifted for sentence in field.changes[:1]]
    facts |= {"drifted": drift.drifted, "moved": tuple(moved[:3])}
    if comparison is None:
        rule: Rule = "forced" if force else "too few"
        gate = Gate(publish=force, rule=rule, **facts)
    else:
        gate = decide(comparison, max_age_days=max_age_days, force=force, **facts)
    return Retrained(gate, drift, with_gate(challenger, gate))


def with_gate(model: LeadModel, gate: Gate) -> LeadModel:
    """Return `model` with the decision of the gate in its configuration and card."""
    config = model.config.model_copy(update={"gate": gate})
    files = {
        "config.json": config.to_json().encode(),
        "README.md": render_card(config, model.evaluation, model.profile).encode(),
    }
    return LeadModel(model.files | files)


def _compare_leads(champion: LeadModel, data: TrainingData) -> _NewLeads:
    is_new = _newer_than(champion, data)
    typed = read_leads(champion.schema, data.leads.iloc[data.X.index[is_new]])
    forecast = champion.predictor.predict(typed)
    counts = count_leads(champion.profile, typed, forecast.outputs)
    performance, notes = evaluate_outcomes(champion, data.y[is_new], forecast.probability)
    drift = compare_leads(champion.schema, champion.profile, counts, performance, notes)
    return _NewLeads(data, is_new, drift)


def _newer_than(champion: LeadModel, data: TrainingData) -> Bools:
    """Return which leads with an outcome are newer than all training leads of the champion."""
    time_range, time = champion.config.training.time_range, data.recipe.time
    # Without times every lead counts as new, old ones included; `retrain` says what that means.
    if time is None or time_range is None:
        return np.ones(len(data.y), dtype=bool)
    times = read_times(data.raw(time))
    try:
        if times.dtype.kind == "M" and _NUMBER.fullmatch(time_range[1]):
            # An older champion took numbers of seconds or days as they are.
            times = pd.to_numeric(data.raw(time))
        last = pd.Timestamp(time_range[1]) if times.dtype.kind == "M" else float(time_range[1])
        newer = np.asarray(times > last)
    except (TypeError, ValueError):
        raise InputError(
            f"The time column {time!r} must have the same type of time as for the champion, such as "
            f"{time_range[1]!r}. It has {times.iloc[0]!r}."
        ) from None
    if not newer.any():
        raise InputError(
            f"Some leads must be newer than those of the champion, which end at {time_range[1]}. The "
            f"newest by {time!r} is of {times.max()}."
        )
    return newer


def _compare_with_champion(
    champion: LeadModel, challenger: LeadModel, news: _NewLeads
) -> Comparison | None:
    data = news.data
    # Of its own test leads, because the challenger has learned from all others.
    rows = data.split.test[news.is_new[data.split.test]]
    y = data.y[rows]
    if min(y.sum(), len(y) - y.sum()) < MIN_LEADS_PER_OUTCOME:
        return None
    raw = data.leads.iloc[data.X.index[rows]]
    new, old = challenger.predict_proba(raw)[:, 1], champion.predict_proba(raw)[:, 1]
    time_range = champion.config.training.time_range if data.recipe.time else None
    return Comparison(
        n_leads=len(y),
        n_converted=int(y.sum()),
        leads=data.split.description + (f" that are newer than {time_range[1]}" if time_range else ""),
        champion_loss=evaluate(y, old)["log_loss"],
        challenger_loss=evaluate(y, new)["log_loss"],
        change=paired_difference(y, new, old),
    )
