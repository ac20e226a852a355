"""Serve a newer revision of the model without a restart and without dropping a request."""

import logging
import threading

from leadmodel.errors import ModelError, UnreachableError
from leadmodel.model import LeadModel
from leadmodel.publishing.hub.client import PATIENCE
from leadmodel.publishing.hub.pull import latest_commit
from leadmodel.serving.service import ScoringService

__all__ = ["Updater"]

_log = logging.getLogger("leadmodel")


class Updater(threading.Thread):
    """Check a model repository for a newer revision: at intervals, and at once when the Hub says so.

    Parameters
    ----------
    service : ScoringService
        Where the model is replaced. A running request ends with the model it began with.
    repo_id : str
        Such as "USER/MODEL".
    revision : str, optional
        The branch or tag to follow; the main branch by default.
    seconds : float
        Between two checks.
    """

    def __init__(
        self, service: ScoringService, repo_id: str, revision: str | None = None, seconds: float = 60.0
    ) -> None:
        super().__init__(name="leadmodel-updates", daemon=True)
        self.service, self.repo_id, self.revision, self.seconds = service, repo_id, revision, seconds
        # Not opened again at each check: it would be refused again, after seconds of work.
        self._refused: str | None = None
        self._wake, self._stopped = threading.Event(), threading.Event()

    def run(self) -> None:
        """Check until stopped."""
        while not self._stopped.is_set():
            try:
                self.check()  # at once: the app may have started from the cache
            except Exception:  # whatever went wrong, the old model serves and the watch goes on
                _log.exception("Looking for a newer revision of %s failed", self.repo_id)
            self._wake.wait(self.seconds)
            self._wake.clear()

    def check_now(self) -> None:
        """Check at once, as when the webhook of the Hub says that the repository has changed."""
        self._wake.set()

    def stop(self) -> None:
        """Stop checking."""
        self._stopped.set()
        self._wake.set()

    def check(self) -> None:
        """Serve the newest revision if there is a newer one, and it passes every check."""
        commit = None
        try:
            commit = latest_commit(self.repo_id, self.revision)
            if commit in (self.service.model.revision, self._refused):
                return
            # However patient scripts may be: the end of the process waits for a download.
            model = LeadModel.from_pretrained(self.repo_id, commit, patience=PATIENCE, fresh=True)
            # The form is drawn once, and callers name the fields of the old model.
            before, after = (
                {(field.name, field.kind) for field in served.schema.inputs.values()}
                for served in (self.service.model, model)
            )
            if before != after:
                changed = ", ".join(sorted({name for name, _ in before ^ after}))
                raise ModelError(
                    f"it has other fields than the served one ({changed}); restart the app to serve it"
                )
        except (OSError, UnreachableError) as error:
            _log.warning("Newer revisions of %s cannot be looked up: %s", self.repo_id, error)
        except ModelError as error:
            self._refused = commit
            _log.error("Revision %s of %s is refused: %s", (commit or "?")[:8], self.repo_id, error)
        else:
            self.service.model = model
            _log.info("Now serving revision %s of %s", commit[:8], self.repo_id)
