"""Models of amounts that nobody should open; every checksum agrees but for that which is the point."""

import hashlib
import io
import json
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hostile
import pytest
import skops.io
from catboost import CatBoostRegressor, Pool, sum_models, to_regressor
from hub_server import LoopbackHub
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from leadmodel.errors import ModelError
from leadmodel.model import LeadModel

FILE = "revenue.skops"
Files = dict[str, bytes]


def with_config(files: Files, change: Callable[[dict[str, Any]], object]) -> Files:
    config = json.loads(files["config.json"])
    change(config)
    return files | {"config.json": json.dumps(config).encode()}


def unpacked(content: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def with_revenue(good: LeadModel, content: bytes) -> Files:
    """Put another revenue.skops into the good model's files, its checksum made to agree."""
    sha256 = hashlib.sha256(content).hexdigest()
    return with_config(
        dict(good.files) | {FILE: content}, lambda config: config["revenue"].update(sha256=sha256)
    )


def with_regressor(good: LeadModel, regressor: object, *before: tuple[str, object]) -> Files:
    return with_revenue(good, skops.io.dumps(Pipeline([*before, ("regressor", regressor)])))


def fitted(good: LeadModel, **parameters: object) -> CatBoostRegressor:
    """Fit a regressor on two made-up leads of the good model's fields."""
    rows = [["a"] * len(good.schema.text_columns) + [value] * n_numbers(good) for value in (0.0, 1.0)]
    model = CatBoostRegressor(iterations=2, verbose=False, allow_writing_files=False, **parameters)
    texts = list(range(len(good.schema.text_columns)))
    model.fit(Pool(rows, [1.0, 2.0], cat_features=texts, feature_names=good.schema.columns))
    return to_regressor(sum_models([model], [1.0])).copy()  # without what only training needs


def n_numbers(good: LeadModel) -> int:
    return len(good.schema.columns) - len(good.schema.text_columns)


def wrong_checksum(good: LeadModel, canary: Path) -> Files:
    return with_config(dict(good.files), lambda config: config["revenue"].update(sha256="0" * 64))


def classifier(good: LeadModel, canary: Path) -> Files:
    return with_revenue(good, good.files["model.skops"])


def regressor_as_model(good: LeadModel, canary: Path) -> Files:
    old, new = good.config.sha256, hashlib.sha256(good.files[FILE]).hexdigest()
    files = dict(good.files) | {"model.skops": good.files[FILE]}
    return files | {
        name: files[name].replace(old.encode(), new.encode()) for name in ("config.json", "README.md")
    }


def other_fields(good: LeadModel, canary: Path) -> Files:
    model = fitted(good)
    model.set_feature_names([*good.schema.columns[1:], good.schema.columns[0]])
    return with_regressor(good, model)


def with_leaf(good: LeadModel, number: float) -> Files:
    """Put `number` where the first leaf of a small regressor was."""
    model = fitted(good)
    entries = unpacked(skops.io.dumps(Pipeline([("regressor", model)])))
    name = next(name for name in entries if name.endswith(".bin"))
    leaf = struct.pack("<d", float(model.get_leaf_values()[0]))
    assert leaf in entries[name]
    entries[name] = entries[name].replace(leaf, struct.pack("<d", number))
    return with_revenue(good, hostile.packed(entries))


def endless(good: LeadModel, canary: Path) -> Files:
    return with_leaf(good, float("-inf"))


def no_number(good: LeadModel, canary: Path) -> Files:
    return with_leaf(good, float("nan"))


def runs_a_command(good: LeadModel, canary: Path) -> Files:
    step = FunctionTransformer(os.system, kw_args={"command": f"touch {canary}"})
    return with_regressor(good, fitted(good), ("evil", step))


def cut_in_half(good: LeadModel, canary: Path) -> Files:
    entries = unpacked(good.files[FILE])
    name = next(name for name in entries if name.endswith(".bin"))
    entries[name] = entries[name][: len(entries[name]) // 2]
    return with_revenue(good, hostile.packed(entries))


def lacking(good: LeadModel, canary: Path) -> Files:
    return {name: content for name, content in good.files.items() if name != FILE}


def unnamed(good: LeadModel, canary: Path) -> Files:
    return with_config(dict(good.files), lambda config: config.pop("revenue"))


def untold(good: LeadModel, canary: Path) -> Files:
    metrics = json.loads(good.files["metrics.json"])
    del metrics["revenue"]
    return dict(good.files) | {"metrics.json": json.dumps(metrics).encode()}


def endless_terms(good: LeadModel, canary: Path) -> Files:
    return with_config(
        dict(good.files), lambda config: config["revenue"]["terms"].update(factor=float("inf"))
    )


def decides_without(good: LeadModel, canary: Path) -> Files:
    files = with_config(lacking(good, canary), lambda config: config.pop("revenue"))
    return with_config(files, lambda config: config["decision"].update(cost=5.0))


KINDS = {
    "a wrong checksum": (wrong_checksum, r"revenue.skops must have the sha256 000000000000… that config"),
    "a classifier in its place": (classifier, r"revenue.skops names types .*CatBoostClassifier"),
    "a regressor in the classifier's place": (regressor_as_model, r"model.skops names .*CatBoostRegressor"),
    "another order of the fields": (other_fields, r"revenue.skops and config.json .*Their fields differ"),
    "an endless leaf": (endless, "revenue.skops must give finite amounts"),
    "a leaf that is no number": (no_number, "revenue.skops must give finite amounts"),
    "a step that runs a command": (
        runs_a_command,
        r"revenue.skops names types that are not trusted.*system",
    ),
    "a CatBoost model cut in half": (cut_in_half, r"revenue.skops cannot be used: CatBoost"),
    "no file": (lacking, r"must be those of config.json"),
    "a file that config.json does not name": (
        unnamed,
        r"must be those of config.json, \[\]. Found: \['revenue",
    ),
    "metrics that tell nothing of it": (untold, r"Only one of them has amounts"),
    "an endless factor": (endless_terms, r"config.json, at revenue.terms.factor"),
    "a decision by values that nothing tells": (decides_without, r"by value needs a model of amounts"),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_hostile_model_of_amounts_is_refused_and_nothing_runs(
    valued: LeadModel, tmp_path: Path, name: str
) -> None:
    build, reason = KINDS[name]
    canary = tmp_path / "canary"
    hostile.write(tmp_path / "model", build(valued, canary))
    with pytest.raises(ModelError, match=reason):
        LeadModel.from_pretrained(tmp_path / "model")
    assert not canary.exists()


def test_the_model_of_amounts_is_published_and_used_elsewhere_first(
    hub: LoopbackHub, valued: LeadModel
) -> None:
    valued.push_to_hub("demo/valued")
    opened = LeadModel.from_pretrained("demo/valued")
    assert opened.files == valued.files
    lead = valued.schema.example()
    assert opened.answer(lead).expected_value == valued.answer(lead).expected_value


def test_a_good_regressor_is_let_in(valued: LeadModel, tmp_path: Path) -> None:
    hostile.write(tmp_path / "model", with_regressor(valued, fitted(valued)))
    assert LeadModel.from_pretrained(tmp_path / "model").options["revenue"] is not None
