"""One raw table, CSV or Parquet, opened so that it streams: its columns, its joins, its rows."""

import csv
import io
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from leadmodel.errors import InputError, quoted
from leadmodel.leads.convert import duplicate_names
from leadmodel.leads.event_recipe import JoinConfig, TableConfig
from leadmodel.leads.read import find_delimiter

if TYPE_CHECKING:
    import polars as pl

__all__ = ["COPIES", "UNJOINED", "as_text", "scan_rows"]

_HEADER_BYTES = 65_536

COPIES = "(copies)"
"""The column that counts the rows that are the same."""

UNJOINED = "(unjoined)"
"""The column that says whether a row lacks its match in a joined table."""


def scan_rows(folder: Path, hints: TableConfig, columns: Sequence[str]) -> "pl.LazyFrame":
    """Open a table, with what its joins say of each row, and choose the rows that are meant.

    Parameters
    ----------
    folder : Path
        Where the table is.
    hints : TableConfig
        What the recipe says of it.
    columns : sequence of str
        The columns that it, or a table that it joins, must have.

    Returns
    -------
    LazyFrame
        All of its columns, texts where it is a CSV, and `COPIES` and `UNJOINED`.

    Raises
    ------
    InputError
        If a table or a column is lacking; what is there is told.
    """
    import polars as pl

    rows = _scan(folder, hints.table)
    names = rows.collect_schema().names()
    copies = pl.len() if hints.duplicates == "drop" else None
    rows = (
        rows.group_by(names).agg(copies.alias(COPIES))
        if copies is not None
        else rows.with_columns(pl.lit(1, pl.UInt32).alias(COPIES))
    )
    rows = rows.with_columns(pl.lit(False).alias(UNJOINED))
    for join in hints.joins:
        rows = _join(folder, rows, hints.table, join)
    _check_columns(rows, hints.table, columns)
    schema = rows.collect_schema()
    for name, wanted in hints.where.items():
        texts = [wanted] if isinstance(wanted, str) else list(wanted)
        rows = rows.filter(as_text(name, schema[name]).is_in(texts))
    return rows


def as_text(name: str, dtype: "pl.DataType") -> "pl.Expr":
    """Return a column as texts without surrounding blanks: 7.0 as 7, and nothing as null."""
    import polars as pl

    column = pl.col(name)
    if dtype.is_float():
        whole = column == column.round()
        column = (
            pl.when(whole)
            .then(column.cast(pl.Int64, strict=False).cast(pl.String))
            .otherwise(column.cast(pl.String))
        )
    text = column.cast(pl.String).str.strip_chars()
    return pl.when(text != "").then(text)


def _scan(folder: Path, table: str) -> "pl.LazyFrame":
    import polars as pl

    path = folder / table
    if not path.is_file():
        found = sorted(one.name for one in folder.iterdir() if one.suffix.lower() in (".csv", ".parquet"))
        raise InputError(
            f"The recipe names a table {quoted(table)}, which {quoted(str(folder), 300)} lacks. "
            f"Found: {', '.join(found[:40]) or 'no table'}."
        )
    if path.suffix.lower() == ".parquet":
        return pl.scan_parquet(path)
    # Texts stay texts: of what a CSV holds, only the empty text is nothing.
    return pl.scan_csv(path, separator=_delimiter(path), infer_schema=False)


def _delimiter(path: Path) -> str:
    with path.open("rb") as file:
        text = file.read(_HEADER_BYTES).decode("utf-8-sig", errors="replace")
    delimiter = find_delimiter(text)
    names = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    if not names:
        raise InputError(f"The table {quoted(path.name)} must hold a header. It is empty.")
    if twice := duplicate_names(names):
        raise InputError(
            f"The table {quoted(path.name)} must give each column its own name. "
            f"{quoted(twice[0])} stands there more than once."
        )
    return delimiter


def _join(folder: Path, rows: "pl.LazyFrame", table: str, join: JoinConfig) -> "pl.LazyFrame":
    """Put the columns of another table beside each row, and note where it has none for it."""
    import polars as pl

    other = _scan(folder, join.table)
    _check_columns(rows, table, [join.on])
    _check_columns(other, join.table, [join.on])
    known = rows.collect_schema()
    names = [name for name in other.collect_schema().names() if name not in known]
    key = "(key)"
    right = other.select(as_text(join.on, other.collect_schema()[join.on]).alias(key), *names)
    right = right.filter(pl.col(key).is_not_null()).unique()
    if twice := right.group_by(key).len().filter(pl.col("len") > 1).head(1).collect()[key].to_list():
        raise InputError(
            f"The table {quoted(join.table)} must have one row for each {quoted(join.on)}, on which it is "
            f"joined. It has several for {quoted(twice[0])}."
        )
    right = right.with_columns(pl.lit(False).alias("(lacks)"))
    joined = rows.with_columns(as_text(join.on, known[join.on]).alias(key)).join(right, on=key, how="left")
    lacks = pl.col("(lacks)").fill_null(True)
    return joined.with_columns((pl.col(UNJOINED) | lacks).alias(UNJOINED)).drop(key, "(lacks)")


def _check_columns(rows: "pl.LazyFrame", table: str, columns: Sequence[str]) -> None:
    found = [name for name in rows.collect_schema().names() if name not in (COPIES, UNJOINED)]
    for name in columns:
        if name not in found:
            close = get_close_matches(name, found, n=1)
            hint = f" Did you mean {quoted(close[0])}?" if close else ""
            raise InputError(
                f"The recipe names a column {quoted(name)}, which the table {quoted(table)} lacks.{hint} "
                f"Found: {', '.join(found[:40])}."
            )
