import io
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from huggingface_hub import ModelCard
from jinja2 import UndefinedError

from leadmodel.audit.audit import Audit
from leadmodel.leads.sample import SAMPLE_RECIPE
from leadmodel.model import LeadModel
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.publishing import card
from leadmodel.training.run import train


def snippet(text: str) -> str:
    found = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found.group(1)


def test_the_cards_snippet_runs_without_this_package(model: LeadModel, folder: Path) -> None:
    forbid = "import sys; sys.modules['leadmodel'] = None\n"
    code = forbid + snippet((folder / "README.md").read_text(encoding="utf-8"))
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    example = pd.DataFrame([model.schema.example()])
    assert float(done.stdout.strip(" []\n")) == pytest.approx(model.predict_proba(example)[0, 1], abs=1e-7)


def test_every_metric_of_the_card_is_the_measured_one(model: LeadModel) -> None:
    text = model.files["README.md"].decode()
    for kind, estimate in model.evaluation.test.items():
        name = card.METRIC_NAMES[kind]
        assert f"| {name} | {estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})" in text


def test_the_card_tells_what_the_audit_found(model: LeadModel) -> None:
    text = model.files["README.md"].decode().split("## What the audit found")[1].split("\n## ")[0]
    assert model.evaluation.audit.findings
    for one in model.evaluation.audit.findings:
        assert f"| {', '.join(one.columns)} | {one.kind} | {one.severity} | {one.text} |" in text
    nothing = model.evaluation.model_copy(update={"audit": Audit()})
    assert "Nothing: in the training leads" in card.render_card(model.config, nothing, model.profile)


def test_the_metadata_is_what_the_hub_reads(model: LeadModel) -> None:
    data = ModelCard(model.files["README.md"].decode()).data
    assert (data.library_name, data.pipeline_tag) == ("sklearn", "tabular-classification")
    assert {result.metric_type for result in data.eval_results or []} >= {"roc_auc", "log_loss"}


def test_a_placeholder_without_a_value_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="'surprise' is undefined"):
        card.environment().from_string("{{ surprise }}").render()


def test_markup_in_names_and_values_is_escaped(sample: pd.DataFrame, quick: TrainingSettings) -> None:
    evil = "<script>alert('1')</script> | a | \n# b"
    leads = sample.assign(source=sample["source"].replace("Search", evil))
    leads = leads.rename(columns={"course": "<img src=x onerror=alert(1)>"})
    leads = leads.assign(**{"<b>|\n# b": leads["status"]})
    made = train(leads, SAMPLE_RECIPE.updated(title="A <b>bold</b> title"), quick)
    text = made.files["README.md"].decode()
    body = text.split("---\n", 2)[2]
    assert "<script" not in body
    assert "<img" not in body
    assert "<b>" not in body
    assert "\n# b" not in body


def test_requirements_are_exact(model: LeadModel) -> None:
    lines = model.files["requirements.txt"].decode().splitlines()
    assert f"catboost=={model.config.versions['catboost']}" in lines
    assert all(re.fullmatch(r"[\w-]+==[\w.]+", line) for line in lines)


def test_no_lead_is_in_any_file(model: LeadModel, sample: pd.DataFrame) -> None:
    with zipfile.ZipFile(io.BytesIO(model.files["model.skops"])) as archive:
        unpacked = {name: archive.read(name) for name in archive.namelist()}
    assert b"minutes_on_site" in b"".join(unpacked.values())
    for name, content in {**model.files, **unpacked}.items():
        assert b"L000017" not in content, name
        assert sample["created_at"].iloc[17].encode() not in content, name
    rare = [city for city, count in sample["city"].value_counts().items() if count < 3]
    assert rare
    texts = b"".join([*model.files.values(), *unpacked.values()]).decode(errors="ignore")
    assert not [city for city in rare if str(city) in texts]
