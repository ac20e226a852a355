import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support import ROOT, command

import leadmodel
from leadmodel.errors import InputError
from leadmodel.leads.sample import make_sample

LEADS = make_sample(300, random_state=8)
TARGET = {"target": "status", "positive": "Won", "id": "lead_id"}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("leads") / "spring.csv"
    LEADS.to_csv(path, index=False)
    return path


def test_a_file_and_a_table_give_the_model_of_the_command(file: Path, tmp_path: Path) -> None:
    options = ("--target", "status", "--positive", "Won", "--id", "lead_id", "--bands", "A=70", "B=0")
    done = command("-m", "leadmodel", "train", file, *options, "--output", tmp_path / "model")
    assert done.returncode == 0, done.stderr
    commanded = leadmodel.LeadModel.from_pretrained(tmp_path / "model")
    steps: list[str] = []
    bands = {"A": 70, "B": 0}
    made = leadmodel.train(file, **TARGET, bands=bands, progress=steps.append)
    assert steps[0] == "fold 1 of 5"
    assert made.config.title == commanded.config.title == "spring"
    assert made.config.decision == commanded.config.decision
    assert made.config.training.settings == commanded.config.training.settings
    assert made.config.training.fingerprint == commanded.config.training.fingerprint
    assert made.evaluation.test == commanded.evaluation.test
    np.testing.assert_array_equal(
        made.score(LEADS)["probability"].to_numpy(), commanded.score(LEADS)["probability"].to_numpy()
    )


def test_an_audit_reads_as_the_report_of_the_command(file: Path) -> None:
    done = command("-m", "leadmodel", "check", file, "--target", "status", "--id", "lead_id")
    audit = leadmodel.check(LEADS, target="status", id="lead_id")
    assert f"{audit!r}\n" == done.stdout
    assert audit.suspects == ()
    assert "few leads" in {finding.kind for finding in audit.findings}
    suspicious = LEADS.assign(stage=LEADS["status"].replace({"Won": "a", "Lost": "b"}))
    assert leadmodel.check(suspicious, target="status", id=["lead_id"]).suspects == ("stage",)


@pytest.mark.parametrize(
    ("options", "flags", "message"),
    [
        ({"target": "statsu"}, ("--target", "statsu"), "The target column 'statsu' is not among"),
        ({"drop": "cuorse"}, ("--drop", "cuorse"), "No column is named 'cuorse'. Did you mean 'course'?"),
        ({"tune": -1}, ("--tune", "-1"), "--tune takes minutes, 0 or more. Got -1"),
        ({"cost": 5.0}, ("--cost", "5"), "A cost needs what a conversion brings"),
        ({"segments": 1}, ("--segments", "1"), "A single segment would be all leads"),
        ({"segment_by": "age"}, ("--segment-by", "age"), "--segment-by takes a field of texts"),
    ],
    ids=["target", "drop", "tune", "cost", "segments", "segment by"],
)
def test_errors_are_the_sentences_of_the_command(
    file: Path, tmp_path: Path, options: dict[str, object], flags: tuple[str, ...], message: str
) -> None:
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        leadmodel.train(LEADS, **(TARGET | options))
    target = () if "target" in options else ("--target", "status")
    named = (*target, "--positive", "Won", "--id", "lead_id")
    done = command("-m", "leadmodel", "train", file, *named, *flags, "--output", tmp_path / "model")
    assert done.returncode == 2
    assert str(caught.value).removesuffix(".") in done.stderr.replace("-1.0", "-1")


def test_segments_are_a_number_or_auto() -> None:
    with pytest.raises(InputError, match=r"--segments takes a number or auto\. Got 'many' instead"):
        leadmodel.train(LEADS, **TARGET, segments="many")


def test_importing_the_package_costs_next_to_nothing() -> None:
    heavy = "{'numpy', 'pandas', 'catboost', 'sklearn', 'matplotlib', 'gradio'}"
    code = f"import sys, leadmodel; print({heavy} & set(sys.modules)); leadmodel.LeadModel"
    code += "; print({'matplotlib', 'gradio', 'fastapi'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["set()", "set()"]


def test_types_of_any_table_will_do() -> None:
    odd = LEADS.convert_dtypes().astype({"source": "category"})
    odd["created_at"] = pd.to_datetime(odd["created_at"])
    schemas = [leadmodel.check(leads, **TARGET).data.schema for leads in (odd, LEADS)]
    assert schemas[0].columns == schemas[1].columns
