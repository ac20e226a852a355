"""Check host, origin, sign-in, size and rate of a request before anything of it is read.

Whatever is not opened here by name is closed to those who have not signed in: pages, files, API,
tools and documentation alike.
"""

import ipaddress
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from leadmodel.errors import InputError
from leadmodel.serving.web.bounds import (
    MAX_BYTES,
    BodyMemory,
    Reservation,
    check_json,
    check_size,
    read_body,
    replay,
)
from leadmodel.serving.web.rate_limit import BILL, Bill, LimitError, TokenBucket, caller_address
from leadmodel.serving.web.signin import LOGIN, SignIn

__all__ = ["AccessMiddleware", "AccessPolicy", "is_loopback"]

# Open without signing in; the webhook has a secret of its own.
OPEN = {"/health", LOGIN, "/webhooks/hub"}

# Bytes of a request to those: who has not signed in sends a password at most.
MAX_OPEN_BYTES = 16_000

# Bytes whose check takes less time than passing them to another thread.
MAX_CHECKED_AT_ONCE = 100_000

# Closed to everybody: Gradio would write the values of a form to the disk.
CLOSED = {"/gradio_api/deep_link"}


@dataclass(frozen=True)
class AccessPolicy:
    """What callers must observe.

    Parameters
    ----------
    accounts : dict of str to str
        Passwords by user name; empty where nobody needs to sign in.
    leads_per_minute : float
        For one caller; 0 is no limit.
    n_proxies : int
        Trusted proxies before the app, each of which appends to X-Forwarded-For.
    origins : tuple of str
        Sites such as "https://crm.example" whose pages may call and show the app; no others may.
    only_own_hosts : bool
        Refuse requests to hosts other than this machine and `origins`.
    on_space : bool
        The Hub shows the app in a frame of its page.
    """

    accounts: dict[str, str] = field(default_factory=dict, repr=False)
    leads_per_minute: float = 0
    n_proxies: int = 0
    origins: tuple[str, ...] = ()
    only_own_hosts: bool = False
    on_space: bool = False


class AccessMiddleware:
    """ASGI middleware that lets through only what observes the policy.

    Parameters
    ----------
    app : ASGIApp
        The application to protect.
    policy : AccessPolicy
        What callers must observe.
    sign_in : SignIn, optional
        Who may come in; without it, everybody.
    """

    def __init__(self, app: ASGIApp, policy: AccessPolicy, sign_in: SignIn | None = None) -> None:
        self.app, self.policy, self.sign_in = app, policy, sign_in
        self._allowance = TokenBucket(policy.leads_per_minute) if policy.leads_per_minute > 0 else None
        self._memory = BodyMemory()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or say why not."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            scope["caller"] = caller_address(scope, self.policy.n_proxies)
            reservation = Reservation(self._memory)
            try:
                receive = await self._admit(scope, receive, reservation)
            except HTTPException as error:
                await _refusal(error, scope)(scope, receive, send)
            else:
                await self.app(scope, receive, send)
            finally:
                reservation.release()
        else:  # nothing here speaks WebSocket
            await send({"type": "websocket.close", "code": 1008})

    async def _admit(self, scope: Scope, receive: Receive, reservation: Reservation) -> Receive:
        """Return the `receive` that gives the body, checked; raise HTTPException for what is refused."""
        request, path = HTTPConnection(scope), scope["path"]
        # The order matters: the cheapest checks come first, and nothing of a body is read before the
        # sign-in and the rate limit have let its sender in.
        self._check_site(request)
        if self.sign_in and path not in OPEN:
            if not self.sign_in.is_authenticated(request, scope["caller"]):
                raise HTTPException(401, "Sign in first: HTTP Basic, or the page at /login.")
        if path.rstrip("/") in CLOSED:
            raise HTTPException(404, "Not Found")
        if self._allowance:
            BILL.set(scope.setdefault("bill", Bill(self._allowance, scope["caller"])))
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return receive
        if self.sign_in and path == LOGIN:
            self.sign_in.check_guesses(scope["caller"])
        self._charge_call(scope)
        limit = MAX_OPEN_BYTES if path in OPEN else MAX_BYTES
        # A body whose length is declared as too large is not even read up to the limit.
        if (declared := request.headers.get("content-length", "")).isdecimal():
            check_size(int(declared), limit)
        body = await read_body(receive, limit, reservation.extend)
        if path.startswith("/gradio_api/"):
            await _check_json(request, body)
        return replay(body, receive)

    def _charge_call(self, scope: Scope) -> None:
        try:
            if "bill" in scope:
                scope["bill"].charge_call()
        except LimitError as error:
            raise HTTPException(429, str(error), {"Retry-After": str(error.seconds)}) from None

    def _check_site(self, request: HTTPConnection) -> None:
        """Refuse foreign names of this host, and the pages of other sites."""
        origins = self.policy.origins
        if self.policy.only_own_hosts and not _is_own_host(request.headers.get("host"), origins):
            raise HTTPException(
                403, "This app only answers to localhost. Add other addresses to LEADMODEL_ORIGINS."
            )
        # A browser would lend the page of another site the visitor's cookie. Programs send no Origin.
        origin = request.headers.get("origin")
        if origin is None or origin in origins:
            return
        # Behind a proxy the second one holds the public host; the page of another site can set it only
        # after a preflight request, which is refused.
        hosts = (request.headers.get(name, "") for name in ("host", "x-forwarded-host"))
        if _host_and_port(origin) not in [_host_and_port(f"//{host}") for host in hosts if host]:
            raise HTTPException(403, "Pages of other sites may not call. Allow them in LEADMODEL_ORIGINS.")


async def _check_json(request: HTTPConnection, body: bytes) -> None:
    # Gradio parses bodies in the event loop, where a long one would hold up all other requests.
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        return
    try:
        if len(body) > MAX_CHECKED_AT_ONCE:
            await run_in_threadpool(check_json, body)
        else:
            check_json(body)
    except InputError as error:
        raise HTTPException(422, str(error)) from None


def _refusal(error: HTTPException, scope: Scope) -> Response:
    request = HTTPConnection(scope)
    if error.status_code == 401:
        if scope["method"] == "GET" and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(LOGIN, 303)
        # A browser's script would make it open a password window over the page.
        if "sec-fetch-mode" not in request.headers:
            error.headers = {"WWW-Authenticate": 'Basic realm="leadmodel"'}
    return JSONResponse({"detail": error.detail}, error.status_code, error.headers)


def _host_and_port(url: str) -> tuple[str, int | None]:
    """Return host and port of a URL, without the port that its scheme has by default."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "", None
    return parts.hostname or "", None if port in (80, 443) else port


def is_loopback(host: str) -> bool:
    """Return True if a host is this machine, by a name that nobody else can point to it."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=16)
def _is_own_host(header: str | None, origins: tuple[str, ...]) -> bool:
    """Return True if a Host header names this machine or one of `origins`."""
    # A page of another site that lets its own name point to 127.0.0.1 (DNS rebinding) has the same
    # origin as the app to the visitor's browser; only the name in this header gives it away.
    host, _ = _host_and_port(f"//{header or ''}")
    return is_loopback(host) or host in [_host_and_port(origin)[0] for origin in origins]
