"""Cross-validate regressions of what a converted lead brings, on the folds of the classifier."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from catboost import CatBoostRegressor, Pool

from leadmodel.amounts.evaluate import ObservedAmounts
from leadmodel.amounts.model import Link, as_amount
from leadmodel.amounts.results import MEAN
from leadmodel.arrays import Floats, Positions
from leadmodel.prepare.columns import forget_rare
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.prepare.split import Folds

__all__ = [
    "CANDIDATES",
    "AmountProblem",
    "OutOfFoldAmounts",
    "RegressionCandidate",
    "compare_candidates",
    "fit_until_best",
    "regressor_parameters",
]


DEPTH = 4
"""Of the trees: only converted leads teach them, a fraction of all."""

PATIENCE = 20
"""Trees without a better loss after which a fold stops."""


class RegressionCandidate(NamedTuple):
    """A way to expect an amount: the loss that CatBoost lowers, and what is made of its answer."""

    name: str
    character: str
    loss: str
    link: Link
    learns_logs: bool = False
    scale: Callable[[Floats, Floats], float] = lambda amounts, expected: 1.0


def _smear(amounts: Floats, expected: Floats) -> float:
    """Return the mean of what amounts are over the exponential of their expected logs (Duan 1983)."""
    return float(np.mean(amounts / expected))


def _match(amounts: Floats, expected: Floats) -> float:
    return float(amounts.sum() / expected.sum())


_SKEWED = "for skewed amounts"
CANDIDATES = (
    RegressionCandidate(
        "Squared error", "simple, but sensitive to a few large amounts", "RMSE", "identity"
    ),
    RegressionCandidate(
        "Squared error of logs",
        f"{_SKEWED}; back-transformed with Duan's smearing",
        "RMSE",
        "log",
        True,
        _smear,
    ),
    *(
        RegressionCandidate(
            f"Tweedie {power}", f"{_SKEWED}; spread {how}", f"Tweedie:variance_power={power}", "log"
        )
        for power, how in ((1.2, "grows slowly"), (1.5, "grows"), (1.8, "grows with the amounts"))
    ),
    RegressionCandidate(
        "Absolute error", "the median, scaled to the sum of the amounts", "MAE", "identity", False, _match
    ),
)


class OutOfFoldAmounts(NamedTuple):
    """What one way says.

    Parameters
    ----------
    amounts : array of shape (n_leads,)
        Expected of each lead, by the model of the folds without it.
    n_trees, scale : int, float
        How to fit it to all leads: how many trees, and what its answers are multiplied by.
    """

    amounts: Floats
    n_trees: int = 0
    scale: float = 1.0


class _Fold(NamedTuple):
    """The training and test leads of a fold: those with amounts, and all of them."""

    known_train_idx: Positions
    known_test_idx: Positions
    train_idx: Positions
    test_idx: Positions


@dataclass(frozen=True)
class AmountProblem:
    """Training leads and what they brought, and between which bounds an amount is expected.

    All losses count in units of the mean amount: a boosting that starts from 1 has not far to go.
    """

    X: pd.DataFrame
    observed: ObservedAmounts
    classifier_folds: Folds
    settings: TrainingSettings
    bounds: tuple[float, float]

    @cached_property
    def unit(self) -> float:
        """The mean amount."""
        return float(self.observed.amounts[self.observed.known].mean())

    @cached_property
    def folds(self) -> list[_Fold]:
        """The folds of the classifier."""
        known = self.observed.known
        return [
            _Fold(train_idx[known[train_idx]], test_idx[known[test_idx]], train_idx, test_idx)
            for train_idx, test_idx in self.classifier_folds.split(self.observed.y)
        ]

    def can_vary(self) -> bool:
        """Whether each fold holds amounts, and those of the others differ, as do their leads."""
        return all(
            len(fold.known_test_idx)
            and np.ptp(self.observed.amounts[fold.known_train_idx]) > 0
            and self.X.iloc[fold.known_train_idx].nunique(dropna=False).max() > 1
            for fold in self.folds
        )

    def target(self, candidate: RegressionCandidate) -> Floats:
        """Return what the boosting learns."""
        amounts = self.observed.amounts / self.unit
        # An amount of 0 has no logarithm; the least that can be expected stands for it.
        return np.log(np.maximum(amounts, self.bounds[0] / self.unit)) if candidate.learns_logs else amounts

    def read(self, candidate: RegressionCandidate, raw: Floats) -> Floats:
        """Return the amounts that a boosting tells."""
        low, high = self.bounds
        return self.unit * as_amount(raw, candidate.link, (low / self.unit, high / self.unit))


def compare_candidates(
    problem: AmountProblem, progress: Callable[[str], None]
) -> dict[str, OutOfFoldAmounts]:
    """Cross-validate each way, and first the mean; it alone where the amounts do not differ enough."""
    mean = np.empty(len(problem.observed.y))
    for fold in problem.folds:
        mean[fold.test_idx] = problem.observed.amounts[fold.known_train_idx].mean()
    expected, can_vary = {MEAN: OutOfFoldAmounts(mean)}, problem.can_vary()
    for candidate in CANDIDATES:
        if can_vary:
            expected[candidate.name] = _cross_validate(problem, candidate)
        progress(f"amounts by {candidate.name.lower()}")
    return expected


def _cross_validate(problem: AmountProblem, candidate: RegressionCandidate) -> OutOfFoldAmounts:
    """Tell each lead's amount by the fold without it, with tree count and scale of the other folds.

    A fold that chose its own tree count would look better than the mean by chance.
    """
    X, target = problem.X, problem.target(candidate)
    parameters = regressor_parameters(candidate.loss, problem.settings)
    texts, models = list(X.select_dtypes("category").columns), []
    for fold in problem.folds:
        # Rare texts are hidden where the model learns alone: no lead to score has a token.
        learned = forget_rare(X.iloc[fold.known_train_idx])
        train_pool = Pool(learned, target[fold.known_train_idx], cat_features=texts)
        eval_pool = Pool(X.iloc[fold.known_test_idx], target[fold.known_test_idx], cat_features=texts)
        models.append(fit_until_best(train_pool, eval_pool, parameters))
    best = np.array([model.best_iteration_ + 1 for model in models])
    expected = np.empty(len(problem.observed.y))
    for number, (model, fold) in enumerate(zip(models, problem.folds, strict=True)):
        n_trees = min(round(float(np.median(np.delete(best, number)))), model.tree_count_)
        raw = model.predict(X.iloc[fold.test_idx], prediction_type="RawFormulaVal", ntree_end=n_trees)
        expected[fold.test_idx] = problem.read(candidate, raw)
    known, amounts = problem.observed.known, problem.observed.amounts
    scaled = np.empty_like(expected)
    for fold in problem.folds:
        others = known.copy()
        others[fold.known_test_idx] = False
        scaled[fold.test_idx] = expected[fold.test_idx] * candidate.scale(amounts[others], expected[others])
    # A model of all leads learns from more than a fold's, and needs more trees.
    n_trees = max(round(float(np.median(best)) * problem.settings.refit_factor), 1)
    scale = candidate.scale(amounts[known], expected[known])
    return OutOfFoldAmounts(np.clip(scaled, *problem.bounds), n_trees, scale)


def fit_until_best(train_pool: Pool, eval_pool: Pool, parameters: dict[str, Any]) -> CatBoostRegressor:
    """Fit a regressor until its loss on `judge` has stopped falling; it keeps all its trees."""
    model = CatBoostRegressor(**parameters)
    # All trees are kept, because the tree count is taken from the other folds.
    return model.fit(train_pool, eval_set=eval_pool, early_stopping_rounds=PATIENCE, use_best_model=False)


def regressor_parameters(loss: str, settings: TrainingSettings) -> dict[str, Any]:
    """Return the parameters of a CatBoostRegressor."""
    return {
        "loss_function": loss,
        "iterations": settings.max_trees,
        "learning_rate": settings.learning_rate,
        "depth": DEPTH,
        "one_hot_max_size": settings.one_hot_max_size,
        "max_ctr_complexity": 1,
        "boosting_type": "Plain",
        "random_seed": settings.seed,
        "allow_writing_files": False,
        "verbose": False,
    }
