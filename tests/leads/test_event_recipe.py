from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from leadmodel.errors import InputError
from leadmodel.leads.event_recipe import EventConfig
from leadmodel.leads.recipe import Recipe

SHOP = {
    "entity": "visitor",
    "horizon": 14,
    "every": 7,
    "active_within": 7,
    "outcomes": {"table": "events.csv", "time": "timestamp", "where": {"event": "transaction"}},
    "logs": [
        {
            "table": "events.csv",
            "time": "timestamp",
            "kind_column": "event",
            "kinds": {"view": "views", "addtocart": "carts"},
        }
    ],
}


def test_the_kinds_of_all_logs_are_known() -> None:
    hints = EventConfig.model_validate(SHOP | {"ratios": {"cart_rate": ("carts", "views")}})
    assert hints.kinds == ("views", "carts")
    assert (hints.fields, hints.attributes) == ((), ())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"windos": [1]}, "Extra inputs are not permitted"),
        ({"windows": [7, 1]}, "the days must rise"),
        ({"windows": [0]}, "greater than 0"),
        ({"after": [1]}, "give one of after, every and after_events"),
        ({"every": None, "active_within": None}, "give one of after, every and after_events"),
        ({"active_within": None}, "every and active_within go together"),
        ({"every": None, "active_within": None, "after": [1]}, "give entities with a start"),
        ({"horizon": None}, "give the horizon in days"),
        ({"logs": []}, "at least 1 item"),
        ({"ratios": {"rate": ["buys", "views"]}}, "the ratio 'rate' needs a kind 'buys', which no log has"),
        (
            {"entities": {"table": "a.csv", "fields": ["cutoff"]}},
            "'cutoff' cannot be a field: the leads have a column of that name",
        ),
        ({"entity": "amount"}, "the entity cannot be named 'amount'"),
        ({"outcomes": {"table": "../a.csv", "time": "t"}}, "a .csv or .parquet file in the folder"),
        ({"outcomes": {"table": "/a.csv", "time": "t"}}, "a .csv or .parquet file in the folder"),
        ({"outcomes": {"table": "a.xlsx", "time": "t"}}, "a .csv or .parquet file in the folder"),
        (
            {"outcomes": {"table": "a.csv", "time": "t", "amount": "x", "prices": {"column": "y"}}},
            "amount or prices, not both",
        ),
        ({"outcomes": {"table": "a.csv", "time": "t", "unit": "ns"}}, "'s', 'ms' or 'us'"),
        ({"outcomes": {"table": "a.csv", "time": {"date": ["y", "m"]}}}, "outcomes.time"),
        ({"logs": [{"table": "a.csv", "time": "t"}]}, "give kind, or kind_column and kinds"),
        ({"logs": [{"table": "a.csv", "time": "t", "kind": "a", "other": "b"}]}, "give kind, or kind_"),
        ({"logs": [{"table": "a.csv", "time": "t", "kind_column": "e"}]}, "give kind, or kind_column"),
        ({"logs": [{"table": "a.csv", "time": "t", "kind": "Page views"}]}, "has lowercase letters"),
    ],
)
def test_what_events_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        EventConfig.model_validate(SHOP | changes)


def test_a_recipe_names_the_place_of_a_mistake_in_its_events(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text('[events]\nentity = "a"\nhorizont = 3')
    with pytest.raises(InputError, match=r"recipe.toml', at events\.\w+: "):
        Recipe.load(path)


def test_prices_are_numbers_by_the_values_of_a_column() -> None:
    prices = {"column": "plan", "Gold": 90, "Free": 0}
    outcomes = SHOP["outcomes"] | {"prices": prices}  # type: ignore[operator]
    read = EventConfig.model_validate(SHOP | {"outcomes": outcomes}).outcomes.prices
    assert read is not None
    assert (read.column, read.by_value) == ("plan", {"Gold": 90.0, "Free": 0.0})
    with pytest.raises(ValidationError, match="valid number"):
        EventConfig.model_validate(SHOP | {"outcomes": outcomes | {"prices": prices | {"Gold": "much"}}})


def test_events_survive_json() -> None:
    hints = EventConfig.model_validate(SHOP | {"until": "2024-05-06"})
    assert EventConfig.model_validate_json(hints.model_dump_json()) == hints
