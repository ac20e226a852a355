"""Log scored leads and their predictions in a background thread."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from leadmodel.leads.convert import read_records
from leadmodel.leads.schema import LeadSchema
from leadmodel.leads.table import LeadTable
from leadmodel.model import LeadModel
from leadmodel.monitoring.log.files import MAX_ROWS, GrowingFile, LogStore
from leadmodel.monitoring.log.privacy import keep_leads

__all__ = ["LEAD", "LEADS", "OUTCOME_RULE", "POSITIVE", "REQUESTS", "TARGET", "PredictionLog", "ScoredCall"]

_log = logging.getLogger("leadmodel")

SECONDS = 5.0
"""Seconds between two writes; a killed process loses at most the calls of this time."""

MAX_WAITING = 200_000
"""Most leads that wait for the disk; then calls are dropped, because answers must not wait."""

LEADS, REQUESTS = "leads", "requests"
"""Kinds of files: one row per lead, and one row per type of request and interval."""

TARGET, POSITIVE, OUTCOME_RULE = "target", "positive", "outcomes"
"""Metadata of each file: the target column of the model, and the label of a converted lead."""

LEAD = "lead."
"""Prefix of the columns of fields, which keeps them apart from the columns of the log."""


class ScoredCall(NamedTuple):
    """Leads of one call, with their predictions.

    Parameters
    ----------
    model : LeadModel
        Model that scored them.
    leads : sequence of mapping, or LeadTable
        Raw leads, or typed ones.
    probability, grades : sequence of shape (n_leads,)
        Predictions of the model.
    channel : str
        Interface that was called, such as "REST".
    request_id : str
        Random id of the call; empty without a log.
    time : datetime
        Time of the answer, in UTC.
    """

    model: LeadModel
    leads: Sequence[Mapping[str, Any]] | LeadTable
    probability: Sequence[float]
    grades: Sequence[str]
    channel: str
    request_id: str
    time: datetime


class PredictionLog:
    """Writer of calls to the Parquet files of a folder, in its own thread.

    Adding a call is one append to a list. Every few seconds the thread takes the waiting calls, removes
    personal data (see `leadmodel.monitoring.log.privacy`), and saves them.

    Parameters
    ----------
    store : LogStore
        Location of the files.
    seconds : float
        Time between two writes.
    max_waiting : int
        Most leads that wait, in the queue as well as for a failing disk.
    max_rows : int
        Most rows of a file.

    Raises
    ------
    InputError
        If the store cannot be written to, or is a public repository.
    """

    def __init__(
        self,
        store: LogStore,
        seconds: float = SECONDS,
        max_waiting: int = MAX_WAITING,
        max_rows: int = MAX_ROWS,
    ) -> None:
        self.store, self.seconds, self.max_waiting = store, seconds, max_waiting
        self.n_dropped = 0
        self.count_requests: Callable[[], pa.Table | None] = lambda: None
        """Callback that returns the counts of requests since its last call."""
        self._leads = GrowingFile(store.folder, LEADS, max_rows)
        self._requests = GrowingFile(store.folder, REQUESTS, max_rows)
        self._fails = False
        self._waiting: list[ScoredCall] = []
        self._n_waiting = 0
        # One guards the queue for an instant, the other the files for as long as a disk takes.
        self._queue, self._files = threading.Lock(), threading.Lock()
        self._uploads = store.open()
        self._woken, self._closed = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="leadmodel-log", daemon=True)
        self._thread.start()

    @property
    def n_logged(self) -> int:
        """Leads that are in files: one that waits for the disk is not."""
        return self._leads.n_saved

    def add(self, call: ScoredCall) -> None:
        """Queue a call, or drop and count it if too many wait; never wait for the disk."""
        n_leads = len(call.probability)
        with self._queue:
            if self._n_waiting + n_leads > self.max_waiting or self._closed.is_set():
                self.n_dropped += n_leads
                return
            self._waiting.append(call)
            self._n_waiting += n_leads
        # A burst wakes the thread early, so that less of it is dropped.
        if self._n_waiting > self.max_waiting // 4:
            self._woken.set()

    def flush(self) -> None:
        """Write everything added so far to files, unless the disk fails."""
        with self._files:
            with self._queue:
                calls, self._waiting, self._n_waiting = self._waiting, [], 0
            self._append(calls)
            self._save()

    def close(self) -> None:
        """Write everything to files, commit them to a repository, and accept no more calls."""
        self._closed.set()
        self._woken.set()
        self._thread.join()
        self.flush()
        self.n_dropped += self._leads.forget()  # what the disk has not taken by now
        if self._uploads:
            self._uploads.close()

    def _run(self) -> None:
        while not self._closed.is_set():
            self._woken.wait(self.seconds)
            self._woken.clear()
            try:
                self.flush()
            except Exception as error:  # the thread must survive any error to log later calls
                _log.error("Writing the prediction log failed: %s", type(error).__name__)

    def _append(self, calls: Sequence[ScoredCall]) -> None:
        for group in _group_calls(calls):
            n_leads = sum(len(call.probability) for call in group)
            try:
                self._leads.append(_tabulate(group), group[0].time)
            except Exception as error:
                self.n_dropped += n_leads
                _log.error("%d leads could not be logged: %s", n_leads, type(error).__name__)
        requests = self.count_requests()
        if requests is not None:
            self._requests.append(requests, datetime.now(UTC))

    def _save(self) -> None:
        failed = None
        for file in (self._leads, self._requests):
            try:
                file.save()
            except OSError as error:  # the other kind may be on a disk that works
                failed = failed or error
        if failed and not self._fails:  # reported once, not every few seconds while it lasts
            _log.error("The prediction log cannot be written: %s", failed.strerror)
        self._fails = failed is not None
        if self._leads.n_unsaved > self.max_waiting:
            self.n_dropped += self._leads.forget()
        if self._requests.n_unsaved > self.max_waiting:
            self._requests.forget()


def _group_calls(calls: Sequence[ScoredCall]) -> Iterator[list[ScoredCall]]:
    """Yield consecutive calls that fit into one table."""

    def key(call: ScoredCall) -> tuple[object, ...]:
        table = id(call) if isinstance(call.leads, LeadTable) else None
        return id(call.model), call.time.date(), table

    for _, group in groupby(calls, key):
        yield list(group)


def _tabulate(calls: Sequence[ScoredCall]) -> pa.Table:
    """Return a table of calls of one model and day, one row per lead."""
    model = calls[0].model
    counts = np.array([len(call.probability) for call in calls])
    columns = {
        "request_id": pa.array(np.repeat([call.request_id for call in calls], counts), pa.string()),
        "door": pa.array(np.repeat([call.channel for call in calls], counts), pa.string()),
        "row": pa.array(np.concatenate([np.arange(1, count + 1) for count in counts]), pa.int32()),
        "time": pa.array(np.repeat([call.time for call in calls], counts), pa.timestamp("ms", "UTC")),
        "revision": pa.array([model.revision] * counts.sum(), pa.string()),
        "probability": pa.array(np.concatenate([call.probability for call in calls]), pa.float64()),
        "grade": pa.array(np.concatenate([call.grades for call in calls]), pa.string()),
    }
    fields = {f"{LEAD}{name}": column for name, column in _keep(model.schema, calls).items()}
    config = model.config
    metadata = {TARGET: config.target, POSITIVE: config.positive, "format": "1"}
    metadata[OUTCOME_RULE] = config.outcome_rule.model_dump_json()
    return pa.table(columns | fields, metadata=metadata)


def _keep(schema: LeadSchema, calls: Sequence[ScoredCall]) -> dict[str, pa.Array]:
    leads: list[Mapping[str, Any]] = []
    for call in calls:
        if isinstance(call.leads, LeadTable):  # a table is always a group of its own
            return keep_leads(call.leads)
        leads += call.leads
    return keep_leads(read_records(schema, leads))
