"""Trace ROC, gains, profit and other curves, and find the possible thresholds of ranked leads."""

from typing import NamedTuple

import numpy as np
from sklearn.metrics import confusion_matrix, precision_recall_curve, roc_curve

from leadmodel.arrays import Bools, Floats, Ints
from leadmodel.metrics.calibration import reliability
from leadmodel.records import Record

__all__ = [
    "CallPayoff",
    "Curves",
    "Cuts",
    "Line",
    "find_cuts",
    "profit_at",
    "profit_per_lead",
    "thin",
    "trace_curves",
    "trace_gains",
]

MAX_POINTS = 200


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


class Line(Record):
    """One curve."""

    x: list[float]
    y: list[float]


class Curves(Record):
    """All curves of the test leads.

    Parameters
    ----------
    roc : Line
        False positive rate to true positive rate.
    precision_recall : Line
        Recall to precision.
    gains : Line
        Share of leads, best first, to share of conversions among them.
    lift : Line
        Share of leads, best first, to their conversion rate over that of all.
    profit : Line, optional
        Share of leads called, best first, to the profit per lead of the list.
    reliability : dict of list of float
        Predicted and observed mean per bin, and the leads in it.
    score_edges, scores_converted, scores_other
        Histogram of the probabilities by outcome.
    confusion : list of list of int
        Rows: other and converted leads; columns: decided against and for.
    """

    roc: Line
    precision_recall: Line
    gains: Line
    lift: Line
    profit: Line | None = None
    reliability: dict[str, list[float]]
    score_edges: list[float]
    scores_converted: list[int]
    scores_other: list[int]
    confusion: list[list[int]]

    @property
    def called(self) -> float:
        """Share of the leads that are called at the threshold."""
        return sum(row[1] for row in self.confusion) / sum(map(sum, self.confusion))


def trace_curves(
    y: Ints,
    probability: Floats,
    positive: Bools,
    payoff: CallPayoff | None = None,
) -> Curves:
    """Trace every curve of probabilities and decisions, and the profit curve where the payoff is known.

    Parameters
    ----------
    y, probability, positive : array of shape (n_leads,)
        1 for converted, 0 for the others; the probabilities; which leads were decided for.
    payoff : CallPayoff, optional
        Amounts that the leads brought, and the cost of a call.
    """
    false_rate, true_rate, _ = roc_curve(y, probability)
    precision, recall, _ = precision_recall_curve(y, probability)
    share, captured = trace_gains(y.astype(np.float64), probability)
    first = max(1, len(y) // 100)
    converted, edges = np.histogram(probability[y == 1], bins=25, range=(0, 1))
    other, _ = np.histogram(probability[y == 0], bins=25, range=(0, 1))
    return Curves(
        roc=thin(false_rate, true_rate),
        precision_recall=thin(recall, precision),
        gains=thin(share, captured),
        # The lift of the first few leads is mostly chance.
        lift=thin(share[first:], (captured[1:] / share[1:])[first - 1 :]),
        profit=payoff and thin(*profit_per_lead(payoff)),
        reliability=reliability(y, probability),
        score_edges=edges.tolist(),
        scores_converted=converted.tolist(),
        scores_other=other.tolist(),
        confusion=confusion_matrix(y, positive, labels=[0, 1]).tolist(),
    )


def trace_gains(value: Floats, ranking: Floats) -> tuple[Floats, Floats]:
    """Return the shares of the leads, best first, and the share of all `value` among them."""
    ranked = value[np.argsort(-ranking, kind="stable")]
    share = np.linspace(0, 1, len(ranked) + 1)
    return share, np.concatenate([[0.0], np.cumsum(ranked) / ranked.sum()])


def thin(x: Floats, y: Floats) -> Line:
    """Return at most `MAX_POINTS` points of a curve, evenly spaced by index."""
    keep = np.unique(np.linspace(0, len(x) - 1, min(len(x), MAX_POINTS)).astype(int))
    return Line(x=x[keep].round(5).tolist(), y=y[keep].round(5).tolist())


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
