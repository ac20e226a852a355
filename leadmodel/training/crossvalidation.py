"""How many trees, and what the model says of training leads that it has not seen."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from catboost import CatBoostClassifier, Pool
from sklearn.model_selection import StratifiedKFold

from leadmodel.evaluation.comparison import Trial
from leadmodel.training.settings import TrainingSettings

__all__ = ["CrossValidated", "cross_validate", "make_folds"]


@dataclass(frozen=True)
class CrossValidated:
    """The result of a cross-validation.

    Attributes
    ----------
    n_trees : int
        The tree count to train with.
    trial : Trial
        Probabilities of each lead, by the model of the folds without it, with `n_trees` trees.
    """

    n_trees: int
    trial: Trial


def cross_validate(
    X: pd.DataFrame,
    y: npt.NDArray[np.int64],
    parameters: dict[str, Any],
    settings: TrainingSettings,
    progress: Callable[[str], None],
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
    """
    texts = tuple(X.select_dtypes("category").columns)
    fitted: list[tuple[CatBoostClassifier, Pool, npt.NDArray[np.intp]]] = []
    fit_seconds = 0.0
    for number, (inside, outside) in enumerate(make_folds(y, settings), 1):
        started = time.perf_counter()
        learn = Pool(X.iloc[inside], y[inside], cat_features=texts)
        judge = Pool(X.iloc[outside], y[outside], cat_features=texts)
        model = CatBoostClassifier(**parameters)
        model.fit(learn, eval_set=judge, early_stopping_rounds=settings.patience, use_best_model=False)
        fit_seconds += time.perf_counter() - started
        fitted.append((model, judge, outside))
        progress(f"fold {number} of {settings.n_folds}")
    n_trees = round(float(np.median([model.best_iteration_ + 1 for model, _, _ in fitted])))
    probability, started = np.empty(len(y)), time.perf_counter()
    for model, judge, outside in fitted:
        probability[outside] = model.predict_proba(judge, ntree_end=min(n_trees, model.tree_count_))[:, 1]
    score_seconds = time.perf_counter() - started
    trial = Trial(
        name="CatBoost",
        character="takes categories and gaps as they are; strong as it comes; slower to train",
        probability=probability,
        fit_seconds=fit_seconds,
        score_seconds=score_seconds,
    )
    return CrossValidated(n_trees, trial)


def make_folds(
    y: npt.NDArray[np.int64], settings: TrainingSettings
) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    """Yield the positions inside and outside of each fold, the same ones at every call."""
    folds = StratifiedKFold(settings.n_folds, shuffle=True, random_state=settings.seed)
    yield from folds.split(np.zeros(len(y)), y)
