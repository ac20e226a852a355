"""Write a file whole or not at all."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["atomic_write"]


@contextmanager
def atomic_write(path: Path, *, sync: bool = False) -> Iterator[Path]:
    """Yield a path beside `path` to write to; it takes its place if the block ends without an error.

    Parameters
    ----------
    path : Path
        The file to write; what is there stays until the new content is complete.
    sync : bool
        Whether the content must be on the disk before it takes the place, so that a power cut
        cannot leave an empty file.
    """
    # Not the ending of `path`, so that nobody who lists a folder takes a half-written file for a whole one.
    staged = path.with_name(f".{path.name}-{uuid.uuid4().hex}.part")
    try:
        yield staged
        if sync:
            with staged.open("rb") as file:
                os.fsync(file.fileno())
        os.replace(staged, path)
    finally:
        staged.unlink(missing_ok=True)
