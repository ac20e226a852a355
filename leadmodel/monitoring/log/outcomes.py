"""Join known outcomes to the prediction log by the id of the call, and store them in the log."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from leadmodel.arrays import Ints
from leadmodel.errors import InputError, quoted
from leadmodel.leads.io import read_table
from leadmodel.leads.outcome.read import label_leads
from leadmodel.leads.outcome.read import read_outcomes as read_codes
from leadmodel.leads.outcome.rule import OPEN, UNCLEAR, OutcomeRule
from leadmodel.leads.recipe import Names, as_names
from leadmodel.monitoring.log.files import (
    LogStore,
    find_files,
    is_own,
    new_file,
    read_files,
    write_whole,
)
from leadmodel.monitoring.log.log import LEADS, OUTCOME_RULE, POSITIVE, TARGET

__all__ = ["KEY", "OUTCOMES", "Columns", "JoinedOutcomes", "read_outcomes", "store_outcomes"]

OUTCOMES = "outcomes"
"""Kind of files: one row per outcome."""

KEY = ["request_id", "row"]


@dataclass(frozen=True)
class Columns:
    """Names of the columns in a file of outcomes.

    Parameters
    ----------
    target : str, optional
        Outcome; by default the target of the model.
    positive, negative, open : str or sequence of str, optional
        Values of converted leads, of lost ones, and of those not decided yet; by default those of the
        model.
    request_id, row : str
        Id of the call, and position of the lead in its list, 1 being the first. Without a column of
        positions, each lead is the only one of its call.
    """

    target: str | None = None
    positive: Names | None = None
    request_id: str = "request_id"
    row: str = "row"
    negative: Names | None = None
    open: Names | None = None

    @property
    def given(self) -> OutcomeRule:
        """What the values mean, as far as it is given."""
        return OutcomeRule(
            positive=as_names(self.positive), negative=as_names(self.negative), open=as_names(self.open)
        )


@dataclass(frozen=True)
class JoinedOutcomes:
    """Number of outcomes of a file, by what was done with them.

    Parameters
    ----------
    n_stored, n_converted : int
        Outcomes of leads in the log, and the converted ones among them.
    n_open : int
        Rows without an outcome.
    n_unknown : int
        Outcomes of calls that are not in the log.
    n_unclear : int
        Outcomes of calls in the log that do not specify which lead of the call they belong to.
    n_twice : int
        Outcomes that are repeated further down in the file, where the last one counts.
    n_replaced : int
        Outcomes that replace one from an earlier file.
    n_unread : int
        Rows with a value that is neither of converted nor of lost leads.
    """

    n_stored: int
    n_converted: int
    n_open: int
    n_unknown: int
    n_unclear: int
    n_twice: int
    n_replaced: int
    n_unread: int = 0

    def summary(self) -> list[str]:
        """Return a sentence for each number above 0."""
        sentences = [
            (self.n_stored, f"{self.n_stored:,} outcomes stored, {self.n_converted:,} of them converted."),
            (self.n_open, f"{self.n_open:,} rows have no outcome yet."),
            (
                self.n_unread,
                f"{self.n_unread:,} rows have an outcome that the model has not learned, and are left out. "
                "Say what it means with --positive, --negative or --open.",
            ),
            (self.n_unknown, f"{self.n_unknown:,} outcomes refer to calls that are not in the log."),
            (
                self.n_unclear,
                f"{self.n_unclear:,} outcomes do not say which lead of a call they belong to.",
            ),
            (self.n_twice, f"{self.n_twice:,} outcomes are repeated further down; the last one counts."),
            (self.n_replaced, f"{self.n_replaced:,} outcomes replace earlier ones."),
        ]
        return [sentence for number, sentence in sentences if number]


def store_outcomes(store: LogStore, source: str | Path, columns: Columns | None = None) -> JoinedOutcomes:
    """Join the outcomes of a file to a log, and store them in it.

    Parameters
    ----------
    store : LogStore
        Location of the log.
    source : str or Path
        CSV, Parquet or Excel; a path, a URL or ``hf://``.
    columns : Columns, optional
        Names of the columns in the file.

    Raises
    ------
    InputError
        If the file cannot be read, lacks a column, or holds no outcome of a lead in the log.
    """
    roots = store.roots([LEADS, OUTCOMES])
    logged = [path for path in find_files(roots, LEADS) if is_own(path)]
    if not logged:
        raise InputError(f"There is no log with leads in {quoted(str(store), 300)}.")
    table, columns = read_table(source), columns or Columns()
    outcomes, n_open, n_unread = _read(table, columns, pa.parquet.read_schema(logged[-1]).metadata or {})
    if columns.positive is None and not outcomes["converted"].any():
        raise InputError(
            f"None of the {len(outcomes):,} outcomes is the label of a converted lead that the model was "
            "trained on. Name the file's own with --positive, or the same if indeed none has converted."
        )
    last = outcomes.drop_duplicates(KEY, keep="last")
    status = _match(last, logged)
    stored = last[status == "stored"]
    if stored.empty:
        raise InputError(
            f"None of the {len(last):,} outcomes is of a lead in the log. Is it the log of the app that "
            "gave these request ids?"
        )
    # Outcomes are only added; on reading, the last one of each lead counts.
    n_replaced = len(stored.merge(read_outcomes(roots), on=KEY))
    _write(store, stored)
    return JoinedOutcomes(
        n_stored=len(stored),
        n_converted=int(stored["converted"].sum()),
        n_open=n_open,
        n_unknown=int((status == "unknown").sum()),
        n_unclear=int((status == "unclear").sum()),
        n_twice=len(outcomes) - len(last),
        n_replaced=n_replaced,
        n_unread=n_unread,
    )


def read_outcomes(roots: list[Path]) -> pd.DataFrame:
    """Return ``request_id``, ``row`` and ``converted`` of all outcomes, the last one of each lead."""
    tables = [table.select([*KEY, "converted"]) for table in read_files(find_files(roots, OUTCOMES))]
    if not tables:
        return pd.DataFrame({"request_id": pd.Series(dtype="str"), "row": [], "converted": []})
    return pa.concat_tables(tables).to_pandas().drop_duplicates(KEY, keep="last")


def _read(
    table: pd.DataFrame, columns: Columns, metadata: Mapping[bytes, bytes]
) -> tuple[pd.DataFrame, int, int]:
    """Return ids, rows and outcomes of a file, and its numbers of rows without one and of unread ones."""
    logged = {name.decode(): text.decode() for name, text in metadata.items()}
    target = _column(table, columns.target or logged.get(TARGET, ""), "--target")
    names = _column(table, columns.request_id, "--id").astype("str").str.strip()
    rows = _rows(table[columns.row]) if columns.row in table else np.zeros(len(table), dtype=np.int64)
    # A log of an older release names the positive label alone.
    positive = (logged.get(POSITIVE, ""),)
    given = columns.given
    if given.given:
        rule = given if given.positive else given.model_copy(update={"positive": positive})
        codes = label_leads(target, rule, complete=False).codes
    else:
        known = logged.get(OUTCOME_RULE)
        rule = (
            OutcomeRule.model_validate_json(known) if known else OutcomeRule(positive=positive, others=True)
        )
        codes = read_codes(target, rule)
    is_known = codes >= 0
    read = pd.DataFrame(
        {"request_id": names[is_known], "row": rows[is_known], "converted": codes[is_known].astype(bool)}
    )
    return read, int((codes == OPEN).sum()), int((codes == UNCLEAR).sum())


def _column(table: pd.DataFrame, name: str, option: str) -> pd.Series:
    if name in table:
        return table[name]
    close = get_close_matches(name, map(str, table.columns), n=1)
    hint = f" Did you mean {quoted(close[0])}?" if close else ""
    raise InputError(f"No column is named {quoted(name)}.{hint} Name the right one with {option}.")


def _rows(column: pd.Series) -> Ints:
    numbers = pd.to_numeric(column, errors="coerce")
    wrong = column.notna() & ~((numbers >= 1) & (numbers % 1 == 0))
    if wrong.any():
        index = int(wrong.to_numpy().argmax())
        raise InputError(
            f"The column {quoted(str(column.name))} must have the position of a lead in its list, 1 being "
            f"the first. Row {index + 1} has {quoted(str(column.iloc[index]))}."
        )
    return np.asarray(numbers.fillna(0).astype(np.int64))


def _match(outcomes: pd.DataFrame, logged: list[Path]) -> npt.NDArray[np.object_]:
    """Return "stored", "unclear" or "unknown" for each outcome.

    Row 0 stands for the only lead of a call.
    """
    names = pa.array(outcomes["request_id"].unique(), pa.string())
    parts = [
        table.filter(pa.compute.is_in(table["request_id"], names)).to_pandas()
        for table in read_files(logged, KEY)
    ]
    leads = pd.concat(parts).drop_duplicates()
    n_leads = outcomes["request_id"].map(leads.groupby("request_id").size()).fillna(0).to_numpy()
    outcomes.loc[(outcomes["row"] == 0) & (n_leads == 1), "row"] = 1
    in_log = pd.MultiIndex.from_frame(outcomes[KEY]).isin(pd.MultiIndex.from_frame(leads[KEY]))
    return np.where(in_log, "stored", np.where(n_leads > 0, "unclear", "unknown"))


def _write(store: LogStore, outcomes: pd.DataFrame) -> None:
    now = datetime.now(UTC)
    table = pa.table(
        {
            "request_id": pa.array(outcomes["request_id"], pa.string()),
            "row": pa.array(outcomes["row"], pa.int32()),
            "converted": pa.array(outcomes["converted"], pa.bool_()),
            "time": pa.array([now] * len(outcomes), pa.timestamp("ms", "UTC")),
        }
    )
    uploads = store.open()
    write_whole(new_file(store.folder, OUTCOMES, now), table)
    if uploads:
        uploads.commit()
        uploads.close()
