"""Open a model for the first time in a process of its own, with limits of time and memory.

CatBoost's loader is C++: a manipulated model can end the process that opens it, and no check of
the bytes tells beforehand. Nor does one tell of all that can take hours or gigabytes. So whatever
comes from elsewhere is opened, used and shown there first, see `leadmodel.sandbox`. A model that has
proved itself is remembered by the checksum of all its files, so that the next start costs nothing.
"""

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from huggingface_hub import cached_assets_path

from leadmodel.errors import ModelError
from leadmodel.publishing.config import installed_versions
from leadmodel.publishing.loading import check_files

__all__ = ["SECONDS", "mark_verified", "verify_in_subprocess"]

SECONDS = 20
"""Of processor time that opening a model for the first time may take, beside loading the libraries."""

PATIENCE = 120
"""Seconds on the clock: the processor may be busy with others."""

CHECKS = 1
"""To be raised when a model that has passed is to be looked at again."""

_BEGIN = "import sys; sys.path.insert(0, sys.argv[1]); from leadmodel.sandbox import main; main()"
_ROOT = Path(__file__).parents[2]
_TIME_IS_UP = -24  # SIGXCPU, which Windows has not
_SURROUNDINGS = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
"""All that the process gets to know: no token, no proxy, nothing of the user's."""


def verify_in_subprocess(files: Mapping[str, bytes]) -> None:
    """Open the files of a model elsewhere first, unless that has gone well before.

    Raises
    ------
    ModelError
        If they cannot be opened, used or shown, or that takes too long or too much memory.
    """
    key = _key(files)
    with suppress(OSError, ValueError):  # the Hub's client raises both
        if _marker(key).exists():
            return
    check_files(files)
    try:
        done = subprocess.run(
            # Isolated, so that neither the environment nor the working folder adds a module to import.
            [sys.executable, "-I", "-c", _BEGIN, str(_ROOT)],
            input=_packed(files),
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            env=_SURROUNDINGS,
        )
    except subprocess.TimeoutExpired:
        raise ModelError(f"The model cannot be used: opening it took over {PATIENCE} s.") from None
    told = done.stdout.decode().splitlines()
    # A process that ended early, with whatever status, has not shown that the model can be used.
    if done.returncode or told[-1:] != ["done"]:
        raise ModelError(_reason(done.returncode, told, done.stderr))
    _remember(key)


def mark_verified(files: Mapping[str, bytes]) -> None:
    """Note that these files have been opened without harm."""
    _remember(_key(files))


def _key(files: Mapping[str, bytes]) -> str:
    """Return one checksum of all files, so that whoever swaps one does not profit from the others."""
    known = installed_versions() | {"checks": str(CHECKS)}
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return hashlib.sha256(json.dumps([known, sums], sort_keys=True).encode()).hexdigest()


def _remember(key: str) -> None:
    # Where the cache cannot be written, the next start rehearses again.
    with suppress(OSError, ValueError):
        _marker(key).touch()


def _marker(key: str) -> Path:
    return Path(cached_assets_path(library_name="leadmodel", namespace="opened")) / key


def _packed(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def _reason(code: int, told: list[str], errors: bytes) -> str:
    """Return why a model is refused, by the last line that the process wrote."""
    kind, _, what = (told[-1] if told else "").partition(" ")
    if kind == "refused":
        return str(json.loads(what))
    if code == _TIME_IS_UP:
        return f"{what or 'The model'} cannot be used: it took over {SECONDS} s of processor time."
    if code < 0:
        return (
            f"{what or 'The model'} cannot be used: CatBoost dies of it (signal {-code}); the model inside "
            "is damaged or hostile."
        )
    last = errors.decode(errors="replace").strip().splitlines()[-1:]
    return f"{what or 'The model'} cannot be used: {last[0][:200] if last else 'no reason given'}."
