"""What bodies may take of time and memory, together and each."""

import asyncio

import pytest
from starlette.exceptions import HTTPException
from starlette.types import Message

from leadmodel.serving.web.body import FREE, Place, Shelf, read_body


class Sender:
    """Sends parts of a body, and then nothing more, or its end."""

    def __init__(self, *parts: bytes, ends: bool = True) -> None:
        self.parts, self.ends = list(parts), ends

    async def __call__(self) -> Message:
        if not self.parts:
            await asyncio.Event().wait()
        part = self.parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(self.parts) or not self.ends}


def test_a_body_that_does_not_end_is_given_up() -> None:
    with pytest.raises(HTTPException, match="took too long") as refused:
        asyncio.run(read_body(Sender(b"a", ends=False), seconds=0.01))
    assert refused.value.status_code == 408


def test_a_body_may_take_longer_the_more_of_it_comes() -> None:
    assert asyncio.run(read_body(Sender(b"a" * 1_000_000, b"b"), seconds=0)) == b"a" * 1_000_000 + b"b"


def test_a_body_that_is_too_large_is_refused_at_once() -> None:
    with pytest.raises(HTTPException, match="at most 10 bytes") as refused:
        asyncio.run(read_body(Sender(b"a" * 11, ends=False), 10))
    assert refused.value.status_code == 413


def test_bodies_share_their_room() -> None:
    shelf = Shelf(1000)
    first, second = Place(shelf), Place(shelf)
    asyncio.run(read_body(Sender(b"a" * FREE, b"a" * 900), hold=first.put))
    asyncio.run(read_body(Sender(b"a" * FREE, b"a" * 100), hold=second.put))
    assert shelf.held == 1000
    third = Place(shelf)
    third.put(FREE)
    with pytest.raises(HTTPException, match="Too many large requests") as refused:
        third.put(1)
    assert refused.value.status_code == 503
    for place in (first, second, third):
        place.leave()
    assert shelf.held == 0
