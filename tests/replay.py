"""Replay invented leads into a log, as if an app had scored them in the last weeks.

    python tests/replay.py FOLDER [--model DIR] [--days 30]

Half way the leads change: fewer from referrals, shorter visits. Their outcomes come back for all but
the last days.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parents[1]))

from leadmodel.leads.sample import make_sample
from leadmodel.model import LeadModel
from leadmodel.monitoring.log.files import LogStore, new_file, write_whole
from leadmodel.monitoring.log.log import REQUESTS, PredictionLog, ScoredCall
from leadmodel.monitoring.log.outcomes import OUTCOMES

__all__ = ["replay"]

CALL = 20
ROUTE = "/api/v1/score"


def replay(
    models: Sequence[LeadModel], folder: Path, n_leads: int = 6000, days: int = 30, *, drifting: bool = True
) -> None:
    """Write a log of that many leads, spread over the last days, scored by one model after the other."""
    leads, now = _draw(n_leads, drifting=drifting), datetime.now(UTC)
    times = [now - timedelta(days=days) * (1 - place / n_leads) for place in range(n_leads)]
    log, outcomes = PredictionLog(LogStore(folder), seconds=3600), []
    for start in range(0, n_leads, CALL):
        part, time = leads.iloc[start : start + CALL], times[start]
        call = _score(models[start * len(models) // n_leads], part, f"{start:032x}", time)
        log.add(call)
        if time < now - timedelta(days=days / 10):
            rows = {"row": range(1, len(part) + 1), "converted": part["status"] == "Won"}
            outcomes.append(pd.DataFrame({"request_id": call.request_id} | rows))
    log.close()
    table = pa.Table.from_pandas(pd.concat(outcomes), preserve_index=False)
    write_whole(new_file(folder, OUTCOMES, now), table)
    _count_requests(folder, times, now)


def _draw(n_leads: int, *, drifting: bool) -> pd.DataFrame:
    if not drifting:
        return make_sample(n_leads, random_state=11)
    half, leads = n_leads // 2, make_sample(4 * n_leads, random_state=11)
    changed = leads[(leads["source"] != "Referral") & (leads["minutes_on_site"] < 25)]
    return pd.concat([leads.head(half), changed.tail(n_leads - half)], ignore_index=True)


def _score(model: LeadModel, leads: pd.DataFrame, name: str, time: datetime) -> ScoredCall:
    known = leads[list(model.schema.by_name)].astype(object)
    raw = known.where(known.notna(), None).to_dict("records")
    answers = model.answers(raw)
    probability, grades = [one.probability for one in answers], [one.grade for one in answers]
    return ScoredCall(model, raw, probability, grades, "API", name, time)


def _count_requests(folder: Path, times: Sequence[datetime], now: datetime) -> None:
    rng = np.random.default_rng(0)
    for time in times[:: max(1, len(times) // 100)]:
        n_requests = rng.multinomial(200, [0.6, 0.3, 0.08, 0.015, 0.005])
        table = pa.table(
            {
                "time": pa.array([time] * 5, pa.timestamp("ms", "UTC")),
                "route": [ROUTE] * 5,
                "status": pa.array([200, 200, 200, 422, 500], pa.int16()),
                "seconds": [0.0025, 0.005, 0.025, 0.0025, 0.1],
                "requests": pa.array(n_requests, pa.int64()),
            }
        )
        write_whole(new_file(folder, REQUESTS, time), table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="model")
    parser.add_argument("--days", type=int, default=30)
    options = parser.parse_args()
    replay([LeadModel.from_pretrained(options.model)], options.folder, days=options.days)
