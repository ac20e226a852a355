"""Render the answer for one lead as HTML: probability, reasons, what would change it."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from leadmodel.explain.what_if import Curve, WhatIf
from leadmodel.leads.field import Field, ValueWarning
from leadmodel.model import LeadModel
from leadmodel.predictor import Answer
from leadmodel.serving.options import option_pages
from leadmodel.serving.ui.components import render

__all__ = [
    "render_answer",
    "render_curve",
    "render_error",
    "render_ignored",
    "render_invitation",
    "render_model_answer",
    "render_what_if",
]

MAX_NOTES = 10

# Size of the plot in its own units, which are about the pixels of a phone's screen; edges of its inside.
WIDTH, HEIGHT = 460, 240
LEFT, RIGHT, TOP, BOTTOM = 44, WIDTH - 14, 14, HEIGHT - 46


def render_invitation(title: str) -> str:
    """Render the text shown before the first answer."""
    return render("invitation.html", title=title)


def render_error(message: str) -> str:
    """Render an error that the visitor can fix."""
    return render("error.html", title="This lead cannot be scored.", message=message)


def render_ignored(notes: list[str]) -> str:
    """Render the parts of a link that were ignored; nothing if there are none."""
    more = [f"And {len(notes) - MAX_NOTES} more."] if len(notes) > MAX_NOTES else []
    return render("ignored.html", notes=notes[:MAX_NOTES] + more)


def render_model_answer(model: LeadModel, answer: Answer) -> str:
    """Render the answer of a model for one lead, with the additions of its options."""
    decision, limit = model.config.decision, ""
    if decision.cost is not None and decision.is_by_value:
        limit = f"a value of {model.formats['expected_value'](decision.cost)}"
    lines = [page.describe_answer(model, answer) for page in option_pages()]
    highlights = [page.highlight(model, answer) for page in option_pages()]
    return render_answer(
        answer,
        decision.threshold,
        list(decision.bands),
        model.schema.by_name,
        limit,
        [line for line in lines if line],
        [highlight for highlight in highlights if highlight],
    )


def render_answer(
    answer: Answer,
    threshold: float,
    bands: list[str],
    fields: Mapping[str, Field],
    limit: str = "",
    lines: Sequence[str] = (),
    highlights: Sequence[tuple[str, str]] = (),
) -> str:
    """Render probability, grade and decision of a lead, with the reasons below.

    Parameters
    ----------
    answer : Answer
        Of one lead.
    threshold : float
        The decision threshold, marked on the scale.
    bands : list of str
        The grades, best first.
    fields : mapping of str to Field
        Fields of the model by name.
    limit : str, optional
        From which on a lead is called; by default the threshold.
    lines : sequence of str
        To show below the decision.
    highlights : sequence of tuple of str
        Facts to set off below the probability, each with a note.
    """
    # Where probability and threshold look alike, one more decimal tells them apart.
    spec = ".1%" if f"{threshold:.0%}" == f"{answer.probability:.0%}" else ".0%"
    caution_title, cautions = _cautions(answer.warnings, fields)
    return render(
        "answer.html",
        answer=answer,
        grade_place=bands.index(answer.grade),
        threshold=threshold,
        exact_probability=f"{answer.probability:{spec}}",
        exact_threshold=f"{threshold:{spec}}",
        rule=f"call line at {limit or format(threshold, spec)}",
        lines=lines,
        highlights=highlights,
        caution_title=caution_title,
        cautions=cautions,
    )


def _cautions(warnings: Sequence[ValueWarning], fields: Mapping[str, Field]) -> tuple[str, list[str]]:
    """Return the warnings as a title and sentences; all missing fields share one sentence."""
    missing = [fields[warning.field] for warning in warnings if warning.kind == "missing"]
    sentences = [warning.message for warning in warnings if warning.kind != "missing"]
    if missing:
        names = ", ".join(field.label for field in missing)
        # The model has no category "missing" for a number: the average stands in for it.
        averages = "" if all(field.is_text for field in missing) else " Averages are used for the numbers."
        sentences.append(f"Missing, although past leads always had them: {names}.{averages}")
    if 2 * len(missing) > len(fields):
        return "Too little is known about this lead for a reliable score", sentences
    return "Warnings", sentences


def render_what_if(what_if: WhatIf) -> str:
    """Render the changes that would raise the probability most."""
    percent = round(100 * what_if.probability)
    # The difference of the rounded probabilities, which are what people see.
    points = [round(100 * change.probability) - percent for change in what_if.changes]
    return render("what_if.html", what_if=what_if, changes=list(zip(what_if.changes, points, strict=True)))


def render_curve(curve: Curve) -> str:
    """Render the probability over the values of a field: a line for numbers, else bars."""
    if curve.edges:
        return render("curve_line.svg.j2", curve=curve, **_plot(curve))
    is_own = [value == curve.own for value in curve.values]
    bars = list(zip(curve.names, is_own, curve.probabilities, strict=True))
    return render("curve_bars.html", curve=curve, bars=bars)


def _plot(curve: Curve) -> dict[str, Any]:
    """Return the coordinates of the line, its axes and the lead's own point."""
    numbers = [float(value) for value in curve.values]
    low, span = numbers[0], (numbers[-1] - numbers[0]) or 1
    highest = max(*curve.probabilities, curve.own_probability)
    # The scale ends at the next tenth above the line, with room for a label.
    top = min(max(math.ceil(10 * highest + 0.5), 2), 10) / 10

    def x(value: float) -> float:
        return LEFT + (value - low) / span * (RIGHT - LEFT)

    def y(probability: float) -> float:
        return BOTTOM - probability / top * (BOTTOM - TOP)

    own_x = None if curve.own is None else x(float(curve.own))
    own_y = y(curve.own_probability)
    # At the sides, a label in the middle of its point would leave the plot.
    anchor = "start" if (own_x or 0) < WIDTH / 3 else "end" if (own_x or 0) > WIDTH * 2 / 3 else "middle"
    pairs = zip(numbers, curve.probabilities, strict=True)
    return {
        "frame": {"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": RIGHT, "bottom": BOTTOM},
        "rules": [(y(share * top), f"{share * top:.0%}") for share in (0, 0.5, 1)],
        "ticks": [x(edge) for edge in curve.edges],
        "points": " ".join(f"{x(value):.1f},{y(probability):.1f}" for value, probability in pairs),
        "own_x": own_x,
        "own_y": own_y,
        "label_y": own_y - 10 if own_y > TOP + 24 else own_y + 22,
        "anchor": anchor,
        "words": _describe(curve),
        "label": textwrap.shorten(curve.label, 60, placeholder="…"),
    }


def _describe(curve: Curve) -> str:
    """Return the plot in words, for readers who cannot see it."""
    lowest, highest = min(curve.probabilities), max(curve.probabilities)
    return (
        f"Probability by {curve.label}, from {curve.names[0]} to {curve.names[-1]}: "
        f"{lowest:.0%} to {highest:.0%}. This lead, {curve.own_name}: {curve.own_probability:.0%}."
    )
