"""Build the app: its pages and the Gradio API."""

from typing import Any

import gradio as gr

from leadmodel.model import LeadModel
from leadmodel.serving.api.gradio import add_endpoints
from leadmodel.serving.lead_files import MAX_BYTES
from leadmodel.serving.options import option_pages
from leadmodel.serving.service import ScoringService
from leadmodel.serving.ui.components import STYLE
from leadmodel.serving.ui.lead_page import add_lead_page
from leadmodel.serving.ui.list_page import add_list_page
from leadmodel.serving.ui.reports import (
    add_insights_page,
    add_model_page,
    add_monitoring_page,
)
from leadmodel.serving.ui.views.model import MARKS
from leadmodel.text import markdown

__all__ = ["build_demo", "looks"]

# Gradio stores uploaded files: once a minute, it deletes those older than ten minutes.
DELETE_CACHE = (60, 600)


def build_demo(service: ScoringService) -> gr.Blocks:
    """Build the pages and the API for the service's model."""
    with gr.Blocks(
        title=service.model.config.title,
        analytics_enabled=False,
        fill_width=True,
        delete_cache=DELETE_CACHE,
    ) as demo:
        headline = gr.Markdown(_headline(service.model))
        # A page opened after an update shows the new model.
        demo.load(lambda: _headline(service.model), None, headline, api_visibility="private", queue=False)
        with gr.Tab("Lead"):
            add_lead_page(demo, service)
        with gr.Tab("List"):
            add_list_page(service)
        add_model_page(service)
        add_insights_page(service)
        for page in option_pages():
            page.add_page(service)
        if service.log:
            add_monitoring_page(service, service.log)
        add_endpoints(service)  # in the Blocks, which know the events and endpoints built within them
    # Scoring takes milliseconds and shares no state, so no visitor has to wait for another.
    return demo.queue(api_open=True, default_concurrency_limit=None)


def looks() -> dict[str, Any]:
    """Return the theme, the stylesheet and the settings that Gradio takes when it is mounted."""
    theme = gr.themes.Default(
        primary_hue="teal", neutral_hue="slate", font=["system-ui", "sans-serif"]
    ).set(
        button_primary_background_fill="#0b6e75",
        button_primary_background_fill_hover="#095a60",
        button_primary_text_color="#ffffff",
        # Gradio's own grays have too little contrast.
        color_accent="#0b6e75",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
    )
    return {
        "theme": theme,
        "css": STYLE,
        "footer_links": ["api", "settings"],
        "show_error": True,
        # Store neither the inputs in the browser nor who called when.
        "run_history": False,
        "enable_monitoring": False,
        "max_file_size": MAX_BYTES,
    }


def _headline(model: LeadModel) -> str:
    level = model.readiness.level
    lines = [
        f"# {markdown(model.config.title)}",
        f"How likely is a lead to convert, and why? {MARKS[level]} {markdown(model.summary())}",
    ]
    if level == "not ready":
        reasons = " ".join(check.sentence for check in model.readiness.checks if check.level == level)
        lines.append(f"> **Do not use these scores to decide.** {markdown(reasons)}")
    return "\n\n".join(lines)
