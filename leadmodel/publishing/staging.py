"""A place to write a model in, beside the folder that it is for, and gone when the work is over.

A run that is killed cannot clear up. The next one does, but never what another run is writing: who
writes holds a lock on the place, which the system takes away with the process.
"""

import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["staged"]

GRACE = 60.0
"""Seconds that a place is left alone for, so that whoever has just made it can lock it."""


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Yield a new folder beside `folder`, and remove those of runs that were killed."""
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
