"""What an answer of the running app takes, and how long the app takes to start.

python benchmarks/serving.py [--model DIR]
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.table import print_table
from leadmodel.leads.schema import Field
from leadmodel.model import LeadModel

ROOT = Path(__file__).parents[1]
IMPORTS = "import gradio, catboost"


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", default="model")
    folder = Path(parser.parse_args().model).resolve()
    imports = min(seconds_to_import() for _ in range(3))
    starts = []
    for _ in range(3):
        process, address, seconds = start(folder)
        starts.append(seconds)
        if len(starts) < 3:
            stop(process)
    try:
        rows = [
            ("start, beyond importing gradio and catboost", min(starts) - imports, "s", "", "at most 1.5 s")
        ]
        rows += answers(address, folder) + rest(address, LeadModel.from_pretrained(folder))
        print_table(f"Serving: {folder.name}", rows)
    finally:
        stop(process)


def seconds_to_import() -> float:
    """Return how long a process takes that imports the two libraries and ends."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", IMPORTS], check=True)
    return time.perf_counter() - started


def start(model: str | Path) -> tuple["subprocess.Popen[bytes]", str, float]:
    """Start the app on a folder or repository; return it, its address and the seconds to an answer."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"LEADMODEL_REPO": str(model), "GRADIO_SERVER_PORT": str(port)}
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    while process.poll() is None:
        try:
            httpx.get(f"{address}/gradio_api/info", timeout=5).raise_for_status()
            return process, address, time.perf_counter() - started
        except httpx.HTTPError:
            time.sleep(0.02)
    raise SystemExit("the app stopped before its first answer")


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End the app."""
    process.terminate()
    process.wait(timeout=20)


def answers(address: str, folder: Path) -> list[tuple[object, ...]]:
    """Time single answers, alone and with sixteen callers at once."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    example = config["sklearn"]["example_input"]
    body = {"data": [example[field["name"]][0] for field in config["schema"]["fields"]]}

    def calls(times: int) -> list[float]:
        taken = []
        with httpx.Client(base_url=address, timeout=60) as client:
            for _ in range(times):
                started = time.perf_counter()
                client.post("/gradio_api/run/predict", json=body).raise_for_status()
                taken.append(time.perf_counter() - started)
        return taken

    calls(50)
    alone = calls(400)
    started = time.perf_counter()
    with ThreadPoolExecutor(16) as pool:
        together = [one for taken in pool.map(calls, [60] * 16) for one in taken]
    rate = len(together) / (time.perf_counter() - started)
    return [
        ("one lead by /gradio_api/run/predict, median", 1000 * np.median(alone), "ms", "", "at most 5 ms"),
        ("the same, 95th percentile", 1000 * np.quantile(alone, 0.95), "ms", "", ""),
        ("16 callers at once, median (no error)", 1000 * np.median(together), "ms", "", ""),
        ("16 callers at once", rate, "leads/s", "", ""),
    ]


def rest(address: str, model: LeadModel) -> list[tuple[object, ...]]:
    """Time /api/v1/score, with one lead and with many, beside the model in this process."""
    lead, generator = model.schema.example(), np.random.default_rng(0)
    columns = [draw(field, 10_000, generator) for field in model.schema.fields]
    names = [field.name for field in model.schema.fields]
    leads = [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
    with httpx.Client(base_url=address, timeout=60) as client:

        def post(body: object) -> None:
            client.post("/api/v1/score", json=body).raise_for_status()

        one, inside = median(lambda: post(lead), 300), median(lambda: model.answer(lead), 300)
        many, inside_many = median(lambda: post(leads), 7), median(lambda: model.answers(leads), 7)
    return [
        ("one lead by /api/v1/score, with reasons", 1000 * one, "ms", 1000 * inside, "2 times and 1 ms"),
        ("10,000 leads by /api/v1/score", 10_000 / many, "leads/s", 10_000 / inside_many, "20,000 leads/s"),
    ]


def draw(field: Field, n_leads: int, generator: np.random.Generator) -> list[object]:
    """Return values of a field as leads may have them."""
    if field.choices:
        return list(generator.choice(field.choices, n_leads))
    return generator.uniform(field.minimum or 0, field.maximum or 1, n_leads).round(2).tolist()


def median(call: Callable[[], object], times: int) -> float:
    """Return the median seconds of a call, the first of which do not count."""
    taken = []
    for _ in range(times + times // 5):
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return float(np.median(taken[times // 5 :]))


if __name__ == "__main__":
    main()
