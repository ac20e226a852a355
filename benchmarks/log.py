"""What an answer takes with the prediction log on beside one with the log off.

python benchmarks/log.py [--model DIR]

Both are asked in turns, so that a busy machine hurts both alike: one lead by REST of two running
apps, and by the service alone, with reasons and without.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.serving import Row, in_turns, our_app
from benchmarks.table import print_table
from leadmodel.model import LeadModel
from leadmodel.monitoring.log.files import LogStore
from leadmodel.monitoring.log.log import PredictionLog
from leadmodel.serving.service import ScoringService

TIMES = 2000
BOUND = "at most 1.05"


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", default="model")
    folder = Path(parser.parse_args().model).resolve()
    model = LeadModel.from_pretrained(folder)
    with tempfile.TemporaryDirectory() as kept:
        rows = [*by_service(model, Path(kept) / "service"), *by_rest(folder, model, Path(kept) / "rest")]
    print_table(f"Prediction log: {model.config.title}; load {os.getloadavg()[0]:.1f}", rows)


def by_service(model: LeadModel, kept: Path) -> list[Row]:
    """Time one lead by the service."""
    lead, log = model.schema.example(), PredictionLog(LogStore(kept))
    off, on = ScoringService(model), ScoringService(model, log=log)
    # Pairs by themselves: a call after one of another kind finds other things in the caches.
    taken = in_turns({"off": lambda: off.answer(lead), "on": lambda: on.answer(lead)}, TIMES)
    alone = in_turns(
        {
            "off": lambda: off.answer(lead, reasons=False),
            "on": lambda: on.answer(lead, reasons=False),
        },
        TIMES,
    )
    log.close()
    return [
        ("one lead by the service, with reasons", taken["on"], "ms", taken["off"], BOUND),
        ("the same without reasons", alone["on"], "ms", alone["off"], ""),
    ]


def by_rest(folder: Path, model: LeadModel, kept: Path) -> list[Row]:
    """Time one lead by REST."""
    lead = model.schema.example()
    os.environ.pop("LEADMODEL_LOG", None)
    with our_app(folder) as (off, _, _):
        os.environ["LEADMODEL_LOG"] = str(kept)
        with our_app(folder) as (on, _, _), httpx.Client(timeout=60) as client:

            def ask(address: str, query: str = "") -> None:
                client.post(f"{address}/api/v1/score{query}", json=lead).raise_for_status()

            taken = in_turns({"off": lambda: ask(off), "on": lambda: ask(on)}, TIMES)
            query = "?reasons=false"
            alone = in_turns({"off": lambda: ask(off, query), "on": lambda: ask(on, query)}, TIMES)
    return [
        ("one lead by /api/v1/score, with reasons", taken["on"], "ms", taken["off"], BOUND),
        ("the same without reasons", alone["on"], "ms", alone["off"], BOUND),
    ]


if __name__ == "__main__":
    main()
