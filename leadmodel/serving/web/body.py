"""The body of a request, for what must see it before those who read it."""

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

__all__ = ["MAX_BYTES", "read_body", "replay"]

MAX_BYTES = 50_000_000
"""Of a request; 50,000 leads of a thousand bytes each."""


async def read_body(receive: Receive) -> bytes:
    """Return the whole body.

    Raises
    ------
    HTTPException
        413, if it is too large, once it has been sent: before that a client hears no answer.
    """
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HTTPException(400, "The request ended before its body did.")
        part, more = message.get("body", b""), message.get("more_body", False)
        size += len(part)
        if size <= MAX_BYTES:
            parts.append(part)
    if size > MAX_BYTES:
        raise HTTPException(
            413, f"A request may have at most {MAX_BYTES:,} bytes. Send fewer leads at a time."
        )
    return b"".join(parts)


def replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives `body` again, and then what comes after it."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def first_this() -> Message:
        return messages.pop() if messages else await receive()

    return first_this
