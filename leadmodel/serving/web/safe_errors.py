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

# Loggers whose messages hold no lead; of others, the log names the line that spoke.
TRUSTED = {"leadmodel", "uvicorn", "huggingface_hub"}

# Characters of a message, which may quote the whole of what was sent, and problems in one answer.
MAX_ERROR, MAX_ERRORS = 500, 10

# The entry of a request's scope that takes the cause of a refusal, from the endpoint to the middleware.
REFUSAL = "leadmodel.refusal"

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
            # A formatter that ran before this one leaves the text of the error in the record.
            safe = {"msg": "(%s:%d)", "args": (record.pathname, record.lineno), "exc_text": None}
            record = logging.makeLogRecord(record.__dict__ | safe)
        return super().format(record)

    def formatException(
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        """Return the error as `describe` does."""
        return describe(ei[1]) if ei[1] else ""


def configure_logging() -> None:
    """Make this process log and print errors and warnings without what callers sent."""

    def log_current(*_: object, **__: object) -> None:
        if error := sys.exception():
            _log.error("A call failed: %s", describe(error))

    handler = logging.StreamHandler()
    handler.setFormatter(SafeFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler])
    logging.getLogger("leadmodel").setLevel(logging.INFO)
    # Warnings of libraries may quote values; as records of a logger they are formatted like the others.
    logging.captureWarnings(True)
    # Gradio 6.31 prints the error of a failed call, whose message can hold all of its inputs, and offers
    # no other way to keep it from that.
    traceback.print_exc = log_current


class SafeErrors:
    """ASGI middleware: log whatever fails inside without its message, and answer 500."""

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
            if not started:  # the head of an answer can be sent only once
                detail = "Something went wrong here, not with your request. Try again later."
                await JSONResponse({"detail": detail}, 500)(scope, receive, send)


class RefusalStatus:
    """ASGI middleware: give a caller's own mistake its status, where Gradio answers 500 to all errors."""

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


def check_calls(demo: gr.Blocks) -> None:
    """Complete the calls of a `demo`'s endpoints, and keep errors short, by whatever route they come."""
    process = demo.process_api

    async def process_api(block_fn: BlockFunction, inputs: list[Any], **kwargs: Any) -> Any:
        try:
            return await process(block_fn, _complete(block_fn, inputs), **kwargs)
        except Exception as error:
            request = kwargs.get("request")
            # Of an error Gradio passes on only the text: the middleware gets its cause by the scope.
            is_refusal = isinstance(error.__cause__, InputError)
            if is_refusal and isinstance(request, gr.Request) and request.request:
                request.request.scope.get(REFUSAL, {})["cause"] = error.__cause__
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
        parameters = ", ".join(signature.parameters)
        cause = InputError(f"/{function.api_name} takes: {parameters}. Got {len(inputs)} values.")
        raise gr.Error(str(cause), print_exception=False) from cause
    call.apply_defaults()
    return list(call.args)


def add_refusals(app: FastAPI) -> None:
    """Let a mounted Gradio app name what is wrong with a call, without what was sent."""

    # Gradio raises KeyError for the number of an event that it does not have, and for a name in /call/v2.
    @app.exception_handler(KeyError)
    @app.exception_handler(FnIndexInferError)
    async def answer_unknown(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": "There is no such endpoint. /gradio_api/info lists them."}, 404)

    # On this route the parameters are passed by name, and the wrong ones fail as those of any function.
    @app.exception_handler(TypeError)
    async def answer_misnamed(request: Request, error: Exception) -> JSONResponse:
        if "/call/v2/" not in request.url.path:
            raise error
        detail = "The endpoint has other parameters. /gradio_api/info lists them."
        return JSONResponse({"detail": detail}, 422)

    # FastAPI's own handler repeats the input, and names keys that the caller made up in full.
    @app.exception_handler(RequestValidationError)
    async def answer_invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        problems = [
            {
                "loc": [str(part)[:100] for part in problem["loc"]],
                "msg": problem["msg"][:MAX_ERROR],
                "type": problem["type"],
            }
            for problem in error.errors()[:MAX_ERRORS]
        ]
        return JSONResponse({"detail": problems}, 422)
