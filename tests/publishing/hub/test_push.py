import pytest
from hub_server import Fault, LoopbackHub
from huggingface_hub import HfApi

from leadmodel.model import LeadModel
from leadmodel.monitoring.deployment import go_back
from leadmodel.publishing.files import is_own
from leadmodel.publishing.hub.client import HubError
from leadmodel.publishing.hub.push import HubRepository, versions

REPO = "demo/leads"


def titles(hub: LoopbackHub) -> list[str]:
    return [commit.title for commit in hub.repository("model", REPO).commits]


def test_a_push_is_one_commit_with_the_headline_and_a_tag(hub: LoopbackHub, model: LeadModel) -> None:
    published = model.push_to_hub(REPO)
    message, initial = titles(hub)
    assert message == f"Synthetic EdTech leads: {model.evaluation.headline()}"
    assert initial == "initial commit"
    assert (published.tag, published.address) == ("v1", f"{hub.url}/{REPO}")
    files = hub.repository("model", REPO).files
    assert {name: file.content for name, file in files.items() if name != ".gitattributes"} == model.files


def test_each_push_is_the_next_version(hub: LoopbackHub, model: LeadModel, second_model: LeadModel) -> None:
    first, second = model.push_to_hub(REPO).commit, second_model.push_to_hub(REPO).commit
    assert versions(REPO) == {"v1": first, "v2": second}


def test_old_files_of_ours_go_and_those_of_others_stay(
    hub: LoopbackHub, model: LeadModel, second_model: LeadModel
) -> None:
    model.push_to_hub(REPO)
    api = HfApi()
    ours = ["plots/profit.png", "plots/revenue.png", "parts/7.skops", "revenue.skops"]
    theirs = ["NOTES.md", "LICENSE", "images/one.png", "plots/mine.png", "plots/deep/roc.png"]
    for name in [*ours, *theirs]:
        api.upload_file(path_or_fileobj=b"x", path_in_repo=name, repo_id=REPO)
    second_model.push_to_hub(REPO)
    names = set(hub.repository("model", REPO).files)
    assert names == {".gitattributes", *second_model.files, *theirs}


def test_the_same_files_again_are_no_new_version(hub: LoopbackHub, model: LeadModel) -> None:
    first = model.push_to_hub(REPO)
    HfApi().upload_file(path_or_fileobj=b"x", path_in_repo="NOTES.md", repo_id=REPO)
    again = model.push_to_hub(REPO)
    assert again.tag == "v2"  # somebody else's commit is served, which had no name
    assert model.push_to_hub(REPO) == again
    assert list(versions(REPO)) == [first.tag, again.tag]
    assert len(titles(hub)) == 3


def test_every_figure_of_a_model_is_known_as_ours(model: LeadModel, valued: LeadModel) -> None:
    assert [name for name in {**model.files, **valued.files} if not is_own(name)] == []


def test_somebody_elses_commit_is_not_overwritten(hub: LoopbackHub, model: LeadModel) -> None:
    model.push_to_hub(REPO)
    destination = HubRepository(REPO)
    HfApi().upload_file(path_or_fileobj=b"theirs", path_in_repo="README.md", repo_id=REPO)
    with pytest.raises(HubError, match=r"Somebody else has committed .* Nothing was published"):
        destination.publish(model.files, "mine")
    assert hub.repository("model", REPO).files["README.md"].content == b"theirs"
    assert list(versions(REPO)) == ["v1"]


def test_a_private_repository_is_made_private(hub: LoopbackHub, model: LeadModel) -> None:
    model.push_to_hub(REPO, private=True)
    assert hub.repository("model", REPO).private


@pytest.mark.parametrize(
    ("token", "repo", "message"),
    [
        (None, REPO, "Nobody is logged in. Run 'hf auth login'"),
        ("reader", REPO, "The token may only read"),
        ("nonsense", REPO, "may not write to 'demo/leads'. Log in"),
        ("stranger", REPO, r"'other' may not write to 'demo/leads'. It may write below: other"),
        ("writer", "leads", "A repository is named USER/NAME. Got 'leads'"),
        ("writer", "demo/--..bad", "is no repository's name"),
    ],
)
def test_who_may_not_write_is_told_before_the_work(
    hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch, token: str | None, repo: str, message: str
) -> None:
    monkeypatch.delenv("HF_TOKEN") if token is None else monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(HubError, match=message):
        HubRepository(repo)
    assert hub.content.repositories == {}


@pytest.mark.parametrize(
    ("method", "part", "fault"),
    [
        ("POST", "/preupload/", Fault.unauthorized),
        ("PUT", "/cdn/", Fault.unauthorized),
        ("POST", "/commit/", Fault.unauthorized),
        ("POST", "/commit/", Fault.hang_up),
        ("POST", "/commit/", lambda: Fault.status(500)),
        ("POST", "/commit/", lambda: Fault.status(429, retry_after=1)),
    ],
    ids=["no word on modes", "no upload", "no commit", "hang up", "500", "429"],
)
def test_a_push_that_fails_leaves_the_repository_as_it_was(
    hub: LoopbackHub, model: LeadModel, second_model: LeadModel, method: str, part: str, fault: object
) -> None:
    before = model.push_to_hub(REPO).commit
    destination = HubRepository(REPO)
    hub.fail(method, part, fault(), times=None)  # type: ignore[operator]
    with pytest.raises(HubError, match=r"may not write|did not answer|the Hub answered with status"):
        destination.publish(second_model.files, "second")
    hub.heal()
    assert LeadModel.from_pretrained(REPO).revision == before
    assert list(versions(REPO)) == ["v1"]


def test_a_commit_whose_answer_was_lost_is_found(
    hub: LoopbackHub, model: LeadModel, second_model: LeadModel
) -> None:
    model.push_to_hub(REPO)
    hub.fail("POST", "/commit/", Fault.cut_short())
    published = second_model.push_to_hub(REPO)
    assert published.tag == "v2"
    assert LeadModel.from_pretrained(REPO).files == second_model.files
    assert len(titles(hub)) == 3


def test_a_version_whose_tag_fails_is_one_all_the_same_and_the_next_push_sets_it(
    hub: LoopbackHub, model: LeadModel, second_model: LeadModel, caplog: pytest.LogCaptureFixture
) -> None:
    """So it is after a push that was killed before it could set the tag."""
    hub.fail("POST", "/tag/", Fault.status(500))
    commit = model.push_to_hub(REPO).commit
    assert "has no tag (status 500). The next push or rollback sets it" in caplog.text
    assert f"hf repos tag create {REPO} v1 --revision {commit}" in caplog.text
    assert hub.repository("model", REPO).tags == {}
    assert versions(REPO) == {"v1": commit}
    assert LeadModel.from_pretrained(REPO, "v1").revision == commit
    second_model.push_to_hub(REPO)
    assert list(hub.repository("model", REPO).tags) == ["v1", "v2"]


def test_the_same_push_again_sets_a_lost_tag(hub: LoopbackHub, model: LeadModel) -> None:
    hub.fail("POST", "/tag/", Fault.status(500))
    lost = model.push_to_hub(REPO)
    assert model.push_to_hub(REPO) == lost
    assert list(hub.repository("model", REPO).tags) == ["v1"]


def test_going_back_from_a_version_without_a_tag_is_one_step(
    hub: LoopbackHub, model: LeadModel, second_model: LeadModel, valued: LeadModel
) -> None:
    for one in (model, second_model):
        one.push_to_hub(REPO)
    hub.fail("POST", "/tag/", Fault.status(500))
    valued.push_to_hub(REPO)
    published = go_back(REPO)
    assert titles(hub)[0].startswith("Back to v2")
    assert (published.tag, list(versions(REPO))) == ("v4", ["v1", "v2", "v3", "v4"])
    assert list(hub.repository("model", REPO).tags) == ["v1", "v2", "v3", "v4"]
    assert LeadModel.from_pretrained(REPO).files == second_model.files


def test_going_back_from_a_commit_that_is_no_version_is_to_the_last_one(
    hub: LoopbackHub, model: LeadModel, second_model: LeadModel
) -> None:
    """As an earlier release left it behind, when it was killed before the tag."""
    for one in (model, second_model):
        one.push_to_hub(REPO)
    HfApi().upload_file(path_or_fileobj=b"x", path_in_repo="config.json", repo_id=REPO)
    go_back(REPO)
    assert LeadModel.from_pretrained(REPO).files == second_model.files


def test_going_back_publishes_the_version_before_as_the_newest(
    hub: LoopbackHub, model: LeadModel, second_model: LeadModel
) -> None:
    model.push_to_hub(REPO)
    second_model.push_to_hub(REPO)
    published = go_back(REPO)
    assert published.tag == "v3"
    assert LeadModel.from_pretrained(REPO).files == model.files
    assert titles(hub)[0].startswith("Back to v1: ROC AUC")
    assert go_back(REPO, "v2").tag == "v4"
    assert LeadModel.from_pretrained(REPO).files == second_model.files


@pytest.mark.parametrize("tag", [None, "v7"])
def test_there_must_be_a_version_to_go_back_to(hub: LoopbackHub, model: LeadModel, tag: str | None) -> None:
    model.push_to_hub(REPO)
    with pytest.raises(HubError, match=r"has no version to go back to"):
        go_back(REPO, tag)


def test_the_token_is_in_no_file_and_no_message(
    hub: LoopbackHub, model: LeadModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add_token("hf_secret", user="demo", write=True)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    model.push_to_hub(REPO)
    commits = hub.repository("model", REPO).commits
    texts = [file.content for commit in commits for file in commit.files.values()]
    texts += [f"{commit.title}{commit.message}".encode() for commit in commits]
    assert texts
    assert not [text for text in texts if b"hf_secret" in text]
