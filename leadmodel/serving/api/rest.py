"""Offer the service as a REST API: one lead or a list of leads as JSON in, answers as JSON out."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, TypeAdapter
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from leadmodel.errors import EventError, InputError, LeadError, quoted
from leadmodel.leads.schema import LeadSchema
from leadmodel.predictor import Answer, EventAnswer
from leadmodel.serving.events import describe_event_call, example_call
from leadmodel.serving.service import MAX_LEADS, ScoringService
from leadmodel.serving.web.bounds import read_json
from leadmodel.serving.web.rate_limit import LimitError

__all__ = ["Health", "Problem", "Problems", "Refusal", "add_event_route", "add_rest"]


class Problem(BaseModel):
    """One thing that is wrong with a request."""

    # The first three are what FastAPI itself answers, so that clients need to know only one form.

    loc: list[str | int]
    msg: str
    type: str
    row: int | None = None
    field: str | None = None


class Problems(BaseModel):
    """What is wrong with a request."""

    detail: list[Problem]


class Health(BaseModel):
    """The served model, by its revision."""

    status: str = "ok"
    revision: str


class Refusal(BaseModel):
    """Why a request was not read at all."""

    detail: str


# For the documentation: the middleware that refuses is unknown to FastAPI.
_REFUSED: dict[int | str, dict[str, Any]] = {
    401: {"model": Refusal, "description": "Sign in first"},
    403: {"model": Refusal, "description": "Pages of other sites may not call"},
    413: {"model": Refusal, "description": "More than 50 MB"},
    415: {"model": Refusal, "description": "Not JSON"},
    429: {"model": Refusal, "description": "Too many leads in a minute"},
}

# Characters of a field's name in an answer: the caller may have made it up.
MAX_NAME = 200

_ANSWERS, _EVENT_ANSWERS = TypeAdapter(list[Answer]), TypeAdapter(list[EventAnswer])


def add_rest(app: FastAPI, service: ScoringService) -> None:
    """Add /api/v1/score, /api/v1/schema, /api/v1/model and /health to the app."""

    # The body is read here and not by FastAPI, which would parse a long list in one piece and in the event
    # loop; the schema of the body is thus written out for the documentation.
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
        _check_json_type(request)
        return await run_in_threadpool(_score, service, await request.body(), reasons)

    if service.model.has_online_features:
        add_event_route(app, service)

    may_refuse: dict[int | str, dict[str, Any]] = {status: _REFUSED[status] for status in (401, 403)}

    @app.get("/api/v1/schema", responses=may_refuse)
    def schema() -> dict[str, Any]:
        """Describe the fields of a lead, and give an example."""
        return service.describe_schema()

    @app.get("/api/v1/model", responses=may_refuse)
    def model() -> dict[str, Any]:
        """Describe the model: target, decision threshold, grades and test metrics."""
        return service.describe_model()

    @app.get("/health")
    def health() -> Health:
        """Say that the app serves, and which revision of the model."""
        return Health(revision=service.model.revision)

    # FastAPI's own handler repeats the input, which may be a lead.
    @app.exception_handler(RequestValidationError)
    async def answer_invalid(request: Request, error: RequestValidationError) -> Response:
        return _refuse(*(Problem.model_validate(problem, extra="ignore") for problem in error.errors()))


def add_event_route(app: FastAPI, service: ScoringService) -> None:
    """Add /api/v1/score-events, for a model that was trained on events."""
    config = service.model.event_config
    assert config is not None
    example = example_call(config)
    # The first call puts the expressions together, which takes as long as ten others.
    service.model.score_events(example["entities"], example["at"])

    @app.post(
        "/api/v1/score-events",
        response_model=list[EventAnswer],
        responses=_REFUSED | {422: {"model": Problems}},
        openapi_extra={"requestBody": describe_event_call(config, MAX_LEADS)},
    )
    async def score_events(request: Request, reasons: bool | None = None) -> Response:
        """Score entities by their raw events, whose features are made as those of the training leads were.

        Each entity has its id, its attributes and its events by table, with the columns that the recipe
        names. Events from the moment `at` on, by default now, are left out. A single entity is answered
        with reasons, several only by `?reasons=true`. Each answer has the features that were made, and
        says in `history` what was left out or is unusual.
        """
        _check_json_type(request)
        return await run_in_threadpool(_score_events, service, await request.body(), reasons)


def _check_json_type(request: Request) -> None:
    header = request.headers.get("content-type", "")
    media_type = header.partition(";")[0].strip().lower()
    # A page of another site can send other media types without a preflight request.
    if media_type != "application/json" and not media_type.endswith("+json"):
        detail = f"Send JSON, as Content-Type: application/json. Got {quoted(header)}."
        raise HTTPException(415, detail)


def _score(service: ScoringService, body: bytes, reasons: bool | None) -> Response:
    def answer(leads: Any) -> bytes:
        # Serialized by pydantic at once: as the value of a route, FastAPI would validate it a second time.
        if isinstance(leads, dict):
            one = service.answer(leads, reasons=reasons is not False, channel="REST")
            return one.model_dump_json().encode()
        return _ANSWERS.dump_json(service.answers(leads, reasons=bool(reasons), channel="REST"))

    return _respond(body, answer)


def _score_events(service: ScoringService, body: bytes, reasons: bool | None) -> Response:
    def answer(call: Any) -> bytes:
        if not isinstance(call, dict) or not {"entities"} <= call.keys() <= {"entities", "at"}:
            raise InputError('The body must be an object with "entities" and, if it is not now, "at".')
        entities, at = call["entities"], call.get("at")
        return _EVENT_ANSWERS.dump_json(
            service.answer_events(entities, at, reasons=reasons, channel="REST")
        )

    return _respond(body, answer)


def _respond(body: bytes, answer: Callable[[Any], bytes]) -> Response:
    """Read a body, and answer it with JSON or say what is wrong."""
    try:
        content = read_json(body)
    except InputError as error:
        return _refuse(_problem(error, False))
    except ValueError as error:
        return _refuse(Problem(loc=["body"], msg=f"The body must be JSON: {error}.", type="json_invalid"))
    try:
        return Response(answer(content), media_type="application/json")
    except LimitError as error:
        raise HTTPException(429, str(error), {"Retry-After": str(error.seconds)}) from None
    except InputError as error:
        return _refuse(_problem(error, isinstance(content, list)))


def _problem(error: InputError, is_list: bool) -> Problem:
    problem = Problem(loc=["body"], msg=str(error), type="request_invalid")
    if isinstance(error, EventError):
        problem.type, problem.row = "event_invalid", error.row
        problem.loc += ["entities", error.entity - 1]
        if error.table is not None:
            problem.loc += ["events", error.table[:MAX_NAME]]
        problem.loc += [error.row - 1] if error.row else []
        if error.field is not None:
            problem.field = error.field[:MAX_NAME]
            problem.loc.append(problem.field)
    if isinstance(error, LeadError):
        problem.type = "lead_invalid"
        # Rows count from 1, as in the message; positions in `loc` from 0, as in JSON.
        problem.row = error.row or (1 if is_list else None)
        if problem.row is not None:
            problem.loc.append(problem.row - 1)
        if error.field is not None:
            problem.field = error.field[:MAX_NAME]
            problem.loc.append(problem.field)
    return problem


def _refuse(*problems: Problem) -> Response:
    return Response(Problems(detail=list(problems)).model_dump_json(), 422, media_type="application/json")


def _describe_body(schema: LeadSchema) -> dict[str, Any]:
    """Return the request body of /api/v1/score as OpenAPI has it."""
    properties: dict[str, dict[str, Any]] = {}
    for field in schema.inputs.values():
        types = ["string"] if field.is_text else ["number", "string"]
        if field.kind == "boolean":
            types = ["boolean", "string", "number"]
        properties[field.name] = {"type": [*types, "null"], "title": field.label}
        if help_text := f"{field.help} {field.unit}".strip():
            properties[field.name]["description"] = help_text
        if field.choices:
            # Not "enum": a value that no training lead had is scored as well.
            properties[field.name]["examples"] = list(field.choices)
    lead = {"title": "Lead", "type": "object", "properties": properties}
    leads = {"title": "Leads", "type": "array", "items": lead, "maxItems": MAX_LEADS}
    example = schema.example()
    examples = {"one lead": {"value": example}, "many leads": {"value": [example, example]}}
    content = {"schema": {"anyOf": [lead, leads]}, "examples": examples}
    return {"required": True, "content": {"application/json": content}}
