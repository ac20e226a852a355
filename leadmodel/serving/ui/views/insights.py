"""Render the profile of the training leads as HTML: field by field, and in pairs."""

from collections.abc import Callable
from functools import partial

from leadmodel.insights.conversion import conversions, find_notable
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
from leadmodel.serving.ui.components import Picture, PictureCache, render

__all__ = ["render_field", "render_findings", "render_pairs"]

# Associations listed in words, and the least strength of one: weaker ones are hard to tell from chance.
MAX_PAIRS, MIN_STRENGTH = 6, 0.1


def render_findings(model: LeadModel) -> str:
    """Render a short list of the findings that stand out."""
    findings = find_notable(model.schema, model.profile)
    return render("findings.html", leads=model.profile.leads, findings=findings)


def render_field(model: LeadModel, name: str, pictures: PictureCache) -> str:
    """Render the figures of one field: conversion by value, values by outcome, boxes of a number."""
    field, insights = model.schema.by_name[name], model.evaluation.insights
    rates = conversions(field, model.profile.fields[name])
    label = f"{field.label} ({field.unit})" if field.unit else field.label
    draw: dict[str, Callable[[], Figure]] = {
        "conversion rate": partial(draw_conversions, rates, model.profile.leads.rate),
        "values by outcome": partial(draw_outcomes, rates),
    }
    if insights and name in insights.spreads:
        draw["boxes"] = partial(draw_spread, label, insights.spreads[name])
    captions = {"boxes": "Half of the leads are inside the box, nine of ten within the whiskers."}
    return render(
        "field.html",
        pictures=[
            _draw(model, pictures, (name, kind), function, f"{label}, {kind}", captions.get(kind, ""))
            for kind, function in draw.items()
        ],
        rates=[
            f"{conversion.value}: {conversion.rate.value:.0%} of {conversion.cell.count:,} "
            f"({conversion.rate.low:.0%} to {conversion.rate.high:.0%})"
            for conversion in rates
        ],
    )


def _draw(
    model: LeadModel,
    pictures: PictureCache,
    name: tuple[str, ...],
    draw: Callable[[], Figure],
    alternative: str,
    caption: str = "",
) -> Picture:
    png = pictures.get(model.revision, name, lambda: pictures.paint(draw()))
    return Picture(png, alternative, caption)


def render_pairs(model: LeadModel, pictures: PictureCache) -> str:
    """Render associations between fields, and pairs that convert differently together than apart."""
    insights = model.evaluation.insights
    if insights is None:
        return render(
            "notice.html",
            text="This model was trained before pairs of fields were analyzed. Train it again to see them.",
        )
    labels = {field.name: field.label for field in model.schema.fields}
    draw = partial(draw_association, insights.association, labels)
    interactions = [
        _draw(
            model,
            pictures,
            pair.fields,
            partial(draw_interaction, pair, labels),
            " and ".join(labels[name] for name in pair.fields),
            _describe_interaction(pair, labels),
        )
        for pair in insights.interactions
    ]
    return render(
        "pairs.html",
        heatmap=_draw(model, pictures, ("association",), draw, "Strength of association between fields"),
        strongest=[
            f"{labels[first]} and {labels[second]}: {100 * strength:.0f}"
            for first, second, strength in insights.association.pairs()[:MAX_PAIRS]
            if abs(strength) >= MIN_STRENGTH
        ],
        interactions=interactions,
    )


def _describe_interaction(pair: Interaction, labels: dict[str, str]) -> str:
    row, column = pair.strongest()
    cell, expected = pair.cells[row][column], pair.expected[row][column]
    # Cells with too few leads hold nothing.
    if cell is None or expected is None:
        return ""
    first, second = (labels[name] for name in pair.fields)
    return (
        f"{first} {pair.rows[row]} and {second} {pair.columns[column]}: of {cell.count:,} leads, "
        f"{cell.rate:.0%} converted (expected {expected:.0%})."
    )
