"""Score a file of leads into another file, in batches, so that it may exceed the memory."""

import base64
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from glob import escape
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from leadmodel.atomic import atomic_write, check_writable
from leadmodel.batch.spreadsheets import DisarmedCsvWriter, ExcelWriter
from leadmodel.errors import InputError, LeadError, quoted
from leadmodel.leads.convert import read_batch
from leadmodel.leads.io import Batch, ignore, stream_leads
from leadmodel.leads.table import LeadTable, warning_texts
from leadmodel.model import LeadModel

__all__ = ["Scored", "answer_columns", "append_answers", "free_name", "score_file"]

Progress = Callable[[int, int], object]

_WRITERS = {".csv": pa.csv.CSVWriter, ".parquet": None, ".xlsx": ExcelWriter}
"""Classes by the end of the file name; see `_open_parquet` for Parquet."""

ABANDONED = 3600
"""Seconds since the last write after which a partial file belongs to a run that was killed."""

N_AHEAD = 2
"""Batches in work at a time: one is read and counted in Python while CatBoost has the other."""

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Scored:
    """What was written.

    Attributes
    ----------
    n_leads : int
        Number of leads.
    n_disarmed : int
        Number of texts that got a leading ' to disarm them.
    renamed : dict of str to str
        By field, the column that was taken for it though its name is another one.
    """

    n_leads: int
    n_disarmed: int = 0
    renamed: dict[str, str] = field(default_factory=dict)


def score_file(
    model: LeadModel,
    source: str | Path,
    output: str | Path,
    progress: Progress = lambda n_leads, n_expected: None,
    *,
    safe_cells: bool = False,
    sheet: str | None = None,
    on_report: Callable[[str], None] = ignore,
) -> Scored:
    """Score the leads of `source` and write them, with their answers, to `output`.

    Every column stays as it is. The answers follow as ``probability``, ``score``, ``grade``,
    ``decision`` and ``warnings`` (what was missing, unseen or out of range), of a model that was
    trained on amounts also ``expected_amount``, ``amount_low``, ``amount_high`` and
    ``expected_value``, of one with segments ``segment``; where a name is taken already, it gets a
    number ("score_2").

    Parameters
    ----------
    model : LeadModel
        The model that scores.
    source : str or Path
        CSV, Parquet or Excel; a path, a URL or ``hf://``.
    output : str or Path
        Ends in .csv, .parquet or .xlsx; written whole or not at all.
    progress : callable, optional
        Called after each batch with its number of leads, and the number expected in total.
    safe_cells : bool
        Whether to put a ' before each text of a CSV file that a spreadsheet would run as a formula;
        Excel and Parquet files mark texts as such.
    sheet, on_report : optional
        As `leadmodel.leads.io.read_table` takes them.

    Raises
    ------
    InputError
        If a file cannot be read or written, or a lead cannot be read.
    """
    output = check_writable(output, tuple(_WRITERS))
    suffix = output.suffix.lower()
    if output.exists() and Path(str(source)).exists() and output.samefile(str(source)):
        raise InputError(f"The output {quoted(str(output), 300)} is the input file. Name another file.")
    _sweep(output)
    make_writer = DisarmedCsvWriter if safe_cells and suffix == ".csv" else _WRITERS[suffix]
    try:
        with atomic_write(output) as staged:
            batches = stream_leads(source, None, model.schema.text_columns, sheet, on_report)
            return _score_batches(model, batches, staged, make_writer, progress)
    except OSError as error:
        raise InputError(
            f"The output {quoted(str(output), 300)} cannot be written: {error.strerror or error}."
        ) from None


def _sweep(output: Path) -> None:
    """Remove the partial files of `output` that killed runs have left."""
    for partial_file in output.parent.glob(f".{escape(output.name)}-*.part"):
        with suppress(OSError):  # another run may have removed it
            if time.time() - partial_file.stat().st_mtime > ABANDONED:
                partial_file.unlink()


def _score_batches(
    model: LeadModel, batches: Iterator[Batch], output: Path, make_writer: Any, progress: Progress
) -> Scored:
    n_leads, writer, columns = 0, None, dict[str, str]()
    try:
        for batch, scored in _work_ahead(partial(_score_batch, model), batches):
            schema = _plain_schema(batch.schema, scored.schema)
            if make_writer is None:
                writer = writer or _open_parquet(output, scored, schema)
            else:
                writer, scored = writer or make_writer(output, schema), scored.cast(schema)
            writer.write_table(scored)
            columns = columns or model.schema.match_columns(batch.leads.column_names)
            n_leads += scored.num_rows
            progress(scored.num_rows, batch.n_expected)
    except LeadError as error:
        raise error.at(n_leads + (error.row or 0)) from None
    except pa.ArrowException:  # its text may quote a value
        raise InputError(
            f"The leads cannot be written as {output.suffix}: a column holds lists or structures. Drop it."
        ) from None
    finally:
        if writer is not None:
            writer.close()
    renamed = {name: column for name, column in columns.items() if name != column}
    return Scored(n_leads, getattr(writer, "n_disarmed", 0), renamed)


def _open_parquet(path: Path, table: pa.Table, schema: pa.Schema) -> pa.parquet.ParquetWriter:
    """Open a Parquet file for tables like `table`, which is read with the types of `schema`."""
    # Plain `ParquetWriter(path, schema)` needs texts: to turn dictionaries into texts, which it turns back
    # into the dictionaries of the file, takes three times as long. Parquet
    # stores both alike, so that the tables are written as they are and readers find the plain types.
    packed = {field.name for field in table.schema if pa.types.is_dictionary(field.type)}
    repeated = {name for name in table.column_names if name in packed or _repeats(table[name])}
    writer = pa.parquet.ParquetWriter(
        path,
        table.schema,
        # By default a dictionary is tried for every column; for unique numbers that doubles the time.
        use_dictionary=list(repeated),
        # Minimum and maximum of a few texts, which each part of a file has, let readers skip nothing.
        write_statistics=[name for name in table.column_names if name not in packed],
        store_schema=False,
    )
    # pyarrow reads the types of the columns from this key, under which it would have stored the others.
    writer.add_key_value_metadata({"ARROW:schema": base64.b64encode(schema.serialize()).decode()})
    return writer


def _repeats(column: pa.ChunkedArray) -> bool:
    """Return whether a dictionary of the values of a column would be worth making."""
    try:
        return pc.count_distinct(column).as_py() < len(column) / 2
    except pa.ArrowException:  # lists and structures cannot be counted
        return True


def _work_ahead(
    work: Callable[[_Item], _Result], items: Iterable[_Item]
) -> Iterator[tuple[_Item, _Result]]:
    """Yield each item with the result of `work`, in order, while the next ones are worked on."""
    waiting: deque[tuple[_Item, Future[_Result]]] = deque()
    with ThreadPoolExecutor(N_AHEAD) as pool:
        for item in items:
            waiting.append((item, pool.submit(work, item)))
            if len(waiting) > N_AHEAD:
                # Taken before the next item is read, so that no more than a few batches are in memory.
                item, future = waiting.popleft()
                yield item, future.result()
        for item, future in waiting:
            yield item, future.result()


def _score_batch(model: LeadModel, batch: Batch) -> pa.Table:
    return _append(batch.leads, answer_columns(model, read_batch(model.schema, batch.leads)))


def _plain_schema(own: pa.Schema, scored: pa.Schema) -> pa.Schema:
    """Return the types to write: those of the columns of the file, and answers without dictionaries."""
    answers = [field.with_type(_plain_type(field.type)) for field in list(scored)[len(own) :]]
    # Not every format has string views; readers see texts either way.
    fields = [
        field.with_type(pa.string()) if pa.types.is_string_view(field.type) else field for field in own
    ]
    return pa.schema([*fields, *answers], own.metadata)


def _plain_type(dtype: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_dictionary(dtype) else dtype


def answer_columns(model: LeadModel, table: LeadTable, threads: int | None = None) -> dict[str, pa.Array]:
    """Return probability, score, grade, decision, segment if any, and warnings of typed leads, by name.

    Parameters
    ----------
    model : LeadModel
        The model.
    table : LeadTable
        Typed leads.
    threads : int, optional
        Threads of CatBoost; by default one for each core.
    """
    answers = model.decide(model.predictor.predict(table, threads=threads))
    columns = {name: pa.array(answers[name]) for name in answers.columns}
    return columns | {"warnings": warning_texts(table)}


def append_answers(leads: pa.Table, answers: Mapping[str, pa.Array]) -> pa.Table:
    """Return `leads` with answers after their own columns, each under a name that is free."""
    return _append(leads, {name: values.cast(_plain_type(values.type)) for name, values in answers.items()})


def _append(leads: pa.Table, answers: Mapping[str, pa.Array]) -> pa.Table:
    for name, values in answers.items():
        leads = leads.append_column(free_name(name, leads.column_names), values)
    return leads


def free_name(name: str, taken: Iterable[str]) -> str:
    """Return `name`, with a number if it is taken."""
    # Compared in lower case: SQL engines, Spark among them, do not tell "Score" from "score".
    number, free, lower = 2, name, {column.lower() for column in taken}
    while free.lower() in lower:
        free, number = f"{name}_{number}", number + 1
    return free
