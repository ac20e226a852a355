"""The Hub's refusals.

The client chooses its exception from the header `X-Error-Code`, not from the status, so the code
is the part that matters; the messages are the Hub's own words where a caller may look for them.
"""

from starlette.requests import Request
from starlette.responses import JSONResponse


class HubError(Exception):
    """A refusal, with the status and headers it is told in."""

    def __init__(self, status: int, message: str, code: str = "", commit: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.commit = commit

    def headers(self) -> dict[str, str]:
        """The headers that are worth sending; `X-Repo-Commit` lets a client cache an absence."""
        message = self.message.encode("ascii", "replace").decode()  # a header carries no Unicode
        headers = {
            "X-Error-Message": message,
            "X-Error-Code": self.code,
            "X-Repo-Commit": self.commit,
        }
        return {name: value for name, value in headers.items() if value}

    def response(self) -> JSONResponse:
        return JSONResponse({"error": self.message}, self.status, self.headers())


async def answer_hub_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HubError)
    return error.response()


async def answer_not_spoken(request: Request, _error: Exception) -> JSONResponse:
    """A route this hub lacks: 501, as a 404 would read like an answer about a repository."""
    message = f"This test hub does not speak {request.method} {request.url.path}"
    return HubError(501, message).response()


def bad_token() -> HubError:
    """The one 401 that the client never takes for a missing repository."""
    return HubError(401, "Invalid credentials in Authorization header")


def sign_in_needed() -> HubError:
    return HubError(401, "Invalid username or password.")


def repository_not_found(signed_in: bool) -> HubError:
    """Missing and hidden look the same, and to a stranger both look like a lack of rights.

    The Hub may leave the code out of its 401: the client knows it is a repository by the URL. It
    does so for https only, so on loopback the code has to be spelled out.
    """
    if signed_in:
        return HubError(404, "Repository not found", code="RepoNotFound")
    return HubError(401, "Invalid username or password.", code="RepoNotFound")


def revision_not_found(revision: str) -> HubError:
    return HubError(404, f"Invalid rev id: {revision}", code="RevisionNotFound")


def entry_not_found(message: str = "Entry not found", commit: str = "") -> HubError:
    return HubError(404, message, code="EntryNotFound", commit=commit)


def gated(repository_id: str, signed_in: bool) -> HubError:
    message = f"Access to model {repository_id} is restricted and you are not in the authorized list."
    return HubError(403 if signed_in else 401, message, code="GatedRepo")


def write_refused() -> HubError:
    return HubError(403, "Forbidden: you must use a write token to upload to a repository.")


def namespace_refused(kind: str) -> HubError:
    return HubError(403, f"You don't have the rights to create a {kind} under this namespace")


def stale_parent() -> HubError:
    return HubError(412, "A commit has happened since. Please refresh and try again.")


def reference_exists(sort: str) -> HubError:
    return HubError(409, f"{sort} reference exists already")


def lfs_object_missing(path: str) -> HubError:
    return HubError(400, f"LFS pointer pointed to a file that does not exist: {path}")
