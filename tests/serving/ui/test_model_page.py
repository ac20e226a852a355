"""The pages beside the form, in a process of their own: Gradio leaves event loops behind."""

from pathlib import Path

import pytest
from support import command

from leadmodel.model import LeadModel

SCRIPT = """
import sys
import gradio as gr
from leadmodel.model import LeadModel
from leadmodel.serving.ui.app import build_demo
from leadmodel.serving.service import ScoringService

first, second, label, *values = sys.argv[1:]
service = ScoringService(LeadModel.from_pretrained(first))
demo = build_demo(service)
(tab,) = (one for one in demo.blocks.values() if isinstance(one, gr.Tab) and one.label == label)
(opened,) = (one for one in demo.fns.values() if (tab._id, "select") in one.targets)
before = opened.fn(*values)[0]
service.model = LeadModel.from_pretrained(second)
print(before, "SWAPPED", opened.fn(*values)[0])
"""


@pytest.mark.parametrize(("label", "values"), [("Model", ()), ("Insights", ("age",))])
def test_a_page_opened_after_an_update_tells_of_the_new_model(
    model: LeadModel, second_model: LeadModel, tmp_path: Path, label: str, values: tuple[str, ...]
) -> None:
    model.save_pretrained(tmp_path / "first")
    second_model.save_pretrained(tmp_path / "second")
    done = command("-c", SCRIPT, tmp_path / "first", tmp_path / "second", label, *values)
    assert done.returncode == 0, done.stderr
    before, after = done.stdout.split("SWAPPED")
    for page, shown in ((before, model), (after, second_model)):
        told = f"{shown.profile.leads.rate:.0%} of which converted"
        assert (shown.revision if label == "Model" else told) in page
    assert before.strip() != after.strip()
