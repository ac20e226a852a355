"""Whether segments are stable, how clear they are, and what they cost.

    python benchmarks/segments.py --data DATA [--resamples 10]

DATA holds the three real lead sets. Stability is measured anew: whole pipelines are fitted to fresh
resamples of the training leads with the number of segments that was found, and group leads that no
search has seen. Costs are beside a model without segments, in one run; its ratios are what counts.
"""

import argparse
import sys
import time
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.quality import TASKS, Task
from benchmarks.scoring import median, repeated
from benchmarks.table import print_head
from leadmodel.clusters.fit import MAX_LEADS
from leadmodel.clusters.pipeline import fit_encoder, fit_kmeans, related
from leadmodel.model import LeadModel
from leadmodel.prepare.data import TrainingData, prepare
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.training.interface import train_model

N_ROWS = 200_000
MEASURES = ("Silhouette", "Shuffled", "Davies-Bouldin", "Stability in the search", "Stability anew")
COSTS = ("Training", "Of it segments", "One lead", "Without", "Leads in bulk", "Without")


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--resamples", type=int, default=10)
    options = parser.parse_args()
    print_head("Segments")
    print(f"\n| Leads | Segments | {' | '.join(MEASURES)} | {' | '.join(COSTS)} |")
    print(f"| {' | '.join(['---'] * (2 + len(MEASURES) + len(COSTS)))} |")
    for task in TASKS:
        if not task.newest:
            print(
                f"| {task.name} | {' | '.join(measure(task, options.data, options.resamples))} |",
                flush=True,
            )


def measure(task: Task, data: Path, n_resamples: int) -> list[str]:
    """Return the cells of one lead set."""
    leads, recipe = task.read(data)
    settings = TrainingSettings(segments="auto")
    started = time.perf_counter()
    model = train_model(leads, recipe, settings)
    seconds = time.perf_counter() - started
    found = model.evaluation.options["segments"]
    assert found is not None
    chosen = found.chosen()
    if chosen is None:
        return ["none", *[""] * len(MEASURES), f"{seconds:.1f} s", f"{found.seconds:.1f} s", *[""] * 4]
    anew = stability(prepare(leads, recipe, settings), chosen.n_groups, n_resamples)
    measures = (chosen.silhouette, chosen.shuffled, chosen.davies_bouldin, chosen.stability, anew)
    told = [f"{number:.2f}" for number in measures if number is not None]
    return [str(chosen.n_groups), *told, f"{seconds:.1f} s", f"{found.seconds:.1f} s", *costs(model, leads)]


def stability(past: TrainingData, n_groups: int, n_resamples: int) -> float:
    """Return the mean adjusted Rand index of the test leads, grouped by fits on fresh resamples."""
    rng = np.random.default_rng(12345)
    X, new = past.train[0], past.test[0]
    schema, groupings = related(past.schema, X), []
    with threadpool_limits(1):
        for seed in range(n_resamples):
            some = X.iloc[rng.integers(0, len(X), min(len(X), MAX_LEADS))]
            encoder = fit_encoder(schema, some)
            assert encoder is not None
            groupings.append(fit_kmeans(encoder, encoder.transform(some), n_groups, seed).predict(new))
    return float(np.mean([adjusted_rand_score(*pair) for pair in combinations(groupings, 2)]))


def costs(model: LeadModel, leads: pd.DataFrame) -> list[str]:
    """Return the time of one lead and of many, with segments and without."""
    drawn = leads[list(model.schema.by_name)].astype(object)
    lead = drawn.where(drawn.notna(), None).iloc[0].to_dict()
    many, clusters, found = repeated(leads, N_ROWS), model.predictor.clusters, []
    for kept in (clusters, None):
        model.predictor = replace(model.predictor, clusters=kept)
        found.append((1000 * median(lambda: model.answer(lead), 400), median(lambda: model.score(many), 5)))
    (one, bulk), (one_without, bulk_without) = found
    return [f"{one:.2f} ms", f"{one_without:.2f} ms", f"{bulk:.2f} s", f"{bulk_without:.2f} s"]


if __name__ == "__main__":
    main()
