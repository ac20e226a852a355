"""Pieces of HTML that pages of text, tables and figures are made of. All text is escaped here."""

import threading
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any

__all__ = [
    "REPORT_STYLE",
    "Pictures",
    "bullets",
    "facts",
    "figure",
    "folded",
    "gallery",
    "section",
    "table",
]

REPORT_STYLE = """
.lm-report { color: var(--body-text-color); max-width: 76rem; }
.lm-report h2 { margin: 28px 0 8px; font-size: 1.2rem; font-weight: 600; }
.lm-report p, .lm-report ul { margin: 0 0 10px; line-height: 1.45; }
.lm-report ul { padding-left: 20px; list-style: disc; }
.lm-report li { margin: 3px 0; }
.lm-scroll { overflow-x: auto; }
.lm-report table { border-collapse: collapse; font-size: .92rem; width: 100%; }
.lm-report table, .lm-report tr { border: 0 !important; }
.lm-report th, .lm-report td { text-align: left; vertical-align: top; padding: 6px 14px 6px 0 !important;
  border: 0 !important; border-bottom: 1px solid var(--border-color-primary) !important; }
.lm-report td:first-child { overflow-wrap: anywhere; min-width: 12rem; }
.lm-report small, .lm-report figcaption, .lm-report dt { display: block; font-size: .87rem; opacity: .78; }
.lm-report td:not(:first-child) { white-space: nowrap; }
@media (max-width: 640px) {
  .lm-report thead { position: absolute; clip-path: inset(50%); }
  .lm-report tr { display: grid; grid-template-columns: 1fr 1fr; padding: 6px 0;
    border-bottom: 1px solid var(--border-color-primary) !important; }
  .lm-report td { border: 0 !important; padding: 2px 0 !important; }
  .lm-report td:first-child { grid-column: 1 / -1; }
  .lm-report td:not(:first-child)::before { content: attr(data-name); display: block;
    font-size: .87rem; opacity: .78; white-space: normal; }
  .lm-report td:empty { display: none; }
}
.lm-gallery { display: grid; gap: 12px;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr)); }
.lm-gallery figure { margin: 0; }
.lm-gallery img { width: 100%; max-width: 30rem; border-radius: 8px; background: #fff; display: block; }
.lm-gallery figcaption { margin: 6px 2px 10px; }
.lm-beside { display: grid; gap: 12px 24px;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); }
.lm-beside figure { margin: 0; }
.lm-beside img { width: 100%; max-width: 27rem; border-radius: 8px; background: #fff; display: block; }
.lm-report summary { cursor: pointer; padding: 4px 0; }
.lm-facts { display: grid; grid-template-columns: minmax(7rem, auto) 1fr; gap: 4px 16px; margin: 0; }
.lm-facts dd { margin: 0; overflow-wrap: anywhere; }
.lm-verdict { display: flex; gap: 12px; align-items: center; font-size: 1.5rem; font-weight: 700; }
.lm-check { display: grid; grid-template-columns: 1.6rem 1fr; margin: 6px 0; line-height: 1.4; }
"""


def section(title: str, *parts: str) -> str:
    """Return finished HTML `parts` below a heading."""
    return f"<h2>{escape(title)}</h2>{''.join(parts)}"


def bullets(sentences: Iterable[str]) -> str:
    """Return a list of sentences."""
    return f"<ul>{''.join(f'<li>{escape(one)}</li>' for one in sentences)}</ul>"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; what stands behind a line break in a cell is set small below it."""
    # A heading without words is none to a screen reader.
    head = "".join(f'<th scope="col">{escape(name)}</th>' if name else "<td></td>" for name in header)
    body = "".join(f"<tr>{''.join(map(_cell, header, row))}</tr>" for row in rows)
    return (
        f'<div class="lm-scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _cell(name: str, text: str) -> str:
    # A phone shows the name of the column in each cell, for want of a head.
    first, _, rest = text.partition("\n")
    small = f"<small>{escape(rest)}</small>" if rest else ""
    return f'<td data-name="{escape(name)}">{escape(first)}{small}</td>'


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Return a list of what is known, each with its name."""
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in pairs)
    return f'<dl class="lm-facts">{listed}</dl>'


def gallery(figures: Iterable[str]) -> str:
    """Return figures side by side, as many as the screen is wide."""
    return f'<div class="lm-gallery">{"".join(figures)}</div>'


def folded(name: str, *parts: str) -> str:
    """Return parts that are shown when their name is pressed."""
    return f"<details><summary>{escape(name)}</summary>{''.join(parts)}</details>"


def figure(png: bytes, alternative: str, caption: str = "") -> str:
    """Return a picture, what it shows for those who do not see it, and a caption."""
    source = f"data:image/png;base64,{b64encode(png).decode()}"
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure><img src="{source}" alt="{escape(alternative)}">{below}</figure>'


class Pictures:
    """Figures of the served model, each drawn once, and one at a time."""

    def __init__(self) -> None:
        self._lock, self._revision = threading.Lock(), ""
        self._drawn: dict[tuple[str, ...], bytes] = {}

    def paint(self, figure: Any) -> bytes:
        """Return a figure as the content of a PNG file."""
        from leadmodel.plots.style import to_png  # takes long, so its first user waits

        return to_png(figure)

    def get(self, revision: str, name: tuple[str, ...], draw: Callable[[], bytes]) -> bytes:
        """Return the figure of that name as a PNG file; a new revision has everything drawn anew."""
        with self._lock:
            if revision != self._revision:
                self._revision, self._drawn = revision, {}
            if name not in self._drawn:
                self._drawn[name] = draw()
            return self._drawn[name]
