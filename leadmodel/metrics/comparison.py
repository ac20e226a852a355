"""How models compare that were judged on the same leads."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from leadmodel.metrics.classification import Estimate, evaluate, log_losses

__all__ = ["Candidate", "Trial", "compare", "paired_difference"]


class Trial(BaseModel):
    """One kind of model on cross-validation folds.

    Parameters
    ----------
    name : str
        What people call it.
    character : str
        Its strengths and weaknesses, in a line.
    probability : array of shape (n_leads,)
        Of each lead, by the model of the folds without it.
    fit_seconds, score_seconds : float
        Wall time over all folds.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    name: str
    character: str
    probability: npt.NDArray[np.float64]
    fit_seconds: float
    score_seconds: float


class Candidate(BaseModel):
    """What the comparison says of one kind of model.

    Parameters
    ----------
    metrics : dict of str to float
        Those of `leadmodel.metrics.classification.evaluate`, cross-validated.
    behind : Estimate
        Log loss beyond the best candidate's, with the 95 % interval of the paired difference.
    score_seconds : float
        For a thousand leads.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    character: str
    metrics: dict[str, float]
    behind: Estimate
    fit_seconds: float
    score_seconds: float


def compare(y: npt.NDArray[np.int64], trials: Sequence[Trial]) -> tuple[Candidate, ...]:
    """Compare trials on the same leads, the lowest log loss first.

    Parameters
    ----------
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    trials : sequence of Trial
        At least one.
    """
    best = min(trials, key=lambda trial: float(log_losses(y, trial.probability).mean()))
    candidates = [
        Candidate(
            name=trial.name,
            character=trial.character,
            metrics=evaluate(y, trial.probability),
            behind=paired_difference(y, trial.probability, best.probability),
            fit_seconds=trial.fit_seconds,
            score_seconds=1000 * trial.score_seconds / len(y),
        )
        for trial in trials
    ]
    return tuple(sorted(candidates, key=lambda candidate: candidate.behind.value))


def paired_difference(
    y: npt.NDArray[np.int64], one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]
) -> Estimate:
    """Return the log loss of `one` beyond that of `other`, with the 95 % interval of the paired mean.

    The leads are the same, so what makes one of them hard for both cancels out.

    Parameters
    ----------
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    one, other : array of shape (n_leads,)
        Probabilities.
    """
    difference = log_losses(y, one) - log_losses(y, other)
    mean = float(difference.mean())
    half = 1.96 * float(difference.std(ddof=1)) / float(np.sqrt(len(difference)))
    return Estimate(value=mean, low=mean - half, high=mean + half)
