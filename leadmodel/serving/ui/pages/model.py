"""Build the page about the served model: readiness, metrics, model card, other revisions."""

import gradio as gr

from leadmodel.serving.revisions import Revisions
from leadmodel.serving.service import ScoringService
from leadmodel.serving.ui.views.model import card_text, render_model

__all__ = ["add_model_page"]


def add_model_page(service: ScoringService) -> None:
    """Add the page as a tab of the Blocks being built."""
    revisions = Revisions(service.repo_id)
    with gr.Tab("Model") as tab:
        report, others = gr.HTML(), gr.HTML()
        with gr.Accordion("The model card", open=False):
            card = gr.Markdown(latex_delimiters=[])

    def show() -> tuple[str, str]:
        model = service.model
        return render_model(model), card_text(model)

    # Rendered when the tab is opened, so that it shows the model served by then. The Hub is asked last,
    # so that nobody waits for it.
    tab.select(show, None, [report, card], api_visibility="private", queue=False).then(
        lambda: revisions.render(service.model.revision),
        None,
        others,
        api_visibility="private",
        queue=False,
        show_progress="hidden",
    )
