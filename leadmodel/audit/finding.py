"""What an audit of past leads says: findings in plain words, never a lead."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["Audit", "Finding", "Severity"]

Severity = Literal["suspect leak", "problem", "note"]
"""Most urgent first: a model looks better than it is; it works worse than it could; good to know."""

SEVERITIES: tuple[Severity, ...] = ("suspect leak", "problem", "note")


class Finding(BaseModel):
    """One thing that an audit found.

    Parameters
    ----------
    kind : str
        What it is, in a word or three.
    columns : tuple of str
        The columns that it is about; none for the table as a whole.
    text : str
        A sentence or a few with what was measured: counts and shares, no value of a lead.
    severity : str
        How much it matters.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    columns: tuple[str, ...] = ()
    text: str
    severity: Severity


class Audit(BaseModel):
    """What would make a model of past leads look better than it is, or not work.

    Parameters
    ----------
    findings : tuple of Finding
        The most urgent first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    findings: tuple[Finding, ...] = ()

    @property
    def suspicions(self) -> dict[str, str]:
        """What makes each suspected column one, by name; of several findings the first one's kind."""
        named: dict[str, str] = {}
        for finding in self.findings:
            if finding.severity == "suspect leak":
                named |= {name: finding.kind for name in finding.columns if name not in named}
        return named

    @property
    def suspects(self) -> tuple[str, ...]:
        """Columns that may know the outcome: nobody but their owner can tell."""
        return tuple(self.suspicions)

    def by_severity(self) -> dict[Severity, list[Finding]]:
        """Return the findings of each severity that there are any of."""
        found = {
            one: [finding for finding in self.findings if finding.severity == one] for one in SEVERITIES
        }
        return {severity: findings for severity, findings in found.items() if findings}
