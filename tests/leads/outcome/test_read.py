"""Outcomes of past leads: which values mean converted, lost and open, and who decides."""

import pandas as pd
import pytest

from leadmodel.errors import InputError
from leadmodel.leads.outcome.read import check_enough, label_leads, read_outcomes
from leadmodel.leads.outcome.rule import OPEN, UNCLEAR, OutcomeRule


def outcomes(**counts: int) -> pd.Series:
    return pd.Series(
        [label.replace("_", " ") for label, count in counts.items() for _ in range(count)], name="status"
    )


def rule(**names: tuple[str, ...]) -> OutcomeRule:
    return OutcomeRule(**names)


STAGES = outcomes(New=50, Contacted=30, Qualified=10, Won=20, Lost=40)


@pytest.mark.parametrize(
    ("target", "positive"),
    [
        (outcomes(Won=50, Lost=50), "Won"),
        (outcomes(Yes=50, No=50), "Yes"),
        (pd.Series([0.0, 1.0] * 50), "1"),
        (pd.Series([True, False] * 50), "True"),
        (pd.Series(["1.0", "0.0"] * 50), "1.0"),
        (outcomes(ja=50, nein=50), "ja"),
        (outcomes(oui=50, non=50), "oui"),
        (outcomes(sí=50, no=50), "sí"),
        (outcomes(vrai=50, faux=50), "vrai"),
        (outcomes(tak=50, nie=50), "tak"),
        (outcomes(won=50, lost=50), "won"),
        (outcomes(signed=50, churned=50), "signed"),
        (outcomes(J=50, N=50), "J"),
        (outcomes(T=50, F=50), "T"),
        (outcomes(Qualified=50, Unqualified=50), "Qualified"),
    ],
)
def test_the_obvious_outcome_is_positive(target: pd.Series, positive: str) -> None:
    found = label_leads(target, rule())
    assert found.rule.positive == (positive,)
    assert (found.codes == 1).sum() == 50
    assert (found.codes == 0).sum() == 50


@pytest.mark.parametrize(
    ("target", "positive", "message"),
    [
        (outcomes(Won=90), (), "'status' must have two outcomes. It has only 'Won'"),
        (outcomes(), (), "It has only nothing"),
        (outcomes(Red=9, Blue=9), (), r"'Blue' \(9\), 'Red' \(9\).* Name it with --positive"),
        (outcomes(S=9, M=9), (), r"'M' \(9\), 'S' \(9\).* Name it with --positive"),
        (outcomes(A=9, B=9, C=9), (), "Name it with --positive"),
        (outcomes(Won=9, Lost=9), ("wonn",), "positive label 'wonn' is not a value of 'status'"),
    ],
    ids=["constant", "empty", "not obvious", "sizes", "three", "misspelt"],
)
def test_an_outcome_that_is_not_clear_is_refused(
    target: pd.Series, positive: tuple[str, ...], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        label_leads(target, rule(positive=positive))


@pytest.mark.parametrize("positive", [("Won",), ("won",), ()])
def test_open_stages_are_left_out_and_not_lost(positive: tuple[str, ...]) -> None:
    found = label_leads(STAGES, rule(positive=positive))
    assert found.rule == rule(positive=("Won",), negative=("Lost",), open=("New", "Contacted", "Qualified"))
    assert [(found.codes == code).sum() for code in (1, 0, OPEN)] == [20, 40, 90]


def test_what_words_mean_can_be_overruled() -> None:
    given = rule(positive=("Won", "Qualified"), negative=("contacted",))
    found = label_leads(STAGES, given)
    assert [(found.codes == code).sum() for code in (1, 0, OPEN)] == [30, 70, 50]
    found = label_leads(STAGES, rule(positive=("Won",), open=("Lost",), negative=("New",)))
    assert [(found.codes == code).sum() for code in (1, 0, OPEN)] == [20, 50, 80]


def test_values_beside_known_ones_are_asked_for() -> None:
    target = outcomes(New=50, Won=20, Lost=40, Parked=7, Closed_Won=3)
    message = (
        r"What do these values of 'status' mean: 'Parked' \(7\), 'Closed Won' \(3\)\? .*--positive "
        r".*--negative .*--open.*converted: 'Won' \(20\); lost: 'Lost' \(40\); open: 'New' \(50\)"
    )
    with pytest.raises(InputError, match=message):
        label_leads(target, rule(positive=("Won",)))
    found = label_leads(target, rule(positive=("Won", "Closed Won"), open=("Parked",)))
    assert [(found.codes == code).sum() for code in (1, 0, OPEN)] == [23, 40, 57]


def test_values_that_say_nothing_are_lost_as_ever() -> None:
    found = label_leads(outcomes(A=40, B=30, C=20), rule(positive=("A",)))
    assert found.rule == rule(positive=("A",)).model_copy(update={"others": True})
    assert (found.codes.sum(), found.is_known.sum()) == (40, 90)


def test_with_both_outcomes_named_the_rest_stays_out() -> None:
    found = label_leads(outcomes(A=40, B=30, C=20), rule(positive=("A",), negative=("B",)))
    assert [(found.codes == code).sum() for code in (1, 0, UNCLEAR)] == [40, 30, 20]


def test_leads_that_are_all_open_need_a_lost_one() -> None:
    with pytest.raises(InputError, match=r"No value of 'status' means a lost lead.* --negative"):
        label_leads(outcomes(customer=5, lead=50, opportunity=4), rule(positive=("customer",)))


def test_a_model_of_who_leaves_has_a_loss_for_its_positive_outcome() -> None:
    found = label_leads(STAGES, rule(positive=("Lost",), open=("Qualified",)))
    assert found.rule.negative == ("Won",)
    assert [(found.codes == code).sum() for code in (1, 0, OPEN)] == [40, 20, 90]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (rule(positive=("Won",), open=("Contcted",)), r"'Contcted' \(--open\) .* Did you mean 'Contacted'"),
        (rule(positive=("Won",), open=("won",)), "can have one meaning only"),
    ],
)
def test_wrong_values_are_refused(given: OutcomeRule, message: str) -> None:
    with pytest.raises(InputError, match=message):
        label_leads(STAGES, given)


def test_a_usual_value_may_be_missing() -> None:
    given = rule(positive=("Won", "Closed Won"), negative=("Closed Lost",), open=("On hold",))
    assert label_leads(STAGES, given).rule.positive == ("Won", "Closed Won")


def test_spellings_of_one_value_are_one() -> None:
    target = pd.Series(["Yes"] * 3 + ["YES", " yes", "Ｙｅｓ", "NO", "no ", "no"], name="status")
    found = label_leads(target, rule())
    assert found.rule == rule(positive=("Yes",), negative=("no",))
    assert found.codes.tolist() == [1] * 6 + [0] * 3
    assert [(value.name, value.count) for value in found.values] == [("Yes", 6), ("no", 3)]
    assert set(found.values[0].variants) == {"YES", "yes", "Ｙｅｓ"}


def test_later_leads_are_read_as_those_of_the_model() -> None:
    learned = label_leads(STAGES, rule()).rule
    later = pd.Series(["WON", "lost", "Proposal", "closed lost", "Parked", None, "", "Closed Won"])
    assert read_outcomes(later, learned).tolist() == [1, 0, OPEN, 0, UNCLEAR, OPEN, OPEN, UNCLEAR]
    assert read_outcomes(later, OutcomeRule(positive=("Won",), others=True)).tolist() == [
        *(1, 0, 0, 0, 0, OPEN, OPEN, 0)
    ]


@pytest.mark.parametrize(("won", "lost"), [(39, 500), (500, 39)])
def test_too_few_leads_of_either_outcome_are_refused(won: int, lost: int) -> None:
    y = label_leads(outcomes(Won=won, Lost=lost), rule()).codes
    with pytest.raises(InputError, match=f"Got {won} converted and {lost} unconverted leads"):
        check_enough(y)
    check_enough(y, at_least=39)


def test_open_leads_have_no_outcome() -> None:
    found = label_leads(pd.Series(["Won", "", None, " ", "Lost"], name="status"), rule())
    assert found.is_known.tolist() == [1, 0, 0, 0, 1]
