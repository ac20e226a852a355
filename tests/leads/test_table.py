import math

import numpy as np
import pandas as pd
import pytest

from leadmodel.leads.convert import read_columns, read_records
from leadmodel.leads.field import MISSING, Field
from leadmodel.leads.infer import infer_schema
from leadmodel.leads.recipe import Recipe
from leadmodel.leads.schema import LeadSchema
from leadmodel.leads.table import LeadTable, warning_texts, warnings_by_lead

SCHEMA = LeadSchema(
    fields=(
        Field(name="visits", kind="numeric", label="Visits", assumed=3),
        Field(name="age", kind="numeric", label="Age", missing_share=0.1),
        Field(name="source", kind="categorical", label="Source"),
        Field(name="opted", kind="boolean", label="Opted in", choices=("0", "1"), assumed=1),
    )
)
X = pd.DataFrame(
    {
        "source": pd.Categorical(["a", MISSING, "a"]),
        "visits": [7.0, math.nan, 0.0],
        "opted": [0.0, 1.0, math.nan],
        "age": [math.nan, 40.0, math.nan],
    },
    index=[3, 1, 2],
)
TABLE = LeadTable.from_frame(SCHEMA, X)


def test_the_mean_stands_for_numbers_that_no_training_lead_lacked() -> None:
    filled = TABLE.impute().to_frame(X.index)
    assert filled["visits"].tolist() == [7, 3, 0]
    assert filled["opted"].tolist() == [0, 1, 1]
    np.testing.assert_array_equal(filled["age"], X["age"])
    assert filled["source"].tolist() == X["source"].tolist()
    np.testing.assert_array_equal(TABLE.numbers[0], X["visits"])


def test_a_table_without_gaps_stays_what_it_is() -> None:
    whole = TABLE.take(np.array([0]))
    assert whole.impute() is whole


def test_a_frame_comes_back_as_it_went_in() -> None:
    assert list(X.columns) == SCHEMA.columns
    back = TABLE.to_frame(X.index)
    pd.testing.assert_frame_equal(back.astype({"source": object}), X.astype({"source": object}))
    assert isinstance(back["source"].dtype, pd.CategoricalDtype)


def test_rows_come_back_as_they_went_in() -> None:
    rows = [["a", 7.0, 0.0, math.nan], [MISSING, math.nan, 1.0, 40.0], ["a", 0.0, math.nan, math.nan]]
    np.testing.assert_equal(TABLE.rows(), rows)
    again = LeadTable.from_rows(SCHEMA, rows)
    np.testing.assert_equal(again.rows(), rows)
    assert again.texts["source"].categories == ["a", MISSING]
    assert len(LeadTable.from_rows(SCHEMA, [])) == 0


def test_some_leads_are_taken_in_their_order() -> None:
    np.testing.assert_equal(TABLE.take(np.array([2, 0])).rows(), [TABLE.rows()[2], TABLE.rows()[0]])


def test_plain_texts_are_refused() -> None:
    with pytest.raises(TypeError, match="The column 'source' must be of dtype category"):
        LeadTable.from_frame(SCHEMA, X.astype({"source": object}))


INFERRED = infer_schema(
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
        "n": ["5", " 7.5 ", None, "400"],
        "t": ["a", " b ", "", "z"],
        "f": ["1", "false", None, "0"],
        "y": ["YES", "no", "true", None],
    }
)


def test_a_table_is_warned_of_as_its_values_one_by_one() -> None:
    table = read_columns(INFERRED, ODD)
    found = warnings_by_lead(table)
    assert len(found) == 2
    for lead, row in enumerate(table.rows()):
        fields = [INFERRED.by_name[name] for name in INFERRED.columns]
        expected = [field.warning(value) for field, value in zip(fields, row, strict=True)]
        assert found.get(lead, []) == [warning for warning in expected if warning]


def test_leads_alone_are_warned_of_as_in_a_table() -> None:
    together = warnings_by_lead(read_columns(INFERRED, ODD))
    for lead, record in enumerate(ODD.to_dict("records")):
        assert warnings_by_lead(read_records(INFERRED, [record])).get(0) == together.get(lead)


def test_the_texts_of_a_table_are_those_of_its_warnings() -> None:
    table = read_columns(INFERRED, ODD)
    found = warnings_by_lead(table)
    expected = [" ".join(warning.message for warning in found.get(lead, [])) or None for lead in range(4)]
    assert warning_texts(table).to_pylist() == expected
    usual = read_columns(INFERRED, pd.DataFrame([INFERRED.example()] * 2))
    assert warning_texts(usual).to_pylist() == [None, None]
