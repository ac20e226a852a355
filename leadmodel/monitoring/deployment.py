"""Decide whether a challenger replaces the published model, publish it, or go back to an old version."""

import contextlib
import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from leadmodel.errors import InputError, quoted
from leadmodel.model import LeadModel
from leadmodel.publishing.files import is_folder
from leadmodel.publishing.hub.client import HubError
from leadmodel.publishing.hub.pull import versions
from leadmodel.publishing.hub.push import HubRepository, PublishedVersion
from leadmodel.report.gate import Comparison, Gate, Rule

__all__ = ["MAX_AGE_DAYS", "Deployment", "decide", "go_back", "open_deployment"]

MAX_AGE_DAYS = 90.0
"""Days after which a challenger that is not worse replaces the champion."""


class Deployment(Protocol):
    """Folder or repository of a published model.

    Attributes
    ----------
    champion : LeadModel
        The published model.
    """

    champion: LeadModel

    def replace(self, challenger: LeadModel, message: str) -> str:
        """Replace the champion by `challenger`, and return a sentence about the new version."""


@contextlib.contextmanager
def open_deployment(source: str | Path, *, push: bool) -> Iterator[Deployment]:
    """Open the champion such that nobody else replaces it unnoticed.

    A folder is locked until the end, or until the process dies. A repository is not locked: publishing
    builds on the commit that was read, and is refused if there is a newer one.

    Parameters
    ----------
    source : str or Path
        A folder, or a repository such as "USER/MODEL".
    push : bool
        Whether a repository will be written to; the token is checked now rather than after training.

    Yields
    ------
    Deployment

    Raises
    ------
    InputError
        If the champion cannot be opened, is being replaced by another run, or cannot be written.
    """
    if is_folder(source):
        with _locked(Path(source)):
            yield _Folder(Path(source))
    elif push:
        yield _Repository(str(source))
    else:
        yield _ReadOnlyRepository(str(source))


class _Folder:
    def __init__(self, path: Path) -> None:
        self.path, self.champion = path, LeadModel.from_pretrained(path)

    def replace(self, challenger: LeadModel, message: str) -> str:
        challenger.save_pretrained(self.path)
        return f"{self.path}/ now has the challenger; restart any app that serves it"


class _Repository:
    def __init__(self, repo_id: str) -> None:
        self.repository = HubRepository(repo_id)
        self.champion = LeadModel.from_pretrained(repo_id, self.repository.parent, fresh=True)

    def replace(self, challenger: LeadModel, message: str) -> str:
        version = self.repository.publish(challenger.files, message)
        return f"{version.address} is now {version.tag}, commit {version.commit[:8]}"


class _ReadOnlyRepository:
    def __init__(self, repo_id: str) -> None:
        self.champion = LeadModel.from_pretrained(repo_id, fresh=True)

    def replace(self, challenger: LeadModel, message: str) -> str:
        return "Not published: publishing needs --push"


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    # Not beside the folder, where the lock file would remain. The home directory is part of the name,
    # because a user cannot open the lock file of another one.
    folder = folder.resolve()
    name = hashlib.sha256(f"{Path.home()}\n{folder}".encode()).hexdigest()[:16]
    lock = FileLock(Path(tempfile.gettempdir()) / f"leadmodel-{name}.lock")
    try:
        acquired = lock.acquire(blocking=False)
    except Timeout:
        raise InputError(
            f"The model {quoted(str(folder), 300)} is being replaced by another run. Wait until it ends."
        ) from None
    with acquired:
        yield


def go_back(repo_id: str, tag: str | None = None) -> PublishedVersion:
    """Publish an earlier version of a model again, as the newest.

    Apps that follow the repository serve it after their next check, and the history stays complete.

    Parameters
    ----------
    repo_id : str
        Repository such as "USER/MODEL".
    tag : str, optional
        Version to go back to, such as "v3"; by default the newest that is not the served one.

    Raises
    ------
    HubError
        If there is no such version, or publishing fails.
    ModelError
        If that version cannot be opened.
    """
    repository = HubRepository(repo_id)
    found = versions(repo_id)
    earlier = [name for name, commit in found.items() if commit != repository.parent]
    tag = tag or (earlier[-1] if earlier else None)
    if tag not in found:
        raise HubError(
            f"{repo_id} has no version to go back to{f' named {tag}' if tag else ''}. Found: {list(found)}."
        )
    model = LeadModel.from_pretrained(repo_id, found[tag], fresh=True)
    return repository.publish(model.files, f"Back to {tag}: {model.evaluation.headline()}")


def decide(
    comparison: Comparison,
    *,
    champion: str,
    age_days: float,
    drifted: bool,
    moved: tuple[str, ...] = (),
    max_age_days: float = MAX_AGE_DAYS,
    force: bool = False,
) -> Gate:
    """Decide whether a challenger replaces the champion.

    It does if it is significantly better; or if it is not worse, and the leads have drifted or the
    champion is older than `max_age_days`. Without a reason champions do not change: swapping similar
    models changes every score and gains nothing.

    Parameters
    ----------
    comparison : Comparison
        Both models on the newest leads.
    champion : str
        Revision of the champion.
    age_days, max_age_days : float
        Age of the champion, and its limit.
    drifted : bool
        Whether the new leads have drifted from those of the champion.
    moved : tuple of str
        Sentences about the largest drift.
    force : bool
        Whether to publish in any case.
    """
    # The order matters: a challenger that is better is published as such even if the leads have drifted.
    rule: Rule = "not better"
    if comparison.is_better:
        rule = "better"
    elif comparison.is_worse:
        rule = "worse"
    elif comparison.is_not_worse and drifted:
        rule = "drifted"
    elif comparison.is_not_worse and age_days > max_age_days:
        rule = "aged"
    publish = rule in ("better", "drifted", "aged")
    return Gate(
        publish=publish or force,
        rule=rule if publish or not force else "forced",
        champion=champion,
        age_days=age_days,
        drifted=drifted,
        moved=moved,
        comparison=comparison,
    )
