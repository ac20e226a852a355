"""A call plan as HTML."""

import base64
from html import escape

from leadmodel.decision.call_plan import CallPlan
from leadmodel.serving.ranking import RankedLeads
from leadmodel.serving.ui.views.list import render_facts

__all__ = ["render_plan"]


def render_plan(plan: CallPlan, ranked: RankedLeads) -> str:
    """Return what to expect of calling, and the curve of the list with the plan's place on it."""
    if not plan.n_called:
        return _render_none(plan, ranked)
    low, high = plan.interval
    facts = [
        (f"{plan.n_called:,}", f"calls of {len(plan.probability):,} leads"),
        (_number(plan.expected), "customers expected"),
        (f"{low:,} to {high:,}", f"customers, with {plan.level:.0%} probability"),
    ]
    if plan.values is not None:
        facts.append((escape(ranked.money(plan.returns[plan.n_called])), "value expected"))
    if (profit := plan.expected_profit) is not None:
        facts.append((f"{profit:,.0f}", "profit expected"))
    # Matplotlib takes longer to import than the app may take to start, so its first user waits.
    from leadmodel.plots.card import draw_plan
    from leadmodel.plots.style import to_png

    picture = base64.b64encode(to_png(draw_plan(plan))).decode()
    told = (
        f"{plan.expected:,.1f} customers expected of {plan.n_called:,} calls, {plan.gains[-1]:,.1f} of all"
    )
    return (
        '<div class="lm-card"><div class="lm-plan"><div role="status">'
        f"{render_facts(facts)}{_told_plan(plan, ranked)}</div>"
        f'<img width="400" alt="Curve: {told}" src="data:image/png;base64,{picture}"></div></div>'
    )


def _render_none(plan: CallPlan, ranked: RankedLeads) -> str:
    if not plan.cost:
        return ""
    if plan.values is not None:
        told = f"The best lead is worth {escape(ranked.money(plan.values[0]))}; a call costs more."
    elif plan.value:
        told = (
            f"The best lead's chance is {plan.probability[0]:.1%}; it would have to be "
            f"{plan.cost / plan.value:.1%}."
        )
    else:
        return ""
    return f'<div class="lm-card" role="status"><b>No call pays.</b><br>{told}</div>'


def _told_plan(plan: CallPlan, ranked: RankedLeads) -> str:
    lines = [_told_cutoff(plan, ranked)]
    if plan.n_tied:
        what = "chance" if plan.values is None else "value"
        lines.append(f"{plan.n_tied:,} more have the same {what} as the last one called.")
    share = plan.expected / plan.gains[-1] if plan.gains[-1] else 0.0
    lines.append(
        f"Of the {_number(plan.gains[-1])} customers expected in the whole list, this reaches {share:.0%} "
        f"with {plan.n_called / len(plan.probability):.0%} of the calls."
    )
    low, high = (plan.profit(number) for number in plan.interval)
    if low is not None and high is not None:
        lines.append(
            f"The profit lies between {low:,.0f} and {high:,.0f} with {plan.level:.0%} probability."
        )
    care = "This holds only if the probabilities are true for these leads and each decides by itself."
    return "".join(f"<p>{line}</p>" for line in lines) + f"<p>{care}</p>"


def _told_cutoff(plan: CallPlan, ranked: RankedLeads) -> str:
    assert plan.cutoff is not None
    if plan.values is not None:
        return f"Call each lead from a value of <b>{escape(ranked.money(plan.cutoff))}</b> upwards."
    score = ranked.answer("score")[plan.n_called - 1].as_py()
    return f"Call each lead from a chance of <b>{plan.cutoff:.1%}</b>, score <b>{score}</b>, upwards."


def _number(customers: float) -> str:
    return f"{customers:,.0f}" if customers >= 1000 else f"{customers:,.1f}"
