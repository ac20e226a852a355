"""Spark on this machine: two workers of its own, one session for all tests."""

import os
import shutil
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal
from support import ROOT, command

from leadmodel.batch.score import score_file
from leadmodel.batch.spark import _checksum, _open, _score_partition, plain_errors, score
from leadmodel.errors import InputError, ModelError
from leadmodel.events.features import FeaturePlan, build_features
from leadmodel.leads.io import read_table
from leadmodel.leads.sample import make_sample
from leadmodel.model import LeadModel

pyspark = pytest.importorskip("pyspark")
pytestmark = [
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java, which is not installed"),
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
]

NEW = make_sample(300, random_state=9)


@pytest.fixture(scope="module")
def spark() -> Iterator["pyspark.sql.SparkSession"]:
    """A session of two cores, with as few parts and words as can be."""
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


def test_columns_that_the_model_does_not_know_are_kept(
    spark: "pyspark.sql.SparkSession", folder: Path
) -> None:
    frame = spark.createDataFrame(pa.Table.from_pandas(NEW.head(2))).coalesce(1)
    odd = "*", "1 AS Score", "array(1, 2) AS many", "struct(1 AS a) AS nested", "map('a', 1) AS named"
    scored = score(
        frame.selectExpr(*odd, "timestamp '2026-03-29 02:30:00' AS at", "1.50BD AS price"), folder
    )
    assert scored.columns[len(NEW.columns) :] == [
        *("Score", "many", "nested", "named", "at", "price"),
        *("probability", "score_2", "grade", "decision", "warnings"),
    ]
    first = scored.selectExpr("*", "at = timestamp '2026-03-29 02:30:00' AS kept").first()
    assert (first["many"], first["nested"].a, first["named"]) == ([1, 2], 1, {"a": 1})
    assert (str(first["price"]), first["kept"]) == ("1.50", True)


def test_an_empty_frame_stays_empty(spark: "pyspark.sql.SparkSession", folder: Path) -> None:
    scored = score(spark.createDataFrame(pa.Table.from_pandas(NEW)).where("false"), folder)
    assert scored.count() == 0
    assert scored.columns[-1] == "warnings"


def test_a_lacking_column_is_named_at_once(spark: "pyspark.sql.SparkSession", folder: Path) -> None:
    frame = spark.createDataFrame(pa.Table.from_pandas(NEW.head(2).drop(columns="age")))
    with pytest.raises(InputError, match=r"- age \(missing\)"):
        score(frame, folder)


def test_errors_of_others_pass(spark: "pyspark.sql.SparkSession") -> None:
    with pytest.raises(pyspark.errors.AnalysisException, match="nonsense"), plain_errors():
        spark.sql("SELECT nonsense").collect()


def test_a_worker_opens_what_it_trusts_and_nothing_else(folder: Path, model: LeadModel) -> None:
    class Sent:
        value = model.files | {"model.skops": b"something else"}

    with pytest.raises(ModelError, match="must have the sha256"):
        _open(Sent, "another")


def test_a_worker_opens_a_model_once_and_another_anew(model: LeadModel, second_model: LeadModel) -> None:
    class Sent:
        value = model.files

    class Other:
        value = second_model.files

    first = _open(Sent, _checksum(Sent.value))
    assert first.files == model.files
    assert _open(Sent, _checksum(Sent.value)) is first
    assert _open(Other, _checksum(Other.value)).files == second_model.files
    config = model.files["config.json"].replace(b"Will convert", b"Will buy")
    assert _checksum(model.files | {"config.json": config}) != _checksum(model.files)


def test_a_partition_is_scored_in_lots_and_its_rows_are_counted(
    model: LeadModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Sent:
        value = model.files

    monkeypatch.setattr("leadmodel.batch.spark.ROWS", 100)
    batches = pa.Table.from_pandas(NEW, preserve_index=False).to_batches(max_chunksize=60)
    lots = list(_score_partition(Sent, _checksum(model.files), batches))
    probability = pa.Table.from_batches(lots)["probability"].to_numpy()
    assert probability.tolist() == model.score(NEW)["probability"].tolist()
    wrong = pa.Table.from_pandas(NEW.assign(age=[*["30"] * 249, "old", *["30"] * 50])).to_batches(
        max_chunksize=60
    )
    with pytest.raises(
        InputError, match=r"^Partition 0, row 250: the field 'age' must be a number. Got 'old'"
    ):
        list(_score_partition(Sent, _checksum(model.files), wrong))


def test_features_of_events_are_those_of_one_machine(spark: "pyspark.sql.SparkSession") -> None:
    times = pd.date_range("2026-01-01", periods=200, freq="7h").to_series().sample(200, random_state=1)
    log = pl.DataFrame(
        {
            "entity": [f"e{number % 9}" for number in range(200)],
            "time": times.astype("datetime64[us]").to_numpy(),
            "kind": [("views", "carts", "views")[number % 3] for number in range(200)],
        }
    )
    leads = pl.DataFrame(
        {"entity": [f"e{number}" for number in range(11)], "cutoff": [datetime(2026, 2, 1)] * 11}
    )
    plan = FeaturePlan(kinds=("views", "carts"), windows=(7,), ratios={"cart_rate": ("carts", "views")})
    expected = build_features(log, leads, plan).sort("entity")
    there = build_features(
        spark.createDataFrame(log.to_arrow()), spark.createDataFrame(leads.to_arrow()), plan
    )
    found = pl.from_arrow(there.orderBy("entity").toArrow())
    assert found.columns == expected.columns
    assert_frame_equal(found.drop("cutoff"), expected.drop("cutoff"), check_dtypes=False)
    assert found["views"].sum() > 50


def test_what_spark_needs_is_named() -> None:
    without = "import sys; sys.modules['pyspark'] = None; "
    done = command("-c", f"{without}from leadmodel.batch.spark import score; score(None, 'x')")
    assert "InputError: Spark needs PySpark. Install it with: pip install pyspark==4.3.0" in done.stderr
