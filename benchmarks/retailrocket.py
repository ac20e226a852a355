"""An invented log in the format, at the size and with the skew of RetailRocket's `events.csv`.

    python benchmarks/retailrocket.py FOLDER [--scale 4] [--seed 7]

2,756,101 events of 1,407,580 visitors from May to mid September 2015, written to FOLDER/events.csv
in no order of time: `timestamp` (milliseconds), `visitorid`, `event` (view, addtocart,
transaction), `itemid`, `transactionid` (of a transaction alone). Most visitors leave one event, a few
leave thousands; items are as uneven. A cart follows a view of the same item and a purchase a cart.
Every visitor has a lasting interest, which shows in longer visits, in returning and in carts, and
raises the chance of a purchase in the days that follow. `--scale 4` is the same shop with four times
the visitors. Needs requirements-dev.txt.
"""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

N_VISITORS = 1_407_580
N_VISITORS_OF_ONE_EVENT = 1_001_560
N_EVENTS = {"view": 2_664_312, "addtocart": 69_332, "transaction": 22_457}
N_ITEMS = 235_061
MOST_EVENTS = 7_757
"""Of one visitor."""

FIRST, LAST = 1_430_622_004_384, 1_442_545_187_788
"""Milliseconds since 1970: 3 May and 18 September 2015."""

HOUR = 3_600_000
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def main() -> None:
    """Write the file, and say what is in it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    events = make_events(options.scale, options.seed)
    events.write_csv(options.folder / "events.csv")
    print(f"{options.folder / 'events.csv'}: {len(events):,} events")


def make_events(scale: float = 1, seed: int = 7) -> pl.DataFrame:
    """Invent the log.

    Parameters
    ----------
    scale : float
        Visitors and events as multiples of the original's; 0.01 is enough for a test.
    seed : int
        The same scale and seed give the same log.

    Returns
    -------
    DataFrame of shape (n_events, 5)
        Columns `timestamp`, `visitorid`, `event`, `itemid` and `transactionid`.
    """
    rng = np.random.default_rng(seed)
    sizes = {name: round(n * scale) for name, n in N_EVENTS.items()}
    interest = rng.standard_normal(round(N_VISITORS * scale))
    counts = _events_per_visitor(rng, interest, sum(sizes.values()), scale)
    visitor = np.repeat(np.arange(len(counts)), counts)
    position = np.arange(len(visitor)) - np.repeat(np.cumsum(counts) - counts, counts)
    time = _times(rng, visitor, position, interest)
    item = _items(rng, position)
    event = _steps(rng, visitor, position, time, item, interest, sizes)
    log = pl.DataFrame(
        {
            "timestamp": time,
            "visitorid": rng.permutation(len(counts))[visitor],
            "event": pl.Series(event).replace_strict(dict(enumerate(sizes)), return_dtype=pl.String),
            "itemid": item,
            "transactionid": _transactions(visitor, event),
        }
    )
    return log[rng.permutation(len(log))]


def _events_per_visitor(rng: np.random.Generator, interest: Floats, n_events: int, scale: float) -> Ints:
    """Draw how many events each leaves: mostly one, else a power law; interest makes for more."""
    eager = np.argsort(np.argsort(0.6 * interest + 0.8 * rng.standard_normal(len(interest))))
    n_one = round(N_VISITORS_OF_ONE_EVENT * scale)
    n_more = len(interest) - n_one
    more = np.sort((2 * (1 - rng.random(n_more)) ** (-1 / 1.72)).astype(np.int64).clip(max=MOST_EVENTS))
    counts = np.concatenate([np.ones(n_one, np.int64), more])[eager]
    return _summing_to(rng, counts, n_events)


def _summing_to(rng: np.random.Generator, counts: Ints, total: int) -> Ints:
    """Add or take single events here and there until they sum to `total`."""
    while missing := total - int(counts.sum()):
        able = np.flatnonzero((counts > 2) & (counts < MOST_EVENTS))
        drawn = rng.permutation(able)[: abs(missing)]
        counts[drawn] += np.sign(missing)
    return counts


def _times(rng: np.random.Generator, visitor: Ints, position: Ints, interest: Floats) -> Ints:
    """Place each visitor's visits: minutes between events, days between visits, busy evenings."""
    returns = rng.random(len(visitor)) < 0.3
    minutes, days = rng.lognormal(11, 1.2, len(visitor)), rng.lognormal(18.6, 1.5, len(visitor))
    gaps = np.where(returns, days * np.exp(-0.3 * interest[visitor]), minutes)
    gaps[position == 0] = 0
    passed = np.cumsum(gaps)
    first = np.flatnonzero(position == 0)
    passed -= passed[first][visitor]
    span = passed[np.append(first[1:], len(visitor)) - 1]
    available = LAST - FIRST
    shrunk = np.minimum(1, 0.97 * available / np.maximum(span, 1))
    start = rng.random(len(first)) * (available - span * shrunk)
    return _rhythm(start[visitor] + passed * shrunk[visitor])


def _rhythm(passed: Floats) -> Ints:
    """Bend an even flow of time to the hours and the days of the week when people shop."""
    hours = np.arange(0, LAST - FIRST, HOUR)
    at = (FIRST + hours) // HOUR
    weekend = (at // 24 + 3) % 7 >= 5
    busy = (1.2 + np.cos((at % 24 - 20) * np.pi / 12)) * np.where(weekend, 0.8, 1.0)
    flow = np.concatenate([[0], np.cumsum(busy)])
    edges = np.append(hours, LAST - FIRST)
    return FIRST + np.interp(passed / (LAST - FIRST) * flow[-1], flow, edges).astype(np.int64)


def _items(rng: np.random.Generator, position: Ints) -> Ints:
    """Draw items of uneven popularity; a visitor often looks at the same one again."""
    weights = (np.arange(N_ITEMS) + 60.0) ** -0.85
    shares = np.cumsum(weights) / weights.sum()
    drawn = np.searchsorted(shares, rng.random(len(position)))
    again = (position > 0) & (rng.random(len(position)) < 0.3)
    origin = np.maximum.accumulate(np.where(again, 0, np.arange(len(position))))
    names = rng.permutation(2 * N_ITEMS)[:N_ITEMS]
    return names[drawn[origin].clip(max=N_ITEMS - 1)]


def _steps(
    rng: np.random.Generator,
    visitor: Ints,
    position: Ints,
    time: Ints,
    item: Ints,
    interest: Floats,
    sizes: dict[str, int],
) -> Ints:
    """Choose which events are carts (1) and purchases (2), and give them the item of the step before."""
    step = np.zeros(len(visitor), np.int64)
    keen = 1.1 * interest[visitor] + 0.25 * np.log1p(position)
    carts = _most(rng, keen, position > 0, sizes["addtocart"])
    step[carts] = 1
    item[carts] = item[carts - 1]
    latest = np.maximum.accumulate(np.where(step == 1, np.arange(len(step)), 0))
    follows = (visitor[latest] == visitor) & (step[latest] == 1) & (step == 0)
    waited = np.log1p(np.where(follows, time - time[latest], 0) / HOUR)
    bought = _most(rng, interest[visitor] - 0.5 * waited, follows, sizes["transaction"])
    step[bought] = 2
    item[bought] = item[latest[bought]]
    return step


def _most(rng: np.random.Generator, log_odds: Floats, able: npt.NDArray[np.bool_], n: int) -> Ints:
    """Draw exactly `n` of the able without replacement, more likely where the log-odds are high."""
    keys = np.where(able, log_odds + rng.gumbel(size=len(log_odds)), -np.inf)
    return np.sort(np.argpartition(-keys, n)[:n])


def _transactions(visitor: Ints, step: Ints) -> pl.Series:
    """Number the purchases; items that a visitor buys one after the other share a number."""
    bought = step == 2
    same = np.zeros(len(step), bool)
    same[1:] = bought[1:] & bought[:-1] & (visitor[1:] == visitor[:-1])
    return pl.Series(np.where(bought, np.cumsum(bought & ~same) - 1, -1)).replace(-1, None)


if __name__ == "__main__":
    main()
