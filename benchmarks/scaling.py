"""How the time and the memory of a training grow with the number of leads.

    python benchmarks/scaling.py --sizes 10000 50000 200000 1000000

Trains on a CSV of the synthetic sample, from the command line, in a separate process. The reference is
what no training can do without: one plain CatBoost fit that stops early on a fifth of the training leads,
and one fit to all of them. Processor time counts, because other work on the machine changes it least.
"Of its own fits" is the time of the whole run over that of its folds and its final model, by the clock.
"""

import argparse
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.table import print_head
from leadmodel.leads.sample import SAMPLE_RECIPE, make_sample

ROOT = Path(__file__).parents[1]
OPTIONS = ["--target", "status", "--positive", "Won", "--time", "created_at"]


def main() -> None:
    """Print a row per size, and the stages of each training below the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 50_000, 200_000, 1_000_000])
    parser.add_argument("--reference", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.reference:
        fit_twice(options.reference)
        return
    print_head("How training scales: the synthetic sample, 15 columns")
    heads = (
        "Leads",
        "Reference, processor",
        "Training, processor",
        "Ratio",
        "Training, clock",
        "Of its own fits",
    )
    print("\n| " + " | ".join((*heads, "Memory")) + " |\n|" + " --- |" * 7)
    stages = []
    for n_leads in options.sizes:
        with tempfile.TemporaryDirectory() as folder:
            leads = Path(folder) / "leads.csv"
            make_sample(n_leads, 1).to_csv(leads, index=False)
            known = [sys.executable, str(Path(__file__)), "--reference", str(leads)]
            reference, _, _ = timed(known)
            command = [sys.executable, "-m", "leadmodel", "train", str(leads), *OPTIONS]
            own, clock, printed = timed([*command, "--output", f"{folder}/model", "--profile"])
        megabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
        table = printed.partition("Time by stage:\n")[2].partition("\n\n")[0]
        seconds = dict(re.findall(r"^  (\w[\w ]*?) +([\d.]+) s", table, re.MULTILINE))
        fits = float(seconds["all"]) / (float(seconds["folds"]) + float(seconds["final model"]))
        cells = f"{n_leads:,} | {reference:.0f} s | {own:.0f} s | {own / reference:.2f} | {clock:.0f} s"
        print(f"| {cells} | {fits:.1f} | {megabytes:,.0f} MB |", flush=True)
        stages.append((n_leads, table))
    for n_leads, table in stages:
        print(f"\n{n_leads:,} leads, by the clock:\n\n{table}")


def timed(command: list[str]) -> tuple[float, float, str]:
    """Run a command; return the seconds of processor and clock that it took, and what it printed."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, time.perf_counter() - started, done.stdout


def fit_twice(path: Path) -> None:
    """Fit CatBoost once until it stops early, and once to all training leads."""
    from catboost import CatBoostClassifier, Pool
    from sklearn.model_selection import train_test_split

    from leadmodel.leads.io import read_table
    from leadmodel.prepare.data import prepare
    from leadmodel.prepare.settings import TrainingSettings

    settings = TrainingSettings()
    X, y = prepare(read_table(str(path)), SAMPLE_RECIPE, settings).train
    texts = list(X.select_dtypes("category").columns)
    fitted, stop = train_test_split(range(len(y)), test_size=0.2, stratify=y, random_state=0)
    pools = [Pool(X.iloc[rows], y[rows], cat_features=texts) for rows in (fitted, stop)]
    plain = settings.classifier_parameters(len(y)) | {"boosting_type": "Plain"}
    model = CatBoostClassifier(**plain).fit(pools[0], eval_set=pools[1], early_stopping_rounds=50)
    all_leads = Pool(X, y, cat_features=texts)
    CatBoostClassifier(**(plain | {"iterations": model.tree_count_})).fit(all_leads)


if __name__ == "__main__":
    main()
