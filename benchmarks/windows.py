"""What time windows are worth: students-365, its recipe (counts of all time) against the same with windows.

    python benchmarks/windows.py --data DATA/students-365 [--resamples 500]

Both learn from the same leads and are judged on the same newer ones, by days since the registration; the
95 % interval of the difference is that of a paired bootstrap that draws students, with all their leads.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.table import print_head
from leadmodel.events.dataset import past_leads, recipe_of_leads
from leadmodel.events.tables import read_event_tables
from leadmodel.leads.event_recipe import EventConfig
from leadmodel.leads.recipe import Recipe
from leadmodel.prepare.data import prepare
from leadmodel.prepare.pipeline import fit_pipeline
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.prepare.split import find_group_ids
from leadmodel.training.crossvalidation import cross_validate

RECIPE = Recipe.load(Path(__file__).parents[1] / "recipes" / "students-365.toml")
SETTINGS = TrainingSettings()
WINDOWS = (1, 7)
Score = Callable[..., float]
SCORES: dict[str, Score] = {"ROC AUC": roc_auc_score, "PR AUC": average_precision_score}


class Judged(NamedTuple):
    """The test leads of one model: outcome, probability, days since the registration, and student."""

    y: np.ndarray
    probability: np.ndarray
    days: np.ndarray
    student: np.ndarray
    n_features: int
    split: str


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--resamples", type=int, default=500)
    options = parser.parse_args()
    events = RECIPE.events
    assert events is not None
    load = os.getloadavg()[0]
    windows = judge(options.data, events.model_copy(update={"windows": WINDOWS}))
    totals = judge(options.data, events)
    assert np.array_equal(windows.y, totals.y) and np.array_equal(windows.student, totals.student)
    names = ", ".join(map(str, WINDOWS))
    print_head(f"Time windows on students-365: last {names} days beside all time, against all time alone")
    print(
        f"load average {load:.1f} to {os.getloadavg()[0]:.1f}; {windows.n_features} and {totals.n_features}"
    )
    print(f"fields; test: {windows.split}\n")
    print("| Days since registration | Leads | Converted | Metric | Windows | All time | Gain |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for days in (*sorted(set(windows.days)), None):
        print_rows(windows, totals, days, options.resamples)
    print()


def judge(folder: Path, hints: EventConfig) -> Judged:
    """Train on the older leads as `train.py` does, and judge by the newest."""
    with read_event_tables(folder, hints) as tables:
        leads, _ = past_leads(tables, hints)
    past = prepare(leads, recipe_of_leads(RECIPE, hints), SETTINGS)
    X, y = past.train
    parameters = SETTINGS.classifier_parameters(len(y))
    checked = cross_validate(X, y, parameters, past.folds, SETTINGS.patience)
    members = SETTINGS.members(parameters, checked.n_trees)
    model = fit_pipeline(past.schema, X, y, members, lambda step: None)
    X_test, y_test = past.test
    days, groups = X_test["days_since_start"].to_numpy(), find_group_ids(past.raw(str(past.recipe.whose)))
    assert groups is not None
    return Judged(
        y_test,
        model.predict_proba(X_test)[:, 1],
        days,
        groups[past.split.test],
        X.shape[1],
        past.split.description,
    )


def print_rows(windows: Judged, totals: Judged, days: float | None, n_resamples: int) -> None:
    """Print a row per metric for the leads so many days after the registration, or for all."""
    rows = np.flatnonzero((windows.days == days) | (days is None))
    y, student = windows.y[rows], np.unique(windows.student[rows], return_inverse=True)[1]
    probabilities = windows.probability[rows], totals.probability[rows]
    for name, score in SCORES.items():
        one, other = (score(y, probability) for probability in probabilities)
        low, high = interval(score, y, probabilities, student, n_resamples)
        print(
            f"| {'all' if days is None else int(days)} | {len(y):,} | {y.mean():.2%} | {name} | {one:.3f} "
            f"| {other:.3f} | {one - other:+.3f} ({low:+.3f} to {high:+.3f}) |"
        )


def interval(
    score: Score,
    y: np.ndarray,
    probabilities: tuple[np.ndarray, np.ndarray],
    student: np.ndarray,
    n_resamples: int,
) -> tuple[float, float]:
    """Return the 95 % interval of a difference of scores, over resamples of students."""
    rng, n_students, differences = np.random.default_rng(0), int(student.max()) + 1, []
    for _ in range(n_resamples):
        weights = np.bincount(rng.integers(n_students, size=n_students), minlength=n_students)[student]
        one, other = (score(y, probability, sample_weight=weights) for probability in probabilities)
        differences.append(one - other)
    low, high = np.quantile(differences, (0.025, 0.975))
    return float(low), float(high)


if __name__ == "__main__":
    main()
