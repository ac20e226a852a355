"""Options can be taken out: their folder is deleted, and the core goes on."""

import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from support import ROOT, running_app

from leadmodel.model import LeadModel
from leadmodel.options import OPTIONS, installed
from leadmodel.publishing.config import ModelConfig

# Whole trainings in processes of their own: a busy machine takes minutes for them.
pytestmark = pytest.mark.timeout(1200)

TRAIN_AND_SCORE = """
import sys
import leadmodel
from leadmodel.leads.sample import SAMPLE_RECIPE, make_sample
from leadmodel.options import installed
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.training.interface import train_model
assert leadmodel.__file__.startswith(sys.argv[1]), leadmodel.__file__
leads = make_sample(600)
settings = TrainingSettings(max_trees=20, n_folds=2, n_members=1, race_below=0)
model = train_model(leads, SAMPLE_RECIPE, settings)
model.save_pretrained(sys.argv[1] + "/model")
model = leadmodel.LeadModel.from_pretrained(sys.argv[1] + "/model")
print(sorted(installed()), len(model.score(leads)), model.config.options, model.evaluation.options)
"""
CORE_ROOMS = ("decision", "prepare", "publishing", "report", "test_architecture.py")


@pytest.fixture(scope="module", params=OPTIONS)
def removed(request: pytest.FixtureRequest) -> str:
    """The name of an option whose folder is missing from the copy of the tree."""
    return request.param


@pytest.fixture(scope="module")
def copy(removed: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree without the folder of an option and its tests."""
    tree = tmp_path_factory.mktemp("tree")
    ignore = shutil.ignore_patterns(".*", "__pycache__", "benchmarks", "docs", "notebooks")
    shutil.copytree(ROOT, tree, ignore=ignore, dirs_exist_ok=True)
    room = OPTIONS[removed].split(".")[1]
    shutil.rmtree(tree / "leadmodel" / room)
    shutil.rmtree(tree / "tests" / room)
    return tree


def run(tree: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=tree, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_tree_without_an_option_trains_scores_and_serves(copy: Path, removed: str) -> None:
    printed = run(copy, "-c", TRAIN_AND_SCORE, str(copy))
    assert printed.splitlines()[-1] == f"{sorted(set(OPTIONS) - {removed})} 600 {{}} {{}}"
    lead = {"source": "Referral", "age": 40}
    with running_app(str(copy / "model"), cwd=copy) as address:
        answer = httpx.post(f"{address}/api/v1/score", json=lead).raise_for_status().json()
        page = httpx.get(address).raise_for_status().text
    assert 0 < answer["probability"] < 1
    assert "Synthetic EdTech leads" in page
    assert not {"segment", "expected_amount", "expected_value", "amount_interval"} & answer.keys()


def test_a_tree_without_an_option_passes_the_tests_of_the_core(copy: Path) -> None:
    rooms = [f"tests/{name}" for name in CORE_ROOMS]
    run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not (train or app or hub)", *rooms)


def test_options_add_their_entries_and_no_others(model: LeadModel) -> None:
    assert set(installed()) == set(OPTIONS)
    assert {"revenue", "segments"} <= set(ModelConfig.model_fields)
    assert model.config.options == model.evaluation.options == {}
    assert "segments" not in model.files["config.json"].decode()


def test_a_model_with_segments_has_one_entry_of_each_kind(model_of_kinds: LeadModel) -> None:
    option = installed()["segments"]
    assert set(model_of_kinds.config.options) == set(model_of_kinds.evaluation.options) == {"segments"}
    assert option.file in model_of_kinds.config.checksums
    assert option.summary(model_of_kinds.evaluation.options["segments"])[0].startswith("Segments: ")
    assert "### Segments" in model_of_kinds.files["README.md"].decode()
