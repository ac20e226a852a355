"""Race settings of CatBoost against the default on the same folds, and blend those that complement it."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit

from leadmodel.arrays import Floats, Ints
from leadmodel.metrics.classification import evaluate, log_losses, log_odds
from leadmodel.metrics.comparison import paired_difference
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.prepare.split import Folds
from leadmodel.report.refinements import Portfolio, PortfolioEntry
from leadmodel.training.crossvalidation import CrossValidated, Fold, cross_validate, fit_folds, gather

__all__ = ["SETTINGS", "Race", "count_fits", "cross_validate_blend", "race", "select_blend"]

SETTINGS: dict[str, dict[str, Any]] = {
    "shallow": {"boosting_type": "Ordered", "depth": 4},
    "plain": {"boosting_type": "Plain"},
    "slow": {"boosting_type": "Plain", "learning_rate": 0.05},
    "regularized": {
        "boosting_type": "Plain",
        "learning_rate": 0.05,
        "rsm": 0.6,
        "random_strength": 2,
        "l2_leaf_reg": 10,
    },
    "deep": {"boosting_type": "Plain", "depth": 8, "l2_leaf_reg": 1},
}
"""What each setting changes of the default.

Compared on eleven public tables. Depth ends at 8, because the cost of the table of SHAP values grows as
4 ** depth. Trees must stay symmetric: CatBoost merges no others with those of the default.
"""

DEFAULT = "default"

N_SLOTS = 4
"""Most models in a blend: each takes time with every lead, and six or eight gained nothing."""

SURVIVORS = (3, 1)
"""How many settings go on after the first fold, and after each later one."""


class Race(NamedTuple):
    """The outcome of a race.

    Attributes
    ----------
    portfolio : Portfolio
        What was tried, and whether the blend is used.
    checked : CrossValidated
        The blend if it is used, else the default.
    best : CrossValidated
        The best single setting of what is used.
    members : list of dict
        Parameters of each model to fit on all leads, the tree count included; the first one's setting is
        the best single one.
    """

    portfolio: Portfolio
    checked: CrossValidated
    best: CrossValidated
    members: list[dict[str, Any]]


def race(
    X: pd.DataFrame,
    y: Ints,
    default: CrossValidated,
    folds: Folds,
    settings: TrainingSettings,
    progress: Callable[[str], None] = lambda step: None,
) -> Race:
    """Race the settings on the folds of the default, and blend the best if that is better beyond doubt.

    After each of the first folds the settings with the highest log loss drop out, and from the second one
    on those that, averaged with the default, are not better by a standard error. Of those that have seen
    all folds, the default among them, greedy ensemble selection chooses the blend. What the blend gains is
    measured against the default averaged over its seeds, and without the leads that chose the blend: for
    the leads of each fold, the selection is made on the leads of the others.

    Parameters
    ----------
    X : DataFrame of shape (n_leads, n_fields)
        Typed training leads.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    default : CrossValidated
        The default on these folds.
    folds : Folds
        Those of the default.
    settings : TrainingSettings
        Of the default classifier, the patience, the number of models and their tree count.
    progress : callable
        Called with a line of text after each fold of a setting.
    """
    parameters = settings.classifier_parameters(len(y))
    changes = {
        name: settings.supported(new) for name, new in SETTINGS.items() if new.items() - parameters.items()
    }
    runs = {
        name: fit_folds(X, y, parameters | new, folds, settings.patience) for name, new in changes.items()
    }
    fitted = _run(runs, folds.n_folds, y, default.trial.probability, progress)
    checked = {DEFAULT: default} | {
        name: gather(each, len(y)) for name, each in fitted.items() if len(each) == folds.n_folds
    }
    oof_log_odds = pd.DataFrame({name: log_odds(each.trial.probability) for name, each in checked.items()})
    probability = np.empty(len(y))
    for train_idx, test_idx in folds.split(y):
        names = select_blend(oof_log_odds.iloc[train_idx], y[train_idx])
        probability[test_idx] = expit(oof_log_odds.iloc[test_idx][names].mean(axis=1))
    change = paired_difference(y, probability, default.trial.probability)
    if change.high < 0:
        # A blend averages models, which lowers the log loss by itself. The default is averaged as well,
        # over seeds, so only a blend that is better than that average gains anything.
        seeds = range(settings.seed + 1, settings.seed + settings.n_members)
        checks = []
        for seed in seeds:
            seeded = parameters | {"random_seed": seed}
            checks.append(cross_validate(X, y, seeded, folds, settings.patience))
            progress(f"seed {seed} of the default")
        averaged = [log_odds(each.trial.probability) for each in (default, *checks)]
        change = paired_difference(y, probability, expit(np.mean(averaged, axis=0)))
    names = select_blend(oof_log_odds, y) if change.high < 0 else [DEFAULT]
    # As many models as the default averages at least, since averaging over seeds lowers the log loss too.
    names *= math.ceil(settings.n_members / len(names))
    portfolio = Portfolio(entries=_entries(checked, fitted, names), change=change)
    members = [
        settings.member(parameters | changes.get(name, {}), checked[name].n_trees, number)
        for number, name in enumerate(names)
    ]
    if not portfolio.is_used:
        return Race(portfolio, default, default, members)
    used = [checked[name].trial for name in set(names)]
    trial = default.trial._replace(
        probability=probability,
        fit_seconds=sum(each.fit_seconds for each in used),
        score_seconds=sum(each.score_seconds for each in used),
    )
    metrics = tuple(evaluate(y[rows], probability[rows]) for _, rows in folds.split(y))
    best = checked[names[0]]
    return Race(portfolio, CrossValidated(best.n_trees, trial, metrics), best, members)


def select_blend(oof_log_odds: pd.DataFrame, y: Ints) -> list[str]:
    """Select columns, with repeats, whose mean has the lowest log loss (Caruana et al. 2004).

    Greedy, forward and with replacement, which weighs the columns: the first one selected is the best
    alone.

    Parameters
    ----------
    oof_log_odds : DataFrame of shape (n_leads, n_models)
        Out-of-fold log-odds, a column for each model.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    """
    names: list[str] = []
    losses: list[float] = []
    for _ in range(N_SLOTS):
        blends = {
            name: log_losses(y, expit(oof_log_odds[[*names, name]].mean(axis=1).to_numpy())).mean()
            for name in map(str, oof_log_odds)
        }
        names.append(min(blends, key=lambda name: blends[name]))
        losses.append(blends[names[-1]])
    return names[: 1 + int(np.argmin(losses))]


def cross_validate_blend(
    X: pd.DataFrame, y: Ints, members: Sequence[dict[str, Any]], folds: Folds, settings: TrainingSettings
) -> Floats:
    """Return out-of-fold probabilities of averaged models, fitting each of their settings once a fold.

    Parameters
    ----------
    X : DataFrame of shape (n_leads, n_fields)
        Typed training leads.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    members : sequence of dict
        Parameters of each model.
    folds : Folds
        How to divide the leads.
    settings : TrainingSettings
        Most trees, seed and patience.
    """
    alike = {"iterations": settings.max_trees, "random_seed": settings.seed}
    n_models = Counter(tuple((member | alike).items()) for member in members)
    blended = np.zeros(len(y))
    for setting, n in n_models.items():
        trial = cross_validate(X, y, dict(setting), folds, settings.patience).trial
        blended += n / len(members) * log_odds(trial.probability)
    return expit(blended)


def _run(
    runs: dict[str, Iterator[Fold]],
    n_folds: int,
    y: Ints,
    default: Floats,
    progress: Callable[[str], None],
) -> dict[str, list[Fold]]:
    """Return the fitted folds of each setting; those that dropped out have fewer."""
    fitted: dict[str, list[Fold]] = {name: [] for name in runs}
    running = list(runs)
    for number in range(n_folds):
        for name in running:
            fitted[name].append(next(runs[name]))
            progress(f"setting {name}, fold {number + 1} of {n_folds}")
        running.sort(key=lambda name: np.mean([fold.log_loss for fold in fitted[name]]))
        running = running[: SURVIVORS[min(number, len(SURVIVORS) - 1)]]
        if number:  # a single fold is too few leads to give up all settings
            running = [name for name in running if _is_promising(fitted[name], y, default)]
    return fitted


def _is_promising(folds: list[Fold], y: Ints, default: Floats) -> bool:
    """Return whether a setting, averaged with the default, is better by at least a standard error."""
    rows = np.concatenate([fold.test_idx for fold in folds])
    margin = np.concatenate([fold.log_odds() for fold in folds])
    averaged = expit((margin + log_odds(default[rows])) / 2)
    change = paired_difference(y[rows], averaged, default[rows])
    return change.value + (change.high - change.low) / (2 * 1.96) < 0


def count_fits(n_folds: int) -> int:
    """Return how many models a race fits at most, the default's not counted."""
    survivors = [len(SETTINGS), *SURVIVORS] + [SURVIVORS[-1]] * n_folds
    return sum(survivors[:n_folds])


def _entries(
    checked: dict[str, CrossValidated], fitted: dict[str, list[Fold]], names: list[str]
) -> tuple[PortfolioEntry, ...]:
    """Describe the settings, those that saw the most folds first, and then by their log loss."""
    default = checked[DEFAULT]
    losses = {DEFAULT: [fold["log_loss"] for fold in default.folds]}
    losses |= {name: [fold.log_loss for fold in each] for name, each in fitted.items()}
    trees = {name: each[0].model.best_iteration_ + 1 for name, each in fitted.items()}
    trees |= {name: each.n_trees for name, each in checked.items()}
    entries = [
        PortfolioEntry(
            name=name,
            changes=SETTINGS.get(name, {}),
            n_folds=len(each),
            behind=float(np.mean(each) - np.mean(losses[DEFAULT][: len(each)])),
            n_trees=trees[name],
            n_models=names.count(name),
        )
        for name, each in losses.items()
    ]
    return tuple(sorted(entries, key=lambda entry: (-entry.n_folds, entry.behind)))
