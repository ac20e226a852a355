"""Spark on this machine: two workers of its own, one session for all tests."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from support import ROOT

from leadmodel.errors import InputError
from leadmodel.leads.reading import read_table
from leadmodel.leads.sample import make_sample
from leadmodel.model import LeadModel
from leadmodel.serving.bulk import score_file
from leadmodel.serving.spark import plain_errors, score

pyspark = pytest.importorskip("pyspark")
pytestmark = [
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java, which is not installed"),
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
]

NEW = make_sample(300, random_state=9)


@pytest.fixture(scope="module")
def spark() -> Iterator["pyspark.sql.SparkSession"]:
    # The workers are processes of their own, and find the package as this one does.
    own = {"PYSPARK_PYTHON": sys.executable, "PYTHONPATH": str(ROOT), "SPARK_LOCAL_IP": "127.0.0.1"}
    before = {name: os.environ.get(name) for name in own}
    os.environ.update(own)
    builder = pyspark.sql.SparkSession.builder.master("local[2]").appName("tests")
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "2",
    }
    session = builder.config(map=settings).getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


def test_a_frame_gets_the_answers_of_a_file(
    spark: "pyspark.sql.SparkSession", folder: Path, tmp_path: Path
) -> None:
    NEW.to_parquet(tmp_path / "leads.parquet", index=False)
    score_file(LeadModel.from_pretrained(folder), tmp_path / "leads.parquet", tmp_path / "scored.parquet")
    expected = read_table(tmp_path / "scored.parquet")
    frame = spark.read.parquet(str(tmp_path / "leads.parquet")).repartition(3)
    found = score(frame, folder).orderBy("lead_id").toArrow()
    assert found.to_pandas().equals(expected)


def test_a_value_that_cannot_be_read_is_named_without_a_stack(
    spark: "pyspark.sql.SparkSession", folder: Path, tmp_path: Path
) -> None:
    leads = NEW.head(6).assign(age=["1", "2", "3", "old", "4", "5"])
    frame = spark.createDataFrame(pa.Table.from_pandas(leads))
    scored = score(frame.coalesce(1), folder)
    for use in (scored.collect, lambda: scored.write.parquet(str(tmp_path / "scored"))):
        with pytest.raises(
            InputError, match=r"^Partition 0, row 4: the field 'age' must be a number. Got 'old'"
        ):
            with plain_errors():
                use()
