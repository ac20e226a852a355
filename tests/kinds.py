"""Leads of three kinds that nobody could miss, and leads of none."""

import numpy as np
import pandas as pd

from leadmodel.leads.recipe import Recipe

__all__ = ["RECIPE", "make_kinds", "make_noise"]

RECIPE = Recipe(title="Kinds of leads", target="won")


def make_kinds(n_leads: int = 1200, random_state: int = 0) -> pd.DataFrame:
    """Leads of three kinds by channel, visits and age; the outcome follows the visits, and chance."""
    rng = np.random.default_rng(random_state)
    kind = rng.choice(3, n_leads, p=[0.5, 0.3, 0.2])
    channel = np.array(["Search", "Partner", "Fair"])[np.where(rng.random(n_leads) < 0.95, kind, 0)]
    visits = np.array([2.0, 10.0, 20.0])[kind] + rng.normal(0, 1, n_leads)
    leads = pd.DataFrame(
        {
            "kind": kind,
            "channel": channel,
            "visits": visits,
            "age": np.array([30.0, 60.0, 45.0])[kind] + rng.normal(0, 3, n_leads),
            "colour": rng.choice(["red", "green"], n_leads),
            "won": (rng.random(n_leads) < 0.1 + 0.03 * visits).astype(int),
        }
    )
    leads.loc[rng.random(n_leads) < 0.05, "age"] = np.nan
    # Three leads share a value that would give them away.
    leads.loc[leads.index[:3], "channel"] = "Uncle Bob"
    return leads


def make_noise(n_leads: int = 1500, n_fields: int = 4, random_state: int = 0) -> pd.DataFrame:
    """Leads of uniform numbers and texts that have nothing to do with each other."""
    rng = np.random.default_rng(random_state)
    leads = pd.DataFrame({f"number_{place}": rng.random(n_leads) for place in range(n_fields)})
    leads["text"] = rng.choice(["a", "b", "c"], n_leads, p=[0.5, 0.3, 0.2])
    leads["won"] = (rng.random(n_leads) < 0.2 + 0.5 * leads["number_0"]).astype(int)
    return leads
