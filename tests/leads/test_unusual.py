import pandas as pd

from leadmodel.leads.convert import read_columns, read_records
from leadmodel.leads.infer import infer_schema
from leadmodel.leads.recipe import Recipe
from leadmodel.leads.unusual import warning_texts, warnings_by_lead

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
        "n": ["5", " 7.5 ", None, "400"],
        "t": ["a", " b ", "", "z"],
        "f": ["1", "false", None, "0"],
        "y": ["YES", "no", "true", None],
    }
)


def test_a_table_is_warned_of_as_its_values_one_by_one() -> None:
    table = read_columns(SCHEMA, ODD)
    found = warnings_by_lead(table)
    assert len(found) == 2
    for lead, row in enumerate(table.rows()):
        fields = [SCHEMA.by_name[name] for name in SCHEMA.columns]
        expected = [field.warning(value) for field, value in zip(fields, row, strict=True)]
        assert found.get(lead, []) == [warning for warning in expected if warning]


def test_leads_alone_are_warned_of_as_in_a_table() -> None:
    together = warnings_by_lead(read_columns(SCHEMA, ODD))
    for lead, record in enumerate(ODD.to_dict("records")):
        assert warnings_by_lead(read_records(SCHEMA, [record])).get(0) == together.get(lead)


def test_the_texts_of_a_table_are_those_of_its_warnings() -> None:
    table = read_columns(SCHEMA, ODD)
    found = warnings_by_lead(table)
    expected = [" ".join(warning.message for warning in found.get(lead, [])) or None for lead in range(4)]
    assert warning_texts(table).to_pylist() == expected
    usual = read_columns(SCHEMA, pd.DataFrame([SCHEMA.example()] * 2))
    assert warning_texts(usual).to_pylist() == [None, None]
