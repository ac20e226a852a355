"""What drift costs, how often it is seen where there is none, and what it takes to be seen.

    python benchmarks/drift.py --data FOLDER [--sets extraalearn …] [--tables alarms power speed]

False alarms: a thousand times, the training leads, the test leads and the new ones are all drawn with
replacement from the same training leads, and each time the bins are made anew; for the probability
stands the cross-validated one. Power: the new leads are drawn likewise, and a known part of them is
changed in one field. Speed: the leads are repeated to a million rows; beside it stands polars counting
the values of the same columns, which it holds as texts and numbers. Needs requirements-dev.txt.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.scoring import median, repeated
from benchmarks.table import print_head, print_table
from leadmodel.drift.counts import count_leads
from leadmodel.drift.drift import Drift, compare_leads, measure_drift
from leadmodel.insights.profile import Profile, profile_leads, profile_output
from leadmodel.leads.convert import read_leads
from leadmodel.leads.field import MIN_CATEGORY_COUNT, MISSING, Field
from leadmodel.leads.io import read_table
from leadmodel.leads.recipe import Recipe
from leadmodel.leads.schema import LeadSchema
from leadmodel.model import LeadModel
from leadmodel.prepare.data import TrainingData, prepare
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.training.fit import FittedClassifier, fit_classifier
from leadmodel.training.interface import train_model

SIZES = (100, 1_000, 10_000)
TABLES = ("alarms", "power", "speed")
FILES = {"extraalearn": "extraalearn", "x-education": "x-education-leads", "codepro": "codepro-leads"}
QUICK = TrainingSettings(max_trees=300, n_members=2)
"""Neither false alarms nor the time of counting depend on how good the model is."""


class Leads(NamedTuple):
    """One data set, and the model of its training leads."""

    title: str
    raw: pd.DataFrame
    recipe: Recipe
    past: TrainingData
    fitted: FittedClassifier


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of the data sets")
    parser.add_argument("--sets", nargs="+", choices=FILES, default=list(FILES))
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=TABLES)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    every = [open_leads(Path(options.data), name) for name in options.sets]
    n = options.resamples
    if "alarms" in options.tables:
        show("Drift: false alarms", ALARM_HEAD, [row for one in every for row in alarms(one, n)])
        show("Drift: what is no reference", TEST_HEAD, [unseen(one) for one in every])
    if "power" in options.tables:
        show("Drift: power", POWER_HEAD, [row for one in every for row in power(one, n // 5)])
    for one in every if "speed" in options.tables else []:
        print_table(f"Drift: {one.title}, {options.rows:,} leads", speed(one, options.rows))
    print("Load average", *os.getloadavg())


def open_leads(folder: Path, name: str) -> Leads:
    """Prepare a data set on a random split, and fit a model."""
    raw = read_table(folder / f"{FILES[name]}.csv")
    recipe = Recipe.load(Path(__file__).parents[1] / "recipes" / f"{name}.toml")
    # Without its time, the test leads are of the same kind as the training leads.
    unordered = (
        recipe if recipe.time is None else recipe.updated(time=None, drop=(*recipe.drop, recipe.time))
    )
    past = prepare(raw, unordered, QUICK)
    fitted = fit_classifier(past, QUICK)
    return Leads(recipe.title, raw, recipe, past, fitted)


ALARM_HEAD = (
    "Data",
    "Fields",
    "New leads",
    "Called drifted",
    "Beyond chance",
    "Customary 0.1 alone",
    "Bar",
)


def alarms(leads: Leads, n_resamples: int) -> Iterator[tuple[Any, ...]]:
    """Count how often leads without drift are called drifted."""
    rng = np.random.default_rng(0)
    found: dict[int, list[Drift]] = {size: [] for size in SIZES}
    for _ in range(n_resamples):
        profile = drawn_profile(leads, rng)
        for size in SIZES:
            found[size].append(compared(leads, profile, rng, size))
    for size, drifts in found.items():
        shares = [
            np.mean([check(drift) for drift in drifts]) for check in (is_drifted, is_certain, is_custom)
        ]
        yield (
            leads.title,
            len(leads.past.schema.fields),
            f"{size:,}",
            *(f"{share:.1%}" for share in shares),
            "at most 5%",
        )


def is_drifted(drift: Drift) -> bool:
    return drift.drifted


def is_certain(drift: Drift) -> bool:
    return any(one.level != "stable" for one in drift.ranked)


def is_custom(drift: Drift) -> bool:
    return any(one.psi >= 0.1 for one in drift.ranked)


def drawn_profile(leads: Leads, rng: np.random.Generator) -> Profile:
    X, y = leads.past.train
    rows, test = (rng.integers(len(y), size=len(part)) for part in (y, leads.past.split.test))
    drawn = X.iloc[rows]
    if drawn.notna().sum().min() < MIN_CATEGORY_COUNT:  # a training run would have left such a field out
        return drawn_profile(leads, rng)
    said = {"probability": profile_output(leads.fitted.oof_probability[test], y[test])}
    return profile_leads(with_choices_of(drawn, leads.past.schema), drawn, y[rows], said)


def with_choices_of(drawn: pd.DataFrame, schema: LeadSchema) -> LeadSchema:
    """Return the schema with the choices that a training run would find in the drawn leads."""
    fields = []
    for field in schema.fields:
        if field.kind == "categorical":
            counts = drawn[field.name].value_counts()
            choices = tuple(
                choice for choice in field.choices if counts.get(choice, 0) >= MIN_CATEGORY_COUNT
            )
            field = field.model_copy(update={"choices": choices})
        fields.append(field)
    return schema.model_copy(update={"fields": tuple(fields)})


def compared(
    leads: Leads,
    profile: Profile,
    rng: np.random.Generator,
    size: int,
    change: Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame] = lambda X, rng: X,
) -> Drift:
    X, y = leads.past.train
    rows = rng.integers(len(y), size=size)
    said = {"probability": leads.fitted.oof_probability[rows]}
    counts = count_leads(profile, change(X.iloc[rows], rng), said)
    return compare_leads(leads.past.schema, profile, counts)


TEST_HEAD = ("Data", "Training leads", "Test leads", "PSI of the probability", "Chance reaches")


def unseen(leads: Leads) -> tuple[Any, ...]:
    """Compare what is said of the test leads with the cross-validated probabilities of the others."""
    (X, y), (test, _) = leads.past.train, leads.past.test
    cross_validated = profile_output(leads.fitted.oof_probability, y)
    profile = profile_leads(leads.past.schema, X, y, {"probability": cross_validated})
    said = leads.fitted.predictor(leads.past.schema).predict(test).probability
    drift = compare_leads(leads.past.schema, profile, count_leads(profile, test, {"probability": said}))
    one = drift.outputs["probability"]
    return leads.title, len(y), len(said), f"{one.psi:.4f}", f"{one.chance:.4f}"


POWER_HEAD = ("Data", "Field", "Of the leads", "Change", "True PSI", *(f"{size:,}" for size in SIZES))


def power(leads: Leads, n_resamples: int) -> Iterator[tuple[Any, ...]]:
    """Count how often a known change of one field is called drift."""
    rng = np.random.default_rng(1)
    profile = profile_leads(leads.past.schema, *leads.past.train)
    text = most_cells(leads, profile, is_text=True)
    number = most_cells(leads, profile, is_text=False)
    most_common = max(profile.fields[text].cells.items(), key=lambda item: item[1].count)[0]
    for share in (0.05, 0.1, 0.2, 0.4):
        changes = (
            (text, "the most common value", put(text, most_common, share)),
            (text, "a new value", put(text, "a new value", share)),
            (text, "not given", put(text, MISSING, share)),
            (number, "not given", put(number, np.nan, share)),
            (number, "its half", halved(number, share)),
        )
        for name, what, change in changes:
            size = compared(leads, profile, rng, 300_000, change).fields[name].psi
            seen = [
                np.mean(
                    [
                        compared(leads, profile, rng, n, change).fields[name].drifted
                        for _ in range(n_resamples)
                    ]
                )
                for n in SIZES
            ]
            yield (leads.title, name, f"{share:.0%}", what, f"{size:.2f}", *(f"{one:.0%}" for one in seen))


def most_cells(leads: Leads, profile: Profile, *, is_text: bool) -> str:
    def rank(field: Field) -> int:
        return min(len(profile.fields[field.name].cells), 12)

    return max((field for field in leads.past.schema.fields if field.is_text == is_text), key=rank).name


def put(name: str, value: Any, share: float) -> Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]:
    def change(X: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        column = X[name].astype(object) if X[name].dtype == "category" else X[name]
        changed = column.mask(rng.random(len(X)) < share, value)
        return X.assign(**{name: changed.astype("category") if column.dtype == object else changed})

    return change


def halved(name: str, share: float) -> Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]:
    def change(X: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        return X.assign(**{name: X[name].mask(rng.random(len(X)) < share, X[name] / 2)})

    return change


def speed(leads: Leads, n_rows: int) -> list[tuple[object, ...]]:
    """Time counting and comparing beside polars, in memory and from a file."""
    model = train_model(leads.raw, leads.recipe, QUICK)
    raw = repeated(leads.raw, n_rows)[list(model.schema.by_name)]
    typed = read_leads(model.schema, raw)
    frame = pl.from_pandas(typed.astype({name: "str" for name in model.schema.text_columns}))

    def by_polars() -> None:
        for name in frame.columns:
            frame[name].value_counts()

    def by_us() -> None:
        compare_leads(model.schema, model.profile, count_leads(model.profile, typed))

    def from_raw() -> None:
        counts = count_leads(model.profile, read_leads(model.schema, raw))
        compare_leads(model.schema, model.profile, counts)

    beside = median(by_polars, 5)
    rows: list[tuple[object, ...]] = [
        ("typed leads, fields", median(by_us, 5), "s", beside, "at most 3"),
        ("raw leads in memory, fields", median(from_raw, 5), "s", beside, "at most 3"),
    ]
    return [*rows, from_file(model, raw)]


def from_file(model: LeadModel, raw: pd.DataFrame) -> tuple[object, ...]:
    """Time a CSV file, scored and compared, beside polars reading and counting, and CatBoost scoring."""
    typed = read_leads(model.schema, raw)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/leads.csv"
        pl.from_pandas(raw).write_csv(path)

        def by_polars() -> None:
            frame = pl.read_csv(path, infer_schema_length=100_000)
            for name in frame.columns:
                frame[name].value_counts()
            model.classifier.predict_proba(typed)

        ours, plain = median(lambda: measure_drift(model, path), 3), median(by_polars, 3)
    return ("CSV file, fields and score", ours, "s", plain, "")


def show(title: str, head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    print_head(title)
    print("\n| " + " | ".join(head) + " |\n|" + " --- |" * len(head))
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")
    print(flush=True)


if __name__ == "__main__":
    main()
