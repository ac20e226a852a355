"""Limit what every call to the Hub may take, and say in plain words what the Hub refuses.

The client finds the Hub by HF_ENDPOINT and the token of ``hf auth login`` or HF_TOKEN by itself:
nothing here takes, shows or stores a token. Importing this module gives the HTTP client of
huggingface_hub its limits, for all that use it in this process.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx2
from huggingface_hub import HfApi, constants, get_token, set_client_factory
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import _http

from leadmodel.errors import InputError, ModelError, quoted

__all__ = [
    "CALL_SECONDS",
    "PATIENCE",
    "HubError",
    "SilentHubError",
    "address_of",
    "check_may_write",
    "finish_calls",
    "limits",
    "overtaken",
    "patience",
    "reading",
    "reason",
    "writing",
]

PATIENCE = 10.0
"""Seconds without a sign of life after which a Hub counts as silent: as long as a person waits."""

CALL_SECONDS = 600.0
"""Most seconds of one push or pull, however many requests it takes and whatever the Hub sends."""


class HubError(InputError):
    """Say what the Hub refused, and what to do about it."""


class SilentHubError(HubError):
    """Say that the Hub does not answer now; another time it may."""


class _TimeUpError(httpx2.TransportError):
    """Say that a limit is reached."""

    # Not a TimeoutException: the client tries again after one, five times for each of many requests, and
    # then looks into its cache without a word.


class _Limits(NamedTuple):
    silence: float
    end: float

    def remaining(self) -> float:
        """Return the seconds that the next sign of life may take."""
        if (seconds := min(self.end, _end_of_all) - time.monotonic()) <= 0:
            raise _TimeUpError("it took too long")
        return min(self.silence, seconds)

    def reached(self, seconds: float) -> _TimeUpError:
        """Return the error where nothing has come for `seconds`."""
        long = seconds < self.silence  # all that was left of the whole call
        return _TimeUpError("it took too long" if long else f"nothing came for {seconds:g} seconds")


# By thread. The client's own threads, which load several files at once, have no entry: they have
# until the last of the calls that are under way ends.
_limits: dict[int, _Limits] = {}

_end_of_all = float("inf")
"""When no call may last any longer, whichever thread makes it."""


def patience() -> float:
    """Return the seconds that a Hub may stay silent: LEADMODEL_HUB_PATIENCE, or else `PATIENCE`.

    Raises
    ------
    InputError
        If the variable is not a number above 0.
    """
    text = os.environ.get("LEADMODEL_HUB_PATIENCE") or str(PATIENCE)
    try:
        if 0 < (seconds := float(text)) < float("inf"):
            return seconds
    except ValueError:
        pass
    raise InputError(f"LEADMODEL_HUB_PATIENCE must be a number of seconds above 0. Got {text!r} instead.")


@contextmanager
def limits(silence: float | None = None, seconds: float = CALL_SECONDS) -> Iterator[None]:
    """Limit the calls to the Hub inside; where limits are nested, none lasts longer than the outer one.

    Parameters
    ----------
    silence : float, optional
        Seconds to wait for a connection and for each sign of life; by default `patience`.
    seconds : float
        Seconds for all the calls together.
    """
    thread, outer = threading.get_ident(), _limits.get(threading.get_ident())
    end = min(time.monotonic() + seconds, outer.end if outer else float("inf"))
    _limits[thread] = _Limits(silence or (outer.silence if outer else patience()), end)
    try:
        yield
    finally:
        if outer:
            _limits[thread] = outer
        else:
            del _limits[thread]


def finish_calls(seconds: float) -> None:
    """Let no call to the Hub last longer than `seconds` from now, because the process is to end."""
    # It waits for the client's own threads, which go through a whole download otherwise.
    global _end_of_all
    _end_of_all = time.monotonic() + seconds


def _limits_here() -> _Limits | None:
    own = _limits.get(threading.get_ident())
    return own or max(list(_limits.values()), key=lambda limits: limits.end, default=None)


class _LimitedBody(httpx2.SyncByteStream):
    """The body of an answer, which may not trickle for ever."""

    def __init__(self, body: httpx2.SyncByteStream, limits: _Limits, silence: float) -> None:
        self.body, self.limits, self.silence = body, limits, silence

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in self.body:
                self.limits.remaining()
                yield chunk
        except httpx2.TimeoutException:
            raise self.limits.reached(self.silence) from None

    def close(self) -> None:
        self.body.close()


def _limited_client() -> httpx2.Client:
    client = _make_client()
    send = client.send

    def send_limited(request: httpx2.Request, **options: Any) -> httpx2.Response:
        asked = request.extensions["timeout"].get("read")
        limits = _limits_here()
        if limits is None:
            limits = _Limits(patience(), time.monotonic() + CALL_SECONDS)
        if asked is not None and asked < min(PATIENCE, limits.silence):
            # A stricter limit than any default: a call of somebody else, or what the client asks beside
            # ours, such as for the names of assistants, and goes on without.
            return send(request, **options)
        seconds = limits.remaining()
        timeout = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
        request.extensions = {**request.extensions, "timeout": timeout, "limits": limits}
        try:
            return send(request, **options)
        except httpx2.TimeoutException:
            raise limits.reached(seconds) from None

    def limit_body(response: httpx2.Response) -> None:
        limits: _Limits | None = response.request.extensions.get("limits")
        if limits is not None:
            assert isinstance(response.stream, httpx2.SyncByteStream)
            silence = response.request.extensions["timeout"]["read"]
            response.stream = _LimitedBody(response.stream, limits, silence)
            wait = response.headers.get("Retry-After", "")
            if wait.isdigit() and int(wait) > limits.end - time.monotonic():
                response.close()
                raise _TimeUpError(f"it asks to come back in {wait} seconds")

    # The client's two ways to send, `request` and `stream`, both come by here. Not a subclass: the client
    # is made by huggingface_hub, or as the user has told it, with certificates or a proxy.
    client.send = send_limited  # type: ignore[method-assign]
    client.event_hooks = {
        **client.event_hooks,
        "response": [*client.event_hooks["response"], limit_body],
    }
    return client


_make_client = _http._GLOBAL_CLIENT_FACTORY
set_client_factory(_limited_client)


def address_of(repo_id: str, *, space: bool = False) -> str:
    """Return the web address of a model repository, or of a Space."""
    return f"{constants.ENDPOINT}/{'spaces/' if space else ''}{repo_id}"


def reason(error: Exception) -> str:
    """Return why a request failed, in a few words."""
    if type(error) is RuntimeError and isinstance(error.__cause__, Exception):
        error = error.__cause__  # what the client calls "Error while uploading"
    if isinstance(error, HfHubHTTPError):
        return f"status {error.response.status_code}"
    return str(error).splitlines()[0][:120] if str(error) else type(error).__name__


@contextmanager
def reading(repo_id: str, revision: str | None = None, silence: float | None = None) -> Iterator[None]:
    """Turn what the Hub answers for good into ModelError, passing failures into OSError; set `limits`."""
    named = f"{quoted(repo_id)} at {quoted(revision)}" if revision else quoted(repo_id)
    try:
        with limits(silence):
            yield
    except HFValidationError:
        raise ModelError(
            f"There is no folder {quoted(repo_id)}, and no repository has such a name."
        ) from None
    except GatedRepoError:
        raise ModelError(f"The model {named} is gated: ask for access on its page, then log in.") from None
    except RepositoryNotFoundError:
        raise ModelError(
            f"The model {named} is neither a folder here nor on the Hub, or it is private: "
            "check the name, or log in."
        ) from None
    except RevisionNotFoundError:
        raise ModelError(f"The model {named} does not exist: no such branch, tag or commit.") from None
    except HfHubHTTPError as error:
        if error.response.status_code in (401, 403):
            raise ModelError(f"This token may not read the model {named}; log in with another.") from None
        raise OSError(reason(error)) from None
    except (httpx2.TransportError, UnicodeDecodeError) as error:
        raise OSError(reason(error)) from None


@contextmanager
def writing(repo_id: str, step: str = "write to") -> Iterator[None]:
    """Turn whatever keeps us from a `step` such as "create" at `repo_id` into HubError; set `limits`."""
    try:
        with limits():
            yield
    except HFValidationError as error:
        raise HubError(f"{quoted(repo_id)} is no repository's name: {error}") from None
    except HfHubHTTPError as error:
        kind = SilentHubError if error.response.status_code >= 500 else HubError
        raise kind(_refusal(repo_id, step, error)) from None
    except (httpx2.TransportError, RuntimeError) as error:
        raise SilentHubError(
            f"Could not {step} {quoted(repo_id)}: the Hub at {constants.ENDPOINT} did not answer "
            f"({reason(error)})."
        ) from None


def _refusal(repo_id: str, step: str, error: HfHubHTTPError) -> str:
    status = error.response.status_code
    if status == 412:
        return overtaken(repo_id)
    if status in (401, 403):
        return f"The token may not write to {quoted(repo_id)}. Log in with one that may."
    if status == 409:
        return f"{quoted(repo_id)} was made by somebody else meanwhile. Nothing was published; run again."
    return f"Could not {step} {quoted(repo_id)}: the Hub answered with {reason(error)}. Try again later."


def overtaken(repo_id: str) -> str:
    """Return what to say of a repository that has changed since it was looked at."""
    return (
        f"Somebody else has committed to {quoted(repo_id)} since this run began. Nothing was "
        "published; look at their commit, then run again."
    )


def check_may_write(repo_id: str) -> None:
    """Raise HubError unless somebody is logged in whose token may write to `repo_id`."""
    if repo_id.count("/") != 1:
        raise HubError(f"A repository is named USER/NAME. Got {quoted(repo_id)} instead.")
    if get_token() is None:
        raise HubError("Nobody is logged in. Run 'hf auth login', or set HF_TOKEN, with a write token.")
    with writing(repo_id, "ask who may write to"):
        account = HfApi().whoami()
    if account.get("auth", {}).get("accessToken", {}).get("role") == "read":
        raise HubError("The token may only read. Log in with one that may write.")
    owned = {account["name"], *(group["name"] for group in account.get("orgs", []))}
    if repo_id.split("/")[0] not in owned:
        raise HubError(
            f"The token of {quoted(account['name'])} may not write to {quoted(repo_id)}. "
            f"It may write below: {', '.join(sorted(owned))}."
        )
