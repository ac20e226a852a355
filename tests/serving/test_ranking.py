"""Ranked lists, and the files and pages made of them."""

import io

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pytest
from kinds import make_kinds

from leadmodel.decision.call_plan import plan_calls
from leadmodel.errors import InputError, LeadError
from leadmodel.leads.sample import make_sample
from leadmodel.model import LeadModel
from leadmodel.serving.lead_files import count_formulas, to_csv, to_excel
from leadmodel.serving.ranking import RankedLeads, rank_list
from leadmodel.serving.ui.views.list import MAX_SHOWN, render_list, render_plan

EVIL = "<img src=x onerror=window.evil=1>"


@pytest.fixture(scope="module")
def leads() -> pd.DataFrame:
    """Leads that the model has not seen, some odd, as texts; other columns beside them."""
    leads = make_sample(400, random_state=8).astype(str).replace("nan", None)
    leads.loc[3, "age"], leads.loc[4, "city"], leads.loc[5, "age"] = "900", "Atlantis", None
    return leads.assign(score="mine", note=["=1+1", EVIL, *["-5"] * 398])


@pytest.fixture(scope="module")
def ranked(model: LeadModel, leads: pd.DataFrame) -> RankedLeads:
    """Those leads, ranked."""
    return rank_list(model, "leads.csv", pa.Table.from_pandas(leads, preserve_index=False))


def test_the_best_come_first_with_the_answers_of_the_form(
    model: LeadModel, leads: pd.DataFrame, ranked: RankedLeads
) -> None:
    fields = list(model.schema.by_name)
    answers = [model.answer(lead) for lead in leads[fields].to_dict("records")]
    order = sorted(range(len(leads)), key=lambda row: -answers[row].probability)
    assert (ranked.rows - 1).tolist() == order
    first = answers[order[0]]
    told = {name: ranked.answer(name)[0].as_py() for name in ranked.answers}
    assert told["probability"] == pytest.approx(first.probability)
    assert (told["score"], told["grade"], told["decision"]) == (first.score, first.grade, first.decision)
    assert told["reason_for"] == first.explanation.reasons_for[0].sentence
    assert told["reason_against"] == first.explanation.reasons_against[0].sentence


def test_own_columns_stay_and_answers_step_aside(leads: pd.DataFrame, ranked: RankedLeads) -> None:
    kept = ranked.table.select(ranked.columns).to_pandas()
    pd.testing.assert_frame_equal(
        kept, leads.iloc[ranked.rows - 1].reset_index(drop=True), check_dtype=False
    )
    assert ranked.answers["score"] == "score_2"


def test_what_was_understood_is_counted(leads: pd.DataFrame, ranked: RankedLeads) -> None:
    match = {match.field: match for match in ranked.matches}
    assert match["age"].missing == leads["age"].isna().sum()
    assert match["age"].out_of_range == 1
    assert match["city"].unseen >= 1
    assert {"note", "score", "lead_id"} <= set(ranked.unused)
    assert ranked.unused["lead_id"] == "id"


def test_what_a_list_lacks_is_named(model: LeadModel, leads: pd.DataFrame) -> None:
    table = pa.Table.from_pandas(leads.drop(columns="age"))
    with pytest.raises(InputError, match=r"- age [(]missing"):
        rank_list(model, "leads.csv", table)


def test_what_cannot_be_read_is_named_with_its_row(model: LeadModel, leads: pd.DataFrame) -> None:
    broken = leads.assign(age=["31", "3O", *["31"] * 398])
    with pytest.raises(LeadError, match=r"Row 2: the field 'age' must be a number. Got '3O' instead"):
        rank_list(model, "leads.csv", pa.Table.from_pandas(broken))


def test_grades_are_picked_and_columns_sorted_as_numbers(ranked: RankedLeads) -> None:
    grades = ranked.answer("grade").to_pylist()
    best, worst = ranked.bands[0], ranked.bands[-1]
    places = ranked.arrange([best, worst])
    assert [grades[place] for place in places] == [grade for grade in grades if grade in (best, worst)]
    assert ranked.count(best) == grades.count(best)
    ages = [ranked.table["age"][int(place)].as_py() for place in ranked.arrange(ranked.bands, "age")]
    known = [float(age) for age in ages if age is not None]
    assert known == sorted(known)
    assert ages[len(known) :] == [None] * (len(ages) - len(known))
    assert known[-1] == 900


def test_a_csv_has_every_text_as_it_was_and_says_how_many_are_formulas(ranked: RankedLeads) -> None:
    own = ranked.table.select(ranked.columns).to_pandas()
    back = pd.read_csv(io.BytesIO(to_csv(ranked.table)), dtype=str, keep_default_na=False, na_values=[""])
    pd.testing.assert_frame_equal(back[ranked.columns], own, check_dtype=False)
    assert count_formulas(ranked.table) == 1  # "=1+1"; "-5" is a number


def test_excel_holds_texts_as_texts(ranked: RankedLeads) -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(to_excel(ranked.table))).active
    cells = {cell.value: cell for row in sheet.iter_rows() for cell in row}
    assert cells["=1+1"].data_type == "s"
    assert [cell.value for cell in sheet[1]] == ranked.table.column_names
    assert sheet.max_row == len(ranked) + 1


def test_markup_stays_text(ranked: RankedLeads) -> None:
    with_markup = np.flatnonzero(ranked.rows == 2)
    shown = render_list(ranked, with_markup, None, False)
    assert shown.count("&lt;img") == 1
    assert "<img" not in shown


def test_long_lists_are_shown_in_part(ranked: RankedLeads) -> None:
    shown = render_list(ranked, ranked.arrange(ranked.bands), None, False)
    assert f"The first {MAX_SHOWN} of 400 leads" in shown
    assert shown.count("<tr>") == MAX_SHOWN + 1


def test_leads_are_ranked_by_value_and_back(valued: LeadModel, leads: pd.DataFrame) -> None:
    by_chance = rank_list(valued, "leads.csv", pa.Table.from_pandas(leads, preserve_index=False))
    by_value = by_chance.ranked_by("expected_value")
    told = valued.score(leads[list(valued.schema.by_name)])["expected_value"].to_numpy()
    assert (by_value.rows - 1).tolist() == np.argsort(-told, kind="stable").tolist()
    assert by_value.values == pytest.approx(np.sort(told)[::-1])
    assert by_chance.values is None
    back = by_value.ranked_by("probability")
    assert back.table.equals(by_chance.table.combine_chunks())
    assert back.grade_index.tolist() == by_chance.grade_index.tolist()
    shown = render_list(by_value, by_value.arrange(by_value.bands), None, False)
    highest = by_value.format("expected_value", max(told))
    assert f'<td class="lm-number">{highest}</td>' in shown
    assert 'aria-sort="descending"><button data-column="expected_value">Value' in shown
    plan = plan_calls(by_value.probability, None, cost=20, values=by_value.values)
    assert plan.n_called == (told > 20).sum()
    rendered = render_plan(plan, by_value)
    assert f"<b>{by_value.format('expected_value', told[told > 20].sum())}</b>value expected" in rendered
    assert f"<b>{told[told > 20].sum() - 20 * plan.n_called:,.0f}</b>profit expected" in rendered
    never = plan_calls(by_value.probability, None, cost=1e6, values=by_value.values)
    assert "No call pays off" in render_plan(never, by_value)


def test_a_plan_tells_where_to_cut(ranked: RankedLeads) -> None:
    plan = plan_calls(ranked.probability, 40, value=500, cost=20, level=0.95)
    told = render_plan(plan, ranked)
    expected = sorted(ranked.probability, reverse=True)[:40]
    assert f"<b>{sum(expected):,.1f}</b>" in told
    assert f"a probability of <b>{expected[-1]:.1%}</b>" in told
    assert f"<b>{500 * sum(expected) - 20 * 40:,.0f}</b>profit" in told
    assert "Assumes the probabilities hold" in told
    assert "No call pays off" in render_plan(plan_calls(ranked.probability, None, value=1, cost=2), ranked)


def test_segments_are_picked(model_of_kinds: LeadModel) -> None:
    leads = make_kinds(200, random_state=2).drop(columns=["kind", "won"])
    ranked = rank_list(model_of_kinds, "kinds", pa.Table.from_pandas(leads, preserve_index=False))
    names = model_of_kinds.score(leads)["segment"].to_numpy()[ranked.rows - 1]
    assert ranked.answer("segment").to_pylist() == names.tolist()
    for name in ranked.choices["segment"]:
        expected = np.flatnonzero(names == name)
        np.testing.assert_array_equal(ranked.arrange(ranked.bands, choices={"segment": [name]}), expected)
        assert ranked.count_choice("segment", name) == len(expected)
    everything = ranked.arrange(ranked.bands, choices={"segment": names})
    assert ">Segment<" in render_list(ranked, everything, None, False)
    nothing = ranked.arrange(ranked.bands, choices={"segment": []})
    assert "these grades and segments" in render_list(ranked, nothing, None, False)
