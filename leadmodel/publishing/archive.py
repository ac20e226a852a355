"""What a model.skops may hold, checked before skops or CatBoost see a byte of it.

skops trusts every scikit-learn estimator, and some of those read files or run for hours when used
with a hostile state. A published model needs a dozen kinds of nodes, so nothing else is let in.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np

from leadmodel.errors import ModelError

__all__ = ["ALLOWED_NODES", "REVENUE_FILE", "catboost_bytes", "check_archive", "estimator_of"]

REVENUE_FILE = "revenue.skops"

SCHEMA = "schema.json"
MAX_UNPACKED_BYTES = 400_000_000
MAX_SCHEMA_BYTES = 20_000_000
MAX_ARRAY_BYTES = 100_000
MAX_ENTRIES = 20

_BLOB = re.compile(r"[0-9a-f-]{36}\.bin")
_ARRAY = re.compile(r"[0-9]{1,20}\.npy")
_ARRAY_HEADER_BYTES = 128

ALLOWED_NODES = frozenset(
    {
        ("builtins", "bytes", "BytesNode"),
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
        ("sklearn.preprocessing._function_transformer", "FunctionTransformer", "ObjectNode"),
    }
)
"""Module, class and loader of every node that the pipeline of a published model is made of, but its
last step; see `estimator_of`."""


def estimator_of(file: str) -> str:
    """Return the class of CatBoost that the pipeline of a skops file ends in: the only one it may name."""
    return "CatBoostRegressor" if file == REVENUE_FILE else "CatBoostClassifier"


def check_archive(content: bytes, file: str = "model.skops") -> None:
    """Check the content of a skops file of this name.

    Raises
    ------
    ModelError
        If it is no such file, is damaged, unpacks to an absurd size, has an entry that it
        should not, an array that is no row of numbers, or names a node outside `ALLOWED_NODES`
        that is not the file's estimator.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_entries(file, archive.infolist())
            for name in filter(_ARRAY.fullmatch, archive.namelist()):
                _check_array(file, name, archive.read(name))
            schema = json.loads(archive.read(SCHEMA))
    except ModelError:
        raise
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{file} has a damaged {SCHEMA}: {error}.") from None
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, EOFError) as error:
        raise ModelError(f"{file} is not a skops file: {error}.") from None
    _check_nodes(file, schema)


def catboost_bytes(content: bytes, file: str = "model.skops") -> bytes:
    """Return the CatBoost model inside a checked skops file."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        blobs = [name for name in archive.namelist() if _BLOB.fullmatch(name)]
        if len(blobs) != 1:
            raise ModelError(f"{file} must hold one CatBoost model. It holds {len(blobs)}.")
        return archive.read(blobs[0])


def _check_entries(file: str, entries: list[zipfile.ZipInfo]) -> None:
    names = [entry.filename for entry in entries]
    if len(names) > MAX_ENTRIES or len(set(names)) < len(names):
        raise ModelError(f"{file} must hold at most {MAX_ENTRIES} entries, each once.")
    for entry in entries:
        limit = _limit(entry.filename)
        if limit is None:
            raise ModelError(f"{file} has an entry that a model does not have: {entry.filename!r:.80}.")
        if entry.file_size > limit:
            raise ModelError(f"{file} unpacks to {entry.file_size:,} bytes, more than {limit:,}.")
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        raise ModelError(f"{file} unpacks to more than {MAX_UNPACKED_BYTES:,} bytes.")


def _limit(name: str) -> int | None:
    """Return how many bytes an entry may have; None for one that has no place in a model."""
    if name == SCHEMA:
        return MAX_SCHEMA_BYTES
    if _ARRAY.fullmatch(name):
        return MAX_ARRAY_BYTES
    return MAX_UNPACKED_BYTES if _BLOB.fullmatch(name) else None


def _check_array(file: str, name: str, content: bytes) -> None:
    """Raise ModelError unless an array is, byte for byte, what numpy writes for a row of numbers.

    Nothing of a hostile header is parsed that way: the row is written anew and compared.
    """
    written = io.BytesIO()
    numbers = content[_ARRAY_HEADER_BYTES:]
    np.save(written, np.frombuffer(numbers[: len(numbers) // 8 * 8]), allow_pickle=False)
    if written.getvalue() != content:
        raise ModelError(f"{file} has an array that is no row of numbers: {name}.")


def _check_nodes(file: str, schema: Any) -> None:
    allowed = ALLOWED_NODES | {("catboost.core", estimator_of(file), "ObjectNode")}
    foreign = sorted({_name(node) for node in _nodes(schema) if not _is_allowed(node, allowed)})
    if foreign:
        raise ModelError(f"{file} names types that are not trusted: {', '.join(foreign)[:500]}.")


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
