"""Score a file of leads into another, some at a time: it may be larger than the memory."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from glob import escape
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.csv

from leadmodel.atomic import atomic_write
from leadmodel.batch.parquet import ParquetWriter
from leadmodel.batch.spreadsheets import DisarmedCsvWriter, ExcelWriter
from leadmodel.errors import InputError, LeadError, quoted
from leadmodel.leads.convert import read_batch
from leadmodel.leads.io import Batch, stream_leads
from leadmodel.leads.table import LeadTable, warning_texts
from leadmodel.model import LeadModel

__all__ = ["Scored", "answer_columns", "append_answers", "free_name", "score_file"]

Progress = Callable[[int, int], object]

_WRITERS = {".csv": pa.csv.CSVWriter, ".parquet": ParquetWriter, ".xlsx": ExcelWriter}

ABANDONED = 3600
"""Seconds without a word after which a file that was being written is nobody's."""

N_AHEAD = 2
"""Batches in work at a time: one is read and counted in Python while CatBoost has the other."""

_Item = TypeVar("_Item")
_Done = TypeVar("_Done")


@dataclass(frozen=True)
class Scored:
    """What was written: leads, and texts among theirs that begin with ' now."""

    n_leads: int
    n_disarmed: int = 0


def score_file(
    model: LeadModel,
    source: str | Path,
    output: str | Path,
    progress: Progress = lambda n_leads, n_expected: None,
    *,
    safe_cells: bool = False,
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
        Called after each batch, with the number of its leads and of those to expect in all.
    safe_cells : bool
        Whether a text of a CSV file that a spreadsheet would run gets a ' before it; in the other
        formats it stays a text without.

    Raises
    ------
    InputError
        If a file cannot be read or written, or a lead cannot be read.
    """
    output = Path(output)
    suffix = output.suffix.lower()
    if suffix not in _WRITERS:
        raise InputError(
            f"The output must end in .csv, .parquet or .xlsx. Got {quoted(str(output), 300)} instead."
        )
    if not output.parent.is_dir():
        raise InputError(
            f"The output folder {quoted(str(output.parent), 300)} does not exist; create it first."
        )
    if output.exists() and Path(str(source)).exists() and output.samefile(str(source)):
        raise InputError(
            f"The output {quoted(str(output), 300)} is the file of leads itself. Name another."
        )
    _sweep(output)
    make_writer = DisarmedCsvWriter if safe_cells and suffix == ".csv" else _WRITERS[suffix]
    try:
        with atomic_write(output) as staged:
            return _score_batches(model, source, partial(make_writer, staged), progress)
    except OSError as error:
        raise InputError(
            f"The output {quoted(str(output), 300)} cannot be written: {error.strerror or error}."
        ) from None


def _sweep(output: Path) -> None:
    """Remove what killed runs have left of `output`; a run that goes on writes more than once an hour."""
    for left in output.parent.glob(f".{escape(output.name)}-*.part"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > ABANDONED:
                left.unlink()


def _score_batches(
    model: LeadModel, source: str | Path, make_writer: Callable[[pa.Schema], Any], progress: Progress
) -> Scored:
    n_leads, writer = 0, None
    batches = stream_leads(source, categories=model.schema.text_columns)
    try:
        for batch, scored in _work_ahead(partial(_score_batch, model), batches):
            schema = _plain_schema(batch.schema, scored.schema)
            writer = writer or make_writer(schema)
            writer.write_table(scored if isinstance(writer, ParquetWriter) else scored.cast(schema))
            n_leads += scored.num_rows
            progress(scored.num_rows, batch.n_expected)
    except LeadError as error:
        raise error.at(n_leads + (error.row or 0)) from None
    except pa.ArrowException as error:
        raise InputError(f"The leads cannot be written: {error}. Drop lists and structures.") from None
    finally:
        if writer is not None:
            writer.close()
    return Scored(n_leads, getattr(writer, "n_disarmed", 0))


def _work_ahead(work: Callable[[_Item], _Done], items: Iterable[_Item]) -> Iterator[tuple[_Item, _Done]]:
    """Yield each item and what `work` makes of it, in order, while the next ones are worked on."""
    waiting: deque[tuple[_Item, Future[_Done]]] = deque()
    with ThreadPoolExecutor(N_AHEAD) as pool:
        for item in items:
            waiting.append((item, pool.submit(work, item)))
            if len(waiting) > N_AHEAD:
                first, done = waiting.popleft()
                yield first, done.result()
        for first, done in waiting:
            yield first, done.result()


def _score_batch(model: LeadModel, batch: Batch) -> pa.Table:
    return _append(batch.leads, answer_columns(model, read_batch(model.schema, batch.leads)))


def _plain_schema(own: pa.Schema, scored: pa.Schema) -> pa.Schema:
    """Return the types to write: a file's columns keep theirs, and no answer is a dictionary."""
    answers = [field.with_type(_plain_type(field.type)) for field in list(scored)[len(own) :]]
    # Not every format knows views; to a reader they are texts.
    fields = [
        field.with_type(pa.string()) if pa.types.is_string_view(field.type) else field for field in own
    ]
    return pa.schema([*fields, *answers], own.metadata)


def _plain_type(kind: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_dictionary(kind) else kind


def answer_columns(model: LeadModel, table: LeadTable, threads: int | None = None) -> dict[str, pa.Array]:
    """Return probability, score, grade, decision, segment if any, and warnings of typed leads, by name.

    CatBoost takes as many `threads`, by default one for each core.
    """
    answers = model.decide(model.predictor.predict(table, threads=threads))
    columns = {name: pa.array(answers[name]) for name in answers.columns}
    return columns | {"warnings": warning_texts(table)}


def append_answers(leads: pa.Table, answers: Mapping[str, pa.Array]) -> pa.Table:
    """Return `leads` with answers after their own columns; a name that is taken gets a number."""
    return _append(leads, {name: values.cast(_plain_type(values.type)) for name, values in answers.items()})


def _append(leads: pa.Table, answers: Mapping[str, pa.Array]) -> pa.Table:
    for name, values in answers.items():
        leads = leads.append_column(free_name(name, leads.column_names), values)
    return leads


def free_name(name: str, taken: Iterable[str]) -> str:
    """Return `name`, with a number if it is taken; to many readers capitals make no difference."""
    number, free, lower = 2, name, {other.lower() for other in taken}
    while free.lower() in lower:
        free, number = f"{name}_{number}", number + 1
    return free
