"""Make up logs in the shape of the recipes: rows for tables in a folder, and the same rows for a call."""

import csv
import datetime as dt
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from support import ROOT

from leadmodel.leads.event_recipe import EventConfig
from leadmodel.leads.recipe import Recipe

__all__ = ["RECIPES", "entities_of", "load", "make_tables", "written"]

RECIPES = ("students-365", "clickstream", "retailrocket")
Row = dict[str, Any]
Tables = dict[str, list[Row]]
MOMENT = dt.datetime(2022, 9, 1)
EVENTS = [*["view"] * 8, "addtocart", "addtocart", "transaction", "share"]
VALUES = [None, 0, 1, 2.5, 0.1, 30.7, "7", "many"]


def load(name: str) -> Recipe:
    """Return a recipe of the repository, whose tables have no last day."""
    recipe = Recipe.load(ROOT / "recipes" / f"{name}.toml")
    assert recipe.events is not None
    return recipe.model_copy(update={"events": recipe.events.model_copy(update={"until": None})})


def make_tables(name: str, rng: random.Random, n_entities: int = 4, most: int = 12) -> Tables:
    """Return rows by table; no two of a table are identical, unless by chance."""
    make = {"students-365": _students, "clickstream": _clicks, "retailrocket": _visits}[name]
    return make(rng, [str(n) for n in range(n_entities)], most)


def _some(rng: random.Random, most: int) -> range:
    return range(rng.choice([0, 1, rng.randint(0, most)]))


def _text(rng: random.Random, days: int) -> str:
    """Return a date or a time with or without an offset, up to so many days around the moment."""
    time = MOMENT - dt.timedelta(microseconds=rng.randint(-days * 10**11 // 5, days * 86_400 * 10**6))
    zone = dt.timezone(dt.timedelta(minutes=rng.choice([0, 120, -330])))
    shown = [f"{time:%Y-%m-%d}", time.isoformat(), f"{time:%Y-%m-%d %H:%M}", f"{time:%Y-%m-%dT%H:%M:%SZ}"]
    return rng.choice([*shown, time.replace(tzinfo=zone).isoformat()])


def _students(rng: random.Random, ids: list[str], most: int) -> Tables:
    columns = {
        "365_student_learning.csv": ("date_watched", "minutes_watched", "course_id"),
        "365_student_exams.csv": ("date_exam_completed", "exam_id", "exam_result"),
        "365_student_engagement.csv": ("date_engaged", "engagement_quizzes"),
        "365_student_hub_questions.csv": ("date_question_asked",),
        "365_course_ratings.csv": ("date_rated", "course_rating"),
    }
    tables: Tables = {name: [] for name in columns}
    tables["365_exam_info.csv"] = [{"exam_id": n, "exam_category": c} for n, c in ((1, 1), (2, 2), (3, 3))]
    tables["365_student_info.csv"], tables["365_student_purchases.csv"] = [], []
    for who in ids:
        start = f"{MOMENT - dt.timedelta(days=rng.randint(1, 20)):%Y-%m-%d}"
        row = {
            "student_id": who,
            "date_registered": start,
            "student_country": rng.choice(["NA", "US", None]),
        }
        tables["365_student_info.csv"].append(row)
        for name, (time, *others) in columns.items():
            for _ in _some(rng, most):
                made: Row = {"student_id": who, time: _text(rng, 30)}
                for other in others:
                    made[other] = rng.choice(VALUES if "id" not in other else [1, 2, 3, 4])
                tables[name].append(made)
        if rng.random() < 0.2:
            bought = {"student_id": who, "date_purchased": _text(rng, 30), "purchase_type": "Annual"}
            tables["365_student_purchases.csv"].append(bought)
    # A file needs a row, and its columns; this student registers later.
    for name, names in columns.items():
        tables[name].append({"student_id": "x", **dict.fromkeys(names, None), names[0]: "2023-01-01"})
    return tables | {
        "365_student_purchases.csv": [
            *tables["365_student_purchases.csv"],
            {"student_id": "x", "date_purchased": "2023-01-01", "purchase_type": "Annual"},
        ]
    }


def _clicks(rng: random.Random, ids: list[str], most: int) -> Tables:
    rows: list[Row] = []
    for who in ids:
        day = MOMENT - dt.timedelta(days=rng.randint(0, 3))
        for order in range(1, 1 + rng.randint(0, most)):
            rows.append(
                {
                    "year": day.year,
                    "month": day.month,
                    "day": day.day,
                    "order": order,
                    "country": rng.choice([29, 9, 24]),
                    "session ID": who,
                    "page 1 (main category)": rng.choice([1, 1, 2, 2, 3, 3, 4]),
                    "page 2 (clothing model)": rng.choice(["A1", "B2", "C3"]),
                    "colour": rng.randint(1, 3),
                    "location": rng.choice([1, 2, None]),
                    "model photography": rng.choice([1, 2]),
                    "price": rng.choice([28, 33.5, 57]),
                    "page": rng.choice([1, 2, 3]),
                }
            )
    last = dict.fromkeys(rows[0] if rows else (), 1) | {"year": 2023, "session ID": "x"}
    return {"clickstream-eshop-2008.csv": [*rows, *([last] if rows else [])]}


def _visits(rng: random.Random, ids: list[str], most: int) -> Tables:
    rows: list[Row] = []
    for who in [*ids, "x"]:
        for _ in _some(rng, most) if who != "x" else range(1):
            days = rng.choice([2, 10, 40])
            time = MOMENT - dt.timedelta(milliseconds=rng.randint(-days * 10**7, days * 86_400_000))
            rows.append(
                {
                    "timestamp": int(time.replace(tzinfo=dt.UTC).timestamp() * 1000),
                    "visitorid": who,
                    "event": rng.choice(EVENTS) if who != "x" else "view",
                    "itemid": rng.choice([1, 2, 3, None]),
                    "transactionid": rng.choice([None, 5]),
                }
            )
    return {"events.csv": rows}


@contextmanager
def written(tables: Tables) -> Iterator[Path]:
    """Write the tables as CSV files, and remove them afterwards."""
    with TemporaryDirectory() as folder:
        for name, rows in tables.items():
            with Path(folder, name).open("w", newline="") as file:
                writer = csv.DictWriter(file, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)
        yield Path(folder)


def entities_of(config: EventConfig, tables: Tables) -> list[dict[str, Any]]:
    """Return the entities of the tables as a call has them."""
    ids = dict.fromkeys(
        str(row[config.entity]) for rows in tables.values() for row in rows if config.entity in row
    )
    called = []
    for who in ids:
        entity: dict[str, Any] = {config.entity: who, "events": {}}
        if config.entities and config.entities.table not in {log.table for log in config.logs}:
            own = [row for row in tables[config.entities.table] if row[config.entity] == who]
            if not own:
                continue
            entity |= own[0]
        for log in config.logs:
            rows = [row for row in tables[log.table] if str(row[config.entity]) == who]
            for join in log.joins:
                by_key = {row[join.on]: row for row in tables[join.table]}
                names = [name for name in tables[join.table][0] if name != join.on]
                rows = [
                    row | {name: by_key.get(row[join.on], {}).get(name) for name in names} for row in rows
                ]
            entity["events"][log.table] = rows
        called.append(entity)
    return called
