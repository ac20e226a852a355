"""The plan of the house, held by reading the imports."""

import ast
import importlib
from pathlib import Path

import pytest

from leadmodel.options import OPTIONS

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "leadmodel"
MODULES = sorted(set(PACKAGE.rglob("*.py")) - set(PACKAGE.rglob("space_files/*.py")))

ROOMS = [
    "leadmodel.errors",
    "leadmodel.text",
    "leadmodel.arrays",
    "leadmodel.records",
    "leadmodel.atomic",
    "leadmodel.leads",
    "leadmodel.events",
    "leadmodel.metrics",
    "leadmodel.decision",
    "leadmodel.audit",
    "leadmodel.insights",
    "leadmodel.prepare",
    "leadmodel.options",
    "leadmodel.explain",
    "leadmodel.predictor",
    "leadmodel.report",
    "leadmodel.plots",
    "leadmodel.publishing",
    "leadmodel.notebook",
    "leadmodel.model",
    "leadmodel.training",
    "leadmodel.drift",
    "leadmodel.monitoring",
    "leadmodel.batch",
    "leadmodel.serving",
    "leadmodel.sandbox",
    "leadmodel.cli",
    "leadmodel.__main__",
    "leadmodel.amounts",
    "leadmodel.clusters",
]
"""Each room may import itself and those above it. The last ones are options: no other room imports them."""

OPTION_ROOMS = {module.rpartition(".")[0] for module in OPTIONS.values()}

RESERVED = {
    "gradio": {"leadmodel.serving", "leadmodel.clusters"},
    "fastapi": {"leadmodel.serving"},
    "mcp": {"leadmodel.serving"},
    "prometheus_client": {"leadmodel.serving"},
    "huggingface_hub": {"leadmodel.publishing", "leadmodel.model"},
    "skops": {"leadmodel.publishing"},
    "matplotlib": {"leadmodel.plots", "leadmodel.notebook", "leadmodel.drift", "leadmodel.monitoring"},
    "trackio": {"leadmodel.training"},
    "mlflow": {"leadmodel.training"},
    "argparse": {"leadmodel.cli"},
}
"""Libraries that only some rooms know."""


COMMANDS = ("leadmodel.cli", "leadmodel.__main__")
HUB_CLIENT = "leadmodel.publishing.hub.client"
OFFLINE = {"cached_assets_path", "EvalResult", "ModelCardData"}
"""What of huggingface_hub asks nobody."""


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def room_of(module: str) -> str:
    return next(room for room in ROOMS if module == room or module.startswith(f"{room}."))


@pytest.mark.parametrize("path", [m for m in MODULES if name_of(m) != "leadmodel"], ids=name_of)
def test_no_room_imports_one_below_it(path: Path) -> None:
    room = room_of(name_of(path))
    here = ROOMS.index(room)
    inside = [name for name in imports_of(path) if name.startswith("leadmodel.")]
    assert [name for name in inside if ROOMS.index(room_of(name)) > here] == []
    assert not {room_of(name) for name in inside} & OPTION_ROOMS - {room}


@pytest.mark.parametrize("path", [m for m in MODULES if name_of(m) != "leadmodel"], ids=name_of)
def test_libraries_stay_on_their_rooms(path: Path) -> None:
    roots = {name.split(".")[0] for name in imports_of(path)}
    foreign = [
        lib for lib, rooms in RESERVED.items() if lib in roots and room_of(name_of(path)) not in rooms
    ]
    assert foreign == []


def test_leads_know_no_scikit_learn() -> None:
    for path in (PACKAGE / "leads").glob("*.py"):
        assert not {"sklearn", "catboost"} & {name.split(".")[0] for name in imports_of(path)}, path


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_uses_pyplot_or_prints_or_reads_the_environment(path: Path) -> None:
    assert "matplotlib.pyplot" not in imports_of(path)
    if name_of(path).startswith(COMMANDS):
        return
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    named = {ast.unparse(call.func) for call in calls}
    # How long to wait for the Hub is a setting of scripts and of Spark's workers too.
    reads_setting = {"os.environ.get"} if name_of(path) == HUB_CLIENT else set[str]()
    assert not (named - reads_setting) & {"print", "os.getenv", "os.environ.get"}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_goes_around_the_limits_of_the_hub(path: Path) -> None:
    """What asks the Hub is in one room, and each of its modules imports the client with the limits."""
    asked = {
        alias.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("huggingface_hub")
        for alias in node.names
    }
    assert "huggingface_hub" not in {name.split(".")[0] for name in imports_of(path)} or asked
    if asked - OFFLINE:
        assert name_of(path).startswith("leadmodel.publishing.hub.")
        assert name_of(path) == HUB_CLIENT or HUB_CLIENT in imports_of(path)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_what_is_public_is_named_and_documented(path: Path) -> None:
    if name_of(path).startswith(COMMANDS):
        return
    module = importlib.import_module(name_of(path))
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), "a module says what it is for"
    definitions = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    public = {n.name for n in definitions if not n.name.startswith("_")}
    assert public <= set(getattr(module, "__all__", [])) | {"__getattr__"}
    undocumented = [n.name for n in definitions if n.name in public and not ast.get_docstring(n)]
    assert undocumented == []
    assert all(hasattr(module, name) for name in getattr(module, "__all__", []))
