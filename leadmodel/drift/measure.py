"""Measure how far the leads of a file have drifted from those that a model has learned from."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from leadmodel.drift.counts import Counts, count_leads
from leadmodel.drift.drift import Drift, compare_leads
from leadmodel.drift.performance import Performance, compare_performance
from leadmodel.leads.convert import read_batch
from leadmodel.leads.outcome import MIN_LEADS_PER_OUTCOME, known_outcomes, read_outcome
from leadmodel.leads.read import read_batches
from leadmodel.model import LeadModel

__all__ = ["count_typed", "evaluate_outcomes", "measure_drift"]


class _Outcomes(NamedTuple):
    """Leads whose outcome is known: what became of them, and what the model said."""

    y: npt.NDArray[np.int64]
    probability: npt.NDArray[np.float64]


def measure_drift(
    model: LeadModel, source: str | Path, progress: Callable[[int], object] = lambda n_leads: None
) -> Drift:
    """Compare the leads of a file with the training leads of a model.

    The file is read some leads at a time, so that it may exceed the memory. If it has the model's
    target, performance is compared as well.

    Parameters
    ----------
    model : LeadModel
        The model.
    source : str or Path
        CSV, Parquet or Excel; a path, a URL or ``hf://``.
    progress : callable, optional
        Called with the number of leads after each batch of them.

    Raises
    ------
    InputError
        If the file cannot be read, lacks a field, or holds a value that cannot be read.
    """
    counts: Counts | None = None
    outcomes: list[_Outcomes] = []
    for batch in read_batches(source):
        table = read_batch(model.schema, batch, counts.n_leads if counts else 0)
        forecast = model.predictor.predict(table)
        found = count_typed(model, table.to_frame(), forecast.outputs)
        counts = counts + found if counts else found
        if model.config.target in batch.column_names:
            outcomes.append(_known(model, batch, forecast.probability))
        progress(batch.num_rows)
    assert counts is not None  # a file without leads is refused
    performance, notes = _judge(model, outcomes)
    if not model.profile.outputs:
        notes = (*notes, "The model does not say how its probabilities were spread. Train it anew to see.")
    return compare_leads(model.schema, model.profile, counts, performance, notes)


def count_typed(
    model: LeadModel, typed: pd.DataFrame, outputs: Mapping[str, npt.NDArray[np.float64]]
) -> Counts:
    """Count typed leads, as `read_leads` returns them, and what the model predicts for them."""
    return count_leads(model.profile, typed, outputs)


def _known(model: LeadModel, batch: pa.Table, probability: npt.NDArray[np.float64]) -> _Outcomes:
    target = batch.column(model.config.target).to_pandas()
    known = known_outcomes(target)
    y = read_outcome(target[known], model.config.positive, at_least=0)
    return _Outcomes(y, probability[known])


def evaluate_outcomes(
    model: LeadModel, y: npt.NDArray[np.int64], probability: npt.NDArray[np.float64]
) -> tuple[Performance | None, tuple[str, ...]]:
    """Compare performance now and then, or say why so few outcomes do not tell it.

    Parameters
    ----------
    model : LeadModel
        The model.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    probability : array of shape (n_leads,)
        What the model said of them.
    """
    converted, other = int(y.sum()), int(len(y) - y.sum())
    if min(converted, other) >= MIN_LEADS_PER_OUTCOME:
        return compare_performance(model.evaluation, y, probability), ()
    return None, (
        f"Performance is judged by {MIN_LEADS_PER_OUTCOME} converted and as many other leads or more. "
        f"Got {converted} converted and {other} other leads in {model.config.target!r}.",
    )


def _judge(model: LeadModel, outcomes: list[_Outcomes]) -> tuple[Performance | None, tuple[str, ...]]:
    if not outcomes:
        return None, ()
    return evaluate_outcomes(model, *(np.concatenate(parts) for parts in zip(*outcomes, strict=True)))
