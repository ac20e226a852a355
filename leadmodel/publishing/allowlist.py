"""What a skops file of a model may hold, checked before skops or CatBoost see a byte of it.

skops trusts every scikit-learn estimator, and some of those read files or run for hours when used
with a hostile state. A published model needs a dozen kinds of nodes, so nothing else is let in; the
few more that segments need are let into their file alone.
"""

import io
import json
import math
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np

from leadmodel.arrays import Floats
from leadmodel.errors import ModelError

__all__ = [
    "ALLOWED_NODES",
    "MODEL_FILE",
    "REVENUE_FILE",
    "SEGMENTS_FILE",
    "SEGMENT_NODES",
    "catboost_bytes",
    "check_archive",
    "estimator_of",
]

MODEL_FILE = "model.skops"
REVENUE_FILE = "revenue.skops"
SEGMENTS_FILE = "segments.skops"

SCHEMA = "schema.json"
MAX_UNPACKED_BYTES = 400_000_000
MAX_SCHEMA_BYTES = 20_000_000
MAX_ARRAY_BYTES = 100_000
MAX_MATRIX_BYTES = 1_000_000
MAX_ENTRIES = 20

_BLOB = re.compile(r"[0-9a-f-]{36}\.bin")
_ARRAY = re.compile(r"[0-9]{1,20}\.npy")
_ARRAY_HEADER_BYTES = 128
_MATRIX = re.compile(
    rb"\x93NUMPY\x01\x00v\x00"
    rb"\{'descr': '<f8', 'fortran_order': False, 'shape': \(([1-9]\d{0,4}), ([1-9]\d{0,4})\), \} *\n"
)

_PLAIN_NODES = frozenset(
    {
        ("builtins", "dict", "DictNode"),
        ("builtins", "list", "ListNode"),
        ("builtins", "slice", "SliceNode"),
        ("builtins", "str", "JsonNode"),
        ("builtins", "str", "TypeNode"),
        ("builtins", "tuple", "TupleNode"),
        ("numpy", "dtype", "DTypeNode"),
        ("numpy", "ndarray", "NdArrayNode"),
        ("sklearn.compose._column_transformer", "ColumnTransformer", "ObjectNode"),
        ("sklearn.impute._base", "SimpleImputer", "ObjectNode"),
        ("sklearn.pipeline", "Pipeline", "ObjectNode"),
    }
)

ALLOWED_NODES = _PLAIN_NODES | {
    ("builtins", "bytes", "BytesNode"),
    ("sklearn.preprocessing._function_transformer", "FunctionTransformer", "ObjectNode"),
}
"""Module, class and loader of every node that the pipeline of a published model is made of, but its
last step; see `estimator_of`."""

SEGMENT_NODES = _PLAIN_NODES | {
    ("numpy", "float64", "TypeNode"),
    ("sklearn.cluster._kmeans", "KMeans", "ObjectNode"),
    ("sklearn.decomposition._pca", "PCA", "ObjectNode"),
    ("sklearn.preprocessing._data", "MinMaxScaler", "ObjectNode"),
    ("sklearn.preprocessing._data", "StandardScaler", "ObjectNode"),
    ("sklearn.preprocessing._encoders", "OneHotEncoder", "ObjectNode"),
}
"""The same of the pipeline that assigns leads to segments. No bytes: nothing in it is CatBoost's."""


def estimator_of(name: str) -> str:
    """Return the class that the pipeline of a skops file of this name ends in."""
    others = {REVENUE_FILE: "CatBoostRegressor", SEGMENTS_FILE: "KMeans"}
    return others.get(name, "CatBoostClassifier")


def check_archive(content: bytes, name: str = MODEL_FILE) -> None:
    """Check the content of a skops file.

    Parameters
    ----------
    content : bytes
        The file.
    name : str
        What the file is called, which decides what may be in it.

    Raises
    ------
    ModelError
        If it is no such file, is damaged, unpacks to an absurd size, has an entry that it
        should not, an array of anything but numbers, or names a node that has no place in it.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_entries(archive.infolist(), name)
            for entry in filter(_ARRAY.fullmatch, archive.namelist()):
                if not _is_row(content := archive.read(entry)) and not (
                    name == SEGMENTS_FILE and _is_matrix(content)
                ):
                    raise ModelError(f"{name} has an array that is no row of numbers: {entry}.")
            schema = json.loads(archive.read(SCHEMA))
    except ModelError:
        raise
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{name} has a damaged {SCHEMA}: {error}.") from None
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, EOFError) as error:
        raise ModelError(f"{name} is not a skops file: {error}.") from None
    _check_nodes(schema, name)


def catboost_bytes(content: bytes, name: str = MODEL_FILE) -> bytes:
    """Return the CatBoost model inside a checked skops file."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        blobs = [entry for entry in archive.namelist() if _BLOB.fullmatch(entry)]
        if len(blobs) != 1:
            raise ModelError(f"{name} must hold one CatBoost model. It holds {len(blobs)}.")
        return archive.read(blobs[0])


def _check_entries(entries: list[zipfile.ZipInfo], name: str) -> None:
    names = [entry.filename for entry in entries]
    if len(names) > MAX_ENTRIES or len(set(names)) < len(names):
        raise ModelError(f"{name} must hold at most {MAX_ENTRIES} entries, each once.")
    for entry in entries:
        limit = _limit(entry.filename, name)
        if limit is None:
            raise ModelError(f"{name} has an entry that a model does not have: {entry.filename!r:.80}.")
        if entry.file_size > limit:
            raise ModelError(f"{name} unpacks to {entry.file_size:,} bytes, more than {limit:,}.")
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        raise ModelError(f"{name} unpacks to more than {MAX_UNPACKED_BYTES:,} bytes.")


def _limit(entry: str, name: str) -> int | None:
    """Return how many bytes an entry may have; None for one that has no place in a model."""
    if entry == SCHEMA:
        return MAX_SCHEMA_BYTES
    if name == SEGMENTS_FILE:
        return MAX_MATRIX_BYTES if _ARRAY.fullmatch(entry) else None
    if _ARRAY.fullmatch(entry):
        return MAX_ARRAY_BYTES
    return MAX_UNPACKED_BYTES if _BLOB.fullmatch(entry) else None


def _is_row(content: bytes) -> bool:
    """Whether an array is, byte for byte, what numpy writes for a row of numbers.

    Nothing of a hostile header is parsed that way: the row is written anew and compared.
    """
    numbers = content[_ARRAY_HEADER_BYTES:]
    return _saved(np.frombuffer(numbers[: len(numbers) // 8 * 8])) == content


def _is_matrix(content: bytes) -> bool:
    """Whether an array is, byte for byte, what numpy writes for a table of numbers."""
    header = _MATRIX.fullmatch(content[:_ARRAY_HEADER_BYTES])
    numbers, shape = content[_ARRAY_HEADER_BYTES:], tuple(map(int, header.groups())) if header else ()
    if not header or 8 * math.prod(shape) != len(numbers):
        return False
    return _saved(np.frombuffer(numbers).reshape(shape)) == content


def _saved(array: Floats) -> bytes:
    written = io.BytesIO()
    np.save(written, array, allow_pickle=False)
    return written.getvalue()


def _check_nodes(schema: Any, name: str) -> None:
    last = frozenset({("catboost.core", estimator_of(name), "ObjectNode")})
    allowed = SEGMENT_NODES if name == SEGMENTS_FILE else ALLOWED_NODES | last
    foreign = sorted({_name(node) for node in _nodes(schema) if not _is_allowed(node, allowed)})
    if foreign:
        raise ModelError(f"{name} names types that are not trusted: {', '.join(foreign)[:500]}.")


def _nodes(part: Any) -> Iterator[dict[str, Any]]:
    """Yield every node below `part`, on a stack of our own: a deep file must not exhaust Python's."""
    waiting = [part]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if part.keys() & {"__module__", "__class__", "__loader__"}:
                yield part
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)


def _is_allowed(node: dict[str, Any], allowed: frozenset[tuple[str, str, str]]) -> bool:
    kind = tuple(str(node.get(part)) for part in ("__module__", "__class__", "__loader__"))
    # An array stands in the schema itself, or in one of the array files checked above.
    elsewhere = node.get("type") == "numpy" and not _ARRAY.fullmatch(str(node.get("file")))
    return kind in allowed and not elsewhere


def _name(node: dict[str, Any]) -> str:
    kind = [str(node.get(part, "?")) for part in ("__module__", "__class__", "__loader__")]
    return f"{kind[0]}.{kind[1]} ({kind[2]})"[:120]
