"""Draw the form of a lead from its schema, read it, and make links that open it filled in."""

import json
import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr
from gradio.components import Component

from leadmodel.errors import quoted
from leadmodel.leads.field import Field
from leadmodel.leads.schema import LeadSchema
from leadmodel.serving.ui.components import read_script

__all__ = [
    "UNKNOWN",
    "Form",
    "draw_form",
    "example_row",
    "fold_fields",
    "form_inputs",
    "rank_fields",
    "rank_inputs",
    "read_form",
    "read_link",
    "to_completion",
    "to_link",
]

UNKNOWN = "(unknown)"

# Pixels of a widget's width: two fit side by side on a laptop, one on a phone.
MIN_WIDTH = 220

# Fields above the fold.
N_VISIBLE = 10

# Characters of a link and of a value in it; a link made by the form is shorter.
MAX_LENGTH, MAX_TEXT = 20_000, 200


@dataclass(frozen=True)
class Form:
    """The drawn form.

    Parameters
    ----------
    inputs : dict of str to Component
        A widget per field, by the name of the field, the most important first.
    rest : dict of str to Component
        The widgets below the fold.
    fold : Accordion, optional
        The fold, if there is one.
    """

    inputs: dict[str, Component]
    rest: dict[str, Component]
    fold: gr.Accordion | None

    @property
    def empty(self) -> list[Any]:
        """The values of an empty form."""
        values = {gr.Number: None, gr.Textbox: "", gr.Dropdown: None}
        return [values.get(type(widget), UNKNOWN) for widget in self.inputs.values()]

    @property
    def outputs(self) -> list[Component | gr.Accordion]:
        """The components that `fill` updates."""
        return [*self.inputs.values(), *([self.fold] if self.fold else [])]

    def fill(self, values: Sequence[Any]) -> list[Any]:
        """Return `values`, one per widget, and an update that opens the fold if it holds any of them."""
        pairs = zip(self.inputs, values, strict=True)
        filled_in = {name for name, value in pairs if value not in (None, "", UNKNOWN)}
        return [*values, *([gr.update(open=bool(filled_in & self.rest.keys()))] if self.fold else [])]


def draw_form(schema: LeadSchema, importance: dict[str, float]) -> Form:
    """Draw a widget per field; if there are many, the less important ones are below a fold."""
    visible, folded = fold_fields(rank_inputs(schema, importance))
    with gr.Row(equal_height=False):
        first = form_inputs(visible, schema.raw_only)
    if not folded:
        return Form(first, {}, None)
    with gr.Accordion(f"More fields ({len(folded)})", open=False) as fold:
        with gr.Row(equal_height=False):
            rest = form_inputs(folded, schema.raw_only)
    return Form(first | rest, rest, fold)


def fold_fields(ranked: list[Field]) -> tuple[list[Field], list[Field]]:
    """Return the visible fields and those below the fold, which is not worth it for one or two."""
    n_visible = N_VISIBLE if len(ranked) > N_VISIBLE + 2 else len(ranked)
    return ranked[:n_visible], ranked[n_visible:]


def rank_fields(schema: LeadSchema, importance: dict[str, float]) -> list[Field]:
    """Return the fields, the most important first."""
    return sorted(schema.fields, key=lambda field: -importance.get(field.name, 0.0))


def rank_inputs(schema: LeadSchema, importance: dict[str, float]) -> list[Field]:
    """Return the inputs of the form, the most important first."""
    weight = dict(importance)
    for source, fields in schema.sources.items():
        # A raw column counts as much as all that is derived from it.
        weight[source] = sum(
            importance.get(name, 0.0) for name in (source, *(field.name for field in fields))
        )
    return sorted(schema.inputs.values(), key=lambda field: -weight.get(field.name, 0.0))


def form_inputs(fields: Iterable[Field], raw: Collection[str] = ()) -> dict[str, Component]:
    """Return a widget per field, by the name of the field; a box for free text for those in `raw`."""
    return {field.name: _text_box(field) if field.name in raw else _widget(field) for field in fields}


def read_form(names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    """Return the lead that a visitor filled in."""
    pairs = zip(names, values, strict=True)
    # A script may say that it does not know a value, in the word that the form shows.
    return {name: None if value in (UNKNOWN, "") else value for name, value in pairs}


def example_row(schema: LeadSchema, names: Sequence[str]) -> list[Any]:
    """Return a made-up typical lead as values of the widgets; fields that most leads lack are empty."""
    row: list[Any] = []
    for field in map(schema.inputs.__getitem__, names):
        value = field.typical if field.missing_share <= 0.5 or field.required else None
        if value is None:
            value = "" if field.name in schema.raw_only else UNKNOWN if field.kind == "boolean" else None
        elif field.kind == "boolean" and not field.is_text:
            value = "Yes" if value else "No"
        row.append(value)
    return row


def _text_box(field: Field) -> Component:
    return gr.Textbox(value="", label=field.label, info=field.help, max_lines=5, min_width=MIN_WIDTH)


def _widget(field: Field) -> Component:
    if field.kind == "numeric":
        return gr.Number(
            value=None,
            label=f"{field.label} ({field.unit})" if field.unit else field.label,
            info=f"{field.help} {field.minimum:,g} to {field.maximum:,g} in the training leads.".strip(),
            step=1 if field.integer else 0.01,
            placeholder=UNKNOWN,
            min_width=MIN_WIDTH,
        )
    options: dict[str, Any] = {"label": field.label, "info": field.help or None, "min_width": MIN_WIDTH}
    if field.kind == "boolean":
        return gr.Radio([*_answers(field), UNKNOWN], value=UNKNOWN, **options)
    # Empty rather than "(unknown)", which typing would add to instead of filtering the choices.
    return gr.Dropdown(list(field.choices), value=None, allow_custom_value=True, **options)


def to_completion(field: Field) -> str:
    """Return the script that completes what was typed into the list of a field."""
    return f"(value) => ({read_script('complete_choice')})(value, {json.dumps(list(field.choices))})"


def _answers(field: Field) -> tuple[str, ...]:
    """Return the two values of a field of kind boolean, as its widget shows them."""
    return field.choices if field.is_text else ("No", "Yes")


def to_link(names: Sequence[str | None]) -> str:
    """Return the script that makes a link from the values of the form's widgets.

    Parameters
    ----------
    names : sequence of str or None
        The fields, in the order of the widgets; None for what stays out of links.
    """
    # As JSON, so that no name of a field can end the text that it stands in.
    script, fields, unknown = read_script("make_link"), json.dumps(list(names)), json.dumps(UNKNOWN)
    return f"(...values) => ({script})(values, {fields}, {unknown})"


def read_link(schema: LeadSchema, text: str) -> tuple[dict[str, Any], list[str]]:
    """Return the lead in a link as values of the form's widgets, with notes on ignored parts.

    Parameters
    ----------
    schema : LeadSchema
        The fields.
    text : str
        The text after ``#lead?``, which no browser sends anywhere by itself.
    """
    # Anybody may have written the link: what is not a value of a field is named and left out.
    if len(text) > MAX_LENGTH:
        return {}, [f"The link is ignored: it is longer than {MAX_LENGTH:,} characters."]
    lead: dict[str, Any] = {}
    notes: list[str] = []
    for name, value in parse_qsl(text, errors="replace"):
        field = schema.inputs.get(name)
        if field is None:
            notes.append(f"{quoted(name)} is not a field of this model.")
        elif name in lead:
            notes.append(f"{field.label}: given twice; the first value is used.")
        elif (shown := _read_value(field, value)) is None:
            notes.append(f"{field.label}: {quoted(value)} is not one of its values.")
        else:
            lead[name] = shown
    return lead, notes


def _read_value(field: Field, text: str) -> Any:
    """Return a value as its widget accepts it, or None if it does not."""
    if field.kind == "numeric":
        # With a decimal point, as browsers write numbers, whatever the leads use.
        try:
            number = float(text)
        except ValueError:
            return None
        return number if math.isfinite(number) else None
    if field.kind == "boolean":
        return text if text in _answers(field) else None
    return text.strip() if text.strip() and len(text) <= MAX_TEXT else None
