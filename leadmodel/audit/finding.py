"""Define the findings of an audit: sentences with counts and shares, never a lead."""

from collections.abc import Iterable
from typing import Literal

from leadmodel.records import Record

__all__ = ["Audit", "Finding", "Severity", "leak_severity", "strongest", "weakest"]

Severity = Literal["suspect leak", "look at this", "problem", "note"]
"""Most urgent first: the model looks better than it is; it may look better than it is, which these leads
leave open; it works worse than it could; good to know."""

SEVERITIES: tuple[Severity, ...] = ("suspect leak", "look at this", "problem", "note")

MARGIN = 0.01
"""Least distance from a limit that counts, however many leads there are: the limits are judgments, and
another export of the same leads must not turn a suspect into a column without fault."""

Z = 1.96
"""Standard errors to either side of a 95 % interval."""

MAX_DOUBT = 0.05
"""Distance below a limit from which on a column is fine, however wide its interval: with few leads nearly
every column might be anything, and a list of all columns helps nobody."""


def leak_severity(value: float, limit: float, error: float) -> Severity | None:
    """Compare a measure with the limit from which on it is suspicious.

    Parameters
    ----------
    value : float
        What was measured: a share, or a ROC AUC.
    limit : float
        The limit.
    error : float
        Standard error of `value`.

    Returns
    -------
    str, optional
        "suspect leak" if the interval lies above the limit, "look at this" if it contains it, None if it
        lies below.
    """
    doubt = max(MARGIN, Z * error)
    if value - doubt >= limit:
        return "suspect leak"
    return "look at this" if value + min(doubt, MAX_DOUBT) >= limit else None


def strongest(severities: Iterable[Severity | None]) -> Severity | None:
    """Return the most urgent of `severities`, or None if there is none."""
    return min((one for one in severities if one), key=SEVERITIES.index, default=None)


def weakest(severities: Iterable[Severity | None]) -> Severity | None:
    """Return the least urgent of `severities` of conditions that must hold together, or None."""
    return max(severities, key=lambda one: SEVERITIES.index(one) if one else len(SEVERITIES))


class Finding(Record):
    """One finding of an audit.

    Parameters
    ----------
    kind : str
        Kind of finding, in one to three words.
    columns : tuple of str
        Columns concerned; empty for the table as a whole.
    text : str
        Sentences with the counts and shares that were measured, without a value of any lead.
    severity : str
        One of `SEVERITIES`.
    """

    kind: str
    columns: tuple[str, ...] = ()
    text: str
    severity: Severity


class Audit(Record):
    """Findings about past leads that would make a model look better than it is, or not work.

    Parameters
    ----------
    findings : tuple of Finding
        Most urgent first.
    """

    findings: tuple[Finding, ...] = ()

    @property
    def suspicions(self) -> dict[str, str]:
        """Kind of the first finding about each suspected column, by name."""
        kinds: dict[str, str] = {}
        for finding in self.findings:
            if finding.severity == "suspect leak":
                for name in finding.columns:
                    kinds.setdefault(name, finding.kind)
        return kinds

    @property
    def doubtful(self) -> tuple[str, ...]:
        """Columns that are no suspects but too close to a limit to be called fine."""
        looked_at = (finding.columns for finding in self.findings if finding.severity == "look at this")
        names = dict.fromkeys(name for columns in looked_at for name in columns)
        return tuple(name for name in names if name not in self.suspicions)

    @property
    def suspects(self) -> tuple[str, ...]:
        """Columns that may leak the outcome; only the owner of the data can tell."""
        return tuple(self.suspicions)

    def by_severity(self) -> dict[Severity, list[Finding]]:
        """Return the findings by severity, without empty groups."""
        groups = {severity: [f for f in self.findings if f.severity == severity] for severity in SEVERITIES}
        return {severity: findings for severity, findings in groups.items() if findings}
