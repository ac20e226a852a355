"""What the tests share: small models, made once."""

from pathlib import Path

import pandas as pd
import pytest

from leadmodel.leads.sample import SAMPLE_RECIPE, make_sample
from leadmodel.model import LeadModel
from leadmodel.training.run import train
from leadmodel.training.settings import TrainingSettings

REAL_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def quick() -> TrainingSettings:
    """Settings that train in a second or two."""
    return TrainingSettings(max_trees=60, n_folds=3, n_members=2)


@pytest.fixture(scope="session")
def sample() -> pd.DataFrame:
    """A small synthetic table of leads."""
    return make_sample(1200, random_state=3)


@pytest.fixture(scope="session")
def model(sample: pd.DataFrame, quick: TrainingSettings) -> LeadModel:
    """A model of the small sample."""
    return train(sample, SAMPLE_RECIPE, quick)


@pytest.fixture
def folder(model: LeadModel, tmp_path: Path) -> Path:
    """That model as a folder of one's own."""
    path = tmp_path / "published"
    model.save_pretrained(path)
    return path


@pytest.fixture
def real_data() -> Path:
    """The folder of real lead data, beside the project on the developers' machines."""
    if not REAL_DATA.is_dir():
        pytest.skip("the real lead data are not part of the project")
    return REAL_DATA
