"""Score a Spark DataFrame in the Python workers of its executors.

Leads are read, scored and named as those of a file are. Needs PySpark, and this package on every executor.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from leadmodel.batch.score import answer_columns, append_answers, free_name
from leadmodel.errors import InputError, LeadError
from leadmodel.leads.convert import read_batch
from leadmodel.model import LeadModel

if TYPE_CHECKING:
    from pyspark import Broadcast
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructType

__all__ = ["check_pyspark", "plain_errors", "score"]

PYSPARK = "pyspark==4.3.0"

ROWS = 40_000
"""Leads to score at once: Spark sends 10,000; from 50,000 on, reading starts threads, of which Spark has
one for each core already."""

_INPUT_ERROR = re.compile(r"^leadmodel\.errors\.\w+: (.*)$", re.MULTILINE)

_opened: dict[str, LeadModel] = {}
"""Model of this process by the checksum of its files; Spark keeps the workers between jobs."""


def check_pyspark() -> None:
    """Raise InputError, with the line that installs it, if PySpark is missing."""
    try:
        import pyspark  # noqa: F401
    except ImportError:
        raise InputError(f"Spark needs PySpark. Install it with: pip install {PYSPARK}") from None


def score(frame: "DataFrame", source: str | Path, revision: str | None = None) -> "DataFrame":
    """Add the answers of a model to a frame of leads.

    The new columns are those of `leadmodel.batch.score.score_file`, named by the same rules. The model
    is opened and verified here; its files go to each executor once, and every Python worker opens them
    once. Nothing is scored before the result is used.

    Parameters
    ----------
    frame : pyspark.sql.DataFrame
        Leads, one a row, of a classic session (not Spark Connect); every column stays as it is.
    source : str or Path
        Folder or repository of the model, as `LeadModel.from_pretrained` takes it.
    revision : str, optional
        Branch, tag or commit of the repository.

    Raises
    ------
    InputError
        If PySpark or a column is missing, or the model cannot be opened. A value that cannot be read
        is found when the result is used; see `plain_errors`.

    Examples
    --------
    >>> scored = score(spark.read.parquet("leads/"), "USER/MODEL")  # doctest: +SKIP
    >>> with plain_errors():  # doctest: +SKIP
    ...     scored.write.parquet("scored/")
    """
    check_pyspark()
    model = LeadModel.from_pretrained(source, revision)
    model.schema.match_columns(frame.columns)
    files = frame.sparkSession.sparkContext.broadcast(model.files)
    work = partial(_score_partition, files, _checksum(model.files))
    return frame.mapInArrow(work, _scored_schema(model, frame.schema))


@contextmanager
def plain_errors() -> Iterator[None]:
    """Raise the InputError of a worker as such, without the stack traces of Spark and Java around it."""
    check_pyspark()
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JJavaError) as error:
        # Spark sends the exception of a worker as text only.
        message = _INPUT_ERROR.search(str(error))
        if message is None:
            raise
        raise InputError(message[1]) from None


def _scored_schema(model: LeadModel, schema: "StructType") -> "StructType":
    from pyspark.sql.pandas.types import from_arrow_schema
    from pyspark.sql.types import StructType

    # Spark wants the types before any lead is scored, so they are taken from an example.
    example = pa.Table.from_pandas(pd.DataFrame([model.schema.example()]), preserve_index=False)
    answers = from_arrow_schema(_score(model, example).schema).fields[example.num_columns :]
    fields = list(schema.fields)
    for answer in answers:
        answer.name = free_name(answer.name, [field.name for field in fields])
        fields.append(answer)
    return StructType(fields)


def _score_partition(
    files: "Broadcast[dict[str, bytes]]", checksum: str, batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Score the leads of one partition, in a worker."""
    from pyspark import TaskContext

    model, n_before = _open(files, checksum), 0
    for leads in _gather(batches):
        try:
            scored = _score(model, leads)
        except LeadError as error:
            context = TaskContext.get()
            partition, row = context.partitionId() if context else 0, n_before + (error.row or 0)
            raise InputError(f"Partition {partition}, row {row}: {error.problem}") from None
        yield from scored.to_batches()
        n_before += leads.num_rows


def _score(model: LeadModel, leads: pa.Table) -> pa.Table:
    # One thread, for Spark has a worker for each core already.
    return append_answers(leads, answer_columns(model, read_batch(model.schema, leads), threads=1))


def _gather(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(part.num_rows for part in waiting) >= ROWS:
            yield pa.Table.from_batches(waiting)
            waiting = []
    if sum(part.num_rows for part in waiting):
        yield pa.Table.from_batches(waiting)


def _open(files: "Broadcast[dict[str, bytes]]", checksum: str) -> LeadModel:
    """Return the model of these files, opened with every check once per process."""
    if checksum not in _opened:
        _opened.clear()
        _opened[checksum] = LeadModel(files.value)
    return _opened[checksum]


def _checksum(files: dict[str, bytes]) -> str:
    # Of all files, because a model can change in its configuration alone. Names and contents are hashed
    # one by one, so that no content can pass for a name.
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(hashlib.sha256(name.encode()).digest() + hashlib.sha256(files[name]).digest())
    return total.hexdigest()
