import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from leadmodel.errors import InputError, ModelError
from leadmodel.leads.convert import read_leads
from leadmodel.leads.infer import infer_schema
from leadmodel.leads.recipe import Recipe
from leadmodel.leads.sample import SAMPLE_RECIPE, make_sample
from leadmodel.metrics.classification import Estimate
from leadmodel.model import LeadModel
from leadmodel.prepare.pipeline import fit_pipeline
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.prepare.split import Folds
from leadmodel.report.refinements import Calibration
from leadmodel.training.interface import train_model
from leadmodel.training.refinements import calibrated, fit_calibration

RNG = np.random.default_rng(5)
TRUE = RNG.uniform(0.05, 0.95, 4000)
Y = (RNG.random(4000) < TRUE).astype(np.int64)
FOLDS = Folds(3, 0)
SETTINGS = TrainingSettings(max_trees=30, n_folds=3, n_members=2)


def odds(probability: np.ndarray) -> np.ndarray:
    return np.log(probability / (1 - probability))


def test_true_probabilities_are_left_alone() -> None:
    calibration, oof_probability = fit_calibration(Y, TRUE, FOLDS)
    assert not calibration.is_used
    np.testing.assert_array_equal(oof_probability, TRUE)
    assert (calibration.scale, calibration.shift) == (
        pytest.approx(1, abs=0.1),
        pytest.approx(0, abs=0.1),
    )


def test_probabilities_too_sure_of_themselves_are_put_right() -> None:
    sure = 1 / (1 + np.exp(-(2 * odds(TRUE) + 0.5)))
    calibration, oof_probability = fit_calibration(Y, sure, FOLDS)
    assert calibration.is_used
    assert calibration.scale == pytest.approx(0.5, abs=0.05)
    assert calibration.shift == pytest.approx(-0.25, abs=0.06)
    assert np.abs(oof_probability - TRUE).max() < 0.05


def test_the_line_is_drawn_in_log_odds() -> None:
    expected = 1 / (1 + np.exp(-(0.7 * odds(TRUE) - 0.2)))
    np.testing.assert_allclose(calibrated(TRUE, 0.7, -0.2), expected)


@pytest.mark.parametrize("high", [-0.001, 0.001], ids=["helps", "in doubt"])
def test_a_calibration_that_helps_is_inside_the_pipeline(high: float) -> None:
    sample = make_sample(600, random_state=1)
    schema = infer_schema(sample, SAMPLE_RECIPE)
    X, y = read_leads(schema, sample), (sample["status"] == "Won").to_numpy(np.int64)
    change = Estimate(value=-0.002, low=-0.003, high=high)
    calibration = Calibration(scale=0.6, shift=0.3, change=change)
    members = SETTINGS.members(SETTINGS.classifier_parameters(len(y)), 24)
    plain = fit_pipeline(schema, X, y, members, lambda step: None)
    inside = fit_pipeline(schema, X, y, members, lambda step: None, calibration.line)
    before = plain.predict_proba(X)[:, 1]
    expected = calibrated(before, 0.6, 0.3) if high < 0 else before
    np.testing.assert_allclose(inside.predict_proba(X)[:, 1], expected, atol=1e-12)


SEGMENT_RNG = np.random.default_rng(8)
N = 4000
RECIPE = Recipe(target="won")
SEGMENT_SETTINGS = TrainingSettings(
    max_trees=12, n_folds=3, n_members=2, depth=2, segment_by="branch", race_below=0
)


def make_leads() -> pd.DataFrame:
    """Leads of which those of one branch, and no others, convert by age and visits."""
    leads = pd.DataFrame(
        {
            "branch": SEGMENT_RNG.choice(["North", "South", "Tiny"], N, p=[0.6, 0.35, 0.05]),
            "age": SEGMENT_RNG.normal(size=N),
            "visits": SEGMENT_RNG.normal(size=N),
            "noise": SEGMENT_RNG.normal(size=N),
        }
    )
    signal = np.where(leads["branch"] == "South", 2.5 * (leads["age"] * leads["visits"] > 0), 0)
    leads["won"] = (SEGMENT_RNG.random(N) < 1 / (1 + np.exp(1 - signal))).astype(int)
    return leads


LEADS = make_leads()


@pytest.fixture(scope="module")
def parted() -> LeadModel:
    return train_model(LEADS, RECIPE, SEGMENT_SETTINGS)


def test_only_what_is_visibly_better_has_a_model_of_its_own(parted: LeadModel) -> None:
    found = parted.evaluation.parts
    assert found is not None
    assert {part.value: part.is_used for part in found.tried} == {"North": False, "South": True}
    assert list(parted.parts) == ["South"]


def test_leads_are_answered_by_their_part_or_by_the_model_of_all(parted: LeadModel) -> None:
    new = LEADS.tail(300).assign(branch=[*["South"] * 100, *["North"] * 100, *["Unseen"] * 100])
    typed = read_leads(parted.schema, new)
    everyone, own = (made.predict_proba(typed)[:, 1] for made in (parted.pipeline, parted.parts["South"]))
    expected = np.where(np.arange(300) < 100, own, everyone)
    np.testing.assert_allclose(parted.predict_proba(new)[:, 1], expected, atol=1e-12)
    answers = parted.answers(new.drop(columns="won").to_dict("records"), reasons=True)
    np.testing.assert_allclose([answer.probability for answer in answers], expected, atol=1e-12)
    for answer in answers:
        assert answer.explanation is not None
        odds = np.log(answer.probability / (1 - answer.probability))
        assert answer.explanation.log_odds == pytest.approx(odds, abs=1e-6)


def test_a_folder_keeps_the_parts(parted: LeadModel, tmp_path: Path) -> None:
    parted.save_pretrained(tmp_path / "model")
    opened = LeadModel.from_pretrained(tmp_path / "model")
    np.testing.assert_array_equal(opened.predict_proba(LEADS), parted.predict_proba(LEADS))
    train_model(LEADS, RECIPE, SEGMENT_SETTINGS.model_copy(update={"segment_by": None})).save_pretrained(
        tmp_path / "model"
    )
    assert not (tmp_path / "model" / "parts").exists()


def test_the_card_tells_how_to_use_the_parts(parted: LeadModel, tmp_path: Path) -> None:
    parted.save_pretrained(tmp_path / "model")
    card = (tmp_path / "model" / "README.md").read_text()
    assert "| South |" in card
    snippet = card.split("```python\n")[1].split("```")[0]
    done = subprocess.run(
        [sys.executable, "-c", snippet], cwd=tmp_path / "model", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    example = pd.DataFrame([parted.schema.example()])
    assert float(done.stdout.strip(" []\n")) == pytest.approx(parted.predict_proba(example)[0, 1], abs=1e-7)


@pytest.mark.parametrize("change", ["lacking", "foreign", "changed"])
def test_parts_that_are_not_those_of_the_configuration_are_refused(parted: LeadModel, change: str) -> None:
    files = dict(parted.files)
    if change == "lacking":
        del files["parts/0.skops"]
    elif change == "foreign":
        files["parts/1.skops"] = files["parts/0.skops"]
    else:
        files["parts/0.skops"] = files["model.skops"]
    with pytest.raises(ModelError, match=r"files beside model.skops must be those|must have the sha256"):
        LeadModel(files)


def test_a_field_that_cannot_divide_leads_is_refused() -> None:
    with pytest.raises(InputError, match=r"takes a field of texts that the model uses: branch. Got 'age'"):
        train_model(LEADS, RECIPE, SEGMENT_SETTINGS.model_copy(update={"segment_by": "age"}))


def test_every_step_is_told() -> None:
    steps: list[str] = []
    train_model(LEADS.head(1500), RECIPE, SEGMENT_SETTINGS, steps.append)
    assert [step for step in steps if step.startswith("segment model")] == [
        "segment model of North",
        "segment model of South",
    ]


def test_the_curve_over_the_parts_asks_the_model_of_each(parted: LeadModel) -> None:
    lead = parted.schema.example()
    curve = parted.curve(lead, "branch")
    answers = [parted.answer(lead | {"branch": value}).probability for value in curve.values]
    assert {"North", "South"} <= set(curve.values)
    assert curve.probabilities == pytest.approx(answers)
