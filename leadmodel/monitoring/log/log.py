"""The prediction log: what was asked of the model and what it answered, for later."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from leadmodel.leads.convert import read_records
from leadmodel.leads.schema import LeadSchema
from leadmodel.leads.table import LeadTable
from leadmodel.model import LeadModel
from leadmodel.monitoring.log.files import MAX_ROWS, GrowingFile
from leadmodel.monitoring.log.privacy import keep_leads
from leadmodel.monitoring.log.store import LogStore

__all__ = ["LEAD", "LEADS", "POSITIVE", "REQUESTS", "TARGET", "PredictionLog", "ScoredCall"]

_log = logging.getLogger("leadmodel")

SECONDS = 5.0
"""Between two looks at what is waiting: a killed process loses at most so much."""

MAX_WAITING = 200_000
"""Leads that may wait for the disk; beyond them calls are dropped, for an answer is not to wait."""

LEADS, REQUESTS = "leads", "requests"
"""Kinds of files: a row per lead, and a row per kind of request in a while."""

TARGET, POSITIVE = "target", "positive"
"""Said in each file: the outcome that the model foretells, and its label of a converted lead."""

LEAD = "lead."
"""Begins the column of a field, so that none is taken for a column of the log."""


class ScoredCall(NamedTuple):
    """Leads that one call had scored, and the answers.

    Parameters
    ----------
    model : LeadModel
        What has answered.
    leads : sequence of mapping, or LeadTable
        Raw leads, or typed ones.
    probability, grades : sequence of shape (n_leads,)
        The answers.
    door : str
        How they came, such as "REST".
    request_id : str
        Names the call, and says nothing else; empty where there is no log.
    time : datetime
        Of the answer, in UTC.
    """

    model: LeadModel
    leads: Sequence[Mapping[str, Any]] | LeadTable
    probability: Sequence[float]
    grades: Sequence[str]
    door: str
    request_id: str
    time: datetime


class PredictionLog:
    """Writes calls into the Parquet files of a folder, in a thread of its own.

    Adding a call is one append to a list in memory. Every few seconds the thread takes what is
    there, keeps of it what `leadmodel.monitoring.log.privacy` lets through, and saves it.

    Parameters
    ----------
    place : LogStore
        Where the files are to be.
    seconds : float
        Between two looks at what is waiting.
    max_waiting : int
        Leads that may wait, in the queue as for a failing disk.
    max_rows : int
        Of a file.

    Raises
    ------
    InputError
        If the place cannot be written to, or is a repository that is public.
    """

    def __init__(
        self,
        place: LogStore,
        seconds: float = SECONDS,
        max_waiting: int = MAX_WAITING,
        max_rows: int = MAX_ROWS,
    ) -> None:
        self.place, self.seconds, self.max_waiting = place, seconds, max_waiting
        self.n_logged = self.n_dropped = 0
        self.count_requests: Callable[[], pa.Table | None] = lambda: None
        """Returns what the requests since its last call were like."""
        self._leads = GrowingFile(place.folder, LEADS, max_rows)
        self._requests = GrowingFile(place.folder, REQUESTS, max_rows)
        self._fails = False
        self._waiting: list[ScoredCall] = []
        self._n_waiting = 0
        # One guards the queue for an instant, the other the files for as long as a disk takes.
        self._queue, self._files = threading.Lock(), threading.Lock()
        self._uploads = place.open()
        self._woken, self._closed = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="leadmodel-log", daemon=True)
        self._thread.start()

    def add(self, call: ScoredCall) -> None:
        """Take a call, or drop and count it if too many wait; never wait for the disk."""
        n_leads = len(call.probability)
        with self._queue:
            if self._n_waiting + n_leads > self.max_waiting or self._closed.is_set():
                self.n_dropped += n_leads
                return
            self._waiting.append(call)
            self._n_waiting += n_leads
        if self._n_waiting > self.max_waiting // 4:
            self._woken.set()

    def flush(self) -> None:
        """Put everything added so far into files, as far as the disk lets."""
        with self._files:
            with self._queue:
                calls, self._waiting, self._n_waiting = self._waiting, [], 0
            self._take(calls)
            self._save()

    def close(self) -> None:
        """Put everything into files, commit them where they are to be committed, and take no more."""
        self._closed.set()
        self._woken.set()
        self._thread.join()
        self.flush()
        if self._uploads:
            self._uploads.close()

    def _run(self) -> None:
        while not self._closed.is_set():
            self._woken.wait(self.seconds)
            self._woken.clear()
            try:
                self.flush()
            except Exception as error:  # whatever it is, what comes next is to be logged
                _log.error("Writing the prediction log failed: %s", type(error).__name__)

    def _take(self, calls: Sequence[ScoredCall]) -> None:
        for some in _alike(calls):
            n_leads = sum(len(call.probability) for call in some)
            try:
                self._leads.append(_tabulate(some), some[0].time)
                self.n_logged += n_leads
            except Exception as error:
                self.n_dropped += n_leads
                _log.error("%d leads could not be logged: %s", n_leads, type(error).__name__)
        counted = self.count_requests()
        if counted is not None:
            self._requests.append(counted, datetime.now(UTC))

    def _save(self) -> None:
        failures = [error for file in (self._leads, self._requests) if (error := _try(file))]
        if failures and not self._fails:  # once, not every few seconds for as long as it lasts
            _log.error("The prediction log cannot be written: %s", failures[0].strerror)
        self._fails = bool(failures)
        if self._leads.n_unsaved > self.max_waiting:
            lost = self._leads.forget()
            self.n_logged, self.n_dropped = self.n_logged - lost, self.n_dropped + lost
        if self._requests.n_unsaved > self.max_waiting:
            self._requests.forget()


def _try(file: GrowingFile) -> OSError | None:
    """Save a file, or return what keeps it from being saved."""
    try:
        file.save()
    except OSError as error:
        return error
    return None


def _alike(calls: Sequence[ScoredCall]) -> Iterator[list[ScoredCall]]:
    """Yield calls in their order, those that go into one table together."""

    def kind(call: ScoredCall) -> tuple[object, ...]:
        table = id(call) if isinstance(call.leads, LeadTable) else None
        return id(call.model), call.time.date(), table

    for _, some in groupby(calls, kind):
        yield list(some)


def _tabulate(calls: Sequence[ScoredCall]) -> pa.Table:
    """Return calls of one model and day: a row per lead."""
    model = calls[0].model
    counts = np.array([len(call.probability) for call in calls])
    columns = {name: _repeat(calls, name, counts) for name in ("request_id", "door")} | {
        "row": pa.array(np.concatenate([np.arange(1, count + 1) for count in counts]), pa.int32()),
        "time": pa.array(np.repeat([call.time for call in calls], counts), pa.timestamp("ms", "UTC")),
        "revision": pa.array([model.revision] * counts.sum(), pa.string()),
        "probability": pa.array(np.concatenate([call.probability for call in calls]), pa.float64()),
        "grade": pa.array(np.concatenate([call.grades for call in calls]), pa.string()),
    }
    fields = {f"{LEAD}{name}": column for name, column in _keep(model.schema, calls).items()}
    config = model.config
    return pa.table(
        columns | fields, metadata={TARGET: config.target, POSITIVE: config.positive, "format": "1"}
    )


def _keep(schema: LeadSchema, calls: Sequence[ScoredCall]) -> dict[str, pa.Array]:
    leads: list[Mapping[str, Any]] = []
    for call in calls:
        if isinstance(call.leads, LeadTable):  # which comes alone
            return keep_leads(call.leads)
        leads += call.leads
    return keep_leads(read_records(schema, leads))


def _repeat(calls: Sequence[ScoredCall], name: str, counts: npt.NDArray[np.intp]) -> pa.Array:
    return pa.array(np.repeat([getattr(call, name) for call in calls], counts), pa.string())
