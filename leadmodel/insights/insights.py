"""What the training leads say of themselves, in aggregates: never a lead, never an extreme value."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BaseModel, ConfigDict

from leadmodel.insights.association import Association, associate
from leadmodel.insights.interaction import Interaction, find_interactions
from leadmodel.leads.disclosure import publish_quantiles
from leadmodel.leads.schema import MIN_CATEGORY_COUNT, Field, LeadSchema

__all__ = ["Insights", "Spread", "find_insights"]

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)

MIN_LEADS = round(MIN_CATEGORY_COUNT / SHARES[0])
"""Leads of an outcome from which on a handful lies beyond the outermost quantile."""

Five = tuple[float, float, float, float, float]


class Spread(BaseModel):
    """A number among the leads of each outcome, at 5, 25, 50, 75 and 95 % of them.

    Parameters
    ----------
    converted, other : tuple of float
        The five quantiles, rising.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    converted: Five
    other: Five


class Insights(BaseModel):
    """What the training leads say, beyond the counts of the profile.

    Parameters
    ----------
    spreads : dict of str to Spread
        By name of each number that enough leads of both outcomes have.
    association : Association
        How strongly the most important fields go along with each other.
    interactions : tuple of Interaction
        Pairs of fields that convert otherwise together than apart, the strongest first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    spreads: dict[str, Spread]
    association: Association
    interactions: tuple[Interaction, ...]


def find_insights(
    schema: LeadSchema,
    X: pd.DataFrame,
    y: npt.NDArray[np.int64],
    importance: Mapping[str, float],
    random_state: int = 0,
) -> Insights:
    """Find what the training leads say.

    Parameters
    ----------
    schema : LeadSchema
        The fields.
    X : DataFrame of shape (n_leads, n_fields)
        Typed training leads.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    importance : mapping of str to float
        By field name; pairs are looked for among the most important fields.
    random_state : int
        Seed of the draw from very many leads.
    """
    ranked = sorted(schema.by_name, key=lambda name: -importance.get(name, 0.0))
    numbers = [field for field in schema.fields if field.kind == "numeric"]
    spreads = {field.name: _spread(field, X, y) for field in numbers}
    return Insights(
        spreads={name: spread for name, spread in spreads.items() if spread},
        association=associate(schema, X, ranked, random_state),
        interactions=find_interactions(schema, X, y, ranked),
    )


def _spread(field: Field, X: pd.DataFrame, y: npt.NDArray[np.int64]) -> Spread | None:
    numbers = X[field.name].to_numpy(dtype=np.float64)
    known = ~np.isnan(numbers)
    converted, other = numbers[known & (y == 1)], numbers[known & (y == 0)]
    if min(len(converted), len(other)) < MIN_LEADS:
        return None
    return Spread(converted=_quantiles(converted), other=_quantiles(other))


def _quantiles(numbers: npt.NDArray[np.float64]) -> Five:
    low, first, middle, third, high = publish_quantiles(numbers, SHARES).tolist()
    return low, first, middle, third, high
