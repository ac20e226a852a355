"""The app: its pages, and the API beside them."""

from html import escape
from typing import Any

import gradio as gr

from leadmodel.model import LeadModel
from leadmodel.serving.endpoints import add_endpoints
from leadmodel.serving.figures import FIGURE_STYLE
from leadmodel.serving.lead_page import add_lead_page
from leadmodel.serving.rendering import STYLE
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
        with gr.Tab("Score a lead"):
            add_lead_page(demo, service)
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
        "css": STYLE + FIGURE_STYLE,
        "footer_links": ["api", "settings"],
        "show_error": True,
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
