"""The form of a lead, drawn from its schema."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from leadmodel.leads.schema import Field, LeadSchema

__all__ = [
    "UNKNOWN",
    "Form",
    "draw_form",
    "example_row",
    "fold_fields",
    "form_inputs",
    "rank_fields",
    "read_form",
]

UNKNOWN = "(unknown)"
MIN_WIDTH = 220
"""Of a widget, in pixels: two beside each other on a laptop, one on a phone."""


N_IN_SIGHT = 10
"""Fields above the fold."""


@dataclass(frozen=True)
class Form:
    """The drawn form.

    Parameters
    ----------
    inputs : dict of str to Component
        A widget per field, by the field's name, the field that counts most first.
    rest : dict of str to Component
        Those of them under the fold.
    fold : Accordion, optional
        The fold, if there is one.
    """

    inputs: dict[str, Component]
    rest: dict[str, Component]
    fold: gr.Accordion | None

    @property
    def empty(self) -> list[Any]:
        """The values of a form in which nothing is filled in."""
        return [None if isinstance(widget, gr.Number) else UNKNOWN for widget in self.inputs.values()]

    @property
    def outputs(self) -> list[Component | gr.Accordion]:
        """What `fill` fills."""
        return [*self.inputs.values(), *([self.fold] if self.fold else [])]

    def fill(self, values: Sequence[Any]) -> list[Any]:
        """Return `values`, one per widget, and what opens the fold if there is anything under it."""
        known = {
            name for name, value in zip(self.inputs, values, strict=True) if value not in (None, UNKNOWN)
        }
        return [*values, *([gr.update(open=bool(known & self.rest.keys()))] if self.fold else [])]


def draw_form(schema: LeadSchema, importance: dict[str, float]) -> Form:
    """Draw a widget per field, those that count less under a fold if there are many."""
    in_sight, folded = fold_fields(rank_fields(schema, importance))
    with gr.Row(equal_height=False):
        first = form_inputs(in_sight)
    if not folded:
        return Form(first, {}, None)
    with gr.Accordion(f"More fields ({len(folded)})", open=False) as fold:
        with gr.Row(equal_height=False):
            rest = form_inputs(folded)
    return Form(first | rest, rest, fold)


def fold_fields(ranked: list[Field]) -> tuple[list[Field], list[Field]]:
    """Return the fields in sight, and those under the fold; a fold is not worth one or two."""
    n_in_sight = N_IN_SIGHT if len(ranked) > N_IN_SIGHT + 2 else len(ranked)
    return ranked[:n_in_sight], ranked[n_in_sight:]


def rank_fields(schema: LeadSchema, importance: dict[str, float]) -> list[Field]:
    """Return the fields, the one that counts most first."""
    return sorted(schema.fields, key=lambda field: -importance.get(field.name, 0.0))


def form_inputs(fields: Iterable[Field]) -> dict[str, Component]:
    """Return a widget per field, by the field's name."""
    return {field.name: _widget(field) for field in fields}


def read_form(names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    """Return the lead that a visitor filled in."""
    pairs = zip(names, values, strict=True)
    return {name: None if value == UNKNOWN else value for name, value in pairs}


def example_row(schema: LeadSchema, names: Sequence[str]) -> list[Any]:
    """Return the made-up typical lead as the widgets take it, without what most leads lack."""
    return [_typical(schema.by_name[name]) for name in names]


def _typical(field: Field) -> Any:
    value = field.typical if field.missing_share <= 0.5 or field.required else None
    if value is None:
        return None if field.kind == "numeric" else UNKNOWN
    if field.kind == "boolean" and not field.is_text:
        return "Yes" if value else "No"
    return value


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
