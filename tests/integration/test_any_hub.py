"""What must have on every Hub: the one on loopback, and a real one.

    LEADMODEL_TEST_ORG=USER HF_TOKEN=… .venv/bin/pytest -m any_hub

runs these on the Hub that HF_ENDPOINT names, the public one by default. They make repositories
below USER, and delete them.
"""

import uuid
from collections.abc import Iterator

import pytest
from huggingface_hub import HfApi

from leadmodel.errors import ModelError
from leadmodel.model import LeadModel
from leadmodel.monitoring.deployment import go_back
from leadmodel.publishing.hub.client import HubError
from leadmodel.publishing.hub.push import HubRepository, versions
from leadmodel.publishing.hub.space import HubSpace

pytestmark = pytest.mark.any_hub


@pytest.fixture
def repo(namespace: str) -> Iterator[str]:
    """A name that is free, for a model and for a Space."""
    name = f"{namespace}/leadmodel-test-{uuid.uuid4().hex[:12]}"
    yield name
    for kind in ("model", "space"):
        HfApi().delete_repo(name, repo_type=kind, missing_ok=True)


def test_a_model_goes_up_and_comes_down_as_it_was(repo: str, model: LeadModel) -> None:
    published = model.push_to_hub(repo, private=True)
    opened = LeadModel.from_pretrained(repo)
    assert (opened.files, opened.revision) == (model.files, published.commit)
    assert versions(repo) == {"v1": published.commit}


def test_versions_pin_and_go_back(repo: str, model: LeadModel, second_model: LeadModel) -> None:
    model.push_to_hub(repo, private=True)
    second_model.push_to_hub(repo)
    assert LeadModel.from_pretrained(repo, "v1").files == model.files
    assert LeadModel.from_pretrained(repo).files == second_model.files
    assert go_back(repo).tag == "v3"
    assert LeadModel.from_pretrained(repo).files == model.files


def test_a_commit_in_between_is_not_overwritten(
    repo: str, model: LeadModel, second_model: LeadModel
) -> None:
    model.push_to_hub(repo, private=True)
    destination = HubRepository(repo)
    HfApi().upload_file(path_or_fileobj=b"theirs", path_in_repo="NOTES.md", repo_id=repo)
    with pytest.raises(HubError, match="Somebody else has committed"):
        destination.publish(second_model.files, "mine")


def test_a_revision_that_is_not_there_is_named(repo: str, model: LeadModel) -> None:
    model.push_to_hub(repo, private=True)
    with pytest.raises(ModelError, match="no such branch, tag or commit"):
        LeadModel.from_pretrained(repo, "v9")


def test_a_space_names_its_model(repo: str) -> None:
    HubSpace(repo, private=True).publish(repo, "Leads")
    assert HfApi().get_space_variables(repo)["LEADMODEL_REPO"].value == repo
