"""A synthetic table of EdTech leads: invented by this function, describing nobody."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadmodel.arrays import Floats
from leadmodel.leads.recipe import FieldConfig, Recipe

__all__ = ["SAMPLE_RECIPE", "make_sample"]

SAMPLE_RECIPE = Recipe(
    title="Synthetic EdTech leads",
    source="made by leadmodel.leads.sample.make_sample; no real person or company is in it",
    target="status",
    positive="Won",
    time="created_at",
    id=("lead_id",),
    fields={name: FieldConfig(influence=True) for name in ("webinar", "brochure")},
)

_SOURCES = {"Search": 0.34, "Social": 0.22, "Referral": 0.12, "Partner": 0.1, "Fair": 0.05, "Direct": 0.17}
_COURSES = {"Data Science": 0.3, "Web Development": 0.25, "Marketing": 0.2, "Design": 0.15, "Finance": 0.1}
_OCCUPATIONS = {"Professional": 0.52, "Unemployed": 0.3, "Student": 0.18}
_ACTIVITIES = {"Email": 0.45, "Website": 0.3, "Phone": 0.18, "Chat": 0.07}
_SOURCE_EFFECT = {
    "Referral": 1.3,
    "Partner": 0.5,
    "Search": 0.1,
    "Direct": 0.0,
    "Social": -0.5,
    "Fair": -0.2,
}
_OCCUPATION_EFFECT = {"Professional": 0.5, "Unemployed": -0.1, "Student": -0.9}


def make_sample(n_leads: int = 5000, random_state: int = 7) -> pd.DataFrame:
    """Invent leads with a creation date, an id, gaps, a field of many levels and an outcome.

    The outcome follows a logistic model with interactions (a long visit counts more for
    a professional, a webinar more for a referred lead) and a good part of chance.

    Parameters
    ----------
    n_leads : int
        Number of rows.
    random_state : int
        Seed; the same seed gives the same table.

    Returns
    -------
    DataFrame of shape (n_leads, 15)
    """
    rng = np.random.default_rng(random_state)
    leads = _draw_fields(rng, n_leads)
    chance = 1 / (1 + np.exp(-_log_odds(leads, rng)))
    leads["status"] = np.where(rng.random(n_leads) < chance, "Won", "Lost")
    for name, share in {"age": 0.08, "city": 0.06, "pages_per_visit": 0.03, "occupation": 0.02}.items():
        leads[name] = leads[name].mask(rng.random(n_leads) < share)
    return leads


def _draw_fields(rng: np.random.Generator, n_leads: int) -> pd.DataFrame:
    def draw(shares: dict[str, float]) -> npt.NDArray[np.str_]:
        return rng.choice(list(shares), n_leads, p=list(shares.values()))

    visits = rng.poisson(3.2, n_leads)
    seconds = np.sort(rng.integers(0, 540 * 86400, n_leads)).astype("timedelta64[s]")
    created = np.datetime64("2024-01-01T00:00:00") + seconds
    city_shares = 1 / np.arange(1, 301) ** 0.9  # of 300 invented cities, few of them large
    city_shares /= city_shares.sum()
    return pd.DataFrame(
        {
            "lead_id": [f"L{number:06d}" for number in range(1, n_leads + 1)],
            "created_at": [str(time).replace("T", " ") for time in created],
            "source": draw(_SOURCES),
            "course": draw(_COURSES),
            "occupation": draw(_OCCUPATIONS),
            "city": [f"City {city:03d}" for city in 1 + rng.choice(300, n_leads, p=city_shares)],
            "age": np.clip(rng.normal(38, 12, n_leads), 18, 70).round(),
            "website_visits": visits,
            "minutes_on_site": (visits * rng.gamma(2.0, 2.2, n_leads)).round(1),
            "pages_per_visit": rng.gamma(3.0, 1.0, n_leads).round(2),
            "emails_opened": rng.negative_binomial(2, 0.4, n_leads),
            "webinar": np.where(rng.random(n_leads) < 0.22, "Yes", "No"),
            "brochure": np.where(rng.random(n_leads) < 0.35, "Yes", "No"),
            "last_activity": draw(_ACTIVITIES),
        }
    )


def _log_odds(leads: pd.DataFrame, rng: np.random.Generator) -> Floats:
    minutes = np.log1p(leads["minutes_on_site"].to_numpy())
    professional = (leads["occupation"] == "Professional").to_numpy()
    referred = (leads["source"] == "Referral").to_numpy()
    webinar = (leads["webinar"] == "Yes").to_numpy()
    city = leads["city"].str[-3:].astype(int).to_numpy()
    log_odds = (
        -3.6
        + leads["source"].map(_SOURCE_EFFECT).to_numpy(dtype=float)
        + leads["occupation"].map(_OCCUPATION_EFFECT).to_numpy(dtype=float)
        + 0.75 * minutes * (1 + 0.4 * professional)
        + webinar * (0.9 + 0.8 * referred)
        + 0.5 * (leads["brochure"] == "Yes").to_numpy()
        + 0.4 * np.sin(city)
        + 0.9 * (leads["last_activity"] == "Website").to_numpy()
        - 0.0015 * (leads["age"].to_numpy() - 45) ** 2
    )
    return np.asarray(log_odds + rng.normal(0, 0.5, len(leads)), dtype=np.float64)
