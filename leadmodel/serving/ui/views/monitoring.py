"""What the prediction log says, for people: words, figures and tables as HTML. No lead is in it."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from leadmodel.drift.drift import FieldDrift
from leadmodel.drift.measure import evaluate_outcomes
from leadmodel.leads.schema import MIN_CATEGORY_COUNT
from leadmodel.model import LeadModel
from leadmodel.monitoring.history import (
    Requests,
    Scores,
    scores_over_time,
)
from leadmodel.monitoring.log.history import MAX_LEADS, History
from leadmodel.monitoring.plots import (
    draw_drifts,
    draw_failures,
    draw_grades,
    draw_numbers,
    draw_scores,
    draw_seconds,
)
from leadmodel.plots.style import to_png
from leadmodel.serving.ui.components import figure, folded, gallery, section, table
from leadmodel.serving.ui.views.outcomes import render_outcomes

__all__ = ["render_history"]

MANY_FAILED, SLOW = 0.01, 1.0
"""The share of failed requests, and the seconds of a slow answer, from which on to look into it."""

GOOD, LOOK, UNKNOWN = "✓", "▲", "–"

Check = tuple[str, str]


def render_history(history: History, model: LeadModel, days: int, n_dropped: int = 0) -> str:
    """Return everything that people want to know of the last days.

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
        few = f"Fewer than {MIN_CATEGORY_COUNT} leads were logged in this time."
        told = f"<p>{few} Look back further, or later.</p>"
        return f'<div class="lm-report">{told}</div>'
    checks = [
        _check_leads(history, days, n_dropped),
        *_check_drift(history),
        _check_performance(history, model),
        _check_requests(history.requests),
    ]
    bands = list(model.config.decision.bands)
    parts = (
        _render_checks(checks),
        section("Scores", _render_scores(history, scores, bands)),
        section("Drift", _render_drift(history)),
        section("Outcomes", render_outcomes(history, bands)),
        section("Errors and latency", _render_requests(history)),
    )
    return f'<div class="lm-report">{"".join(parts)}</div>'


def _check_leads(history: History, days: int, n_dropped: int) -> Check:
    span = "day" if days == 1 else f"{days} days"
    told = f"{len(history.scored):,} leads were scored in the last {span}."
    if history.is_cut:
        told += f" Only the newest are looked at, {MAX_LEADS:,} or some more."
    if n_dropped:
        return LOOK, f"{told} {n_dropped:,} more could not be logged since the app started."
    return GOOD, told


def _check_drift(history: History) -> list[Check]:
    drift = history.drift
    if drift is None or all(one.chance is None for one in drift.ranked):
        return [(UNKNOWN, "There are too few leads to tell whether they have drifted.")]
    drifted = [one for one in drift.ranked if one.drifted]
    if not drifted:
        told = f"The latest {drift.n_now:,} leads are like those that the model has learned from."
        return [(GOOD, told)]
    told = (
        f"The latest {drift.n_now:,} leads (since {history.since}) have drifted from those that the model "
        f"has learned from: {_listed(drifted)}."
    )
    moved = _moved(drifted[0], drift.n_now)
    return [(LOOK, told), *([(LOOK, f"What moved most is {drifted[0].label}. {moved}.")] if moved else [])]


def _listed(drifted: Sequence[FieldDrift], at_most: int = 5) -> str:
    named = ", ".join(one.label for one in drifted[:at_most])
    return named + (f" and {len(drifted) - at_most} more" if len(drifted) > at_most else "")


def _moved(one: FieldDrift, n_now: int) -> str:
    """Return which cells moved most, of those with no leads now or more than a handful."""
    shown = [cell for cell in one.cells if not 0 < cell.now * n_now < MIN_CATEGORY_COUNT - 0.5]
    widest = sorted(shown, key=lambda cell: -abs(cell.now - cell.then))[:2]
    told = [(cell.name, f"{cell.then:.0%}", f"{cell.now:.0%}") for cell in widest]
    return "; ".join(f"{name}: {then} then, {now} now" for name, then, now in told if then != now)


def _check_performance(history: History, model: LeadModel) -> Check:
    own = history.scored[
        (history.scored["revision"] == model.revision) & history.scored["converted"].notna()
    ]
    y, probability = own["converted"].to_numpy(dtype=np.int64), own["probability"].to_numpy()
    performance, _ = evaluate_outcomes(model, y, probability)
    if performance is None:
        return UNKNOWN, "Too few outcomes have come back to judge the model that serves now."
    if performance.degraded:
        return LOOK, f"The model does worse than on its test leads. {' '.join(performance.changes)}"
    return GOOD, f"The model does as well on {len(y):,} outcomes as on its test leads."


def _check_requests(requests: Sequence[Requests | None]) -> Check:
    known = [one for one in requests if one]
    n_all, n_failed = sum(one.n_all for one in known), sum(one.n_failed for one in known)
    slow = max((one.slow for one in known if one.n_scoring), default=0.0)
    if not known:
        return UNKNOWN, "No requests were counted in this time."
    if n_failed >= max(MIN_CATEGORY_COUNT, MANY_FAILED * n_all):
        return LOOK, f"The app failed with {n_failed:,} of {n_all:,} requests. Its log says where."
    if slow > SLOW:
        return LOOK, f"At worst, 5 of 100 requests took longer than {_milliseconds(slow)}."
    return GOOD, f"The app answered: fewer than {MANY_FAILED:.0%} of {n_all:,} requests failed."


def _render_checks(checks: Sequence[Check]) -> str:
    attention = any(mark == LOOK for mark, _ in checks)
    mark, verdict = (LOOK, "Look into it") if attention else (GOOD, "Nothing unusual")
    meanings = {GOOD: "fine", LOOK: "look into it", UNKNOWN: "not known"}
    listed = "".join(
        f'<div class="lm-check"><span role="img" aria-label="{meanings[one]}">{one}</span>'
        f"<span>{escape(sentence)}</span></div>"
        for one, sentence in checks
    )
    return (
        f'<div class="lm-card"><div class="lm-verdict"><span aria-hidden="true">{mark}</span>'
        f"<span>{verdict}</span></div>{listed}</div>"
    )


def _render_scores(history: History, scores: Sequence[Scores | None], bands: Sequence[str]) -> str:
    names = history.slices.names
    pictures = gallery(
        [
            figure(to_png(draw_numbers(names, scores)), "Leads over time; the same as in the table"),
            figure(
                to_png(draw_scores(names, scores)),
                "Probabilities over time; the same as in the table",
            ),
            figure(
                to_png(draw_grades(names, scores, bands)),
                "Grades over time; the same as in the table",
            ),
        ]
    )
    rows = [
        (
            name,
            f"{one.n_leads:,}",
            f"{one.median:.0%}",
            *(_count(one.grades.get(band, 0)) for band in bands),
        )
        if one
        else (name, f"under {MIN_CATEGORY_COUNT}", "", *("" for _ in bands))
        for name, one in zip(names, scores, strict=True)
    ]
    header = ("From", "Leads", "Median", *(f"Grade {band}" for band in bands))
    return pictures + folded("The same as a table", table(header, rows))


def _counts(grades: Mapping[str, int], bands: Sequence[str]) -> list[str]:
    return [_count(grades.get(band, 0)) for band in bands]


def _count(number: int) -> str:
    return f"{number:,}" if number >= MIN_CATEGORY_COUNT or not number else f"under {MIN_CATEGORY_COUNT}"


def _render_drift(history: History) -> str:
    drift = history.drift
    if drift is None:
        return "<p>The revision that serves now has scored no leads in this time.</p>"
    told = (
        "<p>How far the values of each field, and the probabilities, are from those of the training "
        "leads of the revision that serves now, among the leads that it has scored: the population "
        "stability index (PSI), in hundredths, where chance is no explanation. From 10 on, and set bold, "
        "it counts as drift. White cells have too few leads. The table tells of the latest "
        f"{drift.n_now:,} leads, since {escape(history.since)}.</p>"
    )
    drawn = draw_drifts(history.slices.names, history.drifts, [one.label for one in drift.ranked])
    rows = [
        (
            f"{one.label}\n{_moved(one, drift.n_now)}",
            f"{one.psi:.2f}",
            "" if one.chance is None else f"{one.chance:.2f}",
            "drifted" if one.drifted else one.level,
        )
        for one in drift.ranked
        if one.level != "stable"
    ]
    stable = ", ".join(one.label for one in drift.ranked if one.level == "stable")
    rest = f"<p>Stable, or too few leads to tell: {escape(stable)}.</p>" if stable else ""
    header = ("Field", "PSI", "Chance reaches", "Verdict")
    picture = figure(to_png(drawn), "Drift of each field over time; the table tells it of the latest leads")
    moved = table(header, rows) if rows else ""
    return f'{told}<div class="lm-beside">{picture}<div>{moved}{rest}</div></div>'


def _render_requests(history: History) -> str:
    names, requests = history.slices.names, history.requests
    if not any(requests):
        return "<p>No requests were counted in this time.</p>"
    rows = [
        (
            name,
            f"{one.n_scoring:,}",
            _count(one.n_refused),
            _count(one.n_failed),
            _milliseconds(one.median),
            _milliseconds(one.slow),
        )
        for name, one in zip(names, requests, strict=True)
        if one
    ]
    header = ("From", "Requests", "Wrong requests", "The app failed", "Half within", "95 of 100 within")
    pictures = gallery(
        [
            figure(to_png(draw_seconds(names, requests)), "Time to answer; the same as in the table"),
            figure(to_png(draw_failures(names, requests)), "Refused and failed; the same as in the table"),
        ]
    )
    return pictures + folded("The same as a table", table(header, rows))


def _milliseconds(seconds: float) -> str:
    return "" if np.isnan(seconds) else f"{1000 * seconds:,.3g} ms"
