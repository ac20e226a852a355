"""What a training run shows on a terminal: how far it is, and the audit with the options that act on it."""

import shlex
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

from leadmodel.audit.finding import Finding
from leadmodel.errors import quoted
from leadmodel.prepare.data import TrainingData
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.training.run import n_steps

__all__ = ["audit_report", "progress_bar"]

WIDTH = 100
_HEADINGS = {
    "suspect leak": "SUSPECT LEAKS: were these known when the lead came in? If not, leave them out.",
    "problem": "Problems",
    "note": "Notes",
}


@contextmanager
def progress_bar(
    settings: TrainingSettings, *, with_amounts: bool = False
) -> Iterator[Callable[[str], None]]:
    """Show on a terminal how far a training is; yield what is called with each of its steps."""
    with tqdm(total=n_steps(settings, with_amounts=with_amounts), desc="training", unit="step") as bar:

        def progress(step: str) -> None:
            bar.set_postfix_str(step)
            bar.update()

        yield progress


def audit_report(past: TrainingData) -> str:
    """Return what the audit found, the most urgent first, and what to do about suspects."""
    X, y = past.train
    lines = [f"Audit of {len(y):,} leads with {X.shape[1]} fields, {y.mean():.1%} of them converted"]
    if past.amounts:
        lines.append(textwrap.fill(past.amounts.told(int(past.y.sum())), WIDTH))
    found = past.audit.by_severity()
    for severity, findings in found.items():
        lines += [f"\n{_HEADINGS[severity]}", *map(_describe, findings)]
    return "\n".join([*lines, *([] if found else ["Nothing found."]), *_advise(past)])


def _describe(finding: Finding) -> str:
    names = ", ".join(quoted(name) for name in finding.columns)
    text = f"{names or finding.kind}: {finding.text}"
    return textwrap.fill(text, WIDTH, initial_indent="  ", subsequent_indent="    ")


def _advise(past: TrainingData) -> list[str]:
    suspects = [name for name in past.audit.suspects if name in past.schema.by_name]
    if not suspects:
        return ["\nThe model uses none of the suspects."] if past.audit.suspects else []
    drop = shlex.join(["--drop", *suspects])
    return [f"\nTrain with --drop-leaks to leave out all of them, or choose from:\n  {drop}"]
