"""Keep models that took long to fit, so that an interrupted run resumes where it stopped."""

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pandas as pd
from catboost import CatBoostClassifier

from leadmodel.arrays import Ints
from leadmodel.atomic import atomic_write

__all__ = ["checkpoints", "fit_or_load"]

# A context variable, because every fit would have to pass the folder on otherwise, from the command line
# through folds, race, search and segment models.
_PLACE: ContextVar[tuple[Path, float] | None] = ContextVar("checkpoints", default=None)


@contextmanager
def checkpoints(folder: Path, *, resume: bool, min_seconds: float = 5.0) -> Iterator[None]:
    """Keep the models that are fitted in this block in a folder, which is removed if the block succeeds.

    Parameters
    ----------
    folder : Path
        Made when the first model is kept.
    resume : bool
        Whether models that an earlier run left there are used; they are deleted otherwise.
    min_seconds : float
        Time of a fit from which on it is worth a file.
    """
    if not resume:
        shutil.rmtree(folder, ignore_errors=True)
    token = _PLACE.set((folder, min_seconds))
    try:
        yield
    finally:
        _PLACE.reset(token)
    shutil.rmtree(folder, ignore_errors=True)


def fit_or_load(
    fit: Callable[[], CatBoostClassifier], parameters: dict[str, Any], *leads: tuple[pd.DataFrame, Ints]
) -> CatBoostClassifier:
    """Fit a classifier, or load it if an interrupted run fitted it to the same leads.

    Parameters
    ----------
    fit : callable
        Fits and returns the classifier.
    parameters : dict
        All that the classifier depends on but the leads.
    *leads : tuple of DataFrame and array
        Leads and outcomes that it is fitted to, and those that stop it.
    """
    place = _PLACE.get()
    if place is None:
        return fit()
    folder, min_seconds = place
    path = folder / f"{_fingerprint(parameters, leads)}.cbm"
    if path.exists():
        return CatBoostClassifier().load_model(str(path))
    started = time.perf_counter()
    classifier = fit()
    if time.perf_counter() - started >= min_seconds:
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as staged:
            classifier.save_model(str(staged))
    return classifier


def _fingerprint(parameters: dict[str, Any], leads: tuple[tuple[pd.DataFrame, Ints], ...]) -> str:
    digest = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode())
    for X, y in leads:
        digest.update("\0".join(X.columns).encode())
        digest.update(pd.util.hash_pandas_object(X, index=False).to_numpy().tobytes())
        digest.update(y.tobytes())
    return digest.hexdigest()[:32]
