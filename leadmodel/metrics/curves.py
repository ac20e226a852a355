"""Trace ROC, gains and other curves, thinned to the points that a figure can show."""

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict
from sklearn.metrics import confusion_matrix, precision_recall_curve, roc_curve

from leadmodel.metrics.classification import reliability
from leadmodel.metrics.profit import CallPayoff, profit_per_lead

__all__ = ["Curves", "Line", "thin", "trace_curves"]

MAX_POINTS = 200


class Line(BaseModel):
    """One curve."""

    model_config = ConfigDict(frozen=True)

    x: list[float]
    y: list[float]


class Curves(BaseModel):
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

    model_config = ConfigDict(frozen=True)

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
    y: npt.NDArray[np.int64],
    probability: npt.NDArray[np.float64],
    positive: npt.NDArray[np.bool_],
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
    ranked = y[np.argsort(-probability, kind="stable")]
    share = np.linspace(0, 1, len(ranked) + 1)
    first = max(1, len(ranked) // 100)
    captured = np.concatenate([[0.0], np.cumsum(ranked) / ranked.sum()])
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


def thin(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> Line:
    """Return at most `MAX_POINTS` points of a curve, evenly spaced by index."""
    keep = np.unique(np.linspace(0, len(x) - 1, min(len(x), MAX_POINTS)).astype(int))
    return Line(x=x[keep].round(5).tolist(), y=y[keep].round(5).tolist())
