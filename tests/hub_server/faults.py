"""What can go wrong with a request, and which requests it goes wrong with.

A fault stands between the server and the hub's routes, so every route can fail in every way. A
connection refused is not here, as it comes before any request: for that, stop the hub.
"""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub_server.errors import bad_token

ANY_METHOD = "*"
HANG_POLL_SECONDS = 0.01

Strike = Callable[[ASGIApp, Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """One way to fail. `strike` is called in place of the routes and may call them itself."""

    strike: Strike
    released: threading.Event = field(default_factory=threading.Event)

    def release(self) -> None:
        """Ends a hang early; other faults have nothing to release."""
        self.released.set()

    @staticmethod
    def hang_up() -> "Fault":
        """Closes the socket without an answer; the request has no effect."""
        return Fault(_hang_up)

    @staticmethod
    def hang(limit: float = 30.0) -> "Fault":
        """Says nothing until released, or for `limit` seconds, and then answers as usual."""
        released = threading.Event()

        async def strike(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
            await _until(released, limit)
            await app(scope, receive, send)

        return Fault(strike, released)

    @staticmethod
    def silent() -> "Fault":
        """Accepts the request and never answers, until the faults are taken back."""
        return Fault.hang(limit=float("inf"))

    @staticmethod
    def slow(seconds: float) -> "Fault":
        """Answers as usual, so many seconds late."""
        return Fault.hang(limit=seconds)

    @staticmethod
    def status(code: int, retry_after: int | None = None) -> "Fault":
        """Answers with this status, such as 500 or 429; the request has no effect."""
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        return Fault(_answering(JSONResponse({"error": "Planned failure"}, code, headers)))

    @staticmethod
    def unauthorized() -> "Fault":
        """Answers as if the token had just been revoked; the request has no effect."""
        return Fault(_answering(bad_token().response()))

    @staticmethod
    def cut_short(after: int = 0) -> "Fault":
        """Announces the whole body, sends `after` bytes of it and closes the socket.

        The request has its effect: cut at 0, a commit is made but its answer is lost.
        """

        async def strike(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
            await app(scope, receive, _only_first(after, send))

        return Fault(strike)

    @staticmethod
    def trickle() -> "Fault":
        """Announces a long body and sends a byte of it now and then, until the faults are taken back."""
        released = threading.Event()

        async def strike(_app: ASGIApp, _scope: Scope, _receive: Receive, send: Send) -> None:
            headers = [(b"content-length", b"1000000")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            while not released.is_set():
                await send({"type": "http.response.body", "body": b" ", "more_body": True})
                await asyncio.sleep(HANG_POLL_SECONDS)

        return Fault(strike, released)

    @staticmethod
    def wrong_bytes() -> "Fault":
        """Sends a body of the right length in which every byte is wrong."""

        async def strike(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
            await app(scope, receive, _garbled(send))

        return Fault(strike)


async def _hang_up(_app: ASGIApp, scope: Scope, _receive: Receive, _send: Send) -> None:
    scope["hub.close_socket"]()
    await asyncio.sleep(0)  # lets the server notice, or it would try to answer 500


async def _until(released: threading.Event, limit: float) -> None:
    deadline = time.monotonic() + limit
    while not released.is_set() and time.monotonic() < deadline:
        await asyncio.sleep(HANG_POLL_SECONDS)


def _answering(response: JSONResponse) -> Strike:
    async def strike(_app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        await response(scope, receive, send)

    return strike


def _only_first(limit: int, send: Send) -> Send:
    """Passes on `limit` bytes and withholds the end, on which the server closes the socket."""
    left = limit

    async def send_some(message: Message) -> None:
        nonlocal left
        if message["type"] == "http.response.body":
            body = message.get("body", b"")[:left]
            left -= len(body)
            message = {"type": "http.response.body", "body": body, "more_body": True}
        await send(message)

    return send_some


def _garbled(send: Send) -> Send:
    async def send_garbled(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": bytes(255 - byte for byte in message.get("body", b""))}
        await send(message)

    return send_garbled


@dataclass
class PlannedFault:
    """A fault lying in wait for certain requests."""

    method: str
    part: str
    fault: Fault
    times: int | None
    skip: int

    def claims(self, method: str, path: str) -> bool:
        """Whether it strikes this request, which uses up one of its times."""
        if self.times == 0 or self.method not in (method, ANY_METHOD) or self.part not in path:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


class FaultPlan:
    """All faults in wait, in the order they were planned; the first to claim a request has it."""

    def __init__(self) -> None:
        self._planned: list[PlannedFault] = []

    def add(self, planned: PlannedFault) -> None:
        self._planned.append(planned)

    def take(self, method: str, path: str) -> Fault | None:
        claims = (planned.fault for planned in self._planned if planned.claims(method, path))
        return next(claims, None)

    def clear(self) -> None:
        """Forgets all faults and lets go of the requests that hang."""
        planned, self._planned = self._planned, []
        for each in planned:
            each.fault.release()
