"""The page that tells how the model has fared lately, from the prediction log."""

import threading
import time

import gradio as gr

from leadmodel.errors import InputError
from leadmodel.monitoring.history import SPANS
from leadmodel.monitoring.log.history import read_history
from leadmodel.monitoring.log.log import PredictionLog
from leadmodel.serving.service import ScoringService

__all__ = ["add_monitoring_page"]

KEPT = 60.0
"""Seconds that a report is shown again, for reading the log takes longer than that is old."""

NAMES = {1: "1 day", 7: "7 days", 30: "30 days", 90: "90 days"}


def add_monitoring_page(service: ScoringService, log: PredictionLog) -> None:
    """Add the page as a tab of the Blocks being built."""
    reports = _Reports(service, log)
    with gr.Tab("Monitoring") as tab:
        choices = [(NAMES[days], days) for days in SPANS]
        days = gr.Radio(choices, value=30, label="Look back (days begin at midnight UTC)")
        report = gr.HTML()
    gr.on([tab.select, days.input], reports.render, days, report, api_visibility="private", queue=False)


class _Reports:
    """Reports by time looked back, each made by one visitor for all."""

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
        # Matplotlib takes longer to import than the app may take to start, so its first user waits.
        from leadmodel.serving.ui.views.monitoring import render_history

        model = self.service.model
        try:
            self.log.flush()
            history = read_history(self.log.store, model, days)
        except InputError as error:
            return f'<div class="lm-report" role="alert"><p>{error}</p></div>'
        return render_history(history, model, days, self.log.n_dropped)
