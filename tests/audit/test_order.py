import numpy as np
import pandas as pd
import pytest

from leadmodel.audit.order import check_order
from leadmodel.leads.recipe import Recipe
from leadmodel.prepare.data import prepare, prepare_all
from leadmodel.prepare.settings import TrainingSettings

N = 4000
NO_IDS = pd.DataFrame(index=range(N))


def leads(drift: float, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    rng, along = np.random.default_rng(seed), np.linspace(-1, 1, N)
    X = pd.DataFrame(
        {
            "visits": rng.normal(drift * along, 1),
            "age": rng.normal(size=N),
            "source": pd.Categorical(np.where(rng.random(N) < 0.3 + 0.2 * drift * along, "web", "fair")),
            "rare": pd.Categorical(np.where(rng.random(N) < 0.0005, "x", "y")),
        }
    )
    return X, (rng.random(N) < 0.3 + 0.1 * drift * along).astype(int)


def test_what_drifts_along_the_file_shows_its_order() -> None:
    (finding,) = check_order(*leads(1.0), NO_IDS)
    assert finding.severity == "look at this"
    assert not finding.columns, "no field is to blame"
    assert "the conversion rate (" in finding.text and "'visits', 'source' change" in finding.text
    assert "'age'" not in finding.text
    assert "add a column that numbers the rows" in finding.text


def test_rows_in_no_order_are_not_named() -> None:
    assert [check_order(*leads(0.0, seed), NO_IDS) for seed in range(100)] == [[]] * 100


@pytest.mark.parametrize("key", ["age", "source", "y"])
def test_a_file_that_is_sorted_by_a_column_says_nothing_of_time(key: str) -> None:
    X, y = leads(0.0)
    order = np.argsort(y if key == "y" else X["age"] if key == "age" else X["source"].cat.codes)
    assert check_order(X.iloc[order], y[order], NO_IDS) == []


@pytest.mark.parametrize(("step", "word"), [(7, "rises"), (-7, "falls")])
def test_ids_that_count_the_leads_are_offered_as_their_time(step: int, word: str) -> None:
    ids = pd.DataFrame({"mail": [f"{n}@x.org" for n in range(N)], "lead no": np.arange(N) * step})
    (finding,) = check_order(*leads(1.0), ids)
    assert f"'lead no' {word} from row to row" in finding.text
    assert "--time 'lead no'" in finding.text


def table(n_gaps: int) -> pd.DataFrame:
    X, y = leads(0.5)
    days = pd.date_range("2024-01-01", periods=N, freq="h").strftime("%m/%d/%Y %H:%M").to_numpy(object)
    days[np.random.default_rng(1).permutation(N)[:n_gaps]] = None
    return X.drop(columns="rare").assign(created=days, updated="2025-01-01", status=y.astype(str))


def test_leads_without_a_date_are_training_leads() -> None:
    recipe = Recipe(target="status")
    data = prepare(table(3), recipe, TrainingSettings())
    assert data.recipe.time == "created"
    assert "3 leads without a time are training leads" in data.split.description
    undated = np.flatnonzero(data.raw("created").isna())
    assert len(undated) == 3 and np.isin(undated, data.split.train).all()
    assert data.split.test.min() > data.split.train[3:].max() - 3
    assert data.split.time_range == ("2024-01-01 00:00:00+00:00", data.split.time_range[1])  # type: ignore[index]
    texts = [finding.text for finding in data.audit.findings if finding.kind == "time of a lead"]
    assert len(texts) == 1
    assert texts[0].startswith("'created' is taken for the time of a lead: its name fits best.")
    assert texts[0].endswith("3 leads have no time in 'created', and none of them is tested.")


def test_check_says_what_train_says_of_the_time() -> None:
    recipe = Recipe(target="status")
    data = prepare_all(table(0).drop(columns=["created", "updated"]), recipe, TrainingSettings())
    assert [finding.kind for finding in data.audit.findings].count("order of the rows") == 1
    named = prepare_all(table(5), recipe.updated(time="created"), TrainingSettings())
    kinds = {finding.kind: finding.text for finding in named.audit.findings}
    assert kinds["time of a lead"] == "5 leads have no time in 'created', and none of them is tested."
    assert "order of the rows" not in kinds
