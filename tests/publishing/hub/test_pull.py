import re
from collections.abc import Callable

import pytest
from hub_server import Fault, LoopbackHub
from huggingface_hub import HfApi

from leadmodel.errors import InputError, ModelError, UnreachableError
from leadmodel.leads.io import read_table
from leadmodel.model import LeadModel
from leadmodel.monitoring.deployment import go_back
from leadmodel.publishing.hub.pull import latest_commit, pull, versions

REPO = "demo/leads"


@pytest.fixture
def published(hub: LoopbackHub, model: LeadModel) -> str:
    """The small model on the Hub; its commit."""
    return model.push_to_hub(REPO).commit


def test_a_pushed_model_comes_back_as_it_was(published: str, model: LeadModel) -> None:
    opened = LeadModel.from_pretrained(REPO)
    assert opened.files == model.files
    assert opened.revision == published
    assert opened.answer({"age": 30}).revision == published


@pytest.mark.parametrize("revision", ["main", "v1", "commit"])
def test_every_kind_of_revision_is_found(published: str, revision: str) -> None:
    pulled = pull(REPO, published if revision == "commit" else revision)
    assert (pulled.commit, pulled.notice) == (published, "")
    assert latest_commit(REPO, "v1") == published


def test_a_pinned_revision_stays(published: str, second_model: LeadModel) -> None:
    newer = second_model.push_to_hub(REPO).commit
    assert LeadModel.from_pretrained(REPO, "v1").revision == published
    assert LeadModel.from_pretrained(REPO).revision == newer


FAULTS: dict[str, Callable[[], Fault]] = {
    "hang up": Fault.hang_up,
    "500": lambda: Fault.status(500),
    "503": lambda: Fault.status(503),
    "429": lambda: Fault.status(429, retry_after=60),
    "garbled": Fault.wrong_bytes,
    "cut short": lambda: Fault.cut_short(after=10),
    "silent": Fault.silent,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failing_hub_is_replaced_by_the_cache(
    hub: LoopbackHub,
    published: str,
    model: LeadModel,
    fault: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LEADMODEL_HUB_PATIENCE", "2")
    LeadModel.from_pretrained(REPO)
    hub.fail("*", "/", FAULTS[fault](), times=None)
    opened = LeadModel.from_pretrained(REPO)
    assert (opened.files, opened.revision) == (model.files, published)
    assert "is served from the cache" in caplog.text


@pytest.mark.parametrize("fault", ["hang up", "silent"])
def test_the_cache_is_named_by_revision_and_age(
    hub: LoopbackHub,
    published: str,
    fault: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    LeadModel.from_pretrained(REPO)
    monkeypatch.setenv("LEADMODEL_HUB_PATIENCE", "1")
    hub.fail("*", "", FAULTS[fault](), times=None)
    assert LeadModel.from_pretrained(REPO).revision == published
    named = rf"from the cache, revision {published[:8]}, which was pulled 0:\d\d:\d\d ago"
    assert re.search(named, caplog.text)


def test_a_slow_hub_is_waited_for_rather_than_answered_for_by_the_cache(
    hub: LoopbackHub, published: str, second_model: LeadModel, caplog: pytest.LogCaptureFixture
) -> None:
    LeadModel.from_pretrained(REPO)
    newer = second_model.push_to_hub(REPO).commit
    hub.fail("*", "", Fault.slow(0.7), times=None)
    assert LeadModel.from_pretrained(REPO).revision == newer
    assert caplog.text == ""


@pytest.mark.parametrize("part", ["", "/revision/", "/tree/", "/resolve/", "/cdn/"])
def test_a_hub_that_falls_silent_on_the_way_is_replaced_by_the_cache_and_not_asked_again(
    hub: LoopbackHub,
    published: str,
    second_model: LeadModel,
    part: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    LeadModel.from_pretrained(REPO)
    second_model.push_to_hub(REPO)
    monkeypatch.setenv("LEADMODEL_HUB_PATIENCE", "2")
    hub.fail("*", part, Fault.silent(), times=None)
    assert LeadModel.from_pretrained(REPO).revision == published
    assert "nothing came for 2 seconds" in caplog.text


def test_what_must_be_fresh_is_not_of_the_cache(hub: LoopbackHub, published: str) -> None:
    LeadModel.from_pretrained(REPO)
    hub.fail("*", "", Fault.hang_up(), times=None)
    with pytest.raises(UnreachableError, match="one of the cache may be an older one"):
        LeadModel.from_pretrained(REPO, fresh=True)


def test_who_is_in_a_hurry_gets_the_cache_and_waits_where_there_is_none(
    hub: LoopbackHub, published: str, caplog: pytest.LogCaptureFixture
) -> None:
    hub.fail("GET", "/revision/", Fault.slow(1))
    assert pull(REPO, patience=0.2).notice == ""
    hub.fail("GET", "/revision/", Fault.silent())
    assert "nothing came for 0.2 seconds" in pull(REPO, patience=0.2).notice


QUIRKS = {
    "64 digits": ("id_length", 64),
    "short ids": ("short_ids", True),
    "tags by name": ("tags_name_themselves", True),
    "newest ETags": ("newest_etags", True),
}


@pytest.mark.parametrize("quirk", QUIRKS)
def test_somebody_elses_hub_gives_each_revision_its_own_files(
    hub: LoopbackHub, model: LeadModel, second_model: LeadModel, quirk: str
) -> None:
    setattr(hub.quirks, *QUIRKS[quirk])
    models = {"v1": model, "v2": second_model}
    commits = {tag: one.push_to_hub(REPO).commit for tag, one in models.items()}
    assert versions(REPO) == commits
    # Each finds the cache as the one before has left it.
    for revision in ("v2", None, "v1", commits["v2"], commits["v1"], "v2"):
        tag = {None: "v2", **{commit: tag for tag, commit in commits.items()}}.get(revision, revision)
        opened = LeadModel.from_pretrained(REPO, revision)
        assert (opened.files, opened.revision) == (models[str(tag)].files, commits[str(tag)])
        assert latest_commit(REPO, revision) == opened.revision
    assert go_back(REPO).tag == "v3"
    assert LeadModel.from_pretrained(REPO).files == model.files
    hub.fail("*", "", Fault.hang_up(), times=None)
    for tag in ("v1", "v2") if quirk != "newest ETags" else ():
        assert LeadModel.from_pretrained(REPO, commits[tag]).files == models[tag].files


def test_the_cache_never_gives_one_revisions_files_for_anothers(
    hub: LoopbackHub, model: LeadModel, second_model: LeadModel
) -> None:
    hub.quirks.newest_etags = True
    model.push_to_hub(REPO)
    second_model.push_to_hub(REPO)
    for revision in ("v2", "v1"):
        LeadModel.from_pretrained(REPO, revision)
    hub.fail("*", "", Fault.hang_up(), times=None)
    assert LeadModel.from_pretrained(REPO, "v2").files == second_model.files
    with pytest.raises(UnreachableError, match="the cache does not hold it"):
        LeadModel.from_pretrained(REPO, "v1")


@pytest.mark.parametrize("fault", ["hang up", "500", "429"])
def test_a_failing_hub_and_an_empty_cache_is_one_clear_error(
    hub: LoopbackHub, published: str, fault: str
) -> None:
    hub.fail("*", "/", FAULTS[fault](), times=None)
    with pytest.raises(
        ModelError, match=r"'demo/leads' cannot be pulled from .* the cache does not hold it"
    ):
        LeadModel.from_pretrained(REPO)


def test_a_download_that_came_damaged_is_fetched_anew(
    hub: LoopbackHub, published: str, model: LeadModel
) -> None:
    hub.fail("GET", "/cdn/", Fault.wrong_bytes(), times=8)
    assert LeadModel.from_pretrained(REPO).files == model.files
    assert LeadModel.from_pretrained(REPO).files == model.files
    hub.fail("*", "", Fault.hang_up(), times=None)
    assert LeadModel.from_pretrained(REPO).files == model.files


def test_a_download_that_stays_damaged_is_refused(hub: LoopbackHub, published: str) -> None:
    hub.fail("GET", "/cdn/", Fault.wrong_bytes(), times=None)
    with pytest.raises(ModelError, match=r"the file was changed or damaged|must be a PNG image"):
        LeadModel.from_pretrained(REPO)


def test_a_download_cut_in_the_middle_is_finished(
    hub: LoopbackHub, published: str, model: LeadModel
) -> None:
    hub.fail("GET", "/cdn/", Fault.cut_short(after=1000), times=1)
    assert LeadModel.from_pretrained(REPO).files == model.files


@pytest.mark.parametrize(
    ("repo", "revision", "message"),
    [
        ("demo/none", None, "neither a folder here nor on the Hub, or it is private"),
        (REPO, "v9", "'demo/leads' at 'v9' does not exist: no such branch, tag or commit"),
        ("a/b/c", None, "is not a model: there is no such folder here"),
        ("ann", None, "'ann' is not a model: .* and a repository on the Hub is named USER/MODEL"),
        ("demo/--..bad", None, "no repository has such a name"),
    ],
    ids=["repository", "revision", "path", "no repository", "name"],
)
def test_what_is_not_there_is_named(published: str, repo: str, revision: str | None, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        LeadModel.from_pretrained(repo, revision)


def test_a_repository_without_a_model_is_named_by_its_name(hub: LoopbackHub) -> None:
    HfApi().create_repo(REPO)
    with pytest.raises(ModelError, match=r"^The repository 'demo/leads' is not a model: it lacks README"):
        LeadModel.from_pretrained(REPO)


def test_a_private_model_shows_itself_to_its_owner_alone(
    hub: LoopbackHub, model: LeadModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.push_to_hub(REPO, private=True)
    assert LeadModel.from_pretrained(REPO).files == model.files
    monkeypatch.setenv("HF_TOKEN", "stranger")
    with pytest.raises(ModelError, match="or it is private: check the name, or log in"):
        LeadModel.from_pretrained(REPO, "v1")


def test_authorisation_lost_in_between_is_told(hub: LoopbackHub, published: str) -> None:
    hub.fail("GET", "/resolve/", Fault.unauthorized(), times=None)
    hub.fail("HEAD", "/resolve/", Fault.unauthorized(), times=None)
    with pytest.raises(ModelError, match=r"may not read|cannot be pulled"):
        LeadModel.from_pretrained(REPO)


def test_a_folder_has_no_revisions(tmp_path: object, model: LeadModel) -> None:
    with pytest.raises(ModelError, match="has no revisions"):
        LeadModel.from_pretrained(str(tmp_path), "v1")


def test_leads_are_read_from_a_dataset_repository(hub: LoopbackHub) -> None:
    api = HfApi()
    api.create_repo("demo/data", repo_type="dataset")
    api.upload_file(
        path_or_fileobj=b"a;b\n1;NA\n", path_in_repo="leads.csv", repo_id="demo/data", repo_type="dataset"
    )
    assert read_table("hf://datasets/demo/data/leads.csv").to_dict("list") == {"a": ["1"], "b": ["NA"]}
    with pytest.raises(InputError, match=r"none.csv' cannot be opened"):
        read_table("hf://datasets/demo/data/none.csv")
