"""Cross-validate CatBoost: the tree count, and out-of-fold probabilities of the training leads."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from catboost import CatBoostClassifier, Pool

from leadmodel.arrays import Ints, Positions
from leadmodel.metrics.classification import evaluate
from leadmodel.metrics.comparison import Trial
from leadmodel.prepare.folds import Folds
from leadmodel.prepare.rare_categories import forget_rare
from leadmodel.prepare.width import choose_columns

__all__ = ["CrossValidated", "Fold", "cross_validate", "fit_folds", "gather"]


@dataclass(frozen=True)
class CrossValidated:
    """The result of a cross-validation.

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
    """A model fitted on all folds but one, and the leads of that one."""

    model: CatBoostClassifier
    eval_pool: Pool
    test_idx: Positions
    fit_seconds: float

    @property
    def log_loss(self) -> float:
        """The lowest log loss on the fold, over all tree counts."""
        return float(self.model.best_score_["validation"]["Logloss"])


def fit_folds(
    X: pd.DataFrame,
    y: Ints,
    parameters: dict[str, Any],
    folds: Folds,
    patience: int,
) -> Iterator[Fold]:
    """Fit and yield one fold after the other; parameters as for `cross_validate`."""
    for train_idx, test_idx in folds.split(y):
        started = time.perf_counter()
        leads = X[choose_columns(X.iloc[train_idx], y[train_idx])]
        texts = tuple(leads.select_dtypes("category").columns)
        train_pool = Pool(forget_rare(leads.iloc[train_idx]), y[train_idx], cat_features=texts)
        eval_pool = Pool(leads.iloc[test_idx], y[test_idx], cat_features=texts)
        model = CatBoostClassifier(**parameters)
        # All trees are kept: the tree count is one for all folds, and chosen later.
        model.fit(train_pool, eval_set=eval_pool, early_stopping_rounds=patience, use_best_model=False)
        yield Fold(model, eval_pool, test_idx, time.perf_counter() - started)


def gather(folds: Sequence[Fold], n_leads: int) -> CrossValidated:
    """Choose one tree count for all folds, and put their probabilities together."""
    n_trees = round(float(np.median([fold.model.best_iteration_ + 1 for fold in folds])))
    probability, started = np.empty(n_leads), time.perf_counter()
    for fold in folds:
        n_used = min(n_trees, fold.model.tree_count_)
        probability[fold.test_idx] = fold.model.predict_proba(fold.eval_pool, ntree_end=n_used)[:, 1]
    trial = Trial(
        name="CatBoost",
        character="takes categories and gaps as they are; strong as it comes; slower to train",
        probability=probability,
        fit_seconds=sum(fold.fit_seconds for fold in folds),
        score_seconds=time.perf_counter() - started,
    )
    metrics = (evaluate(fold.eval_pool.get_label(), probability[fold.test_idx]) for fold in folds)
    return CrossValidated(n_trees, trial, tuple(metrics))
