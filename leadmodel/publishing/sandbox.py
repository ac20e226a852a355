"""Use a CatBoost model for the first time in a process of its own.

CatBoost's loader is C++: a manipulated model can end the process that opens it, and no check of
the bytes tells beforehand. A model that has proved itself is remembered by its checksum, so that
the next start costs nothing.
"""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from huggingface_hub import cached_assets_path

from leadmodel.errors import ModelError
from leadmodel.publishing.allowlist import catboost_bytes, check_archive, estimator_of
from leadmodel.publishing.config import installed_versions
from leadmodel.publishing.files import MODEL_FILE, SEGMENTS_FILE, check_sha256

__all__ = ["mark_verified", "verify_in_subprocess"]

PATIENCE = 120
"""Seconds that a first use may take."""

_FIRST_USE = """
import os, sys
if hasattr(os, "nice"):
    os.nice(10)  # an app that serves meanwhile goes first
import catboost
from catboost import Pool
model = getattr(catboost, sys.argv[1])().load_model(blob=sys.stdin.buffer.read())
texts = set(model.get_cat_feature_indices())
places = range(len(model.feature_names_))
rows = [["a" if place in texts else value for place in places]
        for value in (0.0, 1.0, -1e9, 1e9, float("nan"))]
pool = Pool(rows, cat_features=sorted(texts))
getattr(model, "predict_proba", model.predict)(pool)
model.set_scale_and_bias(1.0, 0.0)  # CatBoost explains none but such models
model.get_feature_importance(pool, type="ShapValues")
model.calc_leaf_indexes(pool)
for tree in range(model.tree_count_):
    model._get_tree_splits(tree, pool)
"""


def verify_in_subprocess(content: bytes, sha256: str, name: str = MODEL_FILE) -> None:
    """Use the CatBoost model of a skops file, if any, elsewhere first, unless that has gone well before.

    Parameters
    ----------
    content : bytes
        The file.
    sha256 : str
        The checksum that config.json names, in hexadecimal.
    name : str
        What the file is called: it tells of which class the model must be.

    Raises
    ------
    ModelError
        If the file is not what config.json names or may not be opened, or its use fails.
    """
    check_sha256(content, sha256, name)
    check_archive(content, name)
    if name == SEGMENTS_FILE or _marker(sha256).exists():
        return  # no step of the segments' pipeline is ever run, its numbers are read off
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", _FIRST_USE, estimator_of(name)],
            input=catboost_bytes(content, name),
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            env={},  # no token, no proxy, nothing of the user's
        )
    except subprocess.TimeoutExpired:
        raise ModelError(f"{name} cannot be used: its first use took over {PATIENCE} s.") from None
    if done.returncode:
        raise ModelError(f"{name} cannot be used: {_reason(done)}.")
    mark_verified(sha256)


def mark_verified(sha256: str) -> None:
    """Note that the model of this checksum has been used without harm."""
    # Where the cache cannot be written, the next start rehearses again.
    with suppress(OSError):
        _marker(sha256).touch()


def _marker(sha256: str) -> Path:
    catboost = f"catboost-{installed_versions()['catboost']}"
    folder = Path(cached_assets_path(library_name="leadmodel", namespace="rehearsed", subfolder=catboost))
    return folder / sha256


def _reason(done: "subprocess.CompletedProcess[bytes]") -> str:
    if done.returncode < 0:
        return f"CatBoost dies of it (signal {-done.returncode}); the model inside is damaged or hostile"
    last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
    return f"CatBoost refuses it ({last[0][:200] if last else 'no reason given'})"
