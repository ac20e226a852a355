"""The app: a form that scores one lead, and the API beside it."""

from html import escape
from typing import Any

import gradio as gr

from leadmodel.errors import InputError
from leadmodel.model import LeadModel
from leadmodel.serving.endpoints import add_endpoints
from leadmodel.serving.form import UNKNOWN, example_row, form_inputs, read_form
from leadmodel.serving.rendering import STYLE, render_answer, render_error, render_invitation
from leadmodel.serving.service import ScoringService

__all__ = ["build_demo", "looks"]

MAX_UPLOAD = "1mb"
"""No page takes a file; Gradio would store any that is sent."""


def build_demo(service: ScoringService) -> gr.Blocks:
    """Build the pages and the API for the service's model."""
    with gr.Blocks(title=service.model.config.title, analytics_enabled=False, fill_width=True) as demo:
        headline = gr.Markdown(_headline(service.model))
        # A page opened after an update tells of the new model.
        demo.load(lambda: _headline(service.model), None, headline, api_visibility="private", queue=False)
        _add_form(demo, service)
        add_endpoints(service)
    # Scoring takes milliseconds and shares nothing: no visitor waits for another.
    return demo.queue(api_open=True, default_concurrency_limit=None)


def looks() -> dict[str, Any]:
    """Return the theme and what goes with it, which Gradio takes when it is served."""
    theme = gr.themes.Default(
        primary_hue="teal", neutral_hue="slate", font=["system-ui", "sans-serif"]
    ).set(
        button_primary_background_fill="#0b6e75",
        button_primary_background_fill_hover="#095a60",
        button_primary_text_color="#ffffff",
    )
    return {
        "theme": theme,
        "css": STYLE,
        "footer_links": ["api", "settings"],
        "show_error": True,
        # Neither keep what was typed in the visitor's browser, nor who called when.
        "run_history": False,
        "enable_monitoring": False,
        "max_file_size": MAX_UPLOAD,
    }


def _headline(model: LeadModel) -> str:
    config, auc = model.config, model.evaluation.test["roc_auc"]
    return (
        f"# {escape(config.title)}\n"
        f"How likely is a lead to convert, and why? Tested on {model.evaluation.n_test:,} leads that the "
        f"model had not seen ({escape(config.training.split)}): ROC AUC {auc.value:.2f} "
        f"({auc.low:.2f} to {auc.high:.2f}). Revision {escape(model.revision[:15])}."
    )


def _add_form(demo: gr.Blocks, service: ScoringService) -> None:
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
