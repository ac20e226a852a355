"""Bounds for JSON, before it is read: a parser makes a hundred bytes of one, and nobody else goes on."""

import re
from itertools import accumulate
from typing import Any

from pydantic_core import from_json

from leadmodel.errors import InputError

__all__ = ["check_items", "check_json", "read_json"]

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
