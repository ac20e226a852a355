"""The hub's front door: each request is noted down, may meet a fault, and then takes its route."""

from asyncio import BaseTransport, Transport
from typing import NamedTuple, cast

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from hub_server.errors import HubError
from hub_server.faults import FaultPlan


class Request(NamedTuple):
    """A request as the tests see it, its path decoded and without the query."""

    method: str
    path: str


class FrontDoor:
    """The ASGI application the server runs."""

    def __init__(self, routes: ASGIApp) -> None:
        self.routes = routes
        self.requests: list[Request] = []
        self.faults = FaultPlan()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope["method"], scope["path"])
        self.requests.append(request)
        # The routes match on the encoded path: in `tag/v%2F1` the slash belongs to the name.
        scope["path"] = scope["raw_path"].decode()
        fault = self.faults.take(*request)
        if fault is None:
            await self.answer(scope, receive, send)
        else:
            await fault.strike(self.answer, scope, receive, send)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A mistake in the hub itself shows as 501, as the client would keep retrying a 500."""
        try:
            await self.routes(scope, receive, send)
        except Exception as error:
            await HubError(501, f"This test hub failed: {error!r}").response()(scope, receive, send)


class ClosableProtocol(H11Protocol):
    """Gives the application a way to close the socket unanswered, for which ASGI has no word."""

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(cast(Transport, transport))
        application = self.app

        async def with_close(scope: Scope, receive: Receive, send: Send) -> None:
            scope["hub.close_socket"] = transport.close
            await application(scope, receive, send)

        self.app = with_close
