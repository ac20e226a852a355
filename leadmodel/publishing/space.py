"""Publish the app: a Gradio Space that serves a model repository."""

from pathlib import Path

import yaml
from huggingface_hub import CommitOperationAdd, HfApi

from leadmodel.publishing.hub import address_of, check_may_write, writing

__all__ = ["SpaceDestination"]

ROOT = Path(__file__).parents[2]
FILES = ("app.py", "train.py", "model_card.md", "requirements.txt", "LICENSE")


class SpaceDestination:
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

    def publish(self, repo_id: str, title: str) -> str:
        """Create or update the Space so that it serves the model `repo_id`; return its address.

        Raises
        ------
        HubError
            If the Hub refuses or fails.
        """
        api = HfApi()
        with writing(self.space_id):
            api.create_repo(
                self.space_id, repo_type="space", space_sdk="gradio", private=self.private, exist_ok=True
            )
            # The variable comes first: the commit starts the app, which reads it.
            api.add_space_variable(self.space_id, "LEADMODEL_REPO", repo_id)
            api.create_commit(
                self.space_id,
                [CommitOperationAdd(name, content) for name, content in _files(repo_id, title).items()],
                repo_type="space",
                commit_message=f"Serve {repo_id}",
            )
        return address_of(self.space_id, space=True)


def _files(repo_id: str, title: str) -> dict[str, bytes]:
    code = {path.relative_to(ROOT).as_posix(): path for path in sorted((ROOT / "leadmodel").rglob("*.py"))}
    files = {
        name: path.read_bytes() for name, path in ({name: ROOT / name for name in FILES} | code).items()
    }
    return files | {"README.md": _readme(repo_id, title).encode()}


def _readme(repo_id: str, title: str) -> str:
    """Return the Space's README: the project's own front matter, naming the model."""
    front = yaml.safe_load((ROOT / "README.md").read_text(encoding="utf-8").split("---\n")[1])
    front |= {"title": title[:60], "models": [repo_id]}
    return (
        f"---\n{yaml.safe_dump(front, sort_keys=False, allow_unicode=True)}---\n\n"
        f"Scores leads with the model [{repo_id}]({address_of(repo_id)}): a form, and an API.\n"
    )
