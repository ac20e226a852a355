"""Record a training run with trackio or MLflow."""

import contextlib
import importlib
import io
import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any, Protocol

from leadmodel.errors import InputError, quoted
from leadmodel.model import LeadModel

__all__ = ["Tracker", "folds_of", "metrics_of", "open_tracker", "parameters_of"]

MLFLOW = "mlflow:"
EXPERIMENT = "leadmodel"


class Tracker(Protocol):
    """Run that is being recorded.

    Attributes
    ----------
    address : str
        Where the run is: what the model is to name.
    """

    address: str

    def record(self, model: LeadModel) -> None:
        """Record the parameters, metrics and figures of `model`."""


@contextlib.contextmanager
def open_tracker(place: str, title: str) -> Iterator[Tracker]:
    """Start a run before training, so that an unreachable tracking server is reported at once.

    Parameters
    ----------
    place : str
        "PROJECT" for trackio on this machine, "PROJECT@USER/SPACE" for trackio on a Space, or
        "mlflow:URI" for MLflow, with "#EXPERIMENT" behind it where that is not "leadmodel".
    title : str
        What the run is about; its name begins so.

    Yields
    ------
    Tracker
        Whatever is raised before it ends marks the run as failed, where the place can tell.

    Raises
    ------
    InputError
        If the library lacks, or the place cannot be written to.
    """
    begin = _mlflow_run if place.startswith(MLFLOW) else _trackio_run
    with begin(place, _run_name(title)) as tracker:
        yield tracker


def parameters_of(model: LeadModel) -> dict[str, Any]:
    """Return the settings and parameters of a model by name."""
    record = model.config.training
    made = {f"settings.{name}": value for name, value in record.settings.items()}
    made |= {f"catboost.{name}": value for name, value in record.parameters.items()}
    facts = {"title": model.config.title, "n_train": record.n_train, "split": record.split}
    return made | facts | {"sha256": model.config.sha256, "seconds": record.seconds}


def folds_of(model: LeadModel) -> list[dict[str, float]]:
    """Return the metrics of each fold of the cross-validation."""
    return [{f"fold/{name}": value for name, value in fold.items()} for fold in model.evaluation.folds]


def metrics_of(model: LeadModel) -> dict[str, float]:
    """Return the metrics of the test leads with their intervals, and the cross-validated ones."""
    found = {f"cv/{name}": value for name, value in model.evaluation.cross_validated.items()}
    for name, estimate in model.evaluation.test.items():
        found |= {f"test/{name}": estimate.value}
        found |= {f"test/{name}_low": estimate.low, f"test/{name}_high": estimate.high}
    return found


class _Trackio:
    def __init__(self, trackio: ModuleType, run: Any, address: str) -> None:
        self._trackio, self._run, self.address = trackio, run, address

    def record(self, model: LeadModel) -> None:
        with _as_files(model) as figures, _quiet():
            self._run.config.update(parameters_of(model))
            folds = folds_of(model)
            for number, fold in enumerate(folds):
                self._run.log(fold, step=number)
            last = len(folds)
            self._run.log(metrics_of(model), step=last)
            pictures = {f"plots/{path.stem}": self._trackio.Image(path) for path in figures}
            self._run.log(pictures, step=last)


@contextlib.contextmanager
def _trackio_run(place: str, name: str) -> Iterator[Tracker]:
    trackio = _library("trackio", "trackio")
    project, _, space = place.partition("@")
    if not re.fullmatch(r"[\w.-]+", project) or (space and not re.fullmatch(r"[\w.-]+/[\w.-]+", space)):
        raise InputError(
            f"--track takes PROJECT, PROJECT@USER/SPACE or mlflow:URI. Got {quoted(place, 300)} instead."
        )
    with _reporting(place), _quiet():
        run = trackio.init(
            project, name=name, space_id=space or None, auto_log_cpu=False, auto_log_gpu=False, embed=False
        )
    try:
        yield _Trackio(trackio, run, f"trackio:{place}/{name}")
    finally:
        with _quiet():
            trackio.finish()


class _Mlflow:
    def __init__(self, mlflow: ModuleType, address: str) -> None:
        self._mlflow, self.address = mlflow, address

    def record(self, model: LeadModel) -> None:
        with _as_files(model) as figures:
            self._mlflow.log_params(parameters_of(model))
            for number, fold in enumerate(folds_of(model)):
                self._mlflow.log_metrics(fold, step=number)
            self._mlflow.log_metrics(metrics_of(model))
            for path in figures:
                self._mlflow.log_artifact(str(path), "plots")


@contextlib.contextmanager
def _mlflow_run(place: str, name: str) -> Iterator[Tracker]:
    mlflow = _library("mlflow", "mlflow")
    uri, _, experiment = place.removeprefix(MLFLOW).partition("#")
    with _reporting(place):
        mlflow.set_tracking_uri(uri)
        mlflow.set_experiment(experiment or EXPERIMENT)
        run = mlflow.start_run(run_name=name)
    with run:
        # Of the address only what names no password.
        yield _Mlflow(mlflow, f"mlflow:{experiment or EXPERIMENT}/{run.info.run_id}")


def _library(name: str, package: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise InputError(f"--track needs {name}, which is not installed: pip install {package}") from None


def _run_name(title: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40] or "leads"
    return f"{slug}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


@contextlib.contextmanager
def _reporting(place: str) -> Iterator[None]:
    """Raise any error of a tracking library as one InputError."""
    try:
        yield
    except Exception as error:
        raise InputError(f"--track {quoted(place, 300)}: the run cannot start: {error!s:.300}") from None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the output of trackio."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield


@contextlib.contextmanager
def _as_files(model: LeadModel) -> Iterator[list[Path]]:
    with TemporaryDirectory() as folder:
        paths = []
        for name, content in model.files.items():
            if name.startswith("plots/"):
                paths.append(Path(folder) / Path(name).name)
                paths[-1].write_bytes(content)
        yield paths
