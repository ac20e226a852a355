import numpy as np
import pandas as pd
import pytest

from leadmodel.leads.convert import read_leads
from leadmodel.leads.infer import infer_schema
from leadmodel.leads.recipe import Recipe
from leadmodel.metrics.slices import evaluate_slices
from leadmodel.model import LeadModel

RNG = np.random.default_rng(6)
N = 3000
LEADS = pd.DataFrame(
    {
        "source": RNG.choice(["web", "fair", "rare"], N, p=[0.6, 0.38, 0.02]),
        "mail": RNG.choice(["yes", "no"], N),
        "called": RNG.integers(0, 2, N),
        "age": RNG.integers(18, 70, N),
        "won": RNG.integers(0, 2, N),
    }
)
SCHEMA = infer_schema(LEADS, Recipe(target="won"))
X, Y = read_leads(SCHEMA, LEADS), LEADS["won"].to_numpy(np.int64)
TRUE = 0.5 + 0.3 * (Y - 0.5) + RNG.uniform(-0.2, 0.2, N)


def test_the_value_whose_probabilities_run_high_is_named_first() -> None:
    fair = (LEADS["source"] == "fair").to_numpy()
    probability = np.where(fair, TRUE + 0.1, TRUE)
    worst, *rest = evaluate_slices(SCHEMA, X, Y, probability, 0.5)
    assert (worst.field, worst.value) == ("source", "fair")
    overall = 100 * (probability - Y).mean()
    points = f"{100 * worst.gap.value:.0f} points too high"
    assert worst.verdict == f"probabilities are {points} ({overall:+.0f} over all leads)"
    assert worst.gap.value == pytest.approx(float((TRUE + 0.1 - Y)[fair].mean()))
    assert (worst.n_leads, worst.n_converted) == (fair.sum(), Y[fair].sum())
    assert not any(level.verdict for level in rest)


def test_where_leads_are_not_told_apart_it_is_said() -> None:
    no = (LEADS["mail"] == "no").to_numpy()
    levels = evaluate_slices(SCHEMA, X, Y, np.where(no, RNG.uniform(0.4, 0.6, N), TRUE), 0.9)
    verdicts = {(level.field, level.value): level.verdict for level in levels}
    assert "ranked less well than overall" in verdicts["mail", "no"]
    assert verdicts["mail", "yes"] == ""


def test_values_of_few_leads_and_numbers_are_not_judged() -> None:
    found = {(level.field, level.value) for level in evaluate_slices(SCHEMA, X, Y, TRUE, 0.5)}
    texts = {("source", "web"), ("source", "fair"), ("mail", "yes"), ("mail", "no")}
    assert found == texts | {("called", "Yes"), ("called", "No")}


def test_the_card_shows_the_levels(model: LeadModel) -> None:
    card = model.files["README.md"].decode()
    assert model.evaluation.levels
    worst = model.evaluation.levels[0]
    assert f"| {worst.value} | {worst.n_leads:,} |" in card
