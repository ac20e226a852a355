import sys

import pytest

from leadmodel.evaluation.plots import draw_figures, to_png
from leadmodel.model import LeadModel


@pytest.fixture(scope="module")
def figures(model: LeadModel) -> dict[str, object]:
    labels = {field.name: field.label for field in model.schema.fields} | {"source": "A $ and a _"}
    return dict(draw_figures(model.evaluation, labels, 0.4, ("no", "yes")))


def test_every_figure_has_a_title_and_becomes_a_png(figures: dict[str, object]) -> None:
    assert len(figures) == 7
    for figure in figures.values():
        assert figure.axes[0].get_title(loc="left")  # type: ignore[attr-defined]
        assert to_png(figure).startswith(b"\x89PNG")  # type: ignore[arg-type]


def test_the_chosen_point_lies_on_the_precision_recall_curve(
    model: LeadModel, figures: dict[str, object]
) -> None:
    lines = figures["precision_recall"].axes[0].lines  # type: ignore[attr-defined]
    test = model.evaluation.test
    assert lines[1].get_xydata().tolist() == [[test["recall"].value, test["precision"].value]]


def test_no_global_figure_state_is_touched(figures: dict[str, object]) -> None:
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()
