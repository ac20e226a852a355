"""The commands as people type them, each in a process of its own."""

from pathlib import Path

import pandas as pd
import pytest
from support import command

from leadmodel.leads.reading import read_table
from leadmodel.model import LeadModel


@pytest.fixture
def csv(sample: pd.DataFrame, tmp_path: Path) -> Path:
    path = tmp_path / "leads.csv"
    sample.head(400).to_csv(path, index=False, sep=";")
    return path


def test_train_makes_a_model_of_any_csv(csv: Path, tmp_path: Path) -> None:
    output = tmp_path / "made"
    done = command("train.py", "--data", csv, "--target", "status", "--drop", "city", "--output", output)
    assert done.returncode == 0, done.stderr
    made = LeadModel.from_pretrained(output)
    assert made.schema.ignored["city"] == "dropped on request"
    assert made.schema.ignored["lead_id"] == "id"
    assert made.config.training.split == "the newest 20% of the leads by 'created_at'"
    auc = made.evaluation.test["roc_auc"]
    assert f"ROC AUC                               {auc.value:.3f}" in done.stdout
    for name in ("lead_id: id", "city: dropped on request", "created_at: time of the lead"):
        assert name in done.stdout


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
    assert "2 texts that a spreadsheet would run begin with ' now" in done.stdout
    assert read_table(scored)["note"].tolist()[:3] == ["'=1+1", "'@x", "a"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train.py", "--data", "none.csv", "--target", "a"], "'none.csv' cannot be opened: No such file"),
        (
            ["train.py", "--data", "requirements.txt"],
            "Which column holds the outcome? Name it with --target",
        ),
        (["train.py", "--recipe", "none.toml"], "'none.toml' cannot be read"),
        (["train.py", "--output", "tests"], "must be a new folder, or one with a model to replace"),
        (["-m", "leadmodel", "score", "x.csv", "--model", "none", "--output", "y.csv"], "is not a model"),
    ],
    ids=["no file", "no target", "no recipe", "output in use", "no model"],
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
    for option in ("--data", "--target", "--positive", "--id", "--time", "--drop", "--recipe", "--output"):
        assert option in told
