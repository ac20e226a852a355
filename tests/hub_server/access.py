"""Who asks, for which repository, and whether they may: the parameters the routes share.

All dependencies and routes are coroutines, so they run on the server's one event loop, one at a
time between two awaits; that is why nothing in this package needs a lock.
"""

from typing import Annotated, Literal
from urllib.parse import unquote

from fastapi import Depends, Request
from pydantic import AfterValidator

from hub_server import errors
from hub_server.repositories import Account, HubContent, Kind, Repository

# Paths reach the routes still percent-encoded (see `hub.front`): a revision may hold a slash.
Decoded = Annotated[str, AfterValidator(unquote)]

Kinds = Literal["models", "datasets", "spaces"]
KINDS: dict[Kinds, Kind] = {"models": "model", "datasets": "dataset", "spaces": "space"}


async def hub_content(request: Request) -> HubContent:
    content: HubContent = request.app.state.content
    return content


Content = Annotated[HubContent, Depends(hub_content)]


async def visitor(request: Request, content: Content) -> Account | None:
    """The account behind the token, nobody without one; a wrong token is refused everywhere."""
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not token:
        return None
    if token not in content.accounts:
        raise errors.bad_token()
    return content.accounts[token]


Visitor = Annotated[Account | None, Depends(visitor)]


async def signed_in(visitor: Visitor) -> Account:
    if visitor is None:
        raise errors.sign_in_needed()
    return visitor


SignedIn = Annotated[Account, Depends(signed_in)]


def find_repository(
    content: HubContent, kind: Kind, repository_id: str, visitor: Account | None
) -> Repository:
    """The repository, if it exists and is no secret to the visitor."""
    repository = content.repositories.get((kind, repository_id))
    if repository is None or (repository.private and not is_owner(visitor, repository)):
        raise errors.repository_not_found(signed_in=visitor is not None)
    return repository


def is_owner(visitor: Account | None, repository: Repository) -> bool:
    return visitor is not None and visitor.owns(repository.namespace)


async def readable(
    content: Content, visitor: Visitor, namespace: str, name: str, kinds: Kinds = "models"
) -> Repository:
    """The repository in the URL; where no kind is named, as in a file's address, it is a model."""
    return find_repository(content, KINDS[kinds], f"{namespace}/{name}", visitor)


Readable = Annotated[Repository, Depends(readable)]


async def writable(repository: Readable, account: SignedIn) -> Repository:
    if not (account.write and account.owns(repository.namespace)):
        raise errors.write_refused()
    return repository


Writable = Annotated[Repository, Depends(writable)]
