"""The form of a lead, and links that open it filled in."""

from urllib.parse import urlencode

import gradio as gr
import pandas as pd
import pytest

from leadmodel.leads.convert import read_records
from leadmodel.leads.infer import infer_schema
from leadmodel.leads.recipe import Recipe
from leadmodel.leads.schema import LeadSchema
from leadmodel.leads.table import find_unusual
from leadmodel.serving.ui.form import (
    UNKNOWN,
    Form,
    example_row,
    fold_fields,
    form_inputs,
    rank_fields,
    read_form,
    read_link,
    to_link,
)

LEADS = pd.DataFrame(
    {"n": [1.5, 2, 3, 9] * 10, "t": ["a", "b"] * 20, "f": [0, 1] * 20, "y": ["Yes", "No"] * 20}
)


@pytest.fixture
def schema() -> LeadSchema:
    return infer_schema(LEADS, Recipe())


def test_each_field_gets_its_widget_the_strongest_first(schema: LeadSchema) -> None:
    inputs = form_inputs(rank_fields(schema, {"y": 3.0, "n": 2.0, "t": 1.0}))
    assert list(inputs) == ["y", "n", "t", "f"]
    kinds = [type(widget) for widget in inputs.values()]
    assert kinds == [gr.Radio, gr.Number, gr.Dropdown, gr.Radio]
    assert [value for _, value in inputs["t"].choices] == ["a", "b"]
    assert "1.5 to 9" in inputs["n"].info


def test_unknown_is_an_answer(schema: LeadSchema) -> None:
    lead = read_form(["n", "t", "f"], [None, UNKNOWN, UNKNOWN])
    assert lead == {"n": None, "t": None, "f": None}
    read_records(schema, [lead])


def test_the_example_can_be_scored(schema: LeadSchema) -> None:
    names = list(schema.by_name)
    row = example_row(schema, names)
    assert row[0] in (2.0, 3.0)
    assert row[1] in ("a", "b")
    assert set(row[2:]) <= {"No", "Yes"}
    assert find_unusual(read_records(schema, [read_form(names, row)])) == []


def test_the_example_leaves_out_what_most_leads_lack() -> None:
    lacking = LEADS.assign(n=[1.5, None, None, None] * 10, t=["a", None, None, None] * 10)
    schema = infer_schema(lacking, Recipe())
    assert schema.example()["t"] == "a"
    assert example_row(schema, ["n", "t"]) == [None, None]


@pytest.mark.parametrize(("n_fields", "n_folded"), [(12, 0), (13, 3), (30, 20)])
def test_many_fields_are_folded_the_weakest_last(n_fields: int, n_folded: int) -> None:
    leads = pd.DataFrame({f"f{place}": ["a", "b"] * 20 for place in range(n_fields)})
    importance = {f"f{place}": float(place) for place in range(n_fields)}
    in_sight, folded = fold_fields(rank_fields(infer_schema(leads, Recipe()), importance))
    names = [field.name for field in (*in_sight, *folded)]
    assert names == [f"f{place}" for place in reversed(range(n_fields))]
    assert len(folded) == n_folded


def test_the_fold_opens_on_what_is_filled_in_under_it(schema: LeadSchema) -> None:
    inputs = form_inputs(schema.fields)
    form = Form(inputs, {"f": inputs["f"], "y": inputs["y"]}, gr.Accordion(render=False))
    assert form.empty == [None, None, UNKNOWN, UNKNOWN]
    for values, is_open in (
        (form.empty, False),
        ([1, "a", UNKNOWN, UNKNOWN], False),
        ([None, "a", "No", UNKNOWN], True),
    ):
        *filled, fold = form.fill(values)
        assert (filled, fold["open"]) == (values, is_open)
    assert Form(inputs, {}, None).fill(form.empty) == form.empty


LINKED_LEADS = pd.DataFrame(
    {
        "Minutes, in all": ["1,5", "2,25", "3,125", "9,75"] * 10,
        "town": ["a", "b"] * 20,
        "flag": [0, 1] * 20,
        "said": ["Yes", "No"] * 20,
    }
)


@pytest.fixture(scope="module")
def linked_schema() -> LeadSchema:
    return infer_schema(LINKED_LEADS, Recipe())


def test_a_link_gives_what_the_widgets_take(linked_schema: LeadSchema) -> None:
    lead = {"Minutes, in all": 1.125, "town": "a & b = ä#😀", "flag": "Yes", "said": "No"}
    assert read_link(linked_schema, urlencode(lead)) == (lead, [])
    assert linked_schema.by_name["Minutes, in all"].decimal_comma


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("colour=red", "'colour' is not a field of this model."),
        ("said=Maybe", "Said: 'Maybe' is not one of its values."),
        ("flag=2", "Flag: '2' is not one of its values."),
        ("Minutes%2C+in+all=long", "Minutes, in all: 'long' is not one of its values."),
        ("Minutes%2C+in+all=1e999", "Minutes, in all: '1e999' is not one of its values."),
        ("Minutes%2C+in+all=nan", "Minutes, in all: 'nan' is not one of its values."),
        ("town=" + "x" * 201, f"Town: '{'x' * 60}…' is not one of its values."),
        ("town=+", "Town: ' ' is not one of its values."),
        ("town=" + "x" * 20_000, "The link is ignored: it is longer than 20,000 characters."),
    ],
)
def test_unreadable_values_are_ignored_with_a_note(linked_schema: LeadSchema, text: str, note: str) -> None:
    assert read_link(linked_schema, text) == ({}, [note])


def test_the_rest_of_a_link_counts_all_the_same(linked_schema: LeadSchema) -> None:
    lead, notes = read_link(linked_schema, "colour=red&said=Yes&said=No&town=%FF&=&&nonsense&town")
    assert lead == {"said": "Yes", "town": "\N{REPLACEMENT CHARACTER}"}
    assert notes == [
        "'colour' is not a field of this model.",
        "Said: given twice; the first value is used.",
    ]


def test_names_are_data_to_the_script() -> None:
    assert r'["a\"]); alert(1); ([\"", "\u00e4"]' in to_link(['a"]); alert(1); (["', "ä"])
