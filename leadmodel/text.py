"""Format numbers and texts for people: every page, card, report and message writes them the same way."""

import re
import unicodedata

__all__ = ["fold", "format_number", "format_percent", "markdown", "visible"]

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that control a terminal, break lines, reverse the text direction or are half a letter."""

_MARKS = re.compile(
    r"[<>\[\]`*~|\\]|\$\$|(?<!\w)_|_(?!\w)"
    r"|&(?=\#?\w+;)"  # an ampersand that would begin another character's code
    r"|(?<=:)//|(?<=\bwww)\."  # what makes an address of itself
    r"|^\s*(?:\#{1,6}|[-+=]+|\d{1,9}[.)])(?=\s|$)|^\s{2,}",
    re.IGNORECASE,
)
"""Where Markdown would format a text; the last line of the pattern is for beginnings of lines."""


def fold(text: str) -> str:
    """Return what two spellings share that differ only by case, spaces, width or accents' composition.

    >>> fold("  Closed\\u00a0 WON "), fold("\\uff39\\uff25\\uff33")
    ('closed won', 'yes')
    """
    if text.isascii():
        return " ".join(text.casefold().split())
    # Folding the case of a composed letter can take it apart again.
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.split())


def format_number(number: float) -> str:
    """Format a number with about four significant digits and a comma between thousands.

    >>> format_number(12345.6), format_number(0.123456), format_number(3.0)
    ('12,346', '0.1235', '3')
    """
    # The format g would turn to an exponent from 10,000 on.
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.4g}"


def format_percent(share: float) -> str:
    """Format a share in percent, with a decimal where it would otherwise round to few percent.

    >>> format_percent(0.3), format_percent(0.014), format_percent(0)
    ('30%', '1.4%', '0%')
    """
    # From 9.95 % on one decimal would show 10.0%.
    return f"{share:.1%}" if 0 < share < 0.0995 else f"{share:.0%}"


def visible(text: str, keep: str = "") -> str:
    """Return `text` with control characters escaped, except those to keep.

    >>> print(visible("a\\x1b[2Jb"))
    a\\x1b[2Jb
    """

    def escape(match: re.Match[str]) -> str:
        return match[0] if match[0] in keep else match[0].encode("unicode_escape").decode()

    return _CONTROLS.sub(escape, text)


def markdown(text: str) -> str:
    """Escape `text` so that Markdown shows it literally, on one line.

    >>> markdown("![win](javascript:alert(1)) in minutes_on_site")
    '!&#91;win&#93;(javascript:alert(1)) in minutes_on_site'
    """
    # Character references rather than backslashes, which some renderers show.
    return _MARKS.sub(lambda match: "".join(f"&#{ord(mark)};" for mark in match[0]), visible(text))
