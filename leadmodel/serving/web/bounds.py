"""Bound what a request may send: size and time of its head and body, size and depth of its JSON."""

import asyncio
import re
from collections.abc import Callable
from itertools import accumulate
from typing import Any

from pydantic_core import from_json
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from leadmodel.errors import InputError

__all__ = [
    "MAX_BYTES",
    "BoundedProtocol",
    "Place",
    "Shelf",
    "check_items",
    "check_json",
    "check_size",
    "read_body",
    "read_json",
    "replay",
]

MAX_BYTES = 50_000_000
"""Of a request; 50,000 leads of a thousand bytes each."""

MAX_TOGETHER = 200_000_000
"""Of all requests that are under way."""

FREE = 64_000
"""Bytes of a request that are not counted: a single lead is answered however much others send."""

MAX_HEAD = 64_000
"""Bytes that address and headers of a request may take; whoever takes more is cut off."""

SECONDS, SLOWEST = 20.0, 50_000
"""Seconds for the head of a request, and for its body plus a second for each `SLOWEST` bytes received."""


class Shelf:
    """Room for what all bodies hold together, from their first byte until they are answered.

    Parameters
    ----------
    size : int
        Bytes.
    """

    def __init__(self, size: int = MAX_TOGETHER) -> None:
        self.size, self.held = size, 0


class Place:
    """What one request holds of a shelf; to be left when it is answered."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf, self._came, self._held = shelf, 0, 0

    def put(self, n_bytes: int) -> None:
        """Take room for more bytes of the body.

        Raises
        ------
        HTTPException
            503, if there is none left.
        """
        self._came += n_bytes
        more = max(0, self._came - FREE) - self._held
        if self.shelf.held + more > self.shelf.size:
            raise HTTPException(
                503, "Too many large requests are under way. Try again.", {"Retry-After": "10"}
            )
        self._held += more
        self.shelf.held += more

    def leave(self) -> None:
        """Give the room back."""
        self.shelf.held -= self._held
        self._held = 0


async def read_body(
    receive: Receive,
    limit: int = MAX_BYTES,
    hold: Callable[[int], object] = lambda n_bytes: None,
    seconds: float | None = None,
) -> bytes:
    """Return the whole body.

    Parameters
    ----------
    receive : Receive
        Of the request.
    limit : int
        Bytes that it may have.
    hold : callable
        Called with the number of bytes of each part before it is kept.
    seconds : float, optional
        That it may take (by default `SECONDS`), and one more for each `SLOWEST` bytes that have come.

    Raises
    ------
    HTTPException
        413, if it is too large; 408, if it takes too long.
    """
    parts, size, more = [], 0, True
    deadline = asyncio.get_running_loop().time() + (SECONDS if seconds is None else seconds)
    try:
        async with asyncio.timeout_at(deadline) as patience:
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise HTTPException(400, "The request ended before its body did.")
                part, more = message.get("body", b""), message.get("more_body", False)
                size += len(part)
                check_size(size, limit)
                hold(len(part))
                parts.append(part)
                if more:
                    patience.reschedule(deadline + size / SLOWEST)
    except TimeoutError:
        raise HTTPException(
            408, "The body of the request took too long.", {"Connection": "close"}
        ) from None
    return b"".join(parts)


def check_size(n_bytes: int, limit: int = MAX_BYTES) -> None:
    """Raise HTTPException (413) if a body is too large."""
    if n_bytes > limit:
        raise HTTPException(413, f"A request may have at most {limit:,} bytes. Send fewer leads at a time.")


def replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives `body` again, and then what comes after it."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def first_this() -> Message:
        return messages.pop() if messages else await receive()

    return first_this


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which would wait for ever for the end of a request's head, and keep all of it."""

    _patience: asyncio.TimerHandle | None = None
    _n_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a first request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._stop()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begin to wait for the end of a request's head."""
        super().on_message_begin()
        self._wait()

    def on_headers_complete(self) -> None:
        """Wait no longer: how long a body may take is for its reader to say."""
        self._stop()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Read on, unless this head is too large."""
        super().data_received(data)
        if self._patience:
            self._n_bytes += len(data)
            if self._n_bytes > MAX_HEAD:
                self.transport.close()

    def _wait(self) -> None:
        self._stop()
        self._n_bytes = 0
        self._patience = self.loop.call_later(SECONDS, self.transport.close)

    def _stop(self) -> None:
        if self._patience:
            self._patience.cancel()
            self._patience = None


MAX_LISTS, MAX_VALUES, MAX_DEPTH = 200_000, 3_000_000, 50
"""50,000 leads of 60 values each, four times as many lists and objects, and deeper than any call is."""

PIECE = 500_000
"""Bytes that are parsed at a time: for some milliseconds no other thread goes on."""

_NEXT_LEAD = re.compile(rb"\}\s*,\s*(?=\{)")
_HIGH, _LOW = rb"\\u[dD][89abAB][0-9a-fA-F]{2}", rb"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_LONE_SURROGATE = re.compile(rb"%s(?!%s)|(?<!%s)%s" % (_HIGH, _LOW, _HIGH, _LOW))
_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEPS = {ord(opening): 1 for opening in "[{"} | {ord(closing): -1 for closing in "]}"}


def check_items(body: bytes) -> None:
    """Raise InputError if a body holds more values, or more lists and objects, than any call does."""
    if _has_few_items(body):
        return
    # There may be texts that hold signs of JSON themselves: those are counted without.
    bare = _without_escapes(body)
    if bare.count(b'"') > 4 * MAX_VALUES or not _has_few_items(_without_texts(bare)):
        raise InputError(
            f"A request may hold at most {MAX_LISTS:,} lists and objects and {MAX_VALUES:,} values. "
            "Send fewer leads at a time."
        )


def check_json(body: bytes) -> None:
    """Check what `check_items` does, depth and encoding: for readers that check nothing themselves.

    Raises
    ------
    InputError
        If the body is beyond a bound, or no Unicode.
    """
    check_items(body)
    if b"\0" in body or (b"\\u" in body and _LONE_SURROGATE.search(body.replace(rb"\\", b"__"))):
        raise InputError("The body must be JSON in UTF-8. It holds what is no character.")
    try:
        body.isascii() or body.decode()
    except UnicodeDecodeError:
        raise InputError("The body must be JSON in UTF-8. It is not.") from None
    if _is_deep(body) and _is_deep(_without_texts(_without_escapes(body))):
        raise InputError(f"The body must not have more than {MAX_DEPTH} lists in lists.")


def read_json(body: bytes) -> Any:
    """Return what a body holds; a long list is read in pieces, so that other threads go on meanwhile.

    Raises
    ------
    InputError
        If it is beyond a bound.
    ValueError
        If it is no JSON.
    """
    check_items(body)
    if len(body) > PIECE and body.lstrip()[:1] == b"[":
        try:
            return _read_leads(body)
        except ValueError:
            pass  # no list of flat objects, or wrong: read as a whole, that is told
    return from_json(body)


def _read_leads(body: bytes) -> list[Any]:
    """Read a list of objects; a cut within a text or an object leaves a piece that is no JSON."""
    leads: list[Any] = []
    start = 0
    while cut := _NEXT_LEAD.search(body, start + PIECE):
        opening = b"" if start == 0 else b"["
        leads += from_json(b"%s%s}]" % (opening, body[start : cut.start()]))
        start = cut.end()
    leads += from_json((b"" if start == 0 else b"[") + body[start:])
    return leads


def _has_few_items(body: bytes) -> bool:
    return body.count(b"[") + body.count(b"{") <= MAX_LISTS and body.count(b",") <= MAX_VALUES


def _without_escapes(body: bytes) -> bytes:
    return body.replace(rb"\\", b"__").replace(rb"\"", b"__")


def _without_texts(bare: bytes) -> bytes:
    return b"".join(bare.split(b'"')[::2])


def _is_deep(body: bytes) -> bool:
    steps = body.translate(None, _BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, steps)), default=0) > MAX_DEPTH
