"""Say what failed, never what a caller sent.

The message of an error may hold a lead, and libraries log and print the errors that they meet in full.
The log names the kind of an error and where it was raised; a caller reads the beginning of a message.
"""

import inspect
import logging
import sys
import traceback
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import gradio as gr
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from gradio.blocks import BlockFunction
from gradio.route_utils import FnIndexInferError
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leadmodel.errors import InputError
from leadmodel.serving.web.rate_limit import LimitError

__all__ = [
    "MAX_ERROR",
    "RefusalStatus",
    "SafeErrors",
    "SafeFormatter",
    "add_refusals",
    "check_calls",
    "configure_logging",
    "describe",
]

TRUSTED = {"leadmodel", "uvicorn", "huggingface_hub"}
"""Loggers whose messages hold no lead; of others, the log names the line that spoke."""

_log = logging.getLogger("leadmodel")


def describe(error: BaseException) -> str:
    """Return the kind of `error` and the lines that led to it, without its message."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
    return "\n".join([f"{type(error).__module__}.{type(error).__qualname__}", *lines])


class SafeFormatter(logging.Formatter):
    """Format records without the messages of errors and of loggers that are not trusted."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one text."""
        if record.name.partition(".")[0] not in TRUSTED:
            said = {"msg": "(%s:%d)", "args": (record.pathname, record.lineno), "exc_text": None}
            record = logging.makeLogRecord(record.__dict__ | said)
        return super().format(record)

    def formatException(
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        """Return the error as `describe` does."""
        return describe(ei[1]) if ei[1] else ""


class SafeErrors:
    """ASGI middleware: whatever fails inside is logged discreetly and answered with 500."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and answer it if that fails."""
        started = scope["type"] != "http"

        async def watch(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception as error:
            _log.error("A request failed: %s", describe(error))
            if not started:
                told = {"detail": "Something went wrong here, not with your request. Try again later."}
                await JSONResponse(told, 500)(scope, receive, send)


def configure_logging() -> None:
    """Make this process log and print errors and warnings discreetly."""
    handler = logging.StreamHandler()
    handler.setFormatter(SafeFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler])
    logging.getLogger("leadmodel").setLevel(logging.INFO)
    logging.captureWarnings(True)
    # Gradio prints the error of whatever it fails to do, with all inputs of the call.
    traceback.print_exc = _log_current


def _log_current(*_: object, **__: object) -> None:
    if error := sys.exception():
        _log.error("A call failed: %s", describe(error))


MAX_ERROR = 500
"""Characters of what is told of a wrong call, which may hold the whole of what was sent."""

MAX_ERRORS = 10

REFUSAL = "leadmodel.refusal"
"""The entry of a request's scope that takes what was wrong with a call."""


def add_refusals(app: FastAPI) -> None:
    """Let a mounted Gradio app name what is wrong with a call, without what was sent."""
    # A number that is none of its events' comes as KeyError; so does a name in /call/v2.
    app.add_exception_handler(KeyError, _answer_unknown)
    app.add_exception_handler(FnIndexInferError, _answer_unknown)
    app.add_exception_handler(TypeError, _answer_misnamed)
    app.add_exception_handler(RequestValidationError, _answer_wrong)


def check_calls(demo: gr.Blocks) -> None:
    """Complete the calls of a `demo`'s endpoints, and keep errors short, by whatever route they come."""
    process = demo.process_api

    async def process_api(block_fn: BlockFunction, inputs: list[Any], **kwargs: Any) -> Any:
        try:
            return await process(block_fn, _complete(block_fn, inputs), **kwargs)
        except Exception as error:
            _note_status(kwargs.get("request"), error.__cause__)
            if len(str(error)) <= MAX_ERROR:
                raise
            raise gr.Error(f"{str(error)[:MAX_ERROR]}…", print_exception=False) from None

    demo.process_api = process_api


def _complete(function: BlockFunction, inputs: Sequence[Any]) -> list[Any]:
    """Return the values of a call of the API with the defaults of those that it leaves out."""
    if function.preprocess:  # an event of the pages, whose components always send their values
        return list(inputs)
    signature = inspect.signature(function.fn)
    try:
        call = signature.bind(*inputs)
    except TypeError:
        wanted = ", ".join(signature.parameters)
        wrong = InputError(f"/{function.api_name} takes: {wanted}. Got {len(inputs)} values.")
        raise gr.Error(str(wrong), print_exception=False) from wrong
    call.apply_defaults()
    return list(call.args)


def _note_status(request: Any, cause: BaseException | None) -> None:
    """Leave the status of a refusal with the request that is refused."""
    if isinstance(cause, InputError) and isinstance(request, gr.Request) and request.request:
        request.request.scope.get(REFUSAL, {})["cause"] = cause


class RefusalStatus:
    """ASGI middleware: Gradio answers 500 to whatever fails; give a caller's own mistake its status."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and correct the status of its answer."""
        refusal = scope[REFUSAL] = {}

        async def correct(message: Message) -> None:
            cause = refusal.get("cause")
            if cause and message["type"] == "http.response.start" and message["status"] == 500:
                message["status"] = 422
                if isinstance(cause, LimitError):
                    message["status"] = 429
                    message["headers"] = [*message["headers"], (b"retry-after", b"%d" % cause.seconds)]
            await send(message)

        await self.app(scope, receive, correct)


async def _answer_unknown(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": "There is no such endpoint. /gradio_api/info lists them."}, 404)


async def _answer_misnamed(request: Request, error: Exception) -> JSONResponse:
    if "/call/v2/" not in request.url.path:
        raise error
    told = "The endpoint has other parameters. /gradio_api/info lists them."
    return JSONResponse({"detail": told}, 422)


async def _answer_wrong(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = [
        {
            "loc": [str(part)[:100] for part in one["loc"]],
            "msg": one["msg"][:MAX_ERROR],
            "type": one["type"],
        }
        for one in error.errors()[:MAX_ERRORS]
    ]
    return JSONResponse({"detail": found}, 422)
