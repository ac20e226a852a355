"""Who calls, and how much a caller may ask for."""

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextvars import ContextVar

from gradio.context import LocalContext
from starlette.datastructures import Headers
from starlette.types import Scope

from leadmodel.errors import InputError

__all__ = ["BILL", "Bill", "LimitError", "TokenBucket", "caller_address", "charge"]

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
        self._lock = threading.RLock()  # leads are charged where they are read, in worker threads
        # Who has not called for longest is forgotten first: the table stays bounded.
        self._left: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def wait(self, caller: Hashable, units: float = 1) -> float:
        """Return the seconds until the caller may have that much; 0 is now."""
        lacking = min(units, self.per_minute) - self._now_left(caller)
        return max(0.0, 60 * lacking / self.per_minute)

    def spend(self, caller: Hashable, units: float = 1) -> None:
        """Take that much from what the caller has left."""
        with self._lock:
            self._left[caller] = (self._now_left(caller) - units, self.clock())
            self._left.move_to_end(caller)
            if len(self._left) > MAX_CALLERS:
                self._left.popitem(last=False)

    def take(self, caller: Hashable, units: float = 1) -> float:
        """Take that much, or return the seconds until the caller may have it."""
        with self._lock:
            wait = self.wait(caller, units)
            if not wait:
                self.spend(caller, units)
        return wait

    def _now_left(self, caller: Hashable) -> float:
        left, at = self._left.get(caller, (self.per_minute, 0.0))
        return min(self.per_minute, left + (self.clock() - at) * self.per_minute / 60)


class LimitError(InputError):
    """Say that a caller has asked for too much, and when to ask again.

    Parameters
    ----------
    leads_per_minute : float
        That a caller may have scored.
    seconds : int
        Until these leads may be.
    """

    def __init__(self, leads_per_minute: float, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(f"The limit is {leads_per_minute:,g} leads a minute. Wait {seconds} s.")


class Bill:
    """What one request is charged: at least one lead for a call, and each lead that it has scored.

    Parameters
    ----------
    allowance : TokenBucket
        Of all callers.
    caller : str
        Who pays.
    """

    def __init__(self, allowance: TokenBucket, caller: str) -> None:
        self.allowance, self.caller = allowance, caller
        self._paid_ahead = 0

    def charge_call(self) -> None:
        """Charge one lead, whatever the call asks for.

        Raises
        ------
        LimitError
            If the caller has nothing left.
        """
        self._charge(1)
        self._paid_ahead = 1

    def charge(self, n_leads: int) -> None:
        """Charge leads before they are scored.

        Raises
        ------
        LimitError
            If the caller has to wait first.
        """
        paid, self._paid_ahead = min(self._paid_ahead, n_leads), 0
        # A call of more than a minute's worth is let in when nothing else is owed than its own lead.
        self.allowance.spend(self.caller, -paid)
        try:
            self._charge(n_leads)
        except LimitError:
            self.allowance.spend(self.caller, paid)
            raise

    def _charge(self, n_leads: int) -> None:
        if wait := self.allowance.take(self.caller, n_leads):
            raise LimitError(self.allowance.per_minute, math.ceil(wait))


BILL: ContextVar[Bill | None] = ContextVar("bill", default=None)
"""Of the request that is being answered; None where there is no limit."""


def charge(n_leads: int) -> None:
    """Charge the caller of the running request for leads that are about to be scored.

    Raises
    ------
    LimitError
        If the caller has to wait first.
    """
    # Gradio works through its queue in a task of its own, where BILL is that of another request.
    request = LocalContext.request.get(None)
    scope = (getattr(request, "request", None) or request).scope if request else {}
    bill = scope.get("bill") if request else BILL.get()
    if bill:
        bill.charge(n_leads)


def caller_address(scope: Scope, n_proxies: int) -> str:
    """Return the address that a request comes from.

    Parameters
    ----------
    scope : Scope
        Of the request.
    n_proxies : int
        How many trusted proxies stand before the app, each of which appends to X-Forwarded-For the
        address that it was called from. What stands further to the left anybody may have written.
    """
    peer = str((scope.get("client") or ("unknown",))[0])
    if not n_proxies:
        return peer
    named = [text for line in Headers(scope=scope).getlist("x-forwarded-for") for text in line.split(",")]
    try:
        return _network_of(ipaddress.ip_address(named[-n_proxies:][0].strip()))
    except (IndexError, ValueError):
        return peer


def _network_of(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Return the network that one customer has: with IPv6 it holds addresses without number."""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.ip_network((address.packed, 64), strict=False))
