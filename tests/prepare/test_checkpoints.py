import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from catboost import CatBoostClassifier

from leadmodel.prepare.checkpoints import checkpoints, fit_or_load

RNG = np.random.default_rng(0)
X = pd.DataFrame({"pages": RNG.normal(size=300), "source": pd.Categorical(RNG.choice(["a", "b"], 300))})
Y = (RNG.random(300) < 1 / (1 + np.exp(-X["pages"]))).to_numpy(np.int64)
PARAMETERS = {"iterations": 20, "allow_writing_files": False, "verbose": False}


class Interrupted(Exception):
    """Stands for whatever ends a run early."""


def fit(calls: list[str]) -> CatBoostClassifier:
    calls.append("fitted")
    return CatBoostClassifier(**PARAMETERS).fit(X, Y, cat_features=["source"])


def interrupted(folder: Path, calls: list[str]) -> None:
    with (
        pytest.raises(Interrupted, match="power cut"),
        checkpoints(folder, resume=False, min_seconds=0),
    ):
        fit_or_load(lambda: fit(calls), PARAMETERS, (X, Y))
        raise Interrupted("power cut")


def test_an_interrupted_run_does_not_fit_the_same_model_again(tmp_path: Path) -> None:
    calls: list[str] = []
    folder = tmp_path / "model.unfinished"
    interrupted(folder, calls)
    with checkpoints(folder, resume=True, min_seconds=0):
        again = fit_or_load(lambda: fit(calls), PARAMETERS, (X, Y))
    assert calls == ["fitted"]
    assert np.array_equal(again.predict_proba(X), fit([]).predict_proba(X))
    assert not folder.exists()


@pytest.mark.parametrize("change", ["leads", "outcomes", "parameters"])
def test_a_run_that_differs_fits_anew(tmp_path: Path, change: str) -> None:
    calls: list[str] = []
    interrupted(tmp_path / "kept", calls)
    other = X.assign(pages=X["pages"] + 1) if change == "leads" else X
    y = 1 - Y if change == "outcomes" else Y
    parameters = PARAMETERS | ({"iterations": 21} if change == "parameters" else {})
    with checkpoints(tmp_path / "kept", resume=True, min_seconds=0):
        fit_or_load(lambda: fit(calls), parameters, (other, y))
    assert calls == ["fitted", "fitted"]


def test_without_resume_nothing_of_an_earlier_run_is_used(tmp_path: Path) -> None:
    calls: list[str] = []
    interrupted(tmp_path / "kept", calls)
    interrupted(tmp_path / "kept", calls)
    assert calls == ["fitted", "fitted"]


def test_short_fits_are_not_kept(tmp_path: Path) -> None:
    with checkpoints(tmp_path / "kept", resume=True):
        fit_or_load(lambda: fit([]), PARAMETERS, (X, Y))
        assert not (tmp_path / "kept").exists()


RUN = """
import os
import sys
from pathlib import Path
from leadmodel.leads.sample import SAMPLE_RECIPE, make_sample
from leadmodel.prepare.checkpoints import checkpoints
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.training.interface import train_model
folder, resume = Path(sys.argv[1]), sys.argv[2] == "resume"
settings = TrainingSettings(n_members=2, race_below=0, max_trees=60)
with checkpoints(folder / "unfinished", resume=resume, min_seconds=0):
    model = train_model(make_sample(1500), SAMPLE_RECIPE, settings)
    print(model.predict_proba(make_sample(200, 3)).tolist(), flush=True)
    os._exit(0)  # leaves the folder for the test to look at
"""


def run(folder: Path, how: str) -> str:
    command = [sys.executable, "-c", RUN, str(folder), how]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.train
def test_a_killed_training_resumes_with_the_models_that_it_had(tmp_path: Path) -> None:
    kept = tmp_path / "unfinished"
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(tmp_path), "anew"], stdout=subprocess.DEVNULL
    )
    while not list(kept.glob("*.cbm")):
        assert process.poll() is None, "the training ended before it could be killed"
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    written = {path: path.stat().st_mtime_ns for path in kept.glob("*.cbm")}
    assert len(written) < 7, "the training was complete already"
    resumed = run(tmp_path, "resume")
    # Two more models than folds; those that were there have not been fitted again.
    assert len(list(kept.glob("*.cbm"))) == 7
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in written.items())
    assert resumed == run(tmp_path / "other", "anew")
