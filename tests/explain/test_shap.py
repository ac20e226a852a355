import copy
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from catboost import CatBoostClassifier, Pool
from hostile import with_model

from leadmodel.explain import shap as contributions
from leadmodel.explain.shap import ShapExplainer
from leadmodel.leads.convert import read_leads
from leadmodel.leads.field import MISSING
from leadmodel.model import LeadModel
from leadmodel.prepare.pipeline import fit_bag
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.publishing.files import dump_pipeline, write_folder

Learned = tuple[pd.DataFrame, npt.NDArray[np.int64], list[str]]


@pytest.fixture(scope="module")
def learned(model: LeadModel, sample: pd.DataFrame) -> Learned:
    y = (sample["status"] == "Won").to_numpy(int)
    return read_leads(model.schema, sample), y, model.schema.text_columns


@pytest.fixture(scope="module")
def odd(learned: Learned) -> Pool:
    """Leads with gaps, unseen values and numbers far out of range, each in any company."""
    X, _, texts = learned
    draw = np.random.default_rng(7)

    def spoil(name: str) -> npt.NDArray[Any]:
        strange, kind = ([MISSING, "Nowhere"], object) if name in texts else ([math.nan, -1e9, 1e9], float)
        return np.where(draw.random(len(X)) < 0.3, draw.choice(strange, len(X)), X[name].astype(kind))

    return Pool(pd.DataFrame({name: spoil(name) for name in X.columns}), cat_features=texts)


def fit(learned: Learned, **parameters: str) -> CatBoostClassifier:
    X, y, texts = learned
    return CatBoostClassifier(
        iterations=10, cat_features=texts, verbose=False, allow_writing_files=False, **parameters
    ).fit(X, y)


def check(made: ShapExplainer, leads: Pool, *, tabulated: bool) -> None:
    """Check how contributions are had, that they are CatBoost's own, and add up to the log-odds."""
    assert made.is_tabulated == tabulated
    found, classifier = made.contributions(leads), made.classifier
    own = classifier.get_feature_importance(leads, type="ShapValues")
    np.testing.assert_allclose(found, own, rtol=0, atol=1e-9)
    if tabulated:  # CatBoost's own do not add up where trees are not symmetric
        log_odds = classifier.predict(leads, prediction_type="RawFormulaVal")
        np.testing.assert_allclose(found.sum(axis=1), log_odds, rtol=0, atol=1e-9)


def test_the_contributions_of_a_published_model_are_looked_up(folder: Path, odd: Pool) -> None:
    check(LeadModel.from_pretrained(folder).predictor.explainer, odd, tabulated=True)


@pytest.mark.parametrize("boosting", ["Ordered", "Plain"])
@pytest.mark.parametrize("one_hot", [2, 10, 255], ids=lambda size: f"one-hot up to {size}")
@pytest.mark.parametrize("depth", [1, 4, 7], ids=lambda depth: f"depth {depth}")
def test_contributions_are_those_of_catboost(
    learned: Learned, odd: Pool, boosting: str, one_hot: int, depth: int
) -> None:
    X, y, texts = learned
    parameters = TrainingSettings(depth=depth, one_hot_max_size=one_hot).classifier_parameters(len(y))
    parameters |= {"iterations": 20, "boosting_type": boosting}
    members = [parameters, parameters | {"random_seed": 1}]
    check(ShapExplainer(fit_bag(X, y, texts, members, lambda step: None)), odd, tabulated=True)


def test_contributions_of_a_calibrated_model_make_its_log_odds(learned: Learned, odd: Pool) -> None:
    fitted = fit(learned)
    expected = fitted.get_feature_importance(odd, type="ShapValues") * 0.8
    expected[:, -1] += 0.1
    fitted.set_scale_and_bias(0.8, 0.1)
    made = ShapExplainer(fitted)
    assert made.is_tabulated
    for found in (made.contributions(odd), made.ask(odd)):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)
    log_odds = fitted.predict(odd, prediction_type="RawFormulaVal")
    np.testing.assert_allclose(expected.sum(axis=1), log_odds, rtol=0, atol=1e-9)


def test_a_published_model_that_is_calibrated_opens_and_explains(model: LeadModel, tmp_path: Path) -> None:
    pipeline = copy.deepcopy(model.pipeline)
    pipeline[-1].set_scale_and_bias(0.8, 0.1)
    write_folder(tmp_path / "model", with_model(model, dump_pipeline(pipeline)))
    opened, lead = LeadModel.from_pretrained(tmp_path / "model"), model.schema.example()
    plain, found = model.answer(lead).explanation, opened.answer(lead).explanation
    assert plain is not None and found is not None
    assert found.log_odds == pytest.approx(0.8 * plain.log_odds + 0.1, abs=1e-9)


def test_one_lead_has_the_contributions_that_it_has_among_many(model: LeadModel, learned: Learned) -> None:
    X, _, texts = learned
    many = model.predictor.explainer.contributions(Pool(X, cat_features=texts))
    for row in range(0, len(X), 100):
        one = model.predictor.explainer.contributions(Pool(X.iloc[[row]], cat_features=texts), 1)
        np.testing.assert_array_equal(one[0], many[row])


@pytest.mark.parametrize("policy", ["Depthwise", "Lossguide"])
def test_catboost_is_asked_where_trees_are_not_symmetric(learned: Learned, odd: Pool, policy: str) -> None:
    check(ShapExplainer(fit(learned, grow_policy=policy)), odd, tabulated=False)


def test_catboost_is_asked_where_leaves_have_no_weights(
    learned: Learned, odd: Pool, tmp_path: Path
) -> None:
    path = tmp_path / "model.json"
    fit(learned).save_model(path, format="json")
    saved = json.loads(path.read_text())
    for tree in saved["oblivious_trees"]:
        del tree["leaf_weights"]
    path.write_text(json.dumps(saved))
    check(ShapExplainer(CatBoostClassifier().load_model(path, format="json")), odd, tabulated=False)


def test_catboost_is_asked_where_a_table_would_be_too_large(
    learned: Learned, odd: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contributions, "MAX_CELLS", 1000)
    check(ShapExplainer(fit(learned)), odd, tabulated=False)


def test_catboost_is_asked_where_the_table_is_wrong(
    learned: Learned, odd: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contributions, "_read_split", lambda described: (0,))
    check(ShapExplainer(fit(learned)), odd, tabulated=False)
