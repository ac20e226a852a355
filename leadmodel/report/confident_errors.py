"""The surest mistakes: leads that did the opposite of what the model was most confident of, and why."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from leadmodel.arrays import Ints
from leadmodel.explain.reasons import Explanation, Reason, explain
from leadmodel.insights.conversion import group_name
from leadmodel.insights.profile import Profile
from leadmodel.leads.field import Value
from leadmodel.leads.table import LeadTable
from leadmodel.predictor import Predictor

__all__ = ["ConfidentError", "find_confident_errors"]

MAX_REASONS = 3


class ConfidentError(NamedTuple):
    """A lead that was thought sure of one outcome and had the other.

    Parameters
    ----------
    probability : float
        What the model said.
    converted : bool
        What happened.
    misled_by : tuple of str
        The fields that spoke loudest for the wrong outcome, each by its range or frequent value
        and the share of such training leads that converted: nothing that points to the lead.
    """

    probability: float
    converted: bool
    misled_by: tuple[str, ...]


def find_confident_errors(
    routing: Predictor, profile: Profile, X: pd.DataFrame, y: Ints, n_each: int = 4
) -> tuple[ConfidentError, ...]:
    """Find the surest mistakes among leads that the model has not learned from.

    Parameters
    ----------
    routing : Predictor
        The model.
    profile : Profile
        What its training leads did.
    X : DataFrame of shape (n_leads, n_fields)
        Typed leads.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    n_each : int
        How many of either kind.

    Returns
    -------
    tuple of Mistake
        First the leads that converted, of the lowest probabilities, then the others, of the highest.
    """
    surprise = y - routing.predict(X).probability
    rising = np.argsort(surprise, kind="stable")
    missed = [place for place in rising[: -n_each - 1 : -1] if y[place]]
    false_hopes = [place for place in rising[:n_each] if not y[place]]
    places = [*missed, *false_hopes]
    table = LeadTable.from_frame(routing.schema, X.iloc[places])
    predictions = routing.predict(table, explain=True)
    assert predictions.contributions is not None
    told = explain(profile, table, predictions.contributions)
    return tuple(
        ConfidentError(chance, bool(y[place]), _tell(routing, profile, row, _wrong(one, bool(y[place]))))
        for place, row, chance, one in zip(
            places, table.rows(), predictions.probability.tolist(), told, strict=True
        )
    )


def _wrong(explanation: Explanation, converted: bool) -> tuple[Reason, ...]:
    """Return what spoke for the outcome that the lead did not have."""
    return explanation.reasons_against if converted else explanation.reasons_for


def _tell(
    routing: Predictor, profile: Profile, row: list[Value], reasons: tuple[Reason, ...]
) -> tuple[str, ...]:
    schema, told = routing.schema, []
    for reason in reasons[:MAX_REASONS]:
        field, known = schema.by_name[reason.field], profile.fields[reason.field]
        value = row[schema.columns.index(reason.field)]
        cell = known.cell(value)
        rate = f" ({cell.rate:.0%})" if cell.is_told else ""
        told.append(f"{field.label} {group_name(field, known, value)}{rate}")
    return tuple(told)
