"""Run the project's commands as processes that have imported the package before they begin.

The imports are most of the processor time of a command, and seconds of an app's start. So they are done
once, by a server that does nothing else; each command is a fork of it, with its own arguments, environment
and output.
"""

import atexit
import multiprocessing
import os
import runpy
import sys
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.context import ForkServerProcess
from multiprocessing.forkserver import _forkserver
from pathlib import Path

__all__ = ["can_fork", "fork", "stop_forking"]

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    ["__main__", *(f"leadmodel.cli.{name}" for name in ("main", "serve", "train"))]
)


def can_fork(cwd: Path, environment: dict[str, str]) -> bool:
    """Tell whether the server's imports are those that a process of its own would have made.

    The Hub's client reads its variables when it is imported, but for the token.
    """
    read_at_import = (name for name in environment if name.startswith("HF_") and name != "HF_TOKEN")
    return cwd == Path(__file__).parents[1] and not any(read_at_import)


def fork(
    arguments: Sequence[str], environment: dict[str, str], stdout: Path, stderr: Path
) -> ForkServerProcess:
    """Start what `python *arguments` would, writing to the end of these files."""
    process = _CONTEXT.Process(
        target=_run, args=(list(arguments), os.environ | environment, str(stdout), str(stderr))
    )
    process.start()
    return process


def stop_forking() -> None:
    """End the server, if there is one."""
    with suppress(ProcessLookupError):
        _forkserver._stop()


def _run(arguments: list[str], environment: dict[str, str], stdout: str, stderr: str) -> None:
    for number, path in ((1, stdout), (2, stderr)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    os.environ.pop("HF_TOKEN", None)  # the server's, of the test that it was started for
    os.environ.update(environment)
    what, *rest = arguments
    try:
        if what == "-c":
            sys.argv = arguments
            exec(rest[0], {"__name__": "__main__"})
        elif what == "-m":
            sys.argv = rest
            runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
        else:
            sys.argv = arguments
            runpy.run_path(what, run_name="__main__")
    finally:
        atexit._run_exitfuncs()  # multiprocessing would leave them out
