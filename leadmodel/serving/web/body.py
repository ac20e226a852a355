"""The body of a request, for what must see it before those who read it."""

import asyncio
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

__all__ = ["MAX_BYTES", "Place", "Shelf", "check_size", "read_body", "replay"]

MAX_BYTES = 50_000_000
"""Of a request; 50,000 leads of a thousand bytes each."""

MAX_TOGETHER = 200_000_000
"""Of all requests that are under way."""

FREE = 64_000
"""Bytes of a request that are not counted: a single lead is answered however much others send."""

SECONDS, SLOWEST = 20.0, 50_000
"""How long a body may take: so much, and a second more for each so many bytes that have come."""


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
