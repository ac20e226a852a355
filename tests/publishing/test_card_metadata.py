"""The card's metadata by the Hub's own rules, which its server applies to every commit.

The rules are those of the model card specification in the Hub's documentation, as far as they concern
what a card of this project says; the lists are shortened to what such a card may hold.
"""

import re

import pandas as pd
import pytest
import yaml
from huggingface_hub import ModelCard
from pydantic import ValidationError

from leadmodel.leads.recipe import Recipe
from leadmodel.leads.sample import SAMPLE_RECIPE
from leadmodel.model import LeadModel
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.training.interface import train_model

TASKS = {"tabular-classification", "tabular-regression"}
LIBRARIES = {"sklearn"}
KEYS = {"library_name", "pipeline_tag", "tags", "model-index", "license"}
LICENSES = {
    "apache-2.0",
    "mit",
    "bsd-3-clause",
    "cc-by-4.0",
    "cc-by-nc-4.0",
    "cc0-1.0",
    "openrail",
    "other",
}


def front_matter(model: LeadModel) -> dict[str, object]:
    text = model.files["README.md"].decode()
    assert text.startswith("---\n"), "the Hub reads metadata from the first line on"
    return yaml.safe_load(text.split("---\n")[1])


def check_rules(content: dict[str, object]) -> None:
    """Raise AssertionError for what the Hub would refuse or ignore."""
    assert set(content) <= KEYS
    assert content["pipeline_tag"] in TASKS
    assert content["library_name"] in LIBRARIES
    assert content.get("license", "apache-2.0") in LICENSES
    assert all(isinstance(tag, str) and re.fullmatch(r"[\w-]+", tag) for tag in content["tags"])
    for entry in content["model-index"]:
        assert set(entry) == {"name", "results"}
        assert entry["name"].strip()
        for result in entry["results"]:
            assert result["task"]["type"] in TASKS
            assert {"name", "type"} <= set(result["dataset"])
            for metric in result["metrics"]:
                assert {"type", "value"} <= set(metric)
                assert isinstance(metric["value"], int | float)
                assert metric["value"] == metric["value"], "no NaN: it is no JSON"


def test_the_metadata_keep_the_hubs_rules(model: LeadModel) -> None:
    check_rules(front_matter(model))


def test_the_rules_can_be_broken(model: LeadModel) -> None:
    with pytest.raises(AssertionError, match="assert"):
        check_rules(front_matter(model) | {"pipeline_tag": "lead-scoring"})


def test_the_results_are_the_measured_ones(model: LeadModel) -> None:
    [entry] = front_matter(model)["model-index"]
    shown = {metric["type"]: metric["value"] for one in entry["results"] for metric in one["metrics"]}
    assert shown == {kind: round(model.evaluation.test[kind].value, 4) for kind in shown}
    assert shown.keys() >= {"roc_auc", "log_loss", "brier"}


def test_the_metadata_survive_the_hubs_own_reader(model: LeadModel) -> None:
    card = ModelCard(model.files["README.md"].decode())
    assert ModelCard(str(card)).data.to_dict() == card.data.to_dict()


def test_a_recipe_says_who_made_the_model_and_under_which_licence(
    sample: pd.DataFrame, quick: TrainingSettings
) -> None:
    recipe = SAMPLE_RECIPE.updated(maker="Example Ltd", contact="ask@example.com", license="apache-2.0")
    made = train_model(sample, recipe, quick)
    content = front_matter(made)
    check_rules(content)
    assert content["license"] == "apache-2.0"
    text = made.files["README.md"].decode()
    assert "| Made by | Example Ltd |" in text
    assert "| Licence | apache-2.0 |" in text
    assert "| Contact | ask@example.com |" in text


def test_a_licence_is_spelt_as_the_hub_spells_it() -> None:
    with pytest.raises(ValidationError, match="license"):
        Recipe.model_validate({"license": "Apache 2.0"})


HEADINGS = {
    "details": "| Kind of model |",
    "uses": "## Intended use",
    "out of scope": "**Not for**",
    "risks and what to do": "## Risks, limits, and what to do",
    "data": "Source of the leads",
    "factors and metrics by segment": "### By lead group",
    "metrics": "| Metric | Test leads |",
    "results": "## How good it is",
    "training cost and environment": "without a GPU, with python",
    "how to load": "```python",
    "glossary": "## Glossary",
    "contact": "| Contact |",
}


@pytest.mark.parametrize("part", HEADINGS)
def test_the_card_has_every_part_of_the_annotated_template(part: str, model: LeadModel) -> None:
    assert HEADINGS[part] in model.files["README.md"].decode()
