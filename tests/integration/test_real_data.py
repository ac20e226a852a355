"""The recipes on the real lead sets, with few trees: what they read, and that they teach."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from support import ROOT

from leadmodel.batch.score import score_file
from leadmodel.events.dataset import open_leads, past_leads, recipe_of_leads
from leadmodel.events.tables import read_event_tables
from leadmodel.leads.io import read_table
from leadmodel.leads.recipe import Recipe
from leadmodel.model import LeadModel
from leadmodel.prepare.data import prepare_all
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.training.interface import train_model

RECIPES = ROOT / "recipes"


def trained(real_data: Path, name: str, file: str, quick: TrainingSettings) -> LeadModel:
    return train_model(read_table(real_data / file), Recipe.load(RECIPES / f"{name}.toml"), quick)


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
    for part in ("## What the audit found", "### Compared with", "### By lead group", "plots/lift.png"):
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


TRAVEL, INSURANCE = Recipe(target="ProdTaken", drop=("CustomerID",)), Recipe(target="Response")


@pytest.mark.parametrize(
    ("file", "recipe", "n_twins", "n_groups"),
    [("travel.csv", TRAVEL, 4888, 1529), ("insurance-twins.csv", INSURANCE, 1306, 8042)],
)
def test_copies_are_found(real_data: Path, file: str, recipe: Recipe, n_twins: int, n_groups: int) -> None:
    """A model that knows the copies of the test leads reaches a ROC AUC of 0.98 and 0.999 on these."""
    data = prepare_all(read_table(real_data / file), recipe, TrainingSettings())
    assert data.twins is not None
    assert data.twins.n_twins == n_twins
    groups = data.twins.group_ids
    assert len(set(groups)) == n_groups
    converted, size = np.bincount(groups, weights=data.y), np.bincount(groups)
    # Copies have the outcome of the original, but for a few leads that only look like copies.
    assert ((converted == 0) | (converted == size)).mean() > 0.98


@pytest.mark.parametrize(
    ("file", "recipe"),
    [
        ("extraalearn.csv", Recipe(target="status")),
        ("codepro-leads.csv", Recipe(target="app_complete_flag")),
        ("x-education-leads.csv", Recipe(target="Converted")),
        ("clickstream-eshop-2008.csv", Recipe(target="price 2")),
    ],
)
def test_leads_without_copies_have_none(real_data: Path, file: str, recipe: Recipe) -> None:
    assert prepare_all(read_table(real_data / file), recipe, TrainingSettings()).twins is None


@pytest.mark.parametrize(
    ("name", "folder", "read", "n_leads", "auc"),
    [
        ("students-365", "students-365", "365_student_info.csv: 35,230 entities", 118_974, 0.70),
        ("clickstream", "", "clickstream-eshop-2008.csv: 38,747 outcomes", 11_754, 0.60),
    ],
)
def test_events_become_a_model_that_scores_later_leads(
    real_data: Path, tmp_path: Path, name: str, folder: str, read: str, n_leads: int, auc: float
) -> None:
    """The whole way of a recipe with events, from raw tables to scored leads, with few trees."""
    recipe = Recipe.load(RECIPES / f"{name}.toml")
    assert recipe.events is not None
    with read_event_tables(real_data / folder, recipe.events) as tables:
        leads, report = past_leads(tables, recipe.events)
        later, _ = open_leads(tables, recipe.events, dt.datetime.combine(report.until, dt.time()))
    assert read in report.summary()
    assert len(leads) == n_leads
    few_trees = TrainingSettings(max_trees=25, n_folds=2, n_members=1, race_below=0)
    few = leads.iloc[:: max(1, n_leads // 30_000)]
    model = train_model(few, recipe_of_leads(recipe, recipe.events), few_trees)
    assert model.evaluation.test["roc_auc"].value > auc
    assert model.config.recipe is not None
    assert model.config.recipe.events == recipe.events
    assert "their outcome was not yet known" in model.config.training.split
    later.write_parquet(tmp_path / "leads.parquet")
    assert score_file(model, tmp_path / "leads.parquet", tmp_path / "scored.csv").n_leads == len(later)


def test_namibia_is_a_country_of_students(real_data: Path) -> None:
    hints = Recipe.load(RECIPES / "students-365.toml").events
    assert hints is not None
    with read_event_tables(real_data / "students-365", hints) as tables:
        assert tables.entities is not None
        assert (tables.entities["student_country"] == "NA").sum() == 13
        assert tables.entities["student_country"].null_count() == 0
