"""Leads are assigned by plain sums exactly as the saved pipeline assigns them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from kinds import make_kinds

from leadmodel.clusters.assignment import ClusterAssigner
from leadmodel.errors import ModelError
from leadmodel.leads.convert import read_leads
from leadmodel.leads.table import LeadTable
from leadmodel.model import LeadModel
from leadmodel.publishing.files import SEGMENTS_FILE, load_pipeline

RNG = np.random.default_rng(4)
N = 20_000


@pytest.fixture(scope="module")
def pipeline(model_of_kinds: LeadModel):
    content = model_of_kinds.files[SEGMENTS_FILE]
    return load_pipeline(content, model_of_kinds.config.options["segments"].sha256, SEGMENTS_FILE)


@pytest.fixture(scope="module")
def odd() -> pd.DataFrame:
    """Leads of all kinds: usual, absurd, unseen, and lacking what can be lacked."""
    return pd.DataFrame(
        {
            "channel": RNG.choice(["Search", "Partner", "Fair", "Unseen", ""], N),
            "visits": RNG.choice([1e300, -1e300, 0.0, *RNG.normal(10, 8, 50)], N),
            "age": np.where(RNG.random(N) < 0.2, np.nan, RNG.normal(45, 20, N)),
            "colour": RNG.choice(["red", "green", "blue"], N),
        }
    )


def test_many_leads_are_assigned_as_the_pipeline_does(model_of_kinds: LeadModel, pipeline, odd) -> None:
    typed = read_leads(model_of_kinds.schema, odd)
    assignment = model_of_kinds.options["segments"]
    assert assignment is not None
    expected = pipeline.predict(typed)
    assert len(np.unique(expected)) == 3
    np.testing.assert_array_equal(
        assignment.assign(LeadTable.from_frame(model_of_kinds.schema, typed)).codes, expected
    )
    names = model_of_kinds.config.options["segments"].names
    assert model_of_kinds.score(odd)["segment"].tolist() == [names[place] for place in expected]


def test_single_leads_are_assigned_as_many_are(model_of_kinds: LeadModel, pipeline, odd) -> None:
    some = odd.head(400)
    expected = model_of_kinds.score(some)["segment"].tolist()
    leads = some.astype(object).where(some.notna(), None).to_dict("records")
    assert [answer.segment for answer in model_of_kinds.answers(leads)] == expected
    assert model_of_kinds.answer(leads[0]).model_dump(mode="json")["segment"] == expected[0]


def test_none_and_empty_leads_are_answered(model_of_kinds: LeadModel, odd) -> None:
    assert model_of_kinds.score(odd.head(0))["segment"].tolist() == []
    assert model_of_kinds.answer({}).segment in model_of_kinds.config.options["segments"].names


def test_a_folder_keeps_the_segments(model_of_kinds: LeadModel, odd, tmp_path: Path) -> None:
    model_of_kinds.save_pretrained(tmp_path / "model")
    opened = LeadModel.from_pretrained(tmp_path / "model")
    assert opened.evaluation.options["segments"] == model_of_kinds.evaluation.options["segments"]
    pd.testing.assert_frame_equal(opened.score(odd), model_of_kinds.score(odd))


def test_a_practitioner_needs_scikit_learn_and_skops_alone(
    model_of_kinds: LeadModel, odd, tmp_path
) -> None:
    model_of_kinds.save_pretrained(tmp_path / "model")
    opened = skops.io.load(tmp_path / "model" / "segments.skops", trusted=["numpy.dtype"])
    raw = odd.head(50).replace({"channel": {"": np.nan}}).astype({"channel": object, "colour": object})
    names = np.array(model_of_kinds.config.options["segments"].names)
    expected = model_of_kinds.score(odd.head(50))["segment"].tolist()
    assert names[opened.predict(raw[model_of_kinds.schema.columns])].tolist() == expected


@pytest.mark.parametrize(
    ("step", "name", "value"),
    [
        ("groups", "cluster_centers_", np.zeros((2, 3))),
        ("groups", "cluster_centers_", np.full((3, 7), np.nan)),
        ("directions", "mean_", np.zeros(1)),
        ("directions", "components_", np.zeros((7, 2))),
    ],
)
def test_numbers_that_do_not_fit_are_refused(model_of_kinds, pipeline, step, name, value) -> None:
    kept = getattr(pipeline[step], name)
    setattr(pipeline[step], name, value)
    try:
        with pytest.raises(ValueError, match="do not fit each other"):
            ClusterAssigner(
                model_of_kinds.schema, pipeline, model_of_kinds.config.options["segments"].names
            )
    finally:
        setattr(pipeline[step], name, kept)


def test_segments_of_another_model_are_refused(model_of_kinds: LeadModel, model: LeadModel) -> None:
    metrics = model_of_kinds.files["metrics.json"].replace(b'"name": "', b'"name": "Not ')
    with pytest.raises(ModelError, match=r"must be of one model. Their segments differ"):
        LeadModel(model_of_kinds.files | {"metrics.json": metrics})
    with pytest.raises(ModelError, match=r"beside model.skops must be those of config.json, \[\]"):
        LeadModel(model.files | {SEGMENTS_FILE: model_of_kinds.files[SEGMENTS_FILE]})
    lacking = {name: content for name, content in model_of_kinds.files.items() if name != SEGMENTS_FILE}
    with pytest.raises(ModelError, match=r"beside model.skops must be those of config.json"):
        LeadModel(lacking)


def test_kinds_of_new_leads_are_told_apart(model_of_kinds: LeadModel) -> None:
    new = make_kinds(500, random_state=7)
    found = pd.crosstab(new["kind"], model_of_kinds.score(new)["segment"].to_numpy())
    assert found.max(axis=1).sum() > 0.97 * len(new)
