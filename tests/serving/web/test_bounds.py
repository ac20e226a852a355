"""Bounds of a request: time and memory of its body, size and depth of its JSON."""

import asyncio
import json
from typing import Any

import pytest
from pydantic_core import from_json
from starlette.exceptions import HTTPException
from starlette.types import Message

from leadmodel.errors import InputError
from leadmodel.serving.web.bounds import (
    MAX_LISTS,
    MAX_VALUES,
    PIECE,
    UNCOUNTED,
    BodyMemory,
    Reservation,
    check_items,
    check_json,
    read_body,
    read_json,
)


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
    memory = BodyMemory(1000)
    first, second = Reservation(memory), Reservation(memory)
    asyncio.run(read_body(Sender(b"a" * UNCOUNTED, b"a" * 900), reserve=first.extend))
    asyncio.run(read_body(Sender(b"a" * UNCOUNTED, b"a" * 100), reserve=second.extend))
    assert memory.held == 1000
    third = Reservation(memory)
    third.extend(UNCOUNTED)
    with pytest.raises(HTTPException, match="Too many large requests") as refused:
        third.extend(1)
    assert refused.value.status_code == 503
    for reservation in (first, second, third):
        reservation.release()
    assert memory.held == 0


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"[]," * MAX_LISTS + b"[]]",
        b"[" + b"{}," * MAX_LISTS + b"{}]",
        b"[" + b"1," * MAX_VALUES + b"1,1]",
        b"[" + b'"",' * MAX_VALUES + b'"",""]',
        b'"' + b'",' * (2 * MAX_VALUES + 2) + b'"',
    ],
    ids=["lists", "objects", "numbers", "texts", "quotes"],
)
def test_too_many_items_are_refused_before_they_are_made(body: bytes) -> None:
    for check in (check_items, check_json, read_json):
        with pytest.raises(InputError, match="at most 200,000 lists and objects and 3,000,000 values"):
            check(body)


@pytest.mark.parametrize(
    "text", ["a,b;" * 1_000_000, "[{" * MAX_LISTS, '\\"[,' * MAX_LISTS, '","[' * MAX_LISTS]
)
def test_signs_within_a_text_are_no_items(text: str) -> None:
    body = json.dumps({"data": [text]}).encode()
    check_json(body)
    assert read_json(body) == {"data": [text]}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"[" * 60 + b"]" * 60, "nest lists or objects more than 50 deep"),
        (rb'"\ud800"', "invalid characters"),
        (rb'"\udc00"', "invalid characters"),
        (rb'"\ud83d\\\ude00"', "invalid characters"),
        (b'"\xed\xa0\x80"', "It is not"),
        ('"é"'.encode("utf-16"), "invalid characters"),
    ],
)
def test_what_would_fail_later_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_json(body)


def test_what_is_no_json_is_left_to_whom_it_is_for() -> None:
    for body in (
        b"",
        b"{",
        b"]" * 60,
        rb'"\ud83d\ude00"',
        rb'"\\ud800"',
        "é🙂".encode(),
        b'"[[[[' + b"[" * 60 + b'"',
    ):
        check_json(body)


LEAD = {"source": "Referral", "note": "a", "age": 35, "part": {"of": [1, 2]}}
TEXTS = ["x", "}, {", "},{", '"},{"', "\\", "]", "é🙂", "\\u0041"]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("separators", [None, (",", ":"), (" ,\n", ": ")])
def test_long_lists_are_read_in_pieces_as_they_would_be_as_a_whole(
    text: str, separators: tuple[str, str] | None
) -> None:
    leads = [LEAD | {"note": text, "age": number} for number in range(3 * PIECE // 60)]
    body = b"\n " + json.dumps(leads, separators=separators).encode()
    assert len(body) > 2 * PIECE
    assert read_json(body) == leads


@pytest.mark.parametrize("end", [b"", b"]]", b"}", b",{}", b",]", b'"'])
def test_a_long_list_that_is_wrong_is_told_as_a_whole(end: bytes) -> None:
    body = json.dumps([LEAD] * (3 * PIECE // 60)).encode()[:-1] + end
    with pytest.raises(ValueError, match="line 1 column") as wanted:
        from_json(body)
    with pytest.raises(ValueError, match="line 1 column") as told:
        read_json(body)
    assert str(told.value) == str(wanted.value)


def test_an_object_is_no_list_however_long_it_is() -> None:
    lead: dict[str, Any] = {"parts": [LEAD] * (3 * PIECE // 60)}
    assert read_json(json.dumps(lead).encode()) == lead
