"""From tables of events to scored leads, as people type it."""

import random
from pathlib import Path

import pandas as pd
import pytest
from support import command

from leadmodel.leads.io import read_table
from leadmodel.model import LeadModel

RECIPE = """
title = "Shop"

[events]
entity = "who"
windows = [7]
horizon = 10
after = [1, 3]

[events.entities]
table = "people.csv"
start = "since"
fields = ["country"]

[events.outcomes]
table = "sales.csv"
time = "day"
prices = { column = "plan", Gold = 90 }

[[events.logs]]
table = "visits.csv"
time = "when"
kind = "visits"
value = "minutes"
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables of 400 people, of whom those with long visits buy; and the recipe of them."""
    folder, rng = tmp_path_factory.mktemp("shop"), random.Random(1)
    people, visits, sales = ["who,since,country"], ["who,when,minutes"], ["who,day,plan"]
    for n in range(400):
        day = pd.Timestamp("2024-01-01") + pd.Timedelta(days=n // 4)
        people.append(f"{n:04},{day:%Y-%m-%d},{rng.choice(['NA', 'AT'])}")
        keen = rng.random() < 0.5
        visits += [
            f"{n:04},{day:%Y-%m-%d}T{hour:02}:00Z,{rng.randint(1, 9) + 9 * keen}" for hour in (9, 15)
        ]
        if rng.random() < (0.7 if keen else 0.1):
            sales.append(f"{n:04},{day + pd.Timedelta(days=rng.randint(4, 8)):%Y-%m-%d},Gold")
    for name, rows in {
        "people": people,
        "visits": [*visits, visits[1]],
        "sales": [*sales, "x,2024-02-01,Free"],
    }.items():
        (folder / f"{name}.csv").write_text("\n".join(rows) + "\n")
    (folder / "recipe.toml").write_text(RECIPE)
    return folder


@pytest.fixture(scope="module")
def trained(shop: Path) -> str:
    """What train.py prints; the model lies in the shop's folder."""
    done = command("train.py", "--data", shop, "--recipe", shop / "recipe.toml", "--output", shop / "model")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_one_command_goes_from_tables_to_a_model(shop: Path, trained: str) -> None:
    assert "visits.csv: 800 visits of 801 rows\n    left out: 1 the same as another row" in trained
    assert "1 without a price, 1 of an unknown who" in trained
    assert "made of them: 7" in trained
    model = LeadModel.from_pretrained(shop / "model")
    assert model.evaluation.test["roc_auc"].value > 0.6
    assert {"who", "cutoff", "converted", "amount"}.isdisjoint(model.schema.by_name)
    assert {"country", "visits_value", "visits_last_7d", "days_since_start"} & set(model.schema.by_name)
    assert "older leads were excluded" in model.config.training.split
    assert model.config.recipe is not None
    assert model.config.recipe.events is not None
    assert (model.config.target, model.config.positive) == ("converted", "Yes")


def test_the_model_makes_and_scores_later_leads(shop: Path, trained: str) -> None:
    words = ("events", shop, "--cutoff", "2024-04-01", "--output", shop / "leads.csv")
    done = command("-m", "leadmodel", *words, "--model", shop / "model")
    assert done.returncode == 0, done.stderr
    assert "leads of 2024-04-01 00:00 written" in done.stdout
    made = read_table(shop / "leads.csv")
    starts = read_table(shop / "people.csv").set_index("who").loc[made["who"], "since"]
    assert starts.between("2024-03-29", "2024-03-31").all()
    assert not {"converted", "amount"} & set(made.columns)
    by_recipe = command("-m", "leadmodel", *words, "--recipe", shop / "recipe.toml")
    assert by_recipe.returncode == 0, by_recipe.stderr
    pd.testing.assert_frame_equal(read_table(shop / "leads.csv"), made)
    scored = shop / "scored.csv"
    done = command(
        "-m", "leadmodel", "score", shop / "leads.csv", "--model", shop / "model", "--output", scored
    )
    assert done.returncode == 0, done.stderr
    assert read_table(scored)["who"].tolist() == made["who"].tolist()


def test_tables_are_scored_in_one_step(shop: Path, trained: str) -> None:
    words = ("score", shop, "--model", shop / "model", "--output", shop / "at_once.parquet")
    done = command("-m", "leadmodel", *words, "--at", "2024-04-01")
    assert done.returncode == 0, done.stderr
    assert "leads of 2024-04-01 00:00" in done.stderr
    made = shop / "made.parquet"
    done = command(
        *("-m", "leadmodel", "events", shop, "--recipe", shop / "recipe.toml"),
        *("--cutoff", "2024-04-01", "--output", made),
    )
    assert done.returncode == 0, done.stderr
    model, scored = LeadModel.from_pretrained(shop / "model"), read_table(shop / "at_once.parquet")
    leads = read_table(made)
    assert scored["who"].tolist() == leads["who"].tolist()
    assert scored["probability"].tolist() == model.predict_proba(leads)[:, 1].tolist()


def test_the_latest_moment_is_right_after_the_newest_row(shop: Path, trained: str, tmp_path: Path) -> None:
    for name in ("people", "visits"):
        (tmp_path / f"{name}.csv").write_bytes((shop / f"{name}.csv").read_bytes())
    (tmp_path / "sales.csv").write_text("who,day,plan\n0001,2024-01-03,Gold\n")
    words = ("score", tmp_path, "--model", shop / "model", "--output", tmp_path / "latest.csv")
    done = command("-m", "leadmodel", *words)
    assert done.returncode == 0, done.stderr
    after = pd.Timestamp(read_table(shop / "people.csv")["since"].max()) + pd.Timedelta(hours=15)
    assert f"leads of {after:%Y-%m-%d %H:%M}" in done.stderr
    assert len(read_table(tmp_path / "latest.csv"))


def test_a_model_of_a_plain_table_scores_no_folder(folder: Path, tmp_path: Path) -> None:
    words = ("score", tmp_path, "--model", folder, "--output", tmp_path / "a.csv")
    done = command("-m", "leadmodel", *words)
    assert done.returncode == 2
    assert "was not trained on events: name a file of leads" in done.stderr


def test_leads_of_tables_can_be_checked(shop: Path) -> None:
    done = command("-m", "leadmodel", "check", shop, "--recipe", shop / "recipe.toml")
    assert done.returncode == 0, done.stderr
    assert "people.csv: 400 entities" in done.stdout
    assert "Audit of 7" in done.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train.py", "--recipe", "RECIPE"], "needs the folder of its tables: name it with --data"),
        (["train.py", "--data", "SHOP"], "is a folder; tables of events need a --recipe with [events]"),
        (["train.py", "--data", "SHOP", "--recipe", "RECIPE", "--target", "a"], "leave --target out"),
        (["train.py", "--data", "SHOP/none", "--recipe", "RECIPE"], "'SHOP/none' is not a folder"),
        (["EVENTS", "--cutoff", "soon", "--output", "a.csv"], "A cutoff must look like 2022-09-01"),
        (["EVENTS", "--cutoff", "2024-04-01", "--output", "a.xlsx"], "must end in .csv or .parquet"),
        (["EVENTS", "--cutoff", "2024-04-01", "--output", "none/a.csv"], "does not exist; create it first"),
        (
            ["EVENTS", "--cutoff", "2020-04-01", "--output", "SHOP/a.csv"],
            "must be at least one lead to score",
        ),
    ],
    ids=["no data", "no recipe", "a target", "no folder", "no moment", "no format", "no output", "no lead"],
)
def test_what_is_wrong_ends_with_2_and_one_message(shop: Path, words: list[str], message: str) -> None:
    events = ["-m", "leadmodel", "events", "SHOP", "--recipe", "RECIPE"]
    typed = [part for word in words for part in (events if word == "EVENTS" else [word])]
    filled = [
        word.replace("SHOP", str(shop)).replace("RECIPE", str(shop / "recipe.toml")) for word in typed
    ]
    done = command(*filled)
    assert done.returncode == 2
    assert message.replace("SHOP", str(shop)) in done.stderr
    assert "Traceback" not in done.stderr
    assert not (shop / "a.csv").exists()


def test_a_model_of_a_plain_table_makes_no_leads(folder: Path, tmp_path: Path) -> None:
    words = ("events", tmp_path, "--cutoff", "2024-04-01", "--output", tmp_path / "a.csv")
    done = command("-m", "leadmodel", *words, "--model", folder)
    assert done.returncode == 2
    assert "has no event recipe" in done.stderr
