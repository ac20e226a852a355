"""Made-up leads with what people write of themselves; nobody is behind them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from leadmodel.leads.recipe import Recipe
from leadmodel.model import LeadModel

__all__ = [
    "CONTACTS",
    "DATED",
    "PROSPECTS",
    "make_contacts",
    "make_dated",
    "make_prospects",
    "score_by_card",
]

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


PROSPECTS = Recipe(title="Prospects", target="won")

PREFIXES = {"+49 30": 0.3, "+44 20": 0.3, "+1 202": 0.25, "0": 0.15}
PAGES = ["", "pricing", "blog", "contact"]
TITLES = ["Marketing Manager", "Head of Sales", "CEO", "Software Engineer", "Praktikant", "Accountant"]
OPENINGS = ["I read about you on the web", "a colleague told me of you", "we met at the fair last week"]


def make_prospects(n_leads: int = 3000, random_state: int = 0, **signals: float) -> pd.DataFrame:
    """Leads with a phone, an address, a title, a company and a message, which tell of the outcome alone.

    Parameters
    ----------
    n_leads, random_state : int
        Number of rows, and seed.
    **signals : float
        Log-odds of a German number ("phone"), of the page about prices ("landing_page"), of a boss
        ("job_title"), of a GmbH ("company"), of the word "offer" ("message"); 0 for those not given.
    """
    rng = np.random.default_rng(random_state)
    prefix = rng.choice([*PREFIXES], n_leads, p=[*PREFIXES.values()])
    page, form = rng.choice(PAGES, n_leads), rng.choice(["GmbH", "Ltd", "Inc", ""], n_leads)
    campaign = rng.choice(["spring", "autumn"], n_leads)
    title = rng.choice(TITLES, n_leads)
    asks = rng.random(n_leads) < 0.3
    told = {
        "phone": prefix == "+49 30",
        "landing_page": page == "pricing",
        "job_title": np.isin(title, ["CEO", "Head of Sales"]),
        "company": form == "GmbH",
        "message": asks,
    }
    visits = rng.poisson(4, n_leads)
    log_odds = -1.5 + 0.2 * visits + sum(signals.get(name, 0.0) * told[name] for name in told)
    ask = np.where(asks, "please send me an offer", "please tell me more")
    return pd.DataFrame(
        {
            "phone": [
                f"{start} {number}"
                for start, number in zip(prefix, rng.integers(2e6, 9e6, n_leads), strict=True)
            ],
            "landing_page": [
                f"https://www.shop.example/{one}?utm_campaign={two}&session={n}"
                for n, (one, two) in enumerate(zip(page, campaign, strict=True))
            ],
            "job_title": [f"{one}, Zzteam {n}" for n, one in enumerate(title)],
            "company": [f"Zzfirm {n} {one}".strip() for n, one in enumerate(form)],
            "message": [
                f"{opening}, {one}. Zzperson {n}"
                for n, (opening, one) in enumerate(zip(rng.choice(OPENINGS, n_leads), ask, strict=True))
            ],
            "visits": visits,
            "won": (rng.random(n_leads) < 1 / (1 + np.exp(-log_odds))).astype(int),
        }
    )


def score_by_card(model: LeadModel, leads: pd.DataFrame, folder: Path) -> list[float]:
    """Return the probabilities that the snippet of the card prints for a file of leads."""
    model.save_pretrained(folder / "model")
    leads.to_csv(folder / "leads.csv", index=False)
    code = model.files["README.md"].decode().split("```python\n")[1].split("```")[0]
    # As the reader is told to: the comments on one's own leads become code.
    before, rest = code.split("# Or your own leads")
    own, after = rest.split('leads = pd.DataFrame(config["sklearn"]["example_input"])')
    own = "\n".join(line.removeprefix("# ") for line in own.splitlines()[1:])
    own, after = own.replace("leads.csv", "../leads.csv"), after.replace("print(model", "print(*model")
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.modules['leadmodel'] = None\n{before}{own}{after}"],
        cwd=folder / "model",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [float(text) for text in done.stdout.split()]


DATED = Recipe(title="Dated leads", target="won", time="created")


def make_dated(n_leads: int = 3000, random_state: int = 0, signal: float = 1.5) -> pd.DataFrame:
    """Leads with the date of their last visit: recent ones, and those of a weekend, convert more."""
    rng = np.random.default_rng(random_state)
    created = pd.Timestamp("2024-01-01") + pd.to_timedelta(
        np.sort(rng.integers(0, 500 * 1440, n_leads)), "min"
    )
    days = rng.integers(0, 60, n_leads)
    visited = created - pd.to_timedelta(days * 1440 + rng.integers(0, 1440, n_leads), "min")
    visits = rng.poisson(4, n_leads)
    log_odds = -1.5 + 0.2 * visits + signal * ((days < 15).astype(float) + (visited.day_of_week >= 5) - 0.5)
    return pd.DataFrame(
        {
            "created": created.strftime("%Y-%m-%d %H:%M"),
            "last_visit": visited.strftime("%d.%m.%Y %H:%M"),
            "visits": visits,
            "won": (rng.random(n_leads) < 1 / (1 + np.exp(-log_odds))).astype(int),
        }
    )
