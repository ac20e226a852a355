"""Replay past leads in time order through the retraining gate, month by month.

    python benchmarks/replay.py --data DATA [--picture benchmarks/replay.png]

At the end of each month a challenger learns from all leads so far. Three policies answer for the next
month's leads: the first model for ever, each challenger at once, and what the gate lets pass. The gate's
clock is that of the leads: a champion is old after three months. Where the leads have no dates, their
order is known, and a "month" is a twelfth of them.
"""

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.table import print_head
from leadmodel.leads.io import read_table
from leadmodel.leads.outcome.read import label_leads, read_outcomes
from leadmodel.leads.recipe import Recipe
from leadmodel.leads.times.read import read_times
from leadmodel.metrics.classification import Estimate, evaluate
from leadmodel.metrics.comparison import paired_difference
from leadmodel.model import LeadModel
from leadmodel.monitoring.retraining import retrain
from leadmodel.plots.style import ACCENT, PALE, SECOND, dress, new_figure, to_png
from leadmodel.training.interface import train_model

ROOT = Path(__file__).parents[1]
SETS = {"X Education": ("x-education", 4), "CodePro": ("codepro", 3)}
"""Recipe, and how many months the first champion learns from."""

MONTHS_UNTIL_OLD = 3
POLICIES = ("never", "always", "gate")
COLOURS = dict(zip(POLICIES, (PALE, SECOND, ACCENT), strict=True))

Floats = npt.NDArray[np.float64]


class Month(NamedTuple):
    """One month: who answered for its leads, and how well."""

    name: str
    n_leads: int
    y: npt.NDArray[np.int64]
    probability: dict[str, Floats]
    rule: str
    published: bool
    change: Estimate
    """Log loss of the gate's choice beyond that of the champion before it."""

    @property
    def losses(self) -> dict[str, float]:
        return {name: evaluate(self.y, p)["log_loss"] for name, p in self.probability.items()}


def main() -> None:
    """Replay every set, print a table each, and draw them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--picture", type=Path, default=ROOT / "benchmarks" / "replay.png")
    options = parser.parse_args()
    replayed = {}
    print_head("The retraining gate, replayed in time order")
    for name, (recipe, n_first) in SETS.items():
        leads, months = read_months(options.data / f"{recipe}-leads.csv", recipe)
        replayed[name] = replay(leads, months, Recipe.load(ROOT / "recipes" / f"{recipe}.toml"), n_first)
        print_months(name, replayed[name])
    options.picture.write_bytes(draw(replayed))


def read_months(path: Path, recipe_name: str) -> tuple[pd.DataFrame, pd.Series]:
    """Return the leads with an outcome, the oldest first, and the month of each."""
    recipe = Recipe.load(ROOT / "recipes" / f"{recipe_name}.toml")
    leads = read_table(path)
    leads = leads[label_leads(leads[str(recipe.target)], recipe.outcomes).is_known]
    times = read_times(leads[str(recipe.time)])
    leads = leads.iloc[np.argsort(times.to_numpy(), kind="stable")].reset_index(drop=True)
    times = read_times(leads[str(recipe.time)])
    if times.dtype.kind == "M":
        return leads, times.dt.strftime("%Y-%m")
    twelfth = 1 + 12 * np.arange(len(leads)) // len(leads)
    return leads, pd.Series(twelfth).map("{:02d} of 12".format)


def replay(leads: pd.DataFrame, months: pd.Series, recipe: Recipe, n_first: int) -> list[Month]:
    """Return what each policy answered month by month, the first `n_first` ones being history."""
    names = sorted(set(months))
    rule = label_leads(leads[str(recipe.target)], recipe.outcomes).rule
    first = champion = always = train_model(leads[months < names[n_first]], recipe)
    age, replayed = 0, []
    for name in names[n_first:]:
        decision = "none yet"
        before = champion
        if name != names[n_first]:
            age += 1
            limit = -1.0 if age >= MONTHS_UNTIL_OLD else float("inf")
            done = retrain(leads[months < name], champion, recipe, max_age_days=limit)
            assert done.challenger is not None
            always, decision = done.challenger, done.gate.rule
            if done.gate.publish:
                champion, age = done.challenger, 0
        new = leads[months == name]
        y = read_outcomes(new[str(recipe.target)], rule)
        models: dict[str, LeadModel] = {"never": first, "always": always, "gate": champion}
        probability = {policy: model.predict_proba(new)[:, 1] for policy, model in models.items()}
        change = paired_difference(y, probability["gate"], before.predict_proba(new)[:, 1])
        published = champion is not before
        replayed.append(Month(name, len(y), y, probability, decision, published, change))
        print(f"{name}: {decision}", file=sys.stderr, flush=True)
    return replayed


def print_months(name: str, replayed: list[Month]) -> None:
    """Print what each month brought, and the gains over all of them."""
    print(f"\n**{name}**, log loss of the month's leads\n")
    print("| Month | Leads | Never | Always | Gate | The gate | Published beyond the one before |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for month in replayed:
        losses = " | ".join(f"{month.losses[policy]:.4f}" for policy in POLICIES)
        told = "published" if month.published else "kept"
        change = month.change.summary("+.4f") if month.published else ""
        print(f"| {month.name} | {month.n_leads:,} | {losses} | {told}: {month.rule} | {change} |")
    y = np.concatenate([month.y for month in replayed])
    every = {
        policy: np.concatenate([month.probability[policy] for month in replayed]) for policy in POLICIES
    }
    totals = " | ".join(f"{evaluate(y, every[policy])['log_loss']:.4f}" for policy in POLICIES)
    print(f"| all | {len(y):,} | {totals} | | |\n")
    for policy in ("never", "always"):
        gained = paired_difference(y, every["gate"], every[policy])
        print(f"- gate against {policy}: {gained.summary('+.4f')}")
    worse = [month.name for month in replayed if month.published and month.change.low > 0]
    print(f"- published and worse on the next month beyond its interval: {', '.join(worse) or 'never'}")


def draw(replayed: dict[str, list[Month]]) -> bytes:
    """Draw the log loss by month and policy; a dot where the gate has published."""
    figure = new_figure(3.6, 4.8 * len(replayed))
    for place, (name, months) in enumerate(replayed.items(), 1):
        axes = dress(figure.add_subplot(1, len(replayed), place), name, "month", "log loss of its leads")
        shown = [month.name for month in months]
        for policy in POLICIES:
            losses = [month.losses[policy] for month in months]
            axes.plot(shown, losses, color=COLOURS[policy], label=policy, linewidth=2.5)
        dots = [(month.name, month.losses["gate"]) for month in months if month.published]
        axes.plot(*zip(*dots, strict=True), "o", color=ACCENT) if dots else None
        axes.tick_params(axis="x", rotation=60)
        axes.legend(frameon=False)
    return to_png(figure)


if __name__ == "__main__":
    main()
