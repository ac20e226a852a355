"""How tests run the product as a stranger does: as processes of its own."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from forks import can_fork, fork
from playwright.sync_api import Page, expect

__all__ = ["ROOT", "command", "running_app", "violations", "when_ready", "with_amounts"]

ROOT = Path(__file__).parents[1]


def command(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the project's Python with these arguments to its end, in a process of its own.

    Code is given a fresh interpreter, because it may be about what is imported.
    """
    words = [str(argument) for argument in arguments]
    if words[0] == "-c" or not can_fork(ROOT, environment):
        return subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=False,
        )
    with tempfile.TemporaryDirectory() as folder:
        stdout, stderr = Path(folder, "stdout"), Path(folder, "stderr")
        process = fork(words, environment, stdout, stderr)
        process.join()
        return subprocess.CompletedProcess(
            words, process.exitcode or 0, stdout.read_text(), stderr.read_text()
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(
    address: str, process: ForkServerProcess | subprocess.Popen[str], log: Path | None = None
) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        if (process.poll() if isinstance(process, subprocess.Popen) else process.exitcode) is not None:
            pytest.fail(f"the app stopped: {log.read_text() if log else ''}")
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail("the app did not answer within three minutes")


@contextmanager
def running_app(
    repository: str | None,
    cwd: Path = ROOT,
    code: str = "",
    log: Path | None = None,
    python: str | Path = sys.executable,
    prefix: Sequence[str] = (),
    **environment: str,
) -> Iterator[str]:
    """Run app.py, or `code` in its place, as a process of its own; yield its address.

    What it prints goes to `log`, if that is given; `prefix` is the command that starts Python, if any.
    """
    port = free_port()
    environment |= {"GRADIO_SERVER_PORT": str(port)}
    if repository is not None:
        environment["LEADMODEL_REPO"] = repository
    arguments = ["-c", code] if code else ["app.py"]
    with tempfile.TemporaryDirectory() as folder:
        log = log or Path(folder, "log")
        process: ForkServerProcess | subprocess.Popen[str]
        # Code that changes what is imported needs an interpreter that has imported nothing yet.
        if python == sys.executable and not code and can_fork(cwd, environment):
            process = fork(arguments, environment, log, log)
        else:
            with open(log, "w") as printed:
                process = subprocess.Popen(
                    [*prefix, python, *arguments],
                    cwd=cwd,
                    env=os.environ | environment,
                    text=True,
                    stdout=printed,
                    stderr=subprocess.STDOUT,
                )
        try:
            wait_for(f"http://127.0.0.1:{port}/health", process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            if isinstance(process, subprocess.Popen):
                process.wait(timeout=20)
            else:
                process.join(timeout=20)
                assert process.exitcode is not None, "the app did not end within 20 seconds"


def when_ready(page: Page) -> None:
    """Wait until the form can be used; a page that keeps a connection open is never idle."""
    expect(page.get_by_role("button", name="Score", exact=True)).to_be_enabled(timeout=60_000)


def with_amounts(leads: pd.DataFrame, random_state: int = 1) -> pd.DataFrame:
    """Add a column of skewed amounts: twice as much for professionals, more for long visits."""
    rng = np.random.default_rng(random_state)
    professional = (leads["occupation"] == "Professional").to_numpy()
    means = 4 + 0.9 * professional + 0.03 * np.minimum(leads["minutes_on_site"].to_numpy(), 60)
    amounts = np.exp(means + rng.normal(0, 0.5, len(leads)))
    texts = [f"€{amount:,.2f}" for amount in amounts]
    return leads.assign(amount=np.where(leads["status"] == "Won", texts, None))


GRADIO = {"image-redundant-alt"}
"""What Gradio's own footer does: a picture beside its name, named once more."""


def violations(page: Page) -> list[str]:
    """Return what axe finds wrong, and where first."""
    page.wait_for_timeout(1500)  # what is still fading in has too little contrast
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["id"] not in GRADIO]
