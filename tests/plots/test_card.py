import sys

import numpy as np
import pandas as pd
import pytest

from leadmodel.leads.sample import SAMPLE_RECIPE
from leadmodel.model import LeadModel
from leadmodel.plots.card import draw_comparison, draw_figures
from leadmodel.plots.style import to_png
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.training.interface import train_model


@pytest.fixture(scope="module")
def figures(model: LeadModel) -> dict[str, object]:
    labels = {field.name: field.label for field in model.schema.fields} | {"source": "A $ and a _"}
    return dict(draw_figures(model.evaluation, labels, model.config.decision))


def test_every_figure_has_a_title_and_becomes_a_png(figures: dict[str, object]) -> None:
    assert len(figures) == 8
    for figure in figures.values():
        assert figure.axes[0].get_title(loc="left")  # type: ignore[attr-defined]
        assert to_png(figure).startswith(b"\x89PNG")  # type: ignore[arg-type]


def test_the_chosen_point_lies_on_the_precision_recall_curve(
    model: LeadModel, figures: dict[str, object]
) -> None:
    lines = figures["precision_recall"].axes[0].lines  # type: ignore[attr-defined]
    test = model.evaluation.test
    assert lines[1].get_xydata().tolist() == [[test["recall"].value, test["precision"].value]]


def test_profit_is_drawn_where_value_and_cost_are_known(
    sample: pd.DataFrame, quick: TrainingSettings
) -> None:
    worth = SAMPLE_RECIPE.decision.updated(value=400.0, cost=150.0)
    made = train_model(sample, SAMPLE_RECIPE.updated(decision=worth), quick)
    labels = {field.name: field.label for field in made.schema.fields}
    lines = draw_figures(made.evaluation, labels, made.config.decision)["profit"].axes[0].lines
    (called, profit), curve = lines[2].get_xydata()[0], lines[1].get_xydata()  # type: ignore[index]
    assert profit == pytest.approx(made.evaluation.test["profit"].value)
    assert np.abs(curve - [called, profit]).sum(axis=1).min() < 2
    assert "plots/profit.png" in made.files
    assert b"](plots/profit.png)" in made.files["README.md"]
    assert b"worth 400 and a call costing 150" in made.files["README.md"]


def test_each_candidate_is_drawn_with_its_interval(model: LeadModel) -> None:
    comparison = model.evaluation.comparison
    axes = draw_comparison(comparison).axes[0]
    (_, _, (errors,)) = axes.containers[0]
    drawn = [segment[:, 0].tolist() for segment in errors.get_segments()]
    assert drawn == [pytest.approx([one.behind.low, one.behind.high]) for one in comparison]
    assert [label.get_text() for label in axes.get_yticklabels()] == [one.name for one in comparison]


def test_no_global_figure_state_is_touched(figures: dict[str, object]) -> None:
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()
