"""Render a scored list as HTML: what was read, the ranked table, the call plan."""

from dataclasses import dataclass
from typing import Any, Literal

from leadmodel.arrays import Positions
from leadmodel.decision.call_plan import CallPlan
from leadmodel.options import installed
from leadmodel.serving.ranking import Match, RankedLeads
from leadmodel.serving.ui.components import Picture, render

__all__ = [
    "CATEGORIES",
    "MAX_SHOWN",
    "render_formulas",
    "render_list",
    "render_list_error",
    "render_plan",
    "render_understood",
]

MAX_SHOWN = 300
"""Leads in the table: more would make a phone slow, and nobody reads on; the download has all."""

MAX_COLUMNS_SHOWN, MAX_UNUSED_SHOWN, MAX_UNUSUAL_SHOWN = 30, 20, 5
MAX_TEXT = 80

NUMBERS = {name: title for option in installed().values() for name, title in option.numbers.items()}
CATEGORIES = {name: title for option in installed().values() for name, title in option.categories.items()}
"""Titles of the answers of options."""

TITLES = {
    "probability": "Probability",
    **NUMBERS,
    "grade": "Grade",
    "score": "Score",
    "decision": "Decision",
    **CATEGORIES,
    "reason_for": "▲ Strongest reason for",
    "reason_against": "▼ Strongest reason against",
    "warnings": "Warnings",
}
"""Answers in the order of the table."""


def render_list_error(message: str) -> str:
    """Render the reason why a list was not scored."""
    return render("error.html", title="This list cannot be scored.", message=message)


def render_formulas(n_formulas: int) -> str:
    """Render a warning about texts that a spreadsheet would run; nothing if there are none."""
    return render("formulas.html", n_formulas=n_formulas)


def render_understood(ranked: RankedLeads) -> str:
    """Render which column was read as which field, and which values are unusual."""
    n_matches, unused = len(ranked.matches), list(ranked.unused.items())
    unusual = sorted(filter(_n_unusual, ranked.matches), key=_n_unusual, reverse=True)
    return render(
        "list_read.html",
        name=ranked.name,
        key_figures=(
            (f"{len(ranked):,}", "leads"),
            (f"{n_matches} of {n_matches}", "fields of the model found"),
        ),
        unusual=[_describe_unusual(match, len(ranked)) for match in unusual[:MAX_UNUSUAL_SHOWN]],
        unused=[
            _shorten(name) + (f" ({reason})" if reason else "")
            for name, reason in unused[:MAX_UNUSED_SHOWN]
        ],
        n_more_unused=len(unused) - MAX_UNUSED_SHOWN,
        matches=ranked.matches,
    )


def _n_unusual(match: Match) -> int:
    return match.unseen + match.out_of_range


def _describe_unusual(match: Match, n_leads: int) -> str:
    counts = {
        "have a value that was rare in training": match.unseen,
        "have a value outside the training range": match.out_of_range,
    }
    parts = (
        f"{count:,} leads ({_share(count, n_leads)}) {what}" for what, count in counts.items() if count
    )
    return f"{match.label}: {', '.join(parts)}"


def _share(count: int, total: int) -> str:
    # A share that rounds to 0% would say that there are none.
    return "under 1%" if 100 * count < total else f"{count / total:.0%}"


@dataclass(frozen=True)
class _Column:
    """A column of the table; `style` says how its cells are written."""

    name: str
    title: str
    order: Literal["none", "ascending", "descending"]
    style: str


STYLES = {
    "probability": "probability",
    "grade": "grade",
    **dict.fromkeys(NUMBERS, "lm-number"),
    "score": "lm-number",
    "reason_for": "lm-why",
    "reason_against": "lm-why",
    "warnings": "lm-why",
}
"""How the cells of an answer are written: a class of the stylesheet, or a part of the template."""


def render_list(ranked: RankedLeads, places: Positions, column: str | None, descending: bool) -> str:
    """Render the first `MAX_SHOWN` of the leads at `places` as a table.

    Each head is a button that holds the name of its column in ``data-column``.

    Parameters
    ----------
    ranked : RankedLeads
        The list.
    places : array of int
        As `RankedLeads.arrange` returns them.
    column, descending : str or None, bool
        The order of the leads; None for best first.
    """
    shown, first = _shown_columns(ranked), places[:MAX_SHOWN]
    kinds = {name: answer for answer, name in ranked.answers.items()}
    sorted_by = column or ranked.answers[ranked.ranking]
    order: Literal["ascending", "descending"] = (
        "descending" if descending or column is None else "ascending"
    )
    columns = [
        _Column(
            name,
            _shorten(title),
            order if name == sorted_by else "none",
            STYLES.get(kinds.get(name, ""), "lm-cell"),
        )
        for name, title in shown.items()
    ]
    # Only the rows that are shown leave Arrow: of ten thousand leads, three hundred.
    table = ranked.table.select(list(shown)).take(first).to_pylist()
    rows = [
        (
            place + 1,
            ranked.places[place],
            [(column.style, _text(ranked, kinds.get(column.name), row[column.name])) for column in columns],
        )
        for place, row in zip(first.tolist(), table, strict=True)
    ]
    summary = _summarize(ranked, len(places), len(shown))
    return render("list_table.html", summary=summary, columns=columns, rows=rows)


def _text(ranked: RankedLeads, kind: str | None, value: Any) -> Any:
    """Return a value as the template writes it: only probabilities stay numbers, which have a bar."""
    if kind == "probability":
        return value
    if kind in NUMBERS:
        return ranked.format(kind, value)
    if kind in ("reason_for", "reason_against"):
        return value or "none"
    text = "" if value is None else str(value)
    return text if kind in ("grade", "warnings") else _shorten(text)


def _summarize(ranked: RankedLeads, n_leads: int, n_columns: int) -> str:
    if not n_leads:
        filters = ["grades", *(f"{CATEGORIES[name].lower()}s" for name in ranked.choices)]
        return f"No lead matches these {' and '.join(filters)}."
    part, rest = f"{n_leads:,} leads", []
    if n_leads > MAX_SHOWN:
        part, rest = f"The first {MAX_SHOWN} of {n_leads:,} leads", ["the rest"]
    n_hidden = len(ranked.table.column_names) - n_columns
    if n_hidden > 0:
        rest.append(f"{n_hidden} more columns")
    download = f" The download below also has {' and '.join(rest)}." if rest else ""
    return f"{part}.{download} Click a column heading to sort all leads by it."


def _shown_columns(ranked: RankedLeads) -> dict[str, str]:
    """Return the columns of the table with their titles: who it is, the answers, what else is known."""
    # The first column that the model does not use mostly names the lead.
    named = [name for name in ranked.columns if name in ranked.unused][:1]
    answers = {ranked.answers[kind]: title for kind, title in TITLES.items() if kind in ranked.answers}
    others = [name for name in ranked.columns if name not in named][:MAX_COLUMNS_SHOWN]
    return {name: name for name in named} | answers | {name: name for name in others}


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…"


def render_plan(plan: CallPlan, ranked: RankedLeads) -> str:
    """Render what to expect of calling, and the gains curve with the plan marked on it."""
    if plan.cutoff is None:
        reason = _why_none(plan, ranked)
        return render("no_plan.html", reason=reason) if reason else ""
    # Imported late: Matplotlib takes longer to import than the app may take to start.
    from leadmodel.plots.card import draw_plan
    from leadmodel.plots.style import to_png

    alternative = (
        f"Curve: {plan.expected:,.1f} customers expected of {plan.n_called:,} calls, "
        f"{plan.gains[-1]:,.1f} of all"
    )
    by_value = plan.values is not None
    return render(
        "plan.html",
        key_figures=_key_figures(plan, ranked),
        cutoff=ranked.format("expected_value", plan.cutoff) if by_value else f"{plan.cutoff:.1%}",
        score=None if by_value else ranked.answer("score")[plan.n_called - 1].as_py(),
        sentences=_describe_plan(plan),
        drawn=Picture(to_png(draw_plan(plan)), alternative),
    )


def _key_figures(plan: CallPlan, ranked: RankedLeads) -> list[tuple[str, str]]:
    low, high = plan.interval
    figures = [
        (f"{plan.n_called:,}", f"calls of {len(plan.probability):,} leads"),
        (_count(plan.expected), "customers expected"),
        (f"{low:,} to {high:,}", f"likely range ({plan.level:.0%})"),
    ]
    if plan.values is not None:
        figures.append((ranked.format("expected_value", plan.returns[plan.n_called]), "value expected"))
    if (profit := plan.expected_profit) is not None:
        figures.append((f"{profit:,.0f}", "profit expected"))
    return figures


def _why_none(plan: CallPlan, ranked: RankedLeads) -> str:
    """Return why no lead is to be called; nothing if no call was asked for."""
    if plan.cost and plan.values is not None:
        worth = ranked.format("expected_value", plan.values[0])
        return f"Even the best lead is worth only {worth}; a call costs more."
    if plan.cost and plan.value:
        if plan.cost >= plan.value:
            return "A call costs as much as a customer brings, or more."
        best, needed = plan.probability[0], plan.cost / plan.value
        return f"The best lead's probability is {best:.1%}; a call pays off from {needed:.1%}."
    return ""


def _describe_plan(plan: CallPlan) -> list[str]:
    total, sentences = plan.gains[-1], []
    if plan.n_tied:
        ranked_by = "probability" if plan.values is None else "value"
        sentences.append(f"{plan.n_tied:,} more leads have the same {ranked_by} as the last one called.")
    sentences.append(
        f"Of the {_count(total)} customers expected in the whole list, this reaches "
        f"{plan.expected / total if total else 0:.0%} with {plan.n_called / len(plan.probability):.0%} "
        "of the calls."
    )
    low, high = (plan.profit(n_customers) for n_customers in plan.interval)
    if low is not None and high is not None:
        sentences.append(f"The profit is likely between {low:,.0f} and {high:,.0f} ({plan.level:.0%}).")
    return [
        *sentences,
        "Assumes the probabilities hold for this list and leads decide independently.",
    ]


def _count(customers: float) -> str:
    return f"{customers:,.0f}" if customers >= 1000 else f"{customers:,.1f}"
