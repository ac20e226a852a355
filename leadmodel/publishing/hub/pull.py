"""Pull the files of a model repository: from the Hub, or from the cache where it is silent."""

import errno
import hashlib
import re
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from huggingface_hub import HfApi, ResolvedRevision, constants, snapshot_download
from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError, RevisionNotFoundError
from huggingface_hub.hf_api import ModelInfo, RepoSibling

from leadmodel.atomic import atomic_write
from leadmodel.errors import ModelError, UnreachableError, quoted
from leadmodel.publishing.files import ALLOWED_FILES, REQUIRED_FILES, Files, check_sizes, read_folder
from leadmodel.publishing.hub.client import reading, reason

__all__ = ["Pulled", "is_listed", "latest_commit", "pull", "stated_versions", "tags", "versions"]

BRANCH = "main"

_VERSION = re.compile(r"v(\d+)$")
_STATED = re.compile(r"^Version: (v\d+)$", re.MULTILINE)
"""The line in the description of a commit that makes it a version."""

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


def tags(repo_id: str) -> dict[str, str]:
    """Return the commits of a model repository's tags, by name."""
    return {tag.name: str(tag.target_commit) for tag in HfApi().list_repo_refs(repo_id).tags}


def stated_versions(repo_id: str) -> dict[str, str]:
    """Return the commits that say which version they are, by version."""
    commits = HfApi().list_repo_commits(repo_id)
    return {match[1]: commit.commit_id for commit in commits if (match := _STATED.search(commit.message))}


def versions(repo_id: str) -> dict[str, str]:
    """Return the published versions ("v1", "v2", …) with their commits, oldest first.

    A version is a commit that says so, or one with a tag of that form. A push that is killed before it can
    set the tag has published a version all the same.

    Raises
    ------
    ModelError
        If the repository cannot be read.
    UnreachableError
        If the Hub does not answer.
    """
    try:
        with reading(repo_id):
            found = stated_versions(repo_id) | tags(repo_id)
    except OSError as error:
        raise UnreachableError(f"The versions of {quoted(repo_id)} cannot be listed: {error}.") from None
    numbered = {tag: int(match[1]) for tag in found if (match := _VERSION.match(tag))}
    return {tag: found[tag] for tag in sorted(numbered, key=numbered.__getitem__)}


def latest_commit(repo_id: str, revision: str | None = None) -> str:
    """Return the commit that `revision` stands for now, by default that of the main branch.

    Raises
    ------
    ModelError
        If there is no such repository or revision, or it may not be read.
    OSError
        If the Hub does not answer, or fails.
    """
    with reading(repo_id, revision):
        return str(_info(repo_id, revision or BRANCH).sha)


def _info(repo_id: str, revision: str) -> ModelInfo:
    """Return what the Hub lists of a revision, with the id of a commit as its `sha`."""
    # Always by a revision's name: without one, somebody else's Hub may shorten the id of the commit.
    try:
        info = HfApi().model_info(repo_id, revision=revision, files_metadata=True)
    except RevisionNotFoundError:
        if (commit := stated_versions(repo_id).get(revision)) is None:
            raise
        return HfApi().model_info(repo_id, revision=commit, files_metadata=True)
    if info.sha == revision and not _is_id(revision):  # a tag that the Hub resolves to its own name
        info.sha = tags(repo_id).get(revision, revision)
    return info


def _is_id(revision: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", revision) is not None


def pull(
    repo_id: str,
    revision: str | None = None,
    *,
    anew: bool = False,
    patience: float | None = None,
    fresh: bool = False,
) -> Pulled:
    """Return the files of a model repository.

    Parameters
    ----------
    repo_id : str
        Such as "USER/MODEL".
    revision : str, optional
        Branch, tag or commit; the main branch by default.
    anew : bool
        Whether to download what the cache holds already.
    patience : float, optional
        Seconds that the Hub may stay silent, unless the cache could take its place and does not hold the
        model; by default, and there, `leadmodel.publishing.hub.client.patience`.
    fresh : bool
        Whether the Hub must say which commit the revision is: the cache never takes its place.

    Raises
    ------
    UnreachableError
        If the Hub does not answer, and the cache does not hold the model or may not take its place.
    ModelError
        If there is no such model, or it may not be read, lacks a file, or holds one that is
        too large or leads out of it; or if the cache cannot be used.
    """
    cached = None
    try:
        cached = None if fresh else _cached(repo_id, revision)
        with reading(repo_id, revision, patience if cached or fresh else None):
            return _pull(repo_id, revision or BRANCH, anew)
    except OSError as error:
        if error.errno in _OF_THE_DISK:
            problem = f"The cache {constants.HF_HOME!r} cannot be used ({reason(error)})"
            if cached is None:
                raise ModelError(f"{problem}. Make room, or set HF_HOME to a folder of yours.") from None
        elif cached is None:
            cache = "one of the cache may be an older one" if fresh else "the cache does not hold it"
            raise UnreachableError(
                f"The model {quoted(repo_id)} cannot be pulled from {constants.ENDPOINT} "
                f"({reason(error)}), and {cache}. Check the address and the network, or name a folder."
            ) from None
        else:
            problem = f"The Hub did not answer ({reason(error)})"
        age = timedelta(seconds=round(time.time() - cached.stat().st_mtime))
        notice = (
            f"{problem}: {repo_id} is served from the cache, revision {cached.name[:8]}, which was pulled "
            f"{age} ago."
        )
        return Pulled(read_folder(cached, root=cached.parents[1]), cached.name, notice)


def _pull(repo_id: str, revision: str, anew: bool) -> Pulled:
    info = _info(repo_id, revision)
    commit, listed = str(info.sha), {file.rfilename: file for file in info.siblings or []}
    if missing := [name for name in REQUIRED_FILES if name not in listed]:
        raise ModelError(f"The repository {quoted(repo_id)} is not a model: it lacks {', '.join(missing)}.")
    check_sizes({name: file.size or 0 for name, file in listed.items()})
    # The commit, not the name of the revision: a name the client would look up once more, and take the
    # cache's word for it where the Hub fails.
    resolved = ResolvedRevision(resolved=commit, initial=revision)
    if not anew:
        # All files at once: where the Hub falls silent, those in a queue would wait for it in turn, and so
        # would an app that is stopped.
        folder = Path(
            snapshot_download(
                repo_id, revision=resolved, allow_patterns=list(ALLOWED_FILES), max_workers=len(listed)
            )
        )
        if (
            revision != commit or len(commit) != 40
        ):  # what the client knows for a commit without a reference
            _write_reference(folder.parents[1] / "refs" / revision, commit)
        files = read_folder(folder, root=folder.parents[1])
        damaged = [name for name in files if is_listed(files[name], listed[name]) is False]
        if not damaged:
            return Pulled(files, commit)
        _forget(folder, [listed[name] for name in damaged])
    with tempfile.TemporaryDirectory() as aside:
        snapshot_download(
            repo_id,
            revision=resolved,
            allow_patterns=list(ALLOWED_FILES),
            local_dir=aside,
            force_download=True,
        )
        return Pulled(read_folder(aside), commit)


def is_listed(content: bytes, listed: RepoSibling) -> bool | None:
    """Return whether `content` is what the Hub lists for a file; None where it lists no checksum."""
    if listed.lfs:
        return hashlib.sha256(content).hexdigest() == listed.lfs.sha256
    # As git names contents, by SHA-1 or in newer repositories by SHA-256.
    algorithm = {40: "sha1", 64: "sha256"}.get(len(listed.blob_id or ""))
    if algorithm is None:
        return None
    return hashlib.new(algorithm, b"blob %d\0" % len(content) + content).hexdigest() == listed.blob_id


def _forget(folder: Path, damaged: list[RepoSibling]) -> None:
    """Delete files of a snapshot from the cache, so that nobody takes them for those of this commit."""
    for file in damaged:
        path = folder / file.rfilename
        content = path.resolve()
        with suppress(OSError):  # of a cache that is read-only
            path.unlink()
            # A download that came damaged has the right name. A content with another name is that of
            # another revision, by whose ETag the Hub has called this one; there it is right.
            if content.name in (file.blob_id, file.lfs and file.lfs.sha256):
                content.unlink()


def _write_reference(path: Path, commit: str) -> None:
    """Note in the cache which commit a revision is, as the client does, for when the Hub is silent."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as staged:
            staged.write_text(commit)


def _cached(repo_id: str, revision: str | None) -> Path | None:
    try:
        folder = Path(
            snapshot_download(
                repo_id, revision=revision, allow_patterns=list(ALLOWED_FILES), local_files_only=True
            )
        )
    except (LocalEntryNotFoundError, HFValidationError):
        return None
    return folder if all((folder / name).exists() for name in REQUIRED_FILES) else None
