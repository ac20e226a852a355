"""Build the page that scores one lead: a form, the answer with its reasons, what would change it."""

from typing import Any

import gradio as gr

from leadmodel.errors import InputError
from leadmodel.serving.service import ScoringService
from leadmodel.serving.ui.components import read_script
from leadmodel.serving.ui.form import (
    draw_form,
    example_row,
    rank_fields,
    read_form,
    read_link,
    to_completion,
    to_link,
)
from leadmodel.serving.ui.views.lead import (
    render_curve,
    render_error,
    render_ignored,
    render_invitation,
    render_model_answer,
    render_what_if,
)

__all__ = ["add_lead_page"]

# Contents of the widgets below the answer where there is no answer.
NOTHING = (gr.update(visible=False), "", None)

# All events of the page: it has endpoints for programs, which get the lead by the names of its fields.
PRIVATE: dict[str, Any] = {"api_visibility": "private"}


def add_lead_page(demo: gr.Blocks, service: ScoringService) -> None:
    """Add the form and its answer to the Blocks being built."""
    _LeadPage(demo, service)


class _LeadPage:
    """The widgets of the page and their events."""

    def __init__(self, demo: gr.Blocks, service: ScoringService) -> None:
        self.service = service
        model = service.model
        with gr.Row(equal_height=False):
            with gr.Column(scale=3, min_width=320):
                self.form = draw_form(model.schema, model.evaluation.importance)
                with gr.Row(elem_classes="lm-actions"):
                    self.clear = gr.Button("Clear")
                    self.example = gr.Button("Fill in an example")
                    # Not before the page has loaded: until then, fields that nobody touched are sent as 0.
                    self.score = gr.Button(
                        "Score", variant="primary", interactive=False, elem_id="lm-score"
                    )
            with gr.Column(scale=2, min_width=320):
                self._add_answer()
        self.names, self.widgets = list(self.form.inputs), list(self.form.inputs.values())
        self._connect_answer()
        self._connect_form()
        self._fill_on_load(demo)
        demo.load(None, js=read_script("keyboard"), **PRIVATE)

    def _add_answer(self) -> None:
        model = self.service.model
        ranked = rank_fields(model.schema, model.evaluation.importance)
        # A curve over what a mail address gives away would change the address.
        fields = [field for field in ranked if field.derived is None] or ranked
        self.invitation = render_invitation(model.config.title)
        self.html = gr.HTML(self.invitation, elem_id="lm-result", elem_classes="lm-flush")
        with gr.Column(visible=False) as self.column:
            self.field = gr.Dropdown(
                [(field.label, field.name) for field in fields],
                value=fields[0].name,
                label="See how the chance changes with one field",
            )
            self.curve = gr.HTML(elem_classes="lm-flush")
        # The browser keeps the lead: a gr.State would keep it, and a connection, on the server.
        self.lead = gr.JSON(visible=False)
        self.answer = [self.html, self.column, self.curve, self.lead]
        self.make_link = gr.Button("Link to this lead", size="sm")
        self.link = gr.Textbox(
            label="Anyone with this link sees what you entered.",
            elem_id="lm-link",
            interactive=False,
            visible=False,
            buttons=["copy"],
        )

    def _connect_answer(self) -> None:
        def show(field: str, *values: Any) -> list[Any]:
            return _show_answer(self.service, read_form(self.names, values), field)

        def show_curve(field: str, lead: Any) -> str:
            try:
                # The lead comes back from the browser, so it may be anything.
                curve = self.service.model.curve(lead if isinstance(lead, dict) else {}, field)
            except InputError as error:
                return render_error(str(error))
            return render_curve(curve)

        self.score.click(
            show, [self.field, *self.widgets], self.answer, show_progress="minimal", **PRIVATE
        ).then(None, self.widgets, js=read_script("show_answer"), **PRIVATE)
        self.field.input(show_curve, [self.field, self.lead], self.curve, show_progress="hidden", **PRIVATE)

    def _connect_form(self) -> None:
        stale = read_script("mark_stale")
        gr.on([widget.input for widget in self.widgets], None, self.widgets, js=stale, **PRIVATE)
        for name, widget in self.form.inputs.items():
            if isinstance(widget, gr.Dropdown):
                complete = to_completion(self.service.model.schema.inputs[name])
                completed = widget.blur(None, widget, widget, js=complete, **PRIVATE)
                completed.then(None, self.widgets, js=stale, **PRIVATE)
        # Links are passed on, so that texts that say who the lead is stay out of them.
        linked = [None if name in self.service.model.schema.raw_only else name for name in self.names]
        # The browser makes the link; the server never sees it.
        self.make_link.click(None, self.widgets, self.link, js=to_link(linked), **PRIVATE)
        outputs = [*self.form.outputs, *self.answer, self.link]
        no_answer = [self.invitation, *NOTHING, gr.update(visible=False)]
        example = example_row(self.service.model.schema, self.names)
        for button, values in ((self.example, example), (self.clear, self.form.empty)):
            filled_in = [*self.form.fill(values), *no_answer]
            button.click(lambda filled_in=filled_in: filled_in, None, outputs, queue=False, **PRIVATE)

    def _fill_on_load(self, demo: gr.Blocks) -> None:
        """Fill in and score the lead of the link that the page was opened by, if any."""
        schema = self.service.model.schema

        def fill(text: str, field: str) -> list[Any]:
            lead, notes = read_link(schema, text)
            values = [
                lead.get(name, empty) for name, empty in zip(self.names, self.form.empty, strict=True)
            ]
            html, *below = self.invitation, *NOTHING
            if lead:
                html, *below = _show_answer(self.service, read_form(self.names, values), field)
            return [
                *self.form.fill(values),
                gr.update(interactive=True),
                render_ignored(notes) + html,
                *below,
            ]

        # Without a link as well: Gradio sends a number that nobody touched as 0, not as unknown, until the
        # server has emptied it.
        demo.load(
            fill,
            [gr.Textbox(visible=False), self.field],
            [*self.form.outputs, self.score, *self.answer],
            js=read_script("read_address"),
            queue=False,
            **PRIVATE,
        ).then(None, self.widgets, js=read_script("show_answer"), **PRIVATE)


def _show_answer(service: ScoringService, lead: dict[str, Any], field: str) -> list[Any]:
    """Return the contents of the widgets of an answer."""
    model = service.model  # one model for the whole answer, whatever is published meanwhile
    try:
        answer = service.answer(lead, model, channel="form")
        html = render_model_answer(model, answer) + render_what_if(model.what_if(lead))
        return [html, gr.update(visible=True), render_curve(model.curve(lead, field)), lead]
    except InputError as error:
        return [render_error(str(error)), *NOTHING]
