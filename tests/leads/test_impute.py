import math

import numpy as np
import pandas as pd

from leadmodel.leads.impute import assume, impute_rows, unknown_lead
from leadmodel.leads.schema import MISSING, Field, LeadSchema

SCHEMA = LeadSchema(
    fields=(
        Field(name="visits", kind="numeric", label="Visits", assumed=3),
        Field(name="age", kind="numeric", label="Age", missing_share=0.1),
        Field(name="source", kind="categorical", label="Source"),
        Field(name="opted", kind="boolean", label="Opted in", choices=("0", "1"), assumed=1),
    )
)
TYPED = pd.DataFrame(
    {
        "source": pd.Categorical(["a", MISSING, "b"]),
        "visits": [7.0, math.nan, 0.0],
        "opted": [0.0, 1.0, math.nan],
        "age": [math.nan, 40.0, math.nan],
    }
)


def test_typical_numbers_stand_for_those_that_no_training_lead_lacked() -> None:
    filled = assume(SCHEMA, TYPED)
    assert filled["visits"].tolist() == [7, 3, 0]
    assert filled["opted"].tolist() == [0, 1, 1]
    np.testing.assert_array_equal(filled["age"], TYPED["age"])
    assert filled["source"].equals(TYPED["source"])


def test_rows_are_filled_as_a_table_is() -> None:
    assert list(TYPED.columns) == SCHEMA.columns
    rows = [list(row) for row in TYPED.astype(object).itertuples(index=False)]
    expected = [list(row) for row in assume(SCHEMA, TYPED).astype(object).itertuples(index=False)]
    np.testing.assert_equal(impute_rows(SCHEMA, rows), expected)
    assert math.isnan(rows[1][1])


def test_a_table_without_gaps_stays_what_it_is() -> None:
    whole = TYPED.iloc[:1]
    assert assume(SCHEMA, whole) is whole


def test_of_an_unknown_lead_only_what_is_typical_is_known() -> None:
    lead = unknown_lead(SCHEMA)
    np.testing.assert_equal(lead.iloc[0].tolist(), [MISSING, 3.0, 1.0, math.nan])
