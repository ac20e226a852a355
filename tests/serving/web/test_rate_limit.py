import pytest

from leadmodel.serving.web import rate_limit as callers
from leadmodel.serving.web.rate_limit import Bill, LimitError, TokenBucket, caller_address


class Clock:
    """Seconds that pass when they are told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_is_left_comes_back_with_time() -> None:
    clock = Clock()
    allowance = TokenBucket(60, clock)
    allowance.spend("ann", 60)
    assert allowance.wait("ann", 1) == pytest.approx(1)
    assert allowance.wait("ann", 30) == pytest.approx(30)
    assert allowance.wait("bob", 60) == 0
    clock.now = 30
    assert allowance.wait("ann", 30) == 0
    assert allowance.wait("ann", 31) == pytest.approx(1)
    clock.now = 1000
    assert allowance.wait("ann", 60) == 0
    allowance.spend("ann", 60)
    assert allowance.wait("ann", 1) == pytest.approx(1), "no more than a minute's worth piles up"


def test_a_call_of_more_than_a_minutes_worth_is_paid_off_afterwards() -> None:
    clock = Clock()
    allowance = TokenBucket(60, clock)
    assert allowance.wait("ann", 600) == 0
    allowance.spend("ann", 600)
    assert allowance.wait("ann", 1) == pytest.approx(541)


def test_the_table_of_callers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "MAX_CALLERS", 3)
    allowance = TokenBucket(60, Clock())
    for caller in ("a", "b", "c", "a", "d"):
        allowance.spend(caller, 60)
    assert [caller for caller in "abcd" if allowance.wait(caller, 1) > 0] == ["a", "c", "d"]


@pytest.mark.parametrize(
    ("forwarded", "n_proxies", "caller"),
    [
        (["9.9.9.9"], 0, "10.0.0.1"),
        ([], 1, "10.0.0.1"),
        (["9.9.9.9"], 1, "9.9.9.9"),
        (["1.1.1.1, 9.9.9.9"], 1, "9.9.9.9"),
        (["1.1.1.1", "9.9.9.9, 10.2.3.4"], 2, "9.9.9.9"),
        (["1.1.1.1", "9.9.9.9, 10.2.3.4, 127.0.0.1"], 3, "9.9.9.9"),
        (["9.9.9.9"], 2, "9.9.9.9"),
        (["1.1.1.1, nonsense"], 1, "10.0.0.1"),
        # A caller in the proxy's own network writes an address of its choice before its own.
        (["8.8.8.8, 192.168.0.3"], 1, "192.168.0.3"),
        (["8.8.8.8, 192.168.0.3, 10.2.3.4"], 2, "192.168.0.3"),
        (["2a00:1450:4001:82a::200e"], 1, "2a00:1450:4001:82a::/64"),
        (["::ffff:9.9.9.9"], 1, "9.9.9.9"),
    ],
)
def test_the_caller_is_whom_the_outermost_trusted_proxy_saw(
    forwarded: list[str], n_proxies: int, caller: str
) -> None:
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    scope = {"type": "http", "client": ("10.0.0.1", 5000), "headers": headers}
    assert caller_address(scope, n_proxies) == caller


def test_a_call_is_charged_for_its_leads_and_one_at_least() -> None:
    allowance = TokenBucket(60, Clock())
    for n_leads, left in ((0, 59), (1, 58), (40, 18)):
        bill = Bill(allowance, "ann")
        bill.charge_call()
        if n_leads:
            bill.charge(n_leads)
        assert allowance.wait("ann", left) == 0
        assert allowance.wait("ann", left + 1) > 0
    bill = Bill(allowance, "ann")
    bill.charge_call()
    with pytest.raises(LimitError, match=r"The limit is 60 leads a minute. Wait 12 s."):
        bill.charge(30)
    assert allowance.wait("ann", 17) == 0, "what was refused costs no more than its call"
    with pytest.raises(LimitError, match="Wait"):
        bill.charge(30)


def test_a_call_of_more_than_a_minutes_worth_is_let_in_when_nothing_is_owed() -> None:
    allowance = TokenBucket(60, Clock())
    bill = Bill(allowance, "ann")
    bill.charge_call()
    bill.charge(600)
    with pytest.raises(LimitError, match="Wait"):
        Bill(allowance, "ann").charge_call()
