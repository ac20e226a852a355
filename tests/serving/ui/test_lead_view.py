import re

import pytest

from leadmodel.explain.reasons import Explanation, Reason
from leadmodel.explain.what_if import Change, Curve, WhatIf
from leadmodel.leads.field import Field, ValueWarning
from leadmodel.predictor import Answer
from leadmodel.serving.ui.views.lead import (
    render_answer,
    render_curve,
    render_error,
    render_ignored,
    render_invitation,
    render_what_if,
)

EVIL = "<script>alert(1)</script>\"'"
FIELDS = {name: Field(name=name, kind="numeric", label=name) for name in "fg"}
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
CHANGE = Change(
    field="w", label="Webinar", before="No", after="Yes", value="Yes", probability=0.524, gain=0.18
)
LINE = Curve(
    field="n",
    label="Visits",
    unit="",
    values=(0.0, 4.0, 8.0),
    names=("0", "4", "8"),
    probabilities=(0.1, 0.3, 0.2),
    own=4.0,
    own_name="4",
    own_probability=0.3,
    edges=(0.0, 2.0, 8.0),
)
BARS = LINE.model_copy(
    update={"values": ("a", "b", "c"), "names": ("a", "b", "c"), "own": "b", "own_name": "b", "edges": ()}
)


def test_whatever_came_from_leads_is_escaped() -> None:
    shown = render_answer(ANSWER, 0.4, ["A", "B"], FIELDS) + render_error(EVIL) + render_invitation(EVIL)
    assert "<script" not in shown
    assert shown.count("&lt;script&gt;alert(1)") == 5


def test_the_answer_shows_what_people_act_on() -> None:
    shown = render_answer(ANSWER, 0.4, ["A", "B"], FIELDS)
    text = re.sub(r"<[^>]+>", " ", shown)
    line = "73% chance · call line at 40% · ahead of 88% of past leads"
    for part in ("73%", "A", line, "Raises the chance", "Warnings"):
        assert part in text
    assert "Lowers the chance" not in text


def test_a_lead_of_which_little_is_known_says_so() -> None:
    lacking = tuple(
        ValueWarning(field=name, kind="missing", message=f"{name} is missing.")
        for name in ("age", "city", "source")
    )
    texts = {name: Field(name=name, kind="categorical", label=name.title()) for name in ("city", "source")}
    fields = texts | {"age": Field(name="age", kind="categorical", label="Age"), "x": FIELDS["f"]}
    answer = ANSWER.model_copy(update={"warnings": lacking})
    shown = render_answer(answer, 0.4, ["A", "B"], fields)
    assert "Too little is known about this lead" in shown
    assert "Missing, although past leads always had them: Age, City, Source." in shown
    assert "Averages" not in shown
    numbers = {"age": Field(name="age", kind="numeric", label="Age")}
    shown = render_answer(answer, 0.4, ["A", "B"], fields | numbers)
    assert "had them: Age, City, Source. Averages are used for the numbers." in shown
    more = {str(number): FIELDS["f"] for number in range(2)}
    assert "Too little" not in render_answer(answer, 0.4, ["A", "B"], fields | more)


def test_what_looks_alike_and_differs_is_told_apart() -> None:
    shown = render_answer(ANSWER.model_copy(update={"probability": 0.122}), 0.1249, ["A", "B"], FIELDS)
    assert "12.2% chance · call line at 12.5%" in shown


def test_what_of_a_link_was_ignored_is_listed_up_to_ten() -> None:
    shown = render_ignored([EVIL] * 12)
    assert "<script" not in shown
    assert shown.count("&lt;script&gt;") == 10
    assert "And 2 more." in shown
    assert render_ignored([]) == ""


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html))


def test_a_change_is_told_in_one_sentence() -> None:
    shown = text_of(render_what_if(WhatIf(probability=0.344, tried=("Webinar",), changes=(CHANGE,))))
    assert "If Webinar were Yes instead of No: 34% → 52% (+18 points)" in shown
    assert "not proof" in shown


@pytest.mark.parametrize(
    ("tried", "told"),
    [((), "influence = true"), (("Webinar",), "No single change"), (("Webinar",), "Webinar")],
)
def test_no_change_is_told_with_the_reason(tried: tuple[str, ...], told: str) -> None:
    shown = text_of(render_what_if(WhatIf(probability=0.344, tried=tried, changes=())))
    assert told in shown
    assert "%" not in shown


def test_a_line_goes_through_the_leads_own_point() -> None:
    shown = render_curve(LINE)
    points = [
        tuple(map(float, pair.split(","))) for pair in re.search(r'points="([^"]+)"', shown)[1].split()
    ]
    circle = re.search(r'cx="([\d.]+)" cy="([\d.]+)"', shown)
    assert circle is not None
    assert points[1] == (float(circle[1]), float(circle[2]))
    heights = [y for _, y in points]
    assert heights[1] < heights[2] < heights[0]  # downwards on a screen is up in numbers
    assert (points[0][0] + points[2][0]) / 2 == pytest.approx(points[1][0], abs=0.1)
    assert "Probability by Visits, from 0 to 8: 10% to 30%. This lead, 4: 30%." in shown


def test_a_number_that_was_not_given_is_a_level() -> None:
    shown = render_curve(LINE.model_copy(update={"own": None, "own_name": "not given"}))
    assert "<circle" not in shown
    assert "not given: 30%" in text_of(shown)


def test_bars_are_as_long_as_the_probabilities() -> None:
    shown = render_curve(BARS)
    assert re.findall(r"<i style=\"width:([\d.]+)%\"", shown) == ["10.0", "30.0", "20.0"]
    assert re.findall(r"<b>(\w+)</b> \(this lead\)", shown) == ["b"]


@pytest.mark.parametrize("probability", [0.0, 0.004, 0.5, 0.96, 1.0])
def test_no_probability_leaves_the_plot(probability: float) -> None:
    shown = render_curve(
        LINE.model_copy(update={"probabilities": (probability,) * 3, "own_probability": probability})
    )
    places = [float(y) for y in re.findall(r',([\d.-]+)[ "]', re.search(r'points="[^>]+', shown)[0])]
    labels = [float(y) for y in re.findall(r'<text[^>]* y="([\d.-]+)"', shown)]
    assert all(0 <= y <= 240 for y in (*places, *labels))


def test_markup_in_figures_is_escaped() -> None:
    evil = {"label": EVIL, "own_name": EVIL, "names": (EVIL, EVIL, EVIL)}
    change = CHANGE.model_copy(update={"label": EVIL, "before": EVIL, "after": EVIL})
    shown = (
        render_curve(LINE.model_copy(update=evil))
        + render_curve(BARS.model_copy(update=evil))
        + render_what_if(WhatIf(probability=0.1, tried=(EVIL,), changes=(change,)))
        + render_what_if(WhatIf(probability=0.1, tried=(EVIL,), changes=()))
    )
    assert "<script" not in shown
    assert EVIL not in shown
    assert shown.count("&lt;script&gt;") >= 10
