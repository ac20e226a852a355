"""Measure the drift of the leads in a file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from leadmodel.drift.counts import Counts, count_leads
from leadmodel.drift.drift import Drift, compare_leads
from leadmodel.drift.performance import Performance, compare_performance
from leadmodel.leads.convert import read_batch
from leadmodel.leads.io import read_batches
from leadmodel.leads.outcome import MIN_LEADS_PER_OUTCOME, known_outcomes, read_outcome
from leadmodel.model import LeadModel

__all__ = ["evaluate_outcomes", "measure_drift"]


def measure_drift(
    model: LeadModel, source: str | Path, progress: Callable[[int], object] = lambda n_leads: None
) -> Drift:
    """Compare the leads of a file with the training leads of a model.

    The file is read in batches, so it may exceed the memory. If it has the target column of the model,
    performance is compared as well.

    Parameters
    ----------
    model : LeadModel
        The model.
    source : str or Path
        CSV, Parquet or Excel; a path, a URL or ``hf://``.
    progress : callable, optional
        Called with the number of leads after each batch.

    Raises
    ------
    InputError
        If the file cannot be read, lacks a field, or holds a value that cannot be read.
    """
    counts: Counts | None = None
    known: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]] = []
    for batch in read_batches(source):
        table = read_batch(model.schema, batch, counts.n_leads if counts else 0)
        forecast = model.predictor.predict(table)
        batch_counts = count_leads(model.profile, table.to_frame(), forecast.outputs)
        counts = counts + batch_counts if counts else batch_counts
        if model.config.target in batch.column_names:
            target = batch.column(model.config.target).to_pandas()
            is_known = known_outcomes(target)
            y = read_outcome(target[is_known], model.config.positive, at_least=0)
            known.append((y, forecast.probability[is_known]))
        progress(batch.num_rows)
    assert counts is not None  # a file without leads is refused
    performance: Performance | None = None
    notes: tuple[str, ...] = ()
    if known:
        performance, notes = evaluate_outcomes(model, *map(np.concatenate, zip(*known, strict=True)))
    if not model.profile.outputs:
        notes = (
            *notes,
            "The model does not say how its probabilities were spread. Train it again to compare.",
        )
    return compare_leads(model.schema, model.profile, counts, performance, notes)


def evaluate_outcomes(
    model: LeadModel, y: npt.NDArray[np.int64], probability: npt.NDArray[np.float64]
) -> tuple[Performance | None, tuple[str, ...]]:
    """Compare performance now and then, or explain why there are too few outcomes.

    Parameters
    ----------
    model : LeadModel
        The model.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    probability : array of shape (n_leads,)
        Predicted probabilities.
    """
    converted, other = int(y.sum()), int(len(y) - y.sum())
    if min(converted, other) >= MIN_LEADS_PER_OUTCOME:
        return compare_performance(model.evaluation, y, probability), ()
    return None, (
        f"Performance needs at least {MIN_LEADS_PER_OUTCOME} converted and as many other leads. "
        f"Got {converted} converted and {other} other leads in {model.config.target!r}.",
    )
