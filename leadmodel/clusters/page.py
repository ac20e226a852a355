"""Show segments in the app: a map of all, a card for each."""

import math
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from leadmodel.clusters.results import Clustering, Map, Segment
from leadmodel.leads.field import MIN_CATEGORY_COUNT
from leadmodel.metrics.classification import Estimate
from leadmodel.model import LeadModel
from leadmodel.predictor import Answer
from leadmodel.serving.options import OptionPage
from leadmodel.serving.ui.components import render

if TYPE_CHECKING:
    from leadmodel.serving.service import ScoringService

__all__ = ["BY_CONVERSION", "BY_SEGMENT", "CONVERSIONS", "PAGE", "SegmentsPage", "render_segments"]

BY_SEGMENT, BY_CONVERSION = "Segment", "Conversion"
CONVERSIONS = ("Any share", "Above average", "Below average")
"""Which segments are shown: all of them, or those whose training leads convert so."""

COLORS = ("#0b6e75", "#a34c1f", "#5b4b9a", "#3d6f3a", "#96365c", "#8a5a00", "#2f5d9b", "#5c6370")
SHADES = ("#c9dde0", "#9cc3c8", "#63a0a7", "#2f7f87", "#0b5a60")
"""From few conversions to many; the cards have the same in numbers."""

SQUARE = 20
MAX_REASONS = 4


class SegmentsPage(OptionPage):
    """A tab about the segments, and the segment of a lead."""

    def describe_answer(self, model: LeadModel, answer: Answer) -> str:
        """Return the segment of a lead."""
        segment = getattr(answer, "segment", None)
        return f"Segment: {segment}" if segment else ""

    def preview_page(self, model: LeadModel) -> Sequence[str]:
        """Return all segments of a model."""
        names = _names(model)
        numbers = range(1, len(names) + 1)
        return [render_segments(model, numbers, CONVERSIONS[0], BY_CONVERSION)] if names else ()

    def add_page(self, service: "ScoringService") -> None:
        """Add the tab, if the model has segments."""
        # The sandbox renders the segments of a model too: in little time and memory, and without the
        # environment that Gradio wants when it is imported.
        import gradio as gr

        names = _names(service.model)
        if not names:
            return
        choices = _choices(names)
        with gr.Tab("Segments") as tab:
            chosen = gr.CheckboxGroup(
                choices, value=[number for _, number in choices], label="Show segments"
            )
            with gr.Row(equal_height=False):
                conversion = gr.Radio(
                    list(CONVERSIONS), value=CONVERSIONS[0], label="Conversion rate", min_width=280
                )
                color = gr.Radio(
                    [BY_SEGMENT, BY_CONVERSION], value=BY_SEGMENT, label="Color by", min_width=280
                )
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
    return model.options["segments"].choices["segment"] if "segments" in model.options else ()


def _choices(names: tuple[str, ...]) -> list[tuple[str, int]]:
    return [(f"{number}  {name}", number) for number, name in enumerate(names, 1)]


def render_segments(model: LeadModel, numbers: Collection[int], converts: str, by: str) -> str:
    """Render the map of the segments, and a card for each that is shown.

    Parameters
    ----------
    model : LeadModel
        Whose segments they are.
    numbers : collection of int
        The segments to show, 1 being the first.
    converts : str
        One of `CONVERSIONS`.
    by : str
        What the colors mean: `BY_SEGMENT` or `BY_CONVERSION`.
    """
    clustering, average = model.evaluation.options.get("segments"), model.profile.leads.rate
    if clustering is None or not clustering.segments:
        return render("notice.html", text="This model has no segments.")
    sign = {CONVERSIONS[1]: 1, CONVERSIONS[2]: -1}.get(converts)
    shown = [
        number
        for number, segment in enumerate(clustering.segments, 1)
        if number in numbers and (sign is None or sign * (segment.train.rate - average) > 0)
    ]
    return render(
        "clusters/segments.html",
        summary=clustering.summary(),
        cards=[_card(model, number, clustering.segments[number - 1]) for number in shown],
        map=clustering.map and _draw(clustering, clustering.map, shown, by, average),
    )


def _draw(
    clustering: Clustering, squares: Map, shown: Sequence[int], by: str, average: float
) -> dict[str, Any]:
    """Return the map: squares by how many leads lie there, and a numbered circle at each center."""
    height = squares.n_rows * SQUARE
    most = max((spot.leads.count for spot in squares.spots), default=1)
    total = sum(segment.train.count for segment in clustering.segments)
    segments = [(number, clustering.segments[number - 1]) for number in shown]
    return {
        "width": squares.n_columns * SQUARE,
        "height": height,
        "side": SQUARE - 1,
        # Rows count from the bottom, pixels from the top.
        "squares": [
            (
                spot.column * SQUARE,
                height - (spot.row + 1) * SQUARE,
                _shade(spot.leads.rate, average) if by == BY_CONVERSION else _color(spot.segment + 1),
                # Areas look right by the square root.
                0.2 + 0.6 * math.sqrt(spot.leads.count / most),
            )
            for spot in squares.spots
            if spot.segment + 1 in shown
        ],
        "circles": [
            (
                segment.place[0] * SQUARE,
                height - segment.place[1] * SQUARE,
                12 + 18 * math.sqrt(segment.train.count / total),
                _color(number),
                number,
            )
            for number, segment in segments
        ],
        "legend": _legend(squares, by, average),
    }


def _legend(squares: Map, by: str, average: float) -> str:
    colors = "Each segment has its color; the stronger it is, the more leads."
    if by == BY_CONVERSION:
        colors = f"The darker, the more of the leads there converted (average {average:.0%})."
    return (
        "The segments in the plane that separates them best. A circle marks the center of each; its size "
        f"shows the number of leads. {colors} Squares of {MIN_CATEGORY_COUNT} leads or fewer are not shown "
        f"({squares.hidden:,} leads)."
    )


def _color(number: int) -> str:
    return COLORS[(number - 1) % len(COLORS)]


def _shade(rate: float, average: float) -> str:
    """Return the color of a conversion rate: the middle one for the average."""
    middle = len(SHADES) / 2
    # Below and above the average, the scale is linear each: to no conversions, and to all.
    if rate < average:
        position = middle * rate / average
    else:
        position = middle * (1 + (rate - average) / max(1 - average, 1e-9))
    return SHADES[min(int(position), len(SHADES) - 1)]


def _card(model: LeadModel, number: int, segment: Segment) -> dict[str, Any]:
    train, test = segment.conversion
    labels = {field.name: field.label for field in model.schema.fields}
    grades = ", ".join(
        f"{grade} {count / max(segment.test.count, 1):.0%}"
        for grade, count in segment.grades.items()
        if count
    )
    value = ""
    if segment.value is not None and (write := model.formats.get("expected_value")):
        value = f"{write(segment.value)} a test lead, on average"
    facts = {
        "Leads": f"{segment.train.count:,}, {segment.train.count / model.profile.leads.count:.0%} of all",
        "Converted": _share(train),
        "Test leads": f"{_share(test)} of {segment.test.count:,}" if test else "none",
        "Grades": grades,
        "Worth": value,
        "Top fields": ", ".join(labels.get(name, name) for name in list(segment.reasons)[:MAX_REASONS]),
    }
    return {
        "number": number,
        "name": segment.name,
        "color": _color(number),
        "facts": [(name, words) for name, words in facts.items() if words],
        "description": segment.description,
    }


def _share(rate: Estimate) -> str:
    return f"{rate.value:.0%} ({rate.low:.0%} to {rate.high:.0%})"


PAGE = SegmentsPage()
