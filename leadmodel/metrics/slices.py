"""How good the model is for each kind of lead: its metrics per value of every categorical field."""

from collections.abc import Mapping, Sequence
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BaseModel, ConfigDict

from leadmodel.leads.schema import LeadSchema
from leadmodel.metrics.classification import Estimate, estimate_metrics

__all__ = ["SliceMetrics", "evaluate_slices"]

MIN_LEADS = 100
MIN_OF_EACH = 15
"""Test leads of a value, and of its rarer outcome: fewer leave intervals that say nothing."""

N_RESAMPLES = 200


class SliceMetrics(BaseModel):
    """The test leads with one value of one field.

    Parameters
    ----------
    field, value : str
        The value as the schema has it; "Yes" or "No" for a boolean of numbers.
    n_leads, n_converted : int
        Test leads with that value, and those of them that converted.
    roc_auc, log_loss : Estimate
        Among them.
    gap : Estimate
        Mean predicted probability beyond the share that converted. Its interval allows for as
        many values as were looked at (Bonferroni), so that the verdict is rarely chance.
    verdict : str
        What is wrong there, in words; empty if nothing visibly is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: str
    value: str
    n_leads: int
    n_converted: int
    roc_auc: Estimate
    log_loss: Estimate
    gap: Estimate
    verdict: str


def evaluate_slices(
    schema: LeadSchema,
    X: pd.DataFrame,
    y: npt.NDArray[np.int64],
    probability: npt.NDArray[np.float64],
    roc_auc: float,
    random_state: int = 0,
) -> tuple[SliceMetrics, ...]:
    """Judge the probabilities of the leads of each value that has enough of them.

    Parameters
    ----------
    schema : LeadSchema
        The fields; texts and booleans are looked at.
    X : DataFrame of shape (n_leads, n_fields)
        Typed test leads.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    probability : array of shape (n_leads,)
        What the model says.
    roc_auc : float
        That of all test leads, to compare with.
    random_state : int
        Seed of the resamples.

    Returns
    -------
    tuple of Level
        The worst gap first.
    """
    found = [
        (field, value, rows)
        for field, value, rows in _values(schema, X)
        if len(rows) >= MIN_LEADS and MIN_OF_EACH <= y[rows].sum() <= len(rows) - MIN_OF_EACH
    ]
    z = NormalDist().inv_cdf(1 - 0.025 / max(len(found), 1))
    overall = float((probability - y).mean())
    levels = []
    for field, value, rows in found:
        test = estimate_metrics(
            y[rows], probability[rows], random_state=random_state, n_resamples=N_RESAMPLES
        )
        gap = _gap(y[rows], probability[rows], z)
        levels.append(
            SliceMetrics(
                field=field,
                value=value,
                n_leads=len(rows),
                n_converted=int(y[rows].sum()),
                roc_auc=test["roc_auc"],
                log_loss=test["log_loss"],
                gap=gap,
                verdict=_verdict(test["roc_auc"], gap, roc_auc, overall),
            )
        )
    return tuple(sorted(levels, key=lambda level: (not level.verdict, -abs(level.gap.value))))


def _values(schema: LeadSchema, X: pd.DataFrame) -> Sequence[tuple[str, str, npt.NDArray[np.intp]]]:
    values = []
    for field in schema.fields:
        column = X[field.name].to_numpy()
        choices: Mapping[str, object] = {}
        if field.is_text:
            choices = {choice: choice for choice in field.choices}
        elif field.kind == "boolean":
            choices = {"Yes": 1.0, "No": 0.0}
        values += [(field.name, name, np.flatnonzero(column == value)) for name, value in choices.items()]
    return values


def _gap(y: npt.NDArray[np.int64], probability: npt.NDArray[np.float64], z: float) -> Estimate:
    gaps = probability - y
    value = float(gaps.mean())
    half = z * float(gaps.std(ddof=1)) / float(np.sqrt(len(gaps)))
    return Estimate(value=value, low=value - half, high=value + half)


def _verdict(auc: Estimate, gap: Estimate, overall_auc: float, overall_gap: float) -> str:
    found = []
    # What is wrong with all leads alike says nothing of these.
    if gap.low > max(0.0, overall_gap) or gap.high < min(0.0, overall_gap):
        side = "high" if gap.value > 0 else "low"
        points = f"{100 * abs(gap.value):.0f} points"
        found.append(f"probabilities run {side} by {points} ({100 * overall_gap:+.0f} over all leads)")
    if auc.high < overall_auc:
        found.append("leads are told apart less well than elsewhere")
    return "; ".join(found)
