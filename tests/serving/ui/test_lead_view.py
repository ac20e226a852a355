import re

from leadmodel.amounts.model import AmountParameters
from leadmodel.explain.reasons import Explanation, Reason
from leadmodel.leads.schema import ValueWarning
from leadmodel.predictor.answer import Answer
from leadmodel.serving.ui.views.lead import render_answer, render_error, render_ignored, render_invitation

EVIL = "<script>alert(1)</script>\"'"
REASON = Reason(field=EVIL, label=EVIL, value=EVIL, contribution=1.5, sentence=EVIL)
ANSWER = Answer(
    probability=0.734,
    score=88,
    grade="A",
    decision=EVIL,
    warnings=(ValueWarning(field=EVIL, kind="unseen", message=EVIL),),
    explanation=Explanation(base=0, reasons_for=(REASON,), reasons_against=(), rest=0),
    revision="abc",
)


def test_whatever_came_from_leads_is_escaped() -> None:
    shown = render_answer(ANSWER, 0.4, ["A", "B"], 2) + render_error(EVIL) + render_invitation(EVIL)
    assert "<script" not in shown
    assert shown.count("&lt;script&gt;alert(1)") == 5


def test_the_answer_shows_what_people_act_on() -> None:
    shown = render_answer(ANSWER, 0.4, ["A", "B"], 2)
    text = re.sub(r"<[^>]+>", " ", shown)
    line = "chance to convert 73%, decision from 40% on · score 88 of 100"
    for part in ("73%", "A", line, "Speaks for it", "Read with care"):
        assert part in text
    assert "Speaks against it" not in text


def test_what_a_lead_is_worth_is_told() -> None:
    worth = {"expected_amount": 200.0, "expected_value": 160.5, "amount_interval": (90.0, 1400.0)}
    answer = ANSWER.model_copy(update=worth)
    terms = AmountParameters(unit="<€", mean=150, low=1, high=900, factor=1, ratios=(0.5, 2))
    shown = render_answer(answer, 0.4, ["A", "B"], 2, terms, 60)
    assert "<€" not in shown
    assert "Worth &lt;€160.50</b>" in shown
    assert "If it converts, &lt;€200 is expected, and &lt;€90 to &lt;€1,400 in 80% of the cases" in shown
    assert "decision from a value of &lt;€60 on" in shown
    assert "Worth" not in render_answer(ANSWER, 0.4, ["A", "B"], 2)


def test_a_lead_of_which_little_is_known_says_so() -> None:
    lacking = tuple(
        ValueWarning(
            field=name, kind="missing", message=f"{name}: not given, which no training lead lacked."
        )
        for name in ("Age", "City", "Source")
    )
    shown = render_answer(ANSWER.model_copy(update={"warnings": lacking}), 0.4, ["A", "B"], 4)
    assert "Too little is known of this lead" in shown
    assert "Not given, though every training lead had them: Age, City, Source." in shown
    assert "assumed" not in shown
    message = "Age: not given, which no training lead lacked; the average is assumed."
    lacking = (ValueWarning(field="Age", kind="missing", message=message), *lacking[1:])
    shown = render_answer(ANSWER.model_copy(update={"warnings": lacking}), 0.4, ["A", "B"], 4)
    assert "had them: Age, City, Source. Averages are assumed for the numbers." in shown
    assert "Too little" not in render_answer(ANSWER, 0.4, ["A", "B"], 4)


def test_what_looks_alike_and_differs_is_told_apart() -> None:
    shown = render_answer(ANSWER.model_copy(update={"probability": 0.122}), 0.1249, ["A", "B"], 2)
    assert "chance to convert 12.2%, decision from 12.5% on" in shown


def test_what_of_a_link_was_ignored_is_listed_up_to_ten() -> None:
    shown = render_ignored([EVIL] * 12)
    assert "<script" not in shown
    assert shown.count("&lt;script&gt;") == 10
    assert "And 2 more." in shown
    assert render_ignored([]) == ""
