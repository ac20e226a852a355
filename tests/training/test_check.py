"""What check found, written as a recipe and shown in a notebook."""

import re
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import ROOT, command

import leadmodel
from leadmodel.errors import InputError
from leadmodel.leads.recipe import DecisionConfig, FieldConfig, Recipe
from leadmodel.leads.sample import make_sample
from leadmodel.prepare.data import prepare, prepare_all
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.training.check import toml
from leadmodel.training.check.report import LeadAudit
from leadmodel.training.interface import train_model


def make_leads(n_leads: int = 600) -> pd.DataFrame:
    """Make leads with stages, a leak, placeholders, a unit, ids of persons, mail addresses and a date."""
    rng = np.random.default_rng(3)
    won = rng.random(n_leads) < 0.4
    leads = pd.DataFrame(
        {
            "person": [f"P{number:05d}" for number in rng.permutation(n_leads) // 3 * 2],
            "Lead ID": [f"A{number:05d}" for number in rng.permutation(n_leads)],
            "created": pd.date_range("2024-01-01", periods=n_leads, freq="7h").astype("str"),
            "stage": np.where(won, "Won", np.where(rng.random(n_leads) < 0.5, "Lost", "Disqualified")),
            "email": [f"lead{number}@example{number % 4}.org" for number in range(n_leads)],
            "city": rng.choice(["Select", "Berlin", "Lyon", "Oslo"], n_leads),
            "budget": [f"{number} €" for number in rng.integers(1, 900, n_leads)],
            "score": won + rng.normal(0, 0.9, n_leads).round(2),
            'odd "name" = [x] # \\': rng.choice(["a", "b", "c"], n_leads),
            "contract no": np.where(won, [f"C{number}" for number in range(n_leads)], None),
        }
    )
    leads.loc[::9, "stage"] = "Negotiation"
    leads.loc[[1, 2], "stage"] = "Closed for Zebulon"
    leads.loc[[4, 5, 6], "city"] = "Zebulonville"
    return leads


LOST = ("Lost", "Disqualified", "Closed for Zebulon")


@pytest.fixture(scope="module")
def audit() -> LeadAudit:
    return leadmodel.check(make_leads(), target="stage", negative=LOST)


@pytest.fixture(scope="module")
def written(audit: LeadAudit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipes") / "leads.toml"
    audit.write_recipe(path)
    return path


def test_the_recipe_says_what_was_found(written: Path) -> None:
    text, recipe = written.read_text(encoding="utf-8"), Recipe.load(written)
    assert recipe.target == "stage"
    assert recipe.positive == "Won"
    assert set(recipe.negative or ()) == set(LOST)
    assert recipe.open == "Negotiation"
    assert recipe.time == "created"
    assert recipe.id == ("Lead ID",)
    assert recipe.fields["budget"] == FieldConfig(kind="numeric", label="Budget", unit="€")
    n_won = (make_leads()["stage"] == "Won").sum()
    assert f'positive = "Won"  # {n_won} leads' in text
    assert re.search(r'#"Select",  # in \'city\' \(\d+ leads\)', text)
    assert '"email": personal data: mail addresses; only what can be derived is used' in text
    assert re.search(r'"email": .*Email host', text)


def test_leaks_are_suggested_with_their_figures_and_not_followed(written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    assert Recipe.load(written).leaks == {}
    assert re.search(r"ROC AUC of this(.|\n#)+?alone: \d\.\d{3}(.|\n# )*\n#\"contract no\" = ", text)


def test_each_suggestion_can_be_followed(written: Path) -> None:
    text = re.sub(r'(?m)^(\s*)#(?=[^\s#])(?!time = "COLUMN")', r"\1", written.read_text(encoding="utf-8"))
    recipe = Recipe.model_validate(tomllib.loads(text))
    assert recipe.placeholders == ("Select",)
    assert "contract no" in recipe.leaks
    assert {"person", "Lead ID"} <= set(recipe.id) | set(recipe.fields)


def test_the_recipe_holds_no_value_of_a_lead(audit: LeadAudit, written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    leads = make_leads()
    for name in ("person", "Lead ID", "created", "email", "contract no"):
        assert not [one for one in leads[name].dropna().unique() if one in text]
    assert "Zebulonville" not in text


def test_rare_outcomes_are_not_named_and_mean_the_same_to_training(tmp_path: Path) -> None:
    leads = make_leads()
    leads.loc[leads["stage"] == "Closed for Zebulon", "stage"] = "Closed lost"
    leads.loc[[10, 11], "stage"] = "Closed won"
    audit = leadmodel.check(leads, target="stage")
    audit.write_recipe(tmp_path / "leads.toml")
    text = (tmp_path / "leads.toml").read_text(encoding="utf-8")
    assert "Closed" not in text
    assert "2 leads with rarer values mean the same" in text
    again = leadmodel.check(leads, recipe=tmp_path / "leads.toml")
    np.testing.assert_array_equal(again.data.outcomes.codes, audit.data.outcomes.codes)


def test_training_by_the_recipe_gives_the_same(written: Path, audit: LeadAudit) -> None:
    settings = TrainingSettings(n_folds=2, race_below=0)
    given = Recipe(target="stage", negative=LOST)
    for leads in (make_leads(), make_leads().assign(created="")):
        path = written
        if not leads["created"].any():
            path = written.with_name("undated.toml")
            LeadAudit(prepare_all(leads, given, settings)).write_recipe(path)
        one, other = (prepare(leads, recipe, settings) for recipe in (given, Recipe.load(path)))
        assert one.schema.fields == other.schema.fields
        # Nothing is to be said of a time that a recipe names.
        told = [finding for finding in one.audit.findings if finding.kind != "time of a lead"]
        assert told == list(other.audit.findings)
        np.testing.assert_array_equal(one.split.test, other.split.test)
        np.testing.assert_array_equal(one.y, other.y)
        pd.testing.assert_frame_equal(one.X, other.X)


def test_a_model_trained_by_the_recipe_is_the_same(tmp_path: Path) -> None:
    leads = make_sample(400)
    leadmodel.check(leads, target="status").write_recipe(tmp_path / "leads.toml")
    quick = TrainingSettings(n_folds=2, max_trees=20, n_members=1, race_below=0)
    one = train_model(leads, Recipe(target="status"), quick)
    other = train_model(leads, Recipe.load(tmp_path / "leads.toml"), quick)
    np.testing.assert_array_equal(one.predict_proba(leads), other.predict_proba(leads))


def test_what_is_given_stays_in_the_recipe(tmp_path: Path) -> None:
    leads = make_leads()
    given = Recipe(
        title='Leads "of" 2024\n\x07\x7f',
        license="mit",
        target="stage",
        positive=("Won", "Signed"),
        negative=LOST,
        time="created",
        id=("person",),
        leaks={"contract no": "written with the contract"},
        drop=("score",),
        placeholders=("Select", "?"),
        decision=DecisionConfig(positive="Yes", bands={"A": 80, "B": 0}, budget="20%"),
        fields={"city": FieldConfig(label="Town", influence=True), "score": FieldConfig(maximum=1e20)},
    )
    LeadAudit(prepare_all(leads, given, TrainingSettings())).write_recipe(tmp_path / "leads.toml")
    kept = Recipe.load(tmp_path / "leads.toml")
    assert kept.open == "Negotiation"
    assert set(kept.negative or ()) == set(LOST)
    assert kept.id == ("person", "Lead ID")
    others = {"open", "negative", "id", "fields"}
    assert kept.model_dump(exclude=others) == given.model_dump(exclude=others)
    assert kept.fields["city"] == FieldConfig(kind="categorical", label="Town", influence=True)
    assert kept.fields["score"] == FieldConfig(maximum=1e20)


def test_a_file_that_exists_is_left_alone(audit: LeadAudit, tmp_path: Path) -> None:
    path = tmp_path / "leads.toml"
    path.write_text("corrected", encoding="utf-8")
    with pytest.raises(InputError, match="exists already, and it may have been corrected"):
        audit.write_recipe(path)
    assert path.read_text(encoding="utf-8") == "corrected"
    with pytest.raises(InputError, match=r"The folder .* does not exist"):
        audit.write_recipe(tmp_path / "nowhere" / "leads.toml")


def test_the_command_writes_a_recipe_that_it_reads(tmp_path: Path) -> None:
    leads, recipe = tmp_path / "leads.csv", tmp_path / "leads.toml"
    make_leads().to_csv(leads, index=False)
    check = ("-m", "leadmodel", "check", leads)
    options = ["--target", "stage", "--negative", LOST[0], "--negative", LOST[1], "--negative", LOST[2]]
    first = command(*check, *options, "--write-recipe", recipe)
    assert first.returncode == 0, first.stderr
    assert f"The recipe is written to {recipe}." in first.stdout
    again = command(*check, "--recipe", recipe)
    assert again.returncode == 0, again.stderr
    assert set(again.stdout.splitlines()) <= set(first.stdout.splitlines())
    refused = command(*check, "--recipe", recipe, "--write-recipe", recipe)
    assert refused.returncode == 2
    assert "exists already" in refused.stderr


def test_a_recipe_with_events_is_not_written(tmp_path: Path) -> None:
    events = ROOT / "recipes" / "retailrocket.toml"
    refused = command(
        "-m", "leadmodel", "check", tmp_path, "--recipe", events, "--write-recipe", tmp_path / "new.toml"
    )
    assert refused.returncode == 2
    assert "A recipe with events cannot be written" in refused.stderr


CONTENT = st.recursive(
    st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner)
    ),
    max_leaves=5,
)


@settings(max_examples=200)
@given(
    name=st.text(st.characters(codec="utf-8")), content=CONTENT, note=st.text(st.characters(codec="utf-8"))
)
def test_any_content_is_read_back(name: str, content: object, note: str) -> None:
    text = "\n".join(toml.entry(name, content, note) + toml.comment(note))
    assert tomllib.loads(text) == {name: content}
    listed = "\n".join(toml.array(name, [toml.Item(note, note), toml.Item(name, note, is_suggested=True)]))
    assert tomllib.loads(listed) == {name: [note]}


def test_the_html_view_begins_with_the_findings(audit: LeadAudit) -> None:
    html = audit._repr_html_()
    order = [
        "SUSPECT LEAKS",
        "contract no",
        "Notes",
        ">Columns<",
        "<b>Budget<",
        "number in €",
        ">Left out<",
        "Email host",
    ]
    places = [html.index(part) for part in order]
    assert places == sorted(places)
    assert len(re.findall("<svg", html)) >= 2 * len(audit.data.schema.fields)
    assert html.count("<li><b>") == len(audit.data.schema.ignored) - 1  # all but the target
    assert "<script" not in html


def test_the_html_view_gives_the_conversion_by_value(audit: LeadAudit) -> None:
    data = audit.data
    oslo = (data.X["city"] == "Oslo").to_numpy()
    row = re.search(r"Oslo</td>\s*<td[^>]*>(\d+)</td>\s*<td[^>]*>([\d.]+)%", audit._repr_html_())
    assert row
    assert int(row[1]) == oslo.sum()
    assert row[2] == f"{100 * data.y[oslo].mean():.1f}"


def test_the_html_view_holds_no_value_of_a_lead(audit: LeadAudit) -> None:
    html, leads = audit._repr_html_(), make_leads()
    assert "Zebulonville" not in html
    for name in ("person", "Lead ID", "email", "contract no"):
        assert not [one for one in leads[name].dropna().unique() if one in html]


def test_rare_spellings_of_outcomes_are_not_named() -> None:
    leads = make_sample(400)
    leads.loc[:1, "status"] = ["Lost for Zebulon", "lost for zebulon"]
    audit = leadmodel.check(leads, target="status", positive="Won", negative=["Lost", "Lost for Zebulon"])
    assert "zebulon" not in audit._repr_html_().lower()
    assert "Spellings of one value count as one." in repr(audit)


def test_the_html_view_escapes_names_and_values() -> None:
    evil = "<script>alert(1)</script>"
    leads = make_sample(300).rename(columns={"city": evil})
    leads["source"] = np.where(leads["source"] == "Search", evil, leads["source"])
    audit = leadmodel.check(leads.assign(**{"<b>": evil}), target="status")
    assert "<script" not in audit._repr_html_()
    assert "&lt;script&gt;" in audit._repr_html_()
    assert "<b></b>" not in audit._repr_html_()
