"""Raw events in, answers out: by Python, REST, the named endpoint and the tool."""

import datetime as dt
import json
import random
from collections.abc import Iterator
from typing import Any

import event_logs
import httpx
import pandas as pd
import pytest
from mcp_client import call
from models import trained
from support import running_app

from leadmodel.errors import EventError, InputError
from leadmodel.events.dataset import open_leads, recipe_of_leads
from leadmodel.events.online import OnlineFeatures
from leadmodel.events.tables import read_event_tables
from leadmodel.model import LeadModel
from leadmodel.prepare.settings import TrainingSettings

NOW = dt.datetime(2024, 1, 1)
AT = "2022-09-01"


def tables_of(name: str) -> Any:
    return event_logs.make_tables(name, random.Random(3), 500, 6)


def trained_on(name: str, quick: TrainingSettings) -> LeadModel:
    """Return a model of the features of made-up entities, of whom those with many events convert."""
    recipe, rng = event_logs.load(name), random.Random(1)
    assert recipe.events is not None
    entities = event_logs.entities_of(recipe.events, tables_of(name))
    described = OnlineFeatures(recipe.events).describe(entities, event_logs.MOMENT)
    outcomes = ["Yes" if rng.random() < 0.2 + 0.1 * min(one.n_events, 6) else "No" for one in described]
    leads = pd.DataFrame([one.features for one in described]).assign(converted=outcomes)
    known = recipe_of_leads(recipe, recipe.events).model_copy(update={"time": None, "amount": None})
    return trained(leads, known, quick)


@pytest.fixture(scope="module")
def students(quick: TrainingSettings) -> LeadModel:
    return trained_on("students-365", quick)


@pytest.fixture(scope="module")
def app(students: LeadModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("events") / "model"
    students.save_pretrained(folder)
    with running_app(str(folder)) as address:
        yield address


def called(model: LeadModel, name: str = "students-365") -> list[dict[str, Any]]:
    assert model.event_config is not None
    return event_logs.entities_of(model.event_config, tables_of(name))


def post(address: str, body: Any, query: str = "") -> httpx.Response:
    return httpx.post(f"{address}/api/v1/score-events{query}", json=body, timeout=60)


@pytest.mark.parametrize("name", event_logs.RECIPES)
def test_probabilities_are_those_of_the_leads_of_a_folder(name: str, quick: TrainingSettings) -> None:
    model = trained_on(name, quick)
    config = model.event_config
    assert config is not None
    moment = dt.datetime.fromisoformat(AT)
    with event_logs.written(tables_of(name)) as folder, read_event_tables(folder, config, NOW) as read:
        leads = open_leads(read, config, moment)[0].to_pandas()
    expected = dict(zip(leads[config.entity], model.predict_proba(leads)[:, 1], strict=True))
    answers = model.score_events(called(model, name), AT, reasons=False)
    found = {answer.entity: answer.probability for answer in answers if answer.entity in expected}
    assert len(expected) > 40
    assert found == expected


def test_all_interfaces_give_the_same_answers(app: str, students: LeadModel) -> None:
    entities = called(students)[:20]
    answer = post(app, {"entities": entities, "at": AT}, "?reasons=true")
    assert answer.status_code == 200, answer.text
    expected = [one.model_dump(mode="json") for one in students.score_events(entities, AT)]
    assert answer.json() == expected
    data = {"data": [entities, AT, True]}
    direct = httpx.post(f"{app}/gradio_api/run/predict_events", json=data, timeout=60)
    assert direct.json()["data"][0] == expected
    tool = json.loads(call(app, "predict_events", entities=entities[:2], at=AT).content[0].text)
    assert tool == expected[:2]
    (one,) = post(app, {"entities": entities[:1], "at": AT}).json()
    assert one == expected[0]
    assert one["explanation"]["reasons_for"] or one["explanation"]["reasons_against"]
    assert post(app, {"entities": entities, "at": AT}).json()[0]["explanation"] is None


def test_reasons_are_in_words_of_events(students: LeadModel) -> None:
    answers = students.score_events(called(students), AT)
    sentences = [
        reason.sentence
        for answer in answers
        if answer.explanation
        for reason in (*answer.explanation.reasons_for, *answer.explanation.reasons_against)
    ]
    counts = [text for text in sentences if "lessons" in text or "events" in text]
    assert any(text.split()[0].rstrip(",").isdigit() or text.startswith("No ") for text in counts)
    assert any("days before" in text for text in sentences)


def test_now_is_the_moment_if_none_is_given(app: str, students: LeadModel) -> None:
    before = dt.datetime.now(dt.UTC)
    (answer,) = post(app, {"entities": called(students)[:1]}).json()
    assert before <= dt.datetime.fromisoformat(answer["at"]) <= dt.datetime.now(dt.UTC)


@pytest.mark.parametrize(
    ("body", "loc", "message"),
    [
        ([], ["body"], 'an object with "entities"'),
        ({"entities": [], "when": 1}, ["body"], 'an object with "entities"'),
        ({"entities": 3}, ["body"], "must be a list of objects. Got 3"),
        ({"entities": [], "at": "soon"}, ["body"], "A cutoff must look like"),
        ({"entities": [{}] * 50_001}, ["body"], "at most 50,000 entities"),
        ({"entities": [{}]}, ["body", "entities", 0, "student_id"], "must have its id"),
        (
            {
                "entities": [
                    {
                        "student_id": 1,
                        "date_registered": "2022-08-01",
                        "events": {
                            "365_course_ratings": [{"date_rated": "2022-08-02"}, {"date_rated": "?"}]
                        },
                    }
                ]
            },
            ["body", "entities", 0, "events", "365_course_ratings.csv", 1, "date_rated"],
            "Entity 1, row 2 of '365_course_ratings.csv': the field 'date_rated' must be a time",
        ),
    ],
)
def test_what_is_wrong_is_told_with_entity_row_and_field(
    app: str, body: Any, loc: Any, message: str
) -> None:
    answer = post(app, body)
    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert problem["loc"] == loc
    assert message in problem["msg"]


def test_the_limits_are_those_of_the_other_routes(app: str) -> None:
    address = f"{app}/api/v1/score-events"
    as_json = {"Content-Type": "application/json"}
    assert httpx.post(address, content=b"{}", headers={"Content-Type": "text/plain"}).status_code == 415
    assert httpx.post(address, content=b" " * 50_000_001, headers=as_json, timeout=60).status_code == 413
    rows = b",".join([b'{"date_rated": "2022-08-02"}'] * 300_000)
    body = b'{"entities": [{"student_id": 1, "events": {"365_course_ratings": [' + rows + b"]}}]}"
    answer = httpx.post(address, content=body, headers=as_json, timeout=60)
    assert answer.status_code == 422
    assert "at most 200,000 lists and objects" in answer.json()["detail"][0]["msg"]


def test_events_count_for_the_limit_of_a_caller(students: LeadModel, tmp_path_factory: Any) -> None:
    folder = tmp_path_factory.mktemp("limited") / "model"
    students.save_pretrained(folder)
    event = {"date_rated": "2022-08-02"}
    entity = {
        "student_id": 1,
        "date_registered": "2022-08-01",
        "events": {"365_course_ratings": [event] * 1000},
    }
    with running_app(str(folder), LEADMODEL_RATE="10") as address:
        assert post(address, {"entities": [entity], "at": AT}).status_code == 200
        assert post(address, {"entities": [entity], "at": AT}).status_code == 429


def test_the_route_is_documented_with_an_example_that_works(app: str) -> None:
    paths = httpx.get(f"{app}/openapi.json").json()["paths"]
    content = paths["/api/v1/score-events"]["post"]["requestBody"]["content"]["application/json"]
    example = content["examples"]["one entity"]["value"]
    (answer,) = post(app, example).json()
    assert answer["n_events"] == 5
    described = httpx.get(f"{app}/api/v1/schema").json()["example_events"]
    assert post(app, described).json()[0]["features"] == answer["features"]


def test_a_model_of_a_table_takes_no_events(address: str, model: LeadModel) -> None:
    assert post(address, {"entities": []}).status_code in (404, 405)
    assert "/api/v1/score-events" not in httpx.get(f"{address}/openapi.json").json()["paths"]
    with pytest.raises(InputError, match="was not trained on events"):
        model.score_events([])


def test_an_attribute_that_the_model_cannot_read_is_told_with_its_entity(students: LeadModel) -> None:
    entity = called(students)[0] | {"student_country": ["NA"]}
    with pytest.raises(EventError, match="Entity 2: the field 'student_country' must be a single value"):
        students.score_events([called(students)[0], entity], AT)
