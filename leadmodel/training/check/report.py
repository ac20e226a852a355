"""Report the audit of leads before a training run."""

import shlex
import textwrap
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from leadmodel.audit.finding import Finding
from leadmodel.errors import InputError, quoted
from leadmodel.leads.derived.candidates import find_candidates
from leadmodel.leads.field import Field
from leadmodel.leads.recipe import Recipe
from leadmodel.options import installed
from leadmodel.prepare.data import TrainingData
from leadmodel.training.check.recipe import recipe_text
from leadmodel.training.check.view import HEADINGS, audit_html

__all__ = ["LeadAudit", "audit_report", "check_new_recipe"]

MAX_READ = 20_000
"""Leads that show what can be derived from their columns."""


WIDTH = 100


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

    @cached_property
    def derived(self) -> dict[str, tuple[Field, ...]]:
        """Fields that training tries to derive, by column; found in a sample if there are many leads."""
        data, rows = self.data, np.arange(len(self.data.y))
        if len(rows) > MAX_READ:
            rows = np.sort(np.random.default_rng(0).permutation(rows)[:MAX_READ])
        raw = data.leads.iloc[data.X.index[rows]]
        return find_candidates(data.schema, raw, data.y[rows], data.recipe, self.suspects)

    def __repr__(self) -> str:
        return "\n".join([*self.reports, audit_report(self.data)])

    def _repr_html_(self) -> str:
        return audit_html(self.data, self.reports, self.derived)

    def write_recipe(self, path: str | Path) -> None:
        """Write what was found as a recipe, a TOML file to read, correct and train with.

        Training with the recipe as it is gives the same model as training without it. Suspected leaks
        and other suggestions are in it with their figures, but commented out. It holds no lead's values.

        Parameters
        ----------
        path : str or Path
            The file to write.

        Raises
        ------
        InputError
            If the file exists or cannot be written, or the leads were made from events.
        """
        check_new_recipe(path, self.data.recipe)
        text = recipe_text(self.data, self.derived)
        try:
            with Path(path).open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
        except OSError as error:
            raise InputError(
                f"The recipe {quoted(str(path), 300)} cannot be written: {error.strerror}."
            ) from None


def check_new_recipe(path: str | Path, recipe: Recipe | None) -> None:
    """Raise InputError if a recipe cannot be written to `path`, before leads are read for minutes.

    Parameters
    ----------
    path : str or Path
        The file to write.
    recipe : Recipe, optional
        What is known of the leads already.
    """
    place = Path(path)
    if recipe is not None and recipe.events is not None:
        raise InputError(
            "A recipe with events cannot be written from the leads that it makes. Edit the recipe itself."
        )
    if place.exists():
        raise InputError(
            f"The recipe {quoted(str(path), 300)} exists already, and it may have been corrected. Name "
            "another file, or remove this one."
        )
    if not place.parent.is_dir():
        raise InputError(f"The folder {quoted(str(place.parent), 300)} does not exist; create it first.")


def audit_report(data: TrainingData) -> str:
    """Return the findings of the audit, the most urgent first, and how to act on suspects."""
    X, y = data.train
    lines = [f"Audit of {len(y):,} leads with {X.shape[1]} fields, {y.mean():.1%} of them converted"]
    described = filter(None, (option.describe(data) for option in installed().values()))
    lines += [textwrap.fill(text, WIDTH) for text in described]
    by_severity = data.audit.by_severity()
    for severity, findings in by_severity.items():
        lines += [f"\n{HEADINGS[severity]}", *map(_describe, findings)]
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
