"""Go back to an earlier version of a published model."""

from leadmodel.model import LeadModel
from leadmodel.publishing.hub.client import HubError
from leadmodel.publishing.hub.push import HubRepository, PublishedVersion, versions

__all__ = ["go_back"]


def go_back(repo_id: str, tag: str | None = None) -> PublishedVersion:
    """Publish an earlier version of a model again, as the newest.

    Apps that follow the repository serve it at their next look, and the history stays whole.

    Parameters
    ----------
    repo_id : str
        Such as "USER/MODEL".
    tag : str, optional
        The version to go back to, such as "v3"; by default the one before the newest.

    Raises
    ------
    HubError
        If there is no such version, or publishing fails.
    ModelError
        If that version cannot be opened.
    """
    destination = HubRepository(repo_id)
    found = list(versions(repo_id))
    tag = tag or (found[-2] if len(found) > 1 else None)
    if tag not in found:
        raise HubError(
            f"{repo_id} has no version to go back to{f' named {tag}' if tag else ''}. Found: {found}."
        )
    model = LeadModel.from_pretrained(repo_id, tag)
    return destination.publish(model.files, f"Back to {tag}: {model.evaluation.headline()}")
