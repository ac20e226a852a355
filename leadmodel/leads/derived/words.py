"""Normalize texts into words, for parts of words to be looked for in them."""

import re

__all__ = ["in_blanks", "words_of"]

MAX_NAME = 300
"""Characters of a title or name that are read."""

_WORD = re.compile(r"[^\W_]+")


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case."""
    return _WORD.findall(text.casefold())


def in_blanks(text: str) -> str:
    """Return the words of a text between blanks: " it " finds a word in it, " leit" its beginning."""
    return f" {' '.join(words_of(text[:MAX_NAME]))} "
