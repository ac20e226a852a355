"""Train a challenger, compare it with the published champion, and let the better one be published."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import ValidationError

from leadmodel.drift.drift import Drift, compare_leads
from leadmodel.drift.measure import count_typed, evaluate_outcomes
from leadmodel.errors import InputError, ModelError
from leadmodel.leads.convert import read_leads
from leadmodel.leads.dates import read_times
from leadmodel.leads.outcome import MIN_LEADS_PER_OUTCOME
from leadmodel.leads.recipe import Recipe
from leadmodel.metrics.classification import evaluate
from leadmodel.metrics.comparison import paired_difference
from leadmodel.model import LeadModel
from leadmodel.monitoring.gate import MAX_AGE_DAYS, decide
from leadmodel.prepare.data import TrainingData, fingerprint
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.publishing.card import render_card
from leadmodel.report.gate import Comparison, Gate, Rule
from leadmodel.training.run import train

__all__ = ["Retrained", "champion_recipe", "champion_settings", "retrain", "with_gate"]


@dataclass(frozen=True)
class Retrained:
    """A challenger and what the gate decided about it.

    Attributes
    ----------
    gate : Gate
        The decision.
    drift : Drift, optional
        Of the new leads against the champion's; None if there are none.
    challenger : LeadModel, optional
        With the decision in its card; None if none was trained.
    """

    gate: Gate
    drift: Drift | None = None
    challenger: LeadModel | None = None


class _NewLeads(NamedTuple):
    """The leads as trained on, which of them are newer than the champion's, and how these differ."""

    past: TrainingData
    fresh: npt.NDArray[np.bool_]
    drift: Drift


def champion_recipe(champion: LeadModel) -> Recipe:
    """Return what is known of the champion's source, for its challenger to learn by.

    Raises
    ------
    ModelError
        If the model does not say, being of an older release.
    """
    if champion.config.recipe is None:
        raise ModelError("The model does not tell its recipe, being of an older release: train it anew.")
    return champion.config.recipe


def champion_settings(champion: LeadModel) -> TrainingSettings:
    """Return how the champion was trained, for its challenger to be trained so.

    Raises
    ------
    ModelError
        If the model names settings that this release does not know.
    """
    try:
        return TrainingSettings.model_validate(champion.config.training.settings)
    except ValidationError:
        raise ModelError("The model was trained with settings of another release: train it anew.") from None


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
    """Train a challenger as the champion was trained, and decide which one is to be published.

    They are compared on the challenger's test leads, the newest ones, as far as they are newer than
    all that the champion has learned from. Without times the champion may have seen some of them,
    which favours it.

    Parameters
    ----------
    leads : DataFrame of shape (n_leads, n_columns)
        All with a known outcome that a model should learn from today, old ones included.
    champion : LeadModel
        The published model.
    recipe : Recipe
        What is known of the leads; see `champion_recipe`.
    max_age_days : float
        Days after which a champion gives way to a challenger that is not worse.
    force : bool
        Whether to publish whatever is measured.
    progress : callable, optional
        As `leadmodel.training.run.train` takes it.
    run : str, optional
        As `leadmodel.training.run.train` takes it.

    Raises
    ------
    InputError
        If the leads lack a column of the champion's, cannot be learned from, or are all older than
        the champion's.
    """
    champion.schema.check_columns([str(name) for name in leads.columns])
    facts: dict[str, Any] = {"champion": champion.revision, "age_days": _age_days(champion)}
    if fingerprint(leads) == champion.config.training.fingerprint:
        return Retrained(Gate(publish=False, rule="nothing new", drifted=False, **facts))
    news: list[_NewLeads] = []
    challenger = train(
        leads,
        recipe,
        champion_settings(champion),
        progress,
        # The leads are looked at before the training, which takes its time.
        prepared=lambda past: news.append(_look(champion, leads, past)),
        run=run,
    )
    comparison = _compare(champion, challenger, leads, news[0])
    drift = news[0].drift
    facts |= {"drifted": drift.drifted, "moved": _sentences(drift)}
    if comparison is None:
        rule: Rule = "forced" if force else "too few"
        gate = Gate(publish=force, rule=rule, **facts)
    else:
        gate = decide(comparison, max_age_days=max_age_days, force=force, **facts)
    return Retrained(gate, drift, with_gate(challenger, gate))


def with_gate(model: LeadModel, gate: Gate) -> LeadModel:
    """Return `model` with the gate's decision in its configuration and card."""
    config = model.config.model_copy(update={"gate": gate})
    written = {
        "config.json": config.to_json().encode(),
        "README.md": render_card(config, model.evaluation, model.profile).encode(),
    }
    return LeadModel(model.files | written)


def _look(champion: LeadModel, leads: pd.DataFrame, past: TrainingData) -> _NewLeads:
    fresh = _newer_than(champion, leads, past)
    typed = read_leads(champion.schema, leads.iloc[past.X.index[fresh]])
    forecast = champion.predictor.predict(typed)
    counts = count_typed(champion, typed, forecast.outputs)
    judged = evaluate_outcomes(champion, past.y[fresh], forecast.probability)
    return _NewLeads(past, fresh, compare_leads(champion.schema, champion.profile, counts, *judged))


def _age_days(champion: LeadModel) -> float:
    age = datetime.now(UTC) - datetime.fromisoformat(champion.config.created)
    return round(age.total_seconds() / 86_400, 2)


def _newer_than(champion: LeadModel, leads: pd.DataFrame, past: TrainingData) -> npt.NDArray[np.bool_]:
    """Return which leads with an outcome are newer than all that the champion has learned from."""
    known_until = champion.config.training.time_range
    if past.time is None or known_until is None:
        return np.ones(len(past.y), dtype=bool)
    times = read_times(leads[past.time].iloc[past.X.index])
    try:
        newer = np.asarray(times > _as_time(known_until[1], times))
    except (TypeError, ValueError):
        raise InputError(
            f"The time column {past.time!r} must hold what it held for the champion, such as "
            f"{known_until[1]!r}. It holds {times.iloc[0]!r}."
        ) from None
    if not newer.any():
        raise InputError(
            f"Some leads must be newer than the champion's, which end at {known_until[1]}. The newest "
            f"by {past.time!r} is of {times.max()}."
        )
    return newer


def _as_time(text: str, times: pd.Series) -> object:
    return pd.Timestamp(text) if times.dtype.kind == "M" else float(text)


def _sentences(drift: Drift) -> tuple[str, ...]:
    """Return what moved most, at most three sentences."""
    drifted = (one for one in drift.ranked if one.drifted)
    return tuple(sentence for one in drifted for sentence in one.told[:1])[:3]


def _compare(
    champion: LeadModel, challenger: LeadModel, leads: pd.DataFrame, news: _NewLeads
) -> Comparison | None:
    past = news.past
    judged = past.split.test[news.fresh[past.split.test]]
    y = past.y[judged]
    if min(y.sum(), len(y) - y.sum()) < MIN_LEADS_PER_OUTCOME:
        return None
    raw = leads.iloc[past.X.index[judged]]
    new, old = challenger.predict_proba(raw)[:, 1], champion.predict_proba(raw)[:, 1]
    until = champion.config.training.time_range if past.time else None
    return Comparison(
        n_leads=len(y),
        n_converted=int(y.sum()),
        leads=past.split.description + (f" that are newer than {until[1]}" if until else ""),
        champion_loss=evaluate(y, old)["log_loss"],
        challenger_loss=evaluate(y, new)["log_loss"],
        change=paired_difference(y, new, old),
    )
