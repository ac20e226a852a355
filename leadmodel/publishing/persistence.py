"""A published model as files: written whole or not at all, opened only if it can be trusted."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from zipfile import BadZipFile

import skops.io
from catboost import CatBoostClassifier
from sklearn.pipeline import Pipeline

from leadmodel.errors import InputError, ModelError

__all__ = [
    "MODEL_FILE",
    "REQUIRED_FILES",
    "TRUSTED_TYPES",
    "check_replaceable",
    "dump_pipeline",
    "load_pipeline",
    "read_folder",
    "write_folder",
]

MODEL_FILE = "model.skops"
REQUIRED_FILES = (
    "README.md",
    MODEL_FILE,
    "config.json",
    "metrics.json",
    "profile.json",
    "requirements.txt",
)
TRUSTED_TYPES = ("catboost.core.CatBoostClassifier", "numpy.dtype")
"""All that a model file may name beyond what skops itself trusts; never read from the file."""

Files = dict[str, bytes]


def dump_pipeline(pipeline: Pipeline) -> bytes:
    """Return `pipeline` as the content of a skops file that `load_pipeline` accepts.

    Raises
    ------
    ModelError
        If it holds a type that a reader would refuse.
    """
    content = skops.io.dumps(pipeline)
    _check_types(content)
    return content


def load_pipeline(content: bytes, sha256: str) -> Pipeline:
    """Open the content of a skops file.

    Parameters
    ----------
    content : bytes
        The file.
    sha256 : str
        The checksum that it must have, in hexadecimal.

    Raises
    ------
    ModelError
        If the checksum differs, the file is damaged, or it names a type outside the allow-list.
        Nothing of the file has run by then.
    """
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ModelError(
            f"{MODEL_FILE} must have the sha256 {sha256[:12]}… that config.json names. "
            f"It has {found[:12]}…: the file was changed or damaged; get the model anew."
        )
    _check_types(content)
    pipeline = skops.io.loads(content, trusted=TRUSTED_TYPES)
    if not isinstance(pipeline, Pipeline) or not isinstance(pipeline[-1], CatBoostClassifier):
        raise ModelError(f"{MODEL_FILE} must hold a Pipeline that ends in a CatBoostClassifier.")
    return pipeline


def _check_types(content: bytes) -> None:
    try:
        untrusted = skops.io.get_untrusted_types(data=content)
    except (BadZipFile, KeyError, ValueError, TypeError) as error:
        raise ModelError(f"{MODEL_FILE} is not a skops file: {error}.") from None
    if foreign := sorted(set(untrusted) - set(TRUSTED_TYPES)):
        raise ModelError(f"{MODEL_FILE} names types that are not trusted: {', '.join(foreign)}.")


def read_folder(folder: str | Path) -> Files:
    """Return the files of a model folder by name, such as "plots/roc.png".

    Raises
    ------
    ModelError
        If the folder or a file of it is missing.
    """
    folder = Path(folder)
    if not folder.is_dir():
        # A save that was killed between its two renames leaves the old model beside its place.
        folder = previous if (previous := _previous(folder)).is_dir() else folder
    missing = [name for name in REQUIRED_FILES if not (folder / name).is_file()]
    if missing:
        raise ModelError(f"The folder {str(folder)!r} is not a model: it lacks {', '.join(missing)}.")
    paths = [folder / name for name in REQUIRED_FILES] + sorted(folder.glob("plots/*.png"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def check_replaceable(folder: str | Path) -> None:
    """Raise InputError unless `folder` is free, empty, or holds a model."""
    folder = Path(folder)
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (folder / MODEL_FILE).is_file() or not (folder / "config.json").is_file():
        raise InputError(
            f"The output {str(folder)!r} must be a new folder, or one with a model to replace. "
            "It holds something else; name another with --output."
        )


def write_folder(folder: str | Path, files: Mapping[str, bytes]) -> None:
    """Write `files` into `folder` in place of the model that is there.

    Everything is written beside the folder first and then moved into place, so that whoever
    kills the run at any moment leaves a whole model, the old one or the new one.

    Raises
    ------
    InputError
        If the folder holds something other than a model.
    """
    folder = Path(folder).resolve()
    check_replaceable(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, content in files.items():
            _write_file(staged / name, content)
        staged.chmod(0o755)
        _exchange(staged, folder)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _write_file(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _exchange(staged: Path, folder: Path) -> None:
    """Move `staged` to the place of `folder`; `read_folder` knows the state between the renames."""
    previous = _previous(folder)
    if folder.exists():
        shutil.rmtree(previous, ignore_errors=True)
        folder.rename(previous)
    staged.rename(folder)
    shutil.rmtree(previous, ignore_errors=True)


def _previous(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}-previous")
