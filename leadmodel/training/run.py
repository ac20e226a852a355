"""One training run: past leads in, a LeadModel out."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.pipeline import Pipeline

from leadmodel.errors import InputError, quoted
from leadmodel.evaluation.comparison import Trial, compare
from leadmodel.evaluation.decision import DEFAULT_BANDS, Decision, score_grid
from leadmodel.evaluation.evaluation import evaluate_model
from leadmodel.evaluation.profile import profile_leads
from leadmodel.evaluation.refinement import Parts
from leadmodel.evaluation.routing import Routing
from leadmodel.evaluation.threshold import budget_share, choose_threshold
from leadmodel.leads.inference import infer_schema
from leadmodel.leads.outcome import find_positive, known_outcomes, read_outcome
from leadmodel.leads.recipe import DecisionHints, Recipe
from leadmodel.leads.schema import LeadSchema
from leadmodel.leads.table import duplicate_names, read_leads
from leadmodel.leads.times import find_time
from leadmodel.model import LeadModel
from leadmodel.publishing.config import TrainingRecord
from leadmodel.training.calibration import fit_calibration
from leadmodel.training.comparison import try_others
from leadmodel.training.crossvalidation import cross_validate
from leadmodel.training.packing import pack
from leadmodel.training.parts import check_divisible, fit_parts
from leadmodel.training.pipeline import fit_pipeline
from leadmodel.training.settings import TrainingSettings
from leadmodel.training.split import Split, split_leads
from leadmodel.training.tuning import N_STEPS, tune

__all__ = ["n_steps", "train"]


def n_steps(settings: TrainingSettings) -> int:
    """Return how often `train` calls its `progress`."""
    steps = settings.n_folds + settings.n_members + 7
    return steps + (N_STEPS if settings.tune_minutes else 0) + (settings.segment_by is not None)


@dataclass(frozen=True)
class _PastLeads:
    """Leads with known outcomes, typed, and divided into those to learn from and to judge by."""

    schema: LeadSchema
    positive: str
    X: pd.DataFrame
    y: npt.NDArray[np.int64]
    split: Split

    @property
    def train(self) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
        return self.X.iloc[self.split.train], self.y[self.split.train]

    @property
    def test(self) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
        return self.X.iloc[self.split.test], self.y[self.split.test]


def train(
    leads: pd.DataFrame,
    recipe: Recipe,
    settings: TrainingSettings | None = None,
    progress: Callable[[str], None] = lambda message: None,
) -> LeadModel:
    """Train a model on past leads and judge it on those kept apart.

    The test leads touch nothing but the metrics: schema, tree count, threshold and score
    percentiles all come from the training leads.

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

    Raises
    ------
    InputError
        If the leads cannot be learned from: what is lacking, and what to do.
    """
    started, settings = time.perf_counter(), settings or TrainingSettings()
    past = _prepare(leads, recipe, settings)
    X, y = past.train
    if settings.segment_by is not None:
        check_divisible(past.schema, settings.segment_by)
    if recipe.decision.budget is not None:
        budget_share(recipe.decision.budget, past.split.leads_per_day)
    progress("leads read")

    parameters = settings.classifier_parameters(len(y))
    checked = cross_validate(X, y, parameters, settings, progress)
    trials = [checked.trial, *try_others(X, y, settings, progress)]
    tuning = None
    if settings.tune_minutes:
        tuning, tuned = tune(X, y, parameters, checked, settings, progress)
        if tuning.is_used:
            parameters |= tuning.best
            checked = tuned
            trials = [tuned.trial, *_renamed(trials)]
    parameters["iterations"] = round(checked.n_trees * settings.refit_factor)
    calibration, unseen = fit_calibration(y, checked.trial.probability, settings)
    pipeline = fit_pipeline(past.schema, X, y, parameters, settings.n_members, progress, calibration)
    parts: Parts | None = None
    own: dict[str, Pipeline] = {}
    if settings.segment_by is not None:
        parts, own, unseen = fit_parts(past.schema, X, y, unseen, parameters, settings, progress)

    decision = _decide(past, unseen, recipe.decision)
    routing = Routing(
        past.schema, pipeline[-1], settings.segment_by, {value: part[-1] for value, part in own.items()}
    )
    evaluation = evaluate_model(
        pipeline[-1],
        past.schema,
        past.test,
        routing.predict(past.test[0]),
        decision,
        settings.seed,
        comparison=compare(y, trials),
        calibration=calibration,
        tuning=tuning,
        parts=parts,
    )
    progress("model judged")

    files = pack(
        pipeline,
        evaluation,
        profile_leads(past.schema, X, y),
        own,
        title=recipe.title or "Leads",
        source=recipe.source,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        target=str(recipe.target),
        positive=past.positive,
        schema=past.schema,
        decision=decision,
        training=TrainingRecord(
            settings=settings.model_dump(),
            parameters=parameters,
            n_train=len(y),
            split=past.split.description,
            time_range=past.split.time_range,
            seconds=round(time.perf_counter() - started, 1),
        ),
    )
    progress("model packed")
    return LeadModel(files)


def _prepare(leads: pd.DataFrame, recipe: Recipe, settings: TrainingSettings) -> _PastLeads:
    # Rows are named by their position from here on, columns by their text.
    leads = leads.reset_index(drop=True).set_axis([str(name) for name in leads.columns], axis="columns")
    names = list(leads.columns)
    if twice := duplicate_names(names):
        raise InputError(f"The column names must differ. {quoted(twice[0])} stands there more than once.")
    if recipe.target is None:
        raise InputError("Which column holds the outcome? Name it with --target.")
    recipe.check_columns(names)
    target = leads[recipe.target]
    rows = np.flatnonzero(known_outcomes(target))
    positive = find_positive(target.iloc[rows], recipe.positive)
    y = read_outcome(target.iloc[rows], positive)
    unused = [name for name in recipe.unused() if name in names]
    recipe = recipe.updated(time=recipe.time or find_time(leads.drop(columns=unused)))
    times = leads[recipe.time].iloc[rows] if recipe.time else None
    split = split_leads(y, times, test_share=settings.test_share, random_state=settings.seed)
    schema = infer_schema(leads.iloc[rows[split.train]], recipe)
    return _PastLeads(schema, positive, read_leads(schema, leads).iloc[rows], y, split)


def _renamed(trials: list[Trial]) -> list[Trial]:
    """Call the default what it is beside the tuned model, which takes its name."""
    untuned = trials[0].model_copy(update={"name": "CatBoost, untuned"})
    return [untuned, *trials[1:]]


def _decide(past: _PastLeads, probability: npt.NDArray[np.float64], hints: DecisionHints) -> Decision:
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
