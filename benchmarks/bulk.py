"""What scoring a file costs: speed beside CatBoost alone, and peak memory whatever the size.

    python benchmarks/bulk.py [--rows 10000000] [--times 3] [--folder FOLDER]

Makes synthetic leads in Parquet, as many as `--rows` and 30 % and 10 % of them, and scores each file by
`python -m leadmodel score` in a process of its own. CatBoost predicts the same leads, typed and in memory
already: neither its start, nor reading, typing or writing is counted for it. Both take turns, so that
what else the machine does falls on both; where that is much, the ratio of CPU time says more.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from catboost import Pool

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.table import print_head
from leadmodel.leads.convert import read_batch
from leadmodel.leads.io import read_batches
from leadmodel.leads.sample import SAMPLE_RECIPE, make_sample
from leadmodel.model import LeadModel
from leadmodel.training.interface import train_model

ROOT = Path(__file__).parents[1]
CHUNK = 200_000


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--folder", help="where the files go (some 2 GB) and stay")
    parser.add_argument("--catboost", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.catboost:
        print(*seconds_of_catboost(*options.catboost))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(options.folder or temporary)
        train_model(make_sample(), SAMPLE_RECIPE).save_pretrained(folder / "model")
        sizes = [options.rows // 10, options.rows * 3 // 10, options.rows]
        print_head(f"Files of leads: {make_sample(1).shape[1]} columns, from 1 to 10 parts")
        print_rows(folder, sizes, options.times)


def print_rows(folder: Path, sizes: list[int], times: int) -> None:
    """Print a line for each size and format, and what the leads beyond the smallest size cost."""
    print(
        "\n| Leads | Format | Command | Leads/s | CatBoost | Leads/s | Ratio | Of CPU time | Peak | Load |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    first: tuple[Cost, Cost] | None = None
    for n_leads in sizes:
        source = folder / f"{n_leads}.parquet"
        make_leads(source, n_leads)
        runs = [(command(folder, source), catboost(folder, source)) for _ in range(times)]
        ours, engine = middle([run[0] for run in runs]), middle([run[1] for run in runs])
        print_row(n_leads, "Parquet", ours, engine)
        csv = source.with_suffix(".csv")
        to_csv(source, csv)
        print_row(n_leads, "CSV", command(folder, csv), engine)
        csv.unlink()
        first = first or (ours, engine)
    assert first
    print_row(
        sizes[-1] - sizes[0], "Parquet, beyond the first", ours.beyond(first[0]), engine.beyond(first[1])
    )


@dataclass(frozen=True)
class Cost:
    """What a run took: seconds on the clock and of all cores, and MB of memory at most."""

    wall: float
    cpu: float
    peak: float = 0.0

    def beyond(self, other: "Cost") -> "Cost":
        """Return what this run took more than another."""
        return Cost(self.wall - other.wall, self.cpu - other.cpu, self.peak)


def middle(costs: list[Cost]) -> Cost:
    """Return the median times and the highest peak."""
    return Cost(median(c.wall for c in costs), median(c.cpu for c in costs), max(c.peak for c in costs))


def print_row(n_leads: int, kind: str, ours: Cost, engine: Cost) -> None:
    speeds = " | ".join(f"{cost.wall:.1f} s | {n_leads / cost.wall:,.0f}" for cost in (ours, engine))
    ratios = f"{engine.wall / ours.wall:.2f} | {engine.cpu / ours.cpu:.2f}"
    load = os.getloadavg()[0]
    print(f"| {n_leads:,} | {kind} | {speeds} | {ratios} | {ours.peak:,.0f} MB | {load:.1f} |", flush=True)


def make_leads(path: Path, n_leads: int) -> None:
    """Write that many synthetic leads, some at a time."""
    writer = None
    for start in range(0, n_leads, CHUNK):
        leads = make_sample(min(CHUNK, n_leads - start), random_state=start)
        table = pa.Table.from_pandas(leads, preserve_index=False)
        writer = writer or pa.parquet.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()


def to_csv(source: Path, path: Path) -> None:
    """Write the leads of a Parquet file as CSV."""
    writer = None
    for batch in read_batches(source):
        writer = writer or pa.csv.CSVWriter(path, batch.schema)
        writer.write_table(batch)
    if writer:
        writer.close()


def command(folder: Path, source: Path) -> Cost:
    """Return what the command takes, its start among it."""
    scored = source.with_name(f"scored{source.suffix}")
    words = ["-m", "leadmodel", "score", source, "--model", folder / "model", "--output", scored]
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *words], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    taken = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    scored.unlink()
    return Cost(taken, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def catboost(folder: Path, source: Path) -> Cost:
    """Return what CatBoost alone takes, in a process of its own."""
    words = [sys.executable, __file__, "--catboost", folder / "model", source]
    wall, cpu = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    return Cost(float(wall), float(cpu))


def seconds_of_catboost(folder: str, source: str) -> tuple[float, float]:
    """Return the seconds on the clock and of all cores, from category columns to probabilities."""
    model, wall, cpu = LeadModel.from_pretrained(folder), 0.0, 0.0
    for batch in read_batches(source):
        typed = read_batch(model.schema, batch)
        started = time.perf_counter(), time.process_time()
        model.classifier.predict_proba(Pool(typed.to_frame(), cat_features=model.schema.text_columns))
        wall, cpu = wall + time.perf_counter() - started[0], cpu + time.process_time() - started[1]
    return wall, cpu


if __name__ == "__main__":
    main()
