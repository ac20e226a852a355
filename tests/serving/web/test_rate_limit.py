import pytest

from leadmodel.serving.web import rate_limit as callers
from leadmodel.serving.web.rate_limit import TokenBucket, caller_address


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
    ("forwarded", "behind_proxy", "caller"),
    [
        (["9.9.9.9"], False, "10.0.0.1"),
        ([], True, "10.0.0.1"),
        (["9.9.9.9"], True, "9.9.9.9"),
        (["1.1.1.1, 9.9.9.9"], True, "9.9.9.9"),
        (["1.1.1.1", "9.9.9.9, 10.2.3.4, 127.0.0.1"], True, "9.9.9.9"),
        (["1.1.1.1, nonsense"], True, "10.0.0.1"),
        (["192.168.0.3"], True, "10.0.0.1"),
        (["2a00:1450:4001:82a::200e"], True, "2a00:1450:4001:82a::/64"),
    ],
)
def test_the_last_public_address_is_the_callers(
    forwarded: list[str], behind_proxy: bool, caller: str
) -> None:
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    scope = {"type": "http", "client": ("10.0.0.1", 5000), "headers": headers}
    assert caller_address(scope, behind_proxy) == caller
