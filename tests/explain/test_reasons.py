import math

import numpy as np
import pandas as pd
import pytest

from leadmodel.explain.reasons import explain
from leadmodel.leads.convert import read_records
from leadmodel.leads.field import MISSING
from leadmodel.model import LeadModel


def lead_of(sample: pd.DataFrame, row: int) -> dict[str, object]:
    return sample.drop(columns="status").iloc[row].to_dict()


@pytest.mark.parametrize("row", range(0, 40, 5))
def test_contributions_add_up_to_the_log_odds(model: LeadModel, sample: pd.DataFrame, row: int) -> None:
    answer = model.answer(lead_of(sample, row))
    assert answer.explanation is not None
    log_odds = math.log(answer.probability / (1 - answer.probability))
    assert answer.explanation.log_odds == pytest.approx(log_odds, abs=1e-6)


def test_reasons_come_strongest_first_and_at_most_five(model: LeadModel, sample: pd.DataFrame) -> None:
    explanation = model.answer(lead_of(sample, 0)).explanation
    assert explanation is not None
    for reasons, sign in ((explanation.reasons_for, 1), (explanation.reasons_against, -1)):
        sizes = [sign * reason.contribution for reason in reasons]
        assert 0 < len(sizes) <= 5
        assert sizes == sorted(sizes, reverse=True)
        assert min(sizes) > 0


def sentences(model: LeadModel, **lead: object) -> dict[str, str]:
    explanation = model.answer(lead).explanation
    assert explanation is not None
    reasons = (*explanation.reasons_for, *explanation.reasons_against)
    return {reason.field: reason.sentence for reason in reasons}


def test_a_sentence_names_the_value_and_what_such_leads_did(model: LeadModel) -> None:
    told = sentences(model, source="Referral")["source"]
    cell, all_leads = model.profile.fields["source"].cell("Referral"), model.profile.leads
    expected = (
        f"Source is Referral: {cell.rate:.0%} of these leads converted (average {all_leads.rate:.0%})."
    )
    assert told.startswith(expected)


def test_a_number_comes_with_its_neighbours(model: LeadModel) -> None:
    low, high = model.profile.fields["minutes_on_site"].bounds(90.0)
    told = sentences(model, minutes_on_site=90)["minutes_on_site"]
    assert told.startswith(f"Minutes on site is 90 (among {low:,.4g} to {high:,.4g}): ")


def test_what_was_not_given_says_so(model: LeadModel) -> None:
    lacking = sentences(model)
    assert any(sentence.endswith(".") and " is missing" in sentence for sentence in lacking.values())
    assert model.profile.fields["city"].cell(MISSING).count > 0


def test_what_is_assumed_says_so(model: LeadModel) -> None:
    field = model.schema.by_name["minutes_on_site"]
    contributions = np.array([[float(name == field.name) for name in (*model.schema.columns, "base")]])
    table = read_records(model.schema, [{}])
    reason = explain(model.profile, table, contributions)[0].reasons_for[0]
    assert reason.value == "not given"
    expected = f"Minutes on site is missing; the average ({field.assumed:,.4g}) is used."
    assert reason.sentence == expected


def test_an_unknown_value_is_quoted_and_cut(model: LeadModel) -> None:
    field = model.schema.by_name["source"]
    value = "<script>" + "x" * 1000
    contributions = np.array([[float(name == "source") for name in (*model.schema.columns, "base")]])
    table = read_records(model.schema, [{"source": value}])
    told = explain(model.profile, table, contributions)[0].reasons_for[0].sentence
    assert f"{field.label} is '<script>xx" in told
    assert "a value seen rarely or never" in told
    assert len(told) < 300
