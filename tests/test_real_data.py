"""The recipes on the real lead sets, with few trees: what they read, and that they teach."""

from pathlib import Path

import pytest

from leadmodel.leads.reading import read_table
from leadmodel.leads.recipe import Recipe
from leadmodel.model import LeadModel
from leadmodel.training.past import prepare_all
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
    card = model.files["README.md"].decode()
    for part in ("## What the audit found", "### Compared with", "### By kind of lead", "plots/lift.png"):
        assert part in card
    assert model.evaluation.levels


def test_leaking_columns_of_x_education_are_dropped(real_data: Path, quick: TrainingSettings) -> None:
    ignored = trained(real_data, "x-education", "x-education-leads.csv", quick).schema.ignored
    for name in ("Tags", "Lead Quality", "Lead Profile", "Asymmetrique Activity Score", "Last Activity"):
        assert ignored[name].startswith("leak: ")
    assert ignored["Prospect ID"] == "id"
    assert ignored["Magazine"] == "constant"


def suspects(real_data: Path, file: str, recipe: Recipe) -> set[str]:
    return set(prepare_all(read_table(real_data / file), recipe, TrainingSettings()).audit.suspects)


def test_the_audit_suspects_the_leaks_of_x_education_without_a_recipe(real_data: Path) -> None:
    found = suspects(real_data, "x-education-leads.csv", Recipe(target="Converted"))
    scores = {
        f"Asymmetrique {one}"
        for one in ("Activity Index", "Profile Index", "Activity Score", "Profile Score")
    }
    assert found >= {"Tags", "Lead Quality", "Lead Profile"} | scores
    assert len(found) <= 9
    honest = {"Total Time Spent on Website", "TotalVisits", "Lead Origin", "Lead Source"}
    assert not found & honest


def test_the_audit_suspects_what_determines_the_price_class(real_data: Path) -> None:
    found = suspects(real_data, "clickstream-eshop-2008.csv", Recipe(target="price 2"))
    assert found == {"page 2 (clothing model)", "price"}


@pytest.mark.parametrize(
    ("file", "recipe"),
    [
        ("extraalearn.csv", Recipe(target="status")),
        ("codepro-leads.csv", Recipe(target="app_complete_flag")),
        ("x-education-leads.csv", Recipe.load(RECIPES / "x-education.toml")),
    ],
    ids=["ExtraaLearn", "CodePro", "X Education, leaks known"],
)
def test_the_audit_suspects_no_honest_column(real_data: Path, file: str, recipe: Recipe) -> None:
    assert suspects(real_data, file, recipe) == set()
