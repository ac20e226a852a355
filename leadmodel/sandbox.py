"""What the process does in which a model is opened for the first time; see `verify_in_subprocess`.

It gets the files on its standard input, and writes what it is about to do line by line, so that it
is known what has killed it.
"""

import io
import json
import os
import sys
import zipfile
from contextlib import suppress
from typing import TextIO

import catboost
from catboost import Pool

from leadmodel.errors import InputError, ModelError
from leadmodel.model import LeadModel
from leadmodel.publishing.loading import read_config
from leadmodel.publishing.sandbox import SECONDS
from leadmodel.publishing.skops_archive import SEGMENTS_FILE, catboost_bytes, estimator_of
from leadmodel.serving.ui.self_check import check_ready

__all__ = ["main"]

MEGABYTES = 640
"""Of memory beyond what the libraries take, about 350: a gigabyte in all."""

EXTREMES = (0.0, 1.0, -1e9, 1e9, float("nan"))


def main() -> None:
    """Open, use and show the model, and say how that went."""
    told = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever CatBoost prints is not for the one who waits
    try:
        _limit()
        _open(told)
    except MemoryError:
        _tell(told, "refused", json.dumps(f"The model takes more than {MEGABYTES} MB of memory to open."))
    except InputError as error:
        _tell(told, "refused", json.dumps(str(error)))
    else:
        _tell(told, "done")


def _tell(told: TextIO, *words: str) -> None:
    told.write(" ".join(words) + "\n")
    told.flush()


def _limit() -> None:
    """Let whoever serves meanwhile go first, and bound time and memory where the system can."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        os.nice(10)
        used = resource.getrusage(resource.RUSAGE_SELF)
        seconds = int(used.ru_utime + used.ru_stime) + SECONDS
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
        with open("/proc/self/statm") as file:  # Linux alone holds a process to RLIMIT_DATA
            data = int(file.read().split()[5]) * resource.getpagesize()
        limit = data + MEGABYTES * 1_000_000
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _open(told: TextIO) -> None:
    with zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read())) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    for name in read_config(files).checksums:
        if name != SEGMENTS_FILE:  # no step of the segments' pipeline is ever run
            _tell(told, "using", name)
            _use(catboost_bytes(files[name], name), name)
    _tell(told, "using", "The model")
    check_ready(LeadModel(files))


def _use(blob: bytes, name: str) -> None:
    """Raise ModelError unless CatBoost can do with a model all that will be asked of it."""
    try:
        model = getattr(catboost, estimator_of(name))().load_model(blob=blob)
        texts = set(model.get_cat_feature_indices())
        places = range(len(model.feature_names_))
        rows = [["a" if place in texts else value for place in places] for value in EXTREMES]
        pool = Pool(rows, cat_features=sorted(texts))
        getattr(model, "predict_proba", model.predict)(pool, thread_count=1)
        model.set_scale_and_bias(1.0, 0.0)  # CatBoost explains none but such models
        model.get_feature_importance(pool, type="ShapValues", thread_count=1)
        model.calc_leaf_indexes(pool, thread_count=1)
        for tree in range(model.tree_count_):
            model._get_tree_splits(tree, pool)
    except Exception as error:  # whatever a damaged model makes it raise
        raise ModelError(f"{name} cannot be used: CatBoost refuses it ({error!s:.200}).") from None
