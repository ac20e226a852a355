"""Whether a model can be served: every page rendered once, before anybody opens one."""

from typing import Any

from leadmodel.errors import ModelError
from leadmodel.model import LeadModel
from leadmodel.plots.style import Figure
from leadmodel.serving.ui.components import PictureCache
from leadmodel.serving.ui.views.insights import render_field, render_findings, render_pairs
from leadmodel.serving.ui.views.lead import render_answer, render_curve, render_invitation, render_what_if
from leadmodel.serving.ui.views.model import card_text, render_model
from leadmodel.serving.ui.views.segments import BY_CONVERSION, CONVERSIONS, render_segments

__all__ = ["check_ready"]


def check_ready(model: LeadModel) -> None:
    """Check that a model can be served: that it can be shown, and answers whatever is lacking.

    Raises
    ------
    ModelError
        If a page cannot be rendered, or not be sent.
    """
    try:
        pages = [*_answers(model), *_reports(model)]
        "".join(pages).encode()
    except MemoryError:
        raise
    except Exception as error:  # whatever contradictory files make it raise
        raise ModelError(f"The model cannot be shown: {type(error).__name__}: {error!s:.200}.") from None


def _answers(model: LeadModel) -> list[str]:
    """Return what the page of a lead shows of one without a single value, and of the example."""
    decision, schema = model.config.decision, model.schema
    terms = model.worth.terms if model.worth else None
    cost = decision.cost if decision.is_by_value else None
    rule = (decision.threshold, list(decision.bands), schema.by_name, terms, cost)
    leads: tuple[dict[str, Any], ...] = ({}, schema.example())
    return [
        render_invitation(model.config.title),
        *(render_answer(model.answer(lead), *rule) for lead in leads),
        *(render_what_if(model.what_if(lead)) for lead in leads),
        *(render_curve(model.curve(lead, name)) for lead in leads for name in schema.columns),
    ]


def _reports(model: LeadModel) -> list[str]:
    """Return what the other pages show."""
    sketches = _Sketches()
    names = model.config.segments.names if model.config.segments else ()
    numbers = range(1, len(names) + 1)
    return [
        render_model(model),
        card_text(model),
        render_findings(model),
        *(render_field(model, field.name, sketches) for field in model.schema.fields),
        render_pairs(model, sketches),
        *(render_segments(model, numbers, CONVERSIONS[0], BY_CONVERSION) for _ in names[:1]),
    ]


class _Sketches(PictureCache):
    """Figures that are laid out, but not painted, which takes most of their time."""

    def paint(self, figure: Figure) -> bytes:
        """Return no picture."""
        return b""
