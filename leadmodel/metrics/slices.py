"""Evaluate the model on slices of the test leads: one per value of each categorical field."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtri

from leadmodel.arrays import Floats, Ints, Positions
from leadmodel.leads.schema import LeadSchema
from leadmodel.metrics.classification import Estimate, estimate_roc_auc, log_losses
from leadmodel.records import Record

__all__ = ["SliceMetrics", "evaluate_slices"]

MIN_LEADS = 100
MIN_OF_EACH = 15
"""Least test leads of a slice, and of its rarer outcome; with fewer, intervals are too wide to use."""


class SliceMetrics(Record):
    """The test leads with one value of one field.

    Parameters
    ----------
    field, value : str
        The value as the schema has it; "Yes" or "No" for a boolean of numbers.
    n_leads, n_converted : int
        Test leads with that value, and the converted ones among them.
    roc_auc, log_loss : Estimate
        Metrics within the slice.
    gap : Estimate
        Mean predicted probability minus the share that converted. Its interval is corrected for the
        number of slices (Bonferroni), so that a verdict is rarely due to chance.
    verdict : str
        Problem of the slice in words; empty if there is none.
    """

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
    y: Ints,
    probability: Floats,
    roc_auc: float,
) -> tuple[SliceMetrics, ...]:
    """Evaluate the probabilities on each slice with enough leads.

    Parameters
    ----------
    schema : LeadSchema
        The fields; categorical and boolean ones make slices.
    X : DataFrame of shape (n_leads, n_fields)
        Typed test leads.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    probability : array of shape (n_leads,)
        Predicted probabilities.
    roc_auc : float
        ROC AUC over all test leads, to compare with.

    Returns
    -------
    tuple of SliceMetrics
        The worst gap first.
    """
    slices = [
        (field, value, rows)
        for field, value, rows in _values(schema, X)
        if len(rows) >= MIN_LEADS and MIN_OF_EACH <= y[rows].sum() <= len(rows) - MIN_OF_EACH
    ]
    # Dozens of slices would give a false alarm at nearly every model with plain 95 % intervals.
    z = float(ndtri(1 - 0.025 / max(len(slices), 1)))
    overall = float((probability - y).mean())
    evaluated = []
    for field, value, rows in slices:
        auc = estimate_roc_auc(y[rows], probability[rows])
        gap = Estimate.of_mean(probability[rows] - y[rows], z)
        evaluated.append(
            SliceMetrics(
                field=field,
                value=value,
                n_leads=len(rows),
                n_converted=int(y[rows].sum()),
                roc_auc=auc,
                log_loss=Estimate.of_mean(log_losses(y[rows], probability[rows])),
                gap=gap,
                verdict=_verdict(auc, gap, roc_auc, overall),
            )
        )
    return tuple(sorted(evaluated, key=lambda metrics: (not metrics.verdict, -abs(metrics.gap.value))))


def _values(schema: LeadSchema, X: pd.DataFrame) -> Sequence[tuple[str, str, Positions]]:
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


def _verdict(auc: Estimate, gap: Estimate, overall_auc: float, overall_gap: float) -> str:
    problems = []
    # A slice is only as wrong as it is worse than all leads together.
    if gap.low > max(0.0, overall_gap) or gap.high < min(0.0, overall_gap):
        side = "high" if gap.value > 0 else "low"
        points = f"{100 * abs(gap.value):.0f} points"
        problems.append(f"probabilities are {points} too {side} ({100 * overall_gap:+.0f} over all leads)")
    if auc.high < overall_auc:
        problems.append("leads are ranked less well than overall")
    return "; ".join(problems)
