"""Runs written down with trackio and with MLflow, each in a folder of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support import command

from leadmodel.model import LeadModel
from leadmodel.training.tracking import metrics_of, open_tracker, parameters_of

READ_TRACKIO = """
import json, trackio
from trackio.sqlite_storage import SQLiteStorage
[run] = trackio.Api().runs("demo")
logs = SQLiteStorage.get_logs("demo", run.name, run_id=run.id)
print(json.dumps([run.name, run.config, logs], default=str))
"""


def test_a_run_is_written_down_and_the_model_names_it(
    model: LeadModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    with open_tracker(f"mlflow:{(tmp_path / 'runs').as_uri()}#leads", "My leads!") as tracker:
        tracker.record(model)
    import mlflow

    kind, place = tracker.address.split(":")
    experiment, run_id = place.split("/")
    run = mlflow.get_run(run_id)
    assert (kind, experiment) == ("mlflow", "leads")
    assert run.info.status == "FINISHED"
    assert run.info.run_name.startswith("my-leads-")
    assert run.data.params == {name: str(value) for name, value in parameters_of(model).items()}
    assert {name: run.data.metrics[name] for name in metrics_of(model)} == metrics_of(model)
    client = mlflow.MlflowClient()
    history = client.get_metric_history(run_id, "fold/log_loss")
    assert [one.value for one in history] == [fold["log_loss"] for fold in model.evaluation.folds]
    pictures = {Path(one.path).name for one in client.list_artifacts(run_id, "plots")}
    assert pictures == {Path(name).name for name in model.files if name.startswith("plots/")}


def test_a_run_that_fails_is_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    with pytest.raises(RuntimeError, match="no more leads"):
        with open_tracker(f"mlflow:{(tmp_path / 'runs').as_uri()}", "leads") as tracker:
            raise RuntimeError("no more leads")
    import mlflow

    assert mlflow.get_run(tracker.address.split("/")[1]).info.status == "FAILED"


def test_train_tracks_with_trackio_on_this_machine(tmp_path: Path) -> None:
    place = {"TRACKIO_DIR": str(tmp_path / "runs")}
    done = command("train.py", "--track", "demo", "--output", tmp_path / "made", **place)
    assert done.returncode == 0, done.stderr
    made = LeadModel.from_pretrained(tmp_path / "made")
    address = made.config.training.run or ""
    assert address.startswith("trackio:demo/synthetic-edtech-leads-")
    assert f"The run is recorded as {address}\n" in done.stdout
    assert address in made.files["README.md"].decode()
    read = command("-c", READ_TRACKIO, **place)
    assert read.returncode == 0, read.stderr
    name, config, logs = json.loads(read.stdout)
    assert address == f"trackio:demo/{name}"
    assert config.items() >= json.loads(json.dumps(parameters_of(made))).items()
    folds = [entry["fold/log_loss"] for entry in logs if "fold/log_loss" in entry]
    assert folds == pytest.approx([fold["log_loss"] for fold in made.evaluation.folds])
    metrics = next(entry for entry in logs if "test/roc_auc" in entry)
    assert {name: metrics[name] for name in metrics_of(made)} == pytest.approx(metrics_of(made))
    pictures = next(entry for entry in logs if "plots/roc" in entry)
    assert {f"{name}.png" for name in pictures} >= {
        name for name in made.files if name.startswith("plots/")
    }


@pytest.mark.parametrize("place", ["two words", "a@b", "../up", "demo@a/b/c"])
def test_a_place_that_is_none_is_refused_before_the_training(place: str, tmp_path: Path) -> None:
    done = command("train.py", "--track", place, "--output", tmp_path / "made")
    assert done.returncode == 2
    assert done.stderr.startswith("train.py: --track takes PROJECT, PROJECT@USER/SPACE or mlflow:URI.")
    assert not (tmp_path / "made").exists()


def test_a_place_that_cannot_be_written_to_is_told_in_one_message(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file, no folder")
    options = ("--track", f"mlflow:{(tmp_path / 'runs').as_uri()}", "--output", tmp_path / "made")
    done = command("train.py", *options, MLFLOW_ALLOW_FILE_STORE="true")
    assert done.returncode == 2
    assert "the run cannot start" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_library_that_lacks_is_named_with_the_command_that_installs_it() -> None:
    lacking = "import sys; sys.modules['trackio'] = None; "
    code = lacking + "from leadmodel.cli import train; train.main(['--track', 'demo'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "InputError: --track needs trackio, which is not installed: pip install trackio" in done.stderr


def test_the_folds_metrics_are_those_of_their_leads(model: LeadModel) -> None:
    folds = [fold["log_loss"] for fold in model.evaluation.folds]
    assert len(folds) == model.config.training.settings["n_folds"]
    # Folds of equal size: their mean is the log loss of all leads.
    assert sum(folds) / len(folds) == pytest.approx(model.evaluation.cross_validated["log_loss"], rel=1e-3)
    assert json.loads(model.files["metrics.json"])["folds"][0]["log_loss"] == folds[0]
