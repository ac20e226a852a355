"""Build the page that scores one lead: a form, the answer with its reasons, what would change it."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from leadmodel.errors import InputError
from leadmodel.serving.service import ScoringService
from leadmodel.serving.ui.components import read_script
from leadmodel.serving.ui.form import (
    Form,
    draw_form,
    example_row,
    rank_fields,
    read_form,
    read_link,
    to_link,
)
from leadmodel.serving.ui.views.lead import (
    render_curve,
    render_error,
    render_ignored,
    render_invitation,
    render_model_answer,
    render_what_if,
)

__all__ = ["add_lead_page"]

NOTHING = (gr.update(visible=False), "", None)
"""Contents of the widgets below the answer where there is no answer."""


@dataclass(frozen=True)
class _Answer:
    """The widgets of the answer; the column shows once a lead is scored."""

    html: gr.HTML
    column: gr.Column
    field: gr.Dropdown
    curve: gr.HTML
    lead: gr.JSON

    @property
    def outputs(self) -> list[Component | gr.Column]:
        return [self.html, self.column, self.curve, self.lead]


def add_lead_page(demo: gr.Blocks, service: ScoringService) -> None:
    """Add the form and its answer to the Blocks being built."""
    model = service.model
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=320):
            form = draw_form(model.schema, model.evaluation.importance)
            with gr.Row(elem_classes="lm-actions"):
                clear = gr.Button("Clear")
                example = gr.Button("Fill in an example")
                score = gr.Button("Score", variant="primary", interactive=False, elem_id="lm-score")
        with gr.Column(scale=2, min_width=320):
            answer = _draw_answer(service)
            link = _add_link(form)
    _score_on_click(service, form, answer, score)
    _fill_on_load(demo, service, form, answer, score)
    demo.load(None, js=read_script("keyboard"), api_visibility="private")
    invitation = [render_invitation(model.config.title), *NOTHING, gr.update(visible=False)]
    for button, values in ((example, example_row(model.schema, list(form.inputs))), (clear, form.empty)):
        button.click(
            lambda values=values: [*form.fill(values), *invitation],
            None,
            [*form.outputs, *answer.outputs, link],
            api_visibility="private",
            queue=False,
        )


def _draw_answer(service: ScoringService) -> _Answer:
    model = service.model
    ranked = rank_fields(model.schema, model.evaluation.importance)
    html = gr.HTML(render_invitation(model.config.title), elem_id="lm-result", elem_classes="lm-flush")
    with gr.Column(visible=False) as column:
        choices = [(field.label, field.name) for field in ranked]
        field = gr.Dropdown(
            choices, value=ranked[0].name, label="See how the chance changes with one field"
        )
        curve = gr.HTML(elem_classes="lm-flush")
    # The browser keeps the lead: a gr.State would keep it, and a connection, on the server.
    answer = _Answer(html, column, field, curve, gr.JSON(visible=False))
    field.input(
        lambda name, lead: _show_curve(service, lead, name),
        [field, answer.lead],
        curve,
        api_visibility="private",
        show_progress="hidden",
    )
    return answer


def _add_link(form: Form) -> gr.Textbox:
    """Add a button that makes a link to the filled-in form; the server never sees the link."""
    make = gr.Button("Link to this lead", size="sm")
    link = gr.Textbox(
        label="Anyone with this link sees what you entered.",
        elem_id="lm-link",
        interactive=False,
        visible=False,
        buttons=["copy"],
    )
    make.click(
        None, list(form.inputs.values()), link, js=to_link(list(form.inputs)), api_visibility="private"
    )
    return link


def _score_on_click(service: ScoringService, form: Form, answer: _Answer, score: gr.Button) -> None:
    widgets = list(form.inputs.values())

    def show(field: str, *values: Any) -> list[Any]:
        return _show_answer(service, read_form(list(form.inputs), values), field)

    score.click(
        show,
        [answer.field, *widgets],
        answer.outputs,
        api_visibility="private",
        show_progress="minimal",
    ).then(None, widgets, js=read_script("show_answer"), api_visibility="private")
    gr.on(
        [widget.input for widget in widgets],
        None,
        widgets,
        js=read_script("mark_stale"),
        api_visibility="private",
    )


def _fill_on_load(
    demo: gr.Blocks, service: ScoringService, form: Form, answer: _Answer, score: gr.Button
) -> None:
    """Fill in and score the lead of the link that the page was opened by, if any."""
    schema, invitation = service.model.schema, render_invitation(service.model.config.title)

    def fill(text: str, field: str) -> list[Any]:
        values, notes = read_link(schema, text)
        shown = [values.get(name, empty) for name, empty in zip(form.inputs, form.empty, strict=True)]
        if values:
            html, *below = _show_answer(service, read_form(list(form.inputs), shown), field)
        else:
            html, *below = invitation, *NOTHING
        return [*form.fill(shown), gr.update(interactive=True), render_ignored(notes) + html, *below]

    # A number nobody touched is sent as 0, not as unknown: empty all fields before the first score.
    demo.load(
        fill,
        [gr.Textbox(visible=False), answer.field],
        [*form.outputs, score, *answer.outputs],
        js=read_script("read_address"),
        api_visibility="private",
        queue=False,
    ).then(None, list(form.inputs.values()), js=read_script("show_answer"), api_visibility="private")


def _show_answer(service: ScoringService, lead: dict[str, Any], field: str) -> list[Any]:
    """Return the contents of the widgets of an answer."""
    model = service.model  # one model for the whole answer, whatever is published meanwhile
    try:
        answer = service.answer(lead, model, door="form")
        html = render_model_answer(model, answer) + render_what_if(model.what_if(lead))
        return [html, gr.update(visible=True), render_curve(model.curve(lead, field)), lead]
    except InputError as error:
        return [render_error(str(error)), *NOTHING]


def _show_curve(service: ScoringService, lead: Any, field: str) -> str:
    try:
        # The lead comes back from the browser, so it may be anything.
        return render_curve(service.curve(lead if isinstance(lead, dict) else {}, field))
    except InputError as error:
        return render_error(str(error))
