"""Signing in: accounts from the configuration, HTTP Basic for programs, a page for people."""

import base64
import hashlib
import hmac
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from urllib.parse import parse_qs

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from leadmodel.serving.ui.components import render
from leadmodel.serving.web.rate_limit import TokenBucket

__all__ = ["LOGIN", "SignIn", "add_sign_in"]

LOGIN = "/login"
COOKIE = "leadmodel-session"
SECONDS = 12 * 3600
"""A working day; then a visitor signs in again."""
MAX_SESSIONS = 10_000
MAX_WRONG_PASSWORDS = 10
"""Wrong passwords that a caller may send in a minute."""


class SignIn:
    """Knows who may come in.

    Parameters
    ----------
    accounts : mapping of str to str
        Passwords by user name.
    """

    def __init__(self, accounts: Mapping[str, str]) -> None:
        # Sessions end with the process, or when their visitor signs out.
        self._sessions: OrderedDict[str, float] = OrderedDict()
        self._key = secrets.token_bytes(32)
        self._accounts = [self._digest(f"{user}:{password}") for user, password in accounts.items()]
        self._mistakes = TokenBucket(MAX_WRONG_PASSWORDS)

    def check(self, user_and_password: str, caller: str) -> bool:
        """Whether "USER:PASSWORD" is an account.

        Raises
        ------
        HTTPException
            429, if the caller has guessed too often.
        """
        self.check_patience(caller)
        digest = self._digest(user_and_password)
        known = [hmac.compare_digest(digest, account) for account in self._accounts]
        if not any(known):
            self._mistakes.spend(caller)
        return any(known)

    def check_patience(self, caller: str) -> None:
        """Raise HTTPException (429) if the caller has guessed too often."""
        if wait := self._mistakes.wait(caller):
            raise HTTPException(
                429, "Too many wrong passwords. Wait a minute.", {"Retry-After": str(math.ceil(wait))}
            )

    def is_authenticated(self, request: HTTPConnection, caller: str) -> bool:
        """Whether a request carries an account (HTTP Basic) or the cookie of one who signed in."""
        if pair := _basic(request.headers.get("authorization", "")):
            return self.check(pair, caller)
        return self._sessions.get(_session_of(request), 0) > time.time()

    def begin_session(self) -> str:
        """Return a cookie's value that `is_authenticated` takes until it expires or the session ends."""
        while self._sessions and (
            len(self._sessions) >= MAX_SESSIONS or next(iter(self._sessions.values())) < time.time()
        ):
            self._sessions.popitem(last=False)
        name = secrets.token_urlsafe(32)
        self._sessions[name] = time.time() + SECONDS
        return name

    def end_session(self, request: HTTPConnection) -> None:
        """Let the cookie of a request be of no use any longer."""
        self._sessions.pop(_session_of(request), None)

    def _digest(self, text: str) -> str:
        return hmac.new(self._key, text.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()


def _session_of(request: HTTPConnection) -> str:
    return request.cookies.get(COOKIE, "")


def _basic(header: str) -> str:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError:
        return ":"  # is no account, and counts as a guess


def add_sign_in(app: FastAPI, sign_in: SignIn) -> None:
    """Add the page where people sign in; gradio_client posts there as well."""

    @app.get(LOGIN, include_in_schema=False)
    def page() -> Response:
        return HTMLResponse(_render(""))

    @app.post(LOGIN, include_in_schema=False)
    async def login(request: Request) -> Response:
        for_people = "text/html" in request.headers.get("accept", "")
        form = parse_qs((await request.body()).decode(errors="replace"), keep_blank_values=True)
        pair = ":".join(form.get(name, [""])[0] for name in ("username", "password"))
        if not sign_in.check(pair, request.scope["caller"]):
            wrong = "The user name or the password is wrong."
            return HTMLResponse(_render(wrong), 401) if for_people else JSONResponse({"detail": wrong}, 401)
        response = RedirectResponse("/", 303) if for_people else JSONResponse({"success": True})
        _set_cookie(response, sign_in.begin_session(), request)
        return response

    @app.get("/logout", include_in_schema=False)
    def logout(request: Request) -> Response:
        sign_in.end_session(request)
        response = RedirectResponse(LOGIN, 303)
        response.delete_cookie(COOKIE)
        return response


def _set_cookie(response: Response, value: str, request: Request) -> None:
    https = "https" in (request.url.scheme, request.headers.get("x-forwarded-proto", "").split(",")[0])
    # A Space is shown in a frame of another site, where browsers send no other kind of cookie.
    scope = "SameSite=None; Secure; Partitioned" if https else "SameSite=Lax"
    cookie = f"{COOKIE}={value}; Path=/; Max-Age={SECONDS}; HttpOnly; {scope}"
    response.headers.append("set-cookie", cookie)


def _render(message: str) -> str:
    return render("signin.html", message=message, action=LOGIN)
