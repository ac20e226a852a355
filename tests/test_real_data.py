"""The recipes on the real lead sets, with few trees: what they read, and that they teach."""

from pathlib import Path

import pytest

from leadmodel.leads.reading import read_table
from leadmodel.leads.recipe import Recipe
from leadmodel.model import LeadModel
from leadmodel.training.run import train
from leadmodel.training.settings import TrainingSettings

RECIPES = Path(__file__).parents[1] / "recipes"


def trained(real_data: Path, name: str, file: str, quick: TrainingSettings) -> LeadModel:
    return train(read_table(real_data / file), Recipe.load(RECIPES / f"{name}.toml"), quick)


@pytest.mark.parametrize(
    ("name", "file", "n_fields", "auc"),
    [
        ("extraalearn", "extraalearn.csv", 13, 0.88),
        ("x-education", "x-education-leads.csv", 15, 0.86),
        ("codepro", "codepro-leads.csv", 14, 0.74),
    ],
)
def test_a_recipe_trains_on_its_leads(
    real_data: Path, quick: TrainingSettings, name: str, file: str, n_fields: int, auc: float
) -> None:
    model = trained(real_data, name, file, quick)
    assert len(model.schema.fields) == n_fields
    assert model.evaluation.test["roc_auc"].value > auc


def test_leaking_columns_of_x_education_are_dropped(real_data: Path, quick: TrainingSettings) -> None:
    ignored = trained(real_data, "x-education", "x-education-leads.csv", quick).schema.ignored
    for name in ("Tags", "Lead Quality", "Lead Profile", "Asymmetrique Activity Score", "Last Activity"):
        assert ignored[name].startswith("leak: ")
    assert ignored["Prospect ID"] == "id"
    assert ignored["Magazine"] == "constant"
