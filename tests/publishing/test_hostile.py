"""Every hostile repository is refused with its reason, from a folder and from the Hub alike."""

import os
import sys
from pathlib import Path

import hostile
import pytest
from hub_server import LoopbackHub
from huggingface_hub import CommitOperationAdd, HfApi
from support import command

from leadmodel.errors import ModelError
from leadmodel.model import LeadModel

REPO = "demo/evil"


def test_there_are_at_least_70_kinds_of_them() -> None:
    assert len(hostile.KINDS) >= 70


@pytest.mark.parametrize("name", hostile.KINDS)
def test_a_hostile_folder_is_refused_and_nothing_runs(model: LeadModel, tmp_path: Path, name: str) -> None:
    build, reason = hostile.KINDS[name]
    canary = tmp_path / "canary"
    hostile.write(tmp_path / "model", build(model, canary))
    with pytest.raises(ModelError, match=reason):
        LeadModel.from_pretrained(tmp_path / "model")
    assert not canary.exists()


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "a pickle by the name of a skops file",
        "a manipulated CatBoost model",
        "a swapped model",
    ],
)
def test_a_hostile_repository_is_refused_and_nothing_runs(
    hub: LoopbackHub, model: LeadModel, tmp_path: Path, name: str
) -> None:
    build, reason = hostile.KINDS[name]
    canary = tmp_path / "canary"
    publish(build(model, canary))
    with pytest.raises(ModelError, match=reason):
        LeadModel.from_pretrained(REPO)
    assert not canary.exists()


def publish(files: dict[str, bytes]) -> None:
    api = HfApi()
    api.create_repo(REPO)
    operations = [CommitOperationAdd(name, content) for name, content in files.items()]
    api.create_commit(REPO, operations, commit_message="harmless")


def test_a_configuration_of_a_gigabyte_is_refused_before_it_is_read(folder: Path) -> None:
    with (folder / "config.json").open("r+b") as file:
        file.truncate(1_000_000_000)
    with pytest.raises(
        ModelError, match=r"config.json must have at most 5,000,000 bytes. It has 1,000,000,000"
    ):
        LeadModel.from_pretrained(folder)


def test_a_folder_of_half_a_gigabyte_is_refused_before_it_is_read(folder: Path) -> None:
    (folder / "parts").mkdir()
    for number in range(3):
        with (folder / f"parts/{number}.skops").open("wb") as file:
            file.truncate(150_000_000)
    with pytest.raises(ModelError, match=r"must have at most 250,000,000 bytes. This one has 450,"):
        LeadModel.from_pretrained(folder)


@pytest.mark.parametrize("name", ["metrics of no test leads", "a manipulated CatBoost model"])
def test_whoever_swaps_a_file_of_an_opened_model_does_not_profit(
    model: LeadModel, folder: Path, tmp_path: Path, name: str
) -> None:
    LeadModel.from_pretrained(folder)
    build, reason = hostile.KINDS[name]
    hostile.write(folder, build(model, tmp_path / "canary"))
    for _ in range(2):
        with pytest.raises(ModelError, match=reason):
            LeadModel.from_pretrained(folder)


def test_the_first_opening_has_limits_of_time_and_memory() -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux holds a process to them")
    code = """
import resource
from leadmodel.sandbox import _limit
_limit()
assert resource.getrlimit(resource.RLIMIT_CPU)[0] < 60
held = bytearray(300_000_000)
try:
    bytearray(500_000_000)
except MemoryError:
    print("bounded")
"""
    assert command("-c", code).stdout == "bounded\n"


def test_a_large_file_is_refused_before_it_is_downloaded(hub: LoopbackHub, model: LeadModel) -> None:
    publish(model.files | {"metrics.json": b" " * 6_000_000})
    with pytest.raises(ModelError, match=r"metrics.json must have at most 5,000,000 bytes"):
        LeadModel.from_pretrained(REPO)
    assert not [request for request in hub.requests if "/resolve/" in request.path]


@pytest.mark.parametrize("name", ["config.json", "README.md", "plots/roc.png"])
def test_a_link_out_of_the_folder_is_refused(folder: Path, tmp_path: Path, name: str) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes((folder / name).read_bytes())
    (folder / name).unlink()
    (folder / name).symlink_to(secret)
    with pytest.raises(ModelError, match=r"must be a file of the model's folder. It leads out of it"):
        LeadModel.from_pretrained(folder)


def test_a_folder_of_plots_elsewhere_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "plots").rename(tmp_path / "elsewhere")
    (folder / "plots").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelError, match="It leads out of it"):
        LeadModel.from_pretrained(folder)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink(path, path)])
def test_what_is_no_file_is_refused_at_once(folder: Path, make: object) -> None:
    (folder / "profile.json").unlink()
    make(folder / "profile.json")  # type: ignore[operator]
    with pytest.raises(ModelError, match=r"it lacks profile.json"):
        LeadModel.from_pretrained(folder)


def test_a_thousand_plots_are_refused(folder: Path) -> None:
    for number in range(1000):
        (folder / f"plots/{number}.png").touch()
    with pytest.raises(ModelError, match="at most 50 plots"):
        LeadModel.from_pretrained(folder)


def test_what_is_not_of_a_model_is_neither_downloaded_nor_read(hub: LoopbackHub, model: LeadModel) -> None:
    publish(model.files | {"evil.py": b"import os", "model.pkl": b"x", "leadmodel/__init__.py": b"x"})
    assert LeadModel.from_pretrained(REPO).files == model.files
    asked = " ".join(request.path for request in hub.requests)
    assert "evil.py" not in asked
    assert "model.pkl" not in asked
