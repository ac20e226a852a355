"""A published model as files: written whole or not at all, opened only if it can be trusted."""

import hashlib
import os
import re
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import skops.io
from sklearn.pipeline import Pipeline

from leadmodel.atomic import staged_folder
from leadmodel.errors import InputError, ModelError, quoted
from leadmodel.publishing.skops_archive import (
    MODEL_FILE,
    REVENUE_FILE,
    SEGMENTS_FILE,
    check_archive,
    estimator_of,
)

__all__ = [
    "ALLOWED_FILES",
    "MODEL_FILE",
    "REQUIRED_FILES",
    "SEGMENTS_FILE",
    "TRUSTED_TYPES",
    "Files",
    "check_replaceable",
    "check_sha256",
    "check_sizes",
    "dump_pipeline",
    "is_folder",
    "is_ours",
    "is_own",
    "load_pipeline",
    "read_folder",
    "trusted_types",
    "write_folder",
]

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

OPTIONAL_FILES = ("plots/*.png", "parts/*.skops", REVENUE_FILE, SEGMENTS_FILE)
PLOTS = {
    *("confusion", "gains", "importance", "lift", "precision_recall"),
    *("probabilities", "profit", "reliability", "revenue", "roc"),
}
ALLOWED_FILES = (*REQUIRED_FILES, *OPTIONAL_FILES)
"""All that is ever read of a repository."""

MAX_BYTES = {"skops": 200_000_000, "other": 5_000_000}
MAX_FOLDER_BYTES = 250_000_000
MAX_OPTIONAL = 50
"""Files of each optional kind."""

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")

Files = dict[str, bytes]


def trusted_types(file: str) -> tuple[str, ...]:
    """Return `TRUSTED_TYPES`, with what a file of this name ends in instead of the classifier."""
    last = () if file == SEGMENTS_FILE else (f"catboost.core.{estimator_of(file)}",)
    return (*last, *TRUSTED_TYPES[1:])


def dump_pipeline(pipeline: Pipeline, name: str = MODEL_FILE) -> bytes:
    """Return `pipeline` as the content of a skops file that `load_pipeline` accepts by this name.

    Raises
    ------
    ModelError
        If it holds a type that a reader would refuse.
    """
    content = skops.io.dumps(pipeline, compression=zipfile.ZIP_DEFLATED)
    check_archive(content, name)
    return content


def load_pipeline(content: bytes, sha256: str, name: str = MODEL_FILE) -> Pipeline:
    """Open the content of a skops file.

    Parameters
    ----------
    content : bytes
        The file.
    sha256 : str
        The checksum that it must have, in hexadecimal.
    name : str
        What the file is called: it tells what may be in it, and what the pipeline must end in.

    Raises
    ------
    ModelError
        If the checksum differs, the file is damaged, or it names a type outside the allow-list.
        Nothing of the file has run by then.
    """
    check_sha256(content, sha256, name)
    check_archive(content, name)
    try:
        pipeline = skops.io.loads(content, trusted=trusted_types(name))
        sound = isinstance(pipeline, Pipeline) and type(pipeline[-1]).__name__ == estimator_of(name)
    except Exception as error:  # whatever a damaged state raises, the file is to blame
        raise ModelError(f"{name} cannot be opened: {type(error).__name__}: {error!s:.200}.") from None
    if not sound:
        raise ModelError(f"{name} must have a Pipeline that ends in a {estimator_of(name)}.")
    return pipeline


def check_sha256(content: bytes, sha256: str, name: str = MODEL_FILE) -> None:
    """Raise ModelError unless a model file has the checksum that config.json names."""
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ModelError(
            f"{name} must have the sha256 {sha256[:12]}… that config.json names. "
            f"It has {found[:12]}…: the file was changed or damaged; download the model again."
        )


def check_sizes(sizes: Mapping[str, int]) -> None:
    """Raise ModelError if the files of a model, by name and size in bytes, are too many or too large."""
    for kind in OPTIONAL_FILES:
        if sum(PurePosixPath(name).match(kind) for name in sizes) > MAX_OPTIONAL:
            raise ModelError(
                f"A model has at most {MAX_OPTIONAL} {kind.partition('/')[0]}. This one has more."
            )
    for name, size in sizes.items():
        limit = MAX_BYTES["skops" if name.endswith(".skops") else "other"]
        if is_ours(name) and size > limit:
            raise ModelError(f"{name} must have at most {limit:,} bytes. It has {size:,}.")
    if (total := sum(size for name, size in sizes.items() if is_ours(name))) > MAX_FOLDER_BYTES:
        raise ModelError(f"A model must have at most {MAX_FOLDER_BYTES:,} bytes. This one has {total:,}.")


def is_ours(name: str) -> bool:
    """Whether a model has a file of this name."""
    return name in (*REQUIRED_FILES, REVENUE_FILE, SEGMENTS_FILE) or any(
        "/" in kind and PurePosixPath(name).match(kind) for kind in OPTIONAL_FILES
    )


def is_own(name: str) -> bool:
    """Return whether a model makes a file of this name; other pictures in plots/ are somebody's own."""
    return is_ours(name) and (
        PurePosixPath(name).parent.name != "plots" or PurePosixPath(name).stem in PLOTS
    )


def is_folder(source: str | Path) -> bool:
    """Whether `source` names a folder, rather than a repository such as "USER/MODEL"."""
    path = Path(source)
    is_name = isinstance(source, str) and _REPOSITORY.fullmatch(source) is not None
    return not is_name or path.exists() or _previous(path).exists()


def read_folder(folder: str | Path, root: Path | None = None) -> Files:
    """Return the files of a model folder by name, such as "plots/roc.png".

    Parameters
    ----------
    folder : str or Path
        The folder.
    root : Path, optional
        Where its files may really lie, links followed; the folder itself by default.

    Raises
    ------
    ModelError
        If the folder or a file of it is missing, unreadable, too large, or leaves the folder by a link.
    """
    try:
        return _read(Path(folder), root)
    except OSError as error:
        raise ModelError(
            f"The model in {str(folder)!r} cannot be read: "
            f"{error.filename or 'a file'} ({error.strerror or error})."
        ) from None


def _read(folder: Path, root: Path | None) -> Files:
    if not folder.is_dir():
        # A save that was killed between its two renames leaves the old model beside its place.
        folder = previous if (previous := _previous(folder)).is_dir() else folder
    if not folder.is_dir():
        raise ModelError(
            f"{quoted(str(folder), 300)} is not a model: there is no such folder here, and a repository on "
            "the Hub is named USER/MODEL."
        )
    missing = [name for name in REQUIRED_FILES if not (folder / name).is_file()]
    if missing:
        raise ModelError(f"The folder {str(folder)!r} is not a model: it lacks {', '.join(missing)}.")
    found = (path for kind in OPTIONAL_FILES for path in folder.glob(kind))
    optional = sorted(path.relative_to(folder).as_posix() for path in found)
    paths = {name: _within(folder / name, root or folder) for name in (*REQUIRED_FILES, *optional)}
    check_sizes({name: path.stat().st_size for name, path in paths.items()})
    return {name: path.read_bytes() for name, path in paths.items()}


def _within(path: Path, root: Path) -> Path:
    real = path.resolve()
    if not real.is_relative_to(root.resolve()) or not real.is_file():
        raise ModelError(f"{path.name} must be a file of the model's folder. It leads out of it.")
    return real


def check_replaceable(folder: str | Path) -> None:
    """Raise InputError unless `folder` is free, empty, or holds a model."""
    folder = Path(folder)
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (folder / MODEL_FILE).is_file() or not (folder / "config.json").is_file():
        raise InputError(
            f"The output {str(folder)!r} must be a new folder, or one with a model to replace. "
            "It contains something else; name another with --output."
        )
    paths = (path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    folders = {kind.partition("/")[0] for kind in OPTIONAL_FILES}
    foreign = sorted(name for name in paths if not (name in folders or is_ours(name)))
    if foreign:
        raise InputError(
            f"The output {str(folder)!r} contains more than a model, and replacing it would delete "
            f"{', '.join(foreign[:5])}. Move that away, or name another folder with --output."
        )


def write_folder(folder: str | Path, files: Mapping[str, bytes]) -> None:
    """Write `files` into `folder` in place of the model that is there.

    Everything is written beside the folder first and then moved into place, so that whoever
    kills the run at any moment leaves a whole model, the old one or the new one.

    Raises
    ------
    InputError
        If the folder holds something other than a model, or cannot be written to.
    """
    try:
        folder = Path(folder).resolve()
        check_replaceable(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with staged_folder(folder) as place:
            for name, content in files.items():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                with (place / name).open("wb") as file:
                    file.write(content)
                    file.flush()
                    # Before the renames, or a power cut could leave a whole folder of empty files.
                    os.fsync(file.fileno())
            _exchange(place, folder)
    except OSError as error:
        raise InputError(
            f"The model cannot be saved in {str(folder)!r} ({error.strerror or error}). Make room, or "
            "name a folder that can be written to."
        ) from None


def _exchange(place: Path, folder: Path) -> None:
    """Move `place` to the place of `folder`; `read_folder` knows the state between the renames."""
    previous = _previous(folder)
    if folder.exists():
        shutil.rmtree(previous, ignore_errors=True)
        folder.rename(previous)
    place.rename(folder)
    shutil.rmtree(previous, ignore_errors=True)


def _previous(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}-previous")
