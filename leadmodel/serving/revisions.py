"""The published versions of the served model, as a list that people can follow."""

import threading
import time

from leadmodel.errors import ModelError
from leadmodel.publishing.hub.client import address_of
from leadmodel.publishing.hub.push import versions
from leadmodel.serving.ui.components import render

__all__ = ["Revisions"]

SECONDS = 60.0
"""Between two questions to the Hub, however many visitors ask."""


class Revisions:
    """The versions of a repository, as the Hub last told them.

    Parameters
    ----------
    repo_id : str, optional
        Such as "USER/MODEL"; None where the model is from a folder, which has no versions.
    """

    def __init__(self, repo_id: str | None) -> None:
        self.repo_id = repo_id
        self._lock, self._looked = threading.Lock(), -SECONDS
        self._found: dict[str, str] = {}
        self._notice = "Asking the Hub; open this page again in a moment."

    def render(self, revision: str) -> str:
        """Render the list, the newest first, with the served `revision` marked."""
        if self.repo_id is None:
            return render("revisions.html", repo_id=None)
        self._look(self.repo_id)
        return render(
            "revisions.html",
            repo_id=self.repo_id,
            home=address_of(self.repo_id),
            notice=self._notice,
            versions=list(reversed(self._found.items())),
            served=revision,
        )

    def _look(self, repo_id: str) -> None:
        """Ask the Hub, unless it was asked just now; a silent Hub holds up one visitor, not all."""
        if time.monotonic() - self._looked < SECONDS or not self._lock.acquire(blocking=False):
            return
        try:
            self._found, self._notice = versions(repo_id), ""
        except (OSError, ModelError) as error:
            self._notice = f"The Hub cannot list the revisions right now: {error}"
        finally:
            self._looked = time.monotonic()
            self._lock.release()
