"""Profit of calling leads, by how many are called."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["CallPayoff", "Cuts", "find_cuts", "profit_at", "profit_per_lead"]

Floats = npt.NDArray[np.float64]


class CallPayoff(NamedTuple):
    """What calling leads is worth.

    Parameters
    ----------
    brought : array of shape (n_leads,)
        What each really brought.
    ranking : array of shape (n_leads,)
        By what they are called, highest first.
    cost : float
        Of a call.
    """

    brought: Floats
    ranking: Floats
    cost: float

    @property
    def gain(self) -> Floats:
        """What calling each lead gains."""
        return self.brought - self.cost


class Cuts(NamedTuple):
    """Every place where leads, best first, can be cut: a tie is never divided."""

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


def profit_per_lead(stakes: CallPayoff) -> tuple[Floats, Floats]:
    """Return the share of the leads called, best first from none to all, and the profit of each share.

    The profit is per lead of the whole list, called or not.
    """
    cuts = find_cuts(stakes.brought, stakes.ranking)
    share, profit = cuts.called / cuts.n_leads, profit_at(cuts, 1.0, stakes.cost)
    return np.append(0.0, share), np.append(0.0, profit)


def find_cuts(y: Floats, probability: Floats) -> Cuts:
    """Return every place where the leads, ranked by probability, can be cut."""
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
