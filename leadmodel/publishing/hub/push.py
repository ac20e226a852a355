"""Publish a model: the whole folder in one commit, a tag for it, nobody's work overwritten."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import httpx2
from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete, HfApi
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from leadmodel.publishing.files import is_ours
from leadmodel.publishing.hub.client import HubError, address_of, check_may_write, reading, reason, writing

__all__ = ["HubRepository", "PublishedVersion", "versions"]

_VERSION = re.compile(r"v(\d+)$")


@dataclass(frozen=True)
class PublishedVersion:
    """Where a model was published: its address, commit and tag."""

    address: str
    commit: str
    tag: str


def versions(repo_id: str) -> dict[str, str]:
    """Return the published versions ("v1", "v2", …) with their commits, oldest first.

    Raises
    ------
    ModelError
        If the repository cannot be read.
    OSError
        If the Hub does not answer.
    """
    with reading(repo_id):
        tags = HfApi().list_repo_refs(repo_id).tags
    found = {tag.name: str(tag.target_commit) for tag in tags if _VERSION.match(tag.name)}
    return dict(sorted(found.items(), key=lambda item: int(item[0][1:])))


class HubRepository:
    """A model repository to publish to, as it was when the work began.

    Opening one proves that the token may write, before the training rather than after it; and
    publishing builds on the commit seen then, so that a commit in between is not overwritten.

    Parameters
    ----------
    repo_id : str
        Such as "USER/MODEL"; made when publishing, if it does not exist.
    private : bool
        Whether it is to be private, if it is made.

    Raises
    ------
    HubError
        If nobody is logged in, the token may not write there, or the Hub does not answer.
    """

    def __init__(self, repo_id: str, *, private: bool = False) -> None:
        check_may_write(repo_id)
        self.repo_id, self.private = repo_id, private
        self.parent = self._head()

    def publish(self, files: Mapping[str, bytes], message: str) -> PublishedVersion:
        """Publish the files of a model in one commit, and tag it as the next version.

        Raises
        ------
        HubError
            If somebody else has committed meanwhile, or the Hub refuses or fails. The
            repository is then as it was, unless the error says otherwise.
        """
        with writing(self.repo_id):
            if self.parent is None:
                HfApi().create_repo(self.repo_id, private=self.private)
                self.parent = self._head()
            self.parent = self._commit(files, message)
        return PublishedVersion(address_of(self.repo_id), self.parent, self._tag(self.parent))

    def _head(self) -> str | None:
        with writing(self.repo_id):
            try:
                return str(HfApi().model_info(self.repo_id).sha)
            except RepositoryNotFoundError:
                return None

    def _commit(self, files: Mapping[str, bytes], message: str) -> str:
        api = HfApi()
        there = set(api.list_repo_files(self.repo_id, revision=self.parent))
        stale = sorted(name for name in there - set(files) if is_ours(name))
        operations: list[CommitOperationAdd | CommitOperationCopy | CommitOperationDelete] = [
            *(CommitOperationAdd(name, content) for name, content in files.items()),
            *(CommitOperationDelete(name) for name in stale),
        ]
        try:
            made = api.create_commit(
                self.repo_id, operations, commit_message=message, parent_commit=self.parent
            )
        except httpx2.TransportError:
            # The answer is lost, but the commit may be there.
            if (commit := self._commit_of(message)) is None:
                raise
            return commit
        return str(made.oid)

    def _commit_of(self, message: str) -> str | None:
        newest, *older = HfApi().list_repo_commits(self.repo_id)
        ours = newest.title == message.splitlines()[0] and older and older[0].commit_id == self.parent
        return str(newest.commit_id) if ours else None

    def _tag(self, commit: str) -> str:
        try:
            tag = f"v{max((int(name[1:]) for name in versions(self.repo_id)), default=0) + 1}"
            HfApi().create_tag(self.repo_id, tag=tag, revision=commit)
        except (httpx2.TransportError, HfHubHTTPError, OSError) as error:
            raise HubError(
                f"The model is published at {address_of(self.repo_id)} as commit {commit[:8]}, but has "
                f"no version tag ({reason(error)}). Tag that commit on the repository's page."
            ) from None
        return tag
