"""Segments files that must be refused before anything of them runs, each checksum made to agree."""

import functools
import hashlib
import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hostile
import numpy as np
import pytest
import skops.io
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from leadmodel.errors import ModelError
from leadmodel.model import LeadModel
from leadmodel.publishing.skops_nodes import ALLOWED_NODES, SEGMENT_NODES

Entries = dict[str, bytes]


def replaced(good: LeadModel, content: bytes) -> dict[str, bytes]:
    """Put another segments.skops into the good model's files."""
    new = hashlib.sha256(content).hexdigest().encode()
    config = good.files["config.json"].replace(good.config.options["segments"].sha256.encode(), new)
    return good.files | {"segments.skops": content, "config.json": config}


def changed(good: LeadModel, change: Callable[[Entries], Any]) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(good.files["segments.skops"])) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return replaced(good, buffer.getvalue())


def with_array(good: LeadModel, content: bytes) -> dict[str, bytes]:
    """Put other content into the largest array."""

    def change(entries: Entries) -> None:
        arrays = [name for name in entries if name.endswith(".npy")]
        entries[max(arrays, key=lambda name: len(entries[name]))] = content

    return changed(good, change)


def with_state(good: LeadModel, **state: Any) -> dict[str, bytes]:
    """Change entries of the state of k-means, given as nodes."""

    def change(entries: Entries) -> None:
        schema = json.loads(entries["schema.json"])
        steps = schema["content"]["content"]["steps"]["content"]
        steps[-1]["content"][1]["content"]["content"] |= state
        entries["schema.json"] = json.dumps(schema).encode()

    return changed(good, change)


def with_steps(good: LeadModel, *steps: Any) -> dict[str, bytes]:
    named = [(f"step{place}", step) for place, step in enumerate(steps)]
    return replaced(good, skops.io.dumps(Pipeline(named)))


def saved(array: np.ndarray, header: str | None = None) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    content = buffer.getvalue()
    return content if header is None else content[:10] + header.encode().ljust(117) + b"\n" + content[128:]


class Bomb:
    """Runs a command when it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.canary}",)


HUGE = "{'descr': '<f8', 'fortran_order': False, 'shape': (99999, 99999), }"
FORTRAN = "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }"
OBJECT = "{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), }"
NOT_TRUSTED, NO_NUMBERS = "segments.skops names types that are not trusted", "no row of numbers"
TABLE = np.arange(6.0).reshape(2, 3)

KINDS: dict[str, tuple[Callable[[LeadModel, Path], dict[str, bytes]], str]] = {
    "the model itself": (
        lambda good, canary: replaced(good, good.files["model.skops"]),
        "segments.skops (has an entry that a model does not have|names types that are not trusted)",
    ),
    "os.system as a step": (
        lambda good, canary: with_steps(
            good, FunctionTransformer(functools.partial(os.system, f"touch {canary}")), KMeans()
        ),
        NOT_TRUSTED,
    ),
    "a step of no harm that is not of segments": (
        lambda good, canary: with_steps(good, FunctionTransformer(), KMeans()),
        f"{NOT_TRUSTED}.*FunctionTransformer",
    ),
    "another estimator at the end": (
        lambda good, canary: with_steps(good, LogisticRegression()),
        f"{NOT_TRUSTED}.*LogisticRegression",
    ),
    "no k-means at the end": (
        lambda good, canary: with_steps(good, OneHotEncoder()),
        "must have a Pipeline that ends in a KMeans",
    ),
    "functions as categories": (
        lambda good, canary: with_steps(good, OneHotEncoder(categories=[os.system, eval]), KMeans()),
        NOT_TRUSTED,
    ),
    "k-means that was never fitted": (lambda good, canary: with_steps(good, KMeans()), "cannot be used"),
    "bytes for CatBoost": (
        lambda good, canary: changed(
            good, lambda entries: entries.update({"00000000-0000-0000-0000-000000000000.bin": b"CBM1"})
        ),
        "has an entry that a model does not have",
    ),
    "an entry that climbs out": (
        lambda good, canary: changed(good, lambda entries: entries.update({"../1.npy": saved(TABLE)})),
        "has an entry that a model does not have",
    ),
    "a hundred arrays": (
        lambda good, canary: changed(
            good, lambda entries: entries.update({f"{n}.npy": saved(TABLE) for n in range(100)})
        ),
        "segments.skops must have at most",
    ),
    "an array with a pickle in it": (
        lambda good, canary: with_array(good, saved(np.array([[Bomb(canary)]], dtype=object))),
        NO_NUMBERS,
    ),
    "a pickle by the name of an array": (
        lambda good, canary: with_array(good, pickle.dumps(Bomb(canary))),
        NO_NUMBERS,
    ),
    "a table that claims to be huge": (
        lambda good, canary: with_array(good, saved(TABLE, HUGE)),
        NO_NUMBERS,
    ),
    "a table by columns": (lambda good, canary: with_array(good, saved(TABLE, FORTRAN)), NO_NUMBERS),
    "a table of objects": (lambda good, canary: with_array(good, saved(TABLE, OBJECT)), NO_NUMBERS),
    "a cube": (lambda good, canary: with_array(good, saved(np.zeros((2, 2, 2)))), NO_NUMBERS),
    "a table of texts": (lambda good, canary: with_array(good, saved(np.array([["a", "b"]]))), NO_NUMBERS),
    "a table of megabytes": (
        lambda good, canary: with_array(good, saved(np.zeros((1000, 200)))),
        r"unpacks to 1,600,128 bytes, more than 1,000,000",
    ),
    "a table of another size": (lambda good, canary: with_array(good, saved(TABLE)), "cannot be used"),
    "centres that are no numbers": (
        lambda good, canary: with_state(good, cluster_centers_=hostile._json_node([[1, 2]])),
        "cannot be opened: the content of a JsonNode",
    ),
    "a state that is no state": (
        lambda good, canary: changed(
            good, lambda entries: entries.update({"schema.json": b'{"__class__": "x"}'})
        ),
        NOT_TRUSTED,
    ),
    "other content than its checksum": (
        lambda good, canary: good.files | {"segments.skops": b"x"},
        "the file was changed or damaged",
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_hostile_segments_are_refused_and_nothing_runs(
    model_of_kinds: LeadModel, tmp_path: Path, name: str
) -> None:
    build, reason = KINDS[name]
    hostile.write(tmp_path / "model", build(model_of_kinds, tmp_path / "canary"))
    with pytest.raises(ModelError, match=reason):
        LeadModel.from_pretrained(tmp_path / "model")
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("thing", [KMeans(), OneHotEncoder()])
def test_what_segments_need_is_let_into_no_other_file(
    model: LeadModel, tmp_path: Path, thing: object
) -> None:
    hostile.write(tmp_path / "model", hostile.with_object(model, thing))
    with pytest.raises(ModelError, match=f"model.skops names types .* not trusted.*{type(thing).__name__}"):
        LeadModel.from_pretrained(tmp_path / "model")


def test_each_file_lets_in_what_it_needs_alone(model: LeadModel, model_of_kinds: LeadModel) -> None:
    def nodes(content: bytes) -> set[tuple[str, ...]]:
        found: set[tuple[str, ...]] = set()

        def collect(node: dict[str, Any]) -> dict[str, Any]:
            if "__class__" in node:
                found.add((node["__module__"], node["__class__"], node["__loader__"]))
            return node

        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            json.loads(archive.read("schema.json"), object_hook=collect)
        return found

    assert nodes(model_of_kinds.files["segments.skops"]) <= SEGMENT_NODES
    assert {one[1] for one in SEGMENT_NODES - ALLOWED_NODES} == {
        "KMeans",
        "PCA",
        "MinMaxScaler",
        "StandardScaler",
        "OneHotEncoder",
        "float64",
    }
    assert not any("catboost" in one[0] or one[2] == "BytesNode" for one in SEGMENT_NODES)


@pytest.mark.parametrize("names", [[], ["one"], ["a"] * 21, ["a", ""], ["a", "a" * 300]])
def test_names_that_are_none_are_refused(model_of_kinds: LeadModel, names: list[str]) -> None:
    segments = json.loads(model_of_kinds.files["config.json"])["segments"]
    with pytest.raises(ModelError, match=r"config.json, at segments.names"):
        LeadModel(hostile.with_config(model_of_kinds, segments=segments | {"names": names}))
