"""Keep files in a private dataset repository: committed now and then, fetched when asked for."""

import logging
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import httpx2
from huggingface_hub import CommitOperationAdd, HfApi, constants, snapshot_download
from huggingface_hub.errors import HfHubHTTPError

from leadmodel.publishing.hub.client import (
    CALL_SECONDS,
    PATIENCE,
    HubError,
    SilentHubError,
    check_may_write,
    limits,
    reason,
    writing,
)

__all__ = ["DatasetUploads", "cache_of", "fetch_files"]

_log = logging.getLogger("leadmodel")

MINUTES = 5.0
"""Between two commits."""

START_SECONDS = 1.0
"""Seconds that a start waits for the Hub to refuse the repository; later refusals are only logged."""

STOP_SECONDS = 10.0
"""Seconds that a stop waits for the last commit; what it does not hold is committed at the next start."""


def cache_of(repo_id: str, use: str) -> Path:
    """Return the folder of this machine that stands for a dataset repository, by use."""
    return Path(constants.HF_HOME) / "leadmodel" / use / repo_id.replace("/", "--")


class DatasetUploads:
    """Commits the new and changed Parquet files of a folder to a dataset repository, in its own thread.

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
        If the repository is public, or the token may not write there, and the Hub says so at once.
    """

    def __init__(self, repo_id: str, folder: Path, minutes: float = MINUTES) -> None:
        self.repo_id, self.folder, self.minutes = repo_id, folder, minutes
        self._is_private, self._end = False, float("inf")
        self._committed: dict[Path, float] = {}
        self._error: HubError | None = None
        self._lock, self._began, self._stopped = threading.Lock(), threading.Event(), threading.Event()
        # A daemon, which the end of the process does not wait for.
        self._thread = threading.Thread(target=self._run, name="leadmodel-uploads", daemon=True)
        self._thread.start()
        self._began.wait(START_SECONDS)
        if self._error and not isinstance(self._error, SilentHubError):
            self._end = 0
            self._stopped.set()
            raise self._error

    def _run(self) -> None:
        while True:
            is_last = self._stopped.wait(60 * self.minutes if self._began.is_set() else 0)
            try:
                self.commit()
                self._error = None
            except (HubError, OSError) as error:
                self._error = error if isinstance(error, HubError) else HubError(reason(error))
                if not is_last:
                    _log.warning("The prediction log waits on this machine: %s", error)
            self._began.set()
            if is_last:
                return

    def commit(self) -> None:
        """Commit what is in the folder now, and delete what is past.

        Raises
        ------
        HubError
            If that fails; the files stay where they are.
        """
        # Not the patience of the settings: an app that is stopped waits for the request under way.
        with self._lock, limits(PATIENCE, min(CALL_SECONDS, self._end - time.monotonic())):
            if not self._is_private:
                _make_private(self.repo_id)
                self._is_private = True
            times = {path: path.stat().st_mtime for path in sorted(self.folder.glob("*/*/[!.]*.parquet"))}
            changed = [path for path, modified in times.items() if self._committed.get(path) != modified]
            if changed:
                self._upload(changed)
            # A file that was replaced meanwhile is newer than this, and goes with the next commit.
            self._committed |= times
            today = datetime.now(UTC).date().isoformat()
            for path, modified in times.items():
                if path.parent.name < today and path.stat().st_mtime == modified:
                    path.unlink()

    def _upload(self, paths: Sequence[Path]) -> None:
        # Whole files, read at once: they may be replaced by longer ones at any time.
        operations = [
            CommitOperationAdd(path.relative_to(self.folder).as_posix(), path.read_bytes())
            for path in paths
        ]
        with writing(self.repo_id, "write the log to"):
            HfApi().create_commit(
                self.repo_id,
                operations,
                repo_type="dataset",
                commit_message=f"Add {len(paths)} files of the prediction log",
            )

    def close(self) -> None:
        """Commit for the last time, for at most `STOP_SECONDS`, and say what the Hub does not take."""
        self._end = time.monotonic() + STOP_SECONDS
        self._stopped.set()
        self._thread.join(STOP_SECONDS)
        if self._error or self._thread.is_alive():
            unsent = [path for path in self.folder.glob("*/*/[!.]*.parquet") if self._is_new(path)]
            _log.warning(
                "%d files of the prediction log are not sent and wait for the next start in %s: %s",
                len(unsent),
                self.folder,
                self._error or "the Hub takes too long.",
            )

    def _is_new(self, path: Path) -> bool:
        return self._committed.get(path) != path.stat().st_mtime


def _make_private(repo_id: str) -> None:
    """Make a private dataset repository, or see that it is one.

    Raises
    ------
    HubError
        If it is public, or the token may not write there.
    """
    check_may_write(repo_id)
    with writing(repo_id, "create the dataset"):
        HfApi().create_repo(repo_id, repo_type="dataset", private=True, exist_ok=True)
        private = HfApi().dataset_info(repo_id).private
    if not private:
        raise HubError(f"The dataset repository {repo_id!r} must be private. Make it so on its page.")


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
        with limits():
            snapshot_download(repo_id, repo_type="dataset", allow_patterns=[*patterns], local_dir=folder)
    except (HfHubHTTPError, httpx2.TransportError, OSError) as error:
        raise HubError(
            f"The dataset repository {repo_id!r} cannot be read ({reason(error)}): check its name, log "
            "in, or try again later."
        ) from None
    return folder
