"""What the Hub costs an app: a start without it, and a new revision under load.

    python benchmarks/hub.py

Runs against the loopback Hub of the tests. The load is sixteen clients.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from hub_server import Fault, LoopbackHub

from benchmarks.serving import start, stop
from benchmarks.table import print_table
from leadmodel.leads.sample import SAMPLE_RECIPE, make_sample
from leadmodel.training.interface import train_model

REPO = "demo/leads"
LEAD = {"source": "Referral", "minutes_on_site": 42}

PUSH = """
import sys
from leadmodel.model import LeadModel
model = LeadModel.from_pretrained(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
model.push_to_hub("demo/leads")
LeadModel.from_pretrained("demo/leads")
"""


def main() -> None:
    """Measure, and print the table."""
    with tempfile.TemporaryDirectory() as home, LoopbackHub() as hub:
        hub.add_token("writer", user="demo", write=True)
        os.environ |= {"HF_ENDPOINT": hub.url, "HF_HOME": home, "HF_TOKEN": "writer"}
        os.environ |= {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
        folders = []
        for seed in (1, 2):
            folders.append(Path(home) / f"model-{seed}")
            train_model(make_sample(random_state=seed), SAMPLE_RECIPE).save_pretrained(folders[-1])
        publisher(folders[0]).communicate("go\n")
        rows = [*swap(folders[1]), *starts(hub, folders[0])]
    print_table("The Hub: synthetic sample", rows)


def publisher(folder: Path) -> "subprocess.Popen[str]":
    """Return a process that is ready to publish the model in `folder`, and to pull it again."""
    command = [sys.executable, "-c", PUSH, str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def starts(hub: LoopbackHub, folder: Path) -> Iterator[tuple[object, ...]]:
    """Compare the start from the cache, while the Hub is silent or gone, with one from a folder."""
    plain = min(seconds_to_first_answer(folder) for _ in range(3))
    hub.fail("*", "/", Fault.hang(limit=60), times=None)
    silent = min(seconds_to_first_answer(REPO) for _ in range(3))
    hub.stop()
    gone = min(seconds_to_first_answer(REPO) for _ in range(3))
    yield ("first answer, Hub silent and cached, beyond a folder", silent - plain, "s", "", "at most 1 s")
    yield ("first answer, Hub gone and cached, beyond a folder", gone - plain, "s", "", "at most 1 s")


def seconds_to_first_answer(repository: str | Path) -> float:
    """Return the seconds from the start of the app to its first score."""
    started = time.perf_counter()
    process, address, _ = start(repository)
    score(httpx.Client(base_url=address))
    seconds = time.perf_counter() - started
    stop(process)
    return seconds


def score(client: httpx.Client) -> tuple[float, str]:
    """Ask for one score; return the seconds it took and the revision that answered."""
    started = time.perf_counter()
    answer = client.post("/gradio_api/run/predict_batch", json={"data": [[LEAD], True]}, timeout=60)
    answer.raise_for_status()
    return time.perf_counter() - started, answer.json()["data"][0][0]["revision"]


@contextmanager
def load(address: str) -> Iterator[list[tuple[float, float, str]]]:
    """Ask from sixteen clients; collect when each answer came, how long it took, its revision."""
    found: list[tuple[float, float, str]] = []
    done = threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=address) as client:
            while not done.is_set():
                seconds, revision = score(client)
                found.append((time.perf_counter(), seconds, revision))

    clients = [threading.Thread(target=ask) for _ in range(16)]
    for client in clients:
        client.start()
    yield found
    done.set()
    for client in clients:
        client.join()


def swap(newer: Path) -> Iterator[tuple[object, ...]]:
    """Publish a newer revision under load; compare the second of the change with usual ones."""
    os.environ["LEADMODEL_POLL"] = "0.5"
    ready = publisher(newer)
    process, address, _ = start(REPO)
    with load(address) as found:
        time.sleep(6)
        usual_until = time.perf_counter()
        ready.communicate("go\n")
        while len({revision for *_, revision in found}) < 2:
            time.sleep(0.01)
        time.sleep(3)
    stop(process)
    changed = next(when for when, _, revision in found if revision != found[0][2])
    usual = [taken for when, taken, _ in found if when < usual_until]
    during = [taken for when, taken, _ in found if changed - 2 < when < changed + 1]
    ratio = float(np.quantile(during, 0.95)), float(np.quantile(usual, 0.95))
    yield ("95th percentile during a swap, 16 clients", 1000 * ratio[0], "ms", 1000 * ratio[1], "under 2")
    yield ("answers during the run, none failed", len(found), "", "", "")


if __name__ == "__main__":
    main()
