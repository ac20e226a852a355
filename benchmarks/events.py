"""What features of events cost beside the engines underneath, side by side in one run.

    python benchmarks/events.py FOLDER [--repeats 5] [--only polars] [--visitors 2000]

Invents a log of RetailRocket's size, and one four times as large, in FOLDER unless they are there. Every
figure is a median of processes of their own, in turn; the ratios are what counts, for
machines differ and are shared. Beside seconds by the clock stand seconds of processor time, which
a busy machine disturbs less. Needs requirements-dev.txt and, for PySpark, Java 17.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.retailrocket import make_events
from benchmarks.table import print_table
from leadmodel.events.windows import FeaturePlan

KINDS = {"view": "views", "addtocart": "carts", "transaction": "purchases"}
PLAN = FeaturePlan(
    kinds=tuple(KINDS.values()),
    items=("views",),
    ratios={"add_to_cart_rate": ("carts", "views"), "purchase_rate": ("purchases", "carts")},
)
CUTOFF = datetime(2015, 9, 11)
TEN = [CUTOFF - timedelta(days=7 * n) for n in range(10)]
EVER = 1000
DAY = 86_400_000_000
PACKAGES = ("polars", "narwhals", "duckdb", "pyspark", "pandas")


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", choices=TABLES, help="one of the tables")
    parser.add_argument("--visitors", type=int, default=2000, help="the sample for pandas")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measured(MEASURES[options.measure](), options.folder, options.visitors)))
        return
    for scale in (1, 4):
        invent(options.folder / f"x{scale}", scale)
    for name, table in TABLES.items():
        if options.only in (None, name):
            table(Bench(options.folder, options.repeats, options.visitors))
            print(f"Load averages: {os.getloadavg()}\n", flush=True)


def invent(folder: Path, scale: int) -> None:
    """Write the log as CSV and as Parquet, unless it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "events.parquet").exists():
        events = make_events(scale)
        events.write_csv(folder / "events.csv")
        events.write_parquet(folder / "events.parquet")


class Bench:
    """Measures in processes of their own, in turn, and their medians."""

    def __init__(self, folder: Path, repeats: int, visitors: int) -> None:
        self.folder, self.repeats, self.visitors = folder, repeats, visitors

    def run(self, *jobs: tuple[str, str]) -> list[dict[str, float]]:
        """Return the medians of each (measure, file)."""
        runs = [[self._once(*job) for job in jobs] for _ in range(self.repeats)]
        return [
            {key: float(np.median([run[n][key] for run in runs])) for key in runs[0][n]}
            for n in range(len(jobs))
        ]

    def _once(self, name: str, path: str) -> dict[str, float]:
        command = [sys.executable, __file__, str(self.folder / path), "--measure", name]
        command += ["--visitors", str(self.visitors)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return dict(json.loads(done.stdout.splitlines()[-1]))


def measured(prepare: "Measure", path: Path, visitors: int) -> dict[str, float]:
    """Return the seconds, the peak memory in GB and the shape of what a measure makes once prepared."""
    work = prepare(path, visitors)
    started, used = time.perf_counter(), time.process_time()
    rows, columns = work()
    wall, cpu = time.perf_counter() - started, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    return {"wall": wall, "cpu": cpu, "peak": peak, "rows": rows, "columns": columns}


def log_of(path: Path) -> pl.LazyFrame:
    """Return the canonical log of a file, for a query to begin with."""
    scanned = pl.scan_csv(path) if path.suffix == ".csv" else pl.scan_parquet(path)
    return scanned.select(
        entity=pl.col("visitorid").cast(pl.String),
        time=pl.from_epoch("timestamp", "ms").dt.cast_time_unit("us"),
        kind=pl.col("event").replace_strict(KINDS, return_dtype=pl.String),
        item=pl.col("itemid").cast(pl.String),
    )


Shape = tuple[int, int]
Measure = Callable[[Path, int], Callable[[], Shape]]


def by_leadmodel(cutoffs: list[datetime], within: int) -> Measure:
    """Return the measure of features at these cutoffs of the leads active within so many days."""
    from leadmodel.events.cutoffs import active_leads
    from leadmodel.events.features import build_features

    def make(path: Path) -> Shape:
        log = log_of(path)
        leads = active_leads(log, cutoffs, within).collect(engine="streaming")
        return build_features(log, leads.lazy(), PLAN).collect(engine="streaming").shape

    return lambda path, _: lambda: make(path)


def by_hand(path: Path, _: int) -> Callable[[], Shape]:
    """Make the same columns by a polars query written for this log and this cutoff."""
    past = log_of(path).filter(pl.col("time") < CUTOFF)
    made = past.group_by("entity").agg(**hand_aggregates()).with_columns(**hand_quotients())
    query = made.select("entity", pl.lit(CUTOFF).alias("cutoff"), *PLAN.features)
    return lambda: query.collect(engine="streaming").shape


def hand_aggregates() -> dict[str, pl.Expr]:
    """Return what is gathered per visitor."""
    age = (pl.lit(CUTOFF) - pl.col("time")).dt.total_microseconds()
    kind, hour, weekday = pl.col("kind"), pl.col("time").dt.hour(), pl.col("time").dt.weekday()
    rank = kind.replace_strict({name: n for n, name in enumerate(PLAN.kinds)}, return_dtype=pl.Int64)
    stamp = pl.col("time").dt.timestamp("us") * 3 + rank
    made = {
        "last": age.min(),
        "first": age.max(),
        "active_days": pl.col("time").dt.date().n_unique(),
        "share_on_weekends": (weekday >= 6).mean(),
        "share_at_night": (hour < 6).mean(),
        "share_in_office_hours": (hour.is_between(9, 16) & (weekday < 6)).mean(),
        "first_kind": stamp.min() % 3,
        "last_kind": stamp.max() % 3,
        **{f"days_since_last_{name}": age.filter(kind == name).min() / DAY for name in PLAN.kinds},
    }
    for ending, days in PLAN.spans:
        here = pl.lit(True) if days is None else age <= days * DAY
        made |= {name + ending: ((kind == name) & here).sum() for name in PLAN.kinds}
        made[f"events{ending}"] = pl.len() if days is None else here.sum()
        made[f"views_items{ending}"] = pl.col("item").filter((kind == "views") & here).n_unique()
    return made


def hand_quotients() -> dict[str, pl.Expr]:
    """Return what is made of the sums."""
    first, last, names = pl.col("first"), pl.col("last"), dict(enumerate(PLAN.kinds))
    made = {
        "days_since_last_event": last / DAY,
        "days_since_first_event": first / DAY,
        "days_first_to_last_event": (first - last) / DAY,
        "days_between_events": pl.when(pl.col("events") > 1).then(
            (first - last) / DAY / (pl.col("events") - 1)
        ),
        **{
            name: pl.col(name).replace_strict(names, return_dtype=pl.String)
            for name in ("first_kind", "last_kind")
        },
    }
    for name, (above, below) in PLAN.ratios.items():
        for ending, _ in PLAN.spans:
            divisor = pl.col(below + ending)
            made[name + ending] = pl.when(divisor > 0).then(pl.col(above + ending) / divisor)
    for name in PLAN.counted:
        for short, long in PLAN.trends:
            rate, usual = pl.col(f"{name}_last_{short}d") / short, pl.col(f"{name}_last_{long}d") / long
            made[f"{name}_trend_{short}d_{long}d"] = pl.when(usual > 0).then(rate / usual)
    return made


def by_duckdb(path: Path, _: int) -> Callable[[], Shape]:
    """Make the same features on DuckDB."""
    import duckdb

    from leadmodel.events.cutoffs import active_leads
    from leadmodel.events.features import build_features

    def make() -> Shape:
        log = duckdb.sql(
            f"select {', '.join([*SQL, 'make_timestamp(timestamp * 1000) as time'])} from '{path}'"
        )
        made = build_features(log, active_leads(log, [CUTOFF], EVER), PLAN).to_arrow_table()
        return made.num_rows, made.num_columns

    return make


SQL = [
    "cast(visitorid as string) as entity",
    "cast(itemid as string) as item",
    "case event when 'view' then 'views' when 'addtocart' then 'carts' else 'purchases' end as kind",
]


def by_pyspark(path: Path, _: int) -> Callable[[], Shape]:
    """Make the same features on PySpark in this machine alone, written to Parquet beside the log."""
    from pyspark.sql import SparkSession

    from leadmodel.events.cutoffs import active_leads
    from leadmodel.events.features import build_features

    session = SparkSession.builder.master("local[*]").config(map=SPARK).getOrCreate()
    session.range(1000).count()  # wakes the engine
    log = session.read.parquet(str(path))
    log = log.selectExpr(*SQL, "cast(timestamp_millis(timestamp) as timestamp_ntz) as time")

    def make() -> Shape:
        made = build_features(log, active_leads(log, [CUTOFF], EVER), PLAN)
        made.write.mode("overwrite").parquet(str(path.parent / "features"))
        return session.read.parquet(str(path.parent / "features")).count(), len(made.columns)

    return make


SPARK = {
    "spark.ui.enabled": "false",
    "spark.driver.memory": "4g",
    "spark.driver.host": "127.0.0.1",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "8",
    "spark.log.level": "ERROR",
}


def by_pandas(path: Path, visitors: int) -> Callable[[], Shape]:
    """Make the features of a sample of visitors the usual way: a function applied to each group."""
    frame = log_of(path).filter(pl.col("time") < CUTOFF).collect().to_pandas()
    drawn = np.random.default_rng(0).choice(np.sort(frame["entity"].unique()), visitors, replace=False)
    groups = frame[frame["entity"].isin(drawn)].groupby("entity")
    return lambda: groups.apply(one_visitor).shape


def one_visitor(events: pd.DataFrame) -> pd.Series:
    """Return the features of one visitor's events, sorted for what is first and last."""
    events = events.sort_values("time")
    age, time = CUTOFF - events["time"], events["time"]
    hour, weekday = time.dt.hour, time.dt.day_of_week
    row: dict[str, object] = {}
    for ending, days in PLAN.spans:
        here = events if days is None else events[age <= timedelta(days=days)]
        counts = here["kind"].value_counts()
        row |= {kind + ending: counts.get(kind, 0) for kind in PLAN.kinds} | {f"events{ending}": len(here)}
        row[f"views_items{ending}"] = here.loc[here["kind"] == "views", "item"].nunique()
        for name, (above, below) in PLAN.ratios.items():
            row[name + ending] = row[above + ending] / row[below + ending] if row[below + ending] else None
    for name in PLAN.counted:
        for short, long in PLAN.trends:
            rate, usual = row[f"{name}_last_{short}d"] / short, row[f"{name}_last_{long}d"] / long
            row[f"{name}_trend_{short}d_{long}d"] = rate / usual if usual else None
    for kind in PLAN.kinds:
        row[f"days_since_last_{kind}"] = age[events["kind"] == kind].min() / timedelta(days=1)
    row["days_since_last_event"] = age.min() / timedelta(days=1)
    row["days_since_first_event"] = age.max() / timedelta(days=1)
    row["days_first_to_last_event"] = (age.max() - age.min()) / timedelta(days=1)
    row["days_between_events"] = time.diff().mean() / timedelta(days=1)
    row["active_days"] = time.dt.date.nunique()
    row["share_on_weekends"] = (weekday >= 5).mean()
    row["share_at_night"] = (hour < 6).mean()
    row["share_in_office_hours"] = (hour.between(9, 16) & (weekday < 5)).mean()
    row["first_kind"], row["last_kind"] = events["kind"].iloc[0], events["kind"].iloc[-1]
    return pd.Series(row)


MEASURES: dict[str, Callable[[], Measure]] = {
    "leadmodel": lambda: by_leadmodel([CUTOFF], EVER),
    "hand": lambda: by_hand,
    "pandas": lambda: by_pandas,
    "duckdb": lambda: by_duckdb,
    "pyspark": lambda: by_pyspark,
    "1 in 7": lambda: by_leadmodel(TEN[:1], 7),
    "10 in 7": lambda: by_leadmodel(TEN, 7),
    "1 in 30": lambda: by_leadmodel(TEN[:1], 30),
    "10 in 30": lambda: by_leadmodel(TEN, 30),
}


def one_cutoff(bench: Bench) -> None:
    """Compare with polars by hand and with pandas."""
    rows: list[tuple[object, ...]] = []
    for path in ("x1/events.csv", "x1/events.parquet"):
        ours, hand = bench.run(("leadmodel", path), ("hand", path))
        kind = path.rpartition(".")[2]
        what = f"{kind}: {ours['rows']:,.0f} leads, {ours['columns'] - 2:.0f} features"
        rows += [(f"{what}, beside polars by hand", ours["wall"], "s", hand["wall"], "at most 1.3")]
        rows += [(f"{kind}: processor time", ours["cpu"], "s", hand["cpu"], "at most 1.3")]
        rows += [(f"{kind}: peak memory", ours["peak"], "GB", hand["peak"], "under 2 GB")]
    (slow,) = bench.run(("pandas", "x1/events.parquet"))
    scaled = slow["wall"] * ours["rows"] / slow["rows"]
    what = f"pandas groupby-apply, scaled from {slow['rows']:,.0f} visitors, beside Parquet above"
    rows += [(what, scaled, "s", ours["wall"], "at least 20")]
    print_table("Features at one cutoff, RetailRocket's size", rows, PACKAGES)


def ten_cutoffs(bench: Bench) -> None:
    """Compare ten weekly cutoffs with the last of them, and with the whole log at it."""
    whole, *pairs = bench.run(
        *((name, "x1/events.csv") for name in ("leadmodel", "1 in 7", "10 in 7", "1 in 30", "10 in 30"))
    )
    rows: list[tuple[object, ...]] = []
    for days, one, ten in ((7, *pairs[:2]), (30, *pairs[2:])):
        active = f"10 cutoffs, active in the last {days} days: {ten['rows']:,.0f} leads"
        others = ((f"1 such, {one['rows']:,.0f}", one), (f"1 of all visitors, {whole['rows']:,.0f}", whole))
        for beside, other in others:
            rows += [(f"{active}; beside {beside}", ten["wall"], "s", other["wall"], "under 4")]
            rows += [("processor time", ten["cpu"], "s", other["cpu"], "under 4")]
        rows += [("peak memory", ten["peak"], "GB", one["peak"], "")]
    print_table("Ten cutoffs", rows, PACKAGES)


def four_times(bench: Bench) -> None:
    """Compare a log four times as large."""
    rows: list[tuple[object, ...]] = []
    for kind in ("csv", "parquet"):
        one, four = bench.run(*(("leadmodel", f"x{scale}/events.{kind}") for scale in (1, 4)))
        rows += [(f"{kind}: 4 times the events", four["wall"], "s", one["wall"], "at most 4.4")]
        rows += [("processor time", four["cpu"], "s", one["cpu"], "at most 4.4")]
        rows += [("peak memory", four["peak"], "GB", one["peak"], "")]
    print_table("Four times the events", rows, PACKAGES)


def engines(bench: Bench) -> None:
    """Compare DuckDB and local PySpark with polars on the same log."""
    polars, *others = bench.run(
        *((name, "x1/events.parquet") for name in ("leadmodel", "duckdb", "pyspark"))
    )
    rows = [
        (f"{name}, beside polars", other["wall"], "s", polars["wall"], "")
        for name, other in zip(
            (
                "DuckDB",
                "PySpark, local",
            ),
            others,
            strict=True,
        )
    ]
    print_table("The same features on other engines", rows, PACKAGES)


TABLES = {"polars": one_cutoff, "cutoffs": ten_cutoffs, "size": four_times, "engines": engines}


if __name__ == "__main__":
    main()
