"""The page that scores one lead: a form, and the answer with its reasons."""

from typing import Any

import gradio as gr

from leadmodel.errors import InputError
from leadmodel.serving.form import UNKNOWN, example_row, form_inputs, read_form
from leadmodel.serving.rendering import render_answer, render_error, render_invitation
from leadmodel.serving.service import ScoringService

__all__ = ["add_lead_page"]


def add_lead_page(demo: gr.Blocks, service: ScoringService) -> None:
    """Add the form and its answer to the Blocks being built."""
    model = service.model
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=320):
            with gr.Row(equal_height=False):
                inputs = form_inputs(model.schema, model.evaluation.importance)
            names, widgets = [name for name, _ in inputs], [widget for _, widget in inputs]
            with gr.Row():
                clear = gr.Button("Clear")
                example = gr.Button("Fill in an example")
                score = gr.Button("Score", variant="primary", interactive=False)
        with gr.Column(scale=2, min_width=320):
            result = gr.HTML(render_invitation(model.config.title))

    def show(*values: Any) -> str:
        current = service.model  # one model for the whole answer, whatever is published meanwhile
        decision = current.config.decision
        try:
            answer = service.answer(read_form(names, values), current)
        except InputError as error:
            return render_error(str(error))
        n_fields = len(current.schema.fields)
        return render_answer(answer, decision.threshold, list(decision.bands), n_fields)

    typical = example_row(model.schema, names)
    empty = [None if isinstance(widget, gr.Number) else UNKNOWN for widget in widgets]
    # A number nobody touched is sent as 0, not as unknown: empty all fields before the first score.
    demo.load(
        lambda: [*empty, gr.Button(interactive=True)],
        None,
        [*widgets, score],
        api_visibility="private",
        queue=False,
    )
    score.click(show, widgets, result, api_visibility="private", show_progress="minimal")
    # Values that changed beside an old answer would pass for its reasons.
    invitation = render_invitation(model.config.title)
    for button, values in ((example, typical), (clear, empty)):
        button.click(
            lambda values=values: [*values, invitation],
            None,
            [*widgets, result],
            api_visibility="private",
            queue=False,
        )
