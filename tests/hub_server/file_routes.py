"""The routes by which file contents come and go: resolve, Git LFS, and the CDN behind both.

The CDN listens on a port of its own. The client takes any other origin for one, and there it must
not send its token; were the CDN on the hub's port, the client would look for the commit id in the
CDN's answer instead of in the hub's redirect.
"""

import hashlib
import re
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from hub_server.access import Content, Decoded, Readable, Visitor, Writable, is_owner
from hub_server.errors import HubError, entry_not_found, gated
from hub_server.renderings import Json
from hub_server.repositories import HubContent, commit_name, file_at
from hub_server.repository_routes import Payload

router = APIRouter()

READ = ["GET", "HEAD"]
RESOLVE = "/{namespace}/{name}/resolve/{revision}/{path:path}"
LFS_BATCH = "/{namespace}/{name}.git/info/lfs/objects/batch"

RangeHeader = Annotated[str | None, Header(alias="Range")]


@router.api_route(RESOLVE, methods=READ)
@router.api_route("/{kinds}" + RESOLVE, methods=READ)
async def resolve(
    repository: Readable,
    visitor: Visitor,
    content: Content,
    revision: Decoded,
    path: Decoded,
    wanted: RangeHeader = None,
) -> Response:
    """A small file itself, or for one in LFS the way to the CDN."""
    if repository.gated and not is_owner(visitor, repository):
        raise gated(repository.id, signed_in=visitor is not None)
    commit = repository.at(revision)
    file = file_at(commit, path)
    etag = (repository.files.get(path, file) if content.quirks.newest_etags else file).etag
    name = commit_name(content, repository, revision, commit)
    headers = {"X-Repo-Commit": name, "ETag": f'"{etag}"'}
    if not file.is_lfs:
        return bytes_response(file.content, wanted, headers)
    headers["X-Linked-ETag"] = f'"{etag}"'
    headers["X-Linked-Size"] = str(len(file.content))
    headers["Location"] = cdn_url(content, file.sha256)
    return Response(status_code=302, headers=headers)


@router.post(LFS_BATCH)
@router.post("/{kinds}" + LFS_BATCH)
async def lfs_batch(repository: Writable, content: Content, payload: Payload) -> Json:
    """Where to upload each object; one that is here already gets no `actions`."""
    return {
        "transfer": "basic",
        "objects": [lfs_object(content, each["oid"], each["size"]) for each in payload["objects"]],
    }


def lfs_object(content: HubContent, sha256: str, size: int) -> Json:
    described = {"oid": sha256, "size": size}
    if sha256 in content.lfs_objects:
        return described
    return {**described, "actions": {"upload": {"href": cdn_url(content, sha256)}}}


def cdn_url(content: HubContent, sha256: str) -> str:
    return f"{content.cdn_url}/cdn/{sha256}"


@router.put("/cdn/{sha256}")
async def upload_to_cdn(content: Content, sha256: str, request: Request) -> None:
    refuse_token(request)
    body = await request.body()
    if hashlib.sha256(body).hexdigest() != sha256:
        raise HubError(400, "The content does not match its name")
    content.lfs_objects[sha256] = body


@router.api_route("/cdn/{sha256}", methods=READ)
async def download_from_cdn(
    content: Content, sha256: str, request: Request, wanted: RangeHeader = None
) -> Response:
    refuse_token(request)
    if sha256 not in content.lfs_objects:
        raise entry_not_found()
    return bytes_response(content.lfs_objects[sha256], wanted, {"ETag": f'"{sha256}"'})


def refuse_token(request: Request) -> None:
    """As object stores do: the URL is its own permission, and a second one is an error."""
    if "authorization" in request.headers:
        raise HubError(400, "Only one auth mechanism allowed")


def bytes_response(content: bytes, wanted: str | None, headers: dict[str, str]) -> Response:
    """The content, or the one range of it that a `Range` header asks for."""
    media_type = "application/octet-stream"
    headers = {**headers, "Accept-Ranges": "bytes"}
    if wanted is None:
        return Response(content, 200, headers, media_type)
    start, end = byte_range(wanted, len(content))
    if start >= end:
        return Response(b"", 416, {**headers, "Content-Range": f"bytes */{len(content)}"})
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(content)}"
    return Response(content[start:end], 206, headers, media_type)


def byte_range(wanted: str, size: int) -> tuple[int, int]:
    """The first byte and the one after the last, from `bytes=2-5`, `bytes=2-` or `bytes=-5`."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted)
    if match is None:
        raise HubError(400, f"Only a single byte range is spoken here, not {wanted!r}")
    first, last = match.groups()
    if not first:
        return max(size - int(last), 0), size
    return int(first), min(int(last) + 1, size) if last else size
