"""How many trees, and what the model says of training leads that it has not seen."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from catboost import CatBoostClassifier, Pool
from sklearn.model_selection import StratifiedKFold

from leadmodel.training.settings import TrainingSettings

__all__ = ["CrossValidated", "cross_validate"]


@dataclass(frozen=True)
class CrossValidated:
    """The result of a cross-validation.

    Attributes
    ----------
    n_trees : int
        The tree count to train with.
    probability : array of shape (n_leads,)
        Of each lead, by the model of the folds without it, with `n_trees` trees.
    """

    n_trees: int
    probability: npt.NDArray[np.float64]


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
    folds = StratifiedKFold(settings.n_folds, shuffle=True, random_state=settings.seed)
    fitted: list[tuple[CatBoostClassifier, Pool, npt.NDArray[np.intp]]] = []
    for number, (inside, outside) in enumerate(folds.split(X, y), 1):
        learn = Pool(X.iloc[inside], y[inside], cat_features=texts)
        judge = Pool(X.iloc[outside], y[outside], cat_features=texts)
        model = CatBoostClassifier(**parameters)
        model.fit(learn, eval_set=judge, early_stopping_rounds=settings.patience, use_best_model=False)
        fitted.append((model, judge, outside))
        progress(f"fold {number} of {settings.n_folds}")
    n_trees = round(float(np.median([model.best_iteration_ + 1 for model, _, _ in fitted])))
    probability = np.empty(len(y))
    for model, judge, outside in fitted:
        probability[outside] = model.predict_proba(judge, ntree_end=min(n_trees, model.tree_count_))[:, 1]
    return CrossValidated(n_trees, probability)
