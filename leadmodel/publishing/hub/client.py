"""What pulling and pushing share: addresses, and the Hub's refusals in plain words.

The client finds the Hub by HF_ENDPOINT and the token of ``hf auth login`` or HF_TOKEN by itself:
nothing here takes, shows or stores a token.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
from huggingface_hub import HfApi, constants, get_token
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from leadmodel.errors import InputError, ModelError, quoted

__all__ = ["HubError", "SilentHubError", "address_of", "check_may_write", "reading", "reason", "writing"]


class HubError(InputError):
    """Say what the Hub refused, and what to do about it."""


class SilentHubError(HubError):
    """Say that the Hub does not answer now; another time it may."""


def address_of(repo_id: str, *, space: bool = False) -> str:
    """Return the web address of a model repository, or of a Space."""
    return f"{constants.ENDPOINT}/{'spaces/' if space else ''}{repo_id}"


def reason(error: Exception) -> str:
    """Return why a request failed, in a few words."""
    if isinstance(error, HfHubHTTPError):
        return f"status {error.response.status_code}"
    return str(error).splitlines()[0][:120] if str(error) else type(error).__name__


@contextmanager
def reading(repo_id: str, revision: str | None = None) -> Iterator[None]:
    """Turn what the Hub answers for good into ModelError, and passing failures into OSError."""
    named = f"{quoted(repo_id)} at {quoted(revision)}" if revision else quoted(repo_id)
    try:
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
def writing(repo_id: str) -> Iterator[None]:
    """Turn whatever keeps us from writing to `repo_id` into HubError."""
    try:
        yield
    except HFValidationError as error:
        raise HubError(f"{quoted(repo_id)} is no repository's name: {error}") from None
    except HfHubHTTPError as error:
        kind = SilentHubError if error.response.status_code >= 500 else HubError
        raise kind(_refusal(repo_id, error)) from None
    except (httpx2.TransportError, RuntimeError) as error:
        raise SilentHubError(f"The Hub at {constants.ENDPOINT} did not answer ({reason(error)}).") from None


def _refusal(repo_id: str, error: HfHubHTTPError) -> str:
    status = error.response.status_code
    if status == 412:
        return (
            f"Somebody else has committed to {quoted(repo_id)} since this run began. Nothing was "
            "published; look at their commit, then run again."
        )
    if status in (401, 403):
        return f"The token may not write to {quoted(repo_id)}. Log in with one that may."
    if status == 409:
        return f"{quoted(repo_id)} was made by somebody else meanwhile. Nothing was published; run again."
    return f"The Hub could not do it for {quoted(repo_id)} ({reason(error)}). Try again later."


def check_may_write(repo_id: str) -> None:
    """Raise HubError unless somebody is logged in whose token may write to `repo_id`."""
    if repo_id.count("/") != 1:
        raise HubError(f"A repository is named USER/NAME. Got {quoted(repo_id)} instead.")
    if get_token() is None:
        raise HubError("Nobody is logged in. Run 'hf auth login', or set HF_TOKEN, with a write token.")
    with writing(repo_id):
        account = HfApi().whoami()
    if account.get("auth", {}).get("accessToken", {}).get("role") == "read":
        raise HubError("The token may only read. Log in with one that may write.")
    owned = {account["name"], *(group["name"] for group in account.get("orgs", []))}
    if repo_id.split("/")[0] not in owned:
        raise HubError(
            f"The token of {quoted(account['name'])} may not write to {quoted(repo_id)}. "
            f"It may write below: {', '.join(sorted(owned))}."
        )
