"""What Gradio answers to a wrong call: briefly, and never with a failure of the app."""

from typing import Any

import gradio as gr
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from gradio.route_utils import FnIndexInferError
from starlette.responses import JSONResponse

__all__ = ["MAX_ERROR", "add_refusals", "speak_briefly"]

MAX_ERROR = 500
"""Characters of what is told of a wrong call, which may hold the whole of what was sent."""

MAX_ERRORS = 10


def add_refusals(app: FastAPI) -> None:
    """Let a mounted Gradio app name what is wrong with a call, without what was sent."""
    # A number that is none of its events' comes as KeyError; so does a name in /call/v2.
    app.add_exception_handler(KeyError, _answer_unknown)
    app.add_exception_handler(FnIndexInferError, _answer_unknown)
    app.add_exception_handler(TypeError, _answer_misnamed)
    app.add_exception_handler(RequestValidationError, _answer_wrong)


def speak_briefly(demo: gr.Blocks) -> None:
    """Make the errors of a `demo`'s events short, by whatever route they are called."""
    process = demo.process_api

    async def process_api(*args: Any, **kwargs: Any) -> Any:
        try:
            return await process(*args, **kwargs)
        except Exception as error:
            if len(str(error)) <= MAX_ERROR:
                raise
            raise gr.Error(f"{str(error)[:MAX_ERROR]}…", print_exception=False) from None

    demo.process_api = process_api


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
