"""Outcomes that come back: joined to the log by the name of the call, stored beside it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from leadmodel.errors import InputError, quoted
from leadmodel.leads.outcome import known_outcomes, read_outcome
from leadmodel.leads.read import read_table
from leadmodel.monitoring.log.files import find_files, is_own, new_file, read_files, write_whole
from leadmodel.monitoring.log.log import LEADS, POSITIVE, TARGET
from leadmodel.monitoring.log.store import LogStore

__all__ = ["OUTCOMES", "Columns", "Joined", "read_outcomes", "store_outcomes"]

OUTCOMES = "outcomes"
"""Kind of files: a row per outcome that came back."""

KEY = ["request_id", "row"]


@dataclass(frozen=True)
class Columns:
    """Where a file of outcomes holds what.

    Parameters
    ----------
    target : str, optional
        The outcome; by default the column that the model was trained on.
    positive : str, optional
        The outcome of a converted lead; by default the label that the model was trained on.
    request_id, row : str
        The name of the call, and the lead's place in its list, 1 being the first. Without a column
        of that name each lead is the only one of its call.
    """

    target: str | None = None
    positive: str | None = None
    request_id: str = "request_id"
    row: str = "row"


@dataclass(frozen=True)
class Joined:
    """What became of the outcomes of a file.

    Parameters
    ----------
    n_stored, n_converted : int
        Outcomes of leads in the log, and how many of them converted.
    n_open : int
        Rows without an outcome.
    n_unknown : int
        Outcomes of calls that are not in the log.
    n_unclear : int
        Outcomes of calls in the log that do not say which lead of the call it is.
    n_twice : int
        Outcomes that stand in the file again further down, where the last one counts.
    n_replaced : int
        Outcomes that replace one that came back earlier.
    """

    n_stored: int
    n_converted: int
    n_open: int
    n_unknown: int
    n_unclear: int
    n_twice: int
    n_replaced: int

    def told(self) -> list[str]:
        """Return what happened, a sentence each."""
        sentences = [
            (self.n_stored, f"{self.n_stored:,} outcomes stored, {self.n_converted:,} of them converted."),
            (self.n_open, f"{self.n_open:,} rows have no outcome yet."),
            (self.n_unknown, f"{self.n_unknown:,} outcomes are of calls that the log does not hold."),
            (
                self.n_unclear,
                f"{self.n_unclear:,} outcomes do not say which lead of a call they are of.",
            ),
            (self.n_twice, f"{self.n_twice:,} outcomes stand again further down: the last one counts."),
            (self.n_replaced, f"{self.n_replaced:,} outcomes replace one that came back earlier."),
        ]
        return [sentence for number, sentence in sentences if number]


def store_outcomes(place: LogStore, source: str | Path, columns: Columns | None = None) -> Joined:
    """Join the outcomes of a file to a log, and store them beside it.

    Parameters
    ----------
    place : LogStore
        Where the log is.
    source : str or Path
        CSV, Parquet or Excel; a path, a URL or ``hf://``.
    columns : Columns, optional
        What the file holds where.

    Raises
    ------
    InputError
        If the file cannot be read, lacks a column, or holds no outcome of a lead in the log.
    """
    roots = place.roots([LEADS, OUTCOMES])
    logged = [path for path in find_files(roots, LEADS) if is_own(path)]
    if not logged:
        raise InputError(f"There is no log with leads in {quoted(str(place), 300)}.")
    table, columns = read_table(source), columns or Columns()
    outcomes, n_open = _read(table, _complete(columns, logged[-1]))
    if columns.positive is None and not outcomes["converted"].any():
        raise InputError(
            f"None of the {len(outcomes):,} outcomes is the label of a converted lead that the model was "
            "trained on. Name the file's own with --positive, or the same if indeed none has converted."
        )
    last = outcomes.drop_duplicates(KEY, keep="last")
    found = _find(last, logged)
    stored = last[found == "stored"]
    if stored.empty:
        raise InputError(
            f"None of the {len(last):,} outcomes is of a lead in the log. Is it the log of the app that "
            "gave these request ids?"
        )
    n_replaced = len(stored.merge(read_outcomes(roots), on=KEY))
    _store(place, stored)
    return Joined(
        n_stored=len(stored),
        n_converted=int(stored["converted"].sum()),
        n_open=n_open,
        n_unknown=int((found == "unknown").sum()),
        n_unclear=int((found == "unclear").sum()),
        n_twice=len(outcomes) - len(last),
        n_replaced=n_replaced,
    )


def read_outcomes(roots: list[Path]) -> pd.DataFrame:
    """Return ``request_id``, ``row`` and ``converted`` of all outcomes; of one lead the last one."""
    tables = [table.select([*KEY, "converted"]) for table in read_files(find_files(roots, OUTCOMES))]
    if not tables:
        return pd.DataFrame({"request_id": pd.Series(dtype="str"), "row": [], "converted": []})
    return pa.concat_tables(tables).to_pandas().drop_duplicates(KEY, keep="last")


def _complete(columns: Columns, newest: Path) -> Columns:
    """Return the columns with what the log knows of target and label."""
    said = pa.parquet.read_schema(newest).metadata or {}
    target, positive = (said.get(name.encode(), b"").decode() for name in (TARGET, POSITIVE))
    return Columns(columns.target or target, columns.positive or positive, columns.request_id, columns.row)


def _read(table: pd.DataFrame, columns: Columns) -> tuple[pd.DataFrame, int]:
    """Return ids, rows and outcomes where there is one, and how many rows have none."""
    target = _column(table, columns.target or "", "--target")
    names = _column(table, columns.request_id, "--id").astype("str").str.strip()
    rows = _rows(table[columns.row]) if columns.row in table else np.zeros(len(table), dtype=np.int64)
    known = known_outcomes(target)
    converted = read_outcome(target[known], str(columns.positive), at_least=0).astype(bool)
    read = pd.DataFrame({"request_id": names[known], "row": rows[known], "converted": converted})
    return read, int((~known).sum())


def _column(table: pd.DataFrame, name: str, option: str) -> pd.Series:
    if name in table:
        return table[name]
    close = get_close_matches(name, map(str, table.columns), n=1)
    hint = f" Did you mean {quoted(close[0])}?" if close else ""
    raise InputError(f"No column is named {quoted(name)}.{hint} Name the right one with {option}.")


def _rows(column: pd.Series) -> npt.NDArray[np.int64]:
    numbers = pd.to_numeric(column, errors="coerce")
    wrong = column.notna() & ~((numbers >= 1) & (numbers % 1 == 0))
    if wrong.any():
        place = int(wrong.to_numpy().argmax())
        raise InputError(
            f"The column {quoted(str(column.name))} must hold the place of a lead in its list, 1 being the "
            f"first. Row {place + 1} holds {quoted(str(column.iloc[place]))}."
        )
    return np.asarray(numbers.fillna(0).astype(np.int64))


def _find(outcomes: pd.DataFrame, logged: list[Path]) -> npt.NDArray[np.object_]:
    """Return "stored", "unclear" or "unknown" for each outcome; row 0 is the only lead of its call."""
    names = pa.array(outcomes["request_id"].unique(), pa.string())
    parts = [
        table.filter(pa.compute.is_in(table["request_id"], names)).to_pandas()
        for table in read_files(logged, KEY)
    ]
    leads = pd.concat(parts).drop_duplicates()
    n_leads = outcomes["request_id"].map(leads.groupby("request_id").size()).fillna(0).to_numpy()
    outcomes.loc[(outcomes["row"] == 0) & (n_leads == 1), "row"] = 1
    there = pd.MultiIndex.from_frame(outcomes[KEY]).isin(pd.MultiIndex.from_frame(leads[KEY]))
    return np.where(there, "stored", np.where(n_leads > 0, "unclear", "unknown"))


def _store(place: LogStore, outcomes: pd.DataFrame) -> None:
    now = datetime.now(UTC)
    table = pa.table(
        {
            "request_id": pa.array(outcomes["request_id"], pa.string()),
            "row": pa.array(outcomes["row"], pa.int32()),
            "converted": pa.array(outcomes["converted"], pa.bool_()),
            "time": pa.array([now] * len(outcomes), pa.timestamp("ms", "UTC")),
        }
    )
    uploads = place.open()
    write_whole(new_file(place.folder, OUTCOMES, now), table)
    if uploads:
        uploads.commit()
        uploads.close()
