"""The form of a lead, drawn from its schema."""

from collections.abc import Sequence
from typing import Any

import gradio as gr
from gradio.components import Component

from leadmodel.leads.schema import Field, LeadSchema

__all__ = ["example_row", "form_inputs", "read_form"]

UNKNOWN = "(unknown)"
MIN_WIDTH = 220
"""Of a widget, in pixels: two beside each other on a laptop, one on a phone."""


def form_inputs(schema: LeadSchema, importance: dict[str, float]) -> list[tuple[str, Component]]:
    """Return a widget per field with the field's name, the field that counts most first."""
    ranked = sorted(schema.fields, key=lambda field: -importance.get(field.name, 0.0))
    return [(field.name, _widget(field)) for field in ranked]


def read_form(names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    """Return the lead that a visitor filled in."""
    pairs = zip(names, values, strict=True)
    return {name: None if value == UNKNOWN else value for name, value in pairs}


def example_row(schema: LeadSchema, names: Sequence[str]) -> list[Any]:
    """Return the made-up typical lead as the widgets take it."""
    example = schema.example()
    return [_shown(schema.by_name[name], example[name]) for name in names]


def _shown(field: Field, value: Any) -> Any:
    if field.kind == "boolean" and not field.is_text:
        return "Yes" if value else "No"
    return value if value is not None or field.kind == "numeric" else UNKNOWN


def _widget(field: Field) -> Component:
    if field.kind == "numeric":
        return _number(field)
    help_text = field.help or None
    if field.kind == "boolean":
        choices = list(field.choices) if field.is_text else ["No", "Yes"]
        return gr.Radio(
            [*choices, UNKNOWN], value=UNKNOWN, label=field.label, info=help_text, min_width=MIN_WIDTH
        )
    return gr.Dropdown(
        [*field.choices, UNKNOWN],
        value=UNKNOWN,
        label=field.label,
        info=help_text,
        allow_custom_value=True,
        min_width=MIN_WIDTH,
    )


def _number(field: Field) -> Component:
    among = f"{field.minimum:,g} to {field.maximum:,g}"
    return gr.Number(
        value=None,
        label=f"{field.label} ({field.unit})" if field.unit else field.label,
        info=f"{field.help} {among} in the training leads.".strip(),
        step=1 if field.integer else 0.01,
        placeholder=UNKNOWN,
        min_width=MIN_WIDTH,
    )
