from pathlib import Path

import pytest
from support import ROOT

from leadmodel.errors import InputError
from leadmodel.leads.outcome.rule import OutcomeRule
from leadmodel.leads.recipe import Recipe

RECIPES = sorted((ROOT / "recipes").glob("*.toml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_of_the_project_loads(path: Path) -> None:
    recipe = Recipe.load(path)
    assert recipe.target or recipe.events


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("target = 'a'\ntraget = 'b'", r"at traget: Extra inputs are not permitted"),
        ("[fields.age]\nkind = 'integer'", r"at fields.age.kind: Input should be 'numeric'"),
        ("target = ", "is not TOML"),
    ],
    ids=["unknown key", "unknown kind", "no TOML"],
)
def test_what_a_recipe_cannot_say_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        Recipe.load(path)


def test_a_missing_recipe_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none.toml' cannot be read: No such file"):
        Recipe.load(tmp_path / "none.toml")


def test_the_command_line_wins_where_it_speaks() -> None:
    recipe = Recipe(target="a", positive="1").updated(target="b", positive=None)
    assert (recipe.target, recipe.positive) == ("b", "1")


def test_outcomes_are_a_text_or_a_list(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text('positive = "Won"\nnegative = ["Lost", "Rejected, too dear"]\n')
    recipe = Recipe.load(path)
    assert recipe.outcomes == OutcomeRule(positive=("Won",), negative=("Lost", "Rejected, too dear"))
    assert Recipe().outcomes == OutcomeRule()
    assert not {"negative", "open"} & Recipe().model_dump().keys()


def test_every_column_kept_out_has_its_reason() -> None:
    recipe = Recipe(target="t", time="d", id=("i",), drop=("x",), leaks={"l": "filled in later"})
    assert recipe.unused() == {
        "x": "dropped on request",
        "l": "leak: filled in later",
        "i": "id",
        "d": "time of the lead",
        "t": "target",
    }


def test_the_first_id_says_whose_a_lead_is() -> None:
    assert Recipe().whose is None
    assert Recipe(id=("person", "row")).whose == "person"


def test_a_lacking_target_is_named_with_what_is_there() -> None:
    with pytest.raises(InputError, match=r"target column 'won' is not among .*Found: a, b\."):
        Recipe(target="won").check_columns(["a", "b"])
