"""Check origin, sign-in, size and rate of a request before anything of it is read."""

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
from leadmodel.serving.web.bounds import MAX_BYTES, Place, Shelf, check_json, check_size, read_body, replay
from leadmodel.serving.web.rate_limit import BILL, Bill, LimitError, TokenBucket, caller_address
from leadmodel.serving.web.signin import LOGIN, SignIn

__all__ = ["AccessMiddleware", "AccessPolicy", "host_and_port", "is_loopback", "is_own_host"]

OPEN = {"/health", LOGIN, "/webhooks/hub"}
"""Open without signing in; the webhook has a secret of its own."""

MAX_OPEN_BYTES = 16_000
"""Of a request to what is open: whoever has not signed in sends a password at most."""

FEW = 100_000
"""Bytes that are looked through faster than another thread would begin."""

CLOSED = {"/gradio_api/deep_link"}
"""Closed to everybody: Gradio would write the values of a form to the disk."""


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
        Whether to refuse requests to hosts other than this machine and `origins`.
    on_space : bool
        Whether the Hub shows the app in a frame of its own.
    """

    accounts: dict[str, str] = field(default_factory=dict, repr=False)
    leads_per_minute: float = 0
    n_proxies: int = 0
    origins: tuple[str, ...] = ()
    only_own_hosts: bool = False
    on_space: bool = False


class AccessMiddleware:
    """ASGI middleware that lets through what observes the rules.

    Parameters
    ----------
    app : ASGIApp
        What answers.
    rules : AccessPolicy
        What callers must observe.
    sign_in : SignIn, optional
        Who may come in; without it, everybody.
    """

    def __init__(self, app: ASGIApp, rules: AccessPolicy, sign_in: SignIn | None = None) -> None:
        self.app, self.rules, self.sign_in = app, rules, sign_in
        self._allowance = TokenBucket(rules.leads_per_minute) if rules.leads_per_minute > 0 else None
        self._shelf = Shelf()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or say why not."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            scope["caller"] = caller_address(scope, self.rules.n_proxies)
            place = Place(self._shelf)
            try:
                receive = await self._admit(scope, receive, place)
            except HTTPException as error:
                await _refusal(error, scope)(scope, receive, send)
            else:
                await self.app(scope, receive, send)
            finally:
                place.leave()
        else:  # nothing here speaks WebSocket
            await send({"type": "websocket.close", "code": 1008})

    async def _admit(self, scope: Scope, receive: Receive, place: Place) -> Receive:
        request, path = HTTPConnection(scope), scope["path"]
        if self.rules.only_own_hosts and not is_own_host(request.headers.get("host"), self.rules.origins):
            raise HTTPException(
                403, "This app answers as localhost. LEADMODEL_ORIGINS names other addresses of it."
            )
        self._check_origin(request)
        if (
            self.sign_in
            and path not in OPEN
            and not self.sign_in.is_authenticated(request, scope["caller"])
        ):
            raise HTTPException(401, "Sign in first: HTTP Basic, or the page at /login.")
        if path.rstrip("/") in CLOSED:
            raise HTTPException(404, "Not Found")
        if self._allowance:
            BILL.set(scope.setdefault("bill", Bill(self._allowance, scope["caller"])))
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return receive
        self._charge_call(scope)
        limit = MAX_OPEN_BYTES if path in OPEN else MAX_BYTES
        if (declared := request.headers.get("content-length", "")).isdecimal():
            check_size(int(declared), limit)
        body = await read_body(receive, limit, place.put)
        if path.startswith("/gradio_api/"):
            await _check_json(request, body)
        return replay(body, receive)

    def _charge_call(self, scope: Scope) -> None:
        """Refuse who has guessed or asked too much, before anything of the request is read."""
        if self.sign_in and scope["path"] == LOGIN:
            self.sign_in.check_patience(scope["caller"])
        try:
            if "bill" in scope:
                scope["bill"].charge_call()
        except LimitError as error:
            raise HTTPException(429, str(error), {"Retry-After": str(error.seconds)}) from None

    def _check_origin(self, request: HTTPConnection) -> None:
        """Refuse the pages of other sites: a browser would lend them the visitor's cookie."""
        origin = request.headers.get("origin")
        if origin is None or origin in self.rules.origins:
            return
        # No page of another site can set the second one without being asked first.
        hosts = (request.headers.get(name, "") for name in ("host", "x-forwarded-host"))
        if host_and_port(origin) not in [host_and_port(f"//{host}") for host in hosts if host]:
            raise HTTPException(403, "Pages of other sites may not call. LEADMODEL_ORIGINS lets them.")


async def _check_json(request: HTTPConnection, body: bytes) -> None:
    """Refuse what Gradio, which reads bodies between all other requests, would take long to read."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        return
    try:
        await run_in_threadpool(check_json, body) if len(body) > FEW else check_json(body)
    except InputError as error:
        raise HTTPException(422, str(error)) from None


def _refusal(error: HTTPException, scope: Scope) -> Response:
    request = HTTPConnection(scope)
    if error.status_code == 401:
        if scope["method"] == "GET" and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(LOGIN, 303)
        if "sec-fetch-mode" not in request.headers:  # a browser would open a window of its own
            error.headers = {"WWW-Authenticate": 'Basic realm="leadmodel"'}
    return JSONResponse({"detail": error.detail}, error.status_code, error.headers)


def host_and_port(url: str) -> tuple[str, int | None]:
    """Return host and port of a URL, without the port that its scheme has by default."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "", None
    return parts.hostname or "", None if port in (80, 443) else port


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by whichever of its names nobody else can give away."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=16)
def is_own_host(header: str | None, origins: tuple[str, ...]) -> bool:
    """Whether a Host header names this machine or one of `origins`.

    A page of another site that lets its own name point to 127.0.0.1 (DNS rebinding) is of the same
    origin as the app to the visitor's browser; the name in this header gives it away.
    """
    host, _ = host_and_port(f"//{header or ''}")
    return is_loopback(host) or host in [host_and_port(origin)[0] for origin in origins]
