"""A table of leads into a file that is there whole or not at all."""

from pathlib import Path
from typing import TYPE_CHECKING

from leadmodel.atomic import atomic_write
from leadmodel.errors import InputError, quoted

if TYPE_CHECKING:
    import polars as pl

__all__ = ["check_writable", "write_leads"]

_SUFFIXES = (".csv", ".parquet")


def check_writable(output: str | Path) -> Path:
    """Return `output` as a path.

    Raises
    ------
    InputError
        If it is no CSV or Parquet file, or its folder is missing.
    """
    path = Path(output)
    if path.suffix.lower() not in _SUFFIXES:
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
        As `check_writable`, or if the file cannot be written; what was there before stays.
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
