"""What class imbalance needs: nothing, class weights or under-sampling, each with its calibration.

    python benchmarks/imbalance.py --data DATA [--seeds 3]

On the training leads of each real set, cross-validated on the same folds for all three; the second
line of a kind is the same after Platt scaling on folds apart from its own.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from catboost import CatBoostClassifier

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.quality import TASKS, Task
from benchmarks.table import print_head
from leadmodel.metrics.classification import evaluate
from leadmodel.metrics.comparison import paired_difference
from leadmodel.prepare.data import prepare
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.prepare.split import Folds
from leadmodel.training.crossvalidation import cross_validate
from leadmodel.training.refinements import cross_calibrated

KINDS = ("plain", "class weights", "under-sampling")
ENDS = ("value", "low", "high")


def main() -> None:
    """Measure, and print a table per set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    for task in TASKS:
        if not task.newest:
            print_task(task, options.data, options.seeds)


def print_task(task: Task, data: Path, seeds: int) -> None:
    """Print the table of one lead set."""
    runs = [measure(task, data, seed) for seed in range(seeds)]
    share = float(np.mean([y.mean() for y, _ in runs]))
    print_head(f"Class imbalance: {task.name}, {len(runs[0][0]):,} training leads, {share:.0%} converted")
    print("\n| Training | PR AUC | Log loss | Beyond plain | Calibration error | Mean probability |")
    print("| --- | --- | --- | --- | --- | --- |")
    for kind in sorted(runs[0][1], key=lambda kind: KINDS.index(kind.split(",")[0])):
        found = [evaluate(y, by_kind[kind]) for y, by_kind in runs]
        beyond = [paired_difference(y, by_kind[kind], by_kind["plain"]) for y, by_kind in runs]
        value, low, high = (float(np.mean([getattr(one, end) for one in beyond])) for end in ENDS)
        mean = {name: float(np.mean([one[name] for one in found])) for name in found[0]}
        difference = "" if kind == "plain" else f"{value:+.4f} ({low:+.4f} to {high:+.4f})"
        probability = float(np.mean([by_kind[kind].mean() for _, by_kind in runs]))
        print(
            f"| {kind} | {mean['pr_auc']:.4f} | {mean['log_loss']:.4f} | {difference} "
            f"| {mean['calibration_error']:.4f} | {probability:.3f} |"
        )
    print()


def measure(task: Task, data: Path, seed: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return outcomes, and cross-validated probabilities of each kind of training."""
    settings = TrainingSettings(seed=seed)
    prepared = prepare(*task.read(data), settings)
    (X, y), folds = prepared.train, Folds(settings.n_folds, seed)
    parameters = settings.classifier_parameters(len(y))
    plain = cross_validate(X, y, parameters, folds, settings.patience)
    parameters["iterations"] = plain.n_trees
    weighted = parameters | {"auto_class_weights": "Balanced"}
    found = {
        "plain": plain.trial.probability,
        "class weights": folded(X, y, weighted, folds, under_sample=False),
        "under-sampling": folded(X, y, parameters, folds, under_sample=True),
    }
    for kind in KINDS:
        found[f"{kind}, then Platt scaling"] = cross_calibrated(y, found[kind], folds)
    return y, found


def folded(
    X: pd.DataFrame,
    y: np.ndarray,
    parameters: dict[str, Any],
    folds: Folds,
    *,
    under_sample: bool,
) -> np.ndarray:
    """Return what models of the other folds say of each lead."""
    rng, probability = np.random.default_rng(folds.random_state), np.empty(len(y))
    for inside, outside in folds.split(y):
        rows = balanced(inside, y, rng) if under_sample else inside
        model = CatBoostClassifier(**parameters, cat_features=tuple(X.select_dtypes("category").columns))
        model.fit(X.iloc[rows], y[rows])
        probability[outside] = model.predict_proba(X.iloc[outside])[:, 1]
    return probability


def balanced(rows: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return all leads of the rarer outcome, and as many of the other."""
    one, other = rows[y[rows] == 1], rows[y[rows] == 0]
    rare, common = sorted((one, other), key=len)
    return np.concatenate([rare, rng.choice(common, len(rare), replace=False)])


if __name__ == "__main__":
    main()
