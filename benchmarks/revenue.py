"""What telling the value of leads costs, and what it catches.

    python benchmarks/revenue.py --data leads.csv --recipe recipes/NAME.toml [--amount COL] [--rows N]
    python benchmarks/revenue.py --data FOLDER --recipe recipes/students-365.toml

Times are those of a run with amounts beside one without, in wall time and in that of all cores, which
other work on the machine moves less. What is caught is told by the runs' own test leads. Without --data:
the synthetic sample with invented amounts, to see that it runs.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.scoring import median, repeated
from benchmarks.table import print_table
from leadmodel.cli.common import add_lead_options, lead_options
from leadmodel.leads.sample import SAMPLE_RECIPE, make_sample
from leadmodel.model import LeadModel
from leadmodel.prepare.source import read_past_leads
from leadmodel.training.interface import train_model

T = TypeVar("T")


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data")
    add_lead_options(parser)
    parser.add_argument("--rows", type=int, default=200_000)
    options = parser.parse_args()
    leads, recipe = invented(), SAMPLE_RECIPE.updated(amount="amount")
    if options.data:
        leads, recipe = read_past_leads(options.data, **lead_options(options))
    plain = recipe.model_copy(update={"amount": None, "drop": (*recipe.drop, str(recipe.amount))})
    train_model(make_sample(500), SAMPLE_RECIPE)  # what is loaded once is loaded by now
    without, *before = timed(lambda: train_model(leads, plain))
    valued, *after = timed(lambda: train_model(leads, recipe))
    rows = [
        ("training, wall time", after[0], "s", before[0], "at most 1.5"),
        ("training, time of all cores", after[1], "s", before[1], "at most 1.5"),
        *scoring(without, valued, repeated(leads, options.rows)),
        *one_lead(without, valued, leads),
    ]
    print_table(f"Revenue: {recipe.title}, {len(leads):,} leads", rows)
    report(valued)


def invented() -> pd.DataFrame:
    """Return the sample with amounts that professionals pay more of."""
    leads, rng = make_sample(), np.random.default_rng(0)
    means = 4 + 0.8 * (leads["occupation"] == "Professional").to_numpy()
    amounts = np.exp(means + rng.normal(0, 0.6, len(leads))).round(2)
    return leads.assign(amount=np.where(leads["status"] == "Won", amounts, np.nan))


def timed(function: Callable[[], T]) -> tuple[T, float, float]:
    """Return a result, and the wall time and the time of all cores that it took."""
    wall, cores = time.perf_counter(), time.process_time()
    made = function()
    return made, time.perf_counter() - wall, time.process_time() - cores


def scoring(without: LeadModel, valued: LeadModel, leads: pd.DataFrame) -> list[tuple[object, ...]]:
    """Compare the bulk scoring of raw leads, in turns, so that both meet the same machine."""
    taken: dict[LeadModel, list[tuple[float, float]]] = {without: [], valued: []}
    for _ in range(9):
        for model in (without, valued):
            taken[model].append(timed(lambda model=model: model.score(leads))[1:])  # type: ignore[misc]
    (wall, cores), (wall_after, cores_after) = (np.median(taken[model], axis=0) for model in taken)
    what, bar = f"raw leads in memory, {len(leads):,}", "at most 1.25"
    return [
        (f"{what}, wall time", wall_after, "s", float(wall), bar),
        (f"{what}, time of all cores", cores_after, "s", float(cores), bar),
    ]


def one_lead(without: LeadModel, valued: LeadModel, leads: pd.DataFrame) -> list[tuple[object, ...]]:
    """Compare one lead inside the process."""
    lead = leads.sample(1, random_state=0)[list(without.schema.by_name)].to_dict("records")[0]
    return [one_kind(without, valued, lead, reasons) for reasons in (False, True)]


def one_kind(
    without: LeadModel, valued: LeadModel, lead: dict[str, object], reasons: bool
) -> tuple[object, ...]:
    before = 1000 * median(lambda: without.answer(lead, reasons=reasons), 300)
    after = 1000 * median(lambda: valued.answer(lead, reasons=reasons), 300)
    what = "with reasons" if reasons else "probability alone"
    return (f"one lead, {what}", after, "ms", before, "at most 0.5 ms more")


def report(model: LeadModel) -> None:
    """Print what the test leads showed."""
    revenue = model.evaluation.options["revenue"]
    assert revenue is not None
    print("\n".join([revenue.summary(), *(f"- {finding}" for finding in revenue.findings())]))
    print("\n| Expected value over all test leads | RMSE | Mean error | R² |\n| --- | --- | --- | --- |")
    for name, found in revenue.test.value.items() if revenue.test else ():
        cells = (found[kind].summary(",.2f" if kind != "r2" else ".3f") for kind in ("rmse", "mae", "r2"))
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
