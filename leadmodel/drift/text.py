"""Describe drift in sentences, and as the report of a file."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from leadmodel.drift.performance import RULE, Performance
from leadmodel.drift.psi import Cells
from leadmodel.errors import quoted
from leadmodel.leads.field import MIN_CATEGORY_COUNT, Field
from leadmodel.text import format_number, format_percent

if TYPE_CHECKING:
    from leadmodel.drift.drift import Drift, FieldDrift

__all__ = ["ABOVE", "BELOW", "MISSING_CELL", "OTHER", "describe_shift", "drift_report"]

BELOW, ABOVE = "below the range then", "above the range then"
OTHER, MISSING_CELL = "any other", "not given"

MIN_WEIGHT = 0.25
"""Share of the PSI of a field from which on a cell gets a sentence."""

MAX_SENTENCES = 3

WIDTH = 100


def describe_shift(
    field: Field, cells: Cells, new_cells: Sequence[int], appeared: Mapping[str, float]
) -> tuple[str, ...]:
    """Describe the cells that moved most.

    Parameters
    ----------
    field : Field
        The field.
    cells : Cells
        Its counts.
    new_cells : sequence of int
        Indices of the small cells that have grown significantly.
    appeared : mapping of str to float
        Shares of the values that are new.
    """
    least = MIN_WEIGHT * cells.weights.sum()
    chosen = [cell for cell in cells.by_weight if cell in new_cells or cells.weights[cell] >= least]
    chosen = (chosen or cells.by_weight)[:MAX_SENTENCES]
    # Two ranges of a number may both be told by its median.
    return tuple(dict.fromkeys(_describe_cell(field, cells, cell, appeared) for cell in chosen))


def _describe_cell(field: Field, cells: Cells, cell: int, appeared: Mapping[str, float]) -> str:
    name, label = cells.names[cell], field.label
    then, now = format_percent(cells.share_then[cell]), format_percent(cells.share_now[cell])
    # The last cell holds missing values; a text of the same name may be among the others.
    if name == MISSING_CELL and cell == len(cells.names) - 1:
        return f"{label}: not given by {then} then, {now} now."
    is_next_to_last = cell == len(cells.names) - 2
    if cells.edges and (cell == 0 or is_next_to_last):
        edge = cells.edges[0] if cell == 0 else cells.edges[-1]
        side = "below" if cell == 0 else "above"
        return (
            f"{label}: {side} {format_number(edge)}, where hardly a lead was then: {then} then, {now} now."
        )
    if not cells.edges and is_next_to_last:
        new = ", ".join(
            f"{quoted(value)} {format_percent(share)}" for value, share in list(appeared.items())[:3]
        )
        listed = f" ({new})" if new else ""
        rare = f"a value that fewer than {MIN_CATEGORY_COUNT} training leads had"
        return f"{label}: {rare}: {then} then, {now} now{listed}."
    change = "more" if cells.share_now[cell] > cells.share_then[cell] else "fewer"
    sentence = f"{label}: {change} leads with {name}: {then} then, {now} now."
    return (_describe_median(field, cells) or sentence) if cells.edges else sentence


def _describe_median(field: Field, cells: Cells) -> str | None:
    """Describe the change of the median, or return None if it does not show in three digits."""
    if field.kind == "boolean":
        return None
    before, after = (
        _median(cells.edges, counts, whole=field.integer) for counts in (cells.then, cells.now)
    )
    then, now = (format_number(float(f"{median:.3g}")) for median in (before, after))
    if then == now or np.isnan(before + after):
        return None
    direction = "higher" if after > before else "lower"
    unit = f" {field.unit}" if field.unit else ""
    return f"{field.label}: {direction}; median about {then}{unit} then, {now}{unit} now."


def _median(edges: Sequence[float], counts: npt.NDArray[np.int64], *, whole: bool) -> float:
    """Return the median of binned numbers, assumed uniform within bins; NaN without any."""
    bins = counts[1:-2].astype(np.float64)
    # Numbers beyond the outermost edges count as if they lay in the outermost bins.
    bins[0] += counts[0]
    bins[-1] += counts[-2]
    half = bins.sum() / 2
    if not half:
        return float("nan")
    index = int(np.searchsorted(np.cumsum(bins), half))
    part = (half - bins[:index].sum()) / bins[index]
    value = edges[index] + part * (edges[index + 1] - edges[index])
    return float(np.ceil(value)) if whole else float(value)


def drift_report(drift: "Drift") -> str:
    """Report on a terminal what moved, the most first, and how good the model still is."""
    verdict = "They have drifted." if drift.drifted else "They are stable."
    head = f"{drift.n_now:,} leads against {drift.n_then:,} training leads. {verdict}"
    lines = [textwrap.fill(head, WIDTH)]
    moved = [field for field in drift.ranked if field.level != "stable"]
    for field in moved:
        chance = "" if field.chance is None else f" (chance reaches {field.chance:.2f})"
        head = f"{field.label}: {field.level} shift, PSI {field.psi:.2f}{chance}"
        lines += ["", head, *_bulleted(_field_sentences(field))]
    n_stable = len(drift.fields) + len(drift.outputs) - len(moved)
    if n_stable:
        lines += [
            "",
            f"{n_stable} of {n_stable + len(moved)} fields and outputs moved no more than by chance.",
        ]
    if drift.performance is not None:
        lines += ["", *_performance_lines(drift.performance)]
    return "\n".join([*lines, *(f"\n{textwrap.fill(note, WIDTH)}" for note in drift.notes)])


def _field_sentences(field: "FieldDrift") -> list[str]:
    sentences = [sentence.removeprefix(f"{field.label}: ") for sentence in field.changes]
    values = (("new", field.appeared), ("vanished", field.vanished))
    return sentences + [f"{word}: {', '.join(map(quoted, names))}" for word, names in values if names]


def _performance_lines(performance: Performance) -> list[str]:
    verdict = "The performance fell." if performance.degraded else "The performance has not fallen."
    head = f"{performance.n_leads:,} outcomes, {performance.n_converted:,} of them conversions. {verdict}"
    times = ("then", "now")
    rows = [
        ("", "Test leads", "Now"),
        ("ROC AUC", *(performance.roc_auc[time].summary() for time in times)),
        ("Log loss", *(performance.log_loss[time].summary() for time in times)),
        ("Calibration error", *(f"{performance.calibration_error[time]:.3f}" for time in times)),
        ("Mean probability beyond share", *(performance.gap[time].summary("+.3f") for time in times)),
    ]
    table = [f"  {name:30}  {then:26}  {now}" for name, then, now in rows]
    return [head, *table, *_bulleted(performance.changes), textwrap.fill(RULE, WIDTH)]


def _bulleted(sentences: Sequence[str]) -> list[str]:
    return [
        textwrap.fill(sentence, WIDTH, initial_indent="  - ", subsequent_indent="    ")
        for sentence in sentences
    ]
