from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from leadmodel.errors import InputError, LeadError, ModelError
from leadmodel.leads.convert import read_leads
from leadmodel.leads.sample import make_sample
from leadmodel.model import LeadModel

NEW = make_sample(200, random_state=9).drop(columns=["status"])


def test_the_service_scores_as_the_published_pipeline_does(model: LeadModel) -> None:
    numbers = [name for name in model.schema.columns if name not in model.schema.text_columns]
    for leads in (NEW, NEW.assign(**dict.fromkeys(numbers, np.nan))):
        raw = leads.astype({name: object for name in model.schema.text_columns})
        expected = model.pipeline.predict_proba(raw)[:, 1]
        np.testing.assert_allclose(model.predict_proba(leads)[:, 1], expected, atol=1e-12)


def test_one_lead_scores_as_the_same_lead_in_a_table(model: LeadModel) -> None:
    leads = pd.concat([NEW, NEW.assign(website_visits=np.nan, age=np.nan)], ignore_index=True)
    scored = model.score(leads)
    answers = model.answers(leads.to_dict("records"))
    for name in ("probability", "score", "grade", "decision"):
        assert [getattr(answer, name) for answer in answers] == scored[name].tolist()


def test_a_saved_model_answers_as_before(model: LeadModel, folder: Path) -> None:
    opened = LeadModel.from_pretrained(folder)
    assert opened.answers(NEW.to_dict("records"), reasons=True) == model.answers(
        NEW.to_dict("records"), reasons=True
    )
    assert opened.files == model.files


def test_a_score_keeps_the_index_of_its_lead(model: LeadModel) -> None:
    part = NEW.sample(20, random_state=0)
    assert model.score(part).index.equals(part.index)


def test_the_grade_falls_with_the_probability(model: LeadModel) -> None:
    scored = model.score(NEW).sort_values("probability")
    assert scored["score"].is_monotonic_increasing
    assert scored["grade"].astype(str).is_monotonic_decreasing


def test_a_number_that_no_training_lead_lacked_is_assumed_typical(model: LeadModel) -> None:
    lead = NEW.iloc[0].to_dict()
    visits = model.schema.by_name["website_visits"].assumed
    given = model.answer(lead | {"website_visits": visits})
    assumed = model.answer(lead | {"website_visits": None})
    assert assumed.probability == given.probability
    assert [remark.field for remark in assumed.warnings] == [
        *(remark.field for remark in given.warnings),
        "website_visits",
    ]


def test_an_empty_list_has_no_answers(model: LeadModel) -> None:
    assert model.answers([]) == []


def test_a_lead_of_many_that_cannot_be_read_is_named(model: LeadModel) -> None:
    with pytest.raises(LeadError, match=r"Row 2: the field 'age' must be a number"):
        model.answers([{"age": 30}, {"age": "old"}])


@pytest.mark.parametrize("odd", ["x" * 1_000_000, "<script>", "=1+1", "😀", "'\"", ""], ids=repr)
def test_any_text_is_scored(model: LeadModel, odd: str) -> None:
    answer = model.answer({"source": odd})
    assert 0 < answer.probability < 1


def test_a_table_without_a_field_is_refused(model: LeadModel) -> None:
    with pytest.raises(InputError, match=r"  - age \(missing\)"):
        model.score(NEW.drop(columns="age"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("model.skops", b"x", "the file was changed or damaged"),
        ("config.json", b"\xff", "config.json must be UTF-8 text"),
        ("profile.json", b"{}", "profile.json cannot be read: Field required"),
        ("metrics.json", b"[]", "metrics.json cannot be read"),
    ],
)
def test_a_damaged_file_is_named(folder: Path, name: str, content: bytes, message: str) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(ModelError, match=message):
        LeadModel.from_pretrained(folder)


def test_files_of_two_models_are_told_apart(model: LeadModel) -> None:
    profile = model.files["profile.json"].replace(b'"age"', b'"years"')
    with pytest.raises(ModelError, match=r"profile.json and config.json must be of one model"):
        LeadModel(model.files | {"profile.json": profile})
    config = model.files["config.json"].replace(b'"age"', b'"years"')
    with pytest.raises(ModelError, match=r".(skops|json) and config.json must be of one model"):
        LeadModel(model.files | {"config.json": config})


def test_typed_leads_lack_nothing(model: LeadModel) -> None:
    typed = read_leads(model.schema, NEW)
    assert list(typed.columns) == model.schema.columns
    assert not typed[model.schema.text_columns].isna().any().any()
    assert isinstance(typed["source"].dtype, pd.CategoricalDtype)


def test_classes_are_those_of_scikit_learn(model: LeadModel) -> None:
    proba = model.predict_proba(NEW)
    assert proba.shape == (200, 2)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_array_equal(proba[:, 1], model.score(NEW)["probability"])
    assert model.classes_.tolist() == ["not Won", "Won"]
    expected = np.where(proba[:, 1] >= model.config.decision.threshold, "Won", "not Won")
    assert model.predict(NEW).tolist() == expected.tolist()


def test_contributions_sum_to_the_log_odds(model: LeadModel) -> None:
    leads = NEW.set_axis(range(1000, 1200))
    explained = model.explain(leads)
    assert list(explained.columns) == [*model.schema.by_name, "(base)"]
    assert explained.index.equals(leads.index)
    probability = model.predict_proba(leads)[:, 1]
    np.testing.assert_allclose(explained.sum(axis=1), np.log(probability / (1 - probability)), atol=1e-9)


def test_a_few_leads_score_as_among_many(model: LeadModel) -> None:
    """They go to CatBoost by another route."""
    few = [model.score(NEW.iloc[start : start + 10]) for start in range(0, 200, 10)]
    pd.testing.assert_frame_equal(pd.concat(few), model.score(NEW))
