"""One training run: past leads in, a LeadModel out."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadmodel.evaluation.decision import DEFAULT_BANDS, Decision, score_grid
from leadmodel.evaluation.evaluation import Evaluation, evaluate_model
from leadmodel.evaluation.insights import find_insights
from leadmodel.evaluation.profile import profile_leads, profile_output
from leadmodel.evaluation.threshold import budget_share, choose_threshold
from leadmodel.leads.recipe import DecisionHints, Recipe
from leadmodel.model import LeadModel
from leadmodel.publishing.config import TrainingRecord
from leadmodel.training.fitting import Fitted, fit_model, n_fit_steps
from leadmodel.training.packing import pack
from leadmodel.training.parts import check_divisible
from leadmodel.training.past import PastLeads, prepare
from leadmodel.training.settings import TrainingSettings

__all__ = ["n_steps", "train"]


def n_steps(settings: TrainingSettings) -> int:
    """Return how often `train` calls its `progress`."""
    return n_fit_steps(settings) + 3


def train(
    leads: pd.DataFrame,
    recipe: Recipe,
    settings: TrainingSettings | None = None,
    progress: Callable[[str], None] = lambda message: None,
    prepared: Callable[[PastLeads], None] = lambda past: None,
) -> LeadModel:
    """Train a model on past leads and judge it on those kept apart.

    The test leads touch nothing but the metrics, and the probabilities that drift is measured against:
    schema, audit, parameters, calibration, threshold and score percentiles all come from the training
    leads.

    Parameters
    ----------
    leads : DataFrame of shape (n_leads, n_columns)
        As `leadmodel.leads.reading.read_table` returns it.
    recipe : Recipe
        What is known of the columns; its target is needed.
    settings : TrainingSettings, optional
        How to train.
    progress : callable, optional
        Called with a line of text after each of the `n_steps` steps.
    prepared : callable, optional
        Called with the leads as they are trained on, and their audit, before the training.

    Raises
    ------
    InputError
        If the leads cannot be learned from: what is lacking, and what to do.
    """
    started, settings = time.perf_counter(), settings or TrainingSettings()
    past = prepare(leads, recipe, settings)
    _check_wishes(past, recipe.decision, settings)
    prepared(past)
    progress("leads read")

    fitted = fit_model(past.schema, *past.train, settings, progress)
    decision = _decide(past, fitted.unseen, recipe.decision)
    probability = fitted.routing(past.schema).predict(past.test[0])
    evaluation = _judge(past, fitted, probability, decision, settings)
    progress("model judged")

    files = pack(
        fitted.pipeline,
        evaluation,
        profile_leads(past.schema, *past.train, {"probability": profile_output(probability, past.test[1])}),
        fitted.part_pipelines,
        title=recipe.title or "Leads",
        source=recipe.source,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        target=str(recipe.target),
        positive=past.positive,
        schema=past.schema,
        decision=decision,
        training=TrainingRecord(
            settings=settings.model_dump(),
            parameters=fitted.parameters,
            n_train=len(past.split.train),
            split=past.split.description,
            time_range=past.split.time_range,
            seconds=round(time.perf_counter() - started, 1),
        ),
    )
    progress("model packed")
    return LeadModel(files)


def _check_wishes(past: PastLeads, hints: DecisionHints, settings: TrainingSettings) -> None:
    """Raise InputError now for what would fail after the training."""
    if settings.segment_by is not None:
        check_divisible(past.schema, settings.segment_by)
    if hints.budget is not None:
        budget_share(hints.budget, past.split.leads_per_day)


def _decide(past: PastLeads, probability: npt.NDArray[np.float64], hints: DecisionHints) -> Decision:
    _, y = past.train
    threshold = choose_threshold(hints, y, probability, past.split.leads_per_day)
    return Decision(
        threshold=threshold.probability,
        rule=threshold.rule,
        positive=hints.positive,
        negative=hints.negative,
        bands=hints.bands or DEFAULT_BANDS,
        grid=score_grid(probability),
        value=hints.value,
        cost=hints.cost,
    )


def _judge(
    past: PastLeads,
    fitted: Fitted,
    probability: npt.NDArray[np.float64],
    decision: Decision,
    settings: TrainingSettings,
) -> Evaluation:
    evaluation = evaluate_model(
        fitted.pipeline[-1],
        past.schema,
        past.test,
        probability,
        decision,
        settings.seed,
        audit=past.audit,
        comparison=fitted.comparison,
        calibration=fitted.calibration,
        tuning=fitted.tuning,
        parts=fitted.parts,
    )
    insights = find_insights(past.schema, *past.train, evaluation.importance, settings.seed)
    return evaluation.model_copy(update={"insights": insights})
