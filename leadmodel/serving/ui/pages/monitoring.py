"""Build the page about the served model's recent performance, from the prediction log."""

import threading
import time

import gradio as gr

from leadmodel.errors import InputError
from leadmodel.monitoring.history import SPANS
from leadmodel.monitoring.log.history import read_history
from leadmodel.monitoring.log.log import PredictionLog
from leadmodel.serving.service import ScoringService
from leadmodel.serving.ui.components import render

__all__ = ["add_monitoring_page"]

KEPT = 60.0
"""Seconds for which a report is reused, because reading the log takes long."""

NAMES = {1: "1 day", 7: "7 days", 30: "30 days", 90: "90 days"}


def add_monitoring_page(service: ScoringService, log: PredictionLog) -> None:
    """Add the page as a tab of the Blocks being built."""
    reports = _Reports(service, log)
    with gr.Tab("Monitoring") as tab:
        choices = [(NAMES[days], days) for days in SPANS]
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
            at, report = self._made.get((days, model.revision), (-KEPT, ""))
            if time.monotonic() - at > KEPT:
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
