"""The model of past leads: tried against others, tuned, calibrated and divided, where that helps."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.pipeline import Pipeline

from leadmodel.amounts.model import AmountModel
from leadmodel.leads.schema import LeadSchema
from leadmodel.metrics.comparison import Candidate, Trial, compare
from leadmodel.predictor.predictor import Predictor
from leadmodel.prepare.folds import GroupIds
from leadmodel.prepare.pipeline import fit_pipeline
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.report.refinements import Calibration, SegmentModels, Tuning
from leadmodel.training.baselines import try_others
from leadmodel.training.calibration import fit_calibration
from leadmodel.training.crossvalidation import CrossValidated, cross_validate
from leadmodel.training.segment_models import fit_segment_models
from leadmodel.training.tuning import N_STEPS, tune

__all__ = ["FittedModel", "fit_model", "n_fit_steps"]

Ints = npt.NDArray[np.int64]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class FittedModel:
    """A model and what was tried on the training leads to make it.

    Attributes
    ----------
    pipeline : Pipeline
        The model of all leads.
    parameters : dict
        Of its CatBoostClassifiers.
    unseen : array of shape (n_leads,)
        What the model says of each training lead, cross-validated.
    comparison : tuple of Candidate
        CatBoost and the usual models on the same folds.
    calibration : Calibration
        What a calibrator would change.
    folds : tuple of dict of str to float
        Metrics of each fold of the cross-validation, before any calibration.
    tuning : Tuning, optional
        What a search for better parameters gained.
    parts : SegmentModels, optional
        What models for single values of a field gained.
    part_pipelines : dict of str to Pipeline
        Those that are used, by value.
    """

    pipeline: Pipeline
    parameters: dict[str, Any]
    unseen: npt.NDArray[np.float64]
    comparison: tuple[Candidate, ...]
    calibration: Calibration
    folds: tuple[dict[str, float], ...]
    tuning: Tuning | None = None
    parts: SegmentModels | None = None
    part_pipelines: dict[str, Pipeline] = field(default_factory=dict)

    def routing(self, schema: LeadSchema, worth: AmountModel | None = None) -> Predictor:
        """Return which classifier answers for which lead, with a model of amounts if there is one."""
        parts = {value: pipeline[-1] for value, pipeline in self.part_pipelines.items()}
        return Predictor(schema, self.pipeline[-1], self.parts.field if self.parts else None, parts, worth)


def n_fit_steps(settings: TrainingSettings) -> int:
    """Return how often `fit_model` calls its `progress`."""
    extras = (N_STEPS if settings.tune_minutes else 0) + (settings.segment_by is not None)
    return settings.n_folds + 4 + settings.n_members + extras


def fit_model(
    schema: LeadSchema,
    X: pd.DataFrame,
    y: Ints,
    settings: TrainingSettings,
    progress: Progress,
    groups: GroupIds | None = None,
) -> FittedModel:
    """Fit a model to training leads.

    Parameters
    ----------
    schema : LeadSchema
        The fields.
    X : DataFrame of shape (n_leads, n_fields)
        Typed leads.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    settings : TrainingSettings
        How to train.
    progress : callable
        Called with a line of text after each of the `n_fit_steps` steps.
    groups : array of shape (n_leads,), optional
        Leads that go to one fold wherever there are folds; see `leadmodel.prepare.folds`.
    """
    parameters = settings.classifier_parameters(len(y))
    checked = cross_validate(X, y, parameters, settings, progress, groups)
    trials = [checked.trial, *try_others(X, y, settings, progress, groups)]
    tuning = None
    if settings.tune_minutes:
        tuning, tuned = tune(X, y, parameters, checked, settings, progress, groups)
        if tuning.is_used:
            checked, parameters = tuned, parameters | tuning.best
            trials = _with_tuned(tuned, trials)
    parameters["iterations"] = round(checked.n_trees * settings.refit_factor)
    calibration, unseen = fit_calibration(y, checked.trial.probability, settings, groups)
    pipeline = fit_pipeline(schema, X, y, parameters, settings.n_members, progress, calibration.line)
    parts: SegmentModels | None = None
    part_pipelines: dict[str, Pipeline] = {}
    if settings.segment_by is not None:
        parts, part_pipelines, unseen = fit_segment_models(
            schema, X, y, unseen, parameters, settings, progress, groups
        )
    comparison = compare(y, trials)
    return FittedModel(
        pipeline, parameters, unseen, comparison, calibration, checked.folds, tuning, parts, part_pipelines
    )


def _with_tuned(tuned: CrossValidated, trials: list[Trial]) -> list[Trial]:
    """Put the tuned model first; the default beside it is called what it is."""
    untuned = trials[0].model_copy(update={"name": "CatBoost, untuned"})
    return [tuned.trial, untuned, *trials[1:]]
