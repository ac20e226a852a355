import hashlib
from pathlib import Path

import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

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
    with pytest.raises(ModelError, match=r"types that are not trusted: .*test_persistence"):
        dump_pipeline(Pipeline([("mine", FunctionTransformer(test_a_lacking_folder_is_named))]))


def test_another_classifier_is_not_opened() -> None:
    content = skops.io.dumps(Pipeline([("other", LogisticRegression())]))
    with pytest.raises(ModelError, match=r"not trusted: .*LogisticRegression"):
        load_pipeline(content, hashlib.sha256(content).hexdigest())


def test_what_is_no_archive_is_refused() -> None:
    with pytest.raises(ModelError, match=r"model.skops is not a skops file"):
        load_pipeline(b"pickle", hashlib.sha256(b"pickle").hexdigest())
