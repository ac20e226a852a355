"""The JSON shapes in which the client expects to read what a Hub keeps."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]

from hub_server.repositories import Account, Commit, Repository, SpaceSetting, StoredFile

Json = dict[str, Any]


def timestamp(date: datetime) -> str:
    """The only form of date the client can parse: milliseconds, and a Z for UTC."""
    return date.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def account_json(account: Account) -> Json:
    role = "write" if account.write else "read"
    return {
        "type": "user",
        "id": account.user,
        "name": account.user,
        "fullname": account.user,
        "orgs": [{"type": "org", "name": name} for name in account.organisations],
        "auth": {"type": "access_token", "accessToken": {"displayName": role, "role": role}},
    }


def repository_json(repository: Repository, commit: Commit, with_blobs: bool) -> Json:
    """What `model_info`, `dataset_info` and `space_info` read."""
    card = card_data(commit.files)
    info = {
        "id": repository.id,
        "author": repository.namespace,
        "sha": commit.oid,
        "createdAt": timestamp(repository.created_at),
        "lastModified": timestamp(repository.branches["main"].date),
        "private": repository.private,
        "gated": "manual" if repository.gated else False,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": card.get("tags", []),
        "cardData": card,
        "siblings": [sibling_json(*item, with_blobs) for item in sorted(commit.files.items())],
    }
    if repository.kind == "space":
        info |= {"sdk": repository.sdk, "runtime": runtime_json()}
    return info


def card_data(files: Mapping[str, StoredFile]) -> Json:
    """The YAML between the two `---` lines at the top of README.md, if there is any."""
    readme = files.get("README.md", StoredFile(b"")).content.decode()
    if not readme.startswith("---\n") or "\n---" not in readme[4:]:
        return {}
    data = yaml.safe_load(readme[4:].split("\n---", 1)[0])
    return data if isinstance(data, dict) else {}


def sibling_json(path: str, file: StoredFile, with_blobs: bool) -> Json:
    sibling: Json = {"rfilename": path}
    if with_blobs:
        sibling |= {"size": len(file.content), "blobId": file.blob_id}
    if with_blobs and file.is_lfs:
        sibling["lfs"] = {**lfs_json(file), "sha256": file.sha256}
    return sibling


def lfs_json(file: StoredFile) -> Json:
    return {"oid": file.sha256, "size": len(file.content), "pointerSize": len(file.pointer)}


def file_json(path: str, file: StoredFile) -> Json:
    entry = {"type": "file", "path": path, "size": len(file.content), "oid": file.blob_id}
    return {**entry, "lfs": lfs_json(file)} if file.is_lfs else entry


def folder_json(path: str) -> Json:
    oid = hashlib.sha1(path.encode()).hexdigest()
    return {"type": "directory", "path": path, "size": 0, "oid": oid}


def tree_json(commit: Commit, folder: str, recursive: bool) -> list[Json]:
    """The entries below a folder, files and folders alike, as one page."""
    prefix = f"{folder}/" if folder else ""
    entries = {}
    for path, file in sorted(commit.files.items()):
        if path.startswith(prefix):
            entries[path] = file_json(path, file)
            entries |= {parent: folder_json(parent) for parent in parents(path, prefix)}
    return [
        entry for path, entry in sorted(entries.items())
        if recursive or "/" not in path.removeprefix(prefix)
    ]  # fmt: skip


def parents(path: str, prefix: str) -> list[str]:
    """The folders a path lies in, below the prefix."""
    parts = path.removeprefix(prefix).split("/")
    return [prefix + "/".join(parts[:depth]) for depth in range(1, len(parts))]


def paths_json(commit: Commit, paths: list[str]) -> list[Json]:
    """The named entries; a path that is neither file nor folder is left out, not refused."""
    entries = {entry["path"]: entry for entry in tree_json(commit, "", recursive=True)}
    return [entries[path] for path in paths if path in entries]


def commit_json(commit: Commit) -> Json:
    return {
        "id": commit.oid,
        "title": commit.title,
        "message": commit.message,
        "date": timestamp(commit.date),
        "authors": [{"user": commit.author}],
    }


def refs_json(repository: Repository) -> Json:
    return {
        "branches": named_refs(repository.branches, "refs/heads/"),
        "tags": named_refs(repository.tags, "refs/tags/"),
        "converts": [],
        "pullRequests": [],
    }


def named_refs(commits: Mapping[str, Commit], prefix: str) -> list[Json]:
    return [
        {"name": name, "ref": prefix + name, "targetCommit": commit.oid} for name, commit in commits.items()
    ]


def runtime_json() -> Json:
    """A Space that is up: this hub runs no Space, so it is never anything else."""
    hardware = {"current": "cpu-basic", "requested": "cpu-basic"}
    return {"stage": "RUNNING", "hardware": hardware, "gcTimeout": None, "storage": None}


def variables_json(variables: Mapping[str, SpaceSetting]) -> Json:
    return {
        key: {**setting_json(key, setting), "value": setting.value} for key, setting in variables.items()
    }


def secrets_json(secrets: Mapping[str, SpaceSetting]) -> Json:
    """Secrets can be listed but not read back."""
    return {key: setting_json(key, setting) for key, setting in secrets.items()}


def setting_json(key: str, setting: SpaceSetting) -> Json:
    updated_at = timestamp(setting.updated_at)
    return {"key": key, "description": setting.description, "updatedAt": updated_at}
