"""What Gradio's own routes answer to a wrong call: briefly, and never with a failure of the app."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from gradio.route_utils import FnIndexInferError
from starlette.responses import JSONResponse

__all__ = ["add_refusals"]

MAX_ERRORS = 10


def add_refusals(app: FastAPI) -> None:
    """Let a mounted Gradio app name what is wrong with a call, without what was sent."""
    # A number that is none of its events' comes as KeyError; so does a name in /call/v2.
    app.add_exception_handler(KeyError, _answer_unknown)
    app.add_exception_handler(FnIndexInferError, _answer_unknown)
    app.add_exception_handler(RequestValidationError, _answer_wrong)


async def _answer_unknown(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": "There is no such endpoint. /gradio_api/info lists them."}, 404)


async def _answer_wrong(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = [
        {"loc": [str(part)[:100] for part in one["loc"]], "msg": one["msg"][:300], "type": one["type"]}
        for one in error.errors()[:MAX_ERRORS]
    ]
    return JSONResponse({"detail": found}, 422)
