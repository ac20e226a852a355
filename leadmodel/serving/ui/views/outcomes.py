"""What became of the leads that were scored, for people: figures and tables as HTML. No lead is in it."""

from collections.abc import Callable, Sequence
from html import escape

from leadmodel.metrics.classification import reliability
from leadmodel.monitoring.history import (
    Outcomes,
    outcomes_by_grade,
    outcomes_by_revision,
    outcomes_over_time,
)
from leadmodel.monitoring.log.history import History
from leadmodel.monitoring.plots import (
    draw_grade_outcomes,
    draw_lift,
    draw_predicted,
    draw_reliabilities,
)
from leadmodel.plots.style import Figure, to_png
from leadmodel.serving.ui.components import figure, folded, gallery, table

__all__ = ["render_outcomes"]

NO_OUTCOMES = (
    "None has come back yet. Each answer names its call (request_id, and row in a list): send a file "
    "with these and the outcome by python -m leadmodel outcomes FILE --log …"
)


def render_outcomes(history: History, bands: Sequence[str]) -> str:
    """Return conversions by revision, by grade and over time, as far as outcomes have come back."""
    names, scored = history.slices.names, history.scored
    found = outcomes_over_time(history.slices, scored)
    if not any(found):
        return f"<p>{escape(NO_OUTCOMES)}</p>"
    by_grade, by_revision = outcomes_by_grade(scored, bands), outcomes_by_revision(scored)
    n_known = int(scored["converted"].notna().sum())
    told = (
        f"<p>The outcome of {n_known:,} of {len(scored):,} leads has come back, "
        f"{scored['converted'].mean():.0%} converted. Each counts at the time when its lead was scored.</p>"
    )
    drawn: dict[str, Figure] = {
        "Conversion by grade": draw_grade_outcomes(by_grade),
        "What was foretold and what happened, over time": draw_predicted(names, found),
        "Lift of the best fifth over time": draw_lift(names, found),
        "Reliability of each revision": draw_reliabilities(_curves(history, by_revision)),
    }
    return told + "".join(
        (
            gallery(
                figure(to_png(one), f"{name}; the tables below tell it") for name, one in drawn.items()
            ),
            "<h3>By revision</h3>",
            _outcome_table("Revision", by_revision, lambda one: one.name[:15]),
            folded("By grade, as a table", _outcome_table("Grade", by_grade)),
            folded("Over time, as a table", _outcome_table("From", [one for one in found if one])),
        )
    )


def _curves(history: History, revisions: Sequence[Outcomes]) -> dict[str, dict[str, list[float]]]:
    """Return the reliability of the latest revisions whose order is judged."""
    known = history.scored[history.scored["converted"].notna()]
    judged = [one.name for one in revisions if one.roc_auc][:3]
    groups = {name: known[known["revision"] == name] for name in judged}
    return {name: reliability(some["converted"], some["probability"]) for name, some in groups.items()}


def _outcome_table(
    kind: str, found: Sequence[Outcomes], name: Callable[[Outcomes], str] = lambda one: one.name
) -> str:
    rows = [
        (
            name(one),
            f"{one.n_known:,} of {one.n_leads:,}",
            f"{one.expected:.0%}",
            f"{one.converted.value:.0%}\n{one.converted.low:.0%} to {one.converted.high:.0%}",
            "" if one.lift is None else f"{one.lift.value:.1f}\n{one.lift.low:.1f} to {one.lift.high:.1f}",
            "" if one.roc_auc is None else f"{one.roc_auc.value:.2f}",
        )
        for one in found
    ]
    return table((kind, "Outcomes", "Foretold", "Converted", "Lift of the best fifth", "ROC AUC"), rows)
