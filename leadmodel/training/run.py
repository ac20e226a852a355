"""One training run: past leads in, a LeadModel out."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadmodel.amounts.fit import (
    N_REVENUE_STEPS,
    FittedRevenue,
    evaluate_revenue,
    fit_revenue,
    sold_in_test,
)
from leadmodel.amounts.read import check_enough
from leadmodel.clusters.fit import Segments, check_segments, cluster_leads, describe_segments
from leadmodel.clusters.results import Clustering
from leadmodel.decision.policy import DEFAULT_BANDS, Decision, score_grid
from leadmodel.decision.threshold import budget_share, choose_threshold
from leadmodel.errors import InputError
from leadmodel.insights.insights import find_insights
from leadmodel.insights.profile import profile_leads, profile_output
from leadmodel.leads.recipe import DecisionConfig, Recipe
from leadmodel.model import LeadModel
from leadmodel.predictor.predictor import Predictions
from leadmodel.prepare.data import TrainingData, fingerprint, prepare
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.publishing.config import TrainingRecord, this_machine
from leadmodel.report.evaluation import Evaluation, evaluate_model
from leadmodel.training.fit import FittedModel, fit_model, n_fit_steps
from leadmodel.training.package import pack
from leadmodel.training.segment_models import check_divisible

__all__ = ["n_steps", "train"]


def n_steps(settings: TrainingSettings, *, with_amounts: bool = False) -> int:
    """Return how often `train` calls its `progress`, for leads with a column of amounts or without."""
    extras = (N_REVENUE_STEPS if with_amounts else 0) + (settings.segments is not None)
    return n_fit_steps(settings) + 3 + extras


def train(
    leads: pd.DataFrame,
    recipe: Recipe,
    settings: TrainingSettings | None = None,
    progress: Callable[[str], None] = lambda message: None,
    prepared: Callable[[TrainingData], None] = lambda past: None,
    run: str | None = None,
) -> LeadModel:
    """Train a model on past leads and judge it on those kept apart.

    The test leads touch nothing but the metrics, and the probabilities that drift is measured against:
    schema, audit, parameters, calibration, threshold and score percentiles all come from the training
    leads.

    Parameters
    ----------
    leads : DataFrame of shape (n_leads, n_columns)
        As `leadmodel.leads.read.read_table` returns it.
    recipe : Recipe
        What is known of the columns; its target is needed.
    settings : TrainingSettings, optional
        How to train.
    progress : callable, optional
        Called with a line of text after each of the `n_steps` steps.
    prepared : callable, optional
        Called with the leads as they are trained on, and their audit, before the training.
    run : str, optional
        Where the run is written down; the model names it.

    Raises
    ------
    InputError
        If the leads cannot be learned from: what is lacking, and what to do.
    """
    started, settings = time.perf_counter(), settings or TrainingSettings()
    past = prepare(leads, recipe, settings)
    _check_settings(past, recipe.decision, settings)
    prepared(past)
    progress("leads read")

    fitted = fit_model(past.schema, past.candidates, past.train[1], settings, progress, past.train_groups)
    revenue = fit_revenue(past, fitted.unseen, settings, progress) if past.amounts else None
    decision = _decide(past, fitted.unseen, recipe.decision, revenue)
    worth = revenue.worth if revenue else None
    forecast = fitted.routing(past.schema, worth).predict(past.test[0])
    evaluation = _judge(past, fitted, forecast, decision, settings, revenue)
    progress("model judged")
    segments: Segments | None = None
    if settings.segments is not None:
        segments = cluster_leads(past.schema, past.train[0], settings.segments, settings.seed)
        described = _describe(past, segments, fitted, forecast, decision, settings.seed)
        evaluation = evaluation.model_copy(update={"segments": described})
        progress("segments looked for")

    files = pack(
        fitted.pipeline,
        evaluation,
        profile_leads(
            past.schema,
            *past.train,
            {name: profile_output(said, past.test[1]) for name, said in forecast.outputs.items()},
        ),
        fitted.part_pipelines,
        segments.pipeline if segments else None,
        (past.amounts.name, revenue.pipeline) if past.amounts and revenue else None,
        title=recipe.title or "Leads",
        source=recipe.source,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        target=str(recipe.target),
        positive=past.positive,
        schema=past.schema,
        decision=decision,
        recipe=recipe.updated(time=past.time),
        training=TrainingRecord(
            settings=settings.model_dump(),
            parameters=fitted.parameters,
            n_train=len(past.split.train),
            split=past.split.description,
            time_range=past.split.time_range,
            seconds=round(time.perf_counter() - started, 1),
            machine=this_machine(),
            run=run,
            fingerprint=fingerprint(leads),
        ),
    )
    progress("model packed")
    return LeadModel(files)


def _check_settings(past: TrainingData, hints: DecisionConfig, settings: TrainingSettings) -> None:
    """Raise InputError now for what would fail after the training."""
    if settings.segment_by is not None:
        check_divisible(past.schema, settings.segment_by)
    if settings.segments is not None:
        check_segments(settings.segments, len(past.split.train))
    if hints.budget is not None:
        budget_share(hints.budget, past.split.leads_per_day)
    if past.amounts is not None:
        check_enough(past.amounts.values[past.split.train], past.train[1])
    elif hints.cost is not None and hints.value is None:
        raise InputError(
            "A cost needs what a conversion brings: value and cost go together, unless --amount names "
            "the column of what each past one brought."
        )


def _decide(
    past: TrainingData,
    probability: npt.NDArray[np.float64],
    hints: DecisionConfig,
    revenue: FittedRevenue | None,
) -> Decision:
    _, y = past.train
    if revenue and hints.cost is not None and hints.value is None:
        threshold = revenue.break_even(hints.cost)
    else:
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
    past: TrainingData,
    fitted: FittedModel,
    forecast: Predictions,
    decision: Decision,
    settings: TrainingSettings,
    revenue: FittedRevenue | None,
) -> Evaluation:
    evaluation = evaluate_model(
        fitted.pipeline[-1],
        past.schema,
        past.test,
        forecast,
        decision,
        settings.seed,
        sold_in_test(past, revenue.limit) if revenue else None,
        audit=past.audit,
        comparison=fitted.comparison,
        calibration=fitted.calibration,
        folds=fitted.folds,
        tuning=fitted.tuning,
        parts=fitted.parts,
        revenue=evaluate_revenue(revenue, past, forecast, settings) if revenue else None,
    )
    insights = find_insights(past.schema, *past.train, evaluation.importance, settings.seed)
    return evaluation.model_copy(update={"insights": insights})


def _describe(
    past: TrainingData,
    segments: Segments,
    fitted: FittedModel,
    forecast: Predictions,
    decision: Decision,
    random_state: int,
) -> Clustering:
    scores = decision.scores(forecast.probability)
    grades = np.array(list(decision.bands))[decision.grade_places(scores)].tolist()
    classifier, values = fitted.pipeline[-1], forecast.expected_value
    return describe_segments(
        segments, past.schema, past.train, past.test, grades, classifier, random_state, values
    )
