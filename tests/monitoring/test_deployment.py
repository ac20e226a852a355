"""The gate's rules, each by figures that only it allows."""

import pytest
from hub_server import Fault, LoopbackHub

from leadmodel.errors import UnreachableError
from leadmodel.metrics.classification import Estimate
from leadmodel.model import LeadModel
from leadmodel.monitoring.deployment import decide, open_deployment
from leadmodel.report.gate import Comparison, Gate


def compared(value: float, half: float) -> Comparison:
    return Comparison(
        n_leads=1000,
        n_converted=300,
        leads="the newest",
        champion_loss=0.5,
        challenger_loss=0.5 + value,
        change=Estimate(value=value, low=value - half, high=value + half),
    )


@pytest.mark.parametrize(
    ("change", "half", "drifted", "age", "rule"),
    [
        (-0.02, 0.01, False, 1, "better"),
        (-0.02, 0.01, True, 500, "better"),
        (-0.005, 0.01, False, 1, "not better"),
        (-0.005, 0.01, True, 1, "drifted"),
        (-0.005, 0.01, False, 91, "aged"),
        (-0.005, 0.01, False, 90, "not better"),
        # Slightly worse, but by less than 1 % of 0.5 even at the end of the interval.
        (+0.001, 0.003, True, 1, "drifted"),
        (+0.001, 0.005, True, 1, "not better"),
        (+0.001, 0.005, True, 500, "not better"),
        (+0.004, 0.003, True, 500, "worse"),
    ],
)
def test_each_rule(change: float, half: float, drifted: bool, age: float, rule: str) -> None:
    gate = decide(compared(change, half), champion="abc", age_days=age, drifted=drifted)
    assert gate.rule == rule
    assert gate.publish == (rule in ("better", "drifted", "aged"))


@pytest.mark.parametrize("change", [0.02, 0.0])
def test_force_publishes_and_is_recorded(change: float) -> None:
    gate = decide(compared(change, 0.01), champion="abc", age_days=1, drifted=False, force=True)
    assert (gate.publish, gate.rule) == (True, "forced")
    assert gate.told().startswith("Published (forced): log loss ")


def test_force_records_the_rule_where_one_holds() -> None:
    gate = decide(compared(-0.02, 0.01), champion="abc", age_days=1, drifted=False, force=True)
    assert gate.rule == "better"


def test_an_age_may_be_set() -> None:
    given = {"champion": "abc", "age_days": 20.0, "drifted": False}
    assert decide(compared(0.0, 0.001), **given, max_age_days=15).rule == "aged"
    assert decide(compared(0.0, 0.001), **given, max_age_days=25).rule == "not better"


def test_the_decision_in_words() -> None:
    gate = decide(compared(-0.005, 0.01), champion="abc", age_days=120, drifted=False)
    assert gate.told() == (
        "Published (aged): log loss 0.4950 against 0.5000 on 1,000 leads, -0.0050 with an interval of "
        "-0.0150 to +0.0050; not worse, and the champion is 120 days old."
    )
    few = Gate(publish=False, rule="too few", champion="abc", age_days=1, drifted=True)
    assert few.told() == (
        "Kept the champion (too few): too few leads are new to both models for a comparison."
    )


@pytest.mark.parametrize("push", [True, False])
def test_the_champion_is_never_one_of_the_cache(hub: LoopbackHub, model: LeadModel, push: bool) -> None:
    """Not even where the Hub says who may write, and then hangs up."""
    model.push_to_hub("demo/leads")
    LeadModel.from_pretrained("demo/leads")
    hub.fail("GET", "/api/models/", Fault.hang_up(), times=None, skip=int(push))
    with (
        pytest.raises(UnreachableError, match="one of the cache may be an older one"),
        open_deployment("demo/leads", push=push),
    ):
        pytest.fail("an old champion was opened")
