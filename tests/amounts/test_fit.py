"""Models that tell what leads are worth: trained, saved, opened and asked."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support import with_amounts

from leadmodel.amounts.candidates import CANDIDATES
from leadmodel.amounts.fit import conformal_ratios
from leadmodel.amounts.results import MEAN
from leadmodel.errors import InputError, LeadError
from leadmodel.leads.convert import read_leads
from leadmodel.leads.recipe import DecisionConfig, FieldConfig, Recipe
from leadmodel.leads.sample import SAMPLE_RECIPE, make_sample
from leadmodel.model import LeadModel
from leadmodel.prepare.data import prepare
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.training.check.report import audit_report
from leadmodel.training.interface import train_model

RECIPE = SAMPLE_RECIPE.updated(amount="amount")
NEW = make_sample(60, random_state=9)


def money(texts: pd.Series) -> np.ndarray:
    return texts.str.lstrip("€").str.replace(",", "").astype(float).to_numpy()


def test_amounts_are_no_field_and_a_model_of_them_beats_their_mean(valued: LeadModel) -> None:
    assert "amount" not in valued.schema.by_name
    assert valued.schema.ignored["amount"] == "amount, known after the outcome"
    revenue = valued.evaluation.options["revenue"]
    assert revenue is not None
    assert revenue.is_modelled
    assert valued.config.options["revenue"].sha256 is not None
    assert revenue.terms == valued.config.options["revenue"].terms
    assert revenue.terms.unit == "€"
    assert revenue.test is not None
    assert revenue.test.amount["mean amount"]["rmse_beyond"].low > 0
    assert 0.6 < revenue.test.coverage.value < 0.95


def test_the_mean_amount_is_that_of_the_training_leads(valued: LeadModel, sold: pd.DataFrame) -> None:
    oldest = sold.sort_values("created_at", kind="stable").head(1200)
    amounts = money(oldest.loc[oldest["status"] == "Won", "amount"])
    assert valued.evaluation.options["revenue"].n_amounts == len(amounts)
    assert valued.evaluation.options["revenue"].terms.mean == pytest.approx(amounts.mean())


def test_answers_agree_with_scores_and_the_files_alone(valued: LeadModel) -> None:
    typed = read_leads(valued.schema, NEW)
    assert "revenue" in valued.options
    terms, regressor = valued.options["revenue"].terms, valued.options["revenue"].regressor
    assert regressor is not None
    told = regressor.predict(typed, prediction_type="RawFormulaVal")
    amount = np.clip(np.exp(told) if terms.link == "log" else told, terms.low, terms.high)
    scored = valued.score(NEW)
    assert scored["expected_amount"].to_numpy() == pytest.approx(amount)
    value = terms.factor * amount * valued.predict_proba(NEW)[:, 1]
    assert scored["expected_value"].to_numpy() == pytest.approx(value)
    assert scored["amount_low"].to_numpy() == pytest.approx(terms.ratios[0] * amount)
    answers = valued.answers(NEW.drop(columns="status").to_dict("records"), reasons=True)
    assert [one.expected_value for one in answers] == pytest.approx(list(value))
    assert [one.amount_interval[1] for one in answers if one.amount_interval] == pytest.approx(
        list(terms.ratios[1] * amount)
    )


def test_professionals_are_worth_more(valued: LeadModel) -> None:
    lead = valued.schema.example()
    student, professional = (
        valued.answer(lead | {"occupation": occupation}, reasons=False).expected_amount
        for occupation in ("Student", "Professional")
    )
    assert student is not None
    assert professional is not None
    assert professional > 1.5 * student


def test_a_model_without_amounts_says_and_stores_nothing_of_them(model: LeadModel) -> None:
    assert "revenue" not in json.loads(model.files["config.json"])
    assert "revenue" not in json.loads(model.files["metrics.json"])
    assert not [name for name in model.files if "revenue" in name]
    assert "worth" not in model.files["README.md"].decode()
    answer = json.loads(model.answer(model.schema.example()).model_dump_json())
    assert not {"expected_amount", "expected_value", "amount_interval"} & answer.keys()
    assert list(model.score(NEW).columns) == ["probability", "score", "grade", "decision"]


def test_amounts_change_nothing_about_conversion(
    valued: LeadModel, sold: pd.DataFrame, quick: TrainingSettings
) -> None:
    without = train_model(sold.drop(columns="amount"), SAMPLE_RECIPE, quick)
    np.testing.assert_array_equal(without.predict_proba(NEW), valued.predict_proba(NEW))
    assert without.evaluation.test == valued.evaluation.test
    assert without.config.decision == valued.config.decision


def test_the_same_leads_and_seed_give_the_same_values(
    valued: LeadModel, sold: pd.DataFrame, quick: TrainingSettings
) -> None:
    again = train_model(sold, RECIPE, quick)
    pd.testing.assert_frame_equal(again.score(NEW), valued.score(NEW))
    assert again.evaluation.options["revenue"] == valued.evaluation.options["revenue"]


def test_test_leads_touch_nothing_but_the_metrics(
    valued: LeadModel, sold: pd.DataFrame, quick: TrainingSettings
) -> None:
    newest = sold.sort_values("created_at", kind="stable").index[-300:]
    changed = sold.copy()
    changed.loc[newest, "amount"] = changed.loc[newest, "amount"].where(sold["amount"].isna(), "€1,000,000")
    other = train_model(changed, RECIPE, quick)
    assert other.config.options["revenue"].terms == valued.config.options["revenue"].terms
    pd.testing.assert_frame_equal(other.score(NEW), valued.score(NEW))
    assert other.evaluation.options["revenue"].test is not None
    assert (
        other.evaluation.options["revenue"].test.n_cut == other.evaluation.options["revenue"].test.n_amounts
    )
    assert other.evaluation.options["revenue"].test.share_cut > 0.5


def test_a_folder_keeps_the_amounts(valued: LeadModel, model: LeadModel, tmp_path: Path) -> None:
    valued.save_pretrained(tmp_path / "model")
    assert (tmp_path / "model" / "revenue.skops").exists()
    opened = LeadModel.from_pretrained(tmp_path / "model")
    pd.testing.assert_frame_equal(opened.score(NEW), valued.score(NEW))
    model.save_pretrained(tmp_path / "model")
    assert not (tmp_path / "model" / "revenue.skops").exists()


def test_the_card_tells_how_to_use_the_amounts(valued: LeadModel, tmp_path: Path) -> None:
    valued.save_pretrained(tmp_path / "model")
    card = (tmp_path / "model" / "README.md").read_text()
    assert "### What leads are worth" in card
    assert valued.evaluation.options["revenue"].summary() in card
    snippet = card.split("```python\n")[1].split("```")[0]
    done = subprocess.run(
        [sys.executable, "-c", snippet], cwd=tmp_path / "model", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answer = valued.answer(valued.schema.example())
    told = [float(text) for text in done.stdout.replace("[", " ").replace("]", " ").split()]
    assert told == pytest.approx(
        [answer.probability, answer.expected_amount, answer.expected_value], rel=1e-6
    )


def test_amounts_of_pure_chance_are_expected_at_their_mean(
    sold: pd.DataFrame, quick: TrainingSettings, tmp_path: Path
) -> None:
    amounts = np.exp(np.random.default_rng(6).normal(4, 1, len(sold)))
    made = train_model(
        sold.assign(amount=np.where(sold["status"] == "Won", amounts, np.nan)), RECIPE, quick
    )
    revenue = made.evaluation.options["revenue"]
    assert revenue is not None
    assert revenue.chosen == MEAN
    assert "is clearly better than the mean" in revenue.summary()
    assert "revenue.skops" not in made.files
    made.save_pretrained(tmp_path / "model")
    scored = LeadModel.from_pretrained(tmp_path / "model").score(NEW)
    assert set(scored["expected_amount"]) == {revenue.terms.mean}
    factor = revenue.terms.factor * revenue.terms.mean
    assert scored["expected_value"].to_numpy() == pytest.approx(factor * scored["probability"].to_numpy())


def test_equal_amounts_need_no_model(sold: pd.DataFrame, quick: TrainingSettings) -> None:
    made = train_model(sold.assign(amount=np.where(sold["status"] == "Won", 99.0, np.nan)), RECIPE, quick)
    assert (
        "differ too little to learn from, so the mean, 99," in made.evaluation.options["revenue"].summary()
    )
    assert made.answer(made.schema.example()).amount_interval == (99.0, 99.0)


def test_an_amount_of_a_billion_moves_nothing_and_is_told(
    valued: LeadModel, sold: pd.DataFrame, quick: TrainingSettings
) -> None:
    first = sold.sort_values("created_at").query("status == 'Won'").index[0]
    changed = sold.copy()
    changed.loc[first, "amount"] = "€1,000,000,000"
    made = train_model(changed, RECIPE, quick)
    revenue, before = made.evaluation.options["revenue"], valued.evaluation.options["revenue"]
    assert revenue is not None
    assert before is not None
    assert (revenue.n_cut, before.n_cut) == (1, 0)
    assert revenue.terms.mean < 1.2 * before.terms.mean
    assert "1 amounts are capped at" in revenue.summary()
    assert made.score(NEW)["expected_amount"].max() < revenue.limit


def test_missing_and_superfluous_amounts_are_counted(sold: pd.DataFrame, quick: TrainingSettings) -> None:
    oldest = sold.sort_values("created_at", kind="stable").head(1200)
    won, lost = (oldest.query(f"status == '{label}'").index for label in ("Won", "Lost"))
    changed = sold.copy()
    changed.loc[won[:30], "amount"] = None
    changed.loc[lost[:20], "amount"] = "€500"
    past = prepare(changed, RECIPE, quick)
    assert "20 amounts of leads that did not convert are ignored" in audit_report(past).replace("\n", " ")
    made = train_model(changed, RECIPE, quick)
    revenue = made.evaluation.options["revenue"]
    assert revenue is not None
    assert (revenue.n_unknown, revenue.n_ignored, revenue.n_amounts) == (30, 20, len(won) - 30)
    assert "30 converted training leads without an amount are left out" in revenue.summary()


def test_the_cost_of_a_call_decides_by_each_leads_value(
    sold: pd.DataFrame, quick: TrainingSettings
) -> None:
    made = train_model(sold, RECIPE.updated(decision=DecisionConfig(cost=25)), quick)
    assert made.config.decision.is_by_value
    scored = made.score(NEW)
    called = scored["expected_value"] > 25
    assert 0 < called.sum() < len(NEW)
    assert scored["decision"].tolist() == ["Will convert" if one else "Will not convert" for one in called]
    answers = made.answers(NEW.drop(columns="status").to_dict("records"))
    assert [answer.decision for answer in answers] == scored["decision"].tolist()
    newest = sold.sort_values("created_at", kind="stable").tail(300)
    brought = np.where(newest["status"] == "Won", money(newest["amount"].fillna("€0")), 0.0)
    value = made.score(newest)["expected_value"].to_numpy()
    profit = np.where(value > 25, brought - 25, 0).mean()
    assert made.evaluation.test["profit"].value == pytest.approx(profit)
    curve = made.evaluation.curves.profit
    assert curve is not None
    assert curve.y[-1] == pytest.approx((brought - 25).mean(), abs=1e-4)
    assert "if the expected value is above 25" in made.files["README.md"].decode()


def test_a_cost_without_amounts_needs_a_value(sample: pd.DataFrame, quick: TrainingSettings) -> None:
    recipe = SAMPLE_RECIPE.updated(decision=DecisionConfig(cost=25))
    with pytest.raises(InputError, match=r"must be given together, unless --amount names"):
        train_model(sample, recipe, quick)


@pytest.mark.parametrize(
    ("change", "recipe", "message"),
    [
        ({}, {"amount": "paid"}, r"The amount column 'paid' is not among the leads' columns"),
        ({"amount": "€-5"}, {}, r"Row \d+: the field 'amount' must be an amount of 0 or more. Got '€-5'"),
        ({"amount": "five"}, {}, r"must be an amount of 0 or more. Got 'five'"),
        ({"amount": None}, {}, r"At least 40 amounts of converted training leads are needed. Got 0"),
        ({"amount": 0}, {}, r"must not all be 0"),
    ],
    ids=["no column", "negative", "words", "none", "zeros"],
)
def test_amounts_that_cannot_be_learned_from_are_refused(
    sold: pd.DataFrame,
    quick: TrainingSettings,
    change: dict[str, object],
    recipe: dict[str, object],
    message: str,
) -> None:
    with pytest.raises((InputError, LeadError), match=message):
        train_model(sold.assign(**change), RECIPE.model_copy(update=recipe), quick)


def test_a_recipe_names_the_unit(sold: pd.DataFrame, quick: TrainingSettings) -> None:
    plain = sold.assign(amount=np.where(sold["status"] == "Won", 10.0 + np.arange(len(sold)), np.nan))
    recipe = Recipe.model_validate(
        RECIPE.model_dump() | {"fields": {"amount": FieldConfig(unit="USD").model_dump()}}
    )
    made = train_model(plain, recipe, quick)
    assert made.config.options["revenue"].terms.unit == "USD"
    assert "USD" in made.files["README.md"].decode()


def test_progress_is_told_step_by_step(sold: pd.DataFrame, quick: TrainingSettings) -> None:
    steps: list[str] = []
    train_model(sold, RECIPE, quick, steps.append)
    amounts = [step for step in steps if "amounts" in step]
    assert amounts[0] == "amounts by squared error"
    assert amounts[-1] == "amounts fitted"
    assert len(amounts) == len(CANDIDATES) + 1


def test_intervals_leave_a_tenth_on_either_side() -> None:
    ratios = np.random.default_rng(2).permutation(np.arange(1, 100)).astype(float)
    assert conformal_ratios(ratios) == (10, 90)
    covered = []
    for seed in range(300):
        drawn = np.exp(np.random.default_rng(seed).normal(size=60))
        low, high = conformal_ratios(drawn[:50])
        covered.append(np.mean((low <= drawn[50:]) & (drawn[50:] <= high)))
    assert np.mean(covered) == pytest.approx(0.8, abs=0.03)


def test_zero_amounts_are_amounts(quick: TrainingSettings) -> None:
    leads = with_amounts(make_sample(900, random_state=2))
    won = leads.query("status == 'Won'").index
    leads.loc[won[::4], "amount"] = "€0"
    made = train_model(leads, RECIPE, quick)
    assert made.evaluation.options["revenue"].terms.low > 0
    assert np.isfinite(made.score(NEW)["expected_value"]).all()
