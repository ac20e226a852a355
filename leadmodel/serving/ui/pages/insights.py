"""Build the page about the training leads, field by field and in pairs."""

from typing import Any

import gradio as gr

from leadmodel.model import LeadModel
from leadmodel.serving.service import ScoringService
from leadmodel.serving.ui.components import PictureCache
from leadmodel.serving.ui.form import rank_fields

__all__ = ["add_insights_page"]


def add_insights_page(service: ScoringService) -> None:
    """Add the page as a tab of the Blocks being built."""
    pictures = PictureCache()
    choices = _choices(service.model)
    with gr.Tab("Insights") as tab:
        findings = gr.HTML()
        chosen = gr.Dropdown(choices, value=choices[0][1], label="Field", info="The most important first.")
        field, pairs = gr.HTML(), gr.HTML()

    # Imported late: Matplotlib takes longer to import than the app may take to start.
    def show_field(name: str) -> str:
        from leadmodel.serving.ui.views.insights import render_field

        return render_field(service.model, name, pictures)

    def show(name: str) -> tuple[Any, ...]:
        from leadmodel.serving.ui.views.insights import render_findings

        model = service.model
        return render_findings(model), gr.Dropdown(_choices(model)), show_field(name)

    def show_pairs() -> str:
        from leadmodel.serving.ui.views.insights import render_pairs

        return render_pairs(service.model, pictures)

    tab.select(show, chosen, [findings, chosen, field], api_visibility="private", queue=False).then(
        show_pairs, None, pairs, api_visibility="private", queue=False, show_progress="hidden"
    )
    chosen.input(show_field, chosen, field, api_visibility="private", queue=False)


def _choices(model: LeadModel) -> list[tuple[str, str]]:
    """Return labels and names of the fields, the most important first."""
    ranked = rank_fields(model.schema, model.evaluation.importance)
    return [(field.label, field.name) for field in ranked]
