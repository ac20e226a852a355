"""The loopback hub, asked by the real client.

The second half plans faults and so shows how the client of this version takes them; the seconds in
those docstrings were measured. Where the client waits, it waits a whole second at least.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from httpx2 import ConnectError, ReadTimeout, RemoteProtocolError
from hub_server import Fault, LoopbackHub
from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationDelete,
    CommitScheduler,
    HfApi,
    HfFileSystem,
)
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

REPO = "demo/leads"
LFS_BYTES = bytes(range(256)) * 8
CSV = b"name,score\nada,1\ngrace,2\n"


@pytest.fixture
def hub() -> Iterator[LoopbackHub]:
    with LoopbackHub() as hub:
        hub.add_token("writer", user="demo", write=True)
        hub.add_token("reader", user="demo")
        hub.add_token("stranger", user="other", write=True)
        yield hub


@pytest.fixture
def api(hub: LoopbackHub) -> HfApi:
    return HfApi(endpoint=hub.url, token="writer")


@pytest.fixture
def model(api: HfApi) -> str:
    """A repository with a regular file of 24 bytes and an LFS file of 2048."""
    api.create_repo(REPO)
    files = {"data.csv": CSV, "model.skops": LFS_BYTES}
    additions = [CommitOperationAdd(path, content) for path, content in files.items()]
    api.create_commit(REPO, additions, commit_message="Add files")
    return REPO


@pytest.fixture
def download(api: HfApi, tmp_path: Path) -> Callable[..., bytes]:
    def download(path: str, revision: str = "main", etag_timeout: float = 10) -> bytes:
        local = api.hf_hub_download(
            REPO, path, revision=revision, etag_timeout=etag_timeout, cache_dir=tmp_path
        )
        return Path(local).read_bytes()

    return download


def upload(
    api: HfApi, content: bytes = b"new", revision: str = "main", parent_commit: str | None = None
) -> str:
    commit = api.upload_file(
        path_or_fileobj=content,
        path_in_repo="new.txt",
        repo_id=REPO,
        revision=revision,
        parent_commit=parent_commit,
    )
    return commit.oid


def count(hub: LoopbackHub, method: str, part: str) -> int:
    return sum(each.method == method and part in each.path for each in hub.requests)


def titles(hub: LoopbackHub) -> list[str]:
    return [commit.title for commit in hub.repository("model", REPO).commits]


# --- Uploading and downloading -----------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    (folder / "plots").mkdir(parents=True)
    (folder / "README.md").write_text("---\ntags: [sales]\nlicense: mit\n---\nLeads\n")
    (folder / "model.skops").write_bytes(LFS_BYTES)
    (folder / "plots" / "roc.png").write_bytes(b"\x89PNG\0")
    return folder


def test_folder_goes_up_in_one_commit_and_comes_down_unchanged(
    hub: LoopbackHub, api: HfApi, folder: Path, tmp_path: Path
) -> None:
    api.create_repo(REPO)
    api.upload_folder(repo_id=REPO, folder_path=folder, commit_message="Publish")
    snapshot = Path(api.snapshot_download(REPO, cache_dir=tmp_path / "cache"))

    assert titles(hub) == ["Publish", "initial commit"]
    assert count(hub, "PUT", "/cdn/") == 2
    stored = hub.repository("model", REPO).files
    assert [path for path, file in stored.items() if file.is_lfs] == [
        "model.skops",
        "plots/roc.png",
    ]
    for path in ("README.md", "model.skops", "plots/roc.png"):
        assert (snapshot / path).read_bytes() == (folder / path).read_bytes()


def test_unchanged_folder_makes_no_second_commit(hub: LoopbackHub, api: HfApi, folder: Path) -> None:
    api.create_repo(REPO)
    first = api.upload_folder(repo_id=REPO, folder_path=folder)
    second = api.upload_folder(repo_id=REPO, folder_path=folder)
    assert second.oid == first.oid
    assert count(hub, "POST", "/commit/") == 1


def test_stale_parent_commit_is_refused_with_412(hub: LoopbackHub, api: HfApi, model: str) -> None:
    head = api.model_info(model).sha
    upload(api, parent_commit=head)
    with pytest.raises(HfHubHTTPError, match="A commit has happened since") as refusal:
        upload(api, b"newer", parent_commit=head)
    assert refusal.value.response.status_code == 412
    assert len(titles(hub)) == 3


def test_files_and_folders_are_deleted(hub: LoopbackHub, api: HfApi, folder: Path) -> None:
    api.create_repo(REPO)
    api.upload_folder(repo_id=REPO, folder_path=folder)
    api.delete_folder("plots", repo_id=REPO)
    api.delete_file("model.skops", repo_id=REPO)
    assert api.list_repo_files(REPO) == [".gitattributes", "README.md"]
    with pytest.raises(RemoteEntryNotFoundError, match="file with this name doesn't exist"):
        api.create_commit(REPO, [CommitOperationDelete("gone.txt")], commit_message="Delete")


def test_lfs_file_of_private_repository_comes_from_cdn_without_token(
    hub: LoopbackHub, model: str, download: Callable[..., bytes]
) -> None:
    """The CDN refuses a token, so that this works shows that none was sent."""
    hub.repository("model", model).private = True
    assert download("model.skops") == LFS_BYTES
    assert count(hub, "GET", "/cdn/") == 1


# --- Looking at repositories -------------------------------------------------------------------


def test_model_info_has_card_data_and_siblings(api: HfApi, folder: Path) -> None:
    api.create_repo(REPO)
    sha = api.upload_folder(repo_id=REPO, folder_path=folder).oid
    info = api.model_info(REPO, revision="main", files_metadata=True)
    assert (info.sha, info.private, info.tags) == (sha, False, ["sales"])
    assert info.card_data is not None and info.card_data.license == "mit"
    assert info.last_modified is not None
    sizes = {each.rfilename: each.size for each in info.siblings or []}
    assert sizes["model.skops"] == len(LFS_BYTES)


def test_tree_and_paths_tell_files_from_folders(api: HfApi, folder: Path) -> None:
    api.create_repo(REPO)
    api.upload_folder(repo_id=REPO, folder_path=folder)
    top = [each.path for each in api.list_repo_tree(REPO)]
    assert top == [".gitattributes", "README.md", "model.skops", "plots"]
    assert [each.path for each in api.list_repo_tree(REPO, "plots")] == ["plots/roc.png"]
    paths = api.get_paths_info(REPO, ["plots", "plots/roc.png", "missing"])
    assert [type(each).__name__ for each in paths] == ["RepoFolder", "RepoFile"]


def test_commits_are_listed_newest_first(api: HfApi, model: str) -> None:
    commits = api.list_repo_commits(model)
    assert [commit.title for commit in commits] == ["Add files", "initial commit"]
    assert commits[0].authors == ["demo"]
    assert commits[0].commit_id == api.model_info(model).sha


def test_tag_keeps_the_state_it_was_put_on(api: HfApi, model: str, download: Callable[..., bytes]) -> None:
    tagged = upload(api, b"old")
    api.create_tag(model, tag="release/1")
    upload(api, b"new")
    refs = api.list_repo_refs(model)
    assert [(tag.name, tag.target_commit) for tag in refs.tags] == [("release/1", tagged)]
    assert download("new.txt", revision="release/1") == b"old"
    assert download("new.txt", revision=tagged) == b"old"
    assert download("new.txt") == b"new"


def test_tag_can_be_made_only_once(api: HfApi, model: str) -> None:
    api.create_tag(model, tag="v1")
    api.create_tag(model, tag="v1", exist_ok=True)
    with pytest.raises(HfHubHTTPError, match="Tag reference exists already"):
        api.create_tag(model, tag="v1")
    api.delete_tag(model, tag="v1")
    with pytest.raises(RevisionNotFoundError):
        api.delete_tag(model, tag="v1")


def test_branch_has_commits_of_its_own(hub: LoopbackHub, api: HfApi, model: str) -> None:
    api.create_branch(model, branch="try/it", revision="main")
    upload(api, revision="try/it")
    assert api.file_exists(model, "new.txt", revision="try/it")
    assert "new.txt" in api.list_repo_files(model, revision="try/it")
    assert "new.txt" not in api.list_repo_files(model)
    api.delete_branch(model, branch="try/it")
    assert list(hub.repository("model", model).branches) == ["main"]


def test_missing_things_raise_the_clients_own_errors(
    api: HfApi, model: str, download: Callable[..., bytes]
) -> None:
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("demo/missing")
    with pytest.raises(RepositoryNotFoundError):
        api.dataset_info(model)
    with pytest.raises(RevisionNotFoundError):
        api.model_info(model, revision="missing")
    with pytest.raises(RemoteEntryNotFoundError):
        download("missing.txt")
    with pytest.raises(RemoteEntryNotFoundError):
        list(api.list_repo_tree(model, "missing"))


def test_a_route_it_does_not_speak_is_501(api: HfApi) -> None:
    with pytest.raises(HfHubHTTPError, match="does not speak GET /api/models") as refusal:
        list(api.list_models())
    assert refusal.value.response.status_code == 501


# --- Who may do what ---------------------------------------------------------------------------


def test_whoami_names_the_user_and_the_role(hub: LoopbackHub, api: HfApi) -> None:
    assert api.whoami()["name"] == "demo"
    assert api.whoami(token="reader")["auth"]["accessToken"]["role"] == "read"


def test_create_repo_twice_needs_exist_ok(hub: LoopbackHub, api: HfApi) -> None:
    url = api.create_repo(REPO, private=True)
    assert (url.repo_id, url.repo_type) == (REPO, "model")
    assert api.create_repo(REPO, exist_ok=True) == url
    with pytest.raises(HfHubHTTPError, match="already created this model repo"):
        api.create_repo(REPO)
    assert hub.repository("model", REPO).private


def test_deleted_repo_is_gone(api: HfApi, model: str) -> None:
    api.delete_repo(model)
    assert not api.repo_exists(model)
    api.delete_repo(model, missing_ok=True)
    with pytest.raises(RepositoryNotFoundError):
        api.delete_repo(model)


@pytest.mark.parametrize("token", [False, "stranger"])
def test_private_repo_is_hidden_from_others(api: HfApi, token: str | bool, tmp_path: Path) -> None:
    api.create_repo(REPO, private=True)
    assert api.repo_exists(REPO)
    with pytest.raises(RepositoryNotFoundError) as refusal:
        api.model_info(REPO, token=token)
    assert refusal.value.response.status_code == (404 if token else 401)
    with pytest.raises(RepositoryNotFoundError):
        api.snapshot_download(REPO, token=token, cache_dir=tmp_path)


def test_read_token_may_read_but_not_write(hub: LoopbackHub, model: str) -> None:
    reader = HfApi(endpoint=hub.url, token="reader")
    assert reader.model_info(model).id == model
    with pytest.raises(HfHubHTTPError, match="write token") as refusal:
        upload(reader)
    assert refusal.value.response.status_code == 403
    with pytest.raises(HfHubHTTPError, match="rights to create a model under this namespace"):
        reader.create_repo("demo/other")


def test_wrong_token_is_no_missing_repository(hub: LoopbackHub, model: str) -> None:
    with pytest.raises(HfHubHTTPError, match="Invalid credentials") as refusal:
        HfApi(endpoint=hub.url, token="wrong").model_info(model)
    assert refusal.value.response.status_code == 401
    assert not isinstance(refusal.value, RepositoryNotFoundError)


def test_gated_repo_shows_its_info_but_not_its_files(
    hub: LoopbackHub, api: HfApi, model: str, tmp_path: Path
) -> None:
    hub.repository("model", model).gated = True
    assert api.model_info(model, token="stranger").gated == "manual"
    for token in (False, "stranger"):
        with pytest.raises(GatedRepoError):
            api.hf_hub_download(model, "data.csv", token=token, cache_dir=tmp_path)


# --- Spaces and datasets -----------------------------------------------------------------------


def test_space_keeps_its_variables_and_secrets(hub: LoopbackHub, api: HfApi) -> None:
    api.create_repo(REPO, repo_type="space", space_sdk="gradio")
    api.add_space_variable(REPO, "MODEL", "demo/model", description="What it serves")
    api.add_space_variable(REPO, "OTHER", "1")
    api.add_space_secret(REPO, "HF_TOKEN", "secret")
    assert list(api.delete_space_variable(REPO, "OTHER")) == ["MODEL"]
    variable = api.get_space_variables(REPO)["MODEL"]
    assert (variable.value, variable.description) == ("demo/model", "What it serves")
    assert list(api.get_space_secrets(REPO)) == ["HF_TOKEN"]
    assert hub.repository("space", REPO).secrets["HF_TOKEN"].value == "secret"


def test_space_runs_and_restarts(hub: LoopbackHub, api: HfApi) -> None:
    variables = [{"key": "MODEL", "value": "demo/model"}]
    api.create_repo(REPO, repo_type="space", space_sdk="gradio", space_variables=variables)
    assert api.space_info(REPO).sdk == "gradio"
    assert api.restart_space(REPO).stage == api.get_space_runtime(REPO).stage == "RUNNING"
    assert hub.repository("space", REPO).restarts == 1
    assert api.get_space_variables(REPO)["MODEL"].value == "demo/model"


def test_dataset_is_read_as_a_file_system(hub: LoopbackHub, api: HfApi) -> None:
    api.create_repo(REPO, repo_type="dataset", private=True)
    for path, content in {"data/leads.csv": CSV, "data/leads.parquet": LFS_BYTES}.items():
        api.upload_file(path_or_fileobj=content, path_in_repo=path, repo_id=REPO, repo_type="dataset")
    files = HfFileSystem(endpoint=hub.url, token="writer")
    with files.open(f"datasets/{REPO}/data/leads.csv") as file:
        assert file.read() == CSV
    with files.open(f"datasets/{REPO}/data/leads.parquet", block_size=100) as file:
        file.seek(1000)
        assert file.read(10) == LFS_BYTES[1000:1010]
    assert files.glob(f"datasets/{REPO}/data/*.csv") == [f"datasets/{REPO}/data/leads.csv"]


def test_commit_scheduler_uploads_what_is_new(hub: LoopbackHub, api: HfApi, tmp_path: Path) -> None:
    """It makes the repository, too."""
    with CommitScheduler(repo_id=REPO, repo_type="dataset", folder_path=tmp_path, every=0.005, hf_api=api):
        (tmp_path / "log.jsonl").write_text("{}\n")
    dataset = hub.repository("dataset", REPO)
    assert dataset.files["log.jsonl"].content == b"{}\n"
    assert dataset.commits[0].title == "Scheduled Commit"


SCRIPT = """
from huggingface_hub import ModelCard, create_repo, hf_hub_download, upload_file
create_repo("demo/leads")
ModelCard("---\\ntags: [sales]\\n---\\nLeads").push_to_hub("demo/leads")
upload_file(path_or_fileobj=b"a,b", path_in_repo="data.csv", repo_id="demo/leads")
with open(hf_hub_download("demo/leads", "data.csv")) as file:
    assert file.read() == "a,b"
"""


def test_client_in_another_process_finds_it_by_environment(hub: LoopbackHub, tmp_path: Path) -> None:
    """The only way to have all of the client use it: some of it takes no `endpoint`."""
    environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": "writer"}
    environment |= {"HF_HOME": str(tmp_path), "HF_HUB_DISABLE_IMPLICIT_TOKEN": "0"}
    command = [sys.executable, "-W", "error", "-c", SCRIPT]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(hub.repository("model", REPO).files) == [
        ".gitattributes",
        "README.md",
        "data.csv",
    ]


# --- Faults, and how the client takes them -----------------------------------------------------


def test_stopped_hub_refuses_connections_at_once(
    hub: LoopbackHub, api: HfApi, model: str, tmp_path: Path
) -> None:
    """`ConnectError` from the API, `LocalEntryNotFoundError` from a download: 0.0 s each."""
    hub.stop()
    with pytest.raises(ConnectError):
        api.model_info(model)
    with pytest.raises(LocalEntryNotFoundError):
        api.snapshot_download(model, cache_dir=tmp_path)


def test_stopped_hub_leaves_what_was_downloaded(
    hub: LoopbackHub, model: str, download: Callable[..., bytes]
) -> None:
    """The client falls back on its cache without a word: 0.0 s."""
    download("data.csv")
    hub.stop()
    assert download("data.csv") == CSV


def test_hang_up_on_head_escapes_even_if_the_file_is_cached(
    hub: LoopbackHub, model: str, download: Callable[..., bytes]
) -> None:
    """Unlike a refused connection, this is neither retried nor turned into an own error: 0.0 s."""
    download("data.csv")
    hub.fail("HEAD", "/resolve/", Fault.hang_up())
    with pytest.raises(RemoteProtocolError):
        download("data.csv")


def test_hang_up_on_get_is_tried_again(
    hub: LoopbackHub, model: str, download: Callable[..., bytes]
) -> None:
    """A download tries again after a second, up to five times: 1.0 s."""
    hub.fail("GET", "/resolve/", Fault.hang_up())
    assert download("data.csv") == CSV
    assert count(hub, "GET", "/resolve/") == 2


def test_500_on_commit_is_raised_at_once(hub: LoopbackHub, api: HfApi, model: str) -> None:
    """The commit, like the infos, is asked for only once: 0.0 s."""
    hub.fail("POST", "/commit/", Fault.status(500))
    with pytest.raises(HfHubHTTPError) as failure:
        upload(api)
    assert failure.value.response.status_code == 500
    assert "new.txt" not in hub.repository("model", model).files


def test_500_on_preupload_is_tried_again(hub: LoopbackHub, api: HfApi, model: str) -> None:
    """So are LFS uploads and tree listings, after 1, 2, 4, 8 and 8 s; here after one: 1.0 s."""
    hub.fail("POST", "/preupload/", Fault.status(500))
    upload(api)
    assert hub.repository("model", model).files["new.txt"].content == b"new"


def test_429_waits_a_second_longer_than_told(
    hub: LoopbackHub, model: str, download: Callable[..., bytes]
) -> None:
    """`Retry-After: 0` makes 1.0 s. A 429 on an info or a commit is raised at once instead."""
    hub.fail("GET", "/resolve/", Fault.status(429, retry_after=0))
    started = time.monotonic()
    assert download("data.csv") == CSV
    assert time.monotonic() - started >= 1


def test_body_cut_short_is_resumed_where_it_ended(
    hub: LoopbackHub, model: str, download: Callable[..., bytes]
) -> None:
    """After a second the client asks for the rest by a `Range`: 1.0 s."""
    hub.fail("GET", "/cdn/", Fault.cut_short(after=100))
    assert download("model.skops") == LFS_BYTES
    assert count(hub, "GET", "/cdn/") == 2


def test_commit_is_made_though_its_answer_was_lost(hub: LoopbackHub, api: HfApi, model: str) -> None:
    """The client raises at once and cannot know; asked again, it finds nothing to do: 0.0 s."""
    hub.fail("POST", "/commit/", Fault.cut_short())
    with pytest.raises(RemoteProtocolError):
        upload(api)
    made = hub.repository("model", model).commits[0]
    assert "new.txt" in made.files
    assert upload(api) == made.oid


@pytest.mark.parametrize(("path", "route"), [("data.csv", "/resolve/"), ("model.skops", "/cdn/")])
def test_wrong_bytes_of_the_right_length_are_not_noticed(
    hub: LoopbackHub, model: str, download: Callable[..., bytes], path: str, route: str
) -> None:
    """The client compares no hash. The wrong bytes stay in its cache for good: 0.0 s."""
    hub.fail("GET", route, Fault.wrong_bytes())
    wrong = download(path)
    assert len(wrong) == len({"data.csv": CSV, "model.skops": LFS_BYTES}[path])
    assert wrong not in (CSV, LFS_BYTES)
    assert download(path) == wrong


def test_token_revoked_between_two_requests(hub: LoopbackHub, api: HfApi, model: str) -> None:
    """The first request of an upload passes, the commit meets a 401 and is not retried: 0.0 s."""
    hub.fail("*", "", Fault.unauthorized(), times=None, skip=1)
    with pytest.raises(HfHubHTTPError, match="Invalid credentials") as refusal:
        upload(api)
    assert refusal.value.response.status_code == 401
    hub.heal()
    assert "new.txt" not in hub.repository("model", model).files


def test_hang_ends_with_the_timeout_of_the_call(
    hub: LoopbackHub, api: HfApi, model: str, download: Callable[..., bytes]
) -> None:
    """Most calls have no timeout; a download's HEAD has 10 s and is asked again: 0.2 s each."""
    hub.fail("GET", "/api/models/", Fault.hang())
    with pytest.raises(ReadTimeout):
        api.model_info(model, timeout=0.2)
    hub.fail("HEAD", "/resolve/", Fault.hang())
    assert download("data.csv", etag_timeout=0.2) == CSV
    assert count(hub, "HEAD", "/resolve/") == 2


def test_hang_ends_when_released(hub: LoopbackHub, api: HfApi, model: str) -> None:
    """Without a timeout the client waits as long as it takes: here 0.2 s."""
    hang = Fault.hang()
    hub.fail("GET", "/api/models/", hang)
    timer = threading.Timer(0.2, hang.release)
    timer.start()
    assert api.model_info(model).id == model
    timer.join()


def test_hub_stops_quickly_and_leaves_no_thread_and_no_output(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Even though a request hangs."""
    before = set(threading.enumerate())
    with LoopbackHub() as hub:
        hub.fail("GET", "/api/", Fault.hang())
        with pytest.raises(ReadTimeout):
            HfApi(endpoint=hub.url, token=False).model_info(REPO, timeout=0.1)
        started = time.monotonic()
    assert time.monotonic() - started < 1
    assert set(threading.enumerate()) <= before
    assert capfd.readouterr() == ("", "")


# --- Somebody else's Hub -----------------------------------------------------------------------


def test_silent_hub_accepts_and_never_answers(hub: LoopbackHub, api: HfApi, model: str) -> None:
    """On one path alone, or on all of them."""
    hub.fail("*", "/refs", Fault.silent(), times=None)
    assert api.model_info(model, timeout=5).id == model
    hub.fail("*", "", Fault.silent(), times=None)
    with pytest.raises(ReadTimeout):
        api.model_info(model, timeout=0.2)


def test_slow_hub_answers_late(hub: LoopbackHub, api: HfApi, model: str) -> None:
    hub.fail("*", "", Fault.slow(0.4), times=None)
    started = time.monotonic()
    assert api.model_info(model).id == model
    assert time.monotonic() - started >= 0.4


def test_commits_may_have_64_digits(hub: LoopbackHub, api: HfApi) -> None:
    hub.quirks.id_length = 64
    api.create_repo(REPO)
    made = upload(api)
    assert len(made) == 64
    assert api.model_info(REPO).sha == made


def test_commits_may_be_shortened_where_no_revision_is_named(
    hub: LoopbackHub, api: HfApi, model: str
) -> None:
    hub.quirks.short_ids = True
    short, whole = api.model_info(model).sha, api.model_info(model, revision="main").sha
    assert (len(short or ""), len(whole or "")) == (7, 40)
    assert str(whole).startswith(str(short))


def test_tags_may_name_themselves(hub: LoopbackHub, api: HfApi, model: str, tmp_path: Path) -> None:
    hub.quirks.tags_name_themselves = True
    api.create_tag(model, tag="v1")
    assert api.model_info(model, revision="v1").sha == "v1"
    assert Path(api.snapshot_download(model, revision="v1", cache_dir=tmp_path)).name == "v1"


def test_etags_may_be_of_the_newest_revision(
    hub: LoopbackHub, api: HfApi, model: str, download: Callable[..., bytes]
) -> None:
    """The client then takes one revision's file for another's."""
    hub.quirks.newest_etags = True
    api.create_tag(model, tag="v0")
    upload(api, b"old")
    api.create_tag(model, tag="v1")
    upload(api, b"new")
    assert download("new.txt") == download("new.txt", revision="v1") == b"new"
