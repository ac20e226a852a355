"""Where a prediction log is: a folder, or a dataset repository with a folder of this machine before it."""

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from leadmodel.errors import InputError, quoted
from leadmodel.publishing.hub.datasets import DatasetUploads, cache_of, fetch_files

__all__ = ["LogStore"]

_DATASET = re.compile(r"(?:hf://)?datasets/([\w.-]+/[\w.-]+)/?")


@dataclass(frozen=True)
class LogStore:
    """Where a prediction log is.

    Parameters
    ----------
    folder : Path
        Where this machine writes.
    repo_id : str, optional
        The dataset repository that the folder is committed to.
    """

    folder: Path
    repo_id: str | None = None

    @classmethod
    def of(cls, named: str) -> "LogStore":
        """Return the place of that name: "datasets/USER/NAME" is on the Hub, all else a folder."""
        if found := _DATASET.fullmatch(named):
            return cls(cache_of(found[1], "logged"), found[1])
        return cls(Path(named).absolute())

    def __str__(self) -> str:
        return f"datasets/{self.repo_id}" if self.repo_id else str(self.folder)

    def open(self) -> DatasetUploads | None:
        """Make the folder ready; return what commits it from now on, if it is to be committed.

        Raises
        ------
        InputError
            If the folder cannot be written to.
        HubError
            If the repository is public, or the token may not write there.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            told = f"The folder of the log, {quoted(str(self.folder), 300)}, cannot be written to: "
            raise InputError(f"{told}{error.strerror}.") from None
        return DatasetUploads(self.repo_id, self.folder) if self.repo_id else None

    def roots(self, kinds: Sequence[str], days: int | None = None) -> list[Path]:
        """Return the folders that hold the files of these kinds, of two of one name the newer last.

        Raises
        ------
        HubError
            If the repository cannot be read.
        """
        if self.repo_id is None:
            return [self.folder]
        today = datetime.now(UTC).date()
        spans = ["*"] if days is None else [f"{today - timedelta(days=back)}/*" for back in range(days)]
        patterns = [f"{kind}/{span}" for kind in kinds for span in spans]
        return [fetch_files(self.repo_id, patterns), self.folder]
