"""One list of requirements, wherever it is written down."""

import importlib.metadata
import re
import tomllib

import pytest
from packaging.requirements import Requirement
from support import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SPACE = ROOT / "leadmodel" / "publishing" / "hub" / "space_files"


def pins(file: str) -> dict[str, str]:
    """Return what a requirements file pins, by name."""
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    pinned = (re.fullmatch(r"([\w.-]+)==([\w.]+)", line) for line in lines if not line.startswith("-r"))
    matches = [match for match in pinned if match]
    assert len(matches) == len([line for line in lines if not line.startswith(("-r", "#"))])
    return {match[1]: match[2] for match in matches}


def test_a_space_gets_the_file_that_stands_on_top() -> None:
    assert (SPACE / "requirements.txt").read_bytes() == (ROOT / "requirements.txt").read_bytes()


def test_the_package_depends_on_what_a_space_installs() -> None:
    assert "dependencies" in PROJECT["project"]["dynamic"]
    assert PROJECT["tool"]["setuptools"]["dynamic"]["dependencies"] == {"file": ["requirements.txt"]}
    assert pins("requirements.txt")


def test_the_extras_are_pinned_as_the_tests_install_them() -> None:
    tested = pins("requirements-dev.txt")
    extras = PROJECT["project"]["optional-dependencies"]
    for extra, requirements in extras.items():
        for requirement in requirements:
            name, _, version = requirement.partition("==")
            assert tested[name] == version, f"extra {extra}"


def test_no_package_is_pinned_twice() -> None:
    assert not set(pins("requirements.txt")) & set(pins("requirements-dev.txt"))


@pytest.mark.parametrize("extra", ["oauth", "mcp"])
def test_the_pins_fit_what_a_space_adds_to_gradio(extra: str) -> None:
    pinned = pins("requirements.txt") | pins("requirements-dev.txt")
    needed = [
        requirement
        for requirement in map(Requirement, importlib.metadata.requires("gradio") or [])
        if requirement.marker and requirement.marker.evaluate({"extra": extra})
    ]
    assert needed
    clashes = [str(r) for r in needed if r.name in pinned and not r.specifier.contains(pinned[r.name])]
    assert not clashes
