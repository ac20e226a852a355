"""Cross-validate the usual models, which CatBoost has to beat on the same folds."""

import time
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from leadmodel.arrays import Ints, Positions
from leadmodel.metrics.comparison import Trial
from leadmodel.prepare.folds import Folds
from leadmodel.prepare.rare_categories import forget_rare
from leadmodel.prepare.width import choose_columns

__all__ = ["try_others"]

_TEXTS = make_column_selector(dtype_include="category")
_NUMBERS = make_column_selector(dtype_exclude="category")
ONE_THREAD_BELOW = 100_000
"""Leads below which OpenMP's threads would wait for each other longer than they work, on a busy machine
for minutes."""

MAX_LEVELS = 254
"""As many values of a text as histogram gradient boosting takes as categories."""


def try_others(
    X: pd.DataFrame,
    y: Ints,
    folds: Folds,
    progress: Callable[[str], None] = lambda name: None,
) -> list[Trial]:
    """Cross-validate the usual models, as they come, on the folds that CatBoost had.

    Parameters
    ----------
    X : DataFrame of shape (n_leads, n_fields)
        Typed leads.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    folds : Folds
        Those of CatBoost; their seed is that of the models.
    progress : callable
        Called with the name of each model when it is done.
    """
    trials = []
    dealt = [
        (X[choose_columns(X.iloc[train_idx], y[train_idx])], train_idx, test_idx)
        for train_idx, test_idx in folds.split(y)
    ]
    for name, (model, character) in _models(folds.random_state, len(y)).items():
        trials.append(_try(name, character, model, y, dealt))
        progress(name)
    return trials


def _models(seed: int, n_leads: int) -> dict[str, tuple[BaseEstimator, str]]:
    one_hot = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=5)
    ordinal = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=MAX_LEVELS
    )
    fill = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    linear = make_column_transformer((one_hot, _TEXTS), (make_pipeline(fill, StandardScaler()), _NUMBERS))
    coded = make_column_transformer((ordinal, _TEXTS), ("passthrough", _NUMBERS))
    boosting = HistGradientBoostingClassifier(random_state=seed, early_stopping=True)
    # scikit-learn's threads swap Python's warning filters under each other, and then warn without cause.
    n_jobs = None if n_leads < 10_000 else -1  # below, one thread takes a second or so
    forest = RandomForestClassifier(100, min_samples_leaf=3, n_jobs=n_jobs, random_state=seed)
    return {
        "Prior": (DummyClassifier(strategy="prior"), "the bar that any model must clear; ranks nothing"),
        "Logistic regression": (
            make_pipeline(linear, LogisticRegression(max_iter=3000)),
            "fast, smooth and easy to read; blind to interactions and bends",
        ),
        "Random forest": (
            make_pipeline(coded, SimpleImputer(), forest),
            "robust without tuning; large, slow to score, categories only as codes",
        ),
        "Histogram gradient boosting": (
            make_pipeline(coded, boosting),
            "fast on many leads; categories only as codes, less sure on few leads",
        ),
    }


def _try(
    name: str,
    character: str,
    model: BaseEstimator,
    y: Ints,
    folds: Sequence[tuple[pd.DataFrame, Positions, Positions]],
) -> Trial:
    probability = np.empty(len(y))
    fit_seconds = score_seconds = 0.0
    with threadpool_limits(1 if len(y) < ONE_THREAD_BELOW else None, user_api="openmp"):
        for X, train_idx, test_idx in folds:
            started = time.perf_counter()
            model.fit(forget_rare(X.iloc[train_idx]), y[train_idx])
            fitted = time.perf_counter()
            probability[test_idx] = model.predict_proba(X.iloc[test_idx])[:, 1]
            fit_seconds += fitted - started
            score_seconds += time.perf_counter() - fitted
    return Trial(
        name=name,
        character=character,
        probability=probability,
        fit_seconds=fit_seconds,
        score_seconds=score_seconds,
    )
