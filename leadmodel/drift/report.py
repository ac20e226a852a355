"""The drift of a file as people read it on a terminal."""

import textwrap
from collections.abc import Sequence

from leadmodel.drift.drift import Drift, FieldDrift
from leadmodel.drift.performance import RULE, Performance
from leadmodel.errors import quoted

__all__ = ["drift_report"]

WIDTH = 100


def drift_report(drift: Drift) -> str:
    """Return what moved, the most first, and how good the model still is."""
    verdict = "They have drifted." if drift.drifted else "They are stable."
    head = f"{drift.n_now:,} leads against {drift.n_then:,} training leads. {verdict}"
    lines = [textwrap.fill(head, WIDTH)]
    moved = [one for one in drift.ranked if one.level != "stable"]
    for one in moved:
        lines += ["", _head(one), *_bulleted(_sentences(one))]
    n_stable = len(drift.fields) + len(drift.outputs) - len(moved)
    if n_stable:
        lines += [
            "",
            f"{n_stable} of {n_stable + len(moved)} fields and outputs moved no more than by chance.",
        ]
    if drift.performance is not None:
        lines += ["", *_performance(drift.performance)]
    return "\n".join([*lines, *(f"\n{textwrap.fill(note, WIDTH)}" for note in drift.notes)])


def _head(one: FieldDrift) -> str:
    chance = "" if one.chance is None else f" (chance reaches {one.chance:.2f})"
    return f"{one.label}: {one.level} shift, PSI {one.psi:.2f}{chance}"


def _sentences(one: FieldDrift) -> list[str]:
    told = [sentence.removeprefix(f"{one.label}: ") for sentence in one.told]
    lists = (("new", one.appeared), ("vanished", one.vanished))
    return told + [f"{word}: {', '.join(map(quoted, values))}" for word, values in lists if values]


def _performance(found: Performance) -> list[str]:
    verdict = "The performance fell." if found.fell else "The performance has not fallen."
    head = f"{found.n_leads:,} outcomes, {found.n_converted:,} of them conversions. {verdict}"
    error = found.calibration_error
    rows = [
        ("ROC AUC", *(found.roc_auc[when].told() for when in ("then", "now"))),
        ("Log loss", *(found.log_loss[when].told() for when in ("then", "now"))),
        ("Calibration error", f"{error['then']:.3f}", f"{error['now']:.3f}"),
        ("Mean probability beyond share", *(found.gap[when].told("+.3f") for when in ("then", "now"))),
    ]
    table = [f"  {name:30}  {then:26}  {now}" for name, then, now in [("", "Test leads", "Now"), *rows]]
    return [head, *table, *_bulleted(found.told), textwrap.fill(RULE, WIDTH)]


def _bulleted(sentences: Sequence[str]) -> list[str]:
    return [textwrap.fill(one, WIDTH, initial_indent="  - ", subsequent_indent="    ") for one in sentences]
