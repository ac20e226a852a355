"""Build the pages that report on the served model: model, insights, monitoring."""

import threading
import time
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

MAX_AGE = 60.0
"""Seconds for which answers of the Hub and reports from the log are reused, because both take long."""

PERIODS = {1: "1 day", 7: "7 days", 30: "30 days", 90: "90 days"}


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


class Revisions:
    """The versions of a repository, as the Hub last told them.

    Parameters
    ----------
    repo_id : str, optional
        Such as "USER/MODEL"; None where the model is from a folder, which has no versions.
    """

    def __init__(self, repo_id: str | None) -> None:
        self.repo_id = repo_id
        self._lock, self._looked = threading.Lock(), -MAX_AGE
        self._found: dict[str, str] = {}
        self._notice = "Asking the Hub; open this page again in a moment."

    def render(self, revision: str) -> str:
        """Render the list, the newest first, with the served `revision` marked."""
        if self.repo_id is None:
            return render("revisions.html", repo_id=None)
        self._look(self.repo_id)
        return render(
            "revisions.html",
            repo_id=self.repo_id,
            home=address_of(self.repo_id),
            notice=self._notice,
            versions=list(reversed(self._found.items())),
            served=revision,
        )

    def _look(self, repo_id: str) -> None:
        """Ask the Hub, unless it was asked just now; a silent Hub holds up one visitor, not all."""
        if time.monotonic() - self._looked < MAX_AGE or not self._lock.acquire(blocking=False):
            return
        try:
            self._found, self._notice = versions(repo_id), ""
        except (OSError, ModelError) as error:
            self._notice = f"The Hub cannot list the revisions right now: {error}"
        finally:
            self._looked = time.monotonic()
            self._lock.release()


def add_insights_page(service: ScoringService) -> None:
    """Add the page as a tab of the Blocks being built."""
    pictures = PictureCache()
    choices = _field_choices(service.model)
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
        return render_findings(model), gr.Dropdown(_field_choices(model)), show_field(name)

    def show_pairs() -> str:
        from leadmodel.serving.ui.views.insights import render_pairs

        return render_pairs(service.model, pictures)

    tab.select(show, chosen, [findings, chosen, field], api_visibility="private", queue=False).then(
        show_pairs, None, pairs, api_visibility="private", queue=False, show_progress="hidden"
    )
    chosen.input(show_field, chosen, field, api_visibility="private", queue=False)


def _field_choices(model: LeadModel) -> list[tuple[str, str]]:
    """Return labels and names of the fields, the most important first."""
    ranked = rank_fields(model.schema, model.evaluation.importance)
    return [(field.label, field.name) for field in ranked]


def add_monitoring_page(service: ScoringService, log: PredictionLog) -> None:
    """Add the page as a tab of the Blocks being built."""
    reports = _Reports(service, log)
    with gr.Tab("Monitoring") as tab:
        choices = [(PERIODS[days], days) for days in SPANS]
        days = gr.Radio(choices, value=30, label="Period (days begin at midnight UTC)")
        report = gr.HTML()
    gr.on([tab.select, days.input], reports.render, days, report, api_visibility="private", queue=False)


class _Reports:
    """Reports by period, each made once for all visitors."""

    def __init__(self, service: ScoringService, log: PredictionLog) -> None:
        self.service, self.log = service, log
        self._lock = threading.Lock()
        self._made: dict[tuple[int, str], tuple[float, str]] = {}

    def render(self, days: int) -> str:
        """Return the report of the last days."""
        model = self.service.model
        with self._lock:
            at, report = self._made.get((days, model.revision), (-MAX_AGE, ""))
            if time.monotonic() - at > MAX_AGE:
                report = self._make(days)
                self._made = {key: value for key, value in self._made.items() if key[1] == model.revision}
                self._made[days, model.revision] = time.monotonic(), report
            return report

    def _make(self, days: int) -> str:
        # Imported late: Matplotlib takes longer to import than the app may take to start.
        from leadmodel.serving.ui.views.monitoring import render_history

        model = self.service.model
        try:
            self.log.flush()
            history = read_history(self.log.store, model, days)
        except InputError as error:
            return render("error.html", title="The prediction log cannot be read.", message=str(error))
        return render_history(history, model, days, self.log.n_dropped)
