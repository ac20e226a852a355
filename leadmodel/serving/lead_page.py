"""The page that scores one lead: a form, the answer with its reasons, and what would change it."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from leadmodel.errors import InputError
from leadmodel.serving.figures import render_curve, render_what_if
from leadmodel.serving.form import Form, draw_form, example_row, rank_fields, read_form
from leadmodel.serving.links import FROM_ADDRESS, read_link, to_link
from leadmodel.serving.rendering import (
    render_answer,
    render_error,
    render_ignored,
    render_invitation,
)
from leadmodel.serving.service import ScoringService

__all__ = ["add_lead_page"]

KEYS = """
() => {
  document.querySelector("#lm-result").setAttribute("aria-live", "polite");
  addEventListener("keydown", (event) => {
    const score = document.querySelector("#lm-score");
    const asked = event.ctrlKey || event.metaKey || event.target.type === "number";
    // A moment later the widget has told of its last key.
    if (event.key === "Enter" && asked && score?.offsetParent) setTimeout(() => score.click(), 100);
  });
}
"""
"""Enter in a number's field scores, Ctrl+Enter anywhere on the page."""

SHOW = """
() => {
  const result = document.querySelector("#lm-result"), { top } = result.getBoundingClientRect();
  result.classList.remove("lm-stale");
  if (top < 0 || top > innerHeight / 2) result.scrollIntoView();
}
"""
"""On a phone, or at the end of a long form, the answer would be out of sight."""

AGE = '() => { document.querySelector("#lm-result").classList.add("lm-stale"); }'
"""Values that changed beside an old answer would pass for its reasons."""

NOTHING = (gr.Column(visible=False, render=False), "", None)
"""What the widgets below an answer show where there is none."""


@dataclass(frozen=True)
class _Answer:
    """The widgets of the answer; what is behind the fold shows once there is a lead."""

    html: gr.HTML
    fold: gr.Column
    field: gr.Dropdown
    curve: gr.HTML
    lead: gr.JSON

    @property
    def outputs(self) -> list[Component | gr.Column]:
        return [self.html, self.fold, self.curve, self.lead]


def add_lead_page(demo: gr.Blocks, service: ScoringService) -> None:
    """Add the form and its answer to the Blocks being built."""
    model = service.model
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=320):
            form = draw_form(model.schema, model.evaluation.importance)
            with gr.Row(elem_classes="lm-actions"):
                clear = gr.Button("Clear", min_width=80)
                example = gr.Button("Fill in an example", min_width=80)
                score = gr.Button(
                    "Score", variant="primary", interactive=False, elem_id="lm-score", min_width=80
                )
        with gr.Column(scale=2, min_width=320):
            answer = _draw_answer(service)
            _add_link(form)
    _score_on_click(service, form, answer, score)
    _open(demo, service, form, answer, score)
    typical = example_row(model.schema, list(form.inputs))
    invitation = [render_invitation(model.config.title), *NOTHING]
    for button, values in ((example, typical), (clear, form.empty)):
        button.click(
            lambda values=values: [*values, *invitation],
            None,
            [*form.inputs.values(), *answer.outputs],
            api_visibility="private",
            queue=False,
        )


def _draw_answer(service: ScoringService) -> _Answer:
    model = service.model
    ranked = rank_fields(model.schema, model.evaluation.importance)
    html = gr.HTML(render_invitation(model.config.title), elem_id="lm-result")
    with gr.Column(visible=False) as fold:
        field = gr.Dropdown(
            [(field.label, field.name) for field in ranked],
            value=ranked[0].name,
            label="Move one field and see the probability",
            filterable=True,
        )
        curve = gr.HTML()
    # The browser keeps the lead: a gr.State would keep it, and a connection, on the server.
    answer = _Answer(html, fold, field, curve, gr.JSON(visible=False))
    field.input(
        lambda name, lead: _show_curve(service, lead, name),
        [field, answer.lead],
        curve,
        api_visibility="private",
        show_progress="hidden",
    )
    return answer


def _add_link(form: Form) -> None:
    """Add a button that makes a link of what is filled in, when asked; no server has a part in it."""
    with gr.Row():
        make = gr.Button("Link to this lead", size="sm")
    link = gr.Textbox(
        label="Link to this lead, copied. Whoever has it sees what you filled in.",
        interactive=False,
        visible=False,
        buttons=["copy"],
    )
    make.click(
        None, list(form.inputs.values()), link, js=to_link(list(form.inputs)), api_visibility="private"
    )


def _score_on_click(service: ScoringService, form: Form, answer: _Answer, score: gr.Button) -> None:
    widgets = list(form.inputs.values())

    def show(name: str, *values: Any) -> list[Any]:
        return _show_answer(service, dict(zip(form.inputs, values, strict=True)), name)

    score.click(
        show,
        [answer.field, *widgets],
        answer.outputs,
        api_visibility="private",
        show_progress="minimal",
    ).then(None, js=SHOW, api_visibility="private")
    gr.on([widget.input for widget in widgets], None, js=AGE, api_visibility="private")


def _open(demo: gr.Blocks, service: ScoringService, form: Form, answer: _Answer, score: gr.Button) -> None:
    """Fill in the lead of the link that the page was opened by, if any, and score it."""
    address = gr.Textbox(visible=False)
    schema, title = service.model.schema, service.model.config.title

    def fill(text: str, field: str) -> list[Any]:
        lead, ignored = read_link(schema, text)
        values = [lead.get(name, empty) for name, empty in zip(form.inputs, form.empty, strict=True)]
        shown = [render_invitation(title), *NOTHING]
        if lead:
            shown = _show_answer(service, dict(zip(form.inputs, values, strict=True)), field)
        shown[0] = render_ignored(ignored) + shown[0]
        return [*values, gr.Button(interactive=True), *shown]

    # A number nobody touched is sent as 0, not as unknown: empty all fields before the first score.
    demo.load(
        fill,
        [address, answer.field],
        [*form.inputs.values(), score, *answer.outputs],
        js=FROM_ADDRESS,
        api_visibility="private",
        queue=False,
    )
    demo.load(None, js=KEYS, api_visibility="private")


def _show_answer(service: ScoringService, values: dict[str, Any], name: str) -> list[Any]:
    """Return what the widgets of an answer show for a filled-in form."""
    model = service.model  # one model for the whole answer, whatever is published meanwhile
    decision = model.config.decision
    lead = read_form(list(values), list(values.values()))
    try:
        told = render_answer(
            model.answer(lead), decision.threshold, list(decision.bands), len(model.schema.fields)
        )
        shown = told + render_what_if(model.what_if(lead))
        curve = render_curve(model.curve(lead, name))
    except InputError as error:
        return [render_error(str(error)), *NOTHING]
    return [shown, gr.Column(visible=True), curve, lead]


def _show_curve(service: ScoringService, lead: Any, name: str) -> str:
    try:
        return render_curve(service.curve(lead if isinstance(lead, dict) else {}, name))
    except InputError as error:
        return render_error(str(error))
