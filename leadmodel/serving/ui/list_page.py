"""Build the page that scores a list: a file or pasted rows in, a ranked table and a call plan out."""

import base64
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
import pyarrow as pa

from leadmodel.decision.call_plan import plan_calls
from leadmodel.errors import InputError
from leadmodel.serving.lead_files import (
    count_formulas,
    read_list,
    read_pasted,
    take_upload,
    to_csv,
    to_excel,
)
from leadmodel.serving.ranking import RankedLeads, Ranking, toggle_sort
from leadmodel.serving.service import MAX_LEADS, ScoringService
from leadmodel.serving.ui.components import read_script
from leadmodel.serving.ui.views.list import (
    CATEGORIES,
    render_formulas,
    render_list,
    render_list_error,
    render_plan,
    render_understood,
)

__all__ = ["add_list_page"]

# Gradio replaces this default of a parameter with the progress of the running event.
PROGRESS = gr.Progress()

# Seconds for which a list is held in the memory of the visitor's session.
KEPT = 3600

TYPICAL_CALLS = 100
BY_NUMBER, BY_PROFIT = "Fixed number of calls", "All profitable calls"
ALL, PLANNED = "All leads", "Only the planned calls"
RANKINGS: list[tuple[str, Ranking]] = [("Probability", "probability"), ("Expected value", "expected_value")]
GONE = "The list is gone: it is held in memory only, for at most an hour. Upload it again."


def add_list_page(service: ScoringService) -> None:
    """Add upload, table, plan and downloads to the Blocks being built."""
    _ListPage(service)


class _ListPage:
    """The widgets of the page and their events."""

    def __init__(self, service: ScoringService) -> None:
        self.service = service
        self.ranked = gr.State(None, time_to_live=KEPT)
        self.sorting = gr.State((None, False))
        self.n_called = gr.State(0)
        self._add_upload()
        with gr.Column(visible=False) as self.results:
            self._add_table()
            self._add_plan()
            self._add_downloads()
        self._connect()

    def _add_upload(self) -> None:
        hint = "extra columns are kept. The list is held in memory only, for at most an hour."
        gr.Markdown(f"Upload up to {MAX_LEADS:,} leads; {hint}")
        with gr.Row(equal_height=False):
            self.file = gr.File(
                label="File of leads: CSV, Excel (.xlsx) or Parquet", height=170, min_width=320
            )
            with gr.Column(min_width=320):
                self.text = gr.Textbox(
                    label="Or paste rows, with column names in the first row",
                    lines=4,
                    max_lines=8,
                    placeholder="Copied from a spreadsheet, or with commas or semicolons",
                )
                self.score = gr.Button("Score the pasted rows", variant="primary")
        self.understood = gr.HTML(js_on_load=read_script("scroll_to_result"))

    def _add_table(self) -> None:
        self.ranking = gr.Radio(RANKINGS, value="probability", label="Rank by", visible=False)
        self.grades = gr.CheckboxGroup(label="Show grades", choices=[])
        # A filter for each installed option: the model may be replaced by one that uses it.
        self.filters = {
            name: gr.CheckboxGroup(label=f"Show {title.lower()}s", choices=[], visible=False)
            for name, title in CATEGORIES.items()
        }
        self.table = gr.HTML(js_on_load=read_script("sort_table"))

    def _add_plan(self) -> None:
        gr.Markdown("## Call plan")
        with gr.Row(equal_height=False):
            self.rule = gr.Radio([BY_NUMBER, BY_PROFIT], value=BY_NUMBER, label="Rule", min_width=280)
            self.calls = gr.Number(label="Calls", precision=0, min_width=140)
            self.cost = gr.Number(label="Cost of a call", min_width=140)
            self.value = gr.Number(label="Value of a customer", min_width=140)
            self.level = gr.Radio(
                [("80 %", 0.8), ("95 %", 0.95)], value=0.8, label="Interval", min_width=140
            )
        self.plan = gr.HTML()

    def _add_downloads(self) -> None:
        gr.Markdown("## Download")
        with gr.Row(equal_height=False):
            self.which = gr.Radio([ALL, PLANNED], value=ALL, label="Leads in the file", min_width=280)
            self.csv = gr.Button("Download CSV", min_width=140)
            self.excel = gr.Button("Download Excel", min_width=140)
        self.formulas = gr.HTML()
        self.download = gr.HTML(html_template="<span></span>", js_on_load=read_script("save_file"))

    def _connect(self) -> None:
        scoring = {
            "api_visibility": "private",
            "show_progress_on": self.understood,
            "scroll_to_output": True,
            "outputs": [
                *(self.ranked, self.understood, self.results, self.grades, self.formulas, self.file),
                *(*self.filters.values(), self.ranking, self.calls, self.cost, self.value),
                *(self.table, self.sorting, self.plan, self.n_called),
            ],
        }
        self.file.upload(self._score_file, [self.file, self.rule, self.level], **scoring)
        self.score.click(self._score_text, [self.text, self.rule, self.level], **scoring)
        private: dict[str, Any] = {"api_visibility": "private", "show_progress": "minimal"}
        # Of events that come faster than answers, only the latest counts; its answer comes last.
        latest = private | {"trigger_mode": "always_last"}
        filters = [self.ranked, self.sorting, self.grades, *self.filters.values()]
        for widget in (self.grades, *self.filters.values()):
            widget.input(self._filter, filters, self.table, **latest)
        self.table.select(self._sort, filters, [self.table, self.sorting], **private)
        options = [self.rule, self.calls, self.cost, self.value, self.level]
        self.ranking.input(
            self._rank,
            [self.ranked, self.ranking, *options, self.grades, *self.filters.values()],
            [self.ranked, self.value, self.table, self.sorting, self.plan, self.n_called],
            **private,
        )
        # One event for all options: with several, an older plan could arrive after a newer one.
        changes = [widget.input for widget in options]
        gr.on(changes, self._plan, [self.ranked, *options], [self.plan, self.n_called], **latest)
        for button, suffix in ((self.csv, ".csv"), (self.excel, ".xlsx")):
            selection = [self.ranked, self.which, self.n_called]
            button.click(partial(_file, suffix), selection, self.download, **private)

    def _score_file(self, path: str, rule: str, level: float, progress: gr.Progress = PROGRESS) -> Any:
        def read() -> tuple[str, pa.Table]:
            name, content = take_upload(Path(path))
            return name, read_list(name, content)

        return self._score(read, rule, level, progress)

    def _score_text(self, text: str, rule: str, level: float, progress: gr.Progress = PROGRESS) -> Any:
        return self._score(lambda: ("Pasted rows", read_pasted(text)), rule, level, progress)

    def _score(
        self, read: Callable[[], tuple[str, pa.Table]], rule: str, level: float, progress: gr.Progress
    ) -> dict[Any, Any]:
        progress(0.05, "Reading")
        try:
            ranked = self.service.rank(*read(), "list", progress)
        except InputError as error:
            return {
                self.ranked: None,
                self.understood: render_list_error(str(error)),
                self.results: gr.Column(visible=False),
                self.file: None,
            }
        return self._show(ranked, rule, level)

    def _show(self, ranked: RankedLeads, rule: str, level: float) -> dict[Any, Any]:
        value, cost = ranked.decision.value, ranked.decision.cost
        n_calls = min(TYPICAL_CALLS, len(ranked))
        grades = [(f"{grade} ({ranked.count(grade):,})", grade) for grade in ranked.bands]
        choices = [ranked.choices.get(name, ()) for name in self.filters]
        filters = {
            widget: gr.CheckboxGroup(
                choices=[(f"{value} ({ranked.count_choice(name, value):,})", value) for value in values],
                value=list(values),
                visible=bool(values),
            )
            for (name, widget), values in zip(self.filters.items(), choices, strict=True)
        }
        plan, n_called = self._plan(ranked, rule, n_calls, cost, value, level)
        return {
            self.ranked: ranked,
            self.understood: render_understood(ranked),
            self.results: gr.Column(visible=True),
            self.grades: gr.CheckboxGroup(choices=grades, value=ranked.bands),
            **filters,
            self.table: self._filter(ranked, (None, False), ranked.bands, *choices),
            self.sorting: (None, False),
            self.ranking: gr.Radio(value=ranked.ranking, visible="expected_value" in ranked.answers),
            self.calls: n_calls,
            self.cost: cost,
            self.value: gr.Number(value=value, visible=ranked.values is None),
            self.plan: plan,
            self.n_called: n_called,
            self.formulas: render_formulas(count_formulas(ranked.table)),
            # The browser need not keep the file, and the same one can be chosen again.
            self.file: None,
        }

    def _rank(
        self,
        ranked: RankedLeads | None,
        ranking: Ranking,
        rule: str,
        calls: float | None,
        cost: float | None,
        value: float | None,
        level: float,
        *filters: Sequence[str],
    ) -> dict[Any, Any]:
        if ranked is not None:
            ranked = ranked.ranked_by(ranking)
        plan, n_called = self._plan(ranked, rule, calls, cost, value, level)
        return {
            self.ranked: ranked,
            self.value: gr.Number(visible=ranking == "probability"),
            self.table: self._filter(ranked, (None, False), *filters),
            self.sorting: (None, False),
            self.plan: plan,
            self.n_called: n_called,
        }

    def _filter(
        self,
        ranked: RankedLeads | None,
        sorting: tuple[str | None, bool],
        grades: Sequence[str],
        *filters: Sequence[str],
    ) -> str:
        if ranked is None:
            return render_list_error(GONE)
        column, descending = sorting
        picked = dict(zip(self.filters, filters, strict=True))
        choices = {name: picked[name] for name in ranked.choices}
        positions = ranked.arrange(grades, column, descending=descending, choices=choices)
        return render_list(ranked, positions, column, descending)

    def _sort(
        self,
        ranked: RankedLeads | None,
        sorting: tuple[str | None, bool],
        event: gr.EventData,
        *filters: Sequence[str],
    ) -> tuple[str, Any]:
        if ranked is None:
            return render_list_error(GONE), sorting
        new = toggle_sort(ranked, sorting, str(event.column))
        return self._filter(ranked, new, *filters), new

    def _plan(
        self,
        ranked: RankedLeads | None,
        rule: str,
        calls: float | None,
        cost: float | None,
        value: float | None,
        level: float,
    ) -> tuple[str, int]:
        if ranked is None:
            return render_list_error(GONE), 0
        by_number = rule == BY_NUMBER
        try:
            if by_number and calls is None:
                raise InputError("Enter the number of calls.")
            plan = plan_calls(
                ranked.probability,
                calls if by_number else None,
                value=value,
                cost=cost,
                level=level,
                values=ranked.values,
            )
        except InputError as error:
            return render_list_error(str(error)), 0
        return render_plan(plan, ranked), plan.n_called


def _file(suffix: str, ranked: RankedLeads | None, which: str, n_called: int) -> dict[str, str]:
    if ranked is None:
        raise gr.Error(GONE, print_exception=False)
    table = ranked.table.slice(0, n_called) if which == PLANNED else ranked.table
    try:
        content = to_excel(table) if suffix == ".xlsx" else to_csv(table)
    except InputError as error:
        raise gr.Error(str(error), print_exception=False) from None
    name = f"{Path(ranked.name).stem} scored{suffix}"
    return {"name": name, "data": base64.b64encode(content).decode(), "download": uuid.uuid4().hex}
