"""Publish the app: a Gradio Space that serves a model repository."""

import json
import logging
from collections.abc import Iterator, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable

import yaml
from huggingface_hub import CommitOperationAdd, HfApi

from leadmodel.publishing.hub.client import HubError, address_of, check_may_write, writing

__all__ = ["HubSpace"]

PACKAGE = files("leadmodel")
_log = logging.getLogger("leadmodel")

TEMPLATES = PACKAGE / "publishing" / "hub" / "space_files"


class HubSpace:
    """A Space to publish the app to.

    Parameters
    ----------
    space_id : str
        Such as "USER/SPACE"; made when publishing, if it does not exist.
    private : bool
        Whether it is to be private, if it is made.

    Raises
    ------
    HubError
        If nobody is logged in, or the token may not write there.
    """

    def __init__(self, space_id: str, *, private: bool = False) -> None:
        check_may_write(space_id)
        self.space_id, self.private = space_id, private

    def publish(self, repo_id: str, title: str, packages: Sequence[str] = ()) -> str:
        """Create or update the Space so that it serves the model `repo_id`; return its address.

        Parameters
        ----------
        repo_id, title : str
            Repository and title of the model.
        packages : sequence of str
            What it needs beyond requirements.txt, such as "polars==2.1.0".

        Raises
        ------
        HubError
            If the Hub refuses or fails.
        """
        api = HfApi()
        with writing(self.space_id, "create the Space"):
            api.create_repo(
                self.space_id, repo_type="space", space_sdk="gradio", private=self.private, exist_ok=True
            )
        # The variable comes first: the commit starts the app, which reads it.
        try:
            with writing(self.space_id, "set the variable of the Space"):
                api.add_space_variable(self.space_id, "LEADMODEL_REPO", repo_id)
        except HubError as error:
            _log.warning(
                "%s Its app.py names %s as well; only if the Space has a variable LEADMODEL_REPO already, "
                "change that on its page.",
                error,
                repo_id,
            )
        with writing(self.space_id, "write the files of the Space"):
            api.create_commit(
                self.space_id,
                [
                    CommitOperationAdd(name, content)
                    for name, content in _files(repo_id, title, packages).items()
                ],
                repo_type="space",
                commit_message=f"Serve {repo_id}",
            )
        return address_of(self.space_id, space=True)


def _files(repo_id: str, title: str, packages: Sequence[str]) -> dict[str, bytes]:
    """Return the files of the Space: what stands at its top, and this package as it is installed."""
    # Installing compiles app.py, which leaves a folder beside it.
    top = {file.name: file.read_bytes() for file in TEMPLATES.iterdir() if file.is_file()}
    app = top["app.py"].replace(b'"USER/MODEL"', json.dumps(repo_id).encode())
    lines = b"".join(f"{package}\n".encode() for package in packages)
    written = {"README.md": _readme(repo_id, title).encode(), "app.py": app}
    written["requirements.txt"] = top["requirements.txt"] + lines
    return top | dict(_package_files(PACKAGE, "leadmodel")) | written


def _package_files(folder: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        path = f"{name}/{entry.name}"
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _package_files(entry, path)
        elif entry.is_file():
            yield path, entry.read_bytes()


def _readme(repo_id: str, title: str) -> str:
    """Return the Space's README: its front matter, naming the model."""
    front = yaml.safe_load((TEMPLATES / "README.md").read_text(encoding="utf-8").split("---\n")[1])
    front |= {"title": title[:60], "models": [repo_id]}
    return (
        f"---\n{yaml.safe_dump(front, sort_keys=False, allow_unicode=True)}---\n\n"
        f"Scores leads with the model [{repo_id}]({address_of(repo_id)}): a form, and an API.\n"
    )
