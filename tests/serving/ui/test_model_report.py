"""What the page of the model says, against the model's own numbers."""

import re
from html import unescape

import pytest

from leadmodel.model import LeadModel
from leadmodel.publishing.card import METRIC_NAMES
from leadmodel.report.readiness import evaluate_readiness
from leadmodel.serving.ui.views.model import MEANINGS, card_text, render_model


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_every_metric_is_there_with_its_interval_and_its_meaning(model: LeadModel) -> None:
    text = text_of(render_model(model))
    for kind, estimate in model.evaluation.test.items():
        assert METRIC_NAMES[kind] in text
        assert f"{estimate.value:.3f} {estimate.low:.3f} to {estimate.high:.3f}" in text
    assert set(MEANINGS) == set(METRIC_NAMES)
    base = model.evaluation.n_test_converted / model.evaluation.n_test
    precision = model.evaluation.test["precision"].value
    assert f"{precision:.0%} of the leads above the threshold converted; of all leads, {base:.0%}." in text


def test_the_verdict_and_all_of_its_checks_come_first(model: LeadModel) -> None:
    labels = {field.name: field.label for field in model.schema.fields}
    verdict, html = evaluate_readiness(model.evaluation, labels), render_model(model)
    assert html.index(verdict.level.capitalize()) < html.index("Performance")
    assert html.count('class="lm-check"') == len(verdict.checks)


def test_what_a_person_asks_of_a_model_is_told(model: LeadModel) -> None:
    text, config = text_of(render_model(model)), model.config
    for asked in (
        config.title,
        model.revision,
        config.created,
        f"{config.training.n_train:,} leads",
        f"{config.target} = {config.positive}",
        f"if the probability is at least {config.decision.threshold:.3f}",
        config.decision.rule,
        "A from score 75",
        f"catboost {config.versions['catboost']}",
        *(one.name for one in model.evaluation.comparison),
    ):
        assert asked in text


def test_every_figure_of_the_card_is_shown(model: LeadModel) -> None:
    n_plots = sum(name.startswith("plots/") for name in model.files)
    assert render_model(model).count("<img ") == n_plots


def test_what_leads_are_worth_is_told_where_it_is_known(valued: LeadModel, model: LeadModel) -> None:
    text, revenue = text_of(render_model(valued)), valued.evaluation.options["revenue"]
    assert revenue is not None
    for asked in (revenue.summary(), *revenue.findings(), *(trial.name for trial in revenue.trials)):
        assert asked in unescape(text)
    assert "Share of the actual value found" in text
    assert "Expected amounts" not in text_of(render_model(model))


def test_the_cards_text_has_neither_front_matter_nor_pictures(model: LeadModel) -> None:
    text = card_text(model)
    assert text.lstrip().startswith(f"# {model.config.title}: which leads become customers")
    assert "plots/roc.png" not in text
    assert "## How to use it" in text


@pytest.mark.parametrize(
    "picture", ["![x](https://example.org/seen.png)", "![x][there]", "a ![](//example.org)"]
)
def test_no_picture_from_elsewhere_is_shown(model: LeadModel, picture: str) -> None:
    there = b"\n[there]: https://example.org/seen.png\n"
    card = model.files["README.md"] + picture.encode() + there
    assert "![" not in card_text(LeadModel(model.files | {"README.md": card}))
