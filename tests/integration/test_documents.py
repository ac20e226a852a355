"""What contributors and security people are told: links that lead somewhere, commands that run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from support import ROOT

from leadmodel import __version__

DOCUMENTS = ["CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "README.md"]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_somewhere(name: str) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", text_of(name))
    assert [link for link in targets if not link.startswith("http") and not (ROOT / link).exists()] == []


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "SECURITY.md"])
def test_every_path_that_is_named_exists(name: str) -> None:
    named = re.findall(r"`([\w/]+(?:/|\.py|\.txt|\.md))`", text_of(name))
    places = [ROOT, ROOT / "leadmodel"]
    assert [path for path in named if not any((place / path).exists() for place in places)] == []


def test_the_commands_for_contributors_run() -> None:
    """All but make test, which runs this test."""
    commands = re.findall(r"^(?:\.venv/bin/|make ).*", text_of("CONTRIBUTING.md"), re.MULTILINE)
    assert commands.pop(0) == "make test"
    assert len(commands) == 4
    for command in commands:
        name, *arguments = command.removeprefix(".venv/bin/").split()
        done = subprocess.run(
            [Path(sys.executable).parent / name, *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def test_the_citation_is_of_this_version() -> None:
    citation = yaml.safe_load(text_of("CITATION.cff"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["version"] == __version__
    assert f'license = "{citation["license"]}"' in text_of("pyproject.toml")
