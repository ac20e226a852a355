"""Report the audit of leads before a training run."""

import shlex
import textwrap
from dataclasses import dataclass

from leadmodel.audit.finding import Finding
from leadmodel.errors import quoted
from leadmodel.options import installed
from leadmodel.prepare.data import TrainingData

__all__ = ["LeadAudit", "audit_report"]

WIDTH = 100
_HEADINGS = {
    "suspect leak": "SUSPECT LEAKS: were these known when the lead came in? If not, leave them out.",
    "look at this": "LOOK AT THIS: too close to a limit to call. Was it known when the lead came in?",
    "problem": "Problems",
    "note": "Notes",
}


@dataclass(frozen=True, eq=False, repr=False)
class LeadAudit:
    """Audited leads; the repr is the report.

    Attributes
    ----------
    data : TrainingData
        The leads as they would be trained on.
    reports : tuple of str
        What was skipped or chosen on reading the file.
    """

    data: TrainingData
    reports: tuple[str, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Suspected leaks, problems and notes, the most urgent first."""
        return self.data.audit.findings

    @property
    def suspects(self) -> tuple[str, ...]:
        """Columns that may leak the outcome."""
        return self.data.audit.suspects

    def __repr__(self) -> str:
        return "\n".join([*self.reports, audit_report(self.data)])


def audit_report(data: TrainingData) -> str:
    """Return the findings of the audit, the most urgent first, and how to act on suspects."""
    X, y = data.train
    lines = [f"Audit of {len(y):,} leads with {X.shape[1]} fields, {y.mean():.1%} of them converted"]
    described = filter(None, (option.describe(data) for option in installed().values()))
    lines += [textwrap.fill(text, WIDTH) for text in described]
    by_severity = data.audit.by_severity()
    for severity, findings in by_severity.items():
        lines += [f"\n{_HEADINGS[severity]}", *map(_describe, findings)]
    return "\n".join([*lines, *([] if by_severity else ["Nothing found."]), *_advise(data)])


def _describe(finding: Finding) -> str:
    names = ", ".join(quoted(name) for name in finding.columns)
    text = f"{names or finding.kind}: {finding.text}"
    return textwrap.fill(text, WIDTH, initial_indent="  ", subsequent_indent="    ")


def _advise(data: TrainingData) -> list[str]:
    used, audit = data.schema.by_name, data.audit
    # A derived field is left out by leaving out the column that it is made from.
    suspects, doubtful = (
        [field.derived.source if field.derived else name for name in names if (field := used.get(name))]
        for names in (audit.suspects, audit.doubtful)
    )
    lines = []
    if suspects:
        drop = shlex.join(["--drop", *suspects])
        lines = [f"\nTrain with --drop-leaks to leave out all suspects, or choose from:\n  {drop}"]
    elif audit.suspects:
        lines = ["\nThe model uses none of the suspects."]
    if doubtful:
        drop = shlex.join(["--drop", *doubtful])
        lines.append(
            f"\n--drop-leaks leaves out no column that is only to be looked at; this does:\n  {drop}"
        )
    return lines
