"""The page that tells what the served model is, how good it is, and which others there are."""

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

    # When the tab is opened, so that it tells of the model that is served by then; and the Hub is
    # asked last, so that nobody waits for it.
    tab.select(show, None, [report, card], api_visibility="private", queue=False).then(
        lambda: revisions.render(service.model.revision),
        None,
        others,
        api_visibility="private",
        queue=False,
        show_progress="hidden",
    )
