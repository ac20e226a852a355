"""Pull the files of a model repository: from the Hub, or from the cache where it is silent."""

import errno
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import HfApi, constants, snapshot_download
from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

from leadmodel.errors import ModelError, UnreachableError, quoted
from leadmodel.publishing.files import ALLOWED_FILES, Files, check_sizes, read_folder
from leadmodel.publishing.hub.client import reading, reason

__all__ = ["Pulled", "latest_commit", "pull"]

PATIENCE = 10.0
"""Seconds to wait for the Hub's word on a revision where there is nothing else to serve."""

PATIENCE_IF_CACHED = 0.5
"""The same where the cache can serve: an app must start within a second of the Hub's silence."""

_OF_THE_DISK = {
    getattr(errno, name, -1)
    for name in (
        "EACCES",
        "EDQUOT",
        "EEXIST",
        "EFBIG",
        "EIO",
        "ENOENT",
        "ENOSPC",
        "ENOTDIR",
        "EPERM",
        "EROFS",
    )
}
"""Errors of the cache; what goes wrong on the way to the Hub has no number, or another."""


@dataclass(frozen=True)
class Pulled:
    """The files of a model repository at one commit.

    Attributes
    ----------
    files : dict of str to bytes
        By name, as `leadmodel.publishing.files.read_folder` returns them.
    commit : str
        The commit that they are of.
    notice : str
        What the caller should know, such as that the Hub did not answer; empty if nothing.
    """

    files: Files
    commit: str
    notice: str = ""


def latest_commit(repo_id: str, revision: str | None = None, *, patience: float = PATIENCE) -> str:
    """Return the commit that `revision` stands for now, by default that of the main branch.

    Raises
    ------
    ModelError
        If there is no such repository or revision, or it may not be read.
    OSError
        If the Hub does not answer within `patience` seconds, or fails.
    """
    with reading(repo_id, revision):
        return str(HfApi().model_info(repo_id, revision=revision, timeout=patience).sha)


def pull(repo_id: str, revision: str | None = None, *, anew: bool = False) -> Pulled:
    """Return the files of a model repository.

    Parameters
    ----------
    repo_id : str
        Such as "USER/MODEL".
    revision : str, optional
        Branch, tag or commit; the main branch by default.
    anew : bool
        Whether to download what the cache holds already.

    Raises
    ------
    UnreachableError
        If the Hub does not answer, and the cache does not hold the model.
    ModelError
        If there is no such model, or it may not be read, lacks a file, or holds one that is
        too large or leads out of it; or if the cache cannot be used.
    """
    cached = None
    try:
        cached = _cached(repo_id, revision)
        _check_there(repo_id, revision, PATIENCE if cached is None else PATIENCE_IF_CACHED)
        with reading(repo_id, revision):
            folder = _snapshot(repo_id, revision, anew=anew)
        return Pulled(_read_snapshot(folder), folder.name)
    except OSError as error:
        if error.errno in _OF_THE_DISK:
            problem = f"The cache {constants.HF_HOME!r} cannot be used ({reason(error)})"
            if cached is None:
                raise ModelError(f"{problem}. Make room, or set HF_HOME to a folder of yours.") from None
            return Pulled(
                _read_snapshot(cached), cached.name, f"{problem}: {repo_id} is served as it was before."
            )
        if cached is None:
            raise UnreachableError(
                f"The model {quoted(repo_id)} cannot be pulled from {constants.ENDPOINT} "
                f"({reason(error)}), and the cache does not hold it. Check the address and the "
                "network, or name a folder."
            ) from None
        notice = f"The Hub did not answer ({reason(error)}): {repo_id} is served from the cache."
        return Pulled(_read_snapshot(cached), cached.name, notice)


def _check_there(repo_id: str, revision: str | None, patience: float) -> None:
    """Raise before the download where there is nothing, or too much, to be had."""
    with reading(repo_id, revision):
        info = HfApi().model_info(repo_id, revision=revision, files_metadata=True, timeout=patience)
    check_sizes({file.rfilename: file.size or 0 for file in info.siblings or []})


def _cached(repo_id: str, revision: str | None) -> Path | None:
    try:
        return _snapshot(repo_id, revision, cached=True)
    except (LocalEntryNotFoundError, HFValidationError):
        return None


def _snapshot(repo_id: str, revision: str | None, *, cached: bool = False, anew: bool = False) -> Path:
    # By the name of the revision, not its commit, so that the cache knows the name as well.
    folder = snapshot_download(
        repo_id,
        revision=revision,
        allow_patterns=list(ALLOWED_FILES),
        local_files_only=cached,
        force_download=anew,
    )
    return Path(folder)


def _read_snapshot(folder: Path) -> Files:
    # The cache keeps contents in blobs/, and snapshots/COMMIT/ links to them.
    return read_folder(folder, root=folder.parents[1])
