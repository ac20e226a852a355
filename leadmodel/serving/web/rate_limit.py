"""Who calls, and how much a caller may ask for."""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

from starlette.datastructures import Headers
from starlette.types import Scope

__all__ = ["TokenBucket", "caller_address"]

MAX_CALLERS = 10_000


class TokenBucket:
    """So much a minute for each caller; what is not used piles up to one minute's worth.

    One call may ask for more than a minute's worth: it is let in when nothing is owed, and leaves
    the caller owing.

    Parameters
    ----------
    per_minute : float
        Units for one caller.
    clock : callable
        Returns seconds.
    """

    def __init__(self, per_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_minute, self.clock = per_minute, clock
        # Who has not called for longest is forgotten first: the table stays bounded.
        self._left: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def wait(self, caller: Hashable, units: float = 1) -> float:
        """Return the seconds until the caller may have that much; 0 is now."""
        lacking = min(units, self.per_minute) - self._now_left(caller)
        return max(0.0, 60 * lacking / self.per_minute)

    def spend(self, caller: Hashable, units: float = 1) -> None:
        """Take that much from what the caller has left."""
        self._left[caller] = (self._now_left(caller) - units, self.clock())
        self._left.move_to_end(caller)
        if len(self._left) > MAX_CALLERS:
            self._left.popitem(last=False)

    def _now_left(self, caller: Hashable) -> float:
        left, at = self._left.get(caller, (self.per_minute, 0.0))
        return min(self.per_minute, left + (self.clock() - at) * self.per_minute / 60)


def caller_address(scope: Scope, behind_proxy: bool) -> str:
    """Return the address that a request comes from.

    Parameters
    ----------
    scope : Scope
        Of the request.
    behind_proxy : bool
        Whether X-Forwarded-For is to be believed. A caller can write into it whatever it likes, but
        each proxy appends the address that it was called from: the last public one is the caller's.
    """
    peer = str((scope.get("client") or ("unknown",))[0])
    named = ",".join(Headers(scope=scope).getlist("x-forwarded-for")) if behind_proxy else ""
    for text in reversed(named.split(",")):
        try:
            address = ipaddress.ip_address(text.strip())
        except ValueError:
            break
        if address.is_global:
            return _network_of(address)
    return peer


def _network_of(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Return the network that one customer has: with IPv6 it holds addresses without number."""
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address, 64), strict=False))
