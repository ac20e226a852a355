"""What a Hub keeps: repositories, their commits and files, and who may touch them.

Nothing here knows of HTTP. Everything lives in memory and dies with the hub.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import count
from typing import Literal

from hub_server.errors import (
    HubError,
    entry_not_found,
    reference_exists,
    revision_not_found,
    stale_parent,
)

Kind = Literal["model", "dataset", "space"]

# The Hub writes `.gitattributes` into each new repository; these suffixes always go to LFS.
LFS_SUFFIXES = (".bin", ".joblib", ".npz", ".parquet", ".pkl", ".png", ".safetensors", ".skops")
GIT_ATTRIBUTES = "".join(f"*{s} filter=lfs diff=lfs merge=lfs -text\n" for s in LFS_SUFFIXES)

SHORTEST_COMMIT_PREFIX = 7  # as git abbreviates


@dataclass(frozen=True)
class StoredFile:
    """One file's content, kept in git or, if large or binary, in LFS."""

    content: bytes
    is_lfs: bool = False

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @cached_property
    def pointer(self) -> bytes:
        """What git itself holds of an LFS file."""
        version = "version https://git-lfs.github.com/spec/v1"
        return f"{version}\noid sha256:{self.sha256}\nsize {len(self.content)}\n".encode()

    @cached_property
    def blob_id(self) -> str:
        blob = self.pointer if self.is_lfs else self.content
        return hashlib.sha1(b"blob %d\0" % len(blob) + blob).hexdigest()

    @property
    def etag(self) -> str:
        """The name the client caches the content under, and by which it skips unchanged files."""
        return self.sha256 if self.is_lfs else self.blob_id


@dataclass(frozen=True)
class Commit:
    """One state of all files, and the commit it came from."""

    title: str
    message: str
    author: str
    files: Mapping[str, StoredFile]
    parent: "Commit | None" = None
    id_length: int = 40
    date: datetime = field(default_factory=lambda: datetime.now(UTC))
    number: int = field(default_factory=count().__next__)

    @cached_property
    def oid(self) -> str:
        """Forty hex digits, as the client knows a commit from a branch by that shape; see `Quirks`."""
        digest = hashlib.sha256(f"{self.number} {self.date} {self.title}".encode()).hexdigest()
        return digest[: self.id_length]

    def lineage(self) -> Iterator["Commit"]:
        """This commit and those before it, newest first."""
        commit: Commit | None = self
        while commit is not None:
            yield commit
            commit = commit.parent


@dataclass(frozen=True)
class SpaceSetting:
    """A variable or a secret of a Space."""

    value: str
    description: str | None
    updated_at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass
class Repository:
    """A model, dataset or Space. Tests may read it, and set `private` and `gated` at will."""

    kind: Kind
    id: str
    author: str
    private: bool = False
    gated: bool = False
    sdk: str | None = None
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    branches: dict[str, Commit] = field(default_factory=dict)
    tags: dict[str, Commit] = field(default_factory=dict)
    variables: dict[str, SpaceSetting] = field(default_factory=dict)
    secrets: dict[str, SpaceSetting] = field(default_factory=dict)
    restarts: int = 0
    id_length: int = 40

    def __post_init__(self) -> None:
        files = {".gitattributes": StoredFile(GIT_ATTRIBUTES.encode())}
        self.branches["main"] = Commit("initial commit", "", self.author, files, id_length=self.id_length)

    @property
    def namespace(self) -> str:
        return self.id.split("/")[0]

    @property
    def url_path(self) -> str:
        """Where its pages and files live: models at the root, the others below their kind."""
        return self.id if self.kind == "model" else f"{self.kind}s/{self.id}"

    @property
    def commits(self) -> list[Commit]:
        """The commits of the main branch, newest first."""
        return list(self.branches["main"].lineage())

    @property
    def files(self) -> Mapping[str, StoredFile]:
        """The files at the head of the main branch."""
        return self.branches["main"].files

    def at(self, revision: str) -> Commit:
        """The commit a branch, a tag or a commit id names."""
        named = self.branches.get(revision) or self.tags.get(revision)
        commit = named or self._commit_with_id(revision)
        if commit is None:
            raise revision_not_found(revision)
        return commit

    def _commit_with_id(self, prefix: str) -> Commit | None:
        if len(prefix) < SHORTEST_COMMIT_PREFIX:
            return None
        heads = [*self.branches.values(), *self.tags.values()]
        commits = (commit for head in heads for commit in head.lineage())
        return next((commit for commit in commits if commit.oid.startswith(prefix)), None)

    def branch_head(self, branch: str, expected_parent: str | None = None) -> Commit:
        """The commit to build on, unless someone has built on the expected one already."""
        if branch not in self.branches:
            raise revision_not_found(branch)
        head = self.branches[branch]
        if expected_parent is not None and not head.oid.startswith(expected_parent):
            raise stale_parent()
        return head

    def add_branch(self, name: str, starting_point: str) -> None:
        if name in self.branches:
            raise reference_exists("Branch")
        self.branches[name] = self.at(starting_point)

    def remove_branch(self, name: str) -> None:
        if name == "main":
            raise HubError(403, "Cannot delete the main branch")
        if self.branches.pop(name, None) is None:
            raise revision_not_found(name)

    def add_tag(self, name: str, revision: str) -> None:
        if name in self.tags:
            raise reference_exists("Tag")
        self.tags[name] = self.at(revision)

    def remove_tag(self, name: str) -> None:
        if self.tags.pop(name, None) is None:
            raise revision_not_found(name)


def file_at(commit: Commit, path: str) -> StoredFile:
    """The file, or the refusal that tells the client which commit lacks it."""
    if path not in commit.files:
        raise entry_not_found(commit=commit.oid)
    return commit.files[path]


@dataclass(frozen=True)
class Account:
    """What a token stands for."""

    user: str
    write: bool
    organisations: tuple[str, ...] = ()

    def owns(self, namespace: str) -> bool:
        return namespace == self.user or namespace in self.organisations


@dataclass
class Quirks:
    """Ways in which somebody else's Hub differs from huggingface.co, met at an independent one."""

    id_length: int = 40
    """Digits of the commits of new repositories; a git of SHA-256 has 64."""

    short_ids: bool = False
    """Asked for a repository without a revision, it names the commit by its first digits."""

    tags_name_themselves: bool = False
    """Asked for a tag, it gives the tag in place of the commit."""

    newest_etags: bool = False
    """A file has the ETag of its newest revision in all of them."""


@dataclass
class HubContent:
    """All that one hub holds."""

    url: str
    cdn_url: str
    accounts: dict[str, Account] = field(default_factory=dict)
    repositories: dict[tuple[Kind, str], Repository] = field(default_factory=dict)
    lfs_objects: dict[str, bytes] = field(default_factory=dict)
    quirks: Quirks = field(default_factory=Quirks)


def commit_name(content: HubContent, repository: Repository, revision: str, commit: Commit) -> str:
    """What the hub calls the commit that a revision stands for."""
    names_itself = content.quirks.tags_name_themselves and revision in repository.tags
    return revision if names_itself else commit.oid
