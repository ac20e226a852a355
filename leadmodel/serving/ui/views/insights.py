"""What the training leads say, for people: figures and sentences as HTML."""

from collections.abc import Callable
from functools import partial
from html import escape

from leadmodel.insights.association import Association
from leadmodel.insights.conversion import Conversion, conversions, find_notable
from leadmodel.insights.interaction import Interaction
from leadmodel.model import LeadModel
from leadmodel.plots.insights import (
    draw_association,
    draw_conversions,
    draw_interaction,
    draw_outcomes,
    draw_spread,
)
from leadmodel.plots.style import Figure
from leadmodel.serving.ui.components import Pictures, bullets, figure, gallery, section

__all__ = ["render_field", "render_findings", "render_pairs"]

MAX_PAIRS, NOTICEABLE = 6, 0.1
"""Associations told in words, and their least strength."""

HOW_MEASURED = (
    "In hundredths, 100 being the strongest: two numbers by Spearman's rank correlation (a minus means "
    "that one falls as the other rises), two texts by Cramér's V, a number and a text by the correlation "
    "ratio of the number's ranks, the latter two bias corrected."
)


def render_findings(model: LeadModel) -> str:
    """Return a short list of what stands out."""
    leads = model.profile.leads
    told = (
        f"{leads.count:,} leads that the model learned from, {leads.rate:.0%} of which converted. What "
        "goes along with conversions need not cause them."
    )
    sentences = find_notable(model.schema, model.profile)
    listed = bullets(sentences) if sentences else "<p>No value differs from the average beyond chance.</p>"
    return f'<div class="lm-report"><p>{told}</p>{section("What stands out", listed)}</div>'


def render_field(model: LeadModel, name: str, pictures: Pictures) -> str:
    """Return the figures of one field: conversion by value, values by outcome, boxes of a number."""
    field, insights = model.schema.by_name[name], model.evaluation.insights
    found = conversions(field, model.profile.fields[name])
    label = f"{field.label} ({field.unit})" if field.unit else field.label
    draw: dict[str, Callable[[], Figure]] = {
        "who converts": partial(draw_conversions, found, model.profile.leads.rate),
        "values by outcome": partial(draw_outcomes, found),
    }
    if insights and name in insights.spreads:
        draw["boxes"] = partial(draw_spread, label, insights.spreads[name])
    captions = {"boxes": "Half of the leads are in the box, nine of ten within the whiskers."}
    figures = [
        _picture(model, pictures, (name, kind), drawn, f"{label}, {kind}", captions.get(kind, ""))
        for kind, drawn in draw.items()
    ]
    told = "; ".join(_told(one) for one in found)
    return (
        f'<div class="lm-report">{gallery(figures)}'
        f"<details><summary>In words</summary><p>{escape(told)}</p></details></div>"
    )


def _told(one: Conversion) -> str:
    rate = one.rate
    return f"{one.value}: {rate.value:.0%} of {one.cell.count:,} ({rate.low:.0%} to {rate.high:.0%})"


def _picture(
    model: LeadModel,
    pictures: Pictures,
    name: tuple[str, ...],
    draw: Callable[[], Figure],
    alternative: str,
    caption: str = "",
) -> str:
    png = pictures.get(model.revision, name, lambda: pictures.paint(draw()))
    return figure(png, alternative, caption)


def render_pairs(model: LeadModel, pictures: Pictures) -> str:
    """Return what goes together, and what converts otherwise together than apart."""
    insights = model.evaluation.insights
    if insights is None:
        return (
            '<div class="lm-report"><p>This model was made before pairs of fields were looked at. '
            "Train it again to see them.</p></div>"
        )
    labels = {field.name: field.label for field in model.schema.fields}
    draw = partial(draw_association, insights.association, labels)
    heatmap = _picture(model, pictures, ("association",), draw, "How strongly fields go together")
    together = gallery([heatmap, f"<div>{_strongest(insights.association, labels)}</div>"])
    parts = (
        section("What goes together", f"<p>{HOW_MEASURED}</p>", together),
        section("What counts more together", _interactions(model, insights.interactions, labels, pictures)),
    )
    return f'<div class="lm-report">{"".join(parts)}</div>'


def _strongest(association: Association, labels: dict[str, str]) -> str:
    pairs = [pair for pair in association.pairs()[:MAX_PAIRS] if abs(pair[2]) >= NOTICEABLE]
    if not pairs:
        return "<p>No two fields go together noticeably.</p>"
    told = (f"{labels[one]} and {labels[other]}: {100 * value:.0f}" for one, other, value in pairs)
    return f"<p>The strongest:</p>{bullets(told)}"


def _interactions(
    model: LeadModel, found: tuple[Interaction, ...], labels: dict[str, str], pictures: Pictures
) -> str:
    if not found:
        return (
            "<p>Of the most important fields, no two convert otherwise together than each by itself would "
            "suggest, beyond what chance can do with so many leads.</p>"
        )
    figures = [
        _picture(
            model,
            pictures,
            one.fields,
            partial(draw_interaction, one, labels),
            " and ".join(labels[name] for name in one.fields),
            _sentence(one, labels),
        )
        for one in found
    ]
    return (
        "<p>Pairs of fields that convert otherwise together than each by itself would suggest: in each "
        f"cell the share that converted, and below it the one to be expected.</p>{gallery(figures)}"
    )


def _sentence(one: Interaction, labels: dict[str, str]) -> str:
    row, column = one.strongest()
    cell, expected = one.cells[row][column], one.expected[row][column]
    if cell is None or expected is None:
        return ""
    named = f"{labels[one.fields[0]]} {one.rows[row]} and {labels[one.fields[1]]} {one.columns[column]}"
    return (
        f"{named}: of {cell.count:,} such leads {cell.rate:.0%} converted; each by itself would suggest "
        f"{expected:.0%}."
    )
