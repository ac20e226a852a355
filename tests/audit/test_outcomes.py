"""What the audit says about the values of the outcome column."""

import pandas as pd

from leadmodel.audit.outcomes import OPEN_AS_LOST, UNDERSTOOD, check_outcomes
from leadmodel.leads.outcome.read import label_leads
from leadmodel.leads.outcome.rule import OutcomeRule


def found(values: dict[str, int], **given: tuple[str, ...]) -> dict[str, str]:
    target = pd.Series([value for value, count in values.items() for _ in range(count)], name="stage")
    return {one.kind: one.text for one in check_outcomes(label_leads(target, OutcomeRule(**given)))}


def test_each_value_is_told_with_its_leads() -> None:
    text = found({"New": 50, "Demo": 3, "Won": 20, "Lost": 40})[UNDERSTOOD]
    assert "Converted: 'Won' 20. Not converted: 'Lost' 40. Still open and left out: 'New' 50," in text
    assert "'Demo'" not in text
    assert "other values 3" in text
    assert "--positive, --negative and --open" in text


def test_values_without_a_meaning_are_told() -> None:
    text = found({"A": 10, "B": 20, "C": 30}, positive=("A",))[UNDERSTOOD]
    assert "Not converted: 'C' 30, 'B' 20. No other value is a usual word" in text


def test_spellings_are_told_once() -> None:
    text = found({"yes": 10, "YES": 5, "no": 20})[UNDERSTOOD]
    assert text.startswith(
        "Converted: 'yes' 15. Not converted: 'no' 20. Spellings of one value count as one:"
    )
    assert text.endswith("'yes' is also written 'YES'.")


def test_open_leads_that_count_as_lost_are_a_problem() -> None:
    assert list(found({"Won": 10, "Open": 50})) == [OPEN_AS_LOST]
    assert found({"Won": 10, "Lost": 50}) == {}
