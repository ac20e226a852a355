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
    "BodyMemory",
    "BoundedProtocol",
    "Reservation",
    "check_items",
    "check_json",
    "check_size",
    "read_body",
    "read_json",
    "replay",
]

# Bytes of the address and the headers of a request; a longer one is cut off.
MAX_HEAD = 64_000

# Bytes of one body, 50,000 leads of a thousand bytes each, and of all bodies that are being answered.
MAX_BYTES, MAX_TOGETHER = 50_000_000, 200_000_000

# Bytes of each body that do not count together, so that a single lead is answered however much others send.
UNCOUNTED = 64_000

# Seconds for the head of a request, and for its body plus one for each `SLOWEST` bytes that have arrived.
SECONDS, SLOWEST = 20.0, 50_000

# 50,000 leads of 60 values each, four times as many lists and objects, and deeper than any call is.
MAX_LISTS, MAX_VALUES, MAX_DEPTH = 200_000, 3_000_000, 50

# Bytes of JSON that are parsed at a time: the parser holds Python's lock for some milliseconds.
PIECE = 500_000

_NEXT_LEAD = re.compile(rb"\}\s*,\s*(?=\{)")
_HIGH, _LOW = rb"\\u[dD][89abAB][0-9a-fA-F]{2}", rb"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_LONE_SURROGATE = re.compile(rb"%s(?!%s)|(?<!%s)%s" % (_HIGH, _LOW, _HIGH, _LOW))
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEPS = {ord(bracket): 1 if bracket in "[{" else -1 for bracket in "[]{}"}


class BodyMemory:
    """Memory that all bodies share, from their first byte until they are answered.

    Parameters
    ----------
    size : int
        Bytes.
    """

    def __init__(self, size: int = MAX_TOGETHER) -> None:
        self.size, self.held = size, 0


class Reservation:
    """Bytes that one request holds of the shared memory; to be released when it is answered."""

    def __init__(self, memory: BodyMemory) -> None:
        self.memory, self._received, self._held = memory, 0, 0

    def extend(self, n_bytes: int) -> None:
        """Reserve memory for more bytes of the body.

        Raises
        ------
        HTTPException
            503, if there is none left.
        """
        self._received += n_bytes
        more = max(0, self._received - UNCOUNTED) - self._held
        if self.memory.held + more > self.memory.size:
            raise HTTPException(
                503, "Too many large requests are under way. Try again.", {"Retry-After": "10"}
            )
        self._held += more
        self.memory.held += more

    def release(self) -> None:
        """Give all of it back."""
        self.memory.held -= self._held
        self._held = 0


async def read_body(
    receive: Receive,
    limit: int = MAX_BYTES,
    reserve: Callable[[int], object] = lambda n_bytes: None,
    seconds: float | None = None,
) -> bytes:
    """Read the whole body of a request.

    Parameters
    ----------
    receive : Receive
        Of the request.
    limit : int
        Bytes that it may have.
    reserve : callable
        Called with the number of bytes of each part before it is kept.
    seconds : float, optional
        Time limit, by default `SECONDS`; each `SLOWEST` bytes that have arrived add one.

    Raises
    ------
    HTTPException
        413, if it is too large; 408, if it takes too long.
    """
    parts, size, more = [], 0, True
    deadline = asyncio.get_running_loop().time() + (SECONDS if seconds is None else seconds)
    try:
        async with asyncio.timeout_at(deadline) as timeout:
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise HTTPException(400, "The request ended before its body did.")
                part, more = message.get("body", b""), message.get("more_body", False)
                size += len(part)
                check_size(size, limit)
                reserve(len(part))
                parts.append(part)
                if more:
                    # A slow line may take its time, but a client that sends a byte now and then may not.
                    timeout.reschedule(deadline + size / SLOWEST)
    except TimeoutError:
        # The rest may still arrive, and must not be read as the next request.
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

    async def receive_again() -> Message:
        # After the body comes the disconnect, which answers that stream wait for.
        return messages.pop() if messages else await receive()

    return receive_again


class BoundedProtocol(HttpToolsProtocol):
    """Bound size and time of a request's head, which uvicorn 0.54 leaves unbounded with httptools."""

    _timer: asyncio.TimerHandle | None = None
    _n_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the timer for a first request."""
        super().connection_made(transport)
        self._start()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer."""
        self._stop()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Start the timer for the head of a request."""
        super().on_message_begin()
        self._start()

    def on_headers_complete(self) -> None:
        """Stop the timer: `read_body` limits the time of the body."""
        self._stop()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Read on, unless this head is too large."""
        super().data_received(data)
        if self._timer:
            self._n_bytes += len(data)
            if self._n_bytes > MAX_HEAD:
                self.transport.close()

    def _start(self) -> None:
        self._stop()
        self._n_bytes = 0
        self._timer = self.loop.call_later(SECONDS, self.transport.close)

    def _stop(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None


def check_items(body: bytes) -> None:
    """Raise InputError if a body holds more values, or more lists and objects, than any call does."""
    # A parser can make a hundred bytes of one, so the items are counted before they are made.
    if _has_few_items(body):
        return
    # Brackets and commas within texts are no items: count again without the texts. Splitting at quotes
    # makes a list as well, so their number is bounded first.
    escaped = _without_escapes(body)
    if escaped.count(b'"') > 4 * MAX_VALUES or not _has_few_items(_without_texts(escaped)):
        raise InputError(
            f"A request may hold at most {MAX_LISTS:,} lists and objects and {MAX_VALUES:,} values. "
            "Send fewer leads at a time."
        )


def check_json(body: bytes) -> None:
    """Check the items, depth and encoding of a body that a reader without checks is to parse.

    Raises
    ------
    InputError
        If the body is beyond a bound, or no Unicode.
    """
    check_items(body)
    # Half a surrogate pair passes a parser, and fails only when the text is encoded again. A zero byte
    # means UTF-16 or UTF-32, which Python's parser accepts and these searches do not see through.
    if b"\0" in body or (b"\\u" in body and _LONE_SURROGATE.search(body.replace(rb"\\", b"__"))):
        raise InputError("The body must be JSON in UTF-8. It contains invalid characters.")
    try:
        body.isascii() or body.decode()
    except UnicodeDecodeError:
        raise InputError("The body must be JSON in UTF-8. It is not.") from None
    if _is_deep(body) and _is_deep(_without_texts(_without_escapes(body))):
        raise InputError(f"The body must not nest lists or objects more than {MAX_DEPTH} deep.")


def read_json(body: bytes) -> Any:
    """Parse a body; a long list is parsed in pieces, so that other threads run in between.

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
            pass  # no list of flat objects, or invalid: only parsing it whole gives the right error
    return from_json(body)


def _read_leads(body: bytes) -> list[Any]:
    """Parse a list of flat objects piece by piece."""
    # A cut that falls within a text or a nested object leaves a piece that is no JSON, never a wrong lead.
    leads: list[Any] = []
    start, opening = 0, b""
    while cut := _NEXT_LEAD.search(body, start + PIECE):
        leads += from_json(b"%s%s}]" % (opening, body[start : cut.start()]))
        start, opening = cut.end(), b"["
    return leads + from_json(opening + body[start:])


def _has_few_items(body: bytes) -> bool:
    return body.count(b"[") + body.count(b"{") <= MAX_LISTS and body.count(b",") <= MAX_VALUES


def _without_escapes(body: bytes) -> bytes:
    return body.replace(rb"\\", b"__").replace(rb"\"", b"__")


def _without_texts(escaped: bytes) -> bytes:
    return b"".join(escaped.split(b'"')[::2])


def _is_deep(body: bytes) -> bool:
    steps = map(_STEPS.__getitem__, body.translate(None, _NO_BRACKETS))
    return max(accumulate(steps), default=0) > MAX_DEPTH
