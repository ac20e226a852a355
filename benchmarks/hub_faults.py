"""What each fault of a Hub makes of a push, a pull, a start of the app, a rollback, a retraining and a log.

    python benchmarks/hub_faults.py [FAULT …]     (default: all)

Runs against the loopback Hub of the tests, with the default patience. Before each cell the repository has
versions v1 and v2, and the cache holds v1. A cell says how long the call took and what came of it. "serve"
starts and stops the app with a log on the same Hub; "retrain" opens the champion and publishes another
model, without training one; "log" starts and stops what commits the prediction log, with one file waiting.
"""

import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from hub_server import Fault, LoopbackHub

HUB = LoopbackHub()
HOME = Path(tempfile.mkdtemp(prefix="leadmodel-faults-"))
# The client reads these when it is imported.
os.environ |= {"HF_ENDPOINT": HUB.url, "HF_HOME": str(HOME), "HF_TOKEN": "writer"}
os.environ |= {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}

from benchmarks.serving import start, stop
from benchmarks.table import print_head
from leadmodel.errors import InputError
from leadmodel.leads.sample import SAMPLE_RECIPE, make_sample
from leadmodel.model import LeadModel
from leadmodel.monitoring.deployment import go_back, open_deployment
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.publishing.hub.datasets import DatasetUploads
from leadmodel.publishing.hub.push import HubRepository
from leadmodel.publishing.hub.space import HubSpace
from leadmodel.training.interface import train_model

REPO = "demo/leads"
Action = Callable[[list[LeadModel]], str]


def all_paths(fault: Callable[[], Fault], part: str = "") -> Callable[[], None]:
    """Return what plans a fault for all requests with `part` in their path."""
    return lambda: HUB.fail("*", part, fault(), times=None)


def quirk(name: str, value: object) -> Callable[[], None]:
    """Return what makes the Hub somebody else's; its repositories are made with it."""
    return lambda: setattr(HUB.quirks, name, value)


FAULTS: dict[str, Callable[[], None]] = {
    "none": lambda: None,
    "silent": all_paths(Fault.silent),
    "silent to commits": all_paths(Fault.silent, "/commit/"),
    "silent to uploads": all_paths(Fault.silent, "/cdn/"),
    "hangs up": all_paths(Fault.hang_up),
    "status 503": all_paths(lambda: Fault.status(503)),
    "slow by 0.6 s": all_paths(lambda: Fault.slow(0.6)),
    "slow by 3 s": all_paths(lambda: Fault.slow(3)),
    "no tags (501)": all_paths(lambda: Fault.status(501), "/tag/"),
    "no variables (501)": all_paths(lambda: Fault.status(501), "/variables"),
    "64 digits": quirk("id_length", 64),
    "short ids": quirk("short_ids", True),
    "tags name themselves": quirk("tags_name_themselves", True),
    "newest ETags": quirk("newest_etags", True),
}


def push(models: list[LeadModel]) -> str:
    """Publish a third model, and a Space that serves it."""
    published = models[2].push_to_hub(REPO)
    HubSpace("demo/app").publish(REPO, "Leads")
    return f"{published.tag}, Space"


def pull(models: list[LeadModel]) -> str:
    """Open the newest revision."""
    return version_of(LeadModel.from_pretrained(REPO), models)


def rollback(models: list[LeadModel]) -> str:
    """Go back one version."""
    return go_back(REPO).tag


def retrain(models: list[LeadModel]) -> str:
    """Open the champion and publish another model."""
    with open_deployment(REPO, push=True) as deployment:
        champion = version_of(deployment.champion, models)
        deployment.replace(models[2], "Better")
    return f"{champion} replaced"


def version_of(opened: LeadModel, models: list[LeadModel]) -> str:
    """Return which of the models was opened."""
    return next(f"v{number}" for number, model in enumerate(models, 1) if model.files == opened.files)


def serve(models: list[LeadModel]) -> str:
    """Start the app, with a log on the Hub, up to its first answer, and stop it."""
    os.environ["LEADMODEL_LOG"] = "datasets/demo/log"
    process, _, up = start(REPO)
    started = time.perf_counter()
    stop(process)
    return f"up after {up:.1f} s, stopped in {time.perf_counter() - started:.1f} s"


def log(models: list[LeadModel]) -> str:
    """Start and stop the uploads of a log with one file, of a day that is not past."""
    file = HOME / "log" / "leads" / "9999-01-01" / "one.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"rows")
    started = time.perf_counter()
    uploads = DatasetUploads("demo/log", HOME / "log")
    up = time.perf_counter() - started
    uploads.close()
    dataset = HUB.content.repositories.get(("dataset", "demo/log"))
    sent = dataset is not None and any(name.endswith("one.parquet") for name in dataset.files)
    return f"up after {up:.1f} s, {'sent' if sent else 'kept'}"


def prepare(plan: Callable[[], None], models: list[LeadModel]) -> None:
    """Bring Hub and cache to where every cell begins, and plan the fault."""
    HUB.heal()
    HUB.content.repositories.clear()
    for folder in ("hub", "log"):
        shutil.rmtree(HOME / folder, ignore_errors=True)
    if plan in [FAULTS[name] for name in list(FAULTS)[-4:]]:
        plan()
    models[0].push_to_hub(REPO)
    LeadModel.from_pretrained(REPO)
    models[1].push_to_hub(REPO)
    HubRepository(REPO)
    plan()


def measure(action: Action, models: list[LeadModel]) -> str:
    """Return how long an action took, and what came of it."""
    started = time.perf_counter()
    try:
        result = action(models)
    except InputError as error:
        print(f"  {action.__name__}: {error}", file=sys.stderr)
        result = "error"
    except SystemExit:
        result = "not up"
    return f"{time.perf_counter() - started:.1f} s: {result}"


def rows(models: list[LeadModel]) -> Iterator[str]:
    """Yield the lines of the table."""
    actions = [push, pull, serve, rollback, retrain, log]
    yield "| Hub | " + " | ".join(action.__name__ for action in actions) + " |"
    yield "| --- " * (len(actions) + 1) + "|"
    for name, plan in FAULTS.items():
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        cells = []
        for action in actions:
            prepare(plan, models)
            cells.append(measure(action, models))
        yield f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Measure, and print the table."""
    settings = TrainingSettings(max_trees=60, n_folds=3, n_members=2)
    models = [
        train_model(make_sample(1200, random_state=seed), SAMPLE_RECIPE, settings) for seed in (1, 2, 3)
    ]
    for model in models:
        model.save_pretrained(HOME / "verified")  # opening it later starts no process to try it first
    logging.basicConfig(level=logging.ERROR)
    with HUB:
        HUB.add_token("writer", user="demo", write=True)
        print_head("The Hub and its faults: synthetic sample", ["huggingface_hub"])
        print()
        for row in rows(models):
            print(row, flush=True)
        HUB.heal()
    shutil.rmtree(HOME, ignore_errors=True)


if __name__ == "__main__":
    main()
