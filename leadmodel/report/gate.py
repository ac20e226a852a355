"""Hold the decision of the gate on a challenger, as stored in the published model."""

from typing import Literal

from leadmodel.metrics.classification import Estimate
from leadmodel.records import Record

__all__ = ["MARGIN", "Comparison", "Gate", "Rule"]

MARGIN = 0.01
"""Share of the champion's log loss by which a challenger may be worse and still count as not worse."""

Rule = Literal["better", "drifted", "aged", "forced", "not better", "worse", "nothing new", "too few"]


class Comparison(Record):
    """Champion and challenger on the same leads, which are new to both.

    Parameters
    ----------
    n_leads, n_converted : int
        Those leads.
    leads : str
        Which ones, in words.
    champion_loss, challenger_loss : float
        Log loss.
    change : Estimate
        Log loss of the challenger beyond the champion's, paired lead by lead, with its 95 % interval.
    """

    n_leads: int
    n_converted: int
    leads: str
    champion_loss: float
    challenger_loss: float
    change: Estimate

    @property
    def is_better(self) -> bool:
        """Whether the challenger is significantly better."""
        return self.change.high < 0

    @property
    def is_worse(self) -> bool:
        """Whether the challenger is significantly worse."""
        return self.change.low > 0

    @property
    def is_not_worse(self) -> bool:
        """Whether the log loss is not higher, or significantly less than the margin higher."""
        slightly = self.change.high < MARGIN * self.champion_loss
        return not self.is_worse and (slightly or self.change.value <= 0)


class Gate(Record):
    """Decision of the gate on a challenger, and its rule.

    Parameters
    ----------
    publish : bool
        Whether the challenger takes the champion's place.
    rule : str
        "better": better beyond doubt. "drifted", "aged": not worse, and the champion's leads have
        drifted, or it is older than allowed. "forced": asked for, whatever was measured. And
        against it: "worse" beyond doubt, "not better", "nothing new" in the leads, "too few"
        of them to compare.
    champion : str
        Revision of the model that the challenger was compared with.
    age_days : float
        Since the champion was made.
    drifted : bool
        Whether the new leads have drifted from the champion's.
    moved : tuple of str
        What moved most, in sentences.
    comparison : Comparison, optional
        What the decision rests on, unless it came to none.
    """

    publish: bool
    rule: Rule
    champion: str
    age_days: float
    drifted: bool
    moved: tuple[str, ...] = ()
    comparison: Comparison | None = None

    def told(self, *, carried_out: bool = True) -> str:
        """Return the decision and its reason in a sentence, for the card and the commit message."""
        outcome = "Published" if self.publish else "Kept the champion"
        if not carried_out:
            outcome = "Would be published" if self.publish else "The champion would be kept"
        return f"{outcome} ({self.rule}): {self._why()}"

    def _why(self) -> str:
        if self.rule == "nothing new":
            return "it was already trained on these leads."
        if self.comparison is None:
            return "too few leads are new to both models for a comparison."
        found, change = self.comparison, self.comparison.change
        reasons = {
            "drifted": "; not worse, and the leads have drifted",
            "aged": f"; not worse, and the champion is {self.age_days:.0f} days old",
        }
        return (
            f"log loss {found.challenger_loss:.4f} against {found.champion_loss:.4f} on {found.n_leads:,} "
            f"leads, {change.value:+.4f} with an interval of {change.low:+.4f} to {change.high:+.4f}"
            f"{reasons.get(self.rule, '')}."
        )
