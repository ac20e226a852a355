import hashlib
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import skops.io
from hub_server import LoopbackHub
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from support import command

from leadmodel.errors import InputError, ModelError
from leadmodel.model import LeadModel
from leadmodel.publishing.files import (
    REQUIRED_FILES,
    dump_pipeline,
    load_pipeline,
    read_folder,
    write_folder,
)


def test_a_folder_reads_as_it_was_written(model: LeadModel, folder: Path) -> None:
    assert read_folder(folder) == model.files
    assert set(REQUIRED_FILES) < set(model.files)


def test_a_model_is_replaced_whole(folder: Path, model: LeadModel) -> None:
    (folder / "plots" / "old.png").write_bytes(b"left over")
    write_folder(folder, model.files)
    assert read_folder(folder) == model.files
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_an_empty_folder_may_be_written_to(tmp_path: Path, model: LeadModel) -> None:
    (tmp_path / "new").mkdir()
    model.save_pretrained(tmp_path / "new")
    assert LeadModel.from_pretrained(tmp_path / "new").config == model.config


def test_what_is_no_model_is_not_replaced(tmp_path: Path, model: LeadModel) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match=r"must be a new folder, or one with a model to replace"):
        model.save_pretrained(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_file_is_not_replaced_by_a_folder(tmp_path: Path, model: LeadModel) -> None:
    (tmp_path / "model").write_text("a file")
    with pytest.raises(InputError, match=r"must be a new folder"):
        model.save_pretrained(tmp_path / "model")


def test_a_save_killed_between_its_renames_leaves_the_old_model(folder: Path, model: LeadModel) -> None:
    folder.rename(folder.with_name(f".{folder.name}-previous"))
    assert read_folder(folder) == model.files
    write_folder(folder, model.files)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


@pytest.mark.parametrize("name", REQUIRED_FILES)
def test_a_lacking_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"is not a model: it lacks {name}"):
        read_folder(folder)


def test_a_lacking_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none' is not a model"):
        read_folder(tmp_path / "none")


def test_a_changed_model_file_is_refused(model: LeadModel) -> None:
    content = bytearray(model.files["model.skops"])
    content[len(content) // 2] ^= 1
    with pytest.raises(ModelError, match=r"the file was changed or damaged"):
        load_pipeline(bytes(content), model.config.sha256)


def test_a_pipeline_with_a_function_is_not_saved() -> None:
    with pytest.raises(ModelError, match=r"types that are not trusted: .*test_files"):
        dump_pipeline(Pipeline([("mine", FunctionTransformer(test_a_lacking_folder_is_named))]))


def test_another_classifier_is_not_opened() -> None:
    content = skops.io.dumps(Pipeline([("other", LogisticRegression())]))
    with pytest.raises(ModelError, match=r"not trusted: .*LogisticRegression"):
        load_pipeline(content, hashlib.sha256(content).hexdigest())


def test_what_is_no_archive_is_refused() -> None:
    with pytest.raises(ModelError, match=r"model.skops is not a skops file"):
        load_pipeline(b"pickle", hashlib.sha256(b"pickle").hexdigest())


LONG_AGO = 1_000_000_000


def left_by_a_kill(folder: Path) -> Path:
    """Make what a killed save leaves beside its folder."""
    place = folder.with_name(f".{folder.name}-{uuid.uuid4().hex}")
    place.mkdir()
    (place / "model.skops").write_bytes(b"half of it")
    os.utime(place, (LONG_AGO, LONG_AGO))
    return place


def test_what_a_killed_save_left_is_removed_by_the_next(folder: Path, model: LeadModel) -> None:
    left = left_by_a_kill(folder)
    mine = folder.with_name(f".{folder.name}-notes")
    mine.mkdir()
    os.utime(mine, (LONG_AGO, LONG_AGO))
    model.save_pretrained(folder)
    assert not left.exists()
    assert mine.exists()


def test_what_another_process_is_writing_stays(folder: Path, model: LeadModel) -> None:
    fcntl = pytest.importorskip("fcntl")
    new, old = left_by_a_kill(folder), left_by_a_kill(folder)
    os.utime(new)
    code = "import fcntl, os, sys; fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX)"
    code += "; print('locked', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, old], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "locked\n"
        model.save_pretrained(folder)
        assert new.exists()
        assert old.exists()
        writer.communicate("")
    model.save_pretrained(folder)
    assert not old.exists()
    assert fcntl


FULL_DISK = """
import resource, sys
from leadmodel.errors import InputError
from leadmodel.publishing.files import read_folder, write_folder
files = read_folder(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    write_folder(sys.argv[1], files)
except InputError as error:
    print(error)
"""


def test_a_full_disk_is_told_in_a_sentence_and_keeps_the_old_model(folder: Path, model: LeadModel) -> None:
    done = command("-c", FULL_DISK, folder)
    assert done.stderr == ""
    assert done.stdout.startswith(f"The model cannot be saved in {str(folder)!r} (File too large). Make")
    assert read_folder(folder) == model.files
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_place_that_cannot_be_written_to_is_told_in_a_sentence(model: LeadModel) -> None:
    with pytest.raises(InputError, match=r"The model cannot be saved in '/proc/none/model' \("):
        model.save_pretrained("/proc/none/model")


@contextmanager
def as_nobody() -> Iterator[None]:
    """Give up the rights of the superuser, who may read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("name", ["config.json", "."])
def test_an_unreadable_file_is_told_in_a_sentence(model: LeadModel, name: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        folder = Path(place) / "model"
        model.save_pretrained(folder)
        os.chmod(folder / name, 0)
        with as_nobody(), pytest.raises(ModelError, match=r"cannot be read: .*\(Permission denied\)\."):
            read_folder(folder)
        os.chmod(folder / name, 0o755)


def test_a_model_opens_where_the_cache_cannot_be_written(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code = "import sys; from leadmodel.model import LeadModel; LeadModel.from_pretrained(sys.argv[1])"
    for home in (tmp_path / "file", "/proc/none"):
        assert command("-c", code, folder, HF_HOME=str(home)).stderr == ""


def test_a_cache_that_cannot_be_written_is_told_in_a_sentence(
    hub: LoopbackHub, model: LeadModel, tmp_path: Path
) -> None:
    model.push_to_hub("demo/leads")
    (tmp_path / "file").touch()
    for home in (str(tmp_path / "file"), "/proc/none"):
        done = command(
            "-m",
            "leadmodel",
            "score",
            "none.csv",
            "--model",
            "demo/leads",
            "--output",
            tmp_path / "scored.csv",
            HF_HOME=home,
        )
        assert done.returncode == 2
        assert f"The cache {home!r} cannot be used (" in done.stderr
        assert "Traceback" not in done.stderr
