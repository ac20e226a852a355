"""The life of a lead model as an Airflow DAG: leads, drift, retraining, scores. Each task calls a command.

Copy it into the DAGs folder, and set the environment of the workers:

LEADMODEL_HOME    folder of this project, with its environment in .venv
LEADMODEL_PAST    command that writes all past leads to the file in $PAST
LEADMODEL_NEW     command that writes the leads to score to the file in $NEW
LEADMODEL_MODEL   USER/MODEL, or a folder
LEADMODEL_WORK    folder for the files between the tasks
"""

import os
from datetime import UTC, datetime

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

HOME, WORK = os.environ.get("LEADMODEL_HOME", "."), os.environ.get("LEADMODEL_WORK", "/tmp")
MODEL = os.environ.get("LEADMODEL_MODEL", "model")
FILES = {
    "PAST": f"{WORK}/past.csv",
    "NEW": f"{WORK}/new.csv",
    "SCORED": f"{WORK}/scored.csv",
    "MODEL": MODEL,
}
PUSH = "" if os.path.isdir(MODEL) else "--push"


def task(name: str, command: str) -> BashOperator:
    """Return a task that runs a command in the project's folder."""
    return BashOperator(task_id=name, bash_command=command, cwd=HOME, env=FILES, append_env=True)


with DAG(
    "leadmodel", schedule="@weekly", start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False
) as dag:
    leads = task(
        "leads",
        f"{os.environ.get('LEADMODEL_PAST', 'false')} && {os.environ.get('LEADMODEL_NEW', 'false')}",
    )
    # Drift is exit status 3, which is news and no failure: the gate decides what to do about it.
    drift = task("drift", '.venv/bin/python -m leadmodel drift "$NEW" --model "$MODEL" || test $? -eq 3')
    retrain = task(
        "retrain", f'.venv/bin/python -m leadmodel retrain --data "$PAST" --model "$MODEL" {PUSH}'
    )
    score = task("score", '.venv/bin/python -m leadmodel score "$NEW" --model "$MODEL" --output "$SCORED"')
    leads >> drift >> retrain >> score
