"""Open every hostile folder of the tests, and print what became of it, how long that took, and the memory.

    python benchmarks/hostile.py

Each is opened in a process of its own that has loaded the libraries already; its memory includes
theirs, and is that of the larger of it and the process in which a model is opened first. The seconds
are those of the processor, which alone are bounded, and those on the clock.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
CACHE = tempfile.mkdtemp(prefix="leadmodel-hostile-")
os.environ["HF_HOME"] = CACHE

import hostile

from leadmodel.errors import ModelError
from leadmodel.leads.sample import SAMPLE_RECIPE, make_sample
from leadmodel.model import LeadModel
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.training.interface import train_model

SECONDS, MEGABYTES = 30, 1000
OUTCOMES = ("opened", "refused", "another error", "ran code")


def main() -> None:
    """Print a table of all kinds, and end with status 1 if one is beyond the bounds."""
    with tempfile.TemporaryDirectory() as place:
        good = Path(place) / "good"
        _measure(lambda: _train(good))
        rows = [_open(good, kind, Path(place) / str(number)) for number, kind in enumerate(hostile.KINDS)]
    print(f"\n{len(rows)} kinds; {sum(row[0] == 'refused' for row in rows)} refused")
    print(f"at most {max(row[1] for row in rows):.1f} s and {max(row[2] for row in rows):,.0f} MB")
    sys.exit(any(row[0] != "refused" or row[1] > SECONDS or row[2] > MEGABYTES for row in rows))


def _train(folder: Path) -> int:
    settings = TrainingSettings(max_trees=60, n_folds=3, n_members=2)
    train_model(make_sample(1200, random_state=3), SAMPLE_RECIPE, settings).save_pretrained(folder)
    return 0


def _open(good: Path, kind: str, folder: Path) -> tuple[str, float, float]:
    canary = folder / "canary"
    _measure(lambda: _build(good, kind, folder))
    started = time.perf_counter()
    code, seconds, megabytes = _measure(lambda: _try(folder))
    clock = time.perf_counter() - started
    outcome = OUTCOMES[3 if canary.exists() else code] if code in range(3) else f"ended with {code}"
    print(f"| {kind} | {outcome} | {seconds:.1f} | {clock:.1f} | {megabytes:,.0f} |", flush=True)
    return outcome, seconds, megabytes


def _build(good: Path, kind: str, folder: Path) -> int:
    build, _ = hostile.KINDS[kind]
    hostile.write(folder, build(LeadModel.from_pretrained(good), folder / "canary"))
    return 0


def _try(folder: Path) -> int:
    try:
        LeadModel.from_pretrained(folder)
    except ModelError:
        return 1
    return 0


def _measure(work: Callable[[], int]) -> tuple[int, float, float]:
    """Return status, seconds of the processor and peak memory in MB of work in a process of its own."""
    child = os.fork()
    if child == 0:
        code = 2
        try:
            code = work()
        finally:
            os._exit(code)
    _, status, used = os.wait4(child, 0)
    return os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss / 1000


if __name__ == "__main__":
    main()
