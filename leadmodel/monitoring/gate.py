"""Decide whether a newly trained model replaces the published one."""

from leadmodel.report.gate import Comparison, Gate, Rule

__all__ = ["MAX_AGE_DAYS", "decide"]

MAX_AGE_DAYS = 90.0
"""Days after which a challenger that is not worse replaces the champion."""


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
    """Decide whether a challenger replaces the champion.

    It does if it is significantly better; or if it is not worse, and the leads have drifted or the
    champion is older than `max_age_days`. Without a reason champions do not change: swapping similar
    models changes every score and gains nothing.

    Parameters
    ----------
    comparison : Comparison
        Both models on the newest leads.
    champion : str
        Revision of the champion.
    age_days, max_age_days : float
        Age of the champion, and its limit.
    drifted : bool
        Whether the new leads have drifted from those of the champion.
    moved : tuple of str
        Sentences about the largest drift.
    force : bool
        Whether to publish in any case.
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
