"""Build the page about the segments: a map and a card for each."""

import gradio as gr

from leadmodel.model import LeadModel
from leadmodel.serving.service import ScoringService
from leadmodel.serving.ui.views.segments import BY_CONVERSION, BY_SEGMENT, CONVERSIONS, render_segments

__all__ = ["add_segments_page"]


def add_segments_page(service: ScoringService) -> None:
    """Add the page as a tab of the Blocks being built, if the model has segments."""
    names = _names(service.model)
    if not names:
        return
    choices = _choices(names)
    with gr.Tab("Segments") as tab:
        chosen = gr.CheckboxGroup(choices, value=[number for _, number in choices], label="Show segments")
        with gr.Row(equal_height=False):
            conversion = gr.Radio(
                list(CONVERSIONS), value=CONVERSIONS[0], label="Conversion rate", min_width=280
            )
            color = gr.Radio([BY_SEGMENT, BY_CONVERSION], value=BY_SEGMENT, label="Color by", min_width=280)
        report = gr.HTML()

    def show(numbers: list[int], converts: str, by: str) -> str:
        return render_segments(service.model, numbers, converts, by)

    def start() -> tuple[dict[str, object], str]:
        # A model published since the page was built may have other segments, or none.
        choices = _choices(_names(service.model))
        numbers = [number for _, number in choices]
        return gr.update(choices=choices, value=numbers), show(numbers, conversion.value, color.value)

    tab.select(start, None, [chosen, report], api_visibility="private", queue=False)
    filters = [chosen, conversion, color]
    gr.on(
        [widget.input for widget in filters],
        show,
        filters,
        report,
        api_visibility="private",
        trigger_mode="always_last",
        show_progress="hidden",
    )


def _names(model: LeadModel) -> tuple[str, ...]:
    return model.config.segments.names if model.config.segments else ()


def _choices(names: tuple[str, ...]) -> list[tuple[str, int]]:
    return [(f"{number}  {name}", number) for number, name in enumerate(names, 1)]
