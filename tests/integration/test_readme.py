"""What the README and the pages behind it tell people to type, typed."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from support import ROOT
from support import command as command_of

from leadmodel.cli.train import parse_arguments
from leadmodel.leads.io import read_table
from leadmodel.leads.recipe import Recipe
from leadmodel.leads.sample import make_sample
from leadmodel.model import LeadModel

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}
EVERYTHING = "\n".join([README, *PAGES.values()])


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_the_script_example_answers(address: str) -> None:
    code = blocks("python")[0].replace("http://127.0.0.1:7860", address)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^0\.\d+ [A-D] Will ", done.stdout, re.MULTILINE)
    assert "+ Source is Referral: " in done.stdout


def test_the_curl_examples_answer(address: str) -> None:
    commands = blocks("bash")[0].replace("http://127.0.0.1:7860", address)
    done = subprocess.run(["bash", "-c", commands], capture_output=True, text=True, check=False)
    if done.returncode == 127:
        pytest.skip("curl is not installed")
    one, end = json.JSONDecoder().raw_decode(done.stdout)
    many = json.loads(done.stdout[end:])
    assert one == many[0]
    assert [answer["grade"] in "ABCD" for answer in many] == [True, True]


@pytest.mark.skipif(shutil.which("npm") is None, reason="Node.js is not installed")
def test_the_javascript_example_answers(address: str, tmp_path: Path) -> None:
    code = blocks("javascript")[0].replace("http://127.0.0.1:7860", address)
    (tmp_path / "example.mjs").write_text(code)
    install = ["npm", "install", "--silent", "--no-fund", "--no-audit", "@gradio/client@2.7.0"]
    subprocess.run(install, cwd=tmp_path, check=True, capture_output=True)
    done = subprocess.run(
        ["node", "example.mjs"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert re.match(r"0\.\d+ [A-D] Will ", done.stdout)


def test_the_practitioners_example_runs_without_this_package(model: LeadModel, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path / "model")
    make_sample(50, random_state=9).to_csv(tmp_path / "leads.csv", index=False)
    code = "import sys; sys.modules['leadmodel'] = None\n" + blocks("python")[1]
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told = [float(number) for number in done.stdout.replace("[", " ").replace("]", " ").split()]
    assert told == pytest.approx(model.predict_proba(read_table(tmp_path / "leads.csv"))[:, 1], abs=1e-6)


def test_the_analysts_example_trains_and_scores(tmp_path: Path) -> None:
    make_sample(600, random_state=9).to_csv(tmp_path / "leads.csv", index=False)
    done = subprocess.run(
        [sys.executable, "-c", blocks("python")[2]],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("LeadModel(")
    assert "probability" in done.stdout


@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java, which is not installed")
def test_the_example_of_a_cluster_runs_on_this_machine(model: LeadModel, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path / "model")
    make_sample(20).to_parquet(tmp_path / "leads.parquet")
    day = pd.Timestamp("2026-03-01")
    events = {
        "entity": ["a", "a", "b"],
        "time": [day, day - pd.Timedelta("9D"), day],
        "kind": ["views"] * 3,
    }
    cutoffs = {"entity": ["a", "b", "c"], "cutoff": [day + pd.Timedelta("1D")] * 3}
    for name, columns in {"events": events, "cutoffs": cutoffs}.items():
        pd.DataFrame(columns).to_parquet(tmp_path / f"{name}.parquet", coerce_timestamps="us")
    own = {"PYSPARK_PYTHON": sys.executable, "PYTHONPATH": str(ROOT), "SPARK_LOCAL_IP": "127.0.0.1"}
    small = (
        '.master("local[2]").config(map={"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "2"})'
    )
    example = blocks("python", PAGES["scale.md"])[0]
    code = example.replace("SparkSession.builder", f"SparkSession.builder{small}")
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | own,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    features = pd.read_parquet(tmp_path / "features.parquet").sort_values("entity")
    assert features[["views", "views_last_7d"]].to_numpy().tolist() == [[2, 1], [1, 1], [0, 0]]
    scored = pd.read_parquet(tmp_path / "scored.parquet").sort_values("lead_id")
    assert scored["grade"].tolist() == model.score(make_sample(20))["grade"].tolist()


def test_every_training_command_is_one_that_train_takes() -> None:
    commands = re.findall(r"(?m)python train\.py (--[^#\n]*)", EVERYTHING)
    assert len(commands) > 6
    for command in commands:
        read = parse_arguments(shlex.split(command.split("  ")[0]))
        assert read.target == "status" or (ROOT / read.recipe).is_file()


def test_the_front_matter_is_that_of_a_space() -> None:
    front = yaml.safe_load(README.split("---\n")[1])
    requirements = ROOT.joinpath("requirements.txt").read_text()
    assert (front["sdk"], front["app_file"]) == ("gradio", "app.py")
    assert f"gradio=={front['sdk_version']}\n" in requirements


def test_every_link_leads_somewhere() -> None:
    for folder, texts in {ROOT: [README], ROOT / "docs": PAGES.values()}.items():
        targets = re.findall(r"\]\(([^)#]+)\)", "\n".join(texts))
        assert targets
        assert [one for one in targets if not one.startswith("http") and not (folder / one).exists()] == []


def test_every_other_command_is_one_that_the_package_takes() -> None:
    """The help of each names all options that the texts give it."""
    commands = re.findall(r"(?m)python -m leadmodel ([^#`\n]*)", EVERYTHING)
    named = {command.split()[0] for command in commands}
    assert named >= {"check", "score", "events", "drift", "retrain", "rollback", "outcomes"}
    for name in named:
        usage = command_of("-m", "leadmodel", name, "--help")
        assert usage.returncode == 0
        given = {word for one in commands if one.split()[0] == name for word in one.split() if "--" in word}
        assert [option for option in given if option not in usage.stdout] == []


def test_the_recipe_of_the_page_on_leads_is_one(tmp_path: Path) -> None:
    (tmp_path / "web.toml").write_text(blocks("toml", PAGES["leads.md"])[0])
    recipe = Recipe.load(tmp_path / "web.toml")
    assert recipe.decision.budget == "200/week"
    assert recipe.fields["company_size"].influence is False


def test_every_number_of_the_readme_was_measured() -> None:
    table = README.split("<!-- numbers")[1].split("<!-- end of numbers")[0]
    results = (ROOT / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8")
    rows = [row for row in table.splitlines() if row.startswith("|")][2:]
    assert len(rows) == 5
    for row in rows:
        name, split, loss, best, auc = (cell.strip() for cell in row.strip("|").split("|"))
        newest = ", newest" if "newest" in split else ""
        section = results.split(f"### Quality: {name}{newest}, ")[1].split("###")[0]
        lines = [line.split("|") for line in section.splitlines() if "|" in line]
        measured = {cells[1].strip(): cells for cells in lines}
        assert [measured["leadmodel"][column].strip() for column in (3, 7)] == [loss, auc]
        rivals = ("catboost", "xgboost", "lightgbm", "random forest", "logistic regression")
        assert best.split()[0] == min(measured[rival][3].strip() for rival in rivals)
