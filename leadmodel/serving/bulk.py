"""Score a file of leads into another, some at a time: it may be larger than the memory."""

import os
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from leadmodel.errors import InputError, quoted
from leadmodel.leads.reading import read_batches
from leadmodel.leads.schema import Remark
from leadmodel.leads.table import read_batch, remark_leads
from leadmodel.model import LeadModel
from leadmodel.serving.spreadsheets import DisarmedCsvWriter, ExcelWriter

__all__ = ["Scored", "answer_columns", "append_answers", "score_file"]

Progress = Callable[[int], object]

_WRITERS = {".csv": pa.csv.CSVWriter, ".parquet": pa.parquet.ParquetWriter, ".xlsx": ExcelWriter}


@dataclass(frozen=True)
class Scored:
    """What was written: leads, and texts among theirs that begin with ' now."""

    n_leads: int
    n_disarmed: int = 0


def score_file(
    model: LeadModel,
    source: str | Path,
    output: str | Path,
    progress: Progress = lambda n_leads: None,
    *,
    safe_cells: bool = False,
) -> Scored:
    """Score the leads of `source` and write them, with their answers, to `output`.

    Every column stays as it is. The answers follow as ``probability``, ``score``, ``grade``,
    ``decision`` and ``warnings`` (what was missing, unseen or out of range), of a model that was
    trained on amounts also ``expected_amount``, ``amount_low``, ``amount_high`` and
    ``expected_value``; where a name is taken already, it gets a number ("score_2").

    Parameters
    ----------
    model : LeadModel
        The model that scores.
    source : str or Path
        CSV, Parquet or Excel; a path, a URL or ``hf://``.
    output : str or Path
        Ends in .csv, .parquet or .xlsx; written whole or not at all.
    progress : callable, optional
        Called with the number of leads after each batch of them.
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
    staged = output.with_name(f".{uuid.uuid4().hex}-{output.name}")
    try:
        make_writer = DisarmedCsvWriter if safe_cells and suffix == ".csv" else _WRITERS[suffix]
        scored = _score_batches(model, source, partial(make_writer, staged), progress)
        os.replace(staged, output)
    except OSError as error:
        raise InputError(
            f"The output {quoted(str(output), 300)} cannot be written: {error.strerror}."
        ) from None
    finally:
        staged.unlink(missing_ok=True)
    return scored


def _score_batches(
    model: LeadModel, source: str | Path, make_writer: Callable[[pa.Schema], Any], progress: Progress
) -> Scored:
    n_leads, writer = 0, None
    try:
        for batch in read_batches(source):
            scored = _score_batch(model, batch, n_leads)
            writer = writer or make_writer(scored.schema)
            writer.write_table(scored)
            n_leads += batch.num_rows
            progress(batch.num_rows)
    except pa.ArrowException as error:
        raise InputError(f"The leads cannot be written: {error}. Drop lists and structures.") from None
    finally:
        if writer is not None:
            writer.close()
    return Scored(n_leads, getattr(writer, "n_disarmed", 0))


def _score_batch(model: LeadModel, batch: pa.Table, n_before: int) -> pa.Table:
    typed = read_batch(model.schema, batch, n_before)
    return append_answers(batch, answer_columns(model, typed, remark_leads(model.schema, typed)))


def answer_columns(
    model: LeadModel, typed: pd.DataFrame, remarks: dict[int, list[Remark]]
) -> dict[str, pa.Array]:
    """Return what `LeadModel.score_typed` says of typed leads, and warnings, by name."""
    answers = model.score_typed(typed)
    columns = {name: pa.array(answers[name]) for name in answers.columns}
    return columns | {"warnings": _told(remarks, len(typed))}


def append_answers(leads: pa.Table, answers: Mapping[str, pa.Array]) -> pa.Table:
    """Return `leads` with answers after their own columns; a name that is taken gets a number."""
    for name, values in answers.items():
        # A CSV knows no categories, and a plain text of few values costs Parquet nothing.
        plain = values.cast(pa.string()) if pa.types.is_dictionary(values.type) else values
        leads = leads.append_column(_free_name(name, leads.column_names), plain)
    return leads


def _told(remarks: dict[int, list[Remark]], n_leads: int) -> pa.Array:
    texts = np.full(n_leads, None, dtype=object)
    for row, found in remarks.items():
        texts[row] = " ".join(remark.message for remark in found)
    return pa.array(texts, pa.string())


def _free_name(name: str, taken: list[str]) -> str:
    number, free = 2, name
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free
