"""Hold what was tried to improve the model, and what it gained: part of metrics.json."""

from typing import Any

from leadmodel.metrics.classification import Estimate
from leadmodel.records import Record

__all__ = ["Calibration", "SegmentModel", "SegmentModels", "Tuning"]


class Calibration(Record):
    """A straight line through the log-odds (Platt 1999), and whether it is in the model.

    Parameters
    ----------
    scale, shift : float
        Calibrated log-odds are ``scale * log_odds + shift``.
    change : Estimate
        What it adds to the log loss of training leads that neither the model nor the line has
        seen; below 0 is better. Paired, with its 95 % interval.
    """

    scale: float
    shift: float
    change: Estimate

    @property
    def line(self) -> tuple[float, float] | None:
        """Slope and intercept in log-odds, or None where the calibration is not used."""
        return (self.scale, self.shift) if self.is_used else None

    @property
    def is_used(self) -> bool:
        """Whether the gain is beyond doubt; else the model is left as it is."""
        return self.change.high < 0

    def summary(self) -> str:
        """Return what was found, in a sentence."""
        verdict = "applied" if self.is_used else "not applied, as it showed no clear benefit"
        change = self.change.summary("+.4f")
        return f"Platt scaling {verdict}; it changes the cross-validated log loss by {change}."


class Tuning(Record):
    """The search for better parameters, and whether its best ones are those of the model.

    Parameters
    ----------
    n_trials, n_pruned : int
        Settings tried, and those of them given up after some folds.
    seconds : float
        Wall time of the search and of the last check.
    ended : str
        Why it ended, in words.
    best : dict
        Parameters of the best trial, where they are not the default.
    change : Estimate
        What they add to the default's log loss on folds that the search has not used; below 0
        is better. Paired, with its 95 % interval.
    """

    n_trials: int
    n_pruned: int
    seconds: float
    ended: str
    best: dict[str, Any]
    change: Estimate

    @property
    def is_used(self) -> bool:
        """Whether the best parameters are better on new folds beyond doubt; else the default is kept."""
        return self.change.high < 0

    def summary(self) -> str:
        """Return what was found, in a sentence."""
        tried = f"{self.n_trials} settings tried ({self.n_pruned} given up early) until {self.ended}"
        if not self.best:
            return f"{tried}; none was better than the default."
        verdict = "The best is used" if self.is_used else "The default is kept"
        change = self.change.summary("+.4f")
        return f"{tried}. {verdict}: on new folds the best one changes the log loss by {change}."


class SegmentModel(Record):
    """The training leads with one value of a field, and a model of their own.

    Parameters
    ----------
    value : str
        Of the field.
    n_leads : int
        Training leads with it.
    change : Estimate
        What a model of these leads alone adds to the log loss that the model of all leads has on
        them, both cross-validated; below 0 is better. Paired, with its 95 % interval.
    """

    value: str
    n_leads: int
    change: Estimate

    @property
    def is_used(self) -> bool:
        """Whether the part's own model is better beyond doubt; else the model of all leads answers."""
        return self.change.high < 0


class SegmentModels(Record):
    """Models for the leads of single values of one field.

    Parameters
    ----------
    field : str
        The field whose values were looked at.
    tried : tuple of SegmentModel
        Values with enough leads for a model of their own.
    """

    field: str
    tried: tuple[SegmentModel, ...]

    def summary(self) -> str:
        """Return what was found, in a sentence."""
        used = [part.value for part in self.tried if part.is_used]
        if not self.tried:
            return f"no value of {self.field!r} has enough leads for a model of its own."
        return (
            f"of {len(self.tried)} values of {self.field!r} with enough leads, {len(used)} visibly gain "
            f"from a model of their own{': ' + ', '.join(used) if used else ''}. The others are answered "
            "by the model of all leads."
        )
