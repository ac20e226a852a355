"""The commands as people type them, each in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from support import ROOT, command

from leadmodel.leads.io import read_table
from leadmodel.model import LeadModel


@pytest.fixture
def csv(sample: pd.DataFrame, tmp_path: Path) -> Path:
    path = tmp_path / "leads.csv"
    leads = sample.head(400)
    leads = leads.assign(**{"Final stage": leads["status"].replace({"Won": "S9", "Lost": "S4"})})
    leads.to_csv(path, index=False, sep=";")
    return path


def test_train_makes_a_model_of_any_csv(csv: Path, tmp_path: Path) -> None:
    output = tmp_path / "made"
    options = ("--data", csv, "--target", "status", "--drop", "city", "--drop-leaks", "--output", output)
    done = command("train.py", *options)
    assert done.returncode == 0, done.stderr
    made = LeadModel.from_pretrained(output)
    assert made.schema.ignored["city"] == "dropped on request"
    assert made.schema.ignored["lead_id"] == "id"
    assert made.schema.ignored["Final stage"] == "suspected leak: copy of the outcome"
    assert "'Final stage': Its two values match the two outcomes" in done.stdout.split("Fields used")[0]
    assert made.config.training.split == "the newest 20% of the leads by 'created_at'"
    auc = made.evaluation.test["roc_auc"]
    assert f"ROC AUC                               {auc.value:.3f}" in done.stdout
    for name in ("lead_id: id", "city: dropped on request", "created_at: time of the lead"):
        assert name in done.stdout


def test_train_with_amounts_and_a_cost(sold: pd.DataFrame, tmp_path: Path) -> None:
    csv, output = tmp_path / "leads.csv", tmp_path / "made"
    sold.head(500).to_csv(csv, index=False, sep=";")
    options = ("--target", "status", "--amount", "amount")
    done = command("train.py", "--data", csv, *options, "--cost", "20", "--output", output)
    assert done.returncode == 0, done.stderr
    made = LeadModel.from_pretrained(output)
    assert f"Revenue: {made.evaluation.options['revenue'].summary()}" in done.stdout
    assert "amount: amount, known after the outcome" in done.stdout
    assert "'Will convert' if the expected value is above 20" in done.stdout
    scored = tmp_path / "scored.csv"
    done = command("-m", "leadmodel", "score", csv, "--model", output, "--output", scored)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(scored, sep=None, engine="python")
    expected = made.score(read_table(csv))
    for name in ("expected_amount", "amount_low", "amount_high", "expected_value"):
        assert table[name].tolist() == pytest.approx(expected[name].tolist())
    checked = command("-m", "leadmodel", "check", csv, *options)
    assert "converted leads have an amount in 'amount'" in checked.stdout
    wrong = command("train.py", "--data", csv, "--target", "status", "--amount", "amuont")
    assert wrong.returncode == 2
    assert "The amount column 'amuont' is not among the leads' columns" in wrong.stderr


def test_check_names_suspects_and_what_to_do_about_them(csv: Path) -> None:
    done = command("-m", "leadmodel", "check", csv, "--target", "status", "--drop", "city")
    assert done.returncode == 0, done.stderr
    assert "Audit of 400 leads with 12 fields" in done.stdout
    assert "SUSPECT LEAKS" in done.stdout
    assert "--drop-leaks" in done.stdout
    assert done.stdout.endswith("\n  --drop 'Final stage'\n")
    known = command("-m", "leadmodel", "check", csv, "--target", "status", "--drop", "Final stage")
    assert "SUSPECT" not in known.stdout


def test_a_reader_that_has_had_enough_is_no_error(csv: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    words = [sys.executable, "-m", "leadmodel", "check", str(csv), "--target", "status"]
    done = subprocess.run(words, cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_score_writes_every_lead_with_its_answer(folder: Path, csv: Path, tmp_path: Path) -> None:
    done = command("-m", "leadmodel", "score", csv, "--model", folder, "--output", tmp_path / "s.csv")
    assert done.returncode == 0, done.stderr
    assert "400 leads scored" in done.stdout
    assert len(read_table(tmp_path / "s.csv")) == 400


def test_score_says_which_texts_it_changed(folder: Path, sample: pd.DataFrame, tmp_path: Path) -> None:
    csv, scored = tmp_path / "leads.csv", tmp_path / "scored.csv"
    sample.head(9).assign(note=["=1+1", "@x", *"abcdefg"]).to_csv(csv, index=False)
    done = command("-m", "leadmodel", "score", csv, "--model", folder, "--output", scored, "--safe-cells")
    assert done.returncode == 0, done.stderr
    assert "2 texts that a spreadsheet would run as formulas are now prefixed with '" in done.stdout
    assert read_table(scored)["note"].tolist()[:3] == ["'=1+1", "'@x", "a"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train.py", "--data", "none.csv", "--target", "a"], "'none.csv' cannot be opened: No such file"),
        (
            ["train.py", "--data", "requirements.txt"],
            "Which column has the outcome? Name it with --target",
        ),
        (["train.py", "--recipe", "none.toml"], "'none.toml' cannot be read"),
        (["train.py", "--output", "tests"], "must be a new folder, or one with a model to replace"),
        (["-m", "leadmodel", "check", "none.csv", "--target", "a"], "'none.csv' cannot be opened"),
        (["-m", "leadmodel", "check", "requirements.txt"], "Name it with --target"),
        (["-m", "leadmodel", "check", "requirements.txt", "--drop", "a"], "No column is named 'a'"),
        (["-m", "leadmodel", "score", "x.csv", "--model", "none", "--output", "y.csv"], "is not a model"),
    ],
    ids=[
        "no file",
        "no target",
        "no recipe",
        "output in use",
        "no file to check",
        "no target to check",
        "no such column",
        "no model",
    ],
)
def test_what_is_wrong_ends_with_2_and_one_message(arguments: list[str], message: str) -> None:
    done = command(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_command_line_ends_with_2() -> None:
    assert command("train.py", "--nonsense").returncode == 2
    assert command("-m", "leadmodel").returncode == 2


def test_train_help_tells_every_option() -> None:
    told = command("train.py", "--help").stdout
    for option in (
        "--data",
        "--target",
        "--positive",
        "--id",
        "--time",
        "--drop-leaks",
        "--recipe",
        "--output",
    ):
        assert option in told
