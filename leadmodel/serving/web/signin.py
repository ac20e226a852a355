"""Sign in: accounts from the configuration, HTTP Basic for programs, a page for people."""

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

# Seconds of a working day; then a visitor signs in again.
SECONDS = 12 * 3600

# Sessions remembered, and wrong passwords that a caller may send in a minute.
MAX_SESSIONS, MAX_WRONG_PASSWORDS = 10_000, 10


class SignIn:
    """Accounts, sessions and wrong passwords of one app.

    Parameters
    ----------
    accounts : mapping of str to str
        Passwords by user name.
    """

    def __init__(self, accounts: Mapping[str, str]) -> None:
        # Sessions end with the process, or when their visitor signs out. They are ordered by expiry.
        self._sessions: OrderedDict[str, float] = OrderedDict()
        # Digests all have one length, and with a key that nobody knows, nobody can choose their letters:
        # the time of a comparison tells nothing of a password.
        self._key = secrets.token_bytes(32)
        self._accounts = [self._digest(f"{user}:{password}") for user, password in accounts.items()]
        self._wrong_passwords = TokenBucket(MAX_WRONG_PASSWORDS)

    def check(self, user_and_password: str, caller: str) -> bool:
        """Return True if "USER:PASSWORD" is an account.

        Raises
        ------
        HTTPException
            429, if the caller has guessed too often.
        """
        self.check_guesses(caller)
        digest = self._digest(user_and_password)
        # All accounts are compared, so that the time does not tell which one came close.
        matches = [hmac.compare_digest(digest, account) for account in self._accounts]
        if not any(matches):
            self._wrong_passwords.spend(caller)
        return any(matches)

    def check_guesses(self, caller: str) -> None:
        """Raise HTTPException (429) if the caller has guessed too often."""
        if wait := self._wrong_passwords.wait(caller):
            raise HTTPException(
                429, "Too many wrong passwords. Wait a minute.", {"Retry-After": str(math.ceil(wait))}
            )

    def is_authenticated(self, request: HTTPConnection, caller: str) -> bool:
        """Return True if a request carries an account (HTTP Basic) or the cookie of a session."""
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                pair = base64.b64decode(encoded.strip(), validate=True).decode()
            except ValueError:
                pair = ":"  # is no account, and counts as a guess
            if pair:
                return self.check(pair, caller)
        return self._sessions.get(_session_of(request), 0) > time.time()

    def begin_session(self) -> str:
        """Begin a session, and return the value of its cookie."""
        while self._sessions and (
            len(self._sessions) >= MAX_SESSIONS or next(iter(self._sessions.values())) < time.time()
        ):
            self._sessions.popitem(last=False)
        token = secrets.token_urlsafe(32)
        self._sessions[token] = time.time() + SECONDS
        return token

    def end_session(self, request: HTTPConnection) -> None:
        """End the session that the cookie of a request names."""
        self._sessions.pop(_session_of(request), None)

    def _digest(self, text: str) -> str:
        return hmac.new(self._key, text.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()


def _session_of(request: HTTPConnection) -> str:
    return request.cookies.get(COOKIE, "")


def add_sign_in(app: FastAPI, sign_in: SignIn) -> None:
    """Add the page where people sign in, to which gradio_client posts as well."""

    def render_page(message: str, status: int = 200) -> Response:
        return HTMLResponse(render("signin.html", message=message, action=LOGIN), status)

    @app.get(LOGIN, include_in_schema=False)
    def page() -> Response:
        return render_page("")

    @app.post(LOGIN, include_in_schema=False)
    async def login(request: Request) -> Response:
        for_people = "text/html" in request.headers.get("accept", "")
        form = parse_qs((await request.body()).decode(errors="replace"), keep_blank_values=True)
        pair = ":".join(form.get(name, [""])[0] for name in ("username", "password"))
        if not sign_in.check(pair, request.scope["caller"]):
            wrong = "The user name or the password is wrong."
            return render_page(wrong, 401) if for_people else JSONResponse({"detail": wrong}, 401)
        response = RedirectResponse("/", 303) if for_people else JSONResponse({"success": True})
        protocol = request.headers.get("x-forwarded-proto", "").split(",")[0]
        https = "https" in (request.url.scheme, protocol)
        # A Space is shown in a frame of another site, where browsers send no other kind of cookie. By hand,
        # because Starlette's set_cookie takes "Partitioned" only from Python 3.14 on.
        scope = "SameSite=None; Secure; Partitioned" if https else "SameSite=Lax"
        cookie = f"{COOKIE}={sign_in.begin_session()}; Path=/; Max-Age={SECONDS}; HttpOnly; {scope}"
        response.headers.append("set-cookie", cookie)
        return response

    @app.get("/logout", include_in_schema=False)
    def logout(request: Request) -> Response:
        sign_in.end_session(request)
        response = RedirectResponse(LOGIN, 303)
        response.delete_cookie(COOKIE)
        return response
