import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from leadmodel.errors import LeadError
from leadmodel.leads.convert import read_leads, read_records
from leadmodel.leads.field import Field
from leadmodel.leads.infer import infer_schema
from leadmodel.leads.recipe import FieldConfig, Recipe
from leadmodel.leads.schema import LeadSchema
from leadmodel.leads.values.bulk import read_quantities
from leadmodel.leads.values.numbers import read_quantity

RNG = np.random.default_rng(1)
N = 400
INTS = RNG.integers(1, 60, N)
MONEY = RNG.lognormal(8, 1, N).round(2)


def schema_of(column: list[str], config: FieldConfig | None = None) -> LeadSchema:
    leads = pd.DataFrame({"filler": RNG.choice(["x", "y"], len(column)), "column": column})
    return infer_schema(leads, Recipe(fields={"column": config} if config else {}))


def field_of(column: list[str]) -> Field | str:
    schema = schema_of(column)
    return schema.by_name.get("column") or schema.ignored["column"]


@pytest.mark.parametrize(
    ("column", "unit", "typed"),
    [
        ([f"${number:,}" for number in MONEY], "$", {"$1,234.5": 1234.5, "99": 99, "-$3": -3}),
        ([f"{number} %" for number in INTS], "%", {"44%": 44, "0.44": 0.44}),
        ([f"{number / 10}k" for number in INTS], "", {"12.3k": 12_300, "1M": 1e6, "500": 500}),
        ([f"{number} years" for number in INTS], "years", {"1 year": 1, "6 months": 0.5, "3": 3}),
        ([f"{n // 6}:{n % 6}0 min" for n in INTS + 5], "min", {"3:45 min": 3.75, "30 s": 0.5, "1 h": 60}),
        ([f"{n} min" if n < 50 else f"{n / 60:.2f} h" for n in INTS], "min", {"2 h": 120}),
        ([f"{number} employees" for number in INTS], "employees", {"1 employee": 1}),
        ([f"{number}-{number + 9}" for number in INTS[:20]] * 20, "", {"10-50": 30, "1000+": 1000, "7": 7}),
        ([str(number) for number in INTS[:350]] + ["60-80"] * 50, "", {"10-50": 30, "5": 5}),
        ([f"{number} 234" for number in INTS], "", {"1 234": 1234, "8": 8}),
    ],
    ids=["money", "percent", "k", "years", "clock", "mixed", "noun", "ranges", "some ranges", "blanks"],
)
def test_texts_with_units_are_numbers(column: list[str], unit: str, typed: dict[str, float]) -> None:
    schema = schema_of(column)
    field = schema.by_name["column"]
    assert (field.kind, field.unit) == ("numeric", unit)
    for text, number in typed.items():
        assert field.parse(text) == pytest.approx(number)
        (row,) = read_records(schema, [{"column": text}]).rows()
        assert row[schema.columns.index("column")] == pytest.approx(number)
    frame = pd.DataFrame({"column": list(typed), "filler": "x"})
    assert read_leads(schema, frame)["column"].tolist() == pytest.approx(list(typed.values()))
    assert Field.model_validate_json(field.model_dump_json()) == field


def test_placeholders_are_missing_in_every_way_to_read() -> None:
    leads = pd.DataFrame({"filler": ["x", "y"] * 200, "column": ["-1", "$5", "$6", "N/A"] * 100})
    schema = infer_schema(leads, Recipe(placeholders=("-1",)))
    assert read_leads(schema, leads)["column"].notna().tolist() == [False, True, True, False] * 100
    rows = read_records(schema, leads.head(4).to_dict("records")).rows()
    numbers = [float(row[schema.columns.index("column")]) for row in rows]
    assert [math.isnan(number) for number in numbers] == [True, False, False, True]


@pytest.mark.parametrize("decimal_comma", [False, True])
def test_many_texts_are_read_as_each_alone(decimal_comma: bool) -> None:
    texts = ["$1,234.5", "$1.234,5", "5", "7 %", "1.5k", "1,5k", "10-50", "1e3", ".5", "0", "007", "1.2.3"]
    texts += ["-3", "(4)", "($4)", "12 h", "12:30 h", "1000+", "<10", "5 pm", "1 234", "€5", "9 employees"]
    read = read_quantities(pa.array(texts, pa.string()), decimal_comma)
    for place, text in enumerate(texts):
        alone = read_quantity(text, decimal_comma)
        assert read.is_read[place] == (alone is not None), text
        if alone is not None:
            assert read.numbers[place] == pytest.approx(alone.number)
            assert read.forms[read.codes[place]] == alone._replace(number=1.0)


@pytest.mark.parametrize("word", ["N/A", "-", "null", "unknown", "?", "NaN"])
@pytest.mark.parametrize("n_gaps", [1, 15, 100])
def test_gaps_among_numbers_are_gaps_and_said(word: str, n_gaps: int) -> None:
    schema = schema_of([word] * n_gaps + [str(number) for number in INTS[n_gaps:]])
    field = schema.by_name["column"]
    assert field.kind == "numeric"
    assert field.missing_share == (round(n_gaps / N, 4) if n_gaps >= 5 else 0)
    assert f"Taken as missing among the numbers: '{word.lower()}' ({n_gaps} leads)" in field.reading
    assert math.isnan(float(schema.read_value(field, word)))


def test_what_is_missing_must_be_given_where_it_is_required() -> None:
    schema = schema_of([str(number) for number in INTS], FieldConfig(required=True))
    with pytest.raises(LeadError, match=r"'column' must be given\. Got 'unknown'"):
        read_records(schema, [{"column": "unknown"}])


@pytest.mark.parametrize(
    "column",
    [
        [f"{n:05d}" for n in RNG.integers(500, 99_999, N)],
        [f"{n:05d}" for n in RNG.integers(500, 600, N)],
        [f"1.{n % 9}.{n % 4}" for n in INTS],
        [f"10.0.{n % 9}.{n % 4}" for n in INTS],
        [f"{n % 4}-{n % 3}" for n in INTS],
        [f"A{n}" for n in INTS],
        ["5G", "4G", "3G", "LTE"] * 100,
        ["4s", "5s", "6s", "7s"] * 100,
        ["3M", "6M", "12M", "24M"] * 100,
        [f"{n % 12}:{n % 60:02d}" for n in INTS],
        [f"{n % 12} pm" for n in INTS],
        ["1-10", "11-50", "51-200", "1000+"] * 100,
        [f"{n} {('Elm Road', 'Main Street')[n % 2]}" for n in INTS],
        [f"{n} {('kg', 'visits')[n % 2]}" for n in INTS],
        [f"555-{n:04d}" for n in RNG.permutation(9000)[:N] + 1000],
    ],
    ids=lambda column: column[0],
)
def test_codes_and_a_few_ranges_are_no_numbers(column: list[str]) -> None:
    found = field_of(column)
    assert not isinstance(found, Field) or found.kind == "categorical"
    assert isinstance(found, Field) or found.startswith(("id", "personal data"))


def test_amounts_in_several_currencies_are_not_added_up() -> None:
    column = [f"{sign}{number}" for sign, number in zip(["$", "€"] * (N // 2), MONEY, strict=True)]
    assert field_of(column) == "amounts in several currencies ($, €): convert them to one"


def test_a_recipe_makes_numbers_of_a_few_ranges() -> None:
    column = ["1-10", "11-50", "51-200", "201-1000", "1000+"] * 80
    field = schema_of(column, FieldConfig(kind="numeric")).by_name["column"]
    assert [field.parse(text) for text in ("11-50", "1000+", "37")] == [30.5, 1000, 37]


def test_a_field_without_units_takes_none() -> None:
    field = schema_of([str(number) for number in INTS]).by_name["column"]
    assert field.text_unit is None
    for text in ("$5", "5 min", "5-9"):
        with pytest.raises(LeadError, match="must be a number"):
            field.parse(text)


def test_an_old_field_has_no_units() -> None:
    field = Field.model_validate({"name": "age", "kind": "numeric", "label": "Age", "unit": "years"})
    assert field.parse("1,234") == 1234
    with pytest.raises(LeadError, match=r"'age' must be a number\. Got '5 days'"):
        field.parse("5 days")
