import json

import pytest

from leadmodel.errors import ModelError
from leadmodel.leads.event_recipe import EventConfig
from leadmodel.leads.recipe import Recipe
from leadmodel.model import LeadModel
from leadmodel.publishing.config import ModelConfig


def changed(model: LeadModel, **entries: object) -> str:
    return json.dumps(json.loads(model.config.to_json()) | entries)


def test_json_keeps_the_configuration(model: LeadModel) -> None:
    assert ModelConfig.from_json(model.config.to_json()) == model.config


def test_the_hub_finds_what_it_reads(model: LeadModel) -> None:
    block = json.loads(model.config.to_json())["sklearn"]
    assert block["model"] == {"file": "model.skops"}
    assert block["model_format"] == "skops"
    assert list(block["example_input"]) == block["columns"] == model.schema.columns


EVENTS = {
    "entity": "who",
    "after_events": 3,
    "outcomes": {"table": "sales.csv", "time": "day", "prices": {"column": "plan", "Gold": 90.0}},
    "logs": [{"table": "visits.csv", "time": "when", "kind": "visits"}],
}


def test_json_keeps_how_leads_are_made_of_events(model: LeadModel) -> None:
    recipe = Recipe(events=EventConfig.model_validate(EVENTS))
    config = model.config.model_copy(update={"recipe": recipe})
    assert ModelConfig.from_json(config.to_json()).recipe == recipe


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"format_version": 99}, r"must be of format 1. Its format is 99"),
        ({"surprise": 1}, r"at surprise: Extra inputs are not permitted"),
        ({"target": None}, r"at target: Input should be a valid string"),
        ({"decision": {}}, r"at decision.threshold: Field required"),
        (
            {"recipe": {"events": EVENTS | {"outcomes": {"table": "../a.csv", "time": "t"}}}},
            r"recipe.events.outcomes.table: .* in the f",
        ),
        ({"sklearn": {"model": {"file": "../../other.skops"}}}, r"at sklearn: the block does not say"),
    ],
    ids=["format", "unknown", "type", "missing", "table elsewhere", "another file"],
)
def test_what_is_no_configuration_is_refused(
    model: LeadModel, entries: dict[str, object], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        ModelConfig.from_json(changed(model, **entries))


@pytest.mark.parametrize("text", ["{", "[]", "3", "[" * 100_000], ids=["cut", "list", "number", "deep"])
def test_what_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(ModelError, match=r"config.json (is not JSON|must be of format)"):
        ModelConfig.from_json(text)


def test_a_model_of_another_release_series_is_refused(model: LeadModel) -> None:
    versions = model.config.versions | {"catboost": "0.26.1"}
    config = model.config.model_copy(update={"versions": versions})
    with pytest.raises(ModelError, match=r"made with catboost 0.26.1, and 1.2.10 is installed"):
        config.check_versions()
