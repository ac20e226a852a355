"""The package as strangers get it: a wheel from a clean folder in a clean environment."""

import json
import os
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import pytest
from hub_server import LoopbackHub
from support import ROOT, running_app

pytestmark = [pytest.mark.package, pytest.mark.timeout(1800)]

SERVE = "from leadmodel.cli.main import run; run('serve')"


def run(*arguments: str | Path, cwd: Path, **environment: str) -> str:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(argument) for argument in arguments],
        cwd=cwd,
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of what git tracks, and nothing else."""
    probe = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "threadpoolctl==3.8.0"]
    folder = tmp_path_factory.mktemp("package")
    if subprocess.run([*probe, "--dest", folder / "probe"], capture_output=True, check=False).returncode:
        pytest.skip("no package registry can be reached")
    source = folder / "source"
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in tracked.stdout.splitlines():
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, source / name)
    run(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        folder,
        source,
        cwd=folder,
    )
    return next(folder.glob("leadmodel-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """The folder of the programs of an environment that holds the wheel and what it depends on."""
    environment = wheel.parent / "venv"
    run(sys.executable, "-m", "venv", environment, cwd=wheel.parent)
    run(environment / "bin" / "pip", "install", "--quiet", wheel, cwd=wheel.parent)
    return environment / "bin"


def test_the_wheel_holds_all_that_is_no_code(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    tracked = subprocess.run(
        ["git", "ls-files", "leadmodel"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert set(tracked.stdout.splitlines()) <= names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "model/"))]


def test_an_installed_package_trains_serves_and_publishes(
    installed: Path, tmp_path: Path, hub: LoopbackHub
) -> None:
    where = run(installed / "python", "-c", "import leadmodel; print(leadmodel.__file__)", cwd=tmp_path)
    assert where.startswith(str(installed.parent))
    sample = (
        "from leadmodel.leads.sample import make_sample; make_sample(400).to_csv('leads.csv', index=False)"
    )
    run(installed / "python", "-c", sample, cwd=tmp_path)
    options = ("--target", "status", "--id", "lead_id", "--output", "made", "--push", "demo/leads")
    hub_settings = {name: os.environ[name] for name in ("HF_ENDPOINT", "HF_TOKEN", "HF_HUB_DISABLE_XET")}
    printed = run(
        installed / "leadmodel",
        "train",
        "leads.csv",
        *options,
        "--space",
        "demo/app",
        cwd=tmp_path,
        **hub_settings,
    )
    assert "demo/leads" in printed
    assert (tmp_path / "made" / "config.json").is_file()
    with running_app("demo/leads", tmp_path, SERVE, python=installed / "python") as address:
        with urllib.request.urlopen(f"{address}/health", timeout=30) as answer:
            assert json.load(answer)["status"] == "ok"
