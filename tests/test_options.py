"""Options can be taken out: their folder is deleted, and the core goes on."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT

from leadmodel.model import LeadModel
from leadmodel.options import OPTIONS, installed
from leadmodel.publishing.config import ModelConfig

# Whole trainings in processes of their own: a busy machine takes minutes for them.
pytestmark = pytest.mark.timeout(1200)

CORE_TESTS = ("tests/prepare/test_data.py", "tests/publishing/test_config.py")
TRAIN_AND_SCORE = """
import sys
import leadmodel
from leadmodel.leads.sample import make_sample
from leadmodel.options import installed
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.leads.sample import SAMPLE_RECIPE
from leadmodel.training.interface import train_model
assert leadmodel.__file__.startswith(sys.argv[1]), leadmodel.__file__
leads = make_sample(600)
model = train_model(leads, SAMPLE_RECIPE, TrainingSettings(max_trees=20, n_folds=2, n_members=1))
model.save_pretrained(sys.argv[1] + "/model")
model = leadmodel.LeadModel.from_pretrained(sys.argv[1] + "/model")
print(sorted(installed()), len(model.score(leads)), model.config.segments, model.evaluation.segments)
"""


@pytest.fixture(scope="module")
def without_clusters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree that lacks the folder of segments."""
    copy = tmp_path_factory.mktemp("tree")
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "leadmodel", copy / "leadmodel", ignore=ignore)
    shutil.copytree(ROOT / "tests", copy / "tests", ignore=ignore)
    for name in ("pyproject.toml", "README.md", "requirements.txt"):
        shutil.copyfile(ROOT / name, copy / name)
    shutil.rmtree(copy / "leadmodel" / "clusters")
    return copy


def run(copy: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=copy, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_tree_without_segments_trains_saves_opens_and_scores(without_clusters: Path) -> None:
    printed = run(without_clusters, "-c", TRAIN_AND_SCORE, str(without_clusters))
    assert printed.splitlines()[-1] == "['revenue'] 600 None None"


def test_a_tree_without_segments_passes_tests_of_the_core(without_clusters: Path) -> None:
    printed = run(without_clusters, "-m", "pytest", "-q", "-p", "no:cacheprovider", *CORE_TESTS)
    assert "passed" in printed


def test_options_add_their_entries_and_no_others(model: LeadModel) -> None:
    assert set(installed()) == set(OPTIONS)
    assert {"revenue", "segments"} <= set(ModelConfig.model_fields)
    assert model.config.entries() == model.evaluation.entries() == {}
    assert "segments" not in model.files["config.json"].decode()
    with pytest.raises(AttributeError, match="'ModelConfig' object has no attribute 'clusters'"):
        _ = model.config.clusters


def test_a_model_with_segments_has_one_entry_of_each_kind(model_of_kinds: LeadModel) -> None:
    option = installed()["segments"]
    assert set(model_of_kinds.config.entries()) == set(model_of_kinds.evaluation.entries()) == {"segments"}
    assert option.file in model_of_kinds.config.checksums
    assert option.summary(model_of_kinds.evaluation.segments)[0].startswith("Segments: ")
    assert "### Segments" in model_of_kinds.files["README.md"].decode()
