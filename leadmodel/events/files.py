"""Open the raw tables of a folder, CSV or Parquet."""

import csv
import io
from pathlib import Path

import polars as pl

from leadmodel.errors import InputError, quoted
from leadmodel.leads.convert import check_unique
from leadmodel.leads.event_recipe import EventConfig, TableConfig
from leadmodel.leads.files.csv_file import check_widths, find_delimiter

__all__ = ["check_tables", "scan_table", "table_files"]

_HEADER_BYTES = 65_536


def scan_table(folder: Path, table: str) -> pl.LazyFrame:
    """Open a table; all columns of a CSV are texts.

    Raises
    ------
    InputError
        If it is not there, or its header is empty or has a name twice.
    """
    path = _path_of(folder, table)
    if not path.is_file():
        tables = sorted(
            file.name for file in folder.iterdir() if file.suffix.lower() in (".csv", ".parquet")
        )
        raise InputError(
            f"The recipe names a table {quoted(table)}, which is not in {quoted(str(folder), 300)}. Found: "
            f"{', '.join(tables[:40]) or 'no table'}."
        )
    if path.suffix.lower() == ".parquet":
        return pl.scan_parquet(path)
    # Not inferred, so that ids keep leading zeros; only the empty text is null.
    return pl.scan_csv(path, separator=_delimiter(path), infer_schema=False)


def table_files(config: EventConfig) -> tuple[str, ...]:
    """Return the files of all tables, those that others join included."""
    tables: list[TableConfig] = [*config.logs, config.outcomes]
    tables += [config.entities] if config.entities else []
    files = (name for table in tables for name in (table.table, *(join.table for join in table.joins)))
    return tuple(dict.fromkeys(files))


def check_tables(folder: Path, config: EventConfig) -> None:
    """Raise InputError for the first CSV table that is not in UTF-8, or has a line that is too long."""
    for name in table_files(config):
        path = _path_of(folder, name)
        if path.suffix.lower() == ".parquet" or not path.is_file():
            continue
        with path.open("rb") as file:
            try:
                check_widths(file, "utf-8-sig", _delimiter(path), errors="strict")
            except UnicodeDecodeError:
                raise InputError(
                    f"The table {quoted(name)} must be in UTF-8. Save it again as such."
                ) from None
            except InputError as error:
                raise InputError(f"The table {quoted(name)} {error}") from None


def _path_of(folder: Path, table: str) -> Path:
    """Return where a table is; a recipe of one table takes its file in place of the folder."""
    return folder if folder.is_file() else folder / table


def _delimiter(path: Path) -> str:
    with path.open("rb") as file:
        text = file.read(_HEADER_BYTES).decode("utf-8-sig", errors="replace")
    delimiter = find_delimiter(text)
    names = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    if not names:
        raise InputError(f"The table {quoted(path.name)} must have a header. It is empty.")
    check_unique(names, f"The table {quoted(path.name)} must give each column its own name.")
    return delimiter
