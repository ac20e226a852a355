"""The figures of the training leads, read from what is drawn."""

import pytest

from leadmodel.insights.association import Association
from leadmodel.insights.conversion import Conversion, conversions, wilson
from leadmodel.insights.insights import Histogram
from leadmodel.insights.interaction import Interaction
from leadmodel.insights.profile import Cell
from leadmodel.model import LeadModel
from leadmodel.plots.insights import (
    draw_association,
    draw_columns,
    draw_conversions,
    draw_histogram,
    draw_interaction,
    draw_outcomes,
    draw_spread,
)
from leadmodel.plots.style import to_png

LABELS = {"a": "First $", "b": "Second", "c": "Third"}


def test_conversion_is_drawn_with_its_interval_and_the_average(model: LeadModel) -> None:
    field = model.schema.by_name["source"]
    found = conversions(field, model.profile.fields["source"])
    figure = draw_conversions(found, model.profile.leads.rate)
    axes = figure.axes[0]
    assert [bar.get_width() for bar in axes.patches] == [one.rate.value for one in found]
    assert axes.lines[0].get_xdata() == [model.profile.leads.rate] * 2
    (_, _, (errors,)) = axes.containers[1]
    drawn = [segment[:, 0].tolist() for segment in errors.get_segments()]
    assert drawn == [pytest.approx([one.rate.low, one.rate.high]) for one in found]
    assert axes.get_yticklabels()[0].get_text().startswith(found[0].value)


def test_the_bars_of_each_outcome_add_up(model: LeadModel) -> None:
    found = conversions(model.schema.by_name["age"], model.profile.fields["age"])
    axes = draw_outcomes(found).axes[0]
    converted, other = (sum(bar.get_width() for bar in bars) for bars in axes.containers)
    assert (converted, other) == (pytest.approx(1), pytest.approx(1))


def test_histograms_show_the_shares_of_each_outcome() -> None:
    histogram = Histogram(edges=(0, 1, 3), converted=(1, 3), other=(6, 2), beyond=0)
    axes = draw_histogram("Age $", histogram).axes[0]
    assert [steps.get_data().values.tolist() for steps in axes.patches] == [[0.25, 0.75], [0.75, 0.25]]
    assert axes.get_title(loc="left") == r"Age \$"


def test_columns_that_may_know_the_outcome_are_marked() -> None:
    axes = draw_columns({"a": 0.6, "b": 0.9, "c": 0.45}, {"b"}).axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    honest, suspect = axes.containers
    assert names == ["b", "a", "c"]
    assert [bar.get_width() for bar in honest] == pytest.approx([0.1, 0])
    assert [bar.get_width() for bar in suspect] == pytest.approx([0.4])
    assert [bar.get_y() + bar.get_height() / 2 for bar in suspect] == pytest.approx([0])
    assert suspect[0].get_hatch() and not honest[0].get_hatch()


def test_a_field_can_be_named_above_its_figure(model: LeadModel) -> None:
    found = conversions(model.schema.by_name["source"], model.profile.fields["source"])
    for drawn in (draw_conversions(found, 0.5, "Cost in $"), draw_outcomes(found, "Cost in $")):
        assert drawn.axes[0].get_title(loc="left") == r"Cost in \$"


def test_boxes_stand_where_the_quantiles_are(model: LeadModel) -> None:
    insights = model.evaluation.insights
    assert insights is not None
    spread = insights.spreads["age"]
    axes = draw_spread("Age", spread).axes[0]
    medians = [line.get_xdata()[0] for line in axes.lines if line.get_linewidth() == 2]
    assert medians == [spread.converted[2], spread.other[2]]
    boxes = [box.get_path().vertices[:, 0] for box in axes.patches]
    assert [(box.min(), box.max()) for box in boxes] == [
        (spread.converted[1], spread.converted[3]),
        (spread.other[1], spread.other[3]),
    ]


def test_associations_are_written_into_their_cells() -> None:
    strength = ((1.0, -0.42, None), (-0.42, 1.0, None), (None, None, 1.0))
    axes = draw_association(Association(fields=("a", "b", "c"), strength=strength), LABELS).axes[0]
    assert [text.get_text() for text in axes.texts if text.get_text()] == ["-42"]
    # What goes with nothing for want of leads has no row.
    assert len(axes.get_yticks()) == 2


def test_interactions_are_written_beside_what_was_expected() -> None:
    cell = Cell(count=100, converted=62)
    found = Interaction(
        fields=("a", "b"),
        rows=("x", "y"),
        columns=("u", "v"),
        cells=((cell, None), (cell, cell)),
        expected=((0.5, None), (0.6, 0.7)),
        beyond=3,
    )
    figure = draw_interaction(found, LABELS)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["62%\n(exp. 50%)", "", "62%\n(exp. 60%)", "62%\n(exp. 70%)"]
    assert to_png(figure).startswith(b"\x89PNG")


def test_long_names_are_cut_to_what_fits(model: LeadModel) -> None:
    long = "A label that is much longer than any figure is wide, and then some"
    spread = model.evaluation.insights.spreads["age"]  # type: ignore[union-attr]
    strength = ((1.0, 0.5), (0.5, 1.0))
    cell = Cell(count=100, converted=62)
    rate = wilson(cell)
    pair = Interaction(
        fields=("a", "b"),
        rows=(long,),
        columns=(long, long),
        cells=((cell, cell),),
        expected=((0.5, 0.5),),
        beyond=3,
    )
    labels = dict.fromkeys("ab", long)
    for figure in (
        draw_conversions([Conversion(long, cell, rate)], 0.5),
        draw_outcomes([Conversion(long, cell, rate)]),
        draw_spread(long, spread),
        draw_histogram(long, Histogram(edges=(0, 1, 3), converted=(1, 3), other=(6, 2), beyond=0)),
        draw_columns({long: 0.7, f"{long} too": 0.95}, {long}),
        draw_association(Association(fields=("a", "b"), strength=strength), labels),
        draw_interaction(pair, labels),
    ):
        figure.draw_without_rendering()
        box = figure.get_tightbbox()
        assert (box.x0 >= 0, box.x1 <= figure.get_figwidth()) == (True, True)
