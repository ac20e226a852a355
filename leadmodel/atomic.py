"""Write files so that each is there complete or not at all."""

import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from leadmodel.errors import InputError, quoted

if TYPE_CHECKING:
    import polars as pl

__all__ = ["atomic_write", "check_writable", "staged_folder", "write_leads"]

GRACE = 60.0
"""Seconds that a place is left alone for, so that whoever has just made it can lock it."""


@contextmanager
def atomic_write(path: Path, *, sync: bool = False) -> Iterator[Path]:
    """Yield a path to write to; the file replaces `path` if the block ends without an error.

    Parameters
    ----------
    path : Path
        The file to write; an existing one stays until the new content is complete.
    sync : bool
        Whether to flush the content to the disk first, so that a power cut cannot leave an empty file.
    """
    # With another ending than `path`, so that no listing takes a half-written file for a complete one.
    staged = path.with_name(f".{path.name}-{uuid.uuid4().hex}.part")
    try:
        yield staged
        if sync:
            with staged.open("rb") as file:
                os.fsync(file.fileno())
        os.replace(staged, path)
    finally:
        staged.unlink(missing_ok=True)


def check_writable(output: str | Path, endings: Sequence[str] = (".csv", ".parquet")) -> Path:
    """Return `output` as a path.

    Raises
    ------
    InputError
        If it has none of these `endings`, or its folder is missing.
    """
    path = Path(output)
    if path.suffix.lower() not in endings:
        named = f"{', '.join(endings[:-1])} or {endings[-1]}"
        raise InputError(f"The output must end in {named}. Got {quoted(str(path), 300)} instead.")
    if not path.parent.is_dir():
        raise InputError(
            f"The output folder {quoted(str(path.parent), 300)} does not exist; create it first."
        )
    return path


def write_leads(leads: "pl.DataFrame", output: str | Path) -> None:
    """Write leads as CSV or Parquet, by the name of the file.

    Raises
    ------
    InputError
        As `check_writable`, or if the file cannot be written; an existing file stays.
    """
    import polars as pl

    path = check_writable(output)
    try:
        with atomic_write(path) as staged:
            if path.suffix.lower() == ".csv":
                leads.write_csv(staged, datetime_format="%Y-%m-%dT%H:%M:%S%.f")
            else:
                leads.write_parquet(staged)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(
            f"The output {quoted(str(path), 300)} cannot be written: {error!s:.300}."
        ) from None


@contextmanager
def staged_folder(folder: Path) -> Iterator[Path]:
    """Yield a new folder beside `folder`, and remove those of runs that were killed."""
    # A run that is killed cannot clear up. The next one does, but never what another run is writing: the
    # writer holds a lock on its folder, which the system releases when the process ends.
    _clear(folder)
    place = folder.with_name(f".{folder.name}-{uuid.uuid4().hex}")
    place.mkdir()
    lock = _lock(place)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _clear(folder: Path) -> None:
    ours = re.compile(re.escape(f".{folder.name}-") + "[0-9a-f]{32}")
    for place in folder.parent.iterdir():
        with suppress(OSError):  # somebody is writing it, or has cleared it by now
            if ours.fullmatch(place.name) and time.time() - place.stat().st_mtime > GRACE:
                if (lock := _lock(place)) is not None:
                    shutil.rmtree(place, ignore_errors=True)
                    os.close(lock)


def _lock(place: Path) -> int | None:
    """Return a locked descriptor, to be closed; None on Windows, which has no such locks.

    Raises
    ------
    OSError
        If another process holds the lock.
    """
    try:
        import fcntl
    except ImportError:
        return None
    descriptor = os.open(place, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
