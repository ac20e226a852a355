"""Made-up leads with mail addresses; nobody is behind them."""

import numpy as np
import pandas as pd

from leadmodel.leads.recipe import Recipe

__all__ = ["CONTACTS", "make_contacts"]

CONTACTS = Recipe(title="Contacts", target="won")

HOSTS = ["gmail.com", "yahoo.co.uk", "bigco.com", "acme.io", "mit.edu", "ox.ac.uk"]


def make_contacts(n_leads: int = 2500, random_state: int = 0, signal: float = 1.5) -> pd.DataFrame:
    """Leads whose mail address tells of the outcome by its host's kind alone, with `signal` in log-odds."""
    rng = np.random.default_rng(random_state)
    host = rng.choice(HOSTS, n_leads, p=[0.35, 0.15, 0.15, 0.1, 0.1, 0.15])
    # A third of the leads have a host that no other has.
    host = np.where(rng.random(n_leads) < 0.3, [f"firm{n}.example" for n in range(n_leads)], host)
    is_company = ~np.isin(host, ["gmail.com", "yahoo.co.uk", "mit.edu", "ox.ac.uk"])
    visits = rng.poisson(4, n_leads)
    chance = 1 / (1 + np.exp(-(-1.5 + 0.2 * visits + signal * is_company)))
    leads = pd.DataFrame(
        {
            "email": [f"Zzperson{n}.Qqname@{name}" for n, name in enumerate(host)],
            "visits": visits,
            "source": rng.choice(["Ads", "Search", "Fair"], n_leads),
            "won": (rng.random(n_leads) < chance).astype(int),
        }
    )
    return leads.assign(email=leads["email"].mask(rng.random(n_leads) < 0.05))
