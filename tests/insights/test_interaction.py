"""Pairs of fields that convert otherwise together than apart."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from leadmodel.insights.interaction import MIN_CELL, find_interactions
from leadmodel.insights.profile import Cell
from leadmodel.leads.convert import read_leads
from leadmodel.leads.infer import infer_schema
from leadmodel.leads.recipe import Recipe
from leadmodel.leads.schema import LeadSchema

COUNTS = {("a", "Yes"): (400, 320), ("a", "No"): (400, 80), ("b", "Yes"): (400, 80), ("b", "No"): (400, 80)}
NAMES = ["source", "webinar", "visits"]


def made(
    counts: dict[tuple[str, str], tuple[int, int]],
) -> tuple[LeadSchema, pd.DataFrame, npt.NDArray[np.int64]]:
    rows, y = [], []
    for (source, webinar), (count, converted) in counts.items():
        rows += [(source, webinar)] * count
        y += [1] * converted + [0] * (count - converted)
    raw = pd.DataFrame(rows, columns=["source", "webinar"])
    raw["visits"] = np.random.default_rng(0).integers(0, 40, len(raw)).astype(float)
    schema = infer_schema(raw, Recipe())
    return schema, read_leads(schema, raw), np.array(y)


def log_odds(count: int, converted: int) -> tuple[float, float]:
    won, lost = converted + 0.5, count - converted + 0.5
    return float(np.log(won / lost)), 1 / won + 1 / lost


def test_a_pair_is_found_and_measured_as_two_by_two_tables_are() -> None:
    schema, X, y = made(COUNTS)
    (found,) = find_interactions(schema, X, y, NAMES)
    assert set(found.fields) == {"source", "webinar"}
    # In a table of two by two the statistic is that of the ratio of the odds ratios.
    cells = [log_odds(*COUNTS[key]) for key in COUNTS]
    (a, va), (b, vb), (c, vc), (d, vd) = cells
    assert found.beyond == pytest.approx((a - b - c + d) ** 2 / (va + vb + vc + vd), abs=0.01)
    row, column = found.rows.index("a"), found.columns.index("Yes")
    assert found.cells[row][column] == Cell(count=400, converted=320)
    # Each cell lies off by the difference of the differences times its share of the variance.
    off = (a - b - c + d) * va / (va + vb + vc + vd)
    assert found.expected[row][column] == pytest.approx(1 / (1 + np.exp(off - a)), abs=5e-4)


def test_effects_that_add_up_are_no_interaction() -> None:
    # The odds: 1, 3, 3 and 9 times those of the first cell.
    added = {
        ("a", "Yes"): (400, 360),
        ("a", "No"): (400, 300),
        ("b", "Yes"): (400, 300),
        ("b", "No"): (400, 200),
    }
    assert find_interactions(*made(added), NAMES) == ()


def test_cells_of_few_leads_are_not_told() -> None:
    few = COUNTS | {("c", "Yes"): (MIN_CELL - 1, 20), ("c", "No"): (200, 40)}
    (found,) = find_interactions(*made(few), NAMES)
    row, column = found.rows.index("c"), found.columns.index("Yes")
    assert found.cells[row][column] is None
    assert found.expected[row][column] is None
    assert str(MIN_CELL - 1) not in found.model_dump_json()


def test_the_strongest_cell_is_the_one_that_chance_explains_least() -> None:
    (found,) = find_interactions(*made(COUNTS), NAMES)
    distances = {
        (row, column): abs(cell.rate - expected) * (cell.count / (expected * (1 - expected))) ** 0.5
        for row, cells in enumerate(found.cells)
        for column, cell in enumerate(cells)
        if cell is not None and (expected := found.expected[row][column]) is not None
    }
    assert found.strongest() == max(distances, key=lambda place: distances[place])


def test_numbers_are_grouped_between_their_quartiles() -> None:
    rng = np.random.default_rng(5)
    raw = pd.DataFrame(
        {"visits": rng.integers(0, 101, 4000).astype(float), "source": rng.choice(["a", "b"], 4000)}
    )
    schema = infer_schema(raw, Recipe())
    late = (raw["visits"] > raw["visits"].median()) & (raw["source"] == "a")
    y = (rng.random(4000) < np.where(late, 0.8, 0.2)).astype(np.int64)
    (found,) = find_interactions(schema, read_leads(schema, raw), y, ["visits", "source"])
    first, median, third = (int(raw["visits"].quantile(share, "lower")) for share in (0.25, 0.5, 0.75))
    assert found.rows == (
        f"up to {first}",
        f"{first + 1} to {median}",
        f"{median + 1} to {third}",
        f"above {third}",
    )
    assert sum(cell.count for row in found.cells for cell in row if cell) == 4000
