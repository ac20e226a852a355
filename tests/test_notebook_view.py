import base64
import re

import matplotlib.axes
import pytest
from matplotlib.figure import Figure

import leadmodel
from leadmodel.model import LeadModel
from leadmodel.plots.card import make_displays


def test_a_model_says_in_one_line_what_it_is(model: LeadModel) -> None:
    auc = model.evaluation.test["roc_auc"]
    line = repr(model)
    assert "\n" not in line
    assert f"ROC AUC {auc.value:.3f} ({auc.low:.3f} to {auc.high:.3f})" in line
    assert model.readiness.level in line
    assert model.revision in line


def test_the_html_view_begins_with_readiness(model: LeadModel) -> None:
    html = model._repr_html_()
    order = [html.index(part) for part in (model.readiness.level, "ROC AUC", "What matters most", "<img")]
    assert order == sorted(order)
    loss = model.evaluation.test["log_loss"]
    assert f"{loss.value:.3f} ({loss.low:.3f} to {loss.high:.3f})" in html
    most = max(model.evaluation.importance, key=lambda name: model.evaluation.importance[name])
    assert model.schema.by_name[most].label in html
    picture = re.search(r'src="data:image/png;base64,([^"]+)"', html)
    assert picture
    assert base64.b64decode(picture[1]).startswith(b"\x89PNG")


def test_the_html_view_escapes_what_came_from_a_file(model: LeadModel) -> None:
    config = model.config.model_copy(update={"title": "<script>alert(1)</script>"})
    evil = LeadModel(model.files)
    evil.config = config
    assert "<script>" not in evil._repr_html_()


PLOTS = ["calibration", "roc", "precision_recall", "gains", "probabilities", "importance"]


@pytest.mark.parametrize("name", PLOTS)
def test_plots_are_displays_as_scikit_learn_has_them(model: LeadModel, name: str) -> None:
    display = getattr(model, f"plot_{name}")()
    assert isinstance(display.figure_, Figure)
    assert isinstance(display.ax_, matplotlib.axes.Axes)
    assert display._repr_png_().startswith(b"\x89PNG")
    axes = Figure().add_subplot()
    assert display.plot(axes) is display
    assert display.ax_ is axes
    assert axes.get_title(loc="left") == display.title


def test_a_plot_shows_the_numbers_of_the_metrics(model: LeadModel) -> None:
    curve = model.evaluation.curves.roc
    line = model.plot_roc(Figure().add_subplot()).ax_.lines[1]
    assert (list(line.get_xdata()), list(line.get_ydata())) == (list(curve.x), list(curve.y))


def test_nothing_is_drawn_before_it_is_asked_for(model: LeadModel) -> None:
    labels = {field.name: field.label for field in model.schema.fields}
    displays = make_displays(model.evaluation, labels, model.config.decision)
    assert not any(hasattr(display, "figure_") for display in displays.values())


def test_the_package_names_what_it_exports() -> None:
    assert leadmodel.LeadModel is LeadModel
    with pytest.raises(AttributeError, match="module 'leadmodel' has no attribute 'score'"):
        _ = leadmodel.score
