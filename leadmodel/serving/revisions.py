"""The published versions of the served model, as a list that people can follow."""

import threading
import time
from html import escape

from leadmodel.errors import ModelError
from leadmodel.publishing.hub.client import address_of
from leadmodel.publishing.hub.push import versions
from leadmodel.serving.ui.components import section

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
        self._notice = "The Hub is being asked; open this page again."

    def render(self, revision: str) -> str:
        """Return the list as HTML, the newest first, with the served `revision` marked."""
        return f'<div class="lm-report">{section("Other revisions", self._list(revision))}</div>'

    def _list(self, revision: str) -> str:
        if self.repo_id is None:
            return (
                "<p>This model is served from a folder, which keeps no other. One that is published with "
                "<code>train.py --push USER/MODEL</code> has a version for each training.</p>"
            )
        self._look(self.repo_id)
        home = escape(address_of(self.repo_id))
        items = [
            f'<li><a href="{home}/tree/{tag}" target="_blank" rel="noopener">{tag}</a> '
            f"({escape(commit[:8])}){', served now' if commit == revision else ''}</li>"
            for tag, commit in reversed(self._found.items())
        ]
        link = f'<a href="{home}" target="_blank" rel="noopener">{escape(self.repo_id)}</a>'
        return f"<p>{escape(self._notice)} All of {link}.</p><ul>{''.join(items)}</ul>"

    def _look(self, repo_id: str) -> None:
        """Ask the Hub, unless it was asked just now; a silent Hub holds up one visitor, not all."""
        if time.monotonic() - self._looked < SECONDS or not self._lock.acquire(blocking=False):
            return
        try:
            self._found, self._notice = versions(repo_id), ""
        except (OSError, ModelError) as error:
            self._notice = f"The Hub does not tell its versions now: {error}"
        finally:
            self._looked = time.monotonic()
            self._lock.release()
