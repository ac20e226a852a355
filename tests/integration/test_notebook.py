"""The analysis notebook: executed as people do it, its numbers compared with the library's own."""

import base64
import html
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support import ROOT, command

from leadmodel.insights.conversion import find_notable
from leadmodel.leads.sample import SAMPLE_RECIPE, make_sample
from leadmodel.model import LeadModel
from leadmodel.prepare.data import TrainingData, prepare
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.report.confident_errors import find_confident_errors
from leadmodel.report.readiness import evaluate_readiness
from leadmodel.training.fit import fit
from leadmodel.training.package import package

NOTEBOOK = ROOT / "notebooks" / "lead_analysis.ipynb"

SETTINGS = TrainingSettings(max_trees=40, n_folds=2, n_members=1, race_below=0)
PARAMETER = f"settings: {json.dumps(SETTINGS.model_dump(exclude_defaults=True))}"


def read_cells(path: Path) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return cells


def read_outputs(path: Path) -> str:
    """Return what an executed notebook says, without tags."""
    outputs = [output for cell in read_cells(path) for output in cell.get("outputs", [])]
    assert {output["output_type"] for output in outputs} == {"display_data"}
    texts = ["".join(output["data"]["text/html"]) for output in outputs]
    return html.unescape(re.sub(r"<[^>]*>", " ", " ".join(texts)))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which `make notebook` has left the executed notebook and the report."""
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    folder = tmp_path_factory.mktemp("analysis")
    # The environment is the one that runs the tests.
    words = ["make", "notebook", "--old-file=.venv/test.installed", f"BIN={Path(sys.executable).parent}"]
    words += [f"ANALYSIS={folder}", f"WITH=-y '{PARAMETER}'"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def trained() -> tuple[LeadModel, TrainingData]:
    """The model that the notebook should have made, and its leads."""
    decision = SAMPLE_RECIPE.decision.updated(value=300, cost=60)
    data = prepare(make_sample(), SAMPLE_RECIPE.updated(decision=decision), SETTINGS)
    return package(fit(data, SETTINGS)), data


def test_it_is_stored_without_outputs_or_traces_of_a_machine() -> None:
    stored = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert stored["metadata"] == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "title": "Which leads become customers?",
    }
    code = [cell for cell in stored["cells"] if cell["cell_type"] == "code"]
    assert [cell["outputs"] for cell in code] == [[]] * len(code)
    assert {cell["execution_count"] for cell in code} == {None}
    told = [cell["metadata"] for cell in stored["cells"] if cell["metadata"]]
    hidden = {"jupyter": {"source_hidden": True}}
    assert told == [{"tags": ["parameters"]}, hidden, hidden]


def test_its_numbers_are_the_librarys(report: Path, trained: tuple[LeadModel, TrainingData]) -> None:
    model, _ = trained
    said, test = read_outputs(report / "lead_analysis.ipynb"), model.evaluation.test
    labels = {field.name: field.label for field in model.schema.fields}
    expected = [
        *find_notable(model.schema, model.profile),
        *(check.sentence for check in evaluate_readiness(model.evaluation, labels).checks),
        f"top fifth of the leads has {test['captured_top_20'].summary('.0%')} of all conversions",
        f"{model.config.decision.condition}: {model.config.decision.rule}.",
        f"This gains {test['profit'].summary(',.2f')} per lead of the list",
        model.evaluation.calibration.summary(),
    ]
    assert [sentence for sentence in expected if sentence not in said] == []


def test_its_plain_counts_are_those_of_the_leads(
    report: Path, trained: tuple[LeadModel, TrainingData]
) -> None:
    model, past = trained
    said = read_outputs(report / "lead_analysis.ipynb")
    X, y = past.test
    probability = model.predictor.predict(X).probability
    lowest = probability.argsort(kind="stable")[:100]
    skipped = probability < model.config.decision.threshold
    assert (
        f"5,000 leads with a known outcome, {past.y.mean():.1%} of which converted (status = Won)" in said
    )
    assert f"lowest probabilities, {y[lowest].sum()} of 100 converted" in said
    assert f"Of the leads below that, {y[skipped].mean():.0%} (" in said
    # Everybody called: each lead costs 60, each conversion brings 300.
    assert f"calling every lead, {300 * y.mean() - 60:.2f} (" in said


def test_its_confident_errors_are_shown_without_a_lead(
    report: Path, trained: tuple[LeadModel, TrainingData]
) -> None:
    model, past = trained
    said = read_outputs(report / "lead_analysis.ipynb")
    for one in find_confident_errors(model.predictor, model.profile, *past.test):
        assert "; ".join(one.misled_by) in said
    assert not re.search(r"L\d{6}", said)


def test_its_figures_are_the_librarys(report: Path, trained: tuple[LeadModel, TrainingData]) -> None:
    page = (report / "lead_analysis.html").read_text(encoding="utf-8")
    for name in ("importance", "gains", "lift", "profit", "confusion", "reliability", "probabilities"):
        assert base64.b64encode(trained[0].files[f"plots/{name}.png"]).decode() in page
    pictures = re.findall(r"<img[^>]*>", page)
    assert len(pictures) > 30
    assert all('src="data:image/png;base64,' in one and re.search(r'alt="[^"]+"', one) for one in pictures)


def test_the_report_is_one_file_with_its_code_put_away(report: Path) -> None:
    page = (report / "lead_analysis.html").read_text(encoding="utf-8")
    assert re.findall(r'(?:src|href)="(?!data:|#)[^"]*"|<script|@import|url\(', page) == []
    assert ".input { display: none; }" in page
    assert "body:has(#with-code:checked) .input { display: block; }" in page
    assert re.search(r'<input id="with-code" type="checkbox"/?>', page)
    headings = re.findall(r'<h2 id="([^"]*)"', page)
    links = [html.unescape(link) for link in re.findall(r'<a href="#([^"]*)"', page)]
    assert len(headings) == 14
    assert set(headings) <= set(links)


def test_any_leads_can_be_given_by_parameters(tmp_path: Path) -> None:
    leads, out = make_sample(600, random_state=2), tmp_path / "out.ipynb"
    leads["outcome"] = leads.pop("status").replace({"Won": "yes", "Lost": "no"})
    leads["Final stage"] = leads["outcome"].replace({"yes": "S9", "no": "S4"})
    leads.to_csv(tmp_path / "mine.csv", index=False, sep=";")
    given = {"data": tmp_path / "mine.csv", "target": "outcome", "value": "None", "cost": "None"}
    words = [word for name, value in given.items() for word in ("-p", name, value)]
    # As from a folder of one's own: the project is found all the same.
    done = command("-m", "papermill", NOTEBOOK, out, *words, "-y", PARAMETER, "--cwd", NOTEBOOK.parent)
    assert done.returncode == 0, done.stderr
    said = read_outputs(out)
    assert "mine: 600 leads with a known outcome" in said
    assert "(outcome = yes)" in said
    assert "The model uses Final stage." in said
    assert "no value and cost were given" in said
    assert "per lead of the list" not in said
