import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from models import trained
from support import ROOT, command

import leadmodel
from leadmodel.drift.drift import measure_drift
from leadmodel.errors import InputError
from leadmodel.leads.recipe import Recipe
from leadmodel.leads.sample import SAMPLE_RECIPE, make_sample
from leadmodel.model import LeadModel
from leadmodel.prepare.data import prepare, prepare_all
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.serving.service import ScoringService
from leadmodel.training.fit import fit
from leadmodel.training.interface import train_model
from leadmodel.training.package import package

LEADS = make_sample(300, random_state=8)
TARGET = {"target": "status", "positive": "Won", "id": "lead_id"}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("leads") / "spring.csv"
    LEADS.to_csv(path, index=False)
    return path


def test_a_file_and_a_table_give_the_model_of_the_command(file: Path, tmp_path: Path) -> None:
    options = ("--target", "status", "--positive", "Won", "--id", "lead_id", "--bands", "A=70", "B=0")
    done = command("-m", "leadmodel", "train", file, *options, "--output", tmp_path / "model")
    assert done.returncode == 0, done.stderr
    commanded = leadmodel.LeadModel.from_pretrained(tmp_path / "model")
    steps: list[str] = []
    bands = {"A": 70, "B": 0}
    made = leadmodel.train(file, **TARGET, bands=bands, progress=steps.append)
    assert steps[0] == "fold 1 of 5"
    assert made.config.title == commanded.config.title == "spring"
    assert made.config.decision == commanded.config.decision
    assert made.config.training.settings == commanded.config.training.settings
    assert made.config.training.fingerprint == commanded.config.training.fingerprint
    assert made.evaluation.test == commanded.evaluation.test
    np.testing.assert_array_equal(
        made.score(LEADS)["probability"].to_numpy(), commanded.score(LEADS)["probability"].to_numpy()
    )


def test_an_audit_reads_as_the_report_of_the_command(file: Path) -> None:
    done = command("-m", "leadmodel", "check", file, "--target", "status", "--id", "lead_id")
    audit = leadmodel.check(LEADS, target="status", id="lead_id")
    assert f"{audit!r}\n" == done.stdout
    assert audit.suspects == ()
    assert "few leads" in {finding.kind for finding in audit.findings}
    suspicious = LEADS.assign(stage=LEADS["status"].replace({"Won": "a", "Lost": "b"}))
    assert leadmodel.check(suspicious, target="status", id=["lead_id"]).suspects == ("stage",)


@pytest.mark.parametrize(
    ("options", "flags", "message"),
    [
        ({"target": "statsu"}, ("--target", "statsu"), "The target column 'statsu' is not among"),
        ({"drop": "cuorse"}, ("--drop", "cuorse"), "No column is named 'cuorse'. Did you mean 'course'?"),
        ({"tune": -1}, ("--tune", "-1"), "--tune takes minutes, 0 or more. Got -1"),
        ({"cost": 5.0}, ("--cost", "5"), "--value and --cost must be given together"),
        ({"segments": 1}, ("--segments", "1"), "A single segment would be all leads"),
        ({"segment_by": "age"}, ("--segment-by", "age"), "--segment-by takes a field of texts"),
    ],
    ids=["target", "drop", "tune", "cost", "segments", "segment by"],
)
def test_errors_are_the_sentences_of_the_command(
    file: Path, tmp_path: Path, options: dict[str, object], flags: tuple[str, ...], message: str
) -> None:
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        leadmodel.train(LEADS, **(TARGET | options))
    target = () if "target" in options else ("--target", "status")
    named = (*target, "--positive", "Won", "--id", "lead_id")
    done = command("-m", "leadmodel", "train", file, *named, *flags, "--output", tmp_path / "model")
    assert done.returncode == 2
    assert str(caught.value).removesuffix(".") in done.stderr.replace("-1.0", "-1")


def test_segments_are_a_number_or_auto() -> None:
    with pytest.raises(InputError, match=r"--segments takes a number or auto\. Got 'many' instead"):
        leadmodel.train(LEADS, **TARGET, segments="many")


def test_importing_the_package_costs_next_to_nothing() -> None:
    heavy = "{'numpy', 'pandas', 'catboost', 'sklearn', 'matplotlib', 'gradio'}"
    code = f"import sys, leadmodel; print({heavy} & set(sys.modules)); leadmodel.LeadModel"
    code += "; print({'matplotlib', 'gradio', 'fastapi'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["set()", "set()"]


def test_types_of_any_table_will_do() -> None:
    odd = LEADS.convert_dtypes().astype({"source": "category"})
    odd["created_at"] = pd.to_datetime(odd["created_at"])
    schemas = [leadmodel.check(leads, **TARGET).data.schema for leads in (odd, LEADS)]
    assert schemas[0].columns == schemas[1].columns


NEW = make_sample(100, random_state=9)


def test_the_same_leads_and_seed_give_the_same_model(
    model: LeadModel, sample: pd.DataFrame, quick: TrainingSettings
) -> None:
    again = train_model(sample, SAMPLE_RECIPE, quick)
    np.testing.assert_array_equal(again.predict_proba(NEW), model.predict_proba(NEW))
    assert again.evaluation.test == model.evaluation.test
    assert again.evaluation.cross_validated == model.evaluation.cross_validated
    assert again.config.decision == model.config.decision


@pytest.mark.parametrize(
    ("rule", "minutes"),
    [
        ({}, 0),
        ({"min_precision": 0.6}, 0),
        ({"min_recall": 0.8}, 0),
        ({"budget": "5/day"}, 0),
        ({"value": 400.0, "cost": 90.0}, 0),
        ({}, 10),
    ],
    ids=["best F1", "precision", "recall", "budget", "profit", "tuned"],
)
def test_test_leads_touch_nothing_but_the_metrics(
    sample: pd.DataFrame,
    quick: TrainingSettings,
    monkeypatch: pytest.MonkeyPatch,
    rule: dict[str, float],
    minutes: float,
) -> None:
    # Two fruitless trials end the search, so that it is the same on any machine.
    monkeypatch.setattr("leadmodel.training.tuning.N_FRUITLESS", 2)
    settings = quick.model_copy(update={"tune_minutes": minutes})
    recipe = SAMPLE_RECIPE.updated(decision=SAMPLE_RECIPE.decision.updated(**rule))
    model = train_model(sample, recipe, settings)
    changed = sample.copy()
    newest = changed.index[-240:]
    flipped = changed.loc[newest, "status"].map({"Won": "Lost", "Lost": "Won"})
    changed.loc[newest, "status"] = flipped
    changed.loc[newest, "age"] = 1e6
    changed.loc[newest, "source"] = "A source of the future"
    other = train_model(changed, recipe, settings)
    assert other.schema == model.schema
    assert other.config.decision == model.config.decision
    assert other.config.training.parameters == model.config.training.parameters
    assert other.evaluation.calibration == model.evaluation.calibration
    assert other.evaluation.cross_validated == model.evaluation.cross_validated
    # Only the probabilities to compare new ones with are those of the test leads.
    assert other.profile.model_copy(update={"outputs": model.profile.outputs}) == model.profile
    np.testing.assert_array_equal(other.predict_proba(NEW), model.predict_proba(NEW))
    assert other.evaluation.test != model.evaluation.test


def test_the_newest_leads_are_the_test_leads(model: LeadModel, sample: pd.DataFrame) -> None:
    training = model.config.training
    assert (training.n_train, model.evaluation.n_test) == (960, 240)
    assert training.time_range is not None
    assert training.time_range[1] <= sample["created_at"].iloc[960]


def test_the_order_of_the_rows_does_not_choose_the_test_leads(
    model: LeadModel, sample: pd.DataFrame, quick: TrainingSettings
) -> None:
    shuffled = train_model(sample.sample(frac=1, random_state=1), SAMPLE_RECIPE, quick)
    assert shuffled.evaluation.n_test_converted == model.evaluation.n_test_converted
    assert shuffled.config.training.time_range == model.config.training.time_range


def test_without_times_the_split_keeps_the_shares(sample: pd.DataFrame, quick: TrainingSettings) -> None:
    made = train_model(
        sample.drop(columns="created_at"), SAMPLE_RECIPE.model_copy(update={"time": None}), quick
    )
    share = made.evaluation.n_test_converted / made.evaluation.n_test
    assert share == pytest.approx(made.profile.leads.rate, abs=0.01)


def test_leads_without_an_outcome_are_left_out(sample: pd.DataFrame, quick: TrainingSettings) -> None:
    leads = sample.copy()
    leads.loc[::10, "status"] = None
    made = train_model(leads, SAMPLE_RECIPE, quick)
    assert made.config.training.n_train + made.evaluation.n_test == 1080


def test_suspects_are_told_before_training_and_stay(sample: pd.DataFrame, quick: TrainingSettings) -> None:
    leads = sample.assign(stage=sample["status"].replace({"Won": "a", "Lost": "b"}))
    data = prepare(leads, SAMPLE_RECIPE, quick)
    assert data.audit.suspects == ("stage",)
    made = package(fit(data, quick))
    assert made.evaluation.audit == data.audit
    assert "stage" in made.schema.by_name
    assert "The model uses stage." in made.files["README.md"].decode()


def test_suspects_are_left_out_on_request(
    model: LeadModel, sample: pd.DataFrame, quick: TrainingSettings
) -> None:
    leads = sample.assign(stage=sample["status"].replace({"Won": "a", "Lost": "b"}))
    made = train_model(leads, SAMPLE_RECIPE, quick.model_copy(update={"drop_leaks": True}))
    assert made.schema.ignored == model.schema.ignored | {"stage": "suspected leak: copy of the outcome"}
    assert made.config.training.settings["drop_leaks"] is True
    assert made.evaluation.audit.suspects == ("stage",)
    assert "The model uses" not in made.files["README.md"].decode()
    np.testing.assert_array_equal(made.predict_proba(NEW), model.predict_proba(NEW))


def test_progress_is_told_step_by_step(sample: pd.DataFrame, quick: TrainingSettings) -> None:
    steps: list[str] = []
    train_model(sample, SAMPLE_RECIPE, quick, steps.append)
    assert steps[:3] == ["fold 1 of 3", "fold 2 of 3", "fold 3 of 3"]
    assert steps[3:7] == ["Prior", "Logistic regression", "Random forest", "Histogram gradient boosting"]
    assert steps[7:] == ["model 1 of 2", "model 2 of 2", "model evaluated"]


@pytest.mark.parametrize(
    ("change", "recipe", "message"),
    [
        ({}, {"target": None}, "Name it with --target"),
        ({}, {"target": "won"}, "target column 'won' is not among"),
        ({}, {"time": "when"}, "time column 'when' is not among"),
        ({"status": "Won"}, {}, "must have two outcomes. It has only 'Won'"),
        ({"source": [["a"]] * 1200}, {}, "The column 'source' must have single values"),
    ],
    ids=["no target", "lacking target", "lacking time", "constant target", "lists"],
)
def test_leads_that_cannot_be_learned_from_are_refused(
    sample: pd.DataFrame,
    quick: TrainingSettings,
    change: dict[str, object],
    recipe: dict[str, object],
    message: str,
) -> None:
    with pytest.raises(InputError, match=message):
        train_model(sample.assign(**change), SAMPLE_RECIPE.model_copy(update=recipe), quick)


def test_too_few_leads_are_refused(sample: pd.DataFrame, quick: TrainingSettings) -> None:
    with pytest.raises(InputError, match=r"At least 40 converted and 40 unconverted leads are needed"):
        train_model(sample.head(60), SAMPLE_RECIPE, quick)


def test_two_columns_of_one_name_are_refused(sample: pd.DataFrame) -> None:
    twice = pd.concat([sample, sample["age"]], axis="columns")
    with pytest.raises(InputError, match="'age' appears more than once"):
        train_model(twice, SAMPLE_RECIPE)


def test_numbers_alone_are_enough(quick: TrainingSettings) -> None:
    rng = np.random.default_rng(0)
    leads = pd.DataFrame(rng.normal(size=(400, 3)), columns=["a", "b", "c"])
    leads["won"] = (leads["a"] + rng.normal(size=400) > 0).astype(int)
    made = train_model(leads, Recipe(target="won"), quick)
    assert made.evaluation.test["roc_auc"].value > 0.6


def test_texts_alone_are_enough(sample: pd.DataFrame, quick: TrainingSettings) -> None:
    leads = sample[["source", "webinar", "occupation", "status"]]
    made = train_model(leads, Recipe(target="status"), quick)
    assert made.evaluation.test["roc_auc"].value > 0.55


def test_answers_say_within_how_many_days(
    sample: pd.DataFrame, quick: TrainingSettings, tmp_path: Path
) -> None:
    came = pd.to_datetime(sample["created_at"])
    days = pd.to_timedelta(np.arange(len(sample)) % 40, unit="D")
    leads = sample.assign(won_on=(came + days).dt.date.astype(str).where(sample["status"] == "Won"))
    recipe = SAMPLE_RECIPE.updated(converted_at="won_on", horizon=30)
    model = trained(leads, recipe, quick)
    assert model.config.horizon == 30
    assert set(model.score(leads.head(200))["decision"]) == {
        "Will convert within 30 days",
        "Will not convert within 30 days",
    }
    assert "about thirty convert within 30 days after they came in" in model.files["README.md"].decode()
    assert ScoringService(model).describe_model()["horizon"] == 30
    # Outcomes of later leads are read alike: those of the last days are not known yet.
    leads.to_csv(tmp_path / "leads.csv", index=False)
    performance = measure_drift(model, tmp_path / "leads.csv").performance
    assert performance is not None
    known = prepare_all(leads, recipe, quick).y
    assert (performance.n_leads, performance.n_converted) == (len(known), known.sum())
    leads.drop(columns="won_on").to_csv(tmp_path / "undated.csv", index=False)
    undated = measure_drift(model, tmp_path / "undated.csv")
    assert undated.performance is None
    assert "the leads need dates in 'created_at' and 'won_on'" in undated.notes[0]
