"""Build the pages that report on the served model: model, insights, monitoring."""

import threading
import time
from importlib import import_module
from types import ModuleType
from typing import Any

import gradio as gr

from leadmodel.errors import InputError, ModelError
from leadmodel.model import LeadModel
from leadmodel.monitoring.history import SPANS
from leadmodel.monitoring.log.history import read_history
from leadmodel.monitoring.log.log import PredictionLog
from leadmodel.publishing.hub.client import address_of
from leadmodel.publishing.hub.push import versions
from leadmodel.serving.service import ScoringService
from leadmodel.serving.ui.components import PictureCache, render
from leadmodel.serving.ui.form import rank_fields
from leadmodel.serving.ui.views.model import card_text, render_model

__all__ = ["Revisions", "add_insights_page", "add_model_page", "add_monitoring_page"]

# Seconds for which answers of the Hub and reports from the log are reused, because both take long.
MAX_AGE = 60.0

PERIODS = {1: "1 day", 7: "7 days", 30: "30 days", 90: "90 days"}

# Pages are filled when they are opened, so that each shows the model that is served by then.
FILL: dict[str, Any] = {"api_visibility": "private", "queue": False}
FILL_LATER = FILL | {"show_progress": "hidden"}


def add_model_page(service: ScoringService) -> None:
    """Add the page about the served model: readiness, metrics, model card, other revisions."""
    revisions = Revisions(service.repo_id)
    with gr.Tab("Model") as tab:
        report, others = gr.HTML(), gr.HTML()
        with gr.Accordion("The model card", open=False):
            # A dollar sign in a card is money, no formula.
            card = gr.Markdown(latex_delimiters=[])

    def show() -> tuple[str, str]:
        model = service.model
        return render_model(model), card_text(model)

    # The Hub is asked last, so that nobody waits for it.
    tab.select(show, None, [report, card], **FILL).then(
        lambda: revisions.render(service.model.revision), None, others, **FILL_LATER
    )


class Revisions:
    """The published versions of a repository, as the Hub last listed them.

    Parameters
    ----------
    repo_id : str, optional
        Such as "USER/MODEL"; None where the model is from a folder, which has no versions.
    """

    def __init__(self, repo_id: str | None) -> None:
        self.repo_id = repo_id
        self._lock, self._asked = threading.Lock(), -MAX_AGE
        self._versions: dict[str, str] = {}
        self._notice = "Asking the Hub; open this page again in a moment."

    def render(self, revision: str) -> str:
        """Render the list, the newest first, with the served `revision` marked."""
        if self.repo_id is None:
            return render("revisions.html", repo_id=None)
        # Without blocking: a silent Hub holds up one visitor, not all.
        if time.monotonic() - self._asked >= MAX_AGE and self._lock.acquire(blocking=False):
            try:
                self._versions, self._notice = versions(self.repo_id), ""
            except (OSError, ModelError) as error:
                self._notice = f"The Hub cannot list the revisions right now: {error}"
            finally:
                self._asked = time.monotonic()
                self._lock.release()
        return render(
            "revisions.html",
            repo_id=self.repo_id,
            home=address_of(self.repo_id),
            notice=self._notice,
            versions=list(reversed(self._versions.items())),
            served=revision,
        )


def add_insights_page(service: ScoringService) -> None:
    """Add the page about the training leads, field by field and in pairs."""
    pictures = PictureCache()

    def choices() -> list[tuple[str, str]]:
        model = service.model
        ranked = rank_fields(model.schema, model.evaluation.importance)
        return [(field.label, field.name) for field in ranked]

    with gr.Tab("Insights") as tab:
        findings = gr.HTML()
        chosen = gr.Dropdown(
            choices(), value=choices()[0][1], label="Field", info="The most important first."
        )
        field, pairs = gr.HTML(), gr.HTML()

    def views() -> ModuleType:
        # Imported late: Matplotlib takes longer to import than the app may take to start.
        return import_module("leadmodel.serving.ui.views.insights")

    def show_field(name: str) -> str:
        return views().render_field(service.model, name, pictures)

    def show(name: str) -> tuple[Any, ...]:
        return views().render_findings(service.model), gr.Dropdown(choices()), show_field(name)

    tab.select(show, chosen, [findings, chosen, field], **FILL).then(
        lambda: views().render_pairs(service.model, pictures), None, pairs, **FILL_LATER
    )
    chosen.input(show_field, chosen, field, **FILL)


def add_monitoring_page(service: ScoringService, log: PredictionLog) -> None:
    """Add the page about the served model's recent performance, from the prediction log."""
    lock = threading.Lock()
    reports: dict[tuple[int, str], tuple[float, str]] = {}

    def show(days: int) -> str:
        model = service.model
        # With the lock, of several visitors only the first waits for the log to be read, and no longer.
        with lock:
            made, report = reports.get((days, model.revision), (-MAX_AGE, ""))
            if time.monotonic() - made > MAX_AGE:
                report = _render_history(log, model, days)
                for key in [key for key in reports if key[1] != model.revision]:
                    del reports[key]
                reports[days, model.revision] = time.monotonic(), report
            return report

    with gr.Tab("Monitoring") as tab:
        choices = [(PERIODS[days], days) for days in SPANS]
        days = gr.Radio(choices, value=30, label="Period (days begin at midnight UTC)")
        report = gr.HTML()
    gr.on([tab.select, days.input], show, days, report, **FILL)


def _render_history(log: PredictionLog, model: LeadModel, days: int) -> str:
    # Imported late: Matplotlib takes longer to import than the app may take to start.
    from leadmodel.serving.ui.views.monitoring import render_history

    try:
        log.flush()
        history = read_history(log.store, model, days)
    except InputError as error:
        return render("error.html", title="The prediction log cannot be read.", message=str(error))
    return render_history(history, model, days, log.n_dropped)
