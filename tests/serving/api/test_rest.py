"""The REST API, as a stranger posts to it."""

import json
from typing import Any

import httpx
import pytest

from leadmodel.leads.field import Field
from leadmodel.leads.sample import make_sample
from leadmodel.model import LeadModel

LEADS: list[dict[str, Any]] = json.loads(
    make_sample(50, random_state=9).drop(columns="status").to_json(orient="records")
)
JSON = {"Content-Type": "application/json"}


def post(address: str, body: Any, query: str = "") -> httpx.Response:
    return httpx.post(f"{address}/api/v1/score{query}", json=body, timeout=30)


def send(address: str, content: bytes, **headers: str) -> httpx.Response:
    return httpx.post(f"{address}/api/v1/score", content=content, headers=JSON | headers, timeout=60)


def test_one_lead_gets_one_answer_with_reasons(address: str, model: LeadModel) -> None:
    answer = post(address, LEADS[0])
    assert answer.json() == model.answer(LEADS[0]).model_dump(mode="json")
    assert answer.json()["explanation"]["reasons_for"]
    assert post(address, LEADS[0], "?reasons=false").json()["explanation"] is None


def test_many_leads_get_as_many_answers_in_order(address: str, model: LeadModel) -> None:
    expected = [answer.model_dump(mode="json") for answer in model.answers(LEADS)]
    assert post(address, LEADS).json() == expected
    explained = post(address, LEADS[:3], "?reasons=true").json()
    assert [one["explanation"] for one in explained] == [
        answer.model_dump(mode="json")["explanation"] for answer in model.answers(LEADS[:3], reasons=True)
    ]
    assert post(address, []).json() == []
    assert len(post(address, LEADS[:1]).json()) == 1


def test_all_doors_give_the_same_answer(address: str) -> None:
    direct = httpx.post(f"{address}/gradio_api/run/predict_batch", json={"data": [LEADS, True]}, timeout=30)
    assert post(address, LEADS, "?reasons=true").json() == direct.json()["data"][0]


def test_the_model_describes_itself(address: str, model: LeadModel) -> None:
    schema = httpx.get(f"{address}/api/v1/schema").json()
    assert [Field.model_validate(one, extra="ignore") for one in schema["fields"]] == list(
        model.schema.fields
    )
    assert schema["example"] == model.schema.example()
    described = httpx.get(f"{address}/api/v1/model").json()
    assert (described["revision"], described["sha256"]) == (model.revision, model.config.sha256)
    assert httpx.get(f"{address}/health").json() == {"status": "ok", "revision": model.revision}


@pytest.mark.parametrize(
    ("body", "row", "field", "message"),
    [
        ({"age": "abc"}, None, "age", "The field 'age' must be a number. Got 'abc' instead."),
        ([{}, {"age": "abc"}], 2, "age", "Row 2: the field 'age' must be a number."),
        ([{"age": "abc"}], 1, "age", "The field 'age' must be a number."),
        ([{}, {"agee": 3}], 2, "agee", "Row 2: the lead has a field 'agee' that the model does not know."),
        ([{}, [1]], 2, None, "Row 2: a lead must be an object of fields. Got [1] instead."),
        ([[{}]], 1, None, "Row 1: a lead must be an object of fields. Got [{}] instead."),
        ({"age": [3]}, None, "age", "must be a single value"),
        ({"age": "Infinity"}, None, "age", "must be a finite number"),
        ("lead", None, None, "The leads must be a list of leads. Got 'lead' instead."),
        (3, None, None, "must be a list of leads. Got 3 instead."),
        ([{}] * 50_001, None, None, "A call takes at most 50,000 leads. Got 50,001; split them."),
    ],
)
def test_what_is_wrong_is_told_by_row_and_field(
    address: str, body: Any, row: int | None, field: str | None, message: str
) -> None:
    answer = post(address, body)
    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert (problem["row"], problem["field"]) == (row, field)
    place = ["body", None if row is None else row - 1, field]
    assert problem["loc"] == [part for part in place if part is not None]
    assert message in problem["msg"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 422),
        (b"\xff\xfe", 422),
        (b'{"source": "\xff"}', 422),
        (b'{"source": "\\ud800"}', 422),
        (b'{"age": Infinity}', 422),
        (b'{"age": 1e999}', 422),
        (b'{"age": NaN}', 200),
        (b'{"age": ' + b"9" * 400 + b"}", 422),
        (b'{"age": ' + b"9" * 10_000 + b"}", 422),
        (b'{"source": ' + b"9" * 10_000 + b"}", 422),
        (b'{"webinar": ' + b"9" * 10_000 + b"}", 422),
        (b'[{"' + b"x" * 100_000 + b'": 1}]', 422),
        (b'{"\\u0000": 1}', 422),
        (b"[" * 100_000 + b"]" * 100_000, 422),
        (b"[" * 150 + b"]" * 150, 422),
        (b'{"age": ' + b"[" * 150 + b"]" * 150 + b"}", 422),
        (b'{"age": 3, "age": 4}', 200),
        (b'{"source": "' + b"x" * 1_000_000 + b'"}', 200),
        (b"null", 422),
    ],
    ids=lambda value: str(value)[:20],
)
def test_nothing_that_is_posted_makes_it_fail(address: str, body: bytes, status: int) -> None:
    answer = send(address, body)
    assert answer.status_code == status
    assert status == 200 or set(answer.json()["detail"][0]) == {"loc", "msg", "type", "row", "field"}


def test_a_wrong_query_is_told_in_the_same_shape(address: str) -> None:
    (problem,) = post(address, {}, "?reasons=perhaps").json()["detail"]
    assert problem["loc"] == ["query", "reasons"]
    assert problem["row"] is None


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "", "x" * 9000])
def test_what_is_not_called_json_is_refused(address: str, media_type: str) -> None:
    answer = send(address, b"{}", **{"Content-Type": media_type})
    assert answer.status_code == 415
    assert "Content-Type: application/json" in answer.json()["detail"]


def test_json_by_another_name_is_json(address: str) -> None:
    assert send(address, b"{}", **{"Content-Type": "application/ld+json; charset=utf-8"}).is_success


@pytest.mark.parametrize("path", ["/api/v1/score", "/gradio_api/run/predict", "/gradio_api/queue/join"])
def test_too_much_at_once_is_refused(address: str, path: str) -> None:
    answer = httpx.post(address + path, content=b" " * 50_000_001, headers=JSON, timeout=60)
    assert answer.status_code == 413
    assert "at most 50,000,000 bytes" in answer.json()["detail"]


def test_the_api_is_documented(address: str, model: LeadModel) -> None:
    paths = httpx.get(f"{address}/openapi.json").json()["paths"]
    assert set(paths) == {"/api/v1/score", "/api/v1/schema", "/api/v1/model", "/health"}
    body = paths["/api/v1/score"]["post"]["requestBody"]["content"]["application/json"]
    assert list(body["schema"]["anyOf"][0]["properties"]) == list(model.schema.by_name)
    assert post(address, body["examples"]["many leads"]["value"]).is_success
    assert "swagger" in httpx.get(f"{address}/docs").text
    by_gradio = httpx.get(f"{address}/gradio_api/openapi.json").json()["paths"]
    assert any(path.endswith("/predict") for path in by_gradio)
