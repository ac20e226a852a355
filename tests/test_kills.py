"""A run that is killed, at any moment, leaves a whole model: in its folder and on the Hub."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hub import LoopbackHub
from support import ROOT

from leadmodel.model import LeadModel
from leadmodel.publishing.push import versions

REPO = "demo/leads"

SAVE = """
import sys
from leadmodel.model import LeadModel
model = LeadModel.from_pretrained(sys.argv[1])
print("ready", flush=True)
while True:
    model.save_pretrained(sys.argv[2])
"""

PUSH = """
import sys
from leadmodel.model import LeadModel
model = LeadModel.from_pretrained(sys.argv[1])
print("ready", flush=True)
while True:
    model.push_to_hub("demo/leads")
"""


def kill_after(seconds: float, code: str, *arguments: Path) -> None:
    """Run `code`, and kill it (SIGKILL) some time after it has begun its work."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(seconds)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()


@pytest.mark.parametrize("number", range(10))
def test_a_killed_save_leaves_a_whole_model(
    folder: Path, tmp_path: Path, model: LeadModel, second_model: LeadModel, number: int
) -> None:
    other = tmp_path / "other"
    second_model.save_pretrained(other)
    kill_after(0.0037 * number, SAVE, other, folder)
    left = LeadModel.from_pretrained(folder)
    assert left.files in (model.files, second_model.files)
    model.save_pretrained(folder)
    assert LeadModel.from_pretrained(folder).files == model.files


@pytest.mark.parametrize("number", range(10))
def test_a_killed_push_leaves_a_whole_model(
    hub: LoopbackHub, tmp_path: Path, model: LeadModel, second_model: LeadModel, number: int
) -> None:
    model.push_to_hub(REPO)
    second_model.save_pretrained(tmp_path / "other")
    kill_after(0.023 * number, PUSH, tmp_path / "other")
    left = LeadModel.from_pretrained(REPO)
    assert left.files in (model.files, second_model.files)
    assert LeadModel.from_pretrained(REPO, list(versions(REPO))[-1]).files in (
        model.files,
        second_model.files,
    )
