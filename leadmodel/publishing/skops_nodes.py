"""Which nodes the schema of a skops file may hold, and how they may hang together.

skops trusts every scikit-learn estimator, and some of those read files or run for hours when used
with a hostile state. A published model needs a dozen kinds of nodes, so nothing else is let in; the
few more that segments need are let into their file alone.

skops also lets a node stand for another by its ``__id__``, and walks such a graph along every path.
It never writes a node like that itself: an object that is used twice is written out twice. So each
node must be complete here, and what has the ``__id__`` of another must be written like it.
"""

from collections.abc import Iterator
from typing import Any

from leadmodel.errors import ModelError, quoted

__all__ = ["ALLOWED_NODES", "SEGMENT_NODES", "check_nodes"]

Kind = tuple[str, str, str]

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
last step."""

SEGMENT_NODES = _PLAIN_NODES | {
    ("numpy", "float64", "TypeNode"),
    ("sklearn.cluster._kmeans", "KMeans", "ObjectNode"),
    ("sklearn.decomposition._pca", "PCA", "ObjectNode"),
    ("sklearn.preprocessing._data", "MinMaxScaler", "ObjectNode"),
    ("sklearn.preprocessing._data", "StandardScaler", "ObjectNode"),
    ("sklearn.preprocessing._encoders", "OneHotEncoder", "ObjectNode"),
}
"""The same of the pipeline that assigns leads to segments. No bytes: nothing in it is CatBoost's."""

MAX_NODES = 30_000
"""Nodes that differ, of which a field takes five or six: skops needs seconds for as many."""

MAX_LEVELS = 60
"""Nodes within nodes; those of our own files go a third as deep."""

_KIND = ("__module__", "__class__", "__loader__")
_MARKS = frozenset({*_KIND, "__id__"})
_ROOT = frozenset({"protocol", "_skops_version"})

_ENTRIES = {
    "BytesNode": ({"file"},),
    "DTypeNode": ({"content"},),
    "DictNode": ({"content", "key_types"},),
    "JsonNode": ({"content", "is_json"},),
    "ListNode": ({"content"},),
    "NdArrayNode": ({"type", "file"}, {"type", "content", "shape"}),
    "ObjectNode": ({"content"},),
    "SliceNode": ({"content"},),
    "TupleNode": ({"content"},),
    "TypeNode": (set(),),
}
"""By loader, what a node has beside its marks."""

_SUFFIXES = {"BytesNode": ".bin", "NdArrayNode": ".npy"}


def check_nodes(schema: Any, allowed: frozenset[Kind], entries: set[str], name: str) -> None:
    """Check the schema of a skops file.

    Parameters
    ----------
    schema : object
        As JSON has it.
    allowed : frozenset of tuple of str
        Module, class and loader of the nodes that may be in it.
    entries : set of str
        Names of the other entries of the file: one node is to name each of them.
    name : str
        Of the file, for the message.

    Raises
    ------
    ModelError
        If a node has no place in it, is not written as skops writes it, or stands for another.
    """
    foreign = sorted(
        {_name(node) for node in _marked(schema) if _kind(node) not in allowed or _reads_other(node)}
    )
    if foreign:
        raise ModelError(f"{name} names types that are not trusted: {', '.join(foreign)[:500]}.")
    try:
        named = [node["file"] for node in _distinct(schema) if "file" in node]
    except _Misshapen as error:
        raise ModelError(f"{name} cannot be opened: {error}.") from None
    if sorted(named) != sorted(entries):
        raise ModelError(f"{name} cannot be opened: each entry must be named by one node. They are not.")


class _Misshapen(ValueError):
    """Say what no file of ours has."""


def _marked(part: Any) -> Iterator[dict[str, Any]]:
    """Yield every node below `part`, on a stack of our own: a deep file must not exhaust Python's."""
    waiting = [part]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if not part.keys().isdisjoint(_KIND):
                yield part
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)


def _distinct(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield each node once, where skops looks for one.

    A node like one that was seen is not entered again, so that all the comparing takes no longer than
    reading the schema once.
    """
    seen: dict[int, dict[str, Any]] = {}
    waiting = [(schema, 1)]
    while waiting:
        node, level = waiting.pop()
        _check_shape(node, is_root=node is schema)
        if level > MAX_LEVELS:
            raise _Misshapen(f"it has more than {MAX_LEVELS} levels of nodes")
        first = seen.setdefault(node["__id__"], node)
        if first is not node:
            # numpy has one object for each dtype, and skops writes it with a new empty array each time.
            if first["__loader__"] == node["__loader__"] == "DTypeNode":
                pass
            elif first == node:
                continue
            elif _is_copy(first, node):
                pass  # skops reads whichever comes first to it, so both are checked
            else:
                raise _Misshapen("a node refers to another by its __id__")
        if len(seen) > MAX_NODES:
            raise _Misshapen(f"it has more than {MAX_NODES:,} nodes")
        yield node
        waiting += [(child, level + 1) for child in _children(node)]


def _is_copy(first: Any, node: Any, levels: int = 12) -> bool:
    """Return whether two parts differ in ids alone, as the copies of an unfitted step do.

    skops gives a new id to each list of key types. The bounds keep the comparison short.
    """
    if isinstance(first, dict) and isinstance(node, dict):
        parts = [(first[key], node.get(key)) for key in first if key != "__id__"]
        return levels > 0 and first.keys() == node.keys() and all(_is_copy(*p, levels - 1) for p in parts)
    if isinstance(first, list) and isinstance(node, list):
        pairs = zip(first, node, strict=False)
        return levels > 0 and len(first) == len(node) <= 30 and all(_is_copy(*p, levels - 1) for p in pairs)
    return bool(first == node)


def _check_shape(node: Any, *, is_root: bool) -> None:
    """Raise _Misshapen unless a node is complete and holds nothing else."""
    if not isinstance(node, dict) or not node.keys() >= _MARKS:
        raise _Misshapen(f"a node is not complete: {quoted(node)}")
    entries = node.keys() - _MARKS - (_ROOT if is_root else set())
    if entries not in _ENTRIES[node["__loader__"]]:
        raise _Misshapen(f"a {node['__loader__']} has other entries than skops writes")
    if type(node["__id__"]) is not int or node["__id__"] < 1:
        raise _Misshapen(f"the __id__ of a node is {quoted(node['__id__'])}")


def _children(node: dict[str, Any]) -> list[Any]:
    """Return the nodes that skops reads from within `node`."""
    loader: str = node["__loader__"]
    content: Any = node.get("content")
    if loader in ("ListNode", "TupleNode") and isinstance(content, list):
        return content
    if loader == "DictNode" and isinstance(content, dict):
        return [node["key_types"], *content.values()]
    if loader == "ObjectNode":
        return [content]
    if loader == "DTypeNode" and _is_empty(content):
        return [content]
    if loader == "NdArrayNode" and "file" in node:
        return []
    if loader == "NdArrayNode" and _are_scalars(content) and _is_shape(node["shape"]):
        return [*content, node["shape"]]
    if loader in ("BytesNode", "TypeNode") or (loader == "JsonNode" and _is_scalar(content)):
        return []
    if loader == "SliceNode" and isinstance(content, dict) and _are_ends(content):
        return []
    raise _Misshapen(f"the content of a {loader} is not what skops writes")


def _are_scalars(content: Any) -> bool:
    return isinstance(content, list) and all(_is_a("JsonNode", node) for node in content)


def _is_shape(node: Any) -> bool:
    return _is_a("TupleNode", node) and _are_scalars(node.get("content")) and len(node["content"]) == 1


def _is_a(loader: str, node: Any) -> bool:
    return isinstance(node, dict) and node.get("__loader__") == loader


def _is_scalar(content: Any) -> bool:
    """Whether a text is JSON, but no list and no object, which have nodes of their own."""
    return isinstance(content, str) and content[:1] not in ("", "[", "{", " ", "\t", "\r", "\n")


def _is_empty(content: Any) -> bool:
    """Whether an array is that of a dtype: nothing but its type is read from it."""
    return _is_a("NdArrayNode", content) and not content.get("content")


def _are_ends(content: dict[str, Any]) -> bool:
    ends = [content.get(name) for name in ("start", "stop", "step")]
    return len(content) == 3 and all(end is None or type(end) is int for end in ends)


def _reads_other(node: dict[str, Any]) -> bool:
    """Whether a node reads an entry of another kind, such as an array from the CatBoost model."""
    suffix = _SUFFIXES.get(str(node.get("__loader__")), "")
    return "file" in node and not (isinstance(node["file"], str) and node["file"].endswith(suffix))


def _kind(node: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(node.get(part)) for part in _KIND)


def _name(node: dict[str, Any]) -> str:
    kind = [str(node.get(part, "?")) for part in _KIND]
    return f"{kind[0]}.{kind[1]} ({kind[2]})"[:120]
