import re

import pytest

from leadmodel.explain.what_if import Change, Curve, WhatIf
from leadmodel.serving.ui.views.figures import render_curve, render_what_if

EVIL = "<script>alert(1)</script>\"'"
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


def test_markup_is_escaped() -> None:
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
