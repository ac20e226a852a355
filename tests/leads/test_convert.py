from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadmodel.errors import InputError, LeadError
from leadmodel.leads.convert import read_leads, read_records
from leadmodel.leads.infer import infer_schema
from leadmodel.leads.recipe import Recipe
from leadmodel.leads.sample import SAMPLE_RECIPE

SCHEMA = infer_schema(
    pd.DataFrame(
        {
            "n": [float(n * 7 % 20) for n in range(20)],
            "t": ["a"] * 10 + ["b"] * 10,
            "f": [0, 1] * 10,
            "y": ["Yes", "No"] * 10,
        }
    ),
    Recipe(),
)
ODD = pd.DataFrame(
    {
        "n": ["1", " 2.5 ", None, "400"],
        "t": ["a", " b ", "", "z"],
        "f": ["1", "false", None, "0"],
        "y": ["YES", "no", "true", None],
    }
)


def as_records(typed: pd.DataFrame) -> list[list[object]]:
    return [list(row) for row in typed.astype(object).itertuples(index=False)]


def test_a_table_reads_as_its_leads_one_by_one() -> None:
    typed = read_leads(SCHEMA, ODD)
    for row, record in zip(as_records(typed), ODD.to_dict("records"), strict=True):
        np.testing.assert_equal(row, read_records(SCHEMA, [record]).rows()[0])


@pytest.mark.parametrize("kind", ["object", "str", "category"])
def test_every_kind_of_text_column_reads_alike(sample: pd.DataFrame, kind: str) -> None:
    schema = infer_schema(sample, SAMPLE_RECIPE)
    texts = ["source", "city", "webinar"]
    expected = read_leads(schema, sample)
    found = read_leads(schema, sample.astype(dict.fromkeys(texts, kind)))
    pd.testing.assert_frame_equal(found.astype(object), expected.astype(object))


def test_what_cannot_be_read_names_row_field_and_value() -> None:
    with pytest.raises(LeadError, match=r"Row 2: the field 'n' must be a number. Got 'abc' instead."):
        read_leads(SCHEMA, ODD.assign(n=["1", "abc", None, "x"]))


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([1.0, np.inf, 2.0, 3.0], "Row 2: the field 'n' must be a finite number"),
        ([[1], [2], [3], [4]], "Row 1: the field 'n' must be a single value"),
    ],
    ids=["infinity", "lists"],
)
def test_columns_that_are_no_numbers_are_refused(column: list[object], message: str) -> None:
    with pytest.raises(LeadError, match=message):
        read_leads(SCHEMA, ODD.assign(n=column))


def test_two_columns_of_one_name_are_refused() -> None:
    twice = pd.concat([ODD, ODD["n"]], axis="columns")
    with pytest.raises(InputError, match="'n' appears more than once"):
        read_leads(SCHEMA, twice)


def test_other_columns_may_come_along_in_any_order() -> None:
    shuffled = ODD.assign(extra=1)[["y", "extra", "t", "n", "f"]]
    pd.testing.assert_frame_equal(read_leads(SCHEMA, shuffled), read_leads(SCHEMA, ODD))


VALUES = st.one_of(
    st.none(),
    st.text(max_size=6),
    st.sampled_from(
        ["", " ", "a", " a", "Yes", "yes ", "1", "1.0", "0", "true", "1,5", "1e3", "nan", "inf"]
    ),
    st.integers(-(10**18), 10**18),
    st.floats(),
    st.booleans(),
)


def outcome_of(read: Callable[[], list[object]]) -> list[object] | str:
    """Return what was read, or which field and value were refused."""
    try:
        return read()
    except LeadError as error:
        return f"{error.field}: {error.problem}"


@settings(deadline=None)
@given(st.fixed_dictionaries({name: VALUES for name in ("n", "t", "f", "y")}))
def test_whatever_a_lead_holds_a_table_reads_it_as_the_lead_alone(lead: dict[str, object]) -> None:
    columns = {name: pd.Series([value], dtype=object) for name, value in lead.items()}
    in_table = outcome_of(lambda: as_records(read_leads(SCHEMA, pd.DataFrame(columns)))[0])
    alone = outcome_of(lambda: read_records(SCHEMA, [lead]).rows()[0])
    np.testing.assert_equal(in_table, alone)
