"""Write files so that each is there complete or not at all."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from leadmodel.errors import InputError, quoted

if TYPE_CHECKING:
    import polars as pl

__all__ = ["atomic_write", "check_writable", "write_leads"]


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


def check_writable(output: str | Path) -> Path:
    """Return `output` as a path.

    Raises
    ------
    InputError
        If it is no CSV or Parquet file, or its folder is missing.
    """
    path = Path(output)
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise InputError(f"The output must end in .csv or .parquet. Got {quoted(str(path), 300)} instead.")
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
