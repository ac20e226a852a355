"""Check that a model can be served: render every page once, before anybody opens one.

The process that tries out a downloaded model calls this. Nothing here imports Gradio, which would
double the time until it begins.
"""

from typing import Any

from leadmodel.errors import ModelError
from leadmodel.model import LeadModel
from leadmodel.plots.style import Figure
from leadmodel.serving.options import option_pages
from leadmodel.serving.ui.components import PictureCache
from leadmodel.serving.ui.views.insights import render_field, render_findings, render_pairs
from leadmodel.serving.ui.views.lead import (
    render_curve,
    render_invitation,
    render_model_answer,
    render_what_if,
)
from leadmodel.serving.ui.views.model import card_text, render_model

__all__ = ["check_ready"]


def check_ready(model: LeadModel) -> None:
    """Check that a model can be served: that its pages can be rendered, and that it answers empty leads.

    Raises
    ------
    ModelError
        If a page cannot be rendered, or not be sent.
    """
    try:
        pages = [*_answers(model), *_reports(model)]
        "".join(pages).encode()
    except MemoryError:
        raise  # the process that runs this has a limit, and says so itself
    except Exception as error:  # whatever contradictory files make it raise
        raise ModelError(f"The model cannot be shown: {type(error).__name__}: {error!s:.200}.") from None


def _answers(model: LeadModel) -> list[str]:
    """Render what the page of a lead shows of an empty lead, and of the example."""
    leads: tuple[dict[str, Any], ...] = ({}, model.schema.example())
    return [
        render_invitation(model.config.title),
        *(render_model_answer(model, model.answer(lead)) for lead in leads),
        *(render_what_if(model.what_if(lead)) for lead in leads),
        *(render_curve(model.curve(lead, name)) for lead in leads for name in model.schema.columns),
    ]


def _reports(model: LeadModel) -> list[str]:
    """Render what the other pages show."""
    sketches = _Sketches()
    return [
        render_model(model),
        card_text(model),
        render_findings(model),
        *(render_field(model, field.name, sketches) for field in model.schema.fields),
        render_pairs(model, sketches),
        *(html for page in option_pages() for html in page.preview_page(model)),
    ]


class _Sketches(PictureCache):
    """Figures that are laid out, but not painted, which takes most of their time."""

    def paint(self, figure: Figure) -> bytes:
        """Return no picture."""
        return b""
