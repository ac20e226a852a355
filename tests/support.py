"""How tests run the product as a stranger does: as processes of its own."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page

__all__ = ["ROOT", "command", "running_app", "visit"]

ROOT = Path(__file__).parents[1]


def command(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the project's Python with these arguments to its end."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(address: str, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"the app stopped: {process.communicate()[1]}")
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail("the app did not answer within three minutes")


@contextmanager
def running_app(repository: str, cwd: Path = ROOT, **environment: str) -> Iterator[str]:
    """Run app.py as a process of its own; yield its address."""
    port = free_port()
    settings = {"LEADMODEL_REPO": repository, "GRADIO_SERVER_PORT": str(port)}
    process = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=cwd,
        env=os.environ | settings | environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=20)


def visit(page: Page, address: str) -> None:
    """Open the app and wait until it is ready to score; its heartbeat never lets the network rest."""
    page.goto(address, timeout=120_000)
    page.locator("button:enabled", has_text=re.compile(r"^\s*Score\s*$")).wait_for(timeout=120_000)
