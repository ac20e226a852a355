import numpy as np
import pytest
from pydantic import ValidationError

from leadmodel.decision.policy import Decision, score_grid

RNG = np.random.default_rng(2)
Y = RNG.integers(0, 2, 300)
P = np.round(np.clip(RNG.random(300) * 0.7 + Y * 0.25, 0, 1), 2)
DECISION = Decision(threshold=0.5, rule="by hand", grid=score_grid(P))


def test_scores_are_percentiles() -> None:
    probability = np.array([0.0, np.median(P), 1.0])
    assert DECISION.scores(probability).tolist() == [0, 50, 100]
    uniform = Decision(threshold=0.5, rule="", grid=score_grid(np.linspace(0, 1, 5000)))
    assert uniform.scores([0.123, 0.877]).tolist() == [12, 88]


@pytest.mark.parametrize(
    ("score", "grade"),
    [(100, "A"), (75, "A"), (74, "B"), (50, "B"), (49, "C"), (25, "C"), (24, "D"), (0, "D")],
)
def test_grades_follow_the_bands(score: int, grade: str) -> None:
    assert list(DECISION.bands)[int(DECISION.grade_places(score))] == grade


def test_bands_can_be_edited() -> None:
    decision = Decision(threshold=0.5, rule="", grid=(0, 1), bands={"hot": 90, "cold": 0})
    assert decision.grade_places([95, 89]).tolist() == [0, 1]


@pytest.mark.parametrize(
    "bands", [{}, {"A": 50}, {"A": 0, "B": 50}, {"A": 50, "B": 50, "C": 0}, {"A": 120, "B": 0}], ids=repr
)
def test_bands_must_fall_to_zero(bands: dict[str, int]) -> None:
    with pytest.raises(ValidationError, match="must fall from at most 100 to 0"):
        Decision(threshold=0.5, rule="", grid=(0, 1), bands=bands)


def test_the_threshold_itself_is_positive() -> None:
    assert DECISION.is_positive([0.49, 0.5]).tolist() == [False, True]
