"""Cross-validate CatBoost and the usual other models on the same folds."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from catboost import CatBoostClassifier, Pool
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from leadmodel.arrays import Floats, Ints, Positions
from leadmodel.metrics.classification import evaluate
from leadmodel.metrics.comparison import Trial
from leadmodel.prepare.checkpoints import fit_or_load
from leadmodel.prepare.columns import choose_columns, forget_rare
from leadmodel.prepare.split import Folds

__all__ = ["CrossValidated", "Fold", "cross_validate", "fit_folds", "gather", "sample_leads", "try_others"]

_TEXTS = make_column_selector(dtype_include="category")
_NUMBERS = make_column_selector(dtype_exclude="category")
ONE_THREAD_BELOW = 100_000
"""Leads below which OpenMP's threads would wait for each other longer than they work, on a busy machine
for minutes."""

MIN_OF_EACH = 500
"""Leads of the rarer outcome that a sample to compare models on must have."""

MAX_LEVELS = 254
"""Most categories that histogram gradient boosting accepts for a field."""


@dataclass(frozen=True)
class CrossValidated:
    """Result of a cross-validation.

    Attributes
    ----------
    n_trees : int
        The tree count to train with.
    trial : Trial
        Probabilities of each lead, by the model of the folds without it, with `n_trees` trees.
    folds : tuple of dict of str to float
        Metrics of each fold's leads, by the model without them.
    """

    n_trees: int
    trial: Trial
    folds: tuple[dict[str, float], ...]


def cross_validate(
    X: pd.DataFrame,
    y: Ints,
    parameters: dict[str, Any],
    folds: Folds,
    patience: int,
    progress: Callable[[str], None] = lambda step: None,
) -> CrossValidated:
    """Fit one model per fold, each until its log loss on the fold has stopped falling.

    Parameters
    ----------
    X : DataFrame of shape (n_leads, n_fields)
        Typed leads.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    parameters : dict
        Of the CatBoostClassifier.
    folds : Folds
        How the leads are dealt out.
    patience : int
        Trees without a better log loss after which a fold stops.
    progress : callable
        Called with a line of text after each fold.
    """
    fitted = []
    for fold in fit_folds(X, y, parameters, folds, patience):
        fitted.append(fold)
        progress(f"fold {len(fitted)} of {folds.n_folds}")
    return gather(fitted, len(y))


class Fold(NamedTuple):
    """Model fitted on all folds but one, and the leads of that fold."""

    model: CatBoostClassifier
    eval_pool: Pool
    test_idx: Positions
    fit_seconds: float

    @property
    def log_loss(self) -> float:
        """The lowest log loss on the fold, over all tree counts."""
        return float(self.model.best_score_["validation"]["Logloss"])

    def log_odds(self) -> Floats:
        """Return the log-odds of the fold's leads, with the tree count that suits the fold best."""
        n_trees = self.model.best_iteration_ + 1
        return np.asarray(
            self.model.predict(self.eval_pool, prediction_type="RawFormulaVal", ntree_end=n_trees)
        )


def fit_folds(
    X: pd.DataFrame,
    y: Ints,
    parameters: dict[str, Any],
    folds: Folds,
    patience: int,
) -> Iterator[Fold]:
    """Fit and yield the folds in turn; parameters as for `cross_validate`."""
    for train_idx, test_idx in folds.split(y):
        started = time.perf_counter()
        leads = X[choose_columns(X.iloc[train_idx], y[train_idx])]
        texts = tuple(leads.select_dtypes("category").columns)
        learned, held_out = forget_rare(leads.iloc[train_idx]), leads.iloc[test_idx]
        eval_pool = Pool(held_out, y[test_idx], cat_features=texts)
        # All trees are kept: the tree count is one for all folds, and chosen later.
        fit = partial(
            CatBoostClassifier(**parameters).fit,
            Pool(learned, y[train_idx], cat_features=texts),
            eval_set=eval_pool,
            early_stopping_rounds=patience,
            use_best_model=False,
        )
        shown = (learned, y[train_idx]), (held_out, y[test_idx])
        model = fit_or_load(fit, parameters | {"patience": patience}, *shown)
        yield Fold(model, eval_pool, test_idx, time.perf_counter() - started)


def gather(folds: Sequence[Fold], n_leads: int) -> CrossValidated:
    """Choose one tree count for all folds, and collect their out-of-fold probabilities."""
    # The median, because a single fold that stops very late or early must not set the count.
    n_trees = round(float(np.median([fold.model.best_iteration_ + 1 for fold in folds])))
    probability, started = np.empty(n_leads), time.perf_counter()
    for fold in folds:
        n_used = min(n_trees, fold.model.tree_count_)
        probability[fold.test_idx] = fold.model.predict_proba(fold.eval_pool, ntree_end=n_used)[:, 1]
    trial = Trial(
        name="CatBoost",
        character="handles categories and gaps natively; strong untuned; slower to train",
        probability=probability,
        fit_seconds=sum(fold.fit_seconds for fold in folds),
        score_seconds=time.perf_counter() - started,
    )
    metrics = (evaluate(fold.eval_pool.get_label(), probability[fold.test_idx]) for fold in folds)
    return CrossValidated(n_trees, trial, tuple(metrics))


def sample_leads(y: Ints, n_leads: int, random_state: int) -> Positions:
    """Draw leads at random to compare models on: more than `n_leads` where one outcome is rare.

    Parameters
    ----------
    y : array of shape (n_all,)
        1 for converted, 0 for the others; both occur.
    n_leads : int
        Leads that are enough where both outcomes are frequent.
    random_state : int
        Seed.

    Returns
    -------
    array of int
        Positions, ascending; of all leads if there are not more than needed.
    """
    needed = max(n_leads, ceil(MIN_OF_EACH / min(y.mean(), 1 - y.mean())))
    if needed >= len(y):
        return np.arange(len(y))
    return np.sort(np.random.default_rng(random_state).permutation(len(y))[:needed])


def try_others(
    X: pd.DataFrame,
    y: Ints,
    folds: Folds,
    progress: Callable[[str], None] = lambda name: None,
) -> list[Trial]:
    """Cross-validate the usual models, untuned, on the folds of CatBoost.

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
    # Untuned, as CatBoost is: the table compares what each model gives without effort.
    return {
        "Prior": (DummyClassifier(strategy="prior"), "the baseline to beat; does not rank leads"),
        "Logistic regression": (
            make_pipeline(linear, LogisticRegression(max_iter=3000)),
            "fast, smooth and interpretable; misses interactions and curves",
        ),
        "Random forest": (
            make_pipeline(coded, SimpleImputer(), forest),
            "robust untuned; large, slow to score, categories as codes",
        ),
        "Histogram gradient boosting": (
            make_pipeline(coded, boosting),
            "fast on many leads; categories as codes, weaker on few leads",
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
