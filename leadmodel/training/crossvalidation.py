"""How many trees, and what the model says of training leads that it has not seen."""

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
from leadmodel.prepare.folds import GroupIds, make_folds
from leadmodel.prepare.settings import TrainingSettings

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
    settings: TrainingSettings,
    progress: Callable[[str], None],
    groups: GroupIds | None = None,
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
    settings : TrainingSettings
        Folds, patience and seed.
    progress : callable
        Called with a line of text after each fold.
    groups : array of shape (n_leads,), optional
        Leads that go to one fold; see `leadmodel.prepare.folds`.
    """
    fitted = []
    for fold in fit_folds(X, y, parameters, settings, groups):
        fitted.append(fold)
        progress(f"fold {len(fitted)} of {settings.n_folds}")
    return gather(fitted, len(y))


class Fold(NamedTuple):
    """A model fitted on all folds but one, and the leads of that one."""

    model: CatBoostClassifier
    judge: Pool
    outside: Positions
    fit_seconds: float

    @property
    def log_loss(self) -> float:
        """The lowest log loss that any number of trees had outside."""
        return float(self.model.best_score_["validation"]["Logloss"])


def fit_folds(
    X: pd.DataFrame,
    y: Ints,
    parameters: dict[str, Any],
    settings: TrainingSettings,
    groups: GroupIds | None = None,
) -> Iterator[Fold]:
    """Fit and yield one fold after the other; parameters as for `cross_validate`."""
    texts = tuple(X.select_dtypes("category").columns)
    for inside, outside in make_folds(y, settings, groups):
        started = time.perf_counter()
        learn = Pool(X.iloc[inside], y[inside], cat_features=texts)
        judge = Pool(X.iloc[outside], y[outside], cat_features=texts)
        model = CatBoostClassifier(**parameters)
        model.fit(learn, eval_set=judge, early_stopping_rounds=settings.patience, use_best_model=False)
        yield Fold(model, judge, outside, time.perf_counter() - started)


def gather(folds: Sequence[Fold], n_leads: int) -> CrossValidated:
    """Choose one tree count for all folds, and put their probabilities together."""
    n_trees = round(float(np.median([fold.model.best_iteration_ + 1 for fold in folds])))
    probability, started = np.empty(n_leads), time.perf_counter()
    for fold in folds:
        n_used = min(n_trees, fold.model.tree_count_)
        probability[fold.outside] = fold.model.predict_proba(fold.judge, ntree_end=n_used)[:, 1]
    trial = Trial(
        name="CatBoost",
        character="takes categories and gaps as they are; strong as it comes; slower to train",
        probability=probability,
        fit_seconds=sum(fold.fit_seconds for fold in folds),
        score_seconds=time.perf_counter() - started,
    )
    metrics = (evaluate(fold.judge.get_label(), probability[fold.outside]) for fold in folds)
    return CrossValidated(n_trees, trial, tuple(metrics))
