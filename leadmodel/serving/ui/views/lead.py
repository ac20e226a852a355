"""An answer as HTML. Whatever came from a lead or a model is escaped."""

from html import escape

from leadmodel.amounts.model import LEVEL, AmountParameters
from leadmodel.explain.reasons import Explanation, Reason
from leadmodel.predictor.answer import Answer

__all__ = ["STYLE", "render_answer", "render_error", "render_ignored", "render_invitation"]

MAX_NOTES = 10

STYLE = """
.lm-card, .lm-panel { border: 1px solid var(--border-color-primary); border-radius: 12px; padding: 20px;
  background: var(--block-background-fill); color: var(--body-text-color); }
.lm-head { display: flex; align-items: center; gap: 20px; flex-wrap: wrap; }
.lm-chance { font-size: 3.2rem; font-weight: 700; line-height: 1; font-variant-numeric: tabular-nums; }
.lm-grade { display: inline-flex; align-items: center; justify-content: center; min-width: 3rem;
  height: 3rem; border-radius: 50%; font-size: 1.5rem; font-weight: 700; color: #fff; background: #0b6e75; }
.lm-grade[data-place="1"] { background: #3d6f3a; }
.lm-grade[data-place="2"] { background: #8a5a00; }
.lm-grade[data-place="3"] { background: #6b7280; }
.lm-worth { margin: 0 0 14px; line-height: 1.45; }
.lm-worth b { font-size: 1.25rem; margin-right: 6px; }
.lm-decision { font-size: 1.25rem; font-weight: 600; }
.lm-muted, .lm-small { color: var(--body-text-color); opacity: .75; }
.lm-scale { position: relative; height: 10px; border-radius: 5px; margin: 18px 0 32px;
  background: var(--border-color-primary); }
.lm-scale > i { position: absolute; inset: 0 auto 0 0; border-radius: 5px; background: #0b6e75; }
.lm-scale > b { position: absolute; top: -5px; width: 2px; height: 20px;
  background: var(--body-text-color); }
.lm-scale > span { position: absolute; top: 16px; font-size: .75rem; transform: translateX(-50%);
  white-space: nowrap; }
.lm-card h2, .lm-panel h2 { margin: 18px 0 8px; font-size: 1rem; font-weight: 600; }
.lm-panel > h2:first-child { margin-top: 0; }
.lm-reason { margin: 0 0 12px; }
.lm-reason div { height: 8px; border-radius: 4px; margin: 3px 0; }
.lm-for div { background: #0b6e75; }
.lm-against div { background: repeating-linear-gradient(45deg, #c4602d 0 5px, #a34c1f 5px 9px); }
.lm-reason p { margin: 0; font-size: .92rem; line-height: 1.35; }
.lm-note { margin: 16px 0 0; padding: 10px 14px; border-radius: 8px; font-size: .9rem;
  border-left: 4px solid #8a5a00; background: var(--background-fill-secondary); }
.lm-note ul { margin: 4px 0 0; padding-left: 18px; }
.lm-actions { position: sticky; bottom: 0; z-index: 60; padding: 8px 0;
  background: var(--body-background-fill); }
.lm-actions > * { flex: 1 1 auto; min-width: 0 !important; padding-inline: 8px; white-space: nowrap; }
@media (max-width: 480px) { .lm-actions > * { font-size: .9rem; } }
[role="combobox"] { text-overflow: ellipsis; padding-right: 28px !important; }
.lm-flush .html-container { padding: 0 !important; }
.gradio-container { overflow: clip !important; }
.lm-card + .lm-panel, .lm-note + .lm-card { margin-top: 14px; }
#lm-result.lm-stale:has(.lm-chance) > * { opacity: .55; }
#lm-result.lm-stale:has(.lm-chance)::before { display: block; padding: 8px 0; font-weight: 600;
  content: "The form has changed since this answer: score again."; }
"""


def render_invitation(title: str) -> str:
    """Return what stands in the answer's place before the first one."""
    return (
        '<div class="lm-card lm-muted">Fill in what you know of a lead and press <b>Score</b>. '
        "What you leave empty counts as unknown: the more is known, the more the number means."
        f"<br><br>Model: {escape(title)}</div>"
    )


def render_error(message: str) -> str:
    """Return what went wrong, as the visitor can mend it."""
    return f'<div class="lm-card" role="alert"><b>This lead cannot be read.</b><br>{escape(message)}</div>'


def render_ignored(notes: list[str]) -> str:
    """Return what of a link was ignored; nothing if all of it was read."""
    if not notes:
        return ""
    listed = "".join(f"<li>{escape(note)}</li>" for note in notes[:MAX_NOTES])
    more = f"<li>And {len(notes) - MAX_NOTES} more.</li>" if len(notes) > MAX_NOTES else ""
    return f'<div class="lm-note"><b>Not all of the link could be read</b><ul>{listed}{more}</ul></div>'


def render_answer(
    answer: Answer,
    threshold: float,
    bands: list[str],
    n_fields: int,
    terms: AmountParameters | None = None,
    cost: float | None = None,
) -> str:
    """Return probability, grade and decision at a glance, and the reasons below.

    Parameters
    ----------
    answer : Answer
        Of one lead.
    threshold : float
        The decision threshold, marked on the scale.
    bands : list of str
        The grades, best first.
    n_fields : int
        Fields that the model looks at.
    terms : AmountParameters, optional
        How amounts are told, if the model was trained on them.
    cost : float, optional
        Of a call, if the expected value decides by exceeding it; the threshold is then that of a
        lead of the average amount.
    """
    chance, mark = f"{answer.probability:.0%}", f"{threshold:.1%}"
    near = f"{threshold:.0%}" == chance  # a decimal more tells them apart
    told, from_on = (f"{answer.probability:.1%}", mark) if near else (chance, f"{threshold:.0%}")
    return (
        '<div class="lm-card" aria-live="polite"><div class="lm-head">'
        f'<span class="lm-chance">{chance}</span>'
        f'<span class="lm-grade" data-place="{min(bands.index(answer.grade), 3)}" '
        f'title="Grade">{escape(answer.grade)}</span>'
        f'<span><span class="lm-decision">{escape(answer.decision)}</span><br>'
        f'<span class="lm-muted">chance to convert {told}, {_told_rule(from_on, terms, cost)} · '
        f"score {answer.score} of 100</span>{_render_segment(answer)}</span></div>"
        f'<div class="lm-scale" role="img" aria-label="Probability {chance}, decision threshold {mark}">'
        f'<i style="width:{answer.probability:.1%}"></i><b style="left:{mark}"></b>'
        f'<span class="lm-muted" style="left:clamp(4rem, {mark}, calc(100% - 4rem))">'
        f"{from_on}</span></div>"
        f"{_render_worth(answer, terms)}{_render_warnings(answer, n_fields)}"
        f"{_render_explanation(answer.explanation)}{_render_name(answer)}</div>"
    )


def _told_rule(from_on: str, terms: AmountParameters | None, cost: float | None) -> str:
    if terms is None or cost is None:
        return f"decision from {from_on} on"
    return f"decision from a value of {escape(terms.money(cost))} on"


def _render_worth(answer: Answer, terms: AmountParameters | None) -> str:
    """Return what the lead is worth, and why, if the model tells."""
    if terms is None or answer.amount_interval is None or answer.expected_amount is None:
        return ""
    worth, amount, low, high = (
        escape(terms.money(number))
        for number in (answer.expected_value or 0.0, answer.expected_amount, *answer.amount_interval)
    )
    return (
        f'<div class="lm-worth"><b>Worth {worth}</b> <span class="lm-muted">If it converts, {amount} is '
        f"expected, and {low} to {high} in {LEVEL:.0%} of the cases.</span></div>"
    )


def _render_name(answer: Answer) -> str:
    """Return the name by which the outcome of a logged lead can be told."""
    if answer.request_id is None:
        return ""
    return f'<p class="lm-muted">This answer is logged. Request id: <code>{answer.request_id}</code></p>'


def _render_segment(answer: Answer) -> str:
    told = f'<br><span class="lm-muted">Segment: {escape(answer.segment or "")}</span>'
    return told if answer.segment else ""


def _render_explanation(explanation: Explanation | None) -> str:
    if explanation is None:
        return ""
    reasons = (*explanation.reasons_for, *explanation.reasons_against)
    largest = max((abs(reason.contribution) for reason in reasons), default=1.0)
    parts = (
        ("▲ Speaks for it", "lm-for", explanation.reasons_for),
        ("▼ Speaks against it", "lm-against", explanation.reasons_against),
    )
    return "".join(
        f"<h2>{title}</h2>" + "".join(_render_reason(reason, kind, largest) for reason in chosen)
        for title, kind, chosen in parts
        if chosen
    )


def _render_reason(reason: Reason, kind: str, largest: float) -> str:
    width = max(abs(reason.contribution) / largest, 0.01)
    return (
        f'<div class="lm-reason {kind}"><div style="width:{width:.0%}" '
        f'title="{reason.contribution:+.2f} log-odds"></div><p>{escape(reason.sentence)}</p></div>'
    )


def _render_warnings(answer: Answer, n_fields: int) -> str:
    lacking = [remark for remark in answer.warnings if remark.kind == "missing"]
    items = [escape(remark.message) for remark in answer.warnings if remark.kind != "missing"]
    if lacking:
        names = ", ".join(escape(remark.message.partition(":")[0]) for remark in lacking)
        assumed = any(remark.message.endswith("assumed.") for remark in lacking)
        numbers = " Averages are assumed for the numbers." if assumed else ""
        items.append(f"Not given, though every training lead had them: {names}.{numbers}")
    if not items:
        return ""
    little = 2 * len(lacking) > n_fields
    title = "Too little is known of this lead for the number to mean much" if little else "Read with care"
    listed = "".join(f"<li>{item}</li>" for item in items)
    return f'<div class="lm-note"><b>{title}</b><ul>{listed}</ul></div>'
