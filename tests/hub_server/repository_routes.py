"""The routes below `/api` that make, list and change repositories."""

from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Body, Request
from fastapi.responses import JSONResponse

from hub_server import errors, renderings
from hub_server.access import (
    Content,
    Decoded,
    Readable,
    SignedIn,
    Visitor,
    Writable,
    find_repository,
    writable,
)
from hub_server.commits import edited, parse_commit, upload_mode
from hub_server.renderings import Json
from hub_server.repositories import (
    SHORTEST_COMMIT_PREFIX,
    Commit,
    HubContent,
    Repository,
    SpaceSetting,
    commit_name,
)

router = APIRouter()

Payload = Annotated[dict[str, Any], Body()]

REPOSITORY = "/api/{kinds}/{namespace}/{name}"


@router.get("/api/whoami-v2")
async def whoami(account: SignedIn) -> Json:
    return renderings.account_json(account)


@router.post("/api/validate-yaml")
async def validate_yaml(payload: Payload) -> Json:
    """Asked before each commit of a README.md; any metadata will do here."""
    return {"errors": [], "warnings": []}


@router.post("/api/repos/create")
async def create_repo(payload: Payload, content: Content, account: SignedIn) -> JSONResponse:
    namespace = payload["organization"] or account.user
    kind = payload.get("type", "model")
    if not (account.write and account.owns(namespace)):
        raise errors.namespace_refused(kind)
    repository_id = f"{namespace}/{payload['name']}"
    if (kind, repository_id) in content.repositories:
        return repository_exists(content, content.repositories[kind, repository_id])
    repository = new_repository(payload, repository_id, account.user, content.quirks.id_length)
    content.repositories[kind, repository_id] = repository
    return JSONResponse({"id": repository.id, "url": f"{content.url}/{repository.url_path}"})


def repository_exists(content: HubContent, repository: Repository) -> JSONResponse:
    """The conflict carries the URL too: with `exist_ok` the client reads it from there."""
    url = f"{content.url}/{repository.url_path}"
    message = f"You already created this {repository.kind} repo"
    return JSONResponse({"error": message, "url": url}, 409)


def new_repository(payload: dict[str, Any], repository_id: str, author: str, id_length: int) -> Repository:
    return Repository(
        kind=payload.get("type", "model"),
        id=repository_id,
        author=author,
        private=payload.get("visibility") == "private",
        sdk=payload.get("sdk"),
        variables={item["key"]: space_setting(item) for item in payload.get("variables", [])},
        secrets={item["key"]: space_setting(item) for item in payload.get("secrets", [])},
        id_length=id_length,
    )


def space_setting(payload: dict[str, Any]) -> SpaceSetting:
    return SpaceSetting(payload["value"], payload.get("description"))


@router.delete("/api/repos/delete")
async def delete_repo(payload: Payload, content: Content, visitor: Visitor, account: SignedIn) -> None:
    kind = payload.get("type", "model")
    repository_id = f"{payload['organization'] or account.user}/{payload['name']}"
    repository = find_repository(content, kind, repository_id, visitor)
    await writable(repository, account)
    del content.repositories[kind, repository_id]


@router.get(REPOSITORY)
async def repo_info(repository: Readable, content: Content, blobs: bool = False) -> Json:
    commit = repository.at("main")
    sha = commit.oid[:SHORTEST_COMMIT_PREFIX] if content.quirks.short_ids else commit.oid
    return renderings.repository_json(repository, commit, blobs) | {"sha": sha}


@router.get(REPOSITORY + "/revision/{revision}")
async def repo_info_at(
    repository: Readable, content: Content, revision: Decoded, blobs: bool = False
) -> Json:
    commit = repository.at(revision)
    sha = commit_name(content, repository, revision, commit)
    return renderings.repository_json(repository, commit, blobs) | {"sha": sha}


@router.get(REPOSITORY + "/tree/{revision}")
async def list_repo_tree(repository: Readable, revision: Decoded, recursive: bool = False) -> list[Json]:
    return renderings.tree_json(repository.at(revision), "", recursive)


@router.get(REPOSITORY + "/tree/{revision}/{folder:path}")
async def list_folder_tree(
    repository: Readable, revision: Decoded, folder: Decoded, recursive: bool = False
) -> list[Json]:
    entries = renderings.tree_json(repository.at(revision), folder, recursive)
    if not entries:
        raise errors.entry_not_found(f'{folder} does not exist on "{revision}"')
    return entries


@router.post(REPOSITORY + "/paths-info/{revision}")
async def get_paths_info(repository: Readable, revision: Decoded, request: Request) -> list[Json]:
    form = parse_qs((await request.body()).decode())  # the one route that takes a form
    return renderings.paths_json(repository.at(revision), form.get("paths", []))


@router.get(REPOSITORY + "/refs")
async def list_repo_refs(repository: Readable) -> Json:
    return renderings.refs_json(repository)


@router.get(REPOSITORY + "/commits/{revision}")
async def list_repo_commits(repository: Readable, revision: Decoded) -> list[Json]:
    return [renderings.commit_json(commit) for commit in repository.at(revision).lineage()]


@router.post(REPOSITORY + "/tag/{revision}")
async def create_tag(repository: Writable, revision: Decoded, payload: Payload) -> None:
    repository.add_tag(payload["tag"], revision)


@router.delete(REPOSITORY + "/tag/{tag}")
async def delete_tag(repository: Writable, tag: Decoded) -> None:
    repository.remove_tag(tag)


@router.post(REPOSITORY + "/branch/{branch}")
async def create_branch(repository: Writable, branch: Decoded, payload: Payload) -> None:
    repository.add_branch(branch, payload.get("startingPoint", "main"))


@router.delete(REPOSITORY + "/branch/{branch}")
async def delete_branch(repository: Writable, branch: Decoded) -> None:
    repository.remove_branch(branch)


@router.post(REPOSITORY + "/preupload/{revision}")
async def preupload(repository: Writable, revision: Decoded, payload: Payload) -> Json:
    """Tells for each file how to upload it, and what is there now, so no-ops can be left out."""
    present = repository.at(revision).files
    return {
        "files": [
            {
                "path": file["path"],
                "uploadMode": upload_mode(file["path"], file["size"], file["sample"]),
                "shouldIgnore": False,
                "oid": present[file["path"]].etag if file["path"] in present else None,
            }
            for file in payload["files"]
        ]
    }


@router.post(REPOSITORY + "/commit/{branch}")
async def create_commit(
    repository: Writable, account: SignedIn, content: Content, branch: Decoded, request: Request
) -> Json:
    wish = parse_commit(await request.body())
    head = repository.branch_head(branch, wish.parent_commit)
    files = edited(head.files, wish.edits, content.lfs_objects)
    commit = Commit(wish.summary, wish.description, account.user, files, head, head.id_length)
    repository.branches[branch] = commit
    url = f"{content.url}/{repository.url_path}/commit/{commit.oid}"
    return {"success": True, "commitOid": commit.oid, "commitUrl": url, "hookOutput": ""}
