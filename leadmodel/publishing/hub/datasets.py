"""Keep files in a private dataset repository: committed now and then, fetched when asked for."""

import logging
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import httpx2
from huggingface_hub import (
    CommitInfo,
    CommitOperationAdd,
    CommitScheduler,
    HfApi,
    constants,
    snapshot_download,
)
from huggingface_hub.errors import HfHubHTTPError

from leadmodel.publishing.hub.client import HubError, SilentHubError, check_may_write, reason, writing

__all__ = ["DatasetUploads", "cache_of", "fetch_files"]

_log = logging.getLogger("leadmodel")

MINUTES = 5.0
"""Between two commits."""

PATIENCE = 20.0
"""Seconds for the last commit when the app stops; what it does not hold waits for the next start."""


def cache_of(repo_id: str, use: str) -> Path:
    """Return the folder of this machine that stands for a dataset repository, by use."""
    return Path(constants.HF_HOME) / "leadmodel" / use / repo_id.replace("/", "--")


class DatasetUploads:
    """Commits the new and changed Parquet files of a folder to a dataset repository.

    Where the Hub is silent they wait in the folder: for the next commit, or the next start.

    Parameters
    ----------
    repo_id : str
        Such as "USER/NAME"; made, and private, if it does not exist.
    folder : Path
        With files in folders named by their day in UTC. Those of past days are deleted once they
        are committed.
    minutes : float
        Between two commits.

    Raises
    ------
    HubError
        If the repository is public, or the token may not write there.
    """

    def __init__(self, repo_id: str, folder: Path, minutes: float = MINUTES) -> None:
        self.repo_id, self.folder, self.minutes = repo_id, folder, minutes
        self._scheduler: _Scheduler | None = None
        self._stopped = threading.Event()
        try:
            self._connect()
        except SilentHubError as error:
            _log.warning("The prediction log waits on this machine: %s", error)
            threading.Thread(target=self._try_again, name="leadmodel-uploads", daemon=True).start()

    def _connect(self) -> None:
        _make_private(self.repo_id)
        with writing(self.repo_id):
            self._scheduler = _Scheduler(
                repo_id=self.repo_id, repo_type="dataset", folder_path=self.folder, every=self.minutes
            )

    def _try_again(self) -> None:
        while self._scheduler is None and not self._stopped.wait(60 * self.minutes):
            try:
                self._connect()
            except HubError as error:
                _log.warning("The prediction log waits on this machine: %s", error)

    def commit(self) -> None:
        """Commit what is in the folder now.

        Raises
        ------
        HubError
            If that fails; the files stay where they are.
        """
        if self._scheduler is None:
            self._connect()
        assert self._scheduler is not None
        with writing(self.repo_id):
            try:
                self._scheduler.trigger().result(PATIENCE)
            except TimeoutError:
                raise SilentHubError(f"The Hub took more than {PATIENCE:g} seconds.") from None

    def close(self) -> None:
        """Commit for the last time, as far as the Hub lets."""
        self._stopped.set()
        try:
            self.commit()
        except (HubError, OSError) as error:
            _log.warning("What was logged last waits for the next start in %s: %s", self.folder, error)
        if self._scheduler is not None:
            self._scheduler.stop()


def _make_private(repo_id: str) -> None:
    """Make a private dataset repository, or see that it is one.

    Raises
    ------
    HubError
        If it is public, or the token may not write there.
    """
    check_may_write(repo_id)
    with writing(repo_id):
        HfApi().create_repo(repo_id, repo_type="dataset", private=True, exist_ok=True)
        private = HfApi().dataset_info(repo_id).private
    if not private:
        raise HubError(f"The dataset repository {repo_id!r} must be private. Make it so on its page.")


class _Scheduler(CommitScheduler):
    """Commits whole files: those that are replaced while it works are read at once."""

    def push_to_hub(self) -> CommitInfo | None:
        """Commit what has changed, and delete what is past."""
        found = {path: path.stat().st_mtime for path in sorted(self.folder_path.glob("*/*/[!.]*.parquet"))}
        changed = [path for path, time in found.items() if self.last_uploaded.get(path) != time]
        if not changed:
            return None
        made = self.api.create_commit(
            self.repo_id,
            [
                CommitOperationAdd(path.relative_to(self.folder_path).as_posix(), path.read_bytes())
                for path in changed
            ],
            repo_type=self.repo_type,
            commit_message=f"Add {len(changed)} files of the prediction log",
        )
        for path in changed:
            # A file that was replaced meanwhile is newer than this, and goes with the next commit.
            self.last_uploaded[path] = found[path]
        today = datetime.now(UTC).date().isoformat()
        for path, time in found.items():
            if path.parent.name < today and path.stat().st_mtime == time:
                path.unlink()
        return made


def fetch_files(repo_id: str, patterns: Sequence[str]) -> Path:
    """Return a folder of this machine with the files of a dataset repository as they are now.

    Parameters
    ----------
    repo_id : str
        Such as "USER/NAME".
    patterns : sequence of str
        Which files, such as "leads/*".

    Raises
    ------
    HubError
        If there is no such repository, it may not be read, or the Hub does not answer.
    """
    folder = cache_of(repo_id, "fetched")
    try:
        snapshot_download(repo_id, repo_type="dataset", allow_patterns=[*patterns], local_dir=folder)
    except (HfHubHTTPError, httpx2.TransportError, OSError) as error:
        raise HubError(
            f"The dataset repository {repo_id!r} cannot be read ({reason(error)}): check its name, log "
            "in, or try again later."
        ) from None
    return folder
