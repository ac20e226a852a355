from urllib.parse import urlencode

import pandas as pd
import pytest

from leadmodel.leads.infer import infer_schema
from leadmodel.leads.recipe import Recipe
from leadmodel.leads.schema import LeadSchema
from leadmodel.serving.ui.permalinks import read_link, to_link

LEADS = pd.DataFrame(
    {
        "Minutes, in all": ["1,5", "2,25", "3,125", "9,75"] * 10,
        "town": ["a", "b"] * 20,
        "flag": [0, 1] * 20,
        "said": ["Yes", "No"] * 20,
    }
)


@pytest.fixture(scope="module")
def schema() -> LeadSchema:
    return infer_schema(LEADS, Recipe())


def test_a_link_gives_what_the_widgets_take(schema: LeadSchema) -> None:
    lead = {"Minutes, in all": 1.125, "town": "a & b = ä#😀", "flag": "Yes", "said": "No"}
    assert read_link(schema, urlencode(lead)) == (lead, [])
    assert schema.by_name["Minutes, in all"].decimal_comma


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
def test_what_cannot_be_read_is_ignored_with_a_note(schema: LeadSchema, text: str, note: str) -> None:
    assert read_link(schema, text) == ({}, [note])


def test_the_rest_of_a_link_counts_all_the_same(schema: LeadSchema) -> None:
    lead, notes = read_link(schema, "colour=red&said=Yes&said=No&town=%FF&=&&nonsense&town")
    assert lead == {"said": "Yes", "town": "\N{REPLACEMENT CHARACTER}"}
    assert notes == [
        "'colour' is not a field of this model.",
        "Said: given twice; the first value is used.",
    ]


def test_names_are_data_to_the_script() -> None:
    assert r'["a\"]); alert(1); ([\"", "\u00e4"]' in to_link(['a"]); alert(1); (["', "ä"])
