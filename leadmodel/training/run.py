"""One training run: past leads in, a LeadModel out."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadmodel.evaluation.comparison import compare
from leadmodel.evaluation.decision import Decision, best_f1_threshold, score_grid
from leadmodel.evaluation.evaluation import evaluate_model
from leadmodel.evaluation.profile import profile_leads
from leadmodel.leads.recipe import Recipe
from leadmodel.model import LeadModel
from leadmodel.publishing.config import TrainingRecord
from leadmodel.training.comparison import try_others
from leadmodel.training.crossvalidation import cross_validate
from leadmodel.training.packing import pack
from leadmodel.training.past import PastLeads, prepare
from leadmodel.training.pipeline import fit_pipeline
from leadmodel.training.settings import TrainingSettings

__all__ = ["n_steps", "train"]


def n_steps(settings: TrainingSettings) -> int:
    """Return how often `train` calls its `progress`."""
    return settings.n_folds + settings.n_members + 7


def train(
    leads: pd.DataFrame,
    recipe: Recipe,
    settings: TrainingSettings | None = None,
    progress: Callable[[str], None] = lambda message: None,
    prepared: Callable[[PastLeads], None] = lambda past: None,
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
    prepared : callable, optional
        Called with the leads, made ready and audited, before anything is fitted.

    Raises
    ------
    InputError
        If the leads cannot be learned from: what is lacking, and what to do.
    """
    started, settings = time.perf_counter(), settings or TrainingSettings()
    past = prepare(leads, recipe, settings)
    X, y = past.train
    prepared(past)
    progress("leads read")

    parameters = settings.classifier_parameters(len(y))
    checked = cross_validate(X, y, parameters, settings, progress)
    parameters["iterations"] = round(checked.n_trees * settings.refit_factor)
    trials = [checked.trial, *try_others(X, y, settings, progress)]
    pipeline = fit_pipeline(past.schema, X, y, parameters, settings.n_members, progress)

    decision = _decide(y, checked.trial.probability, recipe)
    evaluation = evaluate_model(
        pipeline[-1], past.test, compare(y, trials), decision.threshold, settings.seed, past.audit
    )
    progress("model judged")

    files = pack(
        pipeline,
        evaluation,
        profile_leads(past.schema, X, y),
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


def _decide(y: npt.NDArray[np.int64], probability: npt.NDArray[np.float64], recipe: Recipe) -> Decision:
    return Decision(
        threshold=best_f1_threshold(y, probability),
        rule="best F1 on cross-validated predictions of the training leads",
        positive=recipe.decision.positive,
        negative=recipe.decision.negative,
        grid=score_grid(probability),
    )
