"""What the tests share: small models made once, the app as a process, a Hub on loopback."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

from forks import stop_forking
from hub_server import LoopbackHub
from support import ROOT, running_app, with_amounts

HUB = LoopbackHub()
ORGANISATION = os.environ.get("LEADMODEL_TEST_ORG")
# The client reads these when it is imported: before anything that imports it.
os.environ.update(
    HF_HOME=tempfile.mkdtemp(prefix="leadmodel-tests-"),
    HF_HUB_DISABLE_PROGRESS_BARS="1",
    HF_HUB_DISABLE_TELEMETRY="1",
)
if ORGANISATION is None:
    os.environ.update(HF_ENDPOINT=HUB.url, HF_HUB_DISABLE_XET="1")
    os.environ.pop("HF_TOKEN", None)

import pandas as pd
import pytest
from huggingface_hub import constants
from kinds import RECIPE, make_kinds
from models import trained
from playwright.sync_api import Browser, sync_playwright

from leadmodel.leads.sample import SAMPLE_RECIPE, make_sample
from leadmodel.model import LeadModel
from leadmodel.prepare.settings import TrainingSettings

REAL_DATA = ROOT.parent / "shared" / "data"

NEEDS = {
    "train": {
        "train",
        "train_model",
        "trained",
        "race",
        "retrain",
        "fit_classifier",
        "cluster_leads",
        "cross_validate",
    },
    "app": {"running_app", "command", "subprocess", "Popen"},
    "browser": {"sync_playwright"},
    "spark": {"SparkSession", "local_session"},
    "hub": {"LoopbackHub", "HUB"},
}
"""What takes seconds, by the names that a test or one of its fixtures uses."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by what it needs, so that `make quick` can leave out what takes long."""
    for item in items:
        if item.name == "leadmodel":  # the example of the package's first page
            item.add_marker("train")
        if isinstance(item, pytest.Function):
            used = _names_used(item)
            for marker, names in NEEDS.items():
                if used & names:
                    item.add_marker(marker)


def _names_used(item: pytest.Function) -> set[str]:
    """Return the names in the code of a test, its fixtures and the functions of its module they call."""
    fixtures = item._fixtureinfo.name2fixturedefs.values()
    waiting = [item.function, *(fixture.func for defined in fixtures for fixture in defined)]
    waiting += item.callspec.params.values() if hasattr(item, "callspec") else []
    used, seen = set[str](), set[object]()
    while waiting:
        function = waiting.pop()
        if not hasattr(function, "__code__") or function in seen:
            continue
        seen.add(function)
        names = {name for code in _codes(function.__code__) for name in (*code.co_names, *code.co_freevars)}
        used |= names
        called = (function.__globals__.get(name) for name in names)
        waiting += [one for one in called if getattr(one, "__module__", None) == function.__module__]
    return used


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of a function and of the functions and comprehensions within it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def pytest_sessionfinish() -> None:
    """Close the Hub's ports also where no test has used it, and end the server of forks."""
    HUB.stop()
    stop_forking()


@pytest.fixture(scope="session")
def quick() -> TrainingSettings:
    """Settings that train in a second or two."""
    return TrainingSettings(max_trees=60, n_folds=3, n_members=2, race_below=0)


@pytest.fixture(scope="session")
def sample() -> pd.DataFrame:
    """A small synthetic table of leads."""
    return make_sample(1200, random_state=3)


@pytest.fixture(scope="session")
def model(sample: pd.DataFrame, quick: TrainingSettings) -> LeadModel:
    """A model of the small sample."""
    return trained(sample, SAMPLE_RECIPE, quick)


@pytest.fixture(scope="session")
def model_of_kinds(quick: TrainingSettings) -> LeadModel:
    """A model with segments."""
    settings = quick.model_copy(update={"segments": "auto"})
    return trained(make_kinds().drop(columns="kind"), RECIPE, settings)


@pytest.fixture(scope="session")
def sold() -> pd.DataFrame:
    """A synthetic table of leads with what the converted ones brought, more for professionals."""
    return with_amounts(make_sample(1500, random_state=5))


@pytest.fixture(scope="session")
def valued(sold: pd.DataFrame, quick: TrainingSettings) -> LeadModel:
    """A model of those leads that tells their value."""
    return trained(sold, SAMPLE_RECIPE.updated(amount="amount"), quick)


@pytest.fixture
def folder(model: LeadModel, tmp_path: Path) -> Path:
    """That model as a folder of one's own."""
    path = tmp_path / "published"
    model.save_pretrained(path)
    return path


@pytest.fixture
def real_data() -> Path:
    """The folder of real lead data, beside the project on the developers' machines."""
    if not REAL_DATA.is_dir():
        pytest.skip("the real lead data are not part of the project")
    return REAL_DATA


@pytest.fixture(scope="session")
def address(model: LeadModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app, serving the small model."""
    folder = tmp_path_factory.mktemp("app") / "model"
    model.save_pretrained(folder)
    with running_app(str(folder)) as address:
        yield address


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for the tests of a module; each opens pages, and so sessions, of its own.

    Not for longer: while it is open, no other test can run an event loop.
    """
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("Debian's chromium is not installed")
    flags = (
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[f"--{flag}" for flag in flags])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def _hub() -> Iterator[LoopbackHub]:
    with HUB:
        yield HUB
    shutil.rmtree(os.environ["HF_HOME"], ignore_errors=True)


@pytest.fixture
def hub(_hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    """The Hub on loopback, empty; the test is logged in as "demo" and may write."""
    if ORGANISATION is not None:
        pytest.skip("needs the loopback Hub, which LEADMODEL_TEST_ORG turns off")
    _hub.content.repositories.clear()
    _hub.content.lfs_objects.clear()
    _hub.requests.clear()
    shutil.rmtree(constants.HF_HUB_CACHE, ignore_errors=True)
    _hub.add_token("writer", user="demo", write=True)
    _hub.add_token("reader", user="demo")
    _hub.add_token("stranger", user="other", write=True)
    monkeypatch.setenv("HF_TOKEN", "writer")
    yield _hub
    _hub.heal()


@pytest.fixture
def namespace(request: pytest.FixtureRequest) -> str:
    """Who may write: "demo" on the loopback Hub, or the organisation of LEADMODEL_TEST_ORG."""
    if ORGANISATION is None:
        request.getfixturevalue("hub")
    return ORGANISATION or "demo"


@pytest.fixture(scope="session")
def second_model(quick: TrainingSettings) -> LeadModel:
    """A model of other leads with the same fields."""
    return trained(make_sample(1200, random_state=4), SAMPLE_RECIPE, quick)
