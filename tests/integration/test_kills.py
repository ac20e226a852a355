"""A run that is killed, at any moment, leaves what is whole: a model, on disc and on the Hub, or scores."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from hub_server import LoopbackHub
from support import ROOT

from leadmodel.leads.io import read_table
from leadmodel.model import LeadModel
from leadmodel.publishing.hub.push import versions

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

SCORE = """
import sys
from leadmodel.model import LeadModel
from leadmodel.batch.score import score_file
model = LeadModel.from_pretrained(sys.argv[1])
print("ready", flush=True)
while True:
    score_file(model, sys.argv[2], sys.argv[3])
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
    # What is served has a version, whether or not its tag was set in time; so going back is one step.
    found = versions(REPO)
    assert left.revision == list(found.values())[-1]
    assert LeadModel.from_pretrained(REPO, list(found)[-1]).revision == left.revision


@pytest.mark.parametrize("number", range(5))
def test_a_killed_scoring_leaves_all_leads_or_no_table(
    folder: Path, tmp_path: Path, sample: pd.DataFrame, number: int
) -> None:
    leads, output = tmp_path / "leads.csv", tmp_path / "out" / "scored.csv"
    sample.to_csv(leads, index=False)
    output.parent.mkdir()
    kill_after(0.011 * number, SCORE, folder, leads, output)
    if output.exists():
        assert len(read_table(output)) == len(sample)
    assert {path.suffix for path in output.parent.iterdir() if path != output} <= {".part"}
