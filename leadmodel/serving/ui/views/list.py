"""Render a scored list as HTML: what was read, the ranked table, the call plan."""

from functools import partial
from typing import Any

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

# Leads in the table: more would make a phone slow, and nobody reads on; the download has all.
MAX_SHOWN = 300

MAX_COLUMNS_SHOWN, MAX_UNUSED_SHOWN, MAX_UNUSUAL_SHOWN = 30, 20, 5
MAX_TEXT = 80

# Titles of the answers of options.
NUMBERS = {name: title for option in installed().values() for name, title in option.numbers.items()}
CATEGORIES = {name: title for option in installed().values() for name, title in option.categories.items()}

# Answers in the order of the table.
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

# How the cells of an answer are written: a class of the stylesheet, or a part of the template.
STYLES = {
    "probability": "probability",
    "grade": "grade",
    **dict.fromkeys(NUMBERS, "lm-number"),
    "score": "lm-number",
    "reason_for": "lm-why",
    "reason_against": "lm-why",
    "warnings": "lm-why",
}


def render_list_error(message: str) -> str:
    """Render the reason why a list was not scored."""
    return render("error.html", title="This list cannot be scored.", message=message)


def render_formulas(n_formulas: int) -> str:
    """Render a warning about texts that a spreadsheet would run; nothing if there are none."""
    return render("formulas.html", n_formulas=n_formulas)


def render_understood(ranked: RankedLeads) -> str:
    """Render which column was read as which field, and which values are unusual."""
    unusual = sorted(filter(_n_unusual, ranked.matches), key=_n_unusual, reverse=True)
    n_fields = len(ranked.matches)
    return render(
        "list_read.html",
        name=ranked.name,
        key_figures=(
            (f"{len(ranked):,}", "leads"),
            (f"{n_fields} of {n_fields}", "fields of the model found"),
        ),
        unusual=[_describe_unusual(match, len(ranked)) for match in unusual[:MAX_UNUSUAL_SHOWN]],
        unused=[
            _shorten(name) + (f" ({reason})" if reason else "")
            for name, reason in list(ranked.unused.items())[:MAX_UNUSED_SHOWN]
        ],
        n_more_unused=len(ranked.unused) - MAX_UNUSED_SHOWN,
        matches=ranked.matches,
    )


def _n_unusual(match: Match) -> int:
    return match.unseen + match.out_of_range


def _describe_unusual(match: Match, n_leads: int) -> str:
    counts = {
        "have a value that was rare in training": match.unseen,
        "have a value outside the training range": match.out_of_range,
    }
    parts = []
    for description, count in counts.items():
        if count:
            # A share that rounds to 0% would say that there are none.
            share = "under 1%" if 100 * count < n_leads else f"{count / n_leads:.0%}"
            parts.append(f"{count:,} leads ({share}) {description}")
    return f"{match.label}: {', '.join(parts)}"


def render_list(ranked: RankedLeads, positions: Positions, column: str | None, descending: bool) -> str:
    """Render the first `MAX_SHOWN` of the leads at `positions` as a table.

    Each head is a button that holds the name of its column in ``data-column``.

    Parameters
    ----------
    ranked : RankedLeads
        The list.
    positions : array of int
        As `RankedLeads.arrange` returns them.
    column, descending : str or None, bool
        The order of the leads; None for best first.
    """
    # The first column that the model does not use mostly names the lead, so it stands before the answers.
    names = [name for name in ranked.columns if name in ranked.unused][:1]
    titles = {name: name for name in names}
    titles |= {
        ranked.answers[answer]: title for answer, title in TITLES.items() if answer in ranked.answers
    }
    others = [name for name in ranked.columns if name not in names][:MAX_COLUMNS_SHOWN]
    titles |= {name: name for name in others}
    answer_of = {name: answer for answer, name in ranked.answers.items()}
    sorted_by = column or ranked.answers[ranked.ranking]
    direction = "descending" if descending or column is None else "ascending"
    columns = [
        {
            "name": name,
            "title": _shorten(title),
            "order": direction if name == sorted_by else "none",
            "style": STYLES.get(answer_of.get(name, ""), "lm-cell"),
        }
        for name, title in titles.items()
    ]
    # Only the rows that are shown leave Arrow: of ten thousand leads, three hundred.
    first = positions[:MAX_SHOWN]
    values = ranked.table.select(list(titles)).take(first).to_pylist()
    rows = [
        (
            position + 1,
            ranked.grade_index[position],
            [_text(ranked, answer_of.get(name), value) for name, value in row.items()],
        )
        for position, row in zip(first.tolist(), values, strict=True)
    ]
    summary = _summarize(ranked, len(positions), len(titles))
    return render("list_table.html", summary=summary, columns=columns, rows=rows)


def _text(ranked: RankedLeads, answer: str | None, value: Any) -> Any:
    """Return a value as the template writes it: only probabilities stay numbers, which have a bar."""
    if answer == "probability":
        return value
    if answer in NUMBERS:
        return ranked.format(answer, value)
    if answer in ("reason_for", "reason_against"):
        return value or "none"
    text = "" if value is None else str(value)
    return text if answer in ("grade", "warnings") else _shorten(text)


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


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…"


def render_plan(plan: CallPlan, ranked: RankedLeads) -> str:
    """Render what to expect of calling, and the gains curve with the plan marked on it."""
    by_value = plan.values is not None
    if plan.cutoff is None:
        return render(
            "no_plan.html", plan=plan, by_value=by_value, money=partial(ranked.format, "expected_value")
        )
    # Imported late: Matplotlib takes longer to import than the app may take to start.
    from leadmodel.plots.card import draw_plan
    from leadmodel.plots.style import to_png

    alternative = (
        f"Curve: {plan.expected:,.1f} customers expected of {plan.n_called:,} calls, "
        f"{plan.gains[-1]:,.1f} of all"
    )
    return render(
        "plan.html",
        plan=plan,
        by_value=by_value,
        key_figures=_key_figures(plan, ranked),
        cutoff=ranked.format("expected_value", plan.cutoff) if by_value else f"{plan.cutoff:.1%}",
        score=None if by_value else ranked.answer("score")[plan.n_called - 1].as_py(),
        total=_count(plan.gains[-1]),
        profits=[plan.profit(n_customers) for n_customers in plan.interval],
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


def _count(customers: float) -> str:
    return f"{customers:,.0f}" if customers >= 1000 else f"{customers:,.1f}"
