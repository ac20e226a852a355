"""What a request must pass before anything of it is read: origin, sign-in, size and rate.

Whatever is not opened here by name is closed to those who have not signed in: pages, files, API,
tools and documentation alike.
"""

import math
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from leadmodel.serving.web.body import read_body, replay
from leadmodel.serving.web.rate_limit import TokenBucket, caller_address
from leadmodel.serving.web.signin import LOGIN, SignIn

__all__ = ["AccessMiddleware", "AccessPolicy"]

OPEN = {"/health", LOGIN, "/webhooks/hub"}
"""Open without signing in; the webhook has a secret of its own."""

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
    behind_proxy : bool
        Whether X-Forwarded-For names the caller.
    origins : tuple of str
        Sites such as "https://crm.example" whose pages may call; no others may.
    """

    accounts: dict[str, str] = field(default_factory=dict, repr=False)
    leads_per_minute: float = 0
    behind_proxy: bool = False
    origins: tuple[str, ...] = ()


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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or say why not."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            scope["caller"] = caller_address(scope, self.rules.behind_proxy)
            try:
                receive = await self._admit(scope, receive)
            except HTTPException as error:
                await _refusal(error, scope)(scope, receive, send)
            else:
                await self.app(scope, receive, send)
        else:  # nothing here speaks WebSocket
            await send({"type": "websocket.close", "code": 1008})

    async def _admit(self, scope: Scope, receive: Receive) -> Receive:
        request, path = HTTPConnection(scope), scope["path"]
        self._check_origin(request)
        if (
            self.sign_in
            and path not in OPEN
            and not self.sign_in.is_authenticated(request, scope["caller"])
        ):
            raise HTTPException(401, "Sign in first: HTTP Basic, or the page at /login.")
        if path.rstrip("/") in CLOSED:
            raise HTTPException(404, "Not Found")
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return receive
        body = await read_body(receive)
        self._check_rate(scope["caller"], body)
        return replay(body, receive)

    def _check_origin(self, request: HTTPConnection) -> None:
        """Refuse the pages of other sites: a browser would lend them the visitor's cookie."""
        origin = request.headers.get("origin")
        if origin is None or origin in self.rules.origins:
            return
        # No page of another site can set the second one without being asked first.
        hosts = (request.headers.get(name, "") for name in ("host", "x-forwarded-host"))
        if _host(origin) not in [_host(f"//{host}") for host in hosts if host]:
            raise HTTPException(403, "Pages of other sites may not call. LEADMODEL_ORIGINS lets them.")

    def _check_rate(self, caller: str, body: bytes) -> None:
        if self._allowance is None:
            return
        # Each lead is an object, so that no body has more leads than braces.
        leads = max(1, body.count(b"{"))
        if wait := self._allowance.wait(caller, leads):
            limit = f"{self.rules.leads_per_minute:,g} leads a minute"
            seconds = math.ceil(wait)
            raise HTTPException(
                429, f"The limit is {limit}. Wait {seconds} s.", {"Retry-After": str(seconds)}
            )
        self._allowance.spend(caller, leads)


def _host(url: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "", None
    return parts.hostname or "", None if port in (80, 443) else port


def _refusal(error: HTTPException, scope: Scope) -> Response:
    request = HTTPConnection(scope)
    if error.status_code == 401:
        if scope["method"] == "GET" and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(LOGIN, 303)
        if "sec-fetch-mode" not in request.headers:  # a browser would open a window of its own
            error.headers = {"WWW-Authenticate": 'Basic realm="leadmodel"'}
    return JSONResponse({"detail": error.detail}, error.status_code, error.headers)
