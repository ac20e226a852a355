"""What an answer of the running app takes beside a bare FastAPI route around the same CatBoost model.

python benchmarks/serving.py [--model DIR]

Both servers run at the same time and are asked in turns, so that a busy machine hurts both alike.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.table import print_table
from leadmodel.leads.field import Field
from leadmodel.model import LeadModel

ROOT = Path(__file__).parents[1]
IMPORTS = "import gradio, catboost"
Row = tuple[object, ...]


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", default="model")
    folder = Path(parser.parse_args().model).resolve()
    imports = min(seconds_to_import() for _ in range(3))
    starts = []
    for _ in range(3):
        with our_app(folder) as (_, seconds, _):
            starts.append(seconds)
    rows: list[Row] = [
        ("start, beyond importing gradio and catboost", min(starts) - imports, "s", "", "at most 1.5 s")
    ]
    model = LeadModel.from_pretrained(folder)
    with our_app(folder) as (address, _, process), bare_app(folder) as bare:
        rows += single_leads(address, bare, model)
        rows += many_clients(address, bare, model)
        rows += list_of_leads(address, bare, model)
        rows += memory(address, model, process)
    print_table(f"Serving: {model.config.title}", rows)


def seconds_to_import() -> float:
    """Return how long a process takes that imports the two libraries and ends."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", IMPORTS], check=True)
    return time.perf_counter() - started


@contextmanager
def our_app(model: str | Path) -> Iterator[tuple[str, float, "subprocess.Popen[bytes]"]]:
    """Run the app on a folder or repository; give its address, the seconds to an answer, the process."""
    process, address, seconds = start(model)
    try:
        yield address, seconds, process
    finally:
        stop(process)


@contextmanager
def bare_app(folder: Path) -> Iterator[str]:
    """Run the bare server; give its address."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "benchmarks" / "bare.py"), str(folder), str(port)]
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/openapi.json", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(process)


def start(model: str | Path) -> tuple["subprocess.Popen[bytes]", str, float]:
    """Start the app on a folder or repository; return it, its address and the seconds to an answer."""
    port = free_port()
    environment = os.environ | {"LEADMODEL_REPO": str(model), "GRADIO_SERVER_PORT": str(port)}
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    wait_for(f"{address}/gradio_api/info", process)
    return process, address, time.perf_counter() - started


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    """Return when `url` answers."""
    while process.poll() is None:
        try:
            httpx.get(url, timeout=5).raise_for_status()
            return
        except httpx.HTTPError:
            time.sleep(0.02)
    raise SystemExit("a server stopped before its first answer")


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End a server."""
    process.terminate()
    process.wait(timeout=20)


def single_leads(address: str, bare: str, model: LeadModel) -> list[Row]:
    """Time one lead at a time, by every door in turns."""
    lead = model.schema.example()
    values = {"data": [lead[field.name] for field in model.schema.fields]}
    with httpx.Client(timeout=60) as client:
        calls: dict[str, Callable[[], Any]] = {
            "bare": lambda: client.post(f"{bare}/one", json=lead).raise_for_status(),
            "rest": lambda: client.post(f"{address}/api/v1/score", json=lead).raise_for_status(),
            "alone": lambda: client.post(
                f"{address}/api/v1/score?reasons=false", json=lead
            ).raise_for_status(),
            "gradio": lambda: client.post(
                f"{address}/gradio_api/run/predict", json=values
            ).raise_for_status(),
        }
        taken = in_turns(calls, 300)
    base = taken["bare"]
    return [
        ("one lead by /api/v1/score, with reasons", taken["rest"], "ms", base, "at most 1.5"),
        ("the same without reasons", taken["alone"], "ms", base, ""),
        ("one lead by /gradio_api/run/predict, with reasons", taken["gradio"], "ms", base, "at most 3"),
    ]


def in_turns(calls: dict[str, Callable[[], Any]], times: int) -> dict[str, float]:
    """Return the median milliseconds of each call, each made in its turn."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(times + 20):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            if number >= 20:
                taken[name].append(1000 * (time.perf_counter() - started))
    return {name: statistics.median(values) for name, values in taken.items()}


def many_clients(address: str, bare: str, model: LeadModel) -> list[Row]:
    """Count the answers to 32 clients at once, without reasons and with them."""
    lead = model.schema.example()
    rates = {
        url: requests_per_second(url, lead)
        for url in (f"{bare}/one", f"{address}/api/v1/score", f"{address}/api/v1/score?reasons=false")
    }
    base, ours, alone = rates.values()
    return [
        ("32 clients, with reasons", ours, "leads/s", base, "at least 0.5"),
        ("32 clients, without reasons", alone, "leads/s", base, ""),
    ]


def requests_per_second(url: str, lead: dict[str, Any], n_clients: int = 32, each: int = 60) -> float:
    """Return the answers per second to clients that each ask one time after the other."""

    def ask(number: int) -> None:
        with httpx.Client(timeout=60) as client:
            for _ in range(each):
                client.post(url, json=lead).raise_for_status()

    started = time.perf_counter()
    with ThreadPoolExecutor(n_clients) as pool:
        list(pool.map(ask, range(n_clients)))
    return n_clients * each / (time.perf_counter() - started)


def list_of_leads(address: str, bare: str, model: LeadModel) -> list[Row]:
    """Time 10,000 leads in one call."""
    generator = np.random.default_rng(0)
    columns = [draw(field, 10_000, generator) for field in model.schema.fields]
    names = [field.name for field in model.schema.fields]
    leads = [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
    with httpx.Client(timeout=60) as client:
        calls: dict[str, Callable[[], Any]] = {
            "bare": lambda: client.post(f"{bare}/many", json=leads).raise_for_status(),
            "rest": lambda: client.post(f"{address}/api/v1/score", json=leads).raise_for_status(),
        }
        taken = in_turns(calls, 7)
    return [("10,000 leads by /api/v1/score", taken["rest"], "ms", taken["bare"], "at most 2")]


def memory(address: str, model: LeadModel, process: "subprocess.Popen[bytes]") -> list[Row]:
    """Compare the app's memory after 2,000 requests and after 10,000 more."""
    url, lead = f"{address}/api/v1/score", model.schema.example()
    requests_per_second(url, lead, 8, 250)
    before = resident(process)
    requests_per_second(url, lead, 8, 1250)
    return [("memory after 10,000 requests more", resident(process), "MB", before, "flat")]


def resident(process: "subprocess.Popen[bytes]") -> float:
    """Return the resident memory of a process, in MB."""
    text = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1000


def draw(field: Field, n_leads: int, generator: np.random.Generator) -> list[object]:
    """Return values of a field as leads may have them."""
    if field.choices:
        return generator.choice(field.choices, n_leads).tolist()
    if field.integer:
        return generator.integers(int(field.minimum or 0), int(field.maximum or 1) + 1, n_leads).tolist()
    return generator.uniform(field.minimum or 0, field.maximum or 1, n_leads).round(2).tolist()


if __name__ == "__main__":
    main()
