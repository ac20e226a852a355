"""Store a prediction log in Parquet files: a folder per kind and day, each file complete at any time."""

import logging
import re
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from leadmodel.atomic import atomic_write
from leadmodel.errors import InputError, quoted
from leadmodel.leads.io import is_text
from leadmodel.publishing.hub.datasets import DatasetUploads, cache_of, fetch_files

__all__ = [
    "MAX_ROWS",
    "GrowingFile",
    "LogStore",
    "find_files",
    "is_own",
    "new_file",
    "read_files",
    "write_whole",
]

_DATASET = re.compile(r"(?:hf://)?datasets/([\w.-]+/[\w.-]+)/?")

_log = logging.getLogger("leadmodel")

MAX_ROWS = 20_000
"""Rows per file: a few hundred kilobytes, which are rewritten in milliseconds."""


@dataclass(frozen=True)
class LogStore:
    """Location of a prediction log: a folder, or a dataset repository with a local folder before it.

    Parameters
    ----------
    folder : Path
        Folder that this machine writes to.
    repo_id : str, optional
        Dataset repository that the folder is committed to.
    """

    folder: Path
    repo_id: str | None = None

    @classmethod
    def of(cls, name: str) -> "LogStore":
        """Return the store of a name: "datasets/USER/NAME" is on the Hub, anything else a folder."""
        if match := _DATASET.fullmatch(name):
            return cls(cache_of(match[1], "logged"), match[1])
        return cls(Path(name).absolute())

    def __str__(self) -> str:
        return f"datasets/{self.repo_id}" if self.repo_id else str(self.folder)

    def open(self) -> DatasetUploads | None:
        """Create the folder, and return the uploads of a repository, which commit it from now on.

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
                pass  # a full or read-only disk is found now, not when the first lead is lost
        except OSError as error:
            folder = quoted(str(self.folder), 300)
            raise InputError(f"The log folder {folder} cannot be written to: {error.strerror}.") from None
        return DatasetUploads(self.repo_id, self.folder) if self.repo_id else None

    def roots(self, kinds: Sequence[str], days: int | None = None) -> list[Path]:
        """Return the folders with files of these kinds; for equal names, the last folder counts.

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


_KEY = {"request_id": is_text, "row": pa.types.is_integer}
_OWN: dict[str, dict[str, Callable[[pa.DataType], bool]]] = {
    "leads": _KEY
    | {"time": pa.types.is_timestamp, "revision": is_text, "grade": is_text}
    | {"probability": pa.types.is_floating},
    "requests": {"time": pa.types.is_timestamp, "route": is_text, "requests": pa.types.is_integer},
    "outcomes": _KEY | {"converted": pa.types.is_boolean},
}
"""Columns by which a file of each kind is known."""


@dataclass(eq=False)
class _OpenFile:
    """Rows of one file, which stay in memory until it is full."""

    path: Path
    tables: list[pa.Table]
    n_saved: int = 0

    @property
    def n_rows(self) -> int:
        return sum(table.num_rows for table in self.tables)

    def save(self) -> int:
        """Return how many rows are new in the file."""
        n_new = self.n_rows - self.n_saved
        if n_new:
            self.tables = [pa.concat_tables(self.tables).combine_chunks()]
            write_whole(self.path, self.tables[0])
            self.n_saved = self.n_rows
        return n_new


class GrowingFile:
    """Parquet file that is replaced by a longer one whenever there are more rows.

    Saved rows are never lost, and readers always see a complete file. When it is full, or the day ends,
    the next file begins.

    Parameters
    ----------
    folder : Path
        Folder of the log.
    kind : str
        Folder inside, such as "leads".
    max_rows : int
        Most rows of a file.
    """

    def __init__(self, folder: Path, kind: str, max_rows: int = MAX_ROWS) -> None:
        self.folder, self.kind, self.max_rows = folder, kind, max_rows
        self._files: list[_OpenFile] = []
        self.n_saved = 0
        """Rows that were put into files."""

    @property
    def n_unsaved(self) -> int:
        """Number of rows that are only in memory."""
        return sum(file.n_rows - file.n_saved for file in self._files)

    def append(self, rows: pa.Table, time: datetime) -> None:
        """Add rows of that time, to be saved later."""
        while rows.num_rows:
            if not self._files or not self._accepts(self._files[-1], rows, time):
                self._files.append(_OpenFile(new_file(self.folder, self.kind, time), []))
            file = self._files[-1]
            free = self.max_rows - file.n_rows
            file.tables.append(rows.slice(0, free))
            rows = rows.slice(free)

    def _accepts(self, file: _OpenFile, rows: pa.Table, time: datetime) -> bool:
        # A new model may have other fields, and its target is in the metadata.
        same_schema = file.tables[0].schema.equals(rows.schema, check_metadata=True)
        same_day = file.path.parent.name == f"{time:%Y-%m-%d}"
        return same_day and same_schema and file.n_rows < self.max_rows

    def save(self) -> None:
        """Write the added rows to files.

        Raises
        ------
        OSError
            If a file cannot be written. The rows are kept for the next attempt.
        """
        for file in self._files:
            self.n_saved += file.save()
        self._files = self._files[-1:]

    def forget(self) -> int:
        """Discard the rows that are not in a file, and return their number."""
        lost, self._files = self.n_unsaved, []
        return lost


def new_file(folder: Path, kind: str, time: datetime) -> Path:
    """Return the path of a new file for rows from `time` on; names sort by time."""
    return folder / kind / f"{time:%Y-%m-%d}" / f"{time:%Y%m%dT%H%M%S%f}Z-{uuid.uuid4().hex[:8]}.parquet"


def write_whole(path: Path, table: pa.Table) -> None:
    """Write a Parquet file atomically, so that it is complete or absent even after a power failure.

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
        Folders of one log; of files with the same name, that of the later folder counts.
    kind : str
        Such as "leads".
    days : int, optional
        Number of days to look back, today included; by default all.
    """
    since = "" if days is None else (datetime.now(UTC).date() - timedelta(days=days - 1)).isoformat()
    by_name = {
        path.relative_to(root): path
        for root in roots
        for path in (root / kind).glob("*/[!.]*.parquet")
        if path.parent.name >= since
    }
    return [by_name[name] for name in sorted(by_name)]


def is_own(path: Path) -> bool:
    """Whether a file of the log can be read and holds what one of its kind holds."""
    try:
        schema = pa.parquet.read_schema(path)
    except (pa.ArrowException, OSError):
        return False
    return _has_columns(path, schema)


def _has_columns(path: Path, schema: pa.Schema) -> bool:
    kinds = dict(zip(schema.names, schema.types, strict=True))
    return all(
        name in kinds and is_kind(kinds[name])
        for name, is_kind in _OWN.get(path.parents[1].name, {}).items()
    )


def read_files(paths: Sequence[Path], columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """Yield each readable file of the log, with those of the columns that it has."""
    for path in paths:
        try:
            with pa.parquet.ParquetFile(path) as file:
                names = file.schema_arrow.names
                if not _has_columns(path, file.schema_arrow):
                    _log.warning("The file %s is not of the prediction log and is skipped.", path.name)
                    continue
                yield file.read(None if columns is None else [name for name in columns if name in names])
        except (pa.ArrowException, OSError):
            _log.warning("The file %s of the prediction log cannot be read and is skipped.", path.name)
