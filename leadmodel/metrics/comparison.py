"""Compare models by their predictions for the same leads."""

from collections.abc import Sequence
from typing import NamedTuple

from leadmodel.arrays import Floats, Ints
from leadmodel.metrics.classification import Estimate, evaluate, log_losses
from leadmodel.records import Record

__all__ = ["Candidate", "Trial", "compare", "paired_difference"]


class Trial(NamedTuple):
    """Cross-validated predictions of one type of model.

    Parameters
    ----------
    name : str
        Name for people.
    character : str
        Its strengths and weaknesses, in a line.
    probability : array of shape (n_leads,)
        Out-of-fold probability of each lead.
    fit_seconds, score_seconds : float
        Wall time over all folds.
    """

    name: str
    character: str
    probability: Floats
    fit_seconds: float
    score_seconds: float


class Candidate(Record):
    """One type of model as the comparison ranks it.

    Parameters
    ----------
    metrics : dict of str to float
        Cross-validated metrics, as `leadmodel.metrics.classification.evaluate` returns them.
    behind : Estimate
        Log loss minus that of the best candidate, with the 95 % interval of the paired difference.
    score_seconds : float
        Time to score a thousand leads.
    """

    name: str
    character: str
    metrics: dict[str, float]
    behind: Estimate
    fit_seconds: float
    score_seconds: float


def compare(y: Ints, trials: Sequence[Trial]) -> tuple[Candidate, ...]:
    """Rank trials on the same leads by log loss, the lowest first.

    Parameters
    ----------
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    trials : sequence of Trial
        One or more.
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


def paired_difference(y: Ints, probability: Floats, baseline: Floats) -> Estimate:
    """Estimate the log loss minus that of a `baseline` on the same leads, with its 95 % interval.

    Paired by lead, a lead that is hard for both models adds nothing to the variance.

    Parameters
    ----------
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    probability, baseline : array of shape (n_leads,)
        Probabilities of the two models.
    """
    return Estimate.of_mean(log_losses(y, probability) - log_losses(y, baseline))
