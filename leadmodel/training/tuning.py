"""Search for better parameters than the defaults, on the training leads alone."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leadmodel.arrays import Floats, Ints
from leadmodel.errors import InputError
from leadmodel.metrics.classification import Estimate, evaluate
from leadmodel.metrics.comparison import paired_difference
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.prepare.split import Folds
from leadmodel.report.refinements import Tuning
from leadmodel.training.crossvalidation import CrossValidated, Fold, cross_validate, fit_folds, gather

if TYPE_CHECKING:
    import optuna

__all__ = ["CATBOOST_DEFAULTS", "check_optuna", "tune"]

N_STARTUP = 5
"""Random trials before the sampler uses their results."""

N_FRUITLESS = 25
MIN_GAIN = 1e-4
"""The search ends after this number of trials in a row without this gain in log loss."""

CATBOOST_DEFAULTS = {
    "learning_rate": 0.1,
    "depth": 6,
    "l2_leaf_reg": 3.0,
    "random_strength": 1.0,
    "rsm": 1.0,
    "one_hot_max_size": 2,
    "max_ctr_complexity": 4,
    "leaf_estimation_iterations": 10,
}
"""Parameters to search, with CatBoost's defaults for those that the settings do not set."""

OPTUNA = "optuna==5.0.0"


def check_optuna() -> None:
    """Raise InputError, with the line that installs it, if Optuna is missing."""
    try:
        import optuna  # noqa: F401
    except ImportError:
        raise InputError(f"Tuning needs Optuna. Install it with: pip install {OPTUNA}") from None


def tune(
    X: pd.DataFrame,
    y: Ints,
    parameters: dict[str, Any],
    default: CrossValidated,
    folds: Folds,
    settings: TrainingSettings,
    progress: Callable[[str], None] = lambda step: None,
    untuned: Callable[[Folds], Floats] | None = None,
) -> tuple[Tuning, CrossValidated]:
    """Search by a tree-structured Parzen estimator (Bergstra et al. 2011), pruning by the median.

    The folds are those of the default. What the best parameters gain is then measured on other
    folds, for the best of many trials on the same ones is in part the luckiest.

    Parameters
    ----------
    X : DataFrame of shape (n_leads, n_fields)
        Typed training leads.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    parameters : dict
        The default of the CatBoostClassifier.
    default : CrossValidated
        What they gave.
    folds : Folds
        Those of the default.
    settings : TrainingSettings
        Minutes and patience.
    progress : callable
        Called with a line of text after each fold of a trial.
    untuned : callable, optional
        Returns out-of-fold probabilities of what is used without tuning, on other folds. By default that
        is `parameters`.

    Returns
    -------
    tuple of Tuning and CrossValidated
        What came of the search, and what the best parameters gave on the folds of the default.
    """
    check_optuna()
    search = _Search(X, y, parameters, default, folds, settings, progress, untuned)
    search.run()
    return search.result(), search.checked


class _Search:
    """Hold the state of a search: its best trial and its remaining time."""

    def __init__(
        self,
        X: pd.DataFrame,
        y: Ints,
        parameters: dict[str, Any],
        default: CrossValidated,
        folds: Folds,
        settings: TrainingSettings,
        progress: Callable[[str], None],
        untuned: Callable[[Folds], Floats] | None,
    ) -> None:
        self.X, self.y, self.parameters = X, y, parameters
        self.folds, self.settings, self.progress = folds, settings, progress
        self.untuned = untuned or (lambda folds: self._probability({}, folds))
        self.started, self.seconds = time.perf_counter(), 60 * settings.tune_minutes
        # The final check fits the default and the best trial once more, on new folds.
        self.reserve = 2 * (default.trial.fit_seconds + default.trial.score_seconds)
        self.best_loss = self.default_loss = evaluate(y, default.trial.probability)["log_loss"]
        self.best: dict[str, Any] = {}
        self.checked = default
        self.n_trials = self.n_pruned = self.n_fruitless = 0
        self.ended = "time ran out"

    @property
    def elapsed(self) -> float:
        return time.perf_counter() - self.started

    def run(self) -> None:
        """Try parameters until time runs out or trials no longer improve."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        space = self.settings.supported(_space())
        study = optuna.create_study(
            sampler=optuna.samplers.TPESampler(seed=self.folds.random_state, n_startup_trials=N_STARTUP),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=3),
        )
        known = {name: self.parameters.get(name, CATBOOST_DEFAULTS[name]) for name in space}
        study.add_trial(optuna.create_trial(params=known, distributions=space, value=self.default_loss))
        while self.elapsed + self.reserve < self.seconds:
            trial = study.ask(space)
            loss = self._try(trial)
            pruned = loss is None
            study.tell(trial, loss, state=optuna.trial.TrialState.PRUNED if pruned else None)
            if self.n_fruitless >= N_FRUITLESS:
                self.ended = f"{N_FRUITLESS} trials in a row brought no improvement"
                return

    def _try(self, trial: "optuna.Trial") -> float | None:
        """Return the cross-validated log loss of a trial, or None if it was pruned."""
        suggested = trial.params
        parameters = self.parameters | suggested
        folds: list[Fold] = []
        self.n_trials += 1
        self.n_fruitless += 1
        for fold in fit_folds(self.X, self.y, parameters, self.folds, self.settings.patience):
            folds.append(fold)
            self._report()
            trial.report(float(np.mean([fold.log_loss for fold in folds])), len(folds))
            late = self.elapsed + self.reserve > self.seconds
            if len(folds) < self.folds.n_folds and (trial.should_prune() or late):
                self.n_pruned += 1
                return None
        checked = gather(folds, len(self.y))
        loss = evaluate(self.y, checked.trial.probability)["log_loss"]
        if loss < self.best_loss - MIN_GAIN:
            self.best_loss, self.best, self.checked, self.n_fruitless = loss, suggested, checked, 0
        return loss

    def result(self) -> Tuning:
        """Measure the best trial on new folds, and return the result of the search."""
        change = self._change() if self.best else Estimate(value=0, low=0, high=0)
        return Tuning(
            n_trials=self.n_trials,
            n_pruned=self.n_pruned,
            seconds=round(self.elapsed, 1),
            ended=self.ended,
            best=self.best,
            change=change,
        )

    def _change(self) -> Estimate:
        folds = self.folds.redrawn()
        return paired_difference(self.y, self._probability(self.best, folds), self.untuned(folds))

    def _probability(self, changes: dict[str, Any], folds: Folds) -> Floats:
        parameters = self.parameters | changes
        return cross_validate(self.X, self.y, parameters, folds, self.settings.patience).trial.probability

    def _report(self) -> None:
        gained, spent = self.default_loss - self.best_loss, self.elapsed / self.seconds
        self.progress(
            f"tuning, {spent:.0%} of the time, {self.n_trials} tried, "
            f"log loss {self.best_loss:.4f} (-{gained:.4f})"
        )


def _space() -> "dict[str, optuna.distributions.BaseDistribution]":
    from optuna.distributions import FloatDistribution, IntDistribution

    return {
        "learning_rate": FloatDistribution(0.03, 0.2, log=True),
        "depth": IntDistribution(4, 8),
        "l2_leaf_reg": FloatDistribution(1, 30, log=True),
        "random_strength": FloatDistribution(0.3, 5, log=True),
        "rsm": FloatDistribution(0.5, 1),
        "one_hot_max_size": IntDistribution(2, 64, log=True),
        "max_ctr_complexity": IntDistribution(1, 4),
        "leaf_estimation_iterations": IntDistribution(3, 10),
    }
