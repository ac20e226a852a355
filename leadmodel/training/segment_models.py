"""Whether the leads of single values of a field deserve a model of their own."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from leadmodel.arrays import Floats, Ints
from leadmodel.errors import InputError, quoted
from leadmodel.leads.schema import LeadSchema
from leadmodel.metrics.comparison import paired_difference
from leadmodel.prepare.folds import GroupIds
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
    unseen: Floats,
    parameters: dict[str, Any],
    settings: TrainingSettings,
    progress: Callable[[str], None],
    groups: GroupIds | None = None,
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
    unseen : array of shape (n_leads,)
        What the model of all leads says of each, cross-validated.
    parameters : dict
        Of the CatBoostClassifier of all leads.
    settings : TrainingSettings
        The field, folds and seed.
    progress : callable
        Called with a line of text when all values have been tried.
    groups : array of shape (n_leads,), optional
        Leads that go to one fold; see `leadmodel.prepare.folds`.

    Returns
    -------
    tuple of Parts, dict of str to Pipeline, and array of shape (n_leads,)
        What was found; the models that are used, by value; and `unseen` with what they say.
    """
    field = str(settings.segment_by)
    tried, used, unseen = [], {}, unseen.copy()
    for value in schema.by_name[field].choices:
        rows = np.flatnonzero(X[field] == value)
        rarer = min(int(y[rows].sum()), len(rows) - int(y[rows].sum()))
        if len(rows) < MIN_LEADS or rarer < MIN_OF_EACH:
            continue
        leads = X.iloc[rows], y[rows]
        own = parameters | {"iterations": settings.max_trees}
        together = None if groups is None else np.unique(groups[rows], return_inverse=True)[1]
        checked = cross_validate(*leads, own, settings, lambda step: None, together)
        probability = checked.trial.probability
        part = SegmentModel(
            value=value, n_leads=len(rows), change=paired_difference(y[rows], probability, unseen[rows])
        )
        tried.append(part)
        if part.is_used:
            own["iterations"] = round(checked.n_trees * settings.refit_factor)
            used[value] = fit_pipeline(schema, *leads, own, settings.n_members, lambda step: None)
            unseen[rows] = probability
    progress("models per value")
    return SegmentModels(field=field, tried=tuple(tried)), used, unseen
