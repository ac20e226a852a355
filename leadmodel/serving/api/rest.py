"""The plain REST API: a lead or a list of leads as JSON in, answers as JSON out."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, TypeAdapter
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from leadmodel.errors import InputError, LeadError, quoted
from leadmodel.leads.field import Field
from leadmodel.leads.schema import LeadSchema
from leadmodel.predictor import Answer
from leadmodel.serving.service import MAX_LEADS, ScoringService
from leadmodel.serving.web.bounds import read_json
from leadmodel.serving.web.rate_limit import LimitError

__all__ = ["Health", "Problem", "Problems", "Refusal", "add_rest"]


class Problem(BaseModel):
    """One thing that is wrong with a request; the first three entries are those of FastAPI."""

    loc: list[str | int]
    msg: str
    type: str
    row: int | None = None
    field: str | None = None


class Problems(BaseModel):
    """What is wrong with a request."""

    detail: list[Problem]


class Health(BaseModel):
    """That the app serves, and which model."""

    status: str = "ok"
    revision: str


class Refusal(BaseModel):
    """Why a request was not read at all."""

    detail: str


_REFUSED: dict[int | str, dict[str, Any]] = {
    401: {"model": Refusal, "description": "Sign in first"},
    403: {"model": Refusal, "description": "Pages of other sites may not call"},
    413: {"model": Refusal, "description": "More than 50 MB"},
    415: {"model": Refusal, "description": "Not JSON"},
    429: {"model": Refusal, "description": "Too many leads in a minute"},
}
MAX_NAME = 200
"""Characters of a field's name in an answer: it may be one that the caller has made up."""

_ANSWERS = TypeAdapter(list[Answer])


def add_rest(app: FastAPI, service: ScoringService) -> None:
    """Add /api/v1/score, /api/v1/schema, /api/v1/model and /health to the app."""

    @app.post(
        "/api/v1/score",
        response_model=Answer | list[Answer],
        responses=_REFUSED | {422: {"model": Problems}},
        openapi_extra={"requestBody": _describe_body(service.model.schema)},
    )
    async def score(request: Request, reasons: bool | None = None) -> Response:
        """Score one lead, or up to 50,000: an object of values by field name, or a list of them.

        One lead is answered with an answer, with reasons; a list with a list in the same order, with
        reasons only by `?reasons=true`, which takes most of the time. What is left out, or null, is
        not known.
        """
        _check_media_type(request.headers.get("content-type", ""))
        body = await request.body()
        return await run_in_threadpool(_score, service, body, reasons)

    seldom: dict[int | str, dict[str, Any]] = {status: _REFUSED[status] for status in (401, 403)}

    @app.get("/api/v1/schema", responses=seldom)
    def schema() -> dict[str, Any]:
        """Describe the fields of a lead, and give an example."""
        return service.describe_schema()

    @app.get("/api/v1/model", responses=seldom)
    def model() -> dict[str, Any]:
        """Describe the model: target, decision threshold, grades and test metrics."""
        return service.describe_model()

    @app.get("/health")
    def health() -> Health:
        """Say that the app serves, and which revision of the model."""
        return Health(revision=service.model.revision)

    app.add_exception_handler(RequestValidationError, _answer_wrong_request)


def _check_media_type(header: str) -> None:
    media_type = header.partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise HTTPException(415, f"Send JSON, as Content-Type: application/json. Got {quoted(header)}.")


def _score(service: ScoringService, body: bytes, reasons: bool | None) -> Response:
    try:
        leads = read_json(body)
    except InputError as error:
        return _refuse(_problem(error, False))
    except ValueError as error:
        return _refuse(Problem(loc=["body"], msg=f"The body must be JSON: {error}.", type="json_invalid"))
    try:
        if isinstance(leads, dict):
            answer = service.answer(leads, reasons=reasons is not False, door="REST")
            return Response(answer.model_dump_json(), media_type="application/json")
        answers = service.answers(leads, reasons=bool(reasons), door="REST")
        return Response(_ANSWERS.dump_json(answers), media_type="application/json")
    except LimitError as error:
        raise HTTPException(429, str(error), {"Retry-After": str(error.seconds)}) from None
    except InputError as error:
        return _refuse(_problem(error, isinstance(leads, list)))


def _problem(error: InputError, of_many: bool) -> Problem:
    row, field = None, None
    if isinstance(error, LeadError):
        row, field = error.row or (1 if of_many else None), error.field and error.field[:MAX_NAME]
    place = ["body", None if row is None else row - 1, field]
    return Problem(
        loc=[part for part in place if part is not None],
        msg=str(error),
        type="lead_invalid" if isinstance(error, LeadError) else "request_invalid",
        row=row,
        field=field,
    )


def _refuse(*problems: Problem) -> Response:
    return Response(Problems(detail=list(problems)).model_dump_json(), 422, media_type="application/json")


async def _answer_wrong_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return _refuse(*(Problem.model_validate(found, extra="ignore") for found in error.errors()))


def _describe_body(schema: LeadSchema) -> dict[str, Any]:
    lead = {
        "title": "Lead",
        "type": "object",
        "properties": {field.name: _describe_field(field) for field in schema.fields},
    }
    leads = {"title": "Leads", "type": "array", "items": lead, "maxItems": MAX_LEADS}
    example = schema.example()
    examples = {"one lead": {"value": example}, "many leads": {"value": [example, example]}}
    content = {"schema": {"anyOf": [lead, leads]}, "examples": examples}
    return {"required": True, "content": {"application/json": content}}


def _describe_field(field: Field) -> dict[str, Any]:
    kinds: Sequence[str] = ["string"] if field.is_text else ["number", "string"]
    if field.kind == "boolean":
        kinds = ["boolean", "string", "number"]
    described: dict[str, Any] = {"type": [*kinds, "null"], "title": field.label}
    if help_text := f"{field.help} {field.unit}".strip():
        described["description"] = help_text
    if field.choices:
        described["examples"] = list(field.choices)
    return described
