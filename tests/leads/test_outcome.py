import pandas as pd
import pytest

from leadmodel.errors import InputError
from leadmodel.leads.outcome import find_positive, known_outcomes, read_outcome


def outcomes(**counts: int) -> pd.Series:
    return pd.Series([label for label, count in counts.items() for _ in range(count)], name="status")


@pytest.mark.parametrize(
    ("target", "positive"),
    [
        (outcomes(Won=50, Lost=50), "Won"),
        (outcomes(Yes=50, No=50), "Yes"),
        (pd.Series([0.0, 1.0] * 50), "1"),
        (pd.Series([True, False] * 50), "True"),
    ],
    ids=["won", "yes", "floats", "truth values"],
)
def test_the_obvious_outcome_is_positive(target: pd.Series, positive: str) -> None:
    assert find_positive(target, None) == positive
    assert read_outcome(target, positive).sum() == 50


@pytest.mark.parametrize(
    ("target", "positive", "message"),
    [
        (outcomes(Won=90), None, "'status' must have two outcomes. It has only 'Won'"),
        (outcomes(), None, "It has only nothing"),
        (outcomes(Won=9, Lost=9, Open=9), None, "'Lost', 'Open', 'Won'.* Name it with --positive"),
        (outcomes(Red=9, Blue=9), None, "'Blue', 'Red'.* Name it with --positive"),
        (outcomes(Won=9, Lost=9), "won", "positive label 'won' is not a value of 'status'"),
    ],
    ids=["constant", "empty", "three", "not obvious", "misspelt"],
)
def test_an_outcome_that_is_not_clear_is_refused(
    target: pd.Series, positive: str | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        find_positive(target, positive)


@pytest.mark.parametrize(("won", "lost"), [(39, 500), (500, 39)])
def test_too_few_leads_of_either_outcome_are_refused(won: int, lost: int) -> None:
    with pytest.raises(InputError, match=f"Got {won} converted and {lost} unconverted leads"):
        read_outcome(outcomes(Won=won, Lost=lost), "Won")


def test_to_look_at_leads_needs_fewer() -> None:
    assert read_outcome(outcomes(Won=3, Lost=500), "Won", at_least=1).sum() == 3


def test_more_than_two_outcomes_become_one_against_the_rest() -> None:
    y = read_outcome(outcomes(Won=40, Lost=30, Gone=20), "Won")
    assert (y.sum(), len(y)) == (40, 90)


def test_open_leads_have_no_outcome() -> None:
    assert known_outcomes(pd.Series(["Won", "", None, " ", "Lost"])).tolist() == [1, 0, 0, 0, 1]
