"""Compute the profit of calling leads, by the number of calls."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["CallPayoff", "Cuts", "find_cuts", "profit_at", "profit_per_lead"]

Floats = npt.NDArray[np.float64]


class CallPayoff(NamedTuple):
    """Amounts that leads brought, the order of the calls, and their cost.

    Parameters
    ----------
    brought : array of shape (n_leads,)
        Amount that each lead brought.
    ranking : array of shape (n_leads,)
        Leads are called in descending order of it.
    cost : float
        Cost of a call.
    """

    brought: Floats
    ranking: Floats
    cost: float

    @property
    def gain(self) -> Floats:
        """Gain of calling each lead: its amount less the cost."""
        return self.brought - self.cost


class Cuts(NamedTuple):
    """Possible thresholds for ranked leads, with their counts; a tie is never divided."""

    probability: Floats
    called: Floats
    hits: Floats
    n_leads: int

    @property
    def precision(self) -> Floats:
        return self.hits / self.called

    @property
    def recall(self) -> Floats:
        return self.hits / self.hits[-1]


def profit_per_lead(payoff: CallPayoff) -> tuple[Floats, Floats]:
    """Return the shares of the leads called, from none to all, and the profit at each share.

    The profit is per lead of the whole list, called or not.
    """
    cuts = find_cuts(payoff.brought, payoff.ranking)
    share, profit = cuts.called / cuts.n_leads, profit_at(cuts, 1.0, payoff.cost)
    return np.append(0.0, share), np.append(0.0, profit)


def find_cuts(y: Floats, probability: Floats) -> Cuts:
    """Find the possible thresholds for leads ranked by probability."""
    order = np.argsort(-probability, kind="stable")
    ranked, hits = probability[order], np.cumsum(y[order])
    last_of_tie = np.append(ranked[1:] != ranked[:-1], True)
    ends = ranked[last_of_tie]
    return Cuts(
        # Half-way to the next lower probability, so that rounding moves no lead across.
        probability=(ends + np.append(ends[1:], 0.0)) / 2,
        called=(np.flatnonzero(last_of_tie) + 1).astype(np.float64),
        hits=hits[last_of_tie],
        n_leads=len(ranked),
    )


def profit_at(cuts: Cuts, value: float, cost: float) -> Floats:
    """Return the profit per lead of the whole list at each cut."""
    return np.asarray((cuts.hits * value - cuts.called * cost) / cuts.n_leads)
