"""The protocol of pages of options: what an option adds to the app, which names none."""

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any

from leadmodel.model import LeadModel
from leadmodel.options import installed
from leadmodel.predictor import Answer

__all__ = ["OptionPage", "option_pages"]


class OptionPage:
    """Additions of an option to the app; every method has a default that adds nothing."""

    def describe_model(self, model: LeadModel) -> dict[str, Any]:
        """Return entries for the description of a model that the API returns."""
        return {}

    def describe_answer(self, model: LeadModel, answer: Answer) -> str:
        """Return a line to show below the decision on a lead."""
        return ""

    def highlight(self, model: LeadModel, answer: Answer) -> tuple[str, str] | None:
        """Return a fact to set off below the probability of a lead, and a note on it."""
        return None

    def render_report(self, model: LeadModel) -> str:
        """Return a section of the page about the model, as HTML."""
        return ""

    def add_page(self, service: Any) -> None:
        """Add a tab to the Blocks being built, for the model of a `ScoringService`."""

    def preview_page(self, model: LeadModel) -> Sequence[str]:
        """Return what that tab would show, so that a model that cannot be shown is refused."""
        return ()


@cache
def option_pages() -> tuple[OptionPage, ...]:
    """Return the pages of the installed options."""
    # Imported late and by name: the pages import the app's components, which import this module.
    return tuple(import_module(option.page).PAGE for option in installed().values())
