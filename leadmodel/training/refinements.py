"""Refine the classifier by Platt scaling and by models for the values of a field."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from leadmodel.arrays import Floats, Ints
from leadmodel.errors import InputError, quoted
from leadmodel.leads.schema import LeadSchema
from leadmodel.metrics.classification import log_odds
from leadmodel.metrics.comparison import paired_difference
from leadmodel.prepare.pipeline import fit_pipeline
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.prepare.split import Folds
from leadmodel.report.refinements import Calibration, SegmentModel, SegmentModels
from leadmodel.training.crossvalidation import cross_validate

__all__ = ["calibrated", "check_divisible", "cross_calibrated", "fit_calibration", "fit_segment_models"]

MIN_LEADS = 400
MIN_OF_EACH = 100
"""Training leads of a value, and of its rarer outcome, below which a model would learn noise."""


def fit_calibration(
    y: Ints,
    probability: Floats,
    folds: Folds,
) -> tuple[Calibration, Floats]:
    """Fit Platt scaling on cross-validated probabilities, and measure it on held-out folds.

    Two parameters are as much as a few thousand leads can carry: isotonic regression was level
    or worse on every real set.

    Parameters
    ----------
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    probability : array of shape (n_leads,)
        Of training leads, each by a model without it.
    folds : Folds
        That the line is checked on.

    Returns
    -------
    tuple of Calibration and array of shape (n_leads,)
        The line through all leads, and the probabilities as the model will give them: calibrated,
        each by a line without its lead, if the calibration is used.
    """
    crossed = cross_calibrated(y, probability, folds)
    scale, shift = _line(y, probability)
    change = paired_difference(y, crossed, probability)
    calibration = Calibration(scale=scale, shift=shift, change=change)
    return calibration, crossed if calibration.is_used else probability


def cross_calibrated(y: Ints, probability: Floats, folds: Folds) -> Floats:
    """Return `probability`, each calibrated by a fit on the other folds."""
    crossed = np.empty(len(y))
    for train_idx, test_idx in folds.split(y):
        line = _line(y[train_idx], probability[train_idx])
        crossed[test_idx] = calibrated(probability[test_idx], *line)
    return crossed


def calibrated(probability: Floats, scale: float, shift: float) -> Floats:
    """Return the probabilities whose log-odds are ``scale * log_odds + shift``."""
    return np.asarray(expit(scale * log_odds(probability) + shift))


def _line(y: Ints, probability: Floats) -> tuple[float, float]:
    # Without a penalty, which would pull the slope away from 1 even for exact probabilities.
    line = LogisticRegression(C=np.inf).fit(log_odds(probability)[:, None], y)
    return float(line.coef_[0, 0]), float(line.intercept_[0])


def check_divisible(schema: LeadSchema, field: str) -> None:
    """Raise InputError unless `field` is a categorical field of the model."""
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
    """Fit a model for each value of a field with enough leads, and keep those that are better.

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
        # The tree count of all leads is too high for a part of them: it is chosen anew.
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
            members = settings.members(own, checked.n_trees)
            used[value] = fit_pipeline(schema, *leads, members, lambda step: None)
            oof_probability[rows] = probability
        progress(f"segment model of {value}")
    return SegmentModels(field=field, tried=tuple(tried)), used, oof_probability
