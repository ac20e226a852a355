"""Answer plain calls of the API without Gradio's session machinery.

For each call of /gradio_api/run/NAME that belongs to no session, Gradio writes down the state of
every component of the pages, which takes longer than the answer. A call that names no session and
no event needs none of it; here it gets the same answer from the same function. Every other call
passes through to Gradio as it came.
"""

import inspect
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from leadmodel.errors import InputError
from leadmodel.serving.web.body import read_body, replay
from leadmodel.serving.web.rate_limit import LimitError

__all__ = ["DirectCalls"]

PREFIX = "/gradio_api/run/"


class DirectCalls:
    """ASGI middleware that answers plain calls of named endpoints itself.

    Parameters
    ----------
    app : ASGIApp
        What answers everything else.
    endpoints : mapping of str to callable
        By name, as `leadmodel.serving.api.gradio.make_endpoints` returns them.
    """

    def __init__(self, app: ASGIApp, endpoints: Mapping[str, Callable[..., Any]]) -> None:
        self.app, self.endpoints = app, endpoints
        self.signatures = {name: inspect.signature(function) for name, function in endpoints.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        name = _endpoint(scope)
        if name not in self.endpoints:
            await self.app(scope, receive, send)
            return
        body = await read_body(receive)
        data = await run_in_threadpool(_plain_call, body)
        if data is None:
            await self.app(scope, replay(body, receive), send)
            return
        response = await run_in_threadpool(self._answer, name, data)
        await response(scope, receive, send)

    def _answer(self, name: str, data: list[Any]) -> JSONResponse:
        started = time.perf_counter()
        try:
            call = self.signatures[name].bind(*data)
        except TypeError:
            wanted = ", ".join(self.signatures[name].parameters)
            return JSONResponse({"error": f"/{name} takes: {wanted}. Got {len(data)} values."}, 422)
        call.apply_defaults()
        try:
            result = self.endpoints[name](*call.args)
        except LimitError as error:
            return JSONResponse({"error": str(error)}, 429, {"Retry-After": str(error.seconds)})
        except InputError as error:
            return JSONResponse({"error": str(error)}, 422)
        duration = time.perf_counter() - started
        return JSONResponse({"data": [result], "is_generating": False, "duration": duration})


def _endpoint(scope: Scope) -> str:
    """Return the endpoint that a plain call asks for."""
    if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].startswith(PREFIX):
        return ""
    return str(scope["path"]).removeprefix(PREFIX)


def _plain_call(body: bytes) -> list[Any] | None:
    """Return the values of a call that names neither a session nor an event, else None."""
    try:
        call = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(call, dict) or call.keys() - {"data"} or not isinstance(call.get("data"), list):
        return None
    return list(call["data"])
