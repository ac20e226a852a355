"""Fit the published pipeline: scikit-learn's own steps, then CatBoost."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pandas as pd
from catboost import (
    CatBoost,
    CatBoostClassifier,
    CatBoostRegressor,
    sum_models,
    to_classifier,
    to_regressor,
)
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline

from leadmodel.arrays import Floats, Ints
from leadmodel.leads.field import MISSING
from leadmodel.leads.schema import LeadSchema
from leadmodel.leads.table import LeadTable
from leadmodel.prepare.checkpoints import fit_or_load
from leadmodel.prepare.columns import forget_rare

__all__ = ["fit_bag", "fit_pipeline", "fit_regression"]


def fit_pipeline(
    schema: LeadSchema,
    X: pd.DataFrame,
    y: Ints,
    members: Sequence[dict[str, Any]],
    progress: Callable[[str], None],
    line: tuple[float, float] | None = None,
) -> Pipeline:
    """Fit the pipeline from leads to the probability of a conversion.

    The first step fills in missing texts, fills in the mean of numbers that no training lead lacked, and
    puts the columns in the model's order. CatBoost handles texts, and numbers that training leads lacked
    as well, by itself. Rare texts are hidden from it; see `leadmodel.prepare.columns`.

    Parameters
    ----------
    schema : LeadSchema
        The fields.
    X : DataFrame of shape (n_leads, n_fields)
        Typed leads.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    members : sequence of dict
        The parameters of each CatBoostClassifier of the average; see `fit_bag`.
    progress : callable
        Called with a line of text after each member.
    line : tuple of float, optional
        Slope and intercept of a Platt calibration, folded into the classifier's own scale and bias.
    """
    columns = _make_columns(schema)
    learned = columns.transform(forget_rare(X))
    classifier = fit_bag(learned, y, schema.text_columns, members, progress)
    if line:
        # In CatBoost's own scale and bias: a CalibratedClassifierCV would be one more type to trust.
        (slope, intercept), (scale, bias) = line, classifier.get_scale_and_bias()
        classifier.set_scale_and_bias(slope * scale, slope * bias + intercept)
    return Pipeline([("columns", columns), ("classifier", classifier)])


def fit_regression(
    schema: LeadSchema, X: pd.DataFrame, target: Floats, parameters: dict[str, Any]
) -> Pipeline:
    """Fit the pipeline of a regression, like `fit_pipeline` that of a classification.

    One regressor, not several averaged: it answers beside the classifier, for each lead.
    """
    columns = _make_columns(schema)
    regressor = CatBoostRegressor(**(parameters | {"cat_features": tuple(schema.text_columns)}))
    regressor.fit(columns.transform(forget_rare(X)), target)
    # Merging, even of a single model, removes the data that only training needs.
    return Pipeline([("columns", columns), ("regressor", to_regressor(_average([regressor])).copy())])


def _make_columns(schema: LeadSchema) -> ColumnTransformer:
    whole = [field.name for field in schema.fields if field.assumed is not None]
    gappy = [name for name in schema.columns if name not in (*schema.text_columns, *whole)]
    columns = ColumnTransformer(
        [
            ("text", SimpleImputer(strategy="constant", fill_value=MISSING), schema.text_columns),
            ("number", SimpleImputer(strategy="mean"), whole),
            ("number with gaps", "passthrough", gappy),
        ],
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    unknown = [schema.by_name[name].missing_value for name in schema.columns]
    # Fitted on a lead whose numbers are the means of the schema, so that models of different leads,
    # such as segment models, fill in the same numbers.
    lead = LeadTable.from_rows(schema, [unknown]).impute().to_frame()
    # Fitted on texts, because leads that others read with pandas have texts rather than categories.
    return columns.fit(lead.astype(dict.fromkeys(schema.text_columns, object)))


def fit_bag(
    X: pd.DataFrame,
    y: Ints,
    texts: list[str],
    members: Sequence[dict[str, Any]],
    progress: Callable[[str], None],
) -> CatBoostClassifier:
    """Fit classifiers of symmetric trees, and merge them into one.

    The merged model's log-odds are the mean of the members', exactly: all of them saw the same
    leads, so that their statistics of the categories are the same tables.

    Parameters
    ----------
    X, y, members, progress
        As for `fit_pipeline`.
    texts : list of str
        The categorical columns.
    """
    fitted = []
    for number, parameters in enumerate(members, 1):
        # A tuple, because scikit-learn cannot clone a classifier that was given a list.
        classifier = CatBoostClassifier(**(parameters | {"cat_features": tuple(texts)}))
        fitted.append(fit_or_load(partial(classifier.fit, X, y), parameters, (X, y)))
        progress(f"model {number} of {len(members)}")
    # scikit-learn takes CatBoost's merged classifier for an unfitted one, but not its copy.
    return to_classifier(_average(fitted)).copy()


def _average(members: list[CatBoost]) -> CatBoost:
    weights = [1 / len(members)] * len(members)
    return sum_models(members, weights, ctr_merge_policy="IntersectingCountersAverage")
