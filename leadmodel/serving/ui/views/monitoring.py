"""Render the history of a served model as HTML: checks, figures and tables, never a single lead."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from leadmodel.drift.drift import FieldDrift
from leadmodel.drift.performance import evaluate_outcomes
from leadmodel.leads.field import MIN_CATEGORY_COUNT
from leadmodel.metrics.calibration import reliability
from leadmodel.model import LeadModel
from leadmodel.monitoring.history import (
    Outcomes,
    Requests,
    Scores,
    outcomes_by_grade,
    outcomes_by_revision,
    outcomes_over_time,
    scores_over_time,
)
from leadmodel.monitoring.log.history import MAX_LEADS, History
from leadmodel.monitoring.plots import (
    draw_drifts,
    draw_failures,
    draw_grade_outcomes,
    draw_grades,
    draw_lift,
    draw_numbers,
    draw_predicted,
    draw_reliabilities,
    draw_scores,
    draw_seconds,
)
from leadmodel.plots.style import Figure, to_png
from leadmodel.serving.ui.components import Picture, Table, render, with_interval

__all__ = ["render_history"]

# The share of failed requests, and the seconds of a slow answer, from which on to look into it.
MANY_FAILED, SLOW = 0.01, 1.0

# More names make a sentence, and more lines a figure, that nobody reads.
MAX_DRIFTED_NAMED, MAX_REVISIONS_DRAWN = 5, 3

GOOD, LOOK, UNKNOWN = "✓", "▲", "–"
MEANINGS = {GOOD: "fine", LOOK: "look into it", UNKNOWN: "unknown"}

Check = tuple[str, str]


def render_history(history: History, model: LeadModel, days: int, n_dropped: int = 0) -> str:
    """Render scores, drift, outcomes and requests of the last days.

    Parameters
    ----------
    history : History
        The log as it was read.
    model : LeadModel
        Served now.
    days : int
        Looked back.
    n_dropped : int
        Leads that the log could not take since the app started.
    """
    scores = scores_over_time(history.slices, history.scored)
    if not any(scores):
        few = f"Fewer than {MIN_CATEGORY_COUNT} leads were logged in this period."
        return render("notice.html", text=f"{few} Choose a longer period, or come back later.")
    bands = list(model.config.decision.bands)
    checks = [
        _check_leads(history, days, n_dropped),
        *_check_drift(history),
        _check_performance(history, model),
        _check_requests(history.requests),
    ]
    marked = [(mark, MEANINGS[mark], sentence) for mark, sentence in checks]
    unusual = any(mark == LOOK for mark, _ in checks)
    return render(
        "monitoring.html",
        checks={
            "mark": LOOK if unusual else GOOD,
            "words": "Look into it" if unusual else "Nothing unusual",
            "checks": marked,
        },
        scores=_scores(history, scores, bands),
        drift=_drift(history),
        outcomes=_outcomes(history, bands),
        requests=_requests(history),
    )


def _check_leads(history: History, days: int, n_dropped: int) -> Check:
    span = "day" if days == 1 else f"{days} days"
    sentence = f"{len(history.scored):,} leads were scored in the last {span}."
    if history.is_cut:
        sentence += f" Only the newest (about {MAX_LEADS:,}) are analyzed."
    if n_dropped:
        return LOOK, f"{sentence} {n_dropped:,} more could not be logged since the app started."
    return GOOD, sentence


def _check_drift(history: History) -> list[Check]:
    drift = history.drift
    if drift is None or all(field.chance is None for field in drift.ranked):
        return [(UNKNOWN, "There are too few leads to measure drift.")]
    drifted = [field for field in drift.ranked if field.drifted]
    if not drifted:
        return [(GOOD, f"The latest {drift.n_now:,} leads are like the training leads.")]
    names = ", ".join(field.label for field in drifted[:MAX_DRIFTED_NAMED])
    if len(drifted) > MAX_DRIFTED_NAMED:
        names += f" and {len(drifted) - MAX_DRIFTED_NAMED} more"
    sentence = (
        f"The latest {drift.n_now:,} leads (since {history.since}) have drifted from the training "
        f"leads: {names}."
    )
    shifts = _describe_shifts(drifted[0], drift.n_now)
    detail = [(LOOK, f"The largest shift is in {drifted[0].label}. {shifts}.")] if shifts else []
    return [(LOOK, sentence), *detail]


def _describe_shifts(field: FieldDrift, n_now: int) -> str:
    """Return the two cells that moved most in words."""
    # A cell of very few leads might point to a person. The half makes up for rounded shares.
    shown = [cell for cell in field.cells if not 0 < cell.now * n_now < MIN_CATEGORY_COUNT - 0.5]
    widest = sorted(shown, key=lambda cell: -abs(cell.now - cell.then))[:2]
    shares = [(cell.name, f"{cell.then:.0%}", f"{cell.now:.0%}") for cell in widest]
    return "; ".join(f"{name}: {then} then, {now} now" for name, then, now in shares if then != now)


def _check_performance(history: History, model: LeadModel) -> Check:
    scored = history.scored
    known = scored[(scored["revision"] == model.revision) & scored["converted"].notna()]
    y, probability = known["converted"].to_numpy(dtype=np.int64), known["probability"].to_numpy()
    performance, _ = evaluate_outcomes(model, y, probability)
    if performance is None:
        return UNKNOWN, "There are too few outcomes to evaluate the current model."
    if performance.degraded:
        return LOOK, f"The model performs worse than on its test leads. {' '.join(performance.changes)}"
    return GOOD, f"The model performs as well on {len(y):,} outcomes as on its test leads."


def _check_requests(requests: Sequence[Requests | None]) -> Check:
    counted = [counts for counts in requests if counts]
    n_all, n_failed = sum(counts.n_all for counts in counted), sum(counts.n_failed for counts in counted)
    slow = max((counts.slow for counts in counted if counts.n_scoring), default=0.0)
    if not counted:
        return UNKNOWN, "No requests were counted in this period."
    if n_failed >= max(MIN_CATEGORY_COUNT, MANY_FAILED * n_all):
        return LOOK, f"The app failed on {n_failed:,} of {n_all:,} requests; see its log."
    if slow > SLOW:
        return LOOK, f"At worst, 5 of 100 requests took longer than {_milliseconds(slow)}."
    return GOOD, f"The app works: fewer than {MANY_FAILED:.0%} of {n_all:,} requests failed."


def _draw(figure: Figure, alternative: str, where: str = "the same as in the table") -> Picture:
    return Picture(to_png(figure), f"{alternative}; {where}")


def _scores(history: History, scores: Sequence[Scores | None], bands: Sequence[str]) -> dict[str, Any]:
    names = history.slices.names
    rows = [
        (
            name,
            f"{score.n_leads:,}",
            f"{score.median:.0%}",
            *(_count(score.grades.get(band, 0)) for band in bands),
        )
        if score
        else (name, f"under {MIN_CATEGORY_COUNT}", "", *("" for _ in bands))
        for name, score in zip(names, scores, strict=True)
    ]
    return {
        "pictures": [
            _draw(draw_numbers(names, scores), "Leads over time"),
            _draw(draw_scores(names, scores), "Probabilities over time"),
            _draw(draw_grades(names, scores, bands), "Grades over time"),
        ],
        "table": Table(("From", "Leads", "Median", *(f"Grade {band}" for band in bands)), rows),
    }


def _count(number: int) -> str:
    return f"{number:,}" if number >= MIN_CATEGORY_COUNT or not number else f"under {MIN_CATEGORY_COUNT}"


def _drift(history: History) -> dict[str, Any] | None:
    drift = history.drift
    if drift is None:
        return None
    figure = draw_drifts(history.slices.names, history.drifts, [field.label for field in drift.ranked])
    rows = [
        (
            f"{field.label}\n{_describe_shifts(field, drift.n_now)}",
            f"{field.psi:.2f}",
            "" if field.chance is None else f"{field.chance:.2f}",
            "drifted" if field.drifted else field.level,
        )
        for field in drift.ranked
        if field.level != "stable"
    ]
    return {
        "n_leads": drift.n_now,
        "since": history.since,
        "picture": _draw(figure, "Drift of each field over time", "the table shows the latest leads"),
        "table": Table(("Field", "PSI", "Chance alone", "Verdict"), rows),
        "stable": [field.label for field in drift.ranked if field.level == "stable"],
    }


def _outcomes(history: History, bands: Sequence[str]) -> dict[str, Any] | None:
    """Return conversions by revision, by grade and over time, as far as outcomes have come back."""
    names, scored = history.slices.names, history.scored
    over_time = outcomes_over_time(history.slices, scored)
    if not any(over_time):
        return None
    by_grade, by_revision = outcomes_by_grade(scored, bands), outcomes_by_revision(scored)
    known = scored[scored["converted"].notna()]
    # Of the latest revisions, those with enough outcomes of both kinds.
    drawn = [outcomes.name for outcomes in by_revision if outcomes.roc_auc][:MAX_REVISIONS_DRAWN]
    leads = {name: known[known["revision"] == name] for name in drawn}
    reliabilities = {
        name: reliability(group["converted"], group["probability"]) for name, group in leads.items()
    }
    figures = {
        "Conversion by grade": draw_grade_outcomes(by_grade),
        "Predicted and actual conversion over time": draw_predicted(names, over_time),
        "Lift of the top fifth over time": draw_lift(names, over_time),
        "Reliability of each revision": draw_reliabilities(reliabilities),
    }
    return {
        "n_known": len(known),
        "n_leads": len(scored),
        "rate": known["converted"].mean(),
        "pictures": [
            _draw(figure, name, "the same as in the tables below") for name, figure in figures.items()
        ],
        "by_revision": _outcome_table("Revision", by_revision, lambda revision: revision[:15]),
        "by_grade": _outcome_table("Grade", by_grade),
        "over_time": _outcome_table("From", [outcomes for outcomes in over_time if outcomes]),
    }


def _outcome_table(kind: str, groups: Sequence[Outcomes], shorten: Callable[[str], str] = str) -> Table:
    rows = [
        (
            shorten(group.name),
            f"{group.n_known:,} of {group.n_leads:,}",
            f"{group.expected:.0%}",
            with_interval(group.converted, ".0%"),
            with_interval(group.lift, ".1f") if group.lift else "",
            f"{group.roc_auc.value:.2f}" if group.roc_auc else "",
        )
        for group in groups
    ]
    return Table((kind, "Outcomes", "Predicted", "Converted", "Lift of the top fifth", "ROC AUC"), rows)


def _requests(history: History) -> dict[str, Any] | None:
    names, requests = history.slices.names, history.requests
    if not any(requests):
        return None
    rows = [
        (
            name,
            f"{counts.n_scoring:,}",
            _count(counts.n_refused),
            _count(counts.n_failed),
            _milliseconds(counts.median),
            _milliseconds(counts.slow),
        )
        for name, counts in zip(names, requests, strict=True)
        if counts
    ]
    header = ("From", "Requests", "Invalid requests", "Failures", "Median time", "95th percentile")
    return {
        "pictures": [
            _draw(draw_seconds(names, requests), "Time to answer"),
            _draw(draw_failures(names, requests), "Refused and failed"),
        ],
        "table": Table(header, rows),
    }


def _milliseconds(seconds: float) -> str:
    return "" if np.isnan(seconds) else f"{1000 * seconds:,.3g} ms"
