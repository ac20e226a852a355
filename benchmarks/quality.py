"""How good the model is beside its peers: same leads, same splits, paired intervals.

    python benchmarks/quality.py --data DATA --peers ENV/bin/python --keep FOLDER

DATA holds the real lead sets, ENV is an environment with requirements-bench.txt. With --more FOLDER, each
NAME.csv in it with a recipe NAME.toml beside it is one more lead set.
Every result is kept in FOLDER, so that a broken run goes on where it stopped, and a second run only
prints. Runs that differ in the split are compared split by split; on a time-ordered split, where only
the seed of the training can differ, the interval is that of the test leads.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.metrics import average_precision_score, log_loss
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.table import print_head
from leadmodel.leads.recipe import Recipe
from leadmodel.metrics.classification import evaluate
from leadmodel.prepare.data import prepare
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.prepare.source import read_past_leads
from leadmodel.training.interface import train_model

RECIPES = Path(__file__).parents[1] / "recipes"
OURS, TUNED = "leadmodel", "leadmodel tuned"
PEERS = (
    "logistic_regression",
    "random_forest",
    "lightgbm",
    "lightgbm_default",
    "xgboost",
    "xgboost_default",
    "catboost",
    "autogluon",
)
MIN_ROWS = 10_000
COLUMNS = (
    "Model",
    "Runs",
    "Log loss",
    "Behind leadmodel",
    "PR AUC",
    "Ahead of leadmodel",
    "ROC AUC",
    "Calibration error",
    "Fit",
    "1,000 leads",
    "Load",
)


@dataclass(frozen=True)
class Task:
    """One lead set, divided at random or by time."""

    name: str
    leads: str
    recipe: Path
    newest: bool = False
    after: tuple[int, ...] = ()

    def read(self, folder: Path) -> tuple[pd.DataFrame, Recipe]:
        """Return the leads, without their time if the split is to be random."""
        recipe = Recipe.load(self.recipe)
        if recipe.events is not None and self.after:
            recipe = recipe.model_copy(
                update={"events": recipe.events.model_copy(update={"after": self.after})}
            )
        leads, recipe = read_past_leads(folder / self.leads, recipe=recipe)
        if not self.newest and recipe.time:
            recipe = recipe.model_copy(update={"time": None, "drop": (*recipe.drop, recipe.time)})
        return leads, recipe


TASKS = (
    Task("ExtraaLearn", "extraalearn.csv", RECIPES / "extraalearn.toml"),
    Task("X Education", "x-education-leads.csv", RECIPES / "x-education.toml"),
    Task("CodePro", "codepro-leads.csv", RECIPES / "codepro.toml"),
    Task("Travel", "travel.csv", RECIPES / "travel.toml"),
    Task("Students, day 7", "students-365", RECIPES / "students-365.toml", newest=True, after=(7,)),
    Task("X Education, newest", "x-education-leads.csv", RECIPES / "x-education.toml", newest=True),
    Task("CodePro, newest", "codepro-leads.csv", RECIPES / "codepro.toml", newest=True),
)


def more_tasks(folder: Path | None) -> tuple[Task, ...]:
    """Return a task for each table with a recipe in a folder."""
    recipes = sorted(folder.resolve().glob("*.toml")) if folder else []
    return tuple(Task(path.stem, str(path.with_suffix(".csv")), path) for path in recipes)


def main() -> None:
    """Run what has not run, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--peers", required=True, help="Python of the peers' environment")
    parser.add_argument("--keep", type=Path, required=True, help="folder of the results")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--models", nargs="+", choices=(*PEERS, OURS, TUNED), default=(*PEERS, OURS, TUNED))
    parser.add_argument("--more", type=Path, help="folder of further tables, each with its recipe")
    parser.add_argument("--tasks", nargs="+", metavar="TASK", help="only these, by their folders")
    parser.add_argument("--seconds", type=int, default=180, help="time for AutoGluon and for tuning")
    parser.add_argument("--print-only", action="store_true", help="run nothing")
    options = parser.parse_args()
    known = (*TASKS, *more_tasks(options.more))
    tasks = [task for task in known if options.tasks is None or key(task) in options.tasks]
    runs = [(task, seed) for seed in range(options.seeds) for task in tasks]
    if not options.print_only:
        for task, seed in tqdm(runs, unit="split"):
            folder = prepared(task, seed, options)
            for model in options.models:
                if not (folder / f"{model}-{seed}.json").exists():
                    run(model, task, seed, folder, options)
    report([(task, options.keep / key(task)) for task in tasks], options.seeds)
    summarize([options.keep / key(task) for task in tasks], options.seeds)


def key(task: Task) -> str:
    """Return the name of the task's folder."""
    return task.name.lower().replace(", ", "-").replace(" ", "-")


def prepared(task: Task, seed: int, options: argparse.Namespace) -> Path:
    """Write the typed leads of a split, once, and return their folder."""
    folder = options.keep / key(task) / (f"split-{0 if task.newest else seed}")
    if not (folder / "test.parquet").exists():
        folder.mkdir(parents=True, exist_ok=True)
        leads, recipe = task.read(options.data)
        past = prepare(leads, recipe, TrainingSettings(seed=seed))
        for part, (X, y) in (("train", past.train), ("test", past.test)):
            X.assign(y=y).to_parquet(folder / f"{part}.parquet")
        np.save(folder / "rows.npy", past.X.index.to_numpy()[past.split.test])
    return folder


def run(model: str, task: Task, seed: int, folder: Path, options: argparse.Namespace) -> None:
    """Fit one model on one split and keep what it says of the test leads."""
    if model in PEERS:
        command = [options.peers, str(Path(__file__).with_name("peers.py")), model, str(folder)]
        limits = ["--seed", str(seed), "--seconds", str(options.seconds)]
        done = subprocess.run([*command, *limits], capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{model} failed on {task.name}, seed {seed}:\n{done.stderr[-2000:]}", file=sys.stderr)
        for left in Path("/tmp").glob("autogluon-*"):
            shutil.rmtree(left, ignore_errors=True)
        return
    leads, recipe = task.read(options.data)
    tune = options.seconds / 60 if model == TUNED else None
    settings = TrainingSettings(seed=seed, **({"tune_minutes": tune} if tune else {}))
    started = time.perf_counter()
    made = train_model(leads, recipe, settings)
    fit_seconds = time.perf_counter() - started
    test = leads.iloc[np.load(folder / "rows.npy")]
    rows = test.iloc[np.resize(np.arange(len(test)), MIN_ROWS)].reset_index(drop=True)
    started = time.perf_counter()
    made.predict_proba(rows)
    score_seconds = time.perf_counter() - started
    np.save(folder / f"{model}-{seed}.npy", made.predict_proba(test)[:, 1])
    costs = {
        "fit_seconds": fit_seconds,
        "score_seconds": 1000 * score_seconds / MIN_ROWS,
        "load": os.getloadavg()[1],
        "megabytes": len(made.files["model.skops"]) / 1e6,
    }
    (folder / f"{model}-{seed}.json").write_text(json.dumps(costs))


def report(tasks: list[tuple[Task, Path]], seeds: int) -> None:
    """Print a table per task, the lowest log loss first."""
    for task, folder in tasks:
        results = [found for model in (*PEERS, OURS, TUNED) if (found := read(model, folder, seeds))]
        if not results:
            continue
        n_leads = sum(
            len(pd.read_parquet(folder / "split-0" / f"{part}.parquet", columns=["y"]))
            for part in ("train", "test")
        )
        print_head(
            f"Quality: {task.name}, {n_leads:,} leads, {'newest' if task.newest else 'random'} 20 % as test"
        )
        ours = next((result for result in results if result.model == OURS), None)
        print("\n| " + " | ".join(COLUMNS) + " |\n|" + " --- |" * len(COLUMNS))
        for result in sorted(results, key=lambda one: one.mean("log_loss")):
            print(result.row(ours, task.newest))
        print()


def summarize(folders: list[Path], seeds: int) -> None:
    """Print each model's mean rank by log loss, and how far it is behind the best one."""
    losses = pd.DataFrame(
        {
            folder.name: {
                model: found.mean("log_loss")
                for model in (*PEERS, OURS)
                if (found := read(model, folder, seeds)) is not None
            }
            for folder in folders
        }
    )
    behind = losses - losses.min()
    table = pd.DataFrame(
        {"rank": losses.rank().mean(axis=1), "mean": behind.mean(axis=1), "most": behind.max(axis=1)}
    ).sort_values("rank")
    print("\n| Model | Tables | Mean rank | Behind the best, mean | Behind the best, at most |")
    print("|" + " --- |" * 5)
    for model, row in table.iterrows():
        cells = f"{losses.loc[model].count()} | {row['rank']:.2f} | {row['mean']:.4f} | {row['most']:.4f}"
        print(f"| {str(model).replace('_', ' ')} | {cells} |")


@dataclass(frozen=True)
class Result:
    """The runs of one model on one task, by seed."""

    model: str
    y: dict[int, np.ndarray]
    probability: dict[int, np.ndarray]
    costs: dict[int, dict[str, float]]

    def metric(self, name: str) -> dict[int, float]:
        """Return a metric of each run."""
        return {seed: evaluate(self.y[seed], p)[name] for seed, p in self.probability.items()}

    def mean(self, name: str) -> float:
        """Return the mean of a metric, or of a cost, over the runs."""
        values = (
            self.metric(name)
            if name in evaluate([0, 1], [0.4, 0.6])
            else {s: c[name] for s, c in self.costs.items()}
        )
        return float(np.mean(list(values.values())))

    def row(self, ours: "Result | None", newest: bool) -> str:
        """Return the row of the table."""
        cells = [
            self.model.replace("_", " "),
            str(len(self.probability)),
            f"{self.mean('log_loss'):.4f}",
            self.beside(ours, "log_loss", newest),
            f"{self.mean('pr_auc'):.4f}",
            self.beside(ours, "pr_auc", newest),
            f"{self.mean('roc_auc'):.4f}",
            f"{self.mean('calibration_error'):.4f}",
            f"{self.mean('fit_seconds'):.1f} s",
            f"{1000 * self.mean('score_seconds'):.1f} ms",
            f"{self.mean('load'):.1f}",
        ]
        return f"| {' | '.join(cells)} |"

    def beside(self, ours: "Result | None", name: str, newest: bool) -> str:
        """Return the mean paired difference to `ours` and its 95 % interval."""
        if ours is None or ours is self:
            return ""
        seeds = sorted(self.probability.keys() & ours.probability.keys())
        if newest:
            draws = self.resampled(ours, name, seeds)
            mean, low, high = float(draws[0]), *np.quantile(draws[1:], [0.025, 0.975])
        else:
            here, there = self.metric(name), ours.metric(name)
            differences = np.array([here[seed] - there[seed] for seed in seeds])
            if len(seeds) < 2:
                return f"{differences.mean():+.4f} (one run)"
            mean, half = float(differences.mean()), half_width(differences)
            low, high = mean - half, mean + half
        return f"{mean:+.4f} ({low:+.4f} to {high:+.4f})"

    def resampled(self, ours: "Result", name: str, seeds: list[int], n_resamples: int = 500) -> np.ndarray:
        """Return the difference, mean over the seeds, for the test leads and for resamples of them."""
        rng, y = np.random.default_rng(0), self.y[seeds[0]]
        draws = []
        for number in range(n_resamples + 1):
            rows = rng.integers(0, len(y), len(y)) if number else np.arange(len(y))
            pairs = [(self.probability[seed][rows], ours.probability[seed][rows]) for seed in seeds]
            draws.append(np.mean([score(y[rows], a, name) - score(y[rows], b, name) for a, b in pairs]))
        return np.array(draws)


def score(y: np.ndarray, probability: np.ndarray, name: str) -> float:
    """Return one metric alone, by scikit-learn."""
    return float(
        log_loss(y, probability) if name == "log_loss" else average_precision_score(y, probability)
    )


def half_width(differences: np.ndarray) -> float:
    """Return half the 95 % interval of the mean over splits that share leads (Nadeau and Bengio 2003)."""
    overlap = 1 / len(differences) + 0.2 / 0.8
    spread = float(np.sqrt(overlap * differences.var(ddof=1)))
    return float(stats.t.ppf(0.975, len(differences) - 1)) * spread


def read(model: str, folder: Path, seeds: int) -> Result | None:
    """Return what is kept of a model, None if nothing is."""
    y, probability, costs = {}, {}, {}
    for seed in range(seeds):
        for path in folder.glob(f"split-*/{model}-{seed}.json"):
            y[seed] = pd.read_parquet(path.parent / "test.parquet", columns=["y"])["y"].to_numpy()
            probability[seed] = np.load(path.with_suffix(".npy"))
            costs[seed] = json.loads(path.read_text())
    return Result(model, y, probability, costs) if y else None


if __name__ == "__main__":
    main()
