"""Hold the place of a published model while a challenger is trained, and put it there."""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from leadmodel.errors import InputError, quoted
from leadmodel.model import LeadModel
from leadmodel.publishing.files import is_folder
from leadmodel.publishing.hub.push import HubRepository

__all__ = ["Place", "open_deployment"]


class Place(Protocol):
    """Where a champion is published.

    Attributes
    ----------
    champion : LeadModel
        The model that is there.
    """

    champion: LeadModel

    def give(self, challenger: LeadModel, message: str) -> str:
        """Put `challenger` in the champion's place, and return where and as what, in words."""


@contextlib.contextmanager
def open_deployment(source: str | Path, *, push: bool) -> Iterator[Place]:
    """Open the champion so that nobody else replaces it unnoticed.

    A folder is locked until the end, and the system unlocks it if the process dies. A repository is
    not: publishing builds on the commit that was seen, and is refused if there is a newer one.

    Parameters
    ----------
    source : str or Path
        A folder, or a repository such as "USER/MODEL".
    push : bool
        Whether a repository is to be written to; a token that may not is found out now.

    Yields
    ------
    Place

    Raises
    ------
    InputError
        If the champion cannot be opened, somebody else is replacing it, or it may not be written.
    """
    if is_folder(source):
        with _locked(Path(source)):
            yield _Folder(Path(source))
    elif push:
        yield _Repository(str(source))
    else:
        yield _Reader(str(source))


class _Folder:
    def __init__(self, path: Path) -> None:
        self.path, self.champion = path, LeadModel.from_pretrained(path)

    def give(self, challenger: LeadModel, message: str) -> str:
        challenger.save_pretrained(self.path)
        return f"{self.path}/ holds the challenger now; an app that serves it must be started anew"


class _Repository:
    def __init__(self, repo_id: str) -> None:
        self.destination = HubRepository(repo_id)
        self.champion = LeadModel.from_pretrained(repo_id, self.destination.parent)

    def give(self, challenger: LeadModel, message: str) -> str:
        published = self.destination.publish(challenger.files, message)
        return f"{published.address} is {published.tag} now, commit {published.commit[:8]}"


class _Reader:
    def __init__(self, repo_id: str) -> None:
        self.champion = LeadModel.from_pretrained(repo_id)

    def give(self, challenger: LeadModel, message: str) -> str:
        return "Not published, for that takes --push"


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder = folder.resolve()
    if not folder.parent.is_dir():
        yield  # there is no model to open, which is told next
        return
    try:
        import fcntl
    except ImportError:  # Windows has no such locks, and two runs at once are the users' to avoid
        yield
        return
    # Not beside the folder, where it would lie about for good: who locks is who works.
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    with open(Path(tempfile.gettempdir()) / f"leadmodel-{os.getuid()}-{name}.lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError(
                f"The model {quoted(str(folder), 300)} is being replaced by another run. Wait for its end."
            ) from None
        yield
