"""Whether a newly trained model takes the place of the published one."""

from leadmodel.report.gate import Comparison, Gate, Rule

__all__ = ["MAX_AGE_DAYS", "decide"]

MAX_AGE_DAYS = 90.0
"""Days after which a champion gives way to a challenger that is not worse."""


def decide(
    comparison: Comparison,
    *,
    champion: str,
    age_days: float,
    drifted: bool,
    moved: tuple[str, ...] = (),
    max_age_days: float = MAX_AGE_DAYS,
    force: bool = False,
) -> Gate:
    """Decide whether a challenger takes the champion's place.

    It does if it is better beyond doubt; or not worse, and the champion's leads have drifted or it is
    older than `max_age_days`. Champions change for a reason only: swapping between two that are
    alike moves every score and gains nothing.

    Parameters
    ----------
    comparison : Comparison
        Both on the newest leads.
    champion : str
        Its revision.
    age_days, max_age_days : float
        Of the champion.
    drifted : bool
        Whether the new leads have drifted from the champion's.
    moved : tuple of str
        What moved most, in sentences.
    force : bool
        Whether to publish whatever was measured.
    """
    rule = _rule(comparison, drifted=drifted, aged=age_days > max_age_days)
    publish = rule in ("better", "drifted", "aged")
    return Gate(
        publish=publish or force,
        rule=rule if publish or not force else "forced",
        champion=champion,
        age_days=age_days,
        drifted=drifted,
        moved=moved,
        comparison=comparison,
    )


def _rule(comparison: Comparison, *, drifted: bool, aged: bool) -> Rule:
    if comparison.is_better:
        return "better"
    if comparison.is_worse:
        return "worse"
    if comparison.is_not_worse and drifted:
        return "drifted"
    if comparison.is_not_worse and aged:
        return "aged"
    return "not better"
