"""Try segment models: models for the leads with one value of a field."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from leadmodel.arrays import Floats, Ints
from leadmodel.errors import InputError, quoted
from leadmodel.leads.schema import LeadSchema
from leadmodel.metrics.comparison import paired_difference
from leadmodel.prepare.folds import Folds
from leadmodel.prepare.pipeline import fit_pipeline
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.report.refinements import SegmentModel, SegmentModels
from leadmodel.training.crossvalidation import cross_validate

__all__ = ["check_divisible", "fit_segment_models"]

MIN_LEADS = 400
MIN_OF_EACH = 100
"""Training leads of a value, and of its rarer outcome, below which a model would learn noise."""


def check_divisible(schema: LeadSchema, field: str) -> None:
    """Raise InputError unless `field` is one whose values can divide the leads."""
    texts = schema.text_columns
    if field not in texts:
        raise InputError(
            f"--segment-by takes a field of texts that the model uses: {', '.join(texts) or 'none here'}. "
            f"Got {quoted(field)} instead."
        )


def fit_segment_models(
    schema: LeadSchema,
    X: pd.DataFrame,
    y: Ints,
    oof_probability: Floats,
    parameters: dict[str, Any],
    folds: Folds,
    settings: TrainingSettings,
    progress: Callable[[str], None],
) -> tuple[SegmentModels, dict[str, Pipeline], Floats]:
    """Try a model for each value of the field that has enough leads, and keep those that are better.

    Parameters
    ----------
    schema : LeadSchema
        The fields.
    X : DataFrame of shape (n_leads, n_fields)
        Typed training leads.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    oof_probability : array of shape (n_leads,)
        What the model of all leads says of each, cross-validated.
    parameters : dict
        Of the CatBoostClassifier of all leads.
    folds : Folds
        Of the training leads.
    settings : TrainingSettings
        The field, and how to train.
    progress : callable
        Called with a line of text after each value.

    Returns
    -------
    tuple of SegmentModels, dict of str to Pipeline, and array of shape (n_leads,)
        What was found; the models that are used, by value; and `oof_probability` with theirs.
    """
    field = str(settings.segment_by)
    tried, used, oof_probability = [], {}, oof_probability.copy()
    for value in schema.by_name[field].choices:
        rows = np.flatnonzero(X[field] == value)
        rarer = min(int(y[rows].sum()), len(rows) - int(y[rows].sum()))
        if len(rows) < MIN_LEADS or rarer < MIN_OF_EACH:
            continue
        leads = X.iloc[rows], y[rows]
        own = parameters | {"iterations": settings.max_trees}
        checked = cross_validate(*leads, own, folds.subset(rows), settings.patience)
        probability = checked.trial.probability
        part = SegmentModel(
            value=value,
            n_leads=len(rows),
            change=paired_difference(y[rows], probability, oof_probability[rows]),
        )
        tried.append(part)
        if part.is_used:
            own["iterations"] = round(checked.n_trees * settings.refit_factor)
            used[value] = fit_pipeline(schema, *leads, own, settings.n_members, lambda step: None)
            oof_probability[rows] = probability
        progress(f"segment model of {value}")
    return SegmentModels(field=field, tried=tuple(tried)), used, oof_probability
