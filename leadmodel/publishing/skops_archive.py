"""What a skops file of a model may hold, checked before skops or CatBoost see a byte of it."""

import io
import json
import math
import re
import zipfile

import numpy as np

from leadmodel.arrays import Floats
from leadmodel.errors import ModelError
from leadmodel.publishing.skops_nodes import ALLOWED_NODES, SEGMENT_NODES, check_nodes

__all__ = [
    "MODEL_FILE",
    "REVENUE_FILE",
    "SEGMENTS_FILE",
    "catboost_bytes",
    "check_archive",
    "estimator_of",
]

MODEL_FILE = "model.skops"
REVENUE_FILE = "revenue.skops"
SEGMENTS_FILE = "segments.skops"

SCHEMA = "schema.json"
MAX_UNPACKED_BYTES = 250_000_000
MAX_SCHEMA_BYTES = 16_000_000
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
        should not, an array of anything but numbers, a CatBoost model with something behind it,
        or a node that has no place in it.
    """
    entries = _read(content, name)
    for entry, found in entries.items():
        is_array = _ARRAY.fullmatch(entry)
        if is_array and not (_is_row(found) or (name == SEGMENTS_FILE and _is_matrix(found))):
            raise ModelError(f"{name} has an array that is no row of numbers: {entry}.")
        if _BLOB.fullmatch(entry) and _is_padded(found):
            raise ModelError(f"{name} has more data behind its CatBoost model: {entry}.")
    try:
        schema = json.loads(entries.pop(SCHEMA))
    except KeyError:
        raise ModelError(f"{name} is not a skops file: it has no {SCHEMA}.") from None
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{name} has a damaged {SCHEMA}: {error}.") from None
    last = frozenset({("catboost.core", estimator_of(name), "ObjectNode")})
    allowed = SEGMENT_NODES if name == SEGMENTS_FILE else ALLOWED_NODES | last
    check_nodes(schema, allowed, set(entries), name)


def catboost_bytes(content: bytes, name: str = MODEL_FILE) -> bytes:
    """Return the CatBoost model inside a checked skops file."""
    blobs = [found for entry, found in _read(content, name).items() if _BLOB.fullmatch(entry)]
    if len(blobs) != 1:
        raise ModelError(f"{name} must have one CatBoost model. It has {len(blobs)}.")
    return blobs[0]


def _read(content: bytes, name: str) -> dict[str, bytes]:
    """Return the entries of a skops file, once none of them unpacks to more than it says."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            _check_entries(entries, name)
            return {entry.filename: _unpack(archive, entry, name) for entry in entries}
    except ModelError:
        raise
    except Exception as error:  # whatever a damaged archive makes zipfile and zlib raise
        raise ModelError(f"{name} is not a skops file: {type(error).__name__}: {error!s:.200}.") from None


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> bytes:
    """Return the content of an entry.

    Asked for all of it, zipfile unpacks whatever there is, and only then cuts it to the size that
    the entry says. So it is asked for one byte more than that.
    """
    size = entry.file_size
    entry.file_size += 1
    with archive.open(entry) as file:
        content = file.read(size + 1)
    if len(content) != size:
        raise ModelError(f"{name} must have entries of the size that they say. {entry.filename} has not.")
    return content


def _check_entries(entries: list[zipfile.ZipInfo], name: str) -> None:
    names = [entry.filename for entry in entries]
    if len(names) > MAX_ENTRIES or len(set(names)) < len(names):
        raise ModelError(f"{name} must have at most {MAX_ENTRIES} entries, each once.")
    for entry in entries:
        limit = _limit(entry.filename, name)
        if limit is None:
            raise ModelError(f"{name} has an entry that a model does not have: {entry.filename!r:.80}.")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ModelError(f"{name} is packed in a way that no model is: {entry.filename}.")
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


def _is_padded(content: bytes) -> bool:
    """Whether a CatBoost model has bytes that its own sizes do not account for.

    It is a core, and the tables of its categories if it has any, each behind its size. One that is
    shorter than its sizes say, or does not begin as it should, CatBoost refuses by itself.
    """
    if len(content) < 8 or content[:4] != b"CBM1":
        return False
    end = 8 + int.from_bytes(content[4:8], "little")
    if end >= len(content):
        return False
    n_tables, end = int.from_bytes(content[end : end + 4], "little"), end + 4
    for _ in range(n_tables):
        if end >= len(content):
            return False
        end += 4 + int.from_bytes(content[end : end + 4], "little")
    return end < len(content)
