"""What the app shows of the worth of leads."""

from html import unescape

from leadmodel.amounts.page import PAGE
from leadmodel.leads.sample import make_sample
from leadmodel.model import LeadModel
from leadmodel.serving.ui.views.lead import render_answer, render_model_answer


def test_what_a_lead_is_worth_is_shown(valued: LeadModel) -> None:
    lead = make_sample(1, random_state=11).iloc[0].dropna().to_dict()
    answer = valued.answer({name: lead[name] for name in valued.schema.by_name if name in lead})
    money = valued.options["revenue"].terms.money
    low, high = answer.amount_interval
    shown = unescape(render_model_answer(valued, answer))
    assert f"<b>Worth {money(answer.expected_value)}</b>" in shown
    assert (
        f"If it converts: about {money(answer.expected_amount)}, "
        f"most likely {money(low)} to {money(high)} (80%)." in shown
    )


def test_facts_of_options_are_escaped(valued: LeadModel) -> None:
    answer = valued.answer({})
    facts = {"limit": "<€60", "lines": ["<i>"], "highlights": [("<b>", "<u>")]}
    shown = render_answer(answer, 0.4, list(valued.config.decision.bands), valued.schema.by_name, **facts)
    assert "call line at &lt;€60" in shown
    assert all(f"&lt;{tag}&gt;" in shown for tag in "ibu")


def test_a_model_without_amounts_shows_none(model: LeadModel) -> None:
    assert PAGE.highlight(model, model.answer({})) is None
    assert PAGE.describe_model(model) == {}
    assert PAGE.render_report(model) == ""
