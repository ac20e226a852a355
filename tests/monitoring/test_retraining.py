"""Retraining from end to end: what is decided, what is changed, and what a fault leaves behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hub_server import LoopbackHub
from huggingface_hub import HfApi
from models import trained
from support import ROOT, command

from leadmodel.errors import InputError, ModelError
from leadmodel.leads.outcome.rule import OutcomeRule
from leadmodel.leads.sample import SAMPLE_RECIPE, make_sample
from leadmodel.metrics.comparison import paired_difference
from leadmodel.model import LeadModel
from leadmodel.monitoring.deployment import open_deployment
from leadmodel.monitoring.retraining import Retrained, champion_recipe, retrain
from leadmodel.prepare.data import fingerprint, prepare_all
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.publishing.hub.client import HubError

TIME, TARGET = "created_at", "status"


def ordered(n_leads: int, random_state: int) -> pd.DataFrame:
    leads = make_sample(n_leads, random_state=random_state)
    return leads.sort_values(TIME, ignore_index=True)


@pytest.fixture(scope="module")
def years() -> pd.DataFrame:
    """Leads, the oldest first, of which a champion has seen those before the middle."""
    return ordered(4000, random_state=8)


@pytest.fixture(scope="module")
def settings(quick: TrainingSettings) -> TrainingSettings:
    """Settings of champions, which challengers take over: the gate is tested, not the training."""
    return quick.model_copy(update={"ordered_below": 0, "n_folds": 2, "n_members": 1})


@pytest.fixture(scope="module")
def champion(years: pd.DataFrame, settings: TrainingSettings) -> LeadModel:
    return trained(years.head(1500), SAMPLE_RECIPE, settings)


@pytest.fixture(scope="module")
def liar(years: pd.DataFrame, settings: TrainingSettings) -> LeadModel:
    """A champion that has learned from outcomes dealt out by chance."""
    shuffled = years.head(1500).copy()
    shuffled[TARGET] = np.random.default_rng(1).permutation(shuffled[TARGET])
    return trained(shuffled, SAMPLE_RECIPE, settings)


@pytest.fixture(scope="module")
def better(liar: LeadModel, years: pd.DataFrame) -> Retrained:
    return retrain(years, liar, champion_recipe(liar))


def test_a_better_challenger_is_published_with_its_reason(liar: LeadModel, better: Retrained) -> None:
    done = better
    assert done.challenger is not None
    assert (done.gate.publish, done.gate.rule) == (True, "better")
    assert done.challenger.config.gate == done.gate
    card = done.challenger.files["README.md"].decode()
    assert f"## Why it was published\n\n{done.gate.told()}" in card
    assert done.challenger.config.training.settings == liar.config.training.settings


def test_the_comparison_is_that_of_the_newest_leads(
    liar: LeadModel, years: pd.DataFrame, better: Retrained
) -> None:
    done = better
    assert done.challenger is not None
    assert done.gate.comparison is not None
    known = years[years[TARGET].isin(["Won", "Lost"])].sort_values(TIME, kind="stable")
    newest = known.tail(round(0.2 * len(known)))
    y = (newest[TARGET] == "Won").to_numpy().astype(int)
    new, old = done.challenger.predict_proba(newest)[:, 1], liar.predict_proba(newest)[:, 1]
    assert done.gate.comparison.n_leads == len(y)
    assert done.gate.comparison.change.value == pytest.approx(paired_difference(y, new, old).value)


def test_a_champion_is_kept_without_a_reason_to_change_it(
    years: pd.DataFrame, quick: TrainingSettings
) -> None:
    # Of nearly as many leads as the challenger, so that these alone do not make the challenger better.
    champion = trained(years.head(2800), SAMPLE_RECIPE, quick)
    done = retrain(years, champion, champion_recipe(champion))
    assert done.drift is not None
    assert (done.gate.publish, done.gate.rule, done.drift.drifted) == (False, "not better", False)


def test_leads_that_drifted_let_one_in_that_is_not_worse(champion: LeadModel, years: pd.DataFrame) -> None:
    moved = years.copy()
    late = moved.index >= 1500
    moved.loc[late & (np.arange(len(moved)) % 2 == 0), "source"] = "Partner"
    done = retrain(moved, champion, champion_recipe(champion))
    assert done.gate.drifted
    assert any("Source" in sentence for sentence in done.gate.moved)
    assert done.gate.comparison is not None
    assert done.gate.publish == (done.gate.comparison.is_not_worse or done.gate.comparison.is_better)


def test_a_worse_challenger_is_refused_unless_forced(champion: LeadModel, years: pd.DataFrame) -> None:
    spoilt = years.copy()
    early = spoilt.index < 0.8 * len(spoilt)
    dealt = np.random.default_rng(2).permutation(spoilt.loc[early, TARGET])
    spoilt.loc[early, TARGET] = dealt
    recipe = champion_recipe(champion)
    assert retrain(spoilt, champion, recipe, max_age_days=0).gate.rule == "worse"
    forced = retrain(spoilt, champion, recipe, force=True)
    assert (forced.gate.publish, forced.gate.rule) == (True, "forced")
    assert forced.challenger is not None
    assert "Published (forced)" in forced.challenger.files["README.md"].decode()


def test_the_same_leads_again_train_nothing(champion: LeadModel, years: pd.DataFrame) -> None:
    again = years.head(1500).sample(frac=1, random_state=3)
    done = retrain(again, champion, champion_recipe(champion))
    assert (done.gate.rule, done.gate.publish, done.challenger) == ("nothing new", False, None)


def test_a_fingerprint_knows_no_order_but_every_cell(years: pd.DataFrame) -> None:
    some = years.head(50)
    assert fingerprint(some.sample(frac=1, random_state=1)) == fingerprint(some)
    other = some.copy()
    other.loc[7, "source"] = "Elsewhere"
    assert fingerprint(other) != fingerprint(some)
    assert fingerprint(some.head(49)) != fingerprint(some)


def test_too_few_newer_leads_decide_nothing(champion: LeadModel, years: pd.DataFrame) -> None:
    # Of the 1,500 the oldest 80 % were learned from; the newest 20 % of these leads are newer by 60.
    few = years.head(1270)
    done = retrain(few, champion, champion_recipe(champion))
    assert (done.gate.rule, done.gate.publish, done.gate.comparison) == ("too few", False, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda leads: leads.drop(columns="source"), r"(?s)source"),
        (lambda leads: leads.drop(columns=TARGET), "The target column 'status' is not among"),
        (lambda leads: leads[leads[TARGET] != "Won"], "must have two outcomes. It has only .Lost."),
        (
            lambda leads: leads.head(500),
            "must be newer than those of the champion, which end at",
        ),
        (
            lambda leads: leads.assign(**{TIME: range(len(leads))}),
            "must have the same type of time as for the champion",
        ),
    ],
    ids=["other columns", "no target", "no outcomes", "older leads", "another kind of time"],
)
def test_leads_that_cannot_be_compared_are_refused(
    champion: LeadModel, years: pd.DataFrame, change: object, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        retrain(change(years), champion, champion_recipe(champion))  # type: ignore[operator]


def test_a_challenger_learns_of_the_same_outcomes(champion: LeadModel, years: pd.DataFrame) -> None:
    rows = np.arange(len(years))
    leads = years.assign(
        status=years["status"].where(rows % 10 > 0, "Proposal").where(rows % 10 != 1, "Parked")
    )
    recipe = champion_recipe(champion)
    assert (recipe.positive, recipe.negative, recipe.open) == (("Won",), ("Lost",), None)
    assert len(prepare_all(leads, recipe, TrainingSettings()).y) == (rows % 10 > 1).sum()
    told = champion_recipe(champion, OutcomeRule(negative=("Parked",)))
    assert len(prepare_all(leads, told, TrainingSettings()).y) == (rows % 10 > 0).sum()


def test_a_model_of_an_older_release_says_so(champion: LeadModel) -> None:
    config = champion.config.model_copy(update={"recipe": None})
    older = LeadModel(champion.files | {"config.json": config.to_json().encode()})
    with pytest.raises(ModelError, match="has no recipe, because it is from an older release"):
        champion_recipe(older)


@pytest.fixture
def place(liar: LeadModel, years: pd.DataFrame, tmp_path: Path) -> Path:
    liar.save_pretrained(tmp_path / "model")
    years.to_csv(tmp_path / "all.csv", index=False)
    return tmp_path


def retrained(place: Path, *options: str | Path) -> subprocess.CompletedProcess[str]:
    return command("-m", "leadmodel", "retrain", "--data", place / "all.csv", *options)


def test_the_command_replaces_a_folder(place: Path) -> None:
    before = LeadModel.from_pretrained(place / "model")
    dry = retrained(place, "--model", place / "model", "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert "\nWould be published (better): log loss" in dry.stdout
    assert "Nothing was changed: --dry-run" in dry.stdout
    assert sorted(path.name for path in place.iterdir()) == ["all.csv", "model"]
    assert LeadModel.from_pretrained(place / "model").revision == before.revision
    done = retrained(place, "--model", place / "model")
    assert done.returncode == 0, done.stderr
    after = LeadModel.from_pretrained(place / "model")
    assert after.config.gate is not None
    assert after.config.gate.champion == before.revision
    assert after.config.gate.told() in done.stdout
    again = retrained(place, "--model", place / "model")
    assert "Kept the champion (nothing new)" in again.stdout


def test_the_command_publishes_in_a_commit_that_says_why(
    place: Path, liar: LeadModel, hub: LoopbackHub
) -> None:
    liar.push_to_hub("demo/leads")
    without = retrained(place, "--model", "demo/leads")
    assert "Not published: publishing needs --push" in without.stdout
    assert len(HfApi().list_repo_commits("demo/leads")) == 2
    done = retrained(place, "--model", "demo/leads", "--push")
    assert done.returncode == 0, done.stderr
    newest = HfApi().list_repo_commits("demo/leads")[0]
    assert "Published (better): log loss" in newest.title + newest.message
    assert LeadModel.from_pretrained("demo/leads", "v2").config.gate is not None


def test_of_two_gates_at_a_repository_the_later_is_refused(
    champion: LeadModel, liar: LeadModel, hub: LoopbackHub
) -> None:
    liar.push_to_hub("demo/leads")
    with open_deployment("demo/leads", push=True) as one, open_deployment("demo/leads", push=True) as other:
        one.replace(champion, "first")
        with pytest.raises(HubError, match="Somebody else has committed"):
            other.replace(liar, "second")
    assert LeadModel.from_pretrained("demo/leads").config.sha256 == champion.config.sha256


def test_of_two_gates_at_a_folder_the_later_waits_for_another_day(place: Path) -> None:
    with open_deployment(place / "model", push=False):
        late = retrained(place, "--model", place / "model")
    assert late.returncode == 2
    assert "is being replaced by another run" in late.stderr
    assert "Traceback" not in late.stderr


def test_a_broken_champion_is_left_as_it_is(place: Path) -> None:
    config = place / "model" / "config.json"
    broken = json.loads(config.read_text())
    broken["sha256"] = "0" * 64
    config.write_text(json.dumps(broken))
    done = retrained(place, "--model", place / "model", "--force")
    assert done.returncode == 2
    assert "sha256" in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(config.read_text()) == broken


def test_power_lost_in_the_middle_leaves_the_champion_and_no_lock(place: Path) -> None:
    before = LeadModel.from_pretrained(place / "model").revision
    arguments = ["-m", "leadmodel", "retrain", "--data", place / "all.csv", "--model", place / "model"]
    process = subprocess.Popen(
        [sys.executable, *map(str, arguments)], cwd=ROOT, stderr=subprocess.PIPE, env=os.environ, text=True
    )
    assert process.stderr is not None
    while "fold 1" not in (shown := process.stderr.read(40)):
        assert shown, "the training ended before it was stopped"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert LeadModel.from_pretrained(place / "model").revision == before
    with open_deployment(place / "model", push=False) as held:
        assert held.champion.revision == before
