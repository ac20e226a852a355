"""What the page of the training leads says."""

import re

from leadmodel.insights.conversion import find_notable
from leadmodel.insights.interaction import Interaction
from leadmodel.insights.profile import Cell
from leadmodel.model import LeadModel
from leadmodel.serving.ui.components import PictureCache
from leadmodel.serving.ui.views.insights import render_field, render_findings, render_pairs

PAIR = Interaction(
    fields=("source", "age"),
    rows=("Referral", "<b>"),
    columns=("up to 30", "above 30"),
    cells=((Cell(count=100, converted=80), Cell(count=1000, converted=320)), (None, None)),
    expected=((0.5, 0.3), (None, None)),
    beyond=4,
)


def with_insights(model: LeadModel, **changes: object) -> LeadModel:
    insights = model.evaluation.insights
    assert insights is not None
    evaluation = model.evaluation.model_copy(update={"insights": insights.model_copy(update=changes)})
    return LeadModel(model.files | {"metrics.json": evaluation.model_dump_json().encode()})


def test_what_stands_out_is_listed(model: LeadModel) -> None:
    html = render_findings(model)
    sentences = find_notable(model.schema, model.profile)
    assert sentences
    assert all(f"<li>{sentence}</li>" in html for sentence in sentences)


def test_a_number_has_three_figures_and_a_text_two(model: LeadModel) -> None:
    pictures = PictureCache()
    assert render_field(model, "age", pictures).count("<img ") == 3
    assert render_field(model, "source", pictures).count("<img ") == 2


def test_each_value_is_told_in_words_as_well(model: LeadModel) -> None:
    html = render_field(model, "source", PictureCache())
    for value, cell in model.profile.fields["source"].cells.items():
        assert f"{value}: {cell.rate:.0%} of {cell.count:,} (" in html


def test_what_goes_together_is_told_with_its_strength(model: LeadModel) -> None:
    insights = model.evaluation.insights
    assert insights is not None
    one, other, value = insights.association.pairs()[0]
    labels = {field.name: field.label for field in model.schema.fields}
    html = render_pairs(model, PictureCache())
    assert f"<li>{labels[one]} and {labels[other]}: {100 * value:.0f}</li>" in html
    assert "Cramér" in html


def test_no_interaction_is_said_to_be_none(model: LeadModel) -> None:
    html = render_pairs(with_insights(model, interactions=()), PictureCache())
    assert "No notable interactions" in html


def test_an_interaction_is_drawn_and_told_by_its_strongest_cell(model: LeadModel) -> None:
    html = render_pairs(with_insights(model, interactions=(PAIR,)), PictureCache())
    assert "Source Referral and Age up to 30: of 100 leads, 80% converted (expected 50%)." in html
    assert html.count("<img ") == 2
    assert re.search(r"<b>(?!\w)", html) is None


def test_a_model_without_insights_says_so(model: LeadModel) -> None:
    older = LeadModel(
        model.files | {"metrics.json": model.evaluation.model_dump_json(exclude={"insights"}).encode()}
    )
    assert "Train it again" in render_pairs(older, PictureCache())
    assert render_field(older, "age", PictureCache()).count("<img ") == 2
