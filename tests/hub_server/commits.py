"""The body of a commit: one JSON object per line, a header first and then the edits."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub_server.errors import HubError, entry_not_found, lfs_object_missing
from hub_server.repositories import LFS_SUFFIXES, StoredFile

LARGEST_REGULAR_FILE = 10 * 1024 * 1024

Edit = dict[str, Any]


@dataclass(frozen=True)
class CommitRequest:
    """A commit as the client asks for it."""

    summary: str
    description: str
    parent_commit: str | None
    edits: list[Edit]


def parse_commit(body: bytes) -> CommitRequest:
    header, *edits = [json.loads(line) for line in body.splitlines()]
    if header["key"] != "header":
        raise HubError(400, "The first line of a commit must be its header")
    value = header["value"]
    return CommitRequest(value["summary"], value["description"], value.get("parentCommit"), edits)


def edited(
    files: Mapping[str, StoredFile], edits: list[Edit], lfs_objects: Mapping[str, bytes]
) -> dict[str, StoredFile]:
    """The files after the edits; a refused edit leaves nothing changed."""
    result = dict(files)
    for edit in edits:
        _apply(result, edit["key"], edit["value"], lfs_objects)
    return result


def _apply(files: dict[str, StoredFile], key: str, value: Edit, lfs_objects: Mapping[str, bytes]) -> None:
    path: str = value["path"]
    match key:
        case "file":
            files[path] = StoredFile(base64.b64decode(value["content"]))
        case "lfsFile":
            files[path] = _uploaded(path, value["oid"], lfs_objects)
        case "deletedFile":
            _delete_file(files, path)
        case "deletedFolder":
            _delete_folder(files, path)
        case _:
            raise HubError(400, f"Unknown edit: {key}")


def _uploaded(path: str, sha256: str, lfs_objects: Mapping[str, bytes]) -> StoredFile:
    """A commit names an LFS file by its hash only: the bytes must have come before it."""
    if sha256 not in lfs_objects:
        raise lfs_object_missing(path)
    return StoredFile(lfs_objects[sha256], is_lfs=True)


def _delete_file(files: dict[str, StoredFile], path: str) -> None:
    if files.pop(path, None) is None:
        raise entry_not_found("A file with this name doesn't exist")


def _delete_folder(files: dict[str, StoredFile], folder: str) -> None:
    inside = [path for path in files if path.startswith(folder.rstrip("/") + "/")]
    if not inside:
        raise entry_not_found("A folder with this name doesn't exist")
    for path in inside:
        del files[path]


def upload_mode(path: str, size: int, sample: str) -> str:
    """Large and binary files go to LFS; the client sends the first bytes to judge by."""
    binary = b"\0" in base64.b64decode(sample)
    large = size > LARGEST_REGULAR_FILE
    return "lfs" if binary or large or path.endswith(LFS_SUFFIXES) else "regular"
