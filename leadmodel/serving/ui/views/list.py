"""A ranked list and its plan as HTML. Whatever came from a list or a model is escaped."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

from leadmodel.serving.ranking import Match, RankedLeads

__all__ = [
    "LIST_STYLE",
    "MAX_SHOWN",
    "render_facts",
    "render_formulas",
    "render_list",
    "render_list_error",
    "render_understood",
]

MAX_SHOWN = 300
"""Leads in the table: more would make a phone slow, and nobody reads on; the download has all."""

MAX_COLUMNS_SHOWN = 30
MAX_TEXT = 80

LIST_STYLE = """
.lm-table { max-height: 34rem; overflow: auto; border: 1px solid var(--border-color-primary);
  border-radius: 12px; background: var(--block-background-fill); }
.lm-table:focus-visible { outline: 2px solid #0b6e75; }
.lm-table table { border-collapse: collapse; width: 100%; font-size: .88rem; margin: 0;
  border: 0 !important; }
.lm-table tr, .lm-fields table, .lm-fields tr { border: 0 !important; }
.lm-table th, .lm-table td { padding: 8px 12px; text-align: left; vertical-align: top; border: 0;
  border-bottom: 1px solid var(--border-color-primary); color: var(--body-text-color); }
.lm-table th { position: sticky; top: 0; z-index: 1; padding: 0; white-space: nowrap;
  background: var(--background-fill-secondary); }
.lm-table th button { all: unset; cursor: pointer; display: block; padding: 10px 12px; font-weight: 600; }
.lm-table th button:focus-visible { outline: 2px solid #0b6e75; outline-offset: -2px; }
.lm-table td.lm-number { text-align: right; font-variant-numeric: tabular-nums; }
.lm-table td.lm-why { min-width: 20rem; line-height: 1.35; }
.lm-table td.lm-cell { white-space: nowrap; }
.lm-table .lm-grade { min-width: 1.7rem; height: 1.7rem; font-size: .9rem; }
.lm-bar { display: block; width: 4rem; height: 5px; margin-top: 4px; border-radius: 3px;
  background: var(--border-color-primary); }
.lm-bar > i { display: block; height: 5px; border-radius: 3px; background: #0b6e75; }
.lm-facts { display: flex; flex-wrap: wrap; gap: 12px 32px; margin: 0 0 14px; }
.lm-facts b { display: block; font-size: 1.7rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.lm-plan { display: flex; flex-wrap: wrap; gap: 20px; align-items: flex-start; }
.lm-plan > div { flex: 1 1 17rem; min-width: 0; }
.lm-plan img { max-width: 100%; height: auto; border-radius: 8px; flex: 0 1 auto; }
.lm-fields { overflow-x: auto; }
.lm-fields table { border-collapse: collapse; font-size: .88rem; margin-top: 8px; }
.lm-fields th, .lm-fields td { padding: 4px 14px 4px 0; text-align: left; border: 0;
  border-bottom: 1px solid var(--border-color-primary); color: var(--body-text-color); }
.lm-fields td.lm-number { text-align: right; }
.lm-card summary { cursor: pointer; margin-top: 8px; font-weight: 600; }
.lm-list-error { white-space: pre-wrap; overflow-wrap: anywhere; }
"""


def render_list_error(message: str) -> str:
    """Return why a list was not scored, as the visitor can mend it."""
    told = f'<div class="lm-list-error">{escape(message)}</div>'
    return f'<div class="lm-card" role="alert"><b>This list cannot be scored.</b>{told}</div>'


def render_understood(ranked: RankedLeads) -> str:
    """Return what was read as what, and what to look at before the answers are used."""
    n_found, unusual = len(ranked.matches), [match for match in ranked.matches if _strange(match)]
    facts = ((f"{len(ranked):,}", "leads"), (f"{n_found} of {n_found}", "fields of the model found"))
    return (
        f'<div class="lm-card" role="status"><h2 style="margin-top:0">{escape(ranked.name)}</h2>'
        f"{render_facts(facts)}{_render_unusual(unusual, len(ranked))}{_render_unused(ranked)}"
        f"<details><summary>Each field and its column</summary>{_render_matches(ranked)}</details></div>"
    )


def _strange(match: Match) -> int:
    return match.unseen + match.out_of_range


def render_facts(facts: Sequence[tuple[str, str]]) -> str:
    """Return numbers, which are markup already, each with what it is."""
    items = "".join(f"<div><b>{number}</b>{escape(what)}</div>" for number, what in facts)
    return f'<div class="lm-facts">{items}</div>'


def _render_unusual(matches: list[Match], n_leads: int) -> str:
    items = []
    for match in sorted(matches, key=_strange, reverse=True)[:5]:
        kinds = (
            (match.unseen, "seen rarely or never in training"),
            (match.out_of_range, "outside the training leads' range"),
        )
        told = ", ".join(f"{count:,} {what} ({_share(count, n_leads)})" for count, what in kinds if count)
        items.append(f"<li>{escape(match.label)}: {told}</li>")
    if not items:
        return ""
    return f'<div class="lm-note"><b>Read with care</b><ul>{"".join(items)}</ul></div>'


def _render_unused(ranked: RankedLeads) -> str:
    if not ranked.unused:
        return ""
    named = [
        escape(_short(name)) + (f" ({escape(reason)})" if reason else "")
        for name, reason in list(ranked.unused.items())[:20]
    ]
    more = f" and {len(ranked.unused) - 20:,} more" if len(ranked.unused) > 20 else ""
    return f'<p class="lm-muted" style="margin-top:12px">Not used, but kept: {", ".join(named)}{more}.</p>'


def _render_matches(ranked: RankedLeads) -> str:
    heads = ("Field", "Column", "Missing", "Unseen", "Out of range")
    rows = "".join(
        f"<tr><td>{escape(match.label)}</td><td>{escape(match.column)}</td>"
        + "".join(
            f'<td class="lm-number">{count:,}</td>'
            for count in (match.missing, match.unseen, match.out_of_range)
        )
        + "</tr>"
        for match in ranked.matches
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return (
        '<div class="lm-fields" role="region" tabindex="0" aria-label="Each field and its column">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def render_list(
    ranked: RankedLeads, places: npt.NDArray[np.intp], column: str | None, descending: bool
) -> str:
    """Return the first `MAX_SHOWN` of the leads at `places` as a table.

    Each head is a button that holds the name of its column in ``data-column``.

    Parameters
    ----------
    ranked : RankedLeads
        The list.
    places : array of int
        As `RankedLeads.arrange` returns them.
    column, descending : str or None, bool
        By what they are in order; None for best first.
    """
    shown = _shown_columns(ranked)
    sign = {column or ranked.answers[ranked.ranking]: descending or column is None}
    heads = "".join(_render_head(title, name, sign.get(name)) for name, title in shown.items())
    first = places[:MAX_SHOWN]
    cells = ranked.table.select(list(shown)).take(first).to_pylist()
    rows = "".join(
        _render_row(ranked, int(place), row) for place, row in zip(first.tolist(), cells, strict=True)
    )
    number = '<th scope="col"><button disabled>Place</button></th>'
    return (
        f"<p>{_told_shown(ranked, len(places), len(shown))}</p>"
        '<div class="lm-table" role="region" tabindex="0" aria-label="Ranked leads">'
        f"<table><thead><tr>{number}{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _told_shown(ranked: RankedLeads, n_found: int, n_columns: int) -> str:
    if not n_found:
        return f"No lead has one of these grades{' and segments' if ranked.segments else ''}."
    part = f"The first {MAX_SHOWN} of {n_found:,} leads" if n_found > MAX_SHOWN else f"{n_found:,} leads"
    hidden = len(ranked.table.column_names) - n_columns
    lacking = ["the rest"] if n_found > MAX_SHOWN else []
    lacking += [f"{hidden} more columns"] if hidden > 0 else []
    download = f" The download below has {' and '.join(lacking)}." if lacking else ""
    return f"{part}.{download} Press a column's name to sort all leads by it."


def _shown_columns(ranked: RankedLeads) -> dict[str, str]:
    """Return columns of the table with their titles: who it is, the answers, what else is known."""
    named = [name for name in ranked.columns if name in ranked.unused]
    titles = {
        "probability": "Chance",
        "expected_value": "Value",
        "expected_amount": "Amount if it converts",
        "grade": "Grade",
        "score": "Score",
        "decision": "Decision",
        "segment": "Segment",
        "reason_for": "▲ Strongest reason for",
        "reason_against": "▼ Strongest reason against",
        "warnings": "Read with care",
    }
    answers = {ranked.answers[name]: title for name, title in titles.items() if name in ranked.answers}
    others = [name for name in ranked.columns if name not in named[:1]][:MAX_COLUMNS_SHOWN]
    return {**{name: name for name in named[:1]}, **answers, **{name: name for name in others}}


def _render_head(title: str, name: str, descending: bool | None) -> str:
    order = "none" if descending is None else "descending" if descending else "ascending"
    sign = {"none": "", "descending": " ↓", "ascending": " ↑"}[order]
    button = f'<button data-column="{escape(name)}">{escape(_short(title))}{sign}</button>'
    return f'<th scope="col" aria-sort="{order}">{button}</th>'


def _render_row(ranked: RankedLeads, place: int, row: dict[str, Any]) -> str:
    kinds = {column: answer for answer, column in ranked.answers.items()}
    cells = "".join(_render_cell(ranked, place, kinds.get(name), value) for name, value in row.items())
    return f'<tr><td class="lm-number">{place + 1:,}</td>{cells}</tr>'


def _render_cell(ranked: RankedLeads, place: int, kind: str | None, value: Any) -> str:
    text = "" if value is None else str(value)
    if kind == "probability":
        bar = f'<span class="lm-bar"><i style="width:{value:.0%}"></i></span>'
        return f'<td class="lm-number">{value:.1%}{bar}</td>'
    if kind in ("expected_value", "expected_amount"):
        return f'<td class="lm-number">{escape(ranked.money(value))}</td>'
    if kind == "grade":
        spot = min(int(ranked.places[place]), 3)
        return f'<td><span class="lm-grade" data-place="{spot}">{escape(text)}</span></td>'
    if kind in ("reason_for", "reason_against", "warnings"):
        nothing = "" if kind == "warnings" else "none"
        return f'<td class="lm-why">{escape(text) or nothing}</td>'
    return f'<td class="{"lm-number" if kind == "score" else "lm-cell"}">{escape(_short(text))}</td>'


def render_formulas(n_formulas: int) -> str:
    """Return what to know before a CSV file with texts like formulas is opened."""
    if not n_formulas:
        return ""
    return (
        '<div class="lm-note" role="status"><b>Texts of this list that look like formulas: '
        f"{n_formulas:,}.</b> "
        "A spreadsheet that opens the CSV file may run them; in the Excel file they are texts.</div>"
    )


def _share(count: int, total: int) -> str:
    return "under 1%" if 100 * count < total else f"{count / total:.0%}"


def _short(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…"
