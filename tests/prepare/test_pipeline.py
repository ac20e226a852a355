import numpy as np
import pandas as pd
import pytest
from catboost import CatBoostClassifier

from leadmodel.leads.convert import read_leads
from leadmodel.leads.infer import infer_schema
from leadmodel.leads.sample import SAMPLE_RECIPE
from leadmodel.prepare.pipeline import fit_bag, fit_pipeline
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.publishing.files import dump_pipeline
from leadmodel.training.portfolio import SETTINGS


@pytest.fixture(scope="module")
def learned(sample: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray, list[str]]:
    schema = infer_schema(sample, SAMPLE_RECIPE)
    return read_leads(schema, sample), (sample["status"] == "Won").to_numpy(int), schema.text_columns


@pytest.mark.parametrize(
    "names", [("default",) * 3, ("plain",) * 3, ("default", *SETTINGS)], ids=["default", "plain", "blend"]
)
def test_the_bag_is_exactly_the_mean_of_its_members(
    learned: tuple[pd.DataFrame, np.ndarray, list[str]], names: tuple[str, ...]
) -> None:
    X, y, texts = learned
    parameters = TrainingSettings().classifier_parameters(len(y)) | {"iterations": 40}
    settings = [
        parameters | SETTINGS.get(name, {}) | {"random_seed": seed} for seed, name in enumerate(names)
    ]
    bag = fit_bag(X, y, texts, settings, lambda step: None)
    members = [CatBoostClassifier(**each, cat_features=tuple(texts)).fit(X, y) for each in settings]
    unseen = X.assign(city=pd.Categorical(["Nowhere"] * len(X)))
    for leads in (X, unseen):
        mean = np.mean([one.predict(leads, prediction_type="RawFormulaVal") for one in members], axis=0)
        np.testing.assert_allclose(bag.predict(leads, prediction_type="RawFormulaVal"), mean, atol=1e-12)


def test_the_pipeline_takes_gaps_and_unseen_values_and_is_trusted(
    sample: pd.DataFrame, learned: tuple[pd.DataFrame, np.ndarray, list[str]]
) -> None:
    X, y, _ = learned
    schema = infer_schema(sample, SAMPLE_RECIPE)
    settings = TrainingSettings(n_members=2)
    members = settings.members(settings.classifier_parameters(len(y)), 8)
    pipeline = fit_pipeline(schema, X, y, members, lambda step: None)
    raw = sample.head(3).assign(city=[None, "Nowhere", "City 001"], age=[None, 1e9, 30])
    assert np.isfinite(pipeline.predict_proba(raw)).all()
    assert dump_pipeline(pipeline)


def test_the_pipeline_assumes_the_mean_where_no_training_lead_had_a_gap(
    sample: pd.DataFrame, learned: tuple[pd.DataFrame, np.ndarray, list[str]]
) -> None:
    X, y, _ = learned
    schema = infer_schema(sample, SAMPLE_RECIPE)
    settings = TrainingSettings(n_members=2)
    members = settings.members(settings.classifier_parameters(len(y)), 8)
    # Of a part of the leads, whose own means differ.
    part = np.flatnonzero(X["minutes_on_site"] > X["minutes_on_site"].quantile(0.3))
    pipeline = fit_pipeline(schema, X.iloc[part], y[part], members, lambda step: None)
    columns = pipeline["columns"]
    numbers = ["website_visits", "minutes_on_site", "emails_opened", "age"]
    filled = columns.transform(sample.assign(**dict.fromkeys(numbers, np.nan)))
    for name in numbers[:-1]:
        np.testing.assert_allclose(filled[name], sample[name].mean())
    assert filled["age"].isna().all()
    assert list(filled.columns) == schema.columns
    # Truth values come as they are from other readers of files.
    assert columns.transform(sample.assign(emails_opened=True))["emails_opened"].eq(1).all()
