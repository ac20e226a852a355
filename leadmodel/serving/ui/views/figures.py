"""What-if and curve of a lead as HTML and SVG. Whatever came from a lead or a model is escaped."""

import math
import textwrap
from html import escape

from leadmodel.explain.what_if import Change, Curve, WhatIf

__all__ = ["FIGURE_STYLE", "render_curve", "render_what_if"]

FIGURE_STYLE = """
.lm-changes { margin: 0; padding: 0; list-style: none; }
.lm-changes li { margin: 0 0 12px; font-size: .95rem; line-height: 1.4; }
.lm-change { display: flex; height: 8px; border-radius: 4px; margin: 4px 0; overflow: hidden;
  background: var(--border-color-primary); }
.lm-change i { background: #8fa3ad; }
.lm-change b { background: #0b6e75; }
.lm-small { font-size: .85rem; margin: 8px 0 0; }
.lm-plot { width: 100%; max-width: 560px; display: block; color: var(--body-text-color); }
.lm-plot text { fill: currentColor; font-size: 13px; paint-order: stroke; stroke-width: 4px;
  stroke: var(--block-background-fill); stroke-linejoin: round; }
.lm-bars { display: grid; grid-template-columns: fit-content(55%) 1fr 3rem; gap: 6px 10px; margin: 0;
  align-items: center; font-size: .92rem; }
.lm-bars > span { overflow-wrap: anywhere; line-height: 1.25; }
.lm-bars i { display: block; height: 14px; border-radius: 3px; background: #8fa3ad; }
.lm-bars .lm-own i { background: #0b6e75; }
.lm-bars > b { font-variant-numeric: tabular-nums; text-align: right; }
.lm-line { fill: none; stroke: #0b6e75; stroke-width: 2.5; }
.dark .lm-line { stroke: #4fb3bb; }
.lm-rule { stroke: var(--border-color-primary); }
.lm-tick { stroke: currentColor; opacity: .55; }
.lm-level { stroke: #c4602d; stroke-width: 2; stroke-dasharray: 6 4; }
.lm-point { fill: #c4602d; stroke: var(--block-background-fill); stroke-width: 2; }
"""

WIDTH, HEIGHT = 460, 240
LEFT, RIGHT, TOP, BOTTOM = 44, 14, 14, 46
"""Margins of the plot, in its own units: those of a phone's screen, about."""


def render_what_if(what_if: WhatIf) -> str:
    """Return the changes that would raise the probability most, with what they are worth."""
    return f'<div class="lm-panel"><h2>What would raise it most</h2>{_render_changes(what_if)}</div>'


def _render_changes(what_if: WhatIf) -> str:
    if not what_if.tried:
        return (
            '<p class="lm-small">Nobody has said yet which fields can be influenced. Write '
            "<code>influence = true</code> under <code>[fields.NAME]</code> of the recipe for each field "
            "that sales or marketing can change, such as a webinar, and train again.</p>"
        )
    if not what_if.changes:
        tried = escape(", ".join(what_if.tried))
        return f'<p class="lm-small">No single change raises it by a point or more. Tried: {tried}.</p>'
    items = "".join(_render_change(what_if.probability, change) for change in what_if.changes)
    return (
        f'<ol class="lm-changes">{items}</ol><p class="lm-small">One change at a time, all else as it is. '
        "This is what went along with conversions among past leads, not proof that it causes them.</p>"
    )


def _render_change(before: float, change: Change) -> str:
    points = round(100 * change.probability) - round(100 * before)  # the difference of what is shown
    return (
        f"<li>If <b>{escape(change.label)}</b> were <b>{escape(change.after)}</b> instead of "
        f"{escape(change.before)}: {before:.0%} → <b>{change.probability:.0%}</b> ({points:+d} points)"
        f'<span class="lm-change" aria-hidden="true"><i style="width:{before:.1%}"></i>'
        f'<b style="width:{change.gain:.1%}"></b></span></li>'
    )


def render_curve(curve: Curve) -> str:
    """Return the probability over the values of a field: a line for numbers, else bars."""
    figure = _render_line(curve) if curve.edges else _render_bars(curve)
    return f'<div class="lm-panel">{figure}</div>'


def _render_bars(curve: Curve) -> str:
    triples = zip(curve.names, curve.values, curve.probabilities, strict=True)
    rows = "".join(_bar(name, value == curve.own, probability) for name, value, probability in triples)
    unknown = "" if curve.own is not None else f"Not given: {curve.own_probability:.0%}. "
    return (
        f'<div class="lm-bars">{rows}</div>'
        f'<p class="lm-small">{unknown}Probability by {escape(curve.label)}, all else as it is.</p>'
    )


def _bar(name: str, own: bool, probability: float) -> str:
    told = f"<b>{escape(name)}</b> (this lead)" if own else escape(name)
    return (
        f'<span>{told}</span><span class="{"lm-own" if own else ""}" aria-hidden="true">'
        f'<i style="width:{probability:.1%}"></i></span><b>{probability:.0%}</b>'
    )


def _render_line(curve: Curve) -> str:
    numbers = [float(value) for value in curve.values]
    low, high = numbers[0], numbers[-1]
    top = _ceiling(max((*curve.probabilities, curve.own_probability)))

    def x(value: float) -> float:
        return LEFT + (value - low) / ((high - low) or 1) * (WIDTH - LEFT - RIGHT)

    def y(probability: float) -> float:
        return HEIGHT - BOTTOM - probability / top * (HEIGHT - TOP - BOTTOM)

    pairs = zip(numbers, curve.probabilities, strict=True)
    path = " ".join(f"{x(value):.1f},{y(probability):.1f}" for value, probability in pairs)
    own = None if curve.own is None else x(float(curve.own))
    rules = "".join(_rule(y(share * top), f"{share * top:.0%}") for share in (0, 0.5, 1))
    ticks = "".join(f'<path class="lm-tick" d="M{x(edge):.1f} {y(0):.1f}v7"/>' for edge in curve.edges)
    box = f"0 0 {WIDTH} {HEIGHT}"
    return (
        f'<svg class="lm-plot" viewBox="{box}" role="img" aria-label="{escape(_told(curve))}">'
        f'{rules}{ticks}<polyline class="lm-line" points="{path}"/>'
        f"{_own_mark(curve, own, y(curve.own_probability))}{_axis(curve)}</svg>"
        '<p class="lm-small">All else as it is. Between any two of the small marks lie about as many '
        "training leads: where the marks are far apart, the line rests on few.</p>"
    )


def _ceiling(probability: float) -> float:
    """Return the top of the scale: the next tenth, and room for a label."""
    return min(max(math.ceil(10 * probability + 0.5), 2), 10) / 10


def _rule(height: float, name: str) -> str:
    return (
        f'<path class="lm-rule" d="M{LEFT} {height:.1f}H{WIDTH - RIGHT}"/>'
        f'<text x="{LEFT - 6}" y="{height + 4:.1f}" text-anchor="end">{name}</text>'
    )


def _own_mark(curve: Curve, place: float | None, height: float) -> str:
    """Return the lead's own point; or, where the lead lacks the field, its probability as a level."""
    label = f"this lead: {curve.own_probability:.0%}"
    above = height - 10 if height > TOP + 24 else height + 22
    if place is None:
        return (
            f'<path class="lm-level" d="M{LEFT} {height:.1f}H{WIDTH - RIGHT}"/>'
            f'<text x="{WIDTH - RIGHT}" y="{above:.1f}" text-anchor="end">not given: '
            f"{curve.own_probability:.0%}</text>"
        )
    side = "start" if place < WIDTH / 3 else "end" if place > WIDTH * 2 / 3 else "middle"
    return (
        f'<circle class="lm-point" cx="{place:.1f}" cy="{height:.1f}" r="6"/>'
        f'<text x="{place:.1f}" y="{above:.1f}" text-anchor="{side}" font-weight="700">{label}</text>'
    )


def _axis(curve: Curve) -> str:
    low, high = escape(curve.names[0]), escape(curve.names[-1])
    return (
        f'<text x="{LEFT}" y="{HEIGHT - 24}">{low}</text>'
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 24}" text-anchor="end">{high}</text>'
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 6}" text-anchor="middle">'
        f"{escape(textwrap.shorten(curve.label, 60, placeholder='…'))}</text>"
    )


def _told(curve: Curve) -> str:
    """Return the figure in words, for whoever cannot see it."""
    least, most = min(curve.probabilities), max(curve.probabilities)
    return (
        f"Probability by {curve.label}, from {curve.names[0]} to {curve.names[-1]}: "
        f"{least:.0%} to {most:.0%}. "
        f"This lead, {curve.own_name}: {curve.own_probability:.0%}."
    )
