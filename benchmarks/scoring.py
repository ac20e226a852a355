"""What scoring costs beside the engines underneath, side by side in one run.

    python benchmarks/scoring.py [--data leads.csv --recipe recipes/NAME.toml] [--rows N]

The leads of the file (default: the synthetic sample) are repeated to the number of rows. Each
figure is a median; the ratios are what counts, for machines differ and are shared.
Needs requirements-dev.txt.
"""

import argparse
import gc
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from catboost import Pool

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.table import print_table
from leadmodel.batch.score import score_file
from leadmodel.leads.convert import read_leads
from leadmodel.leads.io import read_table
from leadmodel.leads.recipe import Recipe
from leadmodel.leads.sample import SAMPLE_RECIPE, make_sample
from leadmodel.model import LeadModel
from leadmodel.training.interface import train_model


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data")
    parser.add_argument("--recipe")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--memory", choices=["catboost", "leadmodel"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    options = parser.parse_args()
    leads = read_table(options.data) if options.data else make_sample()
    recipe = Recipe.load(options.recipe) if options.recipe else SAMPLE_RECIPE
    if options.memory:
        print(peak_of(options.memory, options.folder, repeated(leads, options.rows)))
        return
    started = time.perf_counter()
    model = train_model(leads, recipe)
    rows = [("training to a finished model", time.perf_counter() - started, "s", "", "")]
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(f"{folder}/model")
        rows += in_memory(model, repeated(leads, options.rows))
        rows += memory(f"{folder}/model")
        rows += files(model, repeated(leads, options.rows), Path(folder))
    rows += one_lead(model, leads)
    rows += reasons(model, leads)
    print_table(f"Scoring: {recipe.title}, {options.rows:,} leads", rows)


def repeated(leads: pd.DataFrame, n_rows: int) -> pd.DataFrame:
    """Return the leads over and over, in memory as a reader leaves them."""
    return leads.iloc[np.resize(np.arange(len(leads)), n_rows)].reset_index(drop=True)


def median(function: Callable[[], object], times: int) -> float:
    """Return the median wall time of a call, in seconds."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        function()
        taken.append(time.perf_counter() - started)
    return float(np.median(taken))


def in_memory(model: LeadModel, leads: pd.DataFrame) -> list[tuple[object, ...]]:
    """Compare raw leads through the model with CatBoost on a ready ``category`` frame."""
    ready = read_leads(model.schema, leads)
    engine = median(lambda: model.classifier.predict_proba(ready), 5)
    ours = median(lambda: model.score(leads), 5)
    return [("raw leads in memory", ours, "s", engine, "at most 2")]


def memory(folder: str) -> list[tuple[object, ...]]:
    """Compare what either adds to the peak memory, each in a process of its own."""
    peaks = {
        kind: float(
            subprocess.run(
                [sys.executable, __file__, *sys.argv[1:], "--memory", kind, "--folder", folder],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for kind in ("catboost", "leadmodel")
    }
    return [("peak memory", peaks["leadmodel"], "MB", peaks["catboost"], "at most 2")]


def peak_of(kind: str, folder: str, leads: pd.DataFrame) -> float:
    """Return the peak memory of scoring, in MB, with the leads that are scored and nothing else."""
    model = LeadModel.from_pretrained(folder)
    if kind == "catboost":
        leads = read_leads(model.schema, leads)
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # Linux starts the peak anew
    model.classifier.predict_proba(leads) if kind == "catboost" else model.score(leads)
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024  # type: ignore[index]


def files(model: LeadModel, leads: pd.DataFrame, folder: Path) -> list[tuple[object, ...]]:
    """Compare file to file with a plain polars read, predict and write."""
    import polars as pl

    source, texts = folder / "leads.csv", model.schema.text_columns
    leads.to_csv(source, index=False)

    def by_polars() -> None:
        frame = pl.read_csv(source, infer_schema_length=100_000)
        needed = frame.select(model.schema.columns).with_columns(pl.col(texts).cast(pl.String))
        ready = needed.with_columns(pl.col(texts).fill_null("(missing)").cast(pl.Categorical)).to_pandas()
        probability = model.classifier.predict_proba(ready)[:, 1]
        frame.with_columns(probability=probability).write_csv(folder / "polars.csv")

    plain = median(by_polars, 3)
    ours = median(lambda: score_file(model, source, folder / "scored.csv"), 3)
    return [("CSV file to CSV file", ours, "s", plain, "at most 2.5")]


def one_lead(model: LeadModel, leads: pd.DataFrame) -> list[tuple[object, ...]]:
    """Time single leads inside the process."""
    drawn = leads.sample(50, random_state=0)[list(model.schema.by_name)].to_dict("records")
    explained = median(lambda: model.answer(drawn[np.random.default_rng().integers(50)]), 500)
    plain = median(lambda: model.answer(drawn[0], reasons=False), 500)
    return [
        ("one lead, with reasons", explained * 1000, "ms", "", "at most 3 ms"),
        ("one lead, probability alone", plain * 1000, "ms", "", ""),
    ]


def reasons(model: LeadModel, leads: pd.DataFrame) -> list[tuple[object, ...]]:
    """Compare contributions, and whole answers with reasons, with CatBoost's own SHAP values."""
    return [row for count in (1, 100, 10_000) for row in reasons_for(model, repeated(leads, count))]


def reasons_for(model: LeadModel, leads: pd.DataFrame) -> list[tuple[object, ...]]:
    pool = Pool(read_leads(model.schema, leads), cat_features=model.schema.text_columns)
    drawn = leads[list(model.schema.by_name)].to_dict("records")
    own = 1000 * median(lambda: model.predictor.explainer.ask(pool), 5)
    ours = 1000 * median(lambda: model.predictor.explainer.contributions(pool), 5)
    answered = 1000 * median(lambda: model.answers(drawn, reasons=True), 5)
    return [
        (f"contributions, leads: {len(leads):,}", ours, "ms", own, ""),
        (f"answers with reasons, leads: {len(leads):,}", answered, "ms", own, "at most 2"),
    ]


if __name__ == "__main__":
    main()
