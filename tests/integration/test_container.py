"""The container, as far as it can be tried without an engine: the Dockerfile's steps, one by one.

What no test here sees: the base image, the user without rights, and the layers.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml
from support import ROOT, running_app

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
HOME = "/home/leadmodel"


def instructions(text: str) -> list[tuple[str, str]]:
    """Return the instructions of a Dockerfile and their arguments, in order."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines)]


def is_sent(path: str) -> bool:
    """Tell whether .dockerignore lets a file of the project into the build: its last match decides."""
    sent = True
    for pattern in (ROOT / ".dockerignore").read_text().splitlines():
        name = pattern.removeprefix("!")
        parts = Path(path).parts
        if pattern.startswith("**/"):
            matches = any(fnmatch(part, pattern[3:]) for part in parts)
        else:
            matches = fnmatch(parts[0], name)
        if matches and pattern and not pattern.startswith("#"):
            sent = pattern.startswith("!")
    return sent


def sent_files() -> Iterator[str]:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return filter(is_sent, tracked.stdout.splitlines())


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The home of the image's user after every step, and the image's environment."""
    probe = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "threadpoolctl==3.8.0"]
    home = tmp_path_factory.mktemp("image")
    if subprocess.run([*probe, "--dest", home / "probe"], capture_output=True, check=False).returncode:
        pytest.skip("no package registry can be reached")
    environment = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_"))}
    environment |= {"HOME": str(home), "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    folder = home
    for name, rest in instructions(DOCKERFILE):
        rest = rest.replace(HOME, str(home))
        if name == "ENV":
            for pair in shlex.split(rest):
                key, value = pair.split("=", 1)
                environment[key] = value.replace("$PATH", environment["PATH"])
        elif name == "WORKDIR":
            folder = Path(rest)
            folder.mkdir(parents=True)
        elif name == "COPY":
            copy(rest.replace("--chown=leadmodel ", ""), folder)
        elif name == "RUN" and not rest.startswith("useradd"):
            done = subprocess.run(
                ["sh", "-c", rest], cwd=folder, env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{rest}\n{done.stdout}\n{done.stderr}"
    return home, environment


def copy(arguments: str, folder: Path) -> None:
    source, _ = arguments.split()
    for name in sent_files():
        if source == "." or name == source:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)


@pytest.mark.timeout(900)
def test_the_steps_of_the_dockerfile_make_an_app_that_is_healthy(
    image: tuple[Path, dict[str, str]],
) -> None:
    home, environment = image
    arguments = dict(instructions(DOCKERFILE))
    start = json.loads(arguments["CMD"])
    assert start == ["python", "app.py"]
    local = environment | {"GRADIO_SERVER_NAME": "127.0.0.1"}
    local.pop("GRADIO_SERVER_PORT")
    python = home / "venv" / "bin" / "python"
    with running_app("model", home / "app", python=python, **local) as address:
        check = json.loads(arguments["HEALTHCHECK"].split("CMD ", 1)[1])
        probe = [part.replace("http://127.0.0.1:7860", address) for part in check]
        assert probe != check
        assert subprocess.run([python, *probe[1:]], check=False).returncode == 0
    assert subprocess.run([python, *probe[1:]], capture_output=True, check=False).returncode != 0


def test_the_image_needs_no_root_and_pins_its_base() -> None:
    named = instructions(DOCKERFILE)
    user = named.index(("USER", "leadmodel"))
    assert all(name not in ("COPY", "CMD") for name, _ in named[:user])
    assert ("USER", "root") not in named
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+", dict(named)["FROM"])


def test_the_requirements_are_a_layer_before_the_code() -> None:
    order = [rest for name, rest in instructions(DOCKERFILE) if name in ("COPY", "RUN")]
    requirements = order.index("--chown=leadmodel requirements.txt ./")
    assert order[requirements + 1] == "pip install -r requirements.txt"
    assert order[requirements + 2] == "--chown=leadmodel . ./"


def test_nothing_but_the_app_is_sent_to_the_build() -> None:
    sent = set(sent_files())
    assert {"app.py", "requirements.txt", "leadmodel/model.py", "model_card.md"} <= sent
    assert not [name for name in sent if name.startswith(("tests/", "benchmarks/", ".git", "docs/"))]
    assert not is_sent(".env")
    assert not is_sent("leads.csv")
    assert not is_sent("leadmodel/__pycache__/model.pyc")


def test_compose_serves_the_same_image_on_loopback_without_rights() -> None:
    app = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["app"]
    port = dict(pair.split("=") for pair in re.findall(r"GRADIO_SERVER_PORT=\d+", DOCKERFILE))
    assert app["ports"] == [f"127.0.0.1:7860:{port['GRADIO_SERVER_PORT']}"]
    assert (app["read_only"], app["cap_drop"]) == (True, ["ALL"])
    assert all(value.startswith("${") for value in app["environment"].values())
