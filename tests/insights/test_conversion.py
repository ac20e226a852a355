"""Conversion by value, its intervals, and what of it is worth telling."""

import math

import numpy as np
import pandas as pd
import pytest

from leadmodel.insights.conversion import (
    MAX_VALUES,
    conversions,
    find_notable,
    group_name,
    range_names,
    wilson,
)
from leadmodel.insights.profile import Cell, FieldProfile, Profile, profile_leads
from leadmodel.leads.convert import read_leads
from leadmodel.leads.field import MISSING, Field, Value
from leadmodel.leads.infer import infer_schema
from leadmodel.leads.recipe import Recipe
from leadmodel.leads.schema import LeadSchema

NUMBER = Field(name="visits", label="Visits", kind="numeric")
WHOLE = NUMBER.model_copy(update={"integer": True})
FLAG = Field(name="flag", label="Flag", kind="boolean", choices=("0", "1"))
NONE = Cell(count=0, converted=0)


@pytest.mark.parametrize(("converted", "count"), [(0, 7), (7, 7), (12, 40), (300, 1000)])
def test_the_interval_holds_what_the_count_does_not_contradict(converted: int, count: int) -> None:
    found = wilson(Cell(count=count, converted=converted))
    # Wilson's limits are where the seen rate is 1.96 standard deviations of that limit away.
    for limit in (found.low, found.high):
        distance = (converted / count - limit) ** 2
        assert distance == pytest.approx(1.959964**2 * limit * (1 - limit) / count, rel=1e-6, abs=1e-9)
    assert found.low <= found.value <= found.high
    assert found.value == converted / count


@pytest.mark.parametrize(
    ("field", "edges", "names"),
    [
        (NUMBER, (0.0, 0.0, 2.5, 7.0, 90.0), ["0", "0 to 2.5", "2.5 to 7", "above 7"]),
        (WHOLE, (0.0, 1.0, 2.0, 7.0, 90.0), ["up to 1", "2", "3 to 7", "above 7"]),
        (NUMBER, (3.0, 90.0), ["any"]),
        (FLAG, (0.0, 0.0, 1.0), ["No", "Yes"]),
    ],
    ids=["number", "whole number", "one bin", "flag"],
)
def test_ranges_name_neither_the_lowest_nor_the_highest_lead(
    field: Field, edges: tuple[float, ...], names: list[str]
) -> None:
    assert range_names(field, edges) == names
    assert not any("90" in name for name in names)


def test_many_values_are_counted_together_beyond_the_most_frequent() -> None:
    cells = {f"City {number}": Cell(count=100 + number, converted=number) for number in range(20)}
    field = Field(name="city", label="City", kind="categorical", choices=tuple(cells))
    known = FieldProfile(cells=cells, other=Cell(count=9, converted=1), missing=NONE)
    found = conversions(field, known)
    assert [one.value for one in found[:2]] == ["City 19", "City 18"]
    assert len(found) == MAX_VALUES + 1
    assert found[-1].value == "any other"
    assert found[-1].cell == Cell(count=sum(range(100, 105)) + 9, converted=sum(range(5)) + 1)


def leads() -> tuple[LeadSchema, Profile]:
    rng = np.random.default_rng(2)
    source = np.repeat(["Referral", "Search", "Fair"], [300, 1500, 200])
    rate = pd.Series(source).map({"Referral": 0.7, "Search": 0.3, "Fair": 0.3}).to_numpy()
    raw = pd.DataFrame({"source": source, "noise": rng.integers(0, 50, 2000).astype(float)})
    schema = infer_schema(raw, Recipe())
    return schema, profile_leads(schema, read_leads(schema, raw), (rng.random(2000) < rate).astype(int))


def test_what_stands_out_is_told_with_its_interval_and_chance_is_not() -> None:
    schema, profile = leads()
    told = find_notable(schema, profile)
    cell = profile.fields["source"].cells["Referral"]
    average = profile.leads.rate
    rate = wilson(cell)
    assert told[0] == (
        f"Source Referral: of 300 leads {rate.value:.0%} converted ({100 * rate.low:.0f} to "
        f"{100 * rate.high:.0f}), {rate.value / average:.2g} times the average."
    )
    assert not any("Noise" in sentence for sentence in told)


def test_the_largest_number_of_conversions_beyond_the_average_comes_first() -> None:
    schema, profile = leads()
    average = profile.leads.rate
    cells = profile.fields["source"].cells
    moved = {value: abs(cell.converted - average * cell.count) for value, cell in cells.items()}
    order = sorted(moved, key=lambda value: -moved[value])
    told = [sentence.split(":")[0].removeprefix("Source ") for sentence in find_notable(schema, profile)]
    assert told == [value for value in order if value in told]
    assert len(told) == 2


def test_nothing_stands_out_of_nothing() -> None:
    field = Field(name="source", label="Source", kind="categorical", choices=("a", "b"))
    cells = {"a": Cell(count=50, converted=25), "b": Cell(count=50, converted=25)}
    known = FieldProfile(cells=cells, other=NONE, missing=NONE)
    profile = Profile(leads=Cell(count=100, converted=50), fields={"source": known})
    assert find_notable(LeadSchema(fields=(field,)), profile) == []
    assert math.isclose(conversions(field, known)[0].rate.value, 0.5)


@pytest.mark.parametrize(
    ("value", "name"),
    [(0.5, "up to 2"), (2.0, "up to 2"), (3.0, "3 to 7"), (500.0, "above 7"), (math.nan, "not given")],
)
def test_a_number_is_named_by_its_range(value: float, name: str) -> None:
    cells = {str(place): Cell(count=9, converted=1) for place in range(3)}
    known = FieldProfile(cells=cells, edges=(0.0, 2.0, 7.0, 90.0), other=NONE, missing=NONE)
    assert group_name(WHOLE, known, value) == name


@pytest.mark.parametrize(("value", "name"), [("a", "a"), ("rare", "any other"), (MISSING, "not given")])
def test_a_text_is_named_if_it_is_frequent(value: Value, name: str) -> None:
    field = Field(name="source", label="Source", kind="categorical", choices=("a",))
    known = FieldProfile(cells={"a": Cell(count=9, converted=1)}, other=NONE, missing=NONE)
    assert group_name(field, known, value) == name
