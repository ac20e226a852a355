"""Play the last month of event logs through the API, event by event, and compare with the offline leads.

    python benchmarks/online.py --model MODEL --data FOLDER [--days 30] [--most 2000] [--clients 2]

MODEL was trained on the tables in FOLDER. For each of the last events, the app is sent its entity with
all of its rows so far, at the moment right after the event, as a website would. The same leads are made of
the whole tables in one go, as training makes them. Features and probabilities must be equal to the bit.
"""

import argparse
import datetime as dt
import statistics
import sys
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.serving import our_app
from benchmarks.table import print_table
from leadmodel.events.calls import EVENTS, CallReader
from leadmodel.events.dataset import TICK, describe_leads
from leadmodel.events.files import scan_table
from leadmodel.events.tables import read_event_tables
from leadmodel.events.timestamps import read_event_time
from leadmodel.leads.event_recipe import EventConfig
from leadmodel.model import LeadModel

TIME = "(time)"
Moments = list[tuple[str, dt.datetime]]


def main() -> None:
    """Replay, compare, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--most", type=int, default=2000, help="events to replay, drawn at random")
    parser.add_argument("--clients", type=int, default=2)
    options = parser.parse_args()
    model = LeadModel.from_pretrained(options.model)
    config = model.event_config
    assert config is not None
    with read_event_tables(options.data, config) as tables:
        log = tables.log.select("entity", "time").collect()
        last = log["time"].max()
        recent = log.filter(pl.col("time") > last - dt.timedelta(days=options.days)).unique()
        drawn = (
            recent.sort("time", "entity")
            .sample(min(options.most, len(recent)), seed=1)
            .sort("time", "entity")
        )
        leads = drawn.select("entity", cutoff=pl.col("time") + TICK)
        if tables.entities is not None:
            leads = leads.join(tables.entities, on="entity", how="left")
        started = time.perf_counter()
        offline = describe_leads(tables.log, leads.lazy(), config).collect()
        offline_seconds = time.perf_counter() - started
    expected = expect(model, offline)
    calls = make_calls(options.data, config, drawn)
    in_process = [seconds_of(model, body) for body in calls[:200]]
    with our_app(options.model.resolve()) as (address, _, _):
        answers, seconds, elapsed = replay(address, calls, options.clients)
    differences = sum(
        answer["features"] != features or answer["probability"] != probability
        for answer, (features, probability) in zip(answers, expected, strict=True)
    )
    n_events = [answer["n_events"] for answer in answers]
    sent = f"{options.clients} clients"
    rows = [
        (f"events of the last {options.days} days", len(recent), "", "", ""),
        ("of them replayed, drawn at random", len(calls), "", "", ""),
        ("answers that differ from the offline ones", differences, "", "", "0"),
        ("events of a history, median", statistics.median(n_events), "", "", ""),
        ("events of a history, most", max(n_events), "", "", ""),
        ("in process, median of 200", 1e3 * statistics.median(in_process), "ms", "", "8 ms"),
        (f"over HTTP, median, {sent}", 1e3 * statistics.median(seconds), "ms", "", "10 ms"),
        (f"events a second, {sent}", len(calls) / elapsed, "", "", ""),
        ("features of all of them at once, offline", offline_seconds, "s", "", ""),
    ]
    print_table(f"Events in, score out: {model.config.title}", rows)
    if differences:
        sys.exit(1)


def expect(model: LeadModel, offline: pl.DataFrame) -> list[tuple[dict[str, Any], float]]:
    """Return features and probability of each lead, in order of time and entity."""
    offline = offline.sort("cutoff", "entity")
    probability = model.predict_proba(offline.to_pandas())[:, 1].tolist()
    features = offline.select(list(model.schema.inputs)).to_dicts()
    return list(zip(features, probability, strict=True))


def make_calls(folder: Path, config: EventConfig, drawn: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the body of a call for each event: its entity, with all its rows up to this event."""
    reader, wanted = CallReader(config), set(drawn["entity"])
    rows: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for log in {log.table: log for log in config.logs}.values():
        rows[log.table] = rows_by_entity(folder, config, log, wanted)
    attributes: dict[str, dict[str, Any]] = {}
    if config.entities and reader.attributes:
        name = config.entities.entity or config.entity
        table = scan_table(folder, config.entities.table).select(name, *reader.attributes).collect()
        attributes = {row[name].strip(): row for row in table.to_dicts() if row[name].strip() in wanted}
    calls = []
    for entity, moment in drawn.select("entity", "time").iter_rows():
        at = moment + TICK
        events = {
            name: [{key: row[key] for key in row if key != TIME} for row in mine[entity] if row[TIME] < at]
            for name, mine in rows.items()
        }
        body = attributes.get(entity, {config.entity: entity}) | {EVENTS: events}
        calls.append({"entities": [body], "at": at.isoformat()})
    return calls


def rows_by_entity(
    folder: Path, config: EventConfig, log: Any, wanted: set[str]
) -> dict[str, list[dict[str, Any]]]:
    """Return the raw rows of a table by entity, with the columns of joined tables and the time."""
    table = scan_table(folder, log.table)
    for join in log.joins:
        table = table.join(scan_table(folder, join.table), on=join.on, how="left")
    parsed = read_event_time(table, log.time, table=log.table, unit=log.unit, format=log.format)
    name = log.entity or config.entity
    found = table.with_columns(parsed.alias(TIME)).filter(pl.col(name).is_in(wanted)).collect()
    by_entity: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in found.filter(pl.col(TIME).is_not_null()).to_dicts():
        by_entity[row[name]].append(row)
    return by_entity


def seconds_of(model: LeadModel, body: dict[str, Any]) -> float:
    """Return how long one answer takes in this process."""
    started = time.perf_counter()
    model.score_events(body["entities"], body["at"])
    return time.perf_counter() - started


def replay(
    address: str, calls: list[dict[str, Any]], n_clients: int
) -> tuple[list[dict[str, Any]], list[float], float]:
    """Send the calls in order; return the answers, the seconds of each, and of all."""
    with httpx.Client(base_url=address, timeout=60) as client, ThreadPoolExecutor(n_clients) as pool:

        def send(body: dict[str, Any]) -> tuple[dict[str, Any], float]:
            started = time.perf_counter()
            answer = client.post("/api/v1/score-events", json=body)
            answer.raise_for_status()
            return answer.json()[0], time.perf_counter() - started

        send(calls[0])
        started = time.perf_counter()
        answered = list(pool.map(send, calls))
        elapsed = time.perf_counter() - started
    return [answer for answer, _ in answered], [seconds for _, seconds in answered], elapsed


if __name__ == "__main__":
    main()
