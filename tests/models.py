"""Train each model of the tests once, and share it between tests, workers and runs."""

import hashlib
from functools import cache
from pathlib import Path

import pandas as pd
from filelock import FileLock
from support import ROOT

from leadmodel.leads.recipe import Recipe
from leadmodel.model import LeadModel
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.publishing.files import read_folder
from leadmodel.training.interface import train_model

__all__ = ["trained"]

CACHE = ROOT / ".pytest_cache" / "models"


def trained(leads: pd.DataFrame, recipe: Recipe, settings: TrainingSettings) -> LeadModel:
    """Return the model that `train` makes of these arguments, from the cache if it is there.

    The cache's key is everything that makes a model: leads, recipe, settings, versions, and our code.
    """
    key = hashlib.sha256(_code())
    key.update(leads.to_csv().encode() + repr(leads.dtypes.tolist()).encode())
    key.update(recipe.model_dump_json().encode() + settings.model_dump_json().encode())
    folder = CACHE / key.hexdigest()
    CACHE.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            train_model(leads, recipe, settings).save_pretrained(folder)
    return LeadModel(read_folder(folder))


@cache
def _code() -> bytes:
    """Return a digest of the package and the versions that it is pinned to."""
    paths = [path for path in sorted((ROOT / "leadmodel").rglob("*")) if path.is_file()]
    sources = (path for path in [*paths, ROOT / "requirements.txt"] if "__pycache__" not in path.parts)
    return hashlib.sha256(b"".join(map(Path.read_bytes, sources))).digest()
