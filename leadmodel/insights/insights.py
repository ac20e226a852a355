"""Summarize the training leads in aggregates: never a single lead, never an extreme value."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadmodel.arrays import Floats, Ints
from leadmodel.insights.association import Association, associate
from leadmodel.insights.interaction import Interaction, find_interactions
from leadmodel.leads.disclosure import publish_quantiles
from leadmodel.leads.field import MIN_CATEGORY_COUNT
from leadmodel.leads.schema import LeadSchema
from leadmodel.records import Record

__all__ = ["N_BINS", "Histogram", "Insights", "Spread", "count_histogram", "find_insights"]

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)

MIN_LEADS = round(MIN_CATEGORY_COUNT / SHARES[0])
"""Least leads of an outcome, so that several lie beyond the outermost quantile."""

N_BINS = 20

TAIL = 0.01
"""Share of the leads left out at either end of a histogram: one mistyped number would press all others into
a single bin."""

Five = tuple[float, float, float, float, float]


class Spread(Record):
    """Quantiles of a number at 5, 25, 50, 75 and 95 %, for each outcome.

    Parameters
    ----------
    converted, other : tuple of float
        Five quantiles, ascending.
    """

    converted: Five
    other: Five


class Insights(Record):
    """Summary of the training leads beyond the counts of the profile.

    Parameters
    ----------
    spreads : dict of str to Spread
        By name of each numeric field with enough leads of both outcomes.
    association : Association
        Pairwise association of the most important fields.
    interactions : tuple of Interaction
        Pairs of fields whose effects do not add up, the strongest first.
    """

    spreads: dict[str, Spread]
    association: Association
    interactions: tuple[Interaction, ...]


def find_insights(
    schema: LeadSchema,
    X: pd.DataFrame,
    y: Ints,
    importance: Mapping[str, float],
    random_state: int = 0,
) -> Insights:
    """Summarize the training leads.

    Parameters
    ----------
    schema : LeadSchema
        The fields.
    X : DataFrame of shape (n_leads, n_fields)
        Typed training leads.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    importance : mapping of str to float
        By field name; pairs are taken from the most important fields.
    random_state : int
        Seed of the sample for the association.
    """
    ranked = sorted(schema.by_name, key=lambda name: -importance.get(name, 0.0))
    numbers = [field for field in schema.fields if field.kind == "numeric"]
    spreads = {field.name: _spread(X[field.name], y) for field in numbers}
    return Insights(
        spreads={name: spread for name, spread in spreads.items() if spread},
        association=associate(schema, X, ranked, random_state),
        interactions=find_interactions(schema, X, y, ranked),
    )


def _spread(column: pd.Series, y: Ints) -> Spread | None:
    numbers = column.to_numpy(dtype=np.float64)
    given = ~np.isnan(numbers)
    converted, other = numbers[given & (y == 1)], numbers[given & (y == 0)]
    if min(len(converted), len(other)) < MIN_LEADS:
        return None
    # Not plain quantiles, which may be the number of a single lead.
    quantiles = [publish_quantiles(group, SHARES).tolist() for group in (converted, other)]
    return Spread(converted=quantiles[0], other=quantiles[1])


class Histogram(Record):
    """Leads of each outcome in bins of equal width.

    Parameters
    ----------
    edges : tuple of float
        Edges of the bins, ascending; each bin includes its lower edge, the last one its upper edge too.
    converted, other : tuple of int
        Leads per bin.
    beyond : int
        Number of leads outside the outermost edges.
    """

    edges: tuple[float, ...]
    converted: tuple[int, ...]
    other: tuple[int, ...]
    beyond: int


def count_histogram(numbers: npt.ArrayLike, y: Ints) -> Histogram:
    """Count the leads of each outcome in bins over the middle 98 % of the numbers.

    Parameters
    ----------
    numbers : array-like of shape (n_leads,)
        NaN where missing; at least one is given.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    """
    given = np.asarray(numbers, dtype=np.float64)
    is_given = ~np.isnan(given)
    given, y = given[is_given], y[is_given]
    edges = _edges(given)
    converted, other = (np.histogram(given[y == outcome], edges)[0].tolist() for outcome in (1, 0))
    return Histogram(
        edges=tuple(edges.tolist()),
        converted=tuple(converted),
        other=tuple(other),
        beyond=len(given) - sum(converted) - sum(other),
    )


def _edges(given: Floats) -> Floats:
    low, high = np.quantile(given, [TAIL, 1 - TAIL])
    if (given % 1 != 0).any():
        return np.histogram_bin_edges(given, N_BINS, (low, high))
    # Each bin must have equally many whole numbers, or the bars would show nothing but their number.
    low, high = np.floor(low), np.ceil(high)
    width = np.ceil((high - low + 1) / N_BINS)
    return np.arange(low, high + width + 1, width) - 0.5
