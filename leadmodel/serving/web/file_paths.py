"""Refuse requests that name files other than uploads.

Gradio takes an object such as ``{"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}`` for
the file at that path, whichever input it stands in, and serves a copy of it. This middleware reads
each request before Gradio does, and does not rely on Gradio's own check.
"""

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from gradio.utils import get_upload_folder
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from leadmodel.serving.web.bounds import read_body, replay

__all__ = ["UploadedFilesOnly"]

UPLOAD_ROUTE = "/gradio_api/upload"
FILE_ROUTES = ("/gradio_api/file=", "/gradio_api/file/")
PROXY_ROUTE = "/gradio_api/proxy="


class UploadedFilesOnly:
    """ASGI middleware that lets a request name no file outside the upload folder.

    Parameters
    ----------
    app : ASGIApp
        The application to protect.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer with status 403."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        allowed = _may_download(scope["path"])
        if allowed and scope["method"] not in ("GET", "HEAD", "OPTIONS") and scope["path"] != UPLOAD_ROUTE:
            body = await read_body(receive)
            receive = replay(body, receive)
            if _may_name_files(body):
                allowed = await run_in_threadpool(_names_uploads_only, body)
        if allowed:
            await self.app(scope, receive, send)
        else:
            detail = "A request may name only files that were uploaded to this app, and must be valid JSON."
            await JSONResponse({"detail": detail}, 403)(scope, receive, send)


def _may_download(path: str) -> bool:
    """Return whether `path` is no download, or the download of an upload."""
    if path.startswith(PROXY_ROUTE):
        return False
    return all(_is_upload(path.removeprefix(route)) for route in FILE_ROUTES if path.startswith(route))


def _may_name_files(body: bytes) -> bool:
    """Return False only if no JSON parser can find a file object in `body`."""
    # Most requests are decided by this search, which is much cheaper than parsing. A key can also be
    # written with escapes of ASCII letters, or in UTF-16 or UTF-32, which always hold zero bytes.
    return any(sign in body for sign in (b'"meta"', b"\\u006", b"\\u007", b"\0"))


def _names_uploads_only(body: bytes) -> bool:
    """Return whether each file object in a JSON `body`, however deeply nested, is an upload."""
    uploads_only = True

    def check(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        # Pairs instead of a dict: of a key that is given twice, parsers differ in the value they keep.
        nonlocal uploads_only
        if any(key == "meta" and isinstance(value, dict) for key, value in pairs):
            uploads_only &= all(_is_upload(path) for key, path in pairs if key == "path")
            uploads_only &= all(_is_url_of_upload(url) for key, url in pairs if key == "url")
        return dict(pairs)

    try:
        json.loads(body, object_pairs_hook=check)
    except (ValueError, RecursionError):  # another parser might accept what this one cannot read
        return False
    return uploads_only


def _is_url_of_upload(url: Any) -> bool:
    """Return whether `url` is empty or the address of an upload, as pages send it beside the path."""
    if url is None:
        return True
    if not isinstance(url, str):
        return False
    path = unquote(urlsplit(url).path)
    return any(_is_upload(path.partition(route)[2]) for route in FILE_ROUTES if route in path)


def _is_upload(path: Any) -> bool:
    """Return whether `path` leads into the upload folder, links followed."""
    if not isinstance(path, str):
        return False
    try:
        return Path(path).resolve().is_relative_to(Path(get_upload_folder()).resolve())
    except (OSError, ValueError, RuntimeError):  # not a path at all, or a loop of links
        return False
