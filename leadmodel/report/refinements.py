"""Describe what was tried to refine a model, and what of it is used."""

from typing import Any

from leadmodel.metrics.classification import Estimate
from leadmodel.records import Record

__all__ = ["Calibration", "Gain", "Portfolio", "PortfolioEntry", "SegmentModel", "SegmentModels", "Tuning"]


class Gain(Record):
    """The change that an alternative makes to the log loss, below 0 if it is better.

    It is paired, with its 95 % interval.
    """

    change: Estimate

    @property
    def is_used(self) -> bool:
        """Whether the gain is beyond doubt; otherwise the model is left as it is."""
        return self.change.high < 0


class Calibration(Gain):
    """Linear map of the log-odds (Platt 1999), and whether the model uses it.

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

    @property
    def line(self) -> tuple[float, float] | None:
        """Slope and intercept in log-odds, or None where the calibration is not used."""
        return (self.scale, self.shift) if self.is_used else None

    def summary(self) -> str:
        """Return what was found, in a sentence."""
        verdict = "applied" if self.is_used else "not applied, as it showed no clear benefit"
        change = self.change.summary("+.4f")
        return f"Platt scaling {verdict}; it changes the cross-validated log loss by {change}."


class PortfolioEntry(Record):
    """A setting of CatBoost that raced against the default.

    Parameters
    ----------
    name : str
        For people.
    changes : dict
        What it changes of the default's parameters.
    n_folds : int
        Folds until it dropped out; all of them if it did not.
    behind : float
        Mean log loss of those folds minus the default's; below 0 is better.
    n_trees : int
        Trees of a fold's model.
    n_models : int
        How many of the averaged models are of this setting.
    """

    name: str
    changes: dict[str, Any]
    n_folds: int
    behind: float
    n_trees: int
    n_models: int


class Portfolio(Gain):
    """Settings of CatBoost that raced on the folds of the default, and whether a blend of them is used.

    Parameters
    ----------
    entries : tuple of PortfolioEntry
        All settings, the default among them.
    change : Estimate
        What the blend adds to the log loss of the default, averaged over seeds if the blend may be better,
        on leads that did not choose it; below 0 is better. Paired, with its 95 % interval.
    """

    entries: tuple[PortfolioEntry, ...]

    def summary(self) -> str:
        """Return what was found, in a sentence."""
        used = [entry for entry in self.entries if entry.n_models]
        models = " and ".join(f"{entry.n_models} × {entry.name}" for entry in used)
        verdict = f"A blend is used ({models})" if self.is_used else "The default is kept"
        return (
            f"{len(self.entries)} settings of CatBoost tried. {verdict}: the best blend changes the "
            f"cross-validated log loss by {self.change.summary('+.4f')}."
        )


class Tuning(Gain):
    """Search for better parameters, and whether the model uses its result.

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

    def summary(self) -> str:
        """Return what was found, in a sentence."""
        tried = f"{self.n_trials} settings tried ({self.n_pruned} stopped early) until {self.ended}"
        if not self.best:
            return f"{tried}; none was better than the default."
        verdict = "The best is used" if self.is_used else "The default is kept"
        change = self.change.summary("+.4f")
        return f"{tried}. {verdict}: on new folds the best one changes the log loss by {change}."


class SegmentModel(Gain):
    """Training leads with one value of a field, and their own model.

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
            return f"no value of {self.field!r} has enough leads for its own model."
        return (
            f"of {len(self.tried)} values of {self.field!r} with enough leads, {len(used)} clearly gain "
            f"from their own model{': ' + ', '.join(used) if used else ''}. The others use the model of "
            "all leads."
        )
