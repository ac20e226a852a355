"""The files of a prediction log: a folder per day and kind, each file whole at any moment."""

import logging
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from leadmodel.atomic import atomic_write

__all__ = ["MAX_ROWS", "GrowingFile", "find_files", "new_file", "read_files", "write_whole"]

_log = logging.getLogger("leadmodel")

MAX_ROWS = 20_000
"""Rows of a file: a few hundred kilobytes, written anew in some milliseconds."""


@dataclass(eq=False)
class _Part:
    """Rows of one file; they stay in memory until it is full."""

    path: Path
    tables: list[pa.Table]
    n_saved: int = 0

    @property
    def n_rows(self) -> int:
        return sum(table.num_rows for table in self.tables)

    def save(self) -> None:
        if self.n_saved < self.n_rows:
            self.tables = [pa.concat_tables(self.tables).combine_chunks()]
            write_whole(self.path, self.tables[0])
            self.n_saved = self.n_rows


class GrowingFile:
    """Rows in a Parquet file that is replaced by a longer one whenever there are more.

    What was saved once is not lost, and whoever reads sees a whole file. A full one is left behind
    for the next, and so is yesterday's.

    Parameters
    ----------
    folder : Path
        Of the log.
    kind : str
        The folder inside, such as "leads".
    max_rows : int
        From which on a new file is begun.
    """

    def __init__(self, folder: Path, kind: str, max_rows: int = MAX_ROWS) -> None:
        self.folder, self.kind, self.max_rows = folder, kind, max_rows
        self._parts: list[_Part] = []

    @property
    def n_unsaved(self) -> int:
        """Rows in memory alone."""
        return sum(part.n_rows - part.n_saved for part in self._parts)

    def append(self, rows: pa.Table, time: datetime) -> None:
        """Add rows of that time, to be saved."""
        while rows.num_rows:
            if not self._parts or not self._takes(self._parts[-1], rows, time):
                self._parts.append(_Part(new_file(self.folder, self.kind, time), []))
            part = self._parts[-1]
            free = self.max_rows - part.n_rows
            part.tables.append(rows.slice(0, free))
            rows = rows.slice(free)

    def _takes(self, part: _Part, rows: pa.Table, time: datetime) -> bool:
        same = part.path.parent.name == f"{time:%Y-%m-%d}" and part.tables[0].schema.equals(
            rows.schema, check_metadata=True
        )
        return same and part.n_rows < self.max_rows

    def save(self) -> None:
        """Put what was added into files.

        Raises
        ------
        OSError
            If one cannot be written. The rows stay for the next attempt.
        """
        for part in self._parts:
            part.save()
        self._parts = self._parts[-1:]

    def forget(self) -> int:
        """Give up the rows that are in no file; return how many."""
        lost, self._parts = self.n_unsaved, []
        return lost


def new_file(folder: Path, kind: str, time: datetime) -> Path:
    """Return the path of a new file for rows from `time` on; by name, files are in that order."""
    return folder / kind / f"{time:%Y-%m-%d}" / f"{time:%Y%m%dT%H%M%S%f}Z-{uuid.uuid4().hex[:8]}.parquet"


def write_whole(path: Path, table: pa.Table) -> None:
    """Write a Parquet file whole or not at all, whenever the power goes.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path, sync=True) as staged:
        pa.parquet.write_table(table, staged, compression="zstd")


def find_files(roots: Sequence[Path], kind: str, days: int | None = None) -> list[Path]:
    """Return the files of a kind, oldest first.

    Parameters
    ----------
    roots : sequence of Path
        Folders of one log; of two files of one name, that of the later folder counts.
    kind : str
        Such as "leads".
    days : int, optional
        How many days to look back, today included; by default all.
    """
    since = "" if days is None else (datetime.now(UTC).date() - timedelta(days=days - 1)).isoformat()
    found = {
        path.relative_to(root): path
        for root in roots
        for path in (root / kind).glob("*/[!.]*.parquet")
        if path.parent.name >= since
    }
    return [found[name] for name in sorted(found)]


def read_files(paths: Sequence[Path], columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """Yield each file of the log that can be read, with those of the columns that it has."""
    for path in paths:
        try:
            with pa.parquet.ParquetFile(path) as file:
                names = file.schema_arrow.names
                yield file.read(None if columns is None else [name for name in columns if name in names])
        except (pa.ArrowException, OSError):
            _log.warning("The file %s of the prediction log cannot be read, and is left out.", path.name)
