"""Copies with small changes are found in any order, shifted ones in that of the file, equal people not."""

import numpy as np
import pandas as pd
import pytest

from leadmodel.audit.twins import Twins, find_twins

N = 2000


def people(n: int = N, seed: int = 0) -> pd.DataFrame:
    """Leads without copies: three columns of many different numbers, one of a few, six of categories."""
    rng = np.random.default_rng(seed)
    columns: dict[str, object] = {
        "income": np.where(rng.random(n) < 0.2, 0.0, rng.integers(20_000, 90_000, n)),
        "age": rng.integers(18, 70, n).astype(float),
        "minutes": np.where(rng.random(n) < 0.1, np.nan, rng.gamma(2, 20, n).round(2)),
        "children": rng.integers(0, 4, n).astype(float),
    }
    columns |= {f"text {place}": pd.Categorical(rng.choice(list("abcd"), n)) for place in range(6)}
    return pd.DataFrame(columns)


def changed(leads: pd.DataFrame) -> pd.DataFrame:
    """Return copies of leads, each with another value in one column of categories."""
    copies = leads.copy()
    texts = [name for name in leads if name.startswith("text")]
    for place, name in enumerate(texts):
        rows = np.arange(len(copies)) % len(texts) == place
        codes = copies[name].cat.codes.to_numpy().copy()
        codes[rows] = (codes[rows] + 1) % 4
        copies[name] = pd.Categorical.from_codes(codes, categories=list("abcd"))
    return copies


def found(leads: pd.DataFrame, ids: np.ndarray | None = None) -> Twins:
    twins = find_twins(leads, ids)
    assert twins is not None
    return twins


def test_copies_with_small_changes_are_found_in_any_order() -> None:
    leads = people()
    originals = leads[leads["income"].gt(0) & leads["minutes"].notna()].head(100)
    table = pd.concat([leads, changed(originals), changed(originals)], ignore_index=True)
    of_lead = np.concatenate([np.arange(N), originals.index, originals.index])
    order = np.random.default_rng(1).permutation(len(table))
    twins = found(table.iloc[order].reset_index(drop=True))
    assert twins.n_twins == 300
    assert twins.n_shifted == 0
    assert twins.columns == ("income", "age", "minutes")
    together = pd.DataFrame({"lead": of_lead[order], "group": twins.group_ids}).drop_duplicates()
    assert together["lead"].is_unique and together["group"].is_unique
    text = twins.finding().text
    assert text.startswith(
        "300 leads (13.6%) are copies of other leads with small changes: they are equal in 3"
    )


def test_a_shifted_copy_of_the_file_is_found() -> None:
    leads = people()
    shift = {"income": 3678.0, "age": 1.0, "minutes": 0.1, "children": 1.0}
    copies = changed(leads).assign(**{name: leads[name] + by for name, by in shift.items()})
    twins = found(pd.concat([leads, copies], ignore_index=True))
    assert twins.n_twins == 2 * N
    assert twins.n_shifted == 2 * N
    np.testing.assert_array_equal(twins.group_ids[:N], twins.group_ids[N:])
    assert len(set(twins.group_ids)) == N
    assert "they are equal, or differ by a constant, in 3 columns" in twins.finding().text


def test_a_shifted_copy_of_a_part_is_found_wherever_it_stands() -> None:
    leads = people()
    copies = leads.iloc[300:600].assign(income=leads["income"] + 500, age=leads["age"] - 2)
    twins = found(pd.concat([leads.iloc[:1500], copies, leads.iloc[1500:]], ignore_index=True))
    assert 590 <= twins.n_twins <= 610
    np.testing.assert_array_equal(twins.group_ids[310:590], twins.group_ids[1510:1790])


def categories() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    return pd.DataFrame(
        {name: pd.Categorical(rng.choice(list("abc"), N)) for name in ("source", "country")}
    )


def cities() -> pd.DataFrame:
    """Leads of a few hundred cities, about each of which three numbers are known."""
    rng = np.random.default_rng(3)
    city = rng.zipf(1.3, N) % 300
    about = {name: rng.normal(size=300).round(4)[city] for name in ("latitude", "longitude", "people")}
    source = pd.Categorical(rng.choice(list("abc"), N))
    return pd.DataFrame({**about, "city": pd.Categorical(city.astype(str)), "source": source})


def visits() -> pd.DataFrame:
    """Leads of whom a third never came, and whose few visits and pages go together."""
    rng = np.random.default_rng(4)
    n_visits = np.where(rng.random(N) < 0.3, 0, rng.poisson(3, N)).astype(float)
    pages = np.where(n_visits > 0, (rng.poisson(3, N) + 1) / np.maximum(n_visits, 1), 0).round(2)
    seconds = np.where(n_visits > 0, rng.integers(1, 1500, N), 0).astype(float)
    return pd.DataFrame({"visits": n_visits * 7 % 31, "pages": pages, "seconds": seconds})


def coarse() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    return pd.DataFrame({name: rng.integers(0, 25, N).astype(float) for name in "abc"})


@pytest.mark.parametrize(
    "leads", [people, categories, cities, visits, coarse], ids=lambda one: one.__name__
)
def test_equal_people_are_no_twins(leads: object) -> None:
    assert callable(leads)
    assert find_twins(leads()) is None


def test_one_copy_in_a_thousand_is_no_finding() -> None:
    leads = people()
    assert find_twins(pd.concat([leads, leads.head(12)], ignore_index=True)) is None


def test_leads_of_one_person_are_no_copies() -> None:
    leads = people()
    table, ids = pd.concat([leads, leads], ignore_index=True), np.tile(np.arange(N), 2)
    assert found(table).n_twins > N
    assert find_twins(table, ids) is None


def test_numbers_without_a_constant_distance_are_no_copies() -> None:
    leads = people()
    noise = np.random.default_rng(6).normal(size=N).round(2)
    copies = leads.assign(income=leads["income"] + noise, age=leads["age"] + noise, minutes=noise)
    assert find_twins(pd.concat([leads, copies], ignore_index=True)) is None
