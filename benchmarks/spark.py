"""From which size on a cluster pays: Spark on this machine beside one process, on the same work.

    python benchmarks/spark.py [--leads 3000000] [--scale 1] [--times 2] [--executors 2 4 8 16 32]

Scores synthetic leads from Parquet to Parquet, and makes features of an invented log of RetailRocket's
size (times `--scale`), by one process (leadmodel's own streaming; polars) and by Spark with as many
workers as this machine has cores, at 10 %, 30 % and 100 % of the size. Through each one's times goes a
line: seconds to begin, whatever the size, and seconds for each million rows. On k executors, each like
this machine, n rows are then taken to cost

    T(n, k) = begin + n * row / k + n * bytes * (k - 1) / k / (k * bandwidth)

with the last term for features alone, whose events are shuffled once: BYTES for each, BANDWIDTH for each
executor. That flatters the cluster: stragglers, its own start and getting the data there cost nothing
here. Needs requirements-dev.txt and Java 17.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import polars as pl

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.bulk import make_leads
from benchmarks.events import CUTOFF, KINDS, PLAN
from benchmarks.retailrocket import make_events
from benchmarks.table import print_head
from leadmodel.batch.score import score_file
from leadmodel.batch.spark import score
from leadmodel.events.cutoffs import active_leads
from leadmodel.events.features import build_features
from leadmodel.leads.sample import SAMPLE_RECIPE, make_sample
from leadmodel.model import LeadModel
from leadmodel.training.interface import train_model

BYTES = 40
"""Of an event in a shuffle: entity, time, kind, item, and what the row format adds."""

BANDWIDTH = 125e6
"""Bytes a second of an executor's network: one gigabit."""

Line = tuple[float, float]


def main() -> None:
    """Measure, and print the tables and what follows from them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--leads", type=int, default=3_000_000)
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--times", type=int, default=2)
    parser.add_argument("--executors", type=int, nargs="+", default=[2, 4, 8, 16, 32])
    options = parser.parse_args()
    print_head("Spark beside one process")
    started = time.perf_counter()
    spark = session()
    print(f"\nA session starts in {time.perf_counter() - started:.1f} s, and stays out of what follows.")
    with tempfile.TemporaryDirectory() as folder:
        works = {"leads": scoring(spark, Path(folder), options.leads)}
        works["events"] = features(spark, Path(folder), options.scale)
        for what, (sizes, one, many) in works.items():
            lines = measure(what, sizes, one, many, options.times)
            conclude(what, *lines, options.executors, shuffled=what == "events")
    spark.stop()


def session() -> Any:
    """Start Spark on all cores of this machine."""
    from pyspark.sql import SparkSession

    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    os.environ.update(PYSPARK_PYTHON=sys.executable, PYTHONPATH=str(ROOT))
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.memory": "4g",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": str(2 * (os.cpu_count() or 1)),
    }
    spark = SparkSession.builder.master("local[*]").config(map=settings).getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


Work = tuple[dict[int, Path], Callable[[Path], object], Callable[[Path], object]]


def scoring(spark: Any, folder: Path, n_leads: int) -> Work:
    """Return files of leads by size, and how one process and Spark score one."""
    train_model(make_sample(), SAMPLE_RECIPE).save_pretrained(folder / "model")
    model = LeadModel.from_pretrained(folder / "model")
    files = {}
    for n in (n_leads // 10, n_leads * 3 // 10, n_leads):
        files[n] = folder / f"{n}.parquet"
        make_leads(files[n], n)

    def many(path: Path) -> None:
        write(score(spark.read.parquet(str(path)), folder / "model"), folder)

    return files, lambda path: score_file(model, path, folder / "scored.parquet"), many


def features(spark: Any, folder: Path, scale: float) -> Work:
    """Return event logs by size, and how polars and Spark make features of one."""
    files = {}
    for share in (0.1, 0.3, 1):
        log = canonical(make_events(scale * share))
        path = folder / f"log-{len(log)}"
        path.mkdir()
        log.write_parquet(path / "log.parquet")
        active_leads(log, [CUTOFF], 90).write_parquet(path / "leads.parquet")
        files[len(log)] = path

    def one(path: Path) -> None:
        log, leads = (pl.scan_parquet(path / f"{name}.parquet") for name in ("log", "leads"))
        build_features(log, leads, PLAN).sink_parquet(folder / "features.parquet")

    def many(path: Path) -> None:
        log, leads = (spark.read.parquet(str(path / f"{name}.parquet")) for name in ("log", "leads"))
        write(build_features(log, leads, PLAN), folder)

    return files, one, many


def canonical(events: pl.DataFrame) -> pl.DataFrame:
    """Return RetailRocket's columns by the names of an event log."""
    return events.select(
        entity=pl.col("visitorid").cast(pl.String),
        time=pl.from_epoch("timestamp", "ms").cast(pl.Datetime("us")),
        kind=pl.col("event").cast(pl.String).replace_strict(KINDS),
        item=pl.col("itemid").cast(pl.String),
    )


def write(frame: Any, folder: Path) -> None:
    """Have Spark work, and write what it made."""
    shutil.rmtree(folder / "spark", ignore_errors=True)
    frame.write.parquet(str(folder / "spark"))


def measure(
    what: str,
    sizes: dict[int, Path],
    one: Callable[[Path], object],
    many: Callable[[Path], object],
    times: int,
) -> tuple[Line, Line]:
    """Print the times at each size, and return the lines through them; the two take turns."""
    smallest = sizes[min(sizes)]
    one(smallest), many(smallest)  # what is loaded once is loaded
    print(f"\n| {what.capitalize()} | One process | Spark, {os.cpu_count()} cores | Ratio | Load |")
    print("| --- | --- | --- | --- | --- |")
    taken = []
    for n, path in sizes.items():
        runs = [(seconds(one, path), seconds(many, path)) for _ in range(times)]
        ours, theirs = (median(run[place] for run in runs) for place in (0, 1))
        taken.append((ours, theirs))
        print(
            f"| {n:,} | {ours:.2f} s | {theirs:.2f} s | {theirs / ours:.1f} | {os.getloadavg()[0]:.1f} |",
            flush=True,
        )
    return tuple(fit(list(sizes), [run[place] for run in taken]) for place in (0, 1))  # type: ignore[return-value]


def seconds(work: Callable[[Path], object], path: Path) -> float:
    """Return how long `work` takes."""
    started = time.perf_counter()
    work(path)
    return time.perf_counter() - started


def fit(sizes: list[int], taken: list[float]) -> Line:
    """Return seconds to begin and seconds for a row, neither below zero; each size counts alike."""
    rows = np.array(sizes, dtype=float)
    weights = 1 / np.array(taken)
    row, begin = np.polyfit(rows, taken, 1, w=weights)
    if begin < 0:
        begin, row = 0.0, float(np.average(np.array(taken) / rows))
    return float(begin), float(row)


def conclude(what: str, one: Line, many: Line, executors: list[int], *, shuffled: bool) -> None:
    """Print the lines, and from which size on each number of executors is faster than one process."""
    for who, (begin, row) in {"One process": one, "Spark": many}.items():
        print(f"\n{who}: {begin:.2f} s to begin, {row * 1e6:.2f} s for a million rows.", end="")
    print(f"\n\n| Executors, {os.cpu_count()} cores each | They pay from | One process takes for that |")
    print("| --- | --- | --- |")
    for k in executors:
        shuffle = BYTES * (k - 1) / k / (k * BANDWIDTH) if shuffled else 0.0
        gained = one[1] - many[1] / k - shuffle
        if gained <= 0:
            print(f"| {k} | no size | |")
            continue
        n = max(many[0] - one[0], 0) / gained
        print(f"| {k} | {n:,.0f} {what} | {one[0] + n * one[1]:.0f} s |")


if __name__ == "__main__":
    main()
