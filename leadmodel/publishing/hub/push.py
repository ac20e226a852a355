"""Publish a model: the whole folder in one commit, a tag for it, nobody's work overwritten."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import httpx2
from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete, HfApi
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from leadmodel.publishing.files import is_own
from leadmodel.publishing.hub.client import (
    HubError,
    address_of,
    check_may_write,
    overtaken,
    reason,
    writing,
)
from leadmodel.publishing.hub.pull import BRANCH, is_listed, tags, versions

__all__ = ["HubRepository", "PublishedVersion", "versions"]

_log = logging.getLogger("leadmodel")


@dataclass(frozen=True)
class PublishedVersion:
    """Where a model was published: its address, commit and tag."""

    address: str
    commit: str
    tag: str


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

        The same files again are no new version.

        Raises
        ------
        HubError
            If somebody else has committed meanwhile, or the Hub refuses or fails. The
            repository is then as it was, unless the error says otherwise.
        """
        if self.parent is None:
            with writing(self.repo_id, "create"):
                HfApi().create_repo(self.repo_id, private=self.private)
            self.parent = self._head()
        with writing(self.repo_id, "publish to"):
            found = versions(self.repo_id)
            if operations := self._operations(files):
                tag = _next(found)
                # The commit says which version it is: a push that is killed before the tag is set, or whose
                # tag is refused, leaves no commit that is served and cannot be named.
                self.parent = self._commit(operations, message, f"Version: {tag}")
            elif self._head() != self.parent:
                raise HubError(overtaken(self.repo_id))
            else:
                served = (name for name, commit in found.items() if commit == self.parent)
                tag = next(reversed([*served]), _next(found))
            # The one before too: it may be that of a push that was killed.
            self._set_tags(dict([*found.items()][-1:]) | {tag: str(self.parent)})
        return PublishedVersion(address_of(self.repo_id), str(self.parent), tag)

    def _head(self) -> str | None:
        with writing(self.repo_id, "look at"):
            try:
                return str(HfApi().model_info(self.repo_id, revision=BRANCH).sha)
            except RepositoryNotFoundError:
                return None

    def _operations(
        self, files: Mapping[str, bytes]
    ) -> list[CommitOperationAdd | CommitOperationCopy | CommitOperationDelete]:
        """Return what makes the repository hold `files` in place of another model's."""
        info = HfApi().model_info(self.repo_id, revision=self.parent, files_metadata=True)
        listed = {file.rfilename: file for file in info.siblings or []}
        stale = sorted(name for name in listed if is_own(name) and name not in files)
        return [
            *(
                CommitOperationAdd(name, content)
                for name, content in files.items()
                if not (name in listed and is_listed(content, listed[name]))
            ),
            *(CommitOperationDelete(name) for name in stale),
        ]

    def _commit(
        self,
        operations: list[CommitOperationAdd | CommitOperationCopy | CommitOperationDelete],
        message: str,
        description: str,
    ) -> str:
        try:
            made = HfApi().create_commit(
                self.repo_id,
                operations,
                commit_message=message,
                commit_description=description,
                # The client takes at most 40 digits, and a Hub whose ids have 64 takes the first ones.
                parent_commit=self.parent and self.parent[:40],
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

    def _set_tags(self, wanted: Mapping[str, str]) -> None:
        try:
            present = tags(self.repo_id)
            for tag in sorted(set(wanted) - set(present)):
                HfApi().create_tag(self.repo_id, tag=tag, revision=wanted[tag])
        except (httpx2.TransportError, HfHubHTTPError) as error:
            # Published all the same: the version is found by its commit.
            tag, commit = list(wanted.items())[-1]
            _log.warning(
                "%s is published at %s as commit %s, but has no tag (%s). The next push or rollback sets "
                "it, or: hf repos tag create %s %s --revision %s",
                tag,
                address_of(self.repo_id),
                commit[:8],
                reason(error),
                self.repo_id,
                tag,
                commit,
            )


def _next(versions: Mapping[str, str]) -> str:
    return f"v{max((int(tag[1:]) for tag in versions), default=0) + 1}"
