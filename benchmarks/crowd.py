"""What callers notice of each other: two hundred at once, and one with a lead while another sends 48 MB.

python benchmarks/crowd.py [--model DIR] [--clients N] [--seconds N]
"""

import argparse
import base64
import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.serving import Row, our_app, resident
from benchmarks.table import print_table
from leadmodel.model import LeadModel

SIZE = 48_000_000
JSON = {"Content-Type": "application/json"}


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", default="model")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=30)
    options = parser.parse_args()
    folder = Path(options.model).resolve()
    model = LeadModel.from_pretrained(folder)
    rows: list[Row] = []
    with our_app(folder) as (address, _, process):
        rows += crowd(address, model, options.clients, options.seconds)
        before = resident(process)
        for what, path, body in bodies(model):
            rows += beside(address, model, what, path, body)
        rows.append(("memory after all of it", resident(process), "MB", before, ""))
    print_table(f"A crowd: {model.config.title}", rows)


def crowd(address: str, model: LeadModel, n_clients: int, seconds: float) -> list[Row]:
    """Let clients ask one time after the other; count what is lost."""
    lead, until = model.schema.example(), time.monotonic() + seconds

    def ask(_: int) -> tuple[int, int, float]:
        n_answers, n_lost, slowest = 0, 0, 0.0
        with httpx.Client(timeout=60) as client:
            while time.monotonic() < until:
                started = time.perf_counter()
                try:
                    client.post(f"{address}/api/v1/score", json=lead).raise_for_status()
                    n_answers += 1
                except httpx.HTTPError:
                    n_lost += 1
                slowest = max(slowest, time.perf_counter() - started)
        return n_answers, n_lost, slowest

    with ThreadPoolExecutor(n_clients) as pool:
        answers, lost, slowest = zip(*pool.map(ask, range(n_clients)), strict=True)
    what = f"{n_clients} clients for {seconds:g} s"
    return [
        (f"{what}: answers", sum(answers), "", "", ""),
        (f"{what}: lost", sum(lost), "", "", "0"),
        (f"{what}: slowest answer", 1000 * max(slowest), "ms", "", ""),
    ]


def bodies(model: LeadModel) -> list[tuple[str, str, bytes]]:
    """Return what another caller may send: a name, a path and a body."""
    lead = json.dumps(model.schema.example()).encode()
    n_leads = min(50_000, SIZE // (len(lead) + 1))
    leads = b"[" + b",".join([lead] * n_leads) + b"]"
    lists = b"[" + b"[]," * (SIZE // 3) + b"[]]"
    text = base64.b64encode(b"x" * (SIZE // 4 * 3))
    return [
        (f"{n_leads:,} leads, {len(leads) // 1_000_000} MB", "/api/v1/score", leads),
        ("48 MB of lists", "/api/v1/score", lists),
        ("48 MB of lists, to Gradio", "/gradio_api/queue/join", lists),
        ("a name of 45 MB", "/api/v1/score", b'{"' + b"x" * 45_000_000 + b'": 1}'),
        ("a text of 48 MB, to Gradio", "/gradio_api/queue/join", b'{"data": ["' + text + b'"]}'),
        ("48 MB to /login", "/login", b"a&" * (SIZE // 2)),
    ]


def beside(address: str, model: LeadModel, what: str, path: str, body: bytes) -> list[Row]:
    """Send a body three times; meanwhile ask for /health and for the score of one lead."""
    lead, done = model.schema.example(), threading.Event()
    waits: dict[str, list[float]] = {"/health": [0.0], "a lead": [0.0]}

    def ask(name: str) -> None:
        with httpx.Client(timeout=60) as client:
            while not done.is_set():
                started = time.perf_counter()
                if name == "/health":
                    client.get(f"{address}/health").raise_for_status()
                else:
                    client.post(f"{address}/api/v1/score", json=lead).raise_for_status()
                waits[name].append(1000 * (time.perf_counter() - started))

    askers = [threading.Thread(target=ask, args=[name]) for name in waits]
    for asker in askers:
        asker.start()
    taken: list[float] = []
    answer: Any = None
    for _ in range(3):
        started = time.perf_counter()
        answer = httpx.post(address + path, content=body, headers=JSON, timeout=120)
        taken.append(time.perf_counter() - started)
    done.set()
    for asker in askers:
        asker.join()
    told = f"{what} (answered with {answer.status_code}, {len(answer.content):,} bytes)"
    return [
        (told, min(taken), "s", "", ""),
        *((f"longest wait of {name} meanwhile", max(times), "ms", "", "") for name, times in waits.items()),
    ]


if __name__ == "__main__":
    main()
