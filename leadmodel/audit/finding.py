"""Define the findings of an audit: sentences with counts and shares, never a lead."""

from typing import Literal

from leadmodel.records import Record

__all__ = ["Audit", "Finding", "Severity"]

Severity = Literal["suspect leak", "problem", "note"]
"""Most urgent first: the model looks better than it is; it works worse than it could; good to know."""

SEVERITIES: tuple[Severity, ...] = ("suspect leak", "problem", "note")


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
    def suspects(self) -> tuple[str, ...]:
        """Columns that may leak the outcome; only the owner of the data can tell."""
        return tuple(self.suspicions)

    def by_severity(self) -> dict[Severity, list[Finding]]:
        """Return the findings by severity, without empty groups."""
        groups = {severity: [f for f in self.findings if f.severity == severity] for severity in SEVERITIES}
        return {severity: findings for severity, findings in groups.items() if findings}
