from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from leadmodel.leads.field import Field
from leadmodel.leads.infer import infer_schema
from leadmodel.leads.io import read_table
from leadmodel.leads.recipe import Recipe

RNG = np.random.default_rng(0)
N = 300
WHOLE = RNG.integers(1000, 90_000, N)
AMBIGUOUS = [f"{number:,}".replace(",", ".") for number in WHOLE]
"""All from 1.000 to 90.000, so that they say nothing about their points."""


def infer(column: list[str], other: list[str] | None = None, recipe: Recipe | None = None) -> Field:
    leads = pd.DataFrame({"column": column, "other": other or list(RNG.choice(["x", "y"], len(column)))})
    return infer_schema(leads, recipe or Recipe()).by_name["column"]


def test_groups_of_three_beside_smaller_numbers_are_thousands() -> None:
    numbers = RNG.integers(1, 5000, N)
    field = infer([f"{number:,}".replace(",", ".") for number in numbers])
    assert field.parse("1.036") == 1036
    assert field.maximum is not None
    assert field.maximum > 4000
    assert "1.036 is read as 1036" in field.reading


def test_many_groups_tell_more_than_other_columns() -> None:
    numbers = RNG.integers(1, 5000, N)
    shares = [str(share) for share in RNG.random(N).round(2)]
    field = infer([f"{number:,}".replace(",", ".") for number in numbers], shares)
    assert field.parse("1.036") == 1036
    assert infer(["1.036", "999", "120"] * (N // 3), shares).parse("1.036") == 1.036


def test_decimals_of_any_number_of_places_are_decimals() -> None:
    field = infer([str(number) for number in RNG.normal(500, 100, N).round(3)])
    assert field.parse("1.036") == 1.036
    assert not field.reading


def test_other_columns_tell_what_a_point_is() -> None:
    shares = RNG.random(N).round(2)
    as_comma = infer(AMBIGUOUS, [str(share).replace(".", ",") for share in shares])
    assert as_comma.parse("1.036") == 1036
    assert as_comma.parse(1036) == 1036
    as_point = infer(AMBIGUOUS, [str(share) for share in shares])
    assert as_point.parse("1.036") == 1.036
    assert not as_point.reading


def test_dates_and_versions_tell_nothing_of_decimals() -> None:
    for other in (["03.04.2024", "05.06.2024"], ["1.2.3", "1.10.2"]):
        assert "not known" in infer(AMBIGUOUS, other * (N // 2)).reading


def test_what_cannot_be_known_is_said_and_can_be_told() -> None:
    field = infer(AMBIGUOUS)
    assert field.parse("1.036") == 1.036
    assert 'put decimal = "," into a recipe' in field.reading
    told = infer(AMBIGUOUS, recipe=Recipe(decimal=","))
    assert told.parse("1.036") == 1036
    assert "not known" not in told.reading
    commas = [text.replace(".", ",") for text in AMBIGUOUS]
    assert infer(commas).parse("1,036") == 1036
    assert infer(commas, recipe=Recipe(decimal=",")).parse("1,036") == 1.036


@pytest.mark.parametrize(("delimiter", "number"), [(";", 1036), (",", 1.036)])
def test_the_separator_of_a_file_is_a_sign(tmp_path: Path, delimiter: str, number: float) -> None:
    rows = "".join(f"{text}{delimiter}{place % 7}\n" for place, text in enumerate(AMBIGUOUS))
    (tmp_path / "leads.csv").write_text(f"column{delimiter}other\n{rows}")
    leads = read_table(tmp_path / "leads.csv")
    for part in (leads, leads.sample(frac=0.8, random_state=0).reset_index(drop=True)):
        assert infer_schema(part, Recipe()).by_name["column"].parse("1.036") == number


def test_whole_numbers_have_no_mark() -> None:
    leads = pd.DataFrame({"column": [str(number) for number in WHOLE], "other": ["1,5", "0,25"] * (N // 2)})
    leads.attrs["delimiter"] = ";"
    field = infer_schema(leads, Recipe()).by_name["column"]
    assert (field.decimal_comma, field.reading) == (False, "")
