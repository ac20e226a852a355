"""Find confident errors: leads with the opposite of a confidently predicted outcome."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from leadmodel.arrays import Ints
from leadmodel.explain.reasons import Reason, explain
from leadmodel.insights.conversion import group_name
from leadmodel.insights.profile import Profile
from leadmodel.leads.field import Value
from leadmodel.leads.table import LeadTable
from leadmodel.predictor import Predictor

__all__ = ["ConfidentError", "find_confident_errors"]

MAX_REASONS = 3


class ConfidentError(NamedTuple):
    """A lead with a confident prediction and the opposite outcome.

    Parameters
    ----------
    probability : float
        Predicted probability of conversion.
    converted : bool
        Actual outcome.
    misled_by : tuple of str
        The fields with the largest contributions to the wrong outcome, each with its range or frequent
        value and the conversion rate of such training leads, so that no lead can be identified.
    """

    probability: float
    converted: bool
    misled_by: tuple[str, ...]


def find_confident_errors(
    predictor: Predictor, profile: Profile, X: pd.DataFrame, y: Ints, n_each: int = 4
) -> tuple[ConfidentError, ...]:
    """Find the most confident errors among leads that the model was not trained on.

    Parameters
    ----------
    predictor : Predictor
        The model.
    profile : Profile
        Profile of its training leads.
    X : DataFrame of shape (n_leads, n_fields)
        Typed leads.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    n_each : int
        Number of errors per outcome.

    Returns
    -------
    tuple of ConfidentError
        First the converted leads with the lowest probabilities, then the others with the highest.
    """
    residual = y - predictor.predict(X).probability
    # Near 1 for a converted lead of low probability, near -1 for another one of high probability.
    order = np.argsort(residual, kind="stable")
    missed = [position for position in order[: -n_each - 1 : -1] if y[position]]
    false_hopes = [position for position in order[:n_each] if not y[position]]
    # Only these few leads are explained: contributions cost much more than probabilities.
    positions = [*missed, *false_hopes]
    table = LeadTable.from_frame(predictor.schema, X.iloc[positions])
    predictions = predictor.predict(table, explain=True)
    assert predictions.contributions is not None
    explanations = explain(profile, table, predictions.contributions)
    errors = []
    for lead, (position, row) in enumerate(zip(positions, table.rows(), strict=True)):
        converted = bool(y[position])
        reasons = explanations[lead].reasons_against if converted else explanations[lead].reasons_for
        misled_by = tuple(_describe(predictor, profile, row, reason) for reason in reasons[:MAX_REASONS])
        errors.append(ConfidentError(float(predictions.probability[lead]), converted, misled_by))
    return tuple(errors)


def _describe(predictor: Predictor, profile: Profile, row: list[Value], reason: Reason) -> str:
    field, field_profile = predictor.schema.by_name[reason.field], profile.fields[reason.field]
    value = row[predictor.schema.columns.index(reason.field)]
    cell = field_profile.cell(value)
    rate = f" ({cell.rate:.0%})" if cell.is_told else ""
    return f"{field.label} {group_name(field, field_profile, value)}{rate}"
