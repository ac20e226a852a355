"""Write TOML with comments, and with entries that are commented out as suggestions."""

import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from leadmodel.text import visible

__all__ = ["Item", "array", "comment", "entry", "key", "value"]

WIDTH = 100

_BARE = re.compile(r"[A-Za-z0-9_-]+")


class Item(NamedTuple):
    """An item of a list, with a comment; one that is only suggested is commented out."""

    value: str
    comment: str = ""
    is_suggested: bool = False


def value(content: Any) -> str:
    """Return a text, a number, a truth value, or a sequence or mapping of them, as TOML on one line.

    >>> value({"label": 'A "b"', "bands": [1, True]})
    '{ label = "A \\\\"b\\\\"", bands = [1, true] }'
    """
    if isinstance(content, Mapping):
        return f"{{ {', '.join(f'{key(name)} = {value(one)}' for name, one in content.items())} }}"
    if isinstance(content, Sequence) and not isinstance(content, str):
        return f"[{', '.join(map(value, content))}]"
    if isinstance(content, float):
        return repr(content)  # JSON has no inf
    # TOML has the texts, whole numbers and truth values of JSON, but for one control character.
    return json.dumps(content, ensure_ascii=False).replace("\x7f", "\\u007f")


def key(name: str) -> str:
    """Return a name as the key of an entry."""
    return name if _BARE.fullmatch(name) else value(name)


def comment(text: str, indent: str = "") -> list[str]:
    """Return lines of comment."""
    return textwrap.wrap(
        visible(text),
        WIDTH,
        initial_indent=f"# {indent}",
        subsequent_indent=f"# {indent}",
        break_long_words=False,
        break_on_hyphens=False,
    )


def entry(name: str, content: Any, note: str = "", *, is_suggested: bool = False) -> list[str]:
    """Return the lines of an entry: beside it a short comment, above it a long one."""
    line = f"{'#' if is_suggested else ''}{key(name)} = {value(content)}"
    beside = f"{line}  # {visible(note)}"
    if not note or len(beside) <= WIDTH:
        return [beside if note else line]
    return [*comment(note), line]


def array(name: str, items: Sequence[Item]) -> list[str]:
    """Return the lines of a list: an entry if it has one item, otherwise an item a line."""
    if len(items) == 1 and not items[0].is_suggested:
        return entry(name, [items[0].value], items[0].comment)
    lines = [f"{key(name)} = ["]
    for item in items:
        line = f"{'#' if item.is_suggested else ''}{value(item.value)},"
        beside = f"{line}  # {visible(item.comment)}" if item.comment else line
        below = [*comment(item.comment), line] if len(beside) > WIDTH - 4 else [beside]
        lines += [f"    {one}" for one in below]
    return [*lines, "]"]
