"""Limit how many leads each caller may have scored in a minute."""

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

# Callers remembered; whoever has not called for longest is forgotten first.
MAX_CALLERS = 10_000


class TokenBucket:
    """Allow each caller a number of units per minute; up to a minute's worth is saved.

    One call may take more than a minute's worth: it is allowed once the bucket is full, and leaves the
    caller in debt.

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
        self._left: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def wait(self, caller: Hashable, units: float = 1) -> float:
        """Return the seconds until the caller may take `units`; 0 is now."""
        shortage = min(units, self.per_minute) - self._now_left(caller)
        return max(0.0, 60 * shortage / self.per_minute)

    def spend(self, caller: Hashable, units: float = 1) -> None:
        """Take `units` from what the caller has left, even into debt."""
        with self._lock:
            self._left[caller] = (self._now_left(caller) - units, self.clock())
            self._left.move_to_end(caller)
            if len(self._left) > MAX_CALLERS:
                self._left.popitem(last=False)

    def take(self, caller: Hashable, units: float = 1) -> float:
        """Take `units`, or return the seconds until the caller may."""
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
    """Charge one request: a lead for the call itself, and then each lead that is scored beyond it.

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
        # The lead that was paid for the call is given back first. Otherwise a call of more than a minute's
        # worth, which needs a full bucket, would never be allowed: its own lead is missing from it.
        self.allowance.spend(self.caller, -paid)
        try:
            self._charge(n_leads)
        except LimitError:
            self.allowance.spend(self.caller, paid)
            raise

    def _charge(self, n_leads: int) -> None:
        if wait := self.allowance.take(self.caller, n_leads):
            raise LimitError(self.allowance.per_minute, math.ceil(wait))


# Of the request that is being answered; None where there is no limit.
BILL: ContextVar[Bill | None] = ContextVar("bill", default=None)


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
        Trusted proxies before the app, each of which appends the address of its caller to
        X-Forwarded-For.
    """
    # Anybody may have written what stands to the left of the last `n_proxies` addresses.
    peer = str((scope.get("client") or ("unknown",))[0])
    if not n_proxies:
        return peer
    lines = Headers(scope=scope).getlist("x-forwarded-for")
    addresses = [text for line in lines for text in line.split(",")]
    try:
        address = ipaddress.ip_address(addresses[-n_proxies:][0].strip())
    except (IndexError, ValueError):
        return peer
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    # A customer has a whole IPv6 network, and could call from another of its addresses each time.
    return str(address.ipv4_mapped or ipaddress.ip_network((address.packed, 64), strict=False))
