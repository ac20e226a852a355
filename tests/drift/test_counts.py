import numpy as np
import pandas as pd
import pytest

from leadmodel.drift.counts import MAX_NEW, Counts, count_leads
from leadmodel.insights.profile import profile_leads, profile_output
from leadmodel.leads.convert import read_leads
from leadmodel.leads.infer import infer_schema
from leadmodel.leads.recipe import Recipe

RNG = np.random.default_rng(1)
PAST = pd.DataFrame(
    {
        "visits": RNG.integers(1, 40, 400).astype(float),
        "source": RNG.choice(["Google", "Fair", "Letter"], 400),
    }
)
Y = RNG.integers(0, 2, 400)
SCHEMA = infer_schema(PAST, Recipe())
PROBABILITY = RNG.random(400)
OUTPUTS = {"probability": profile_output(PROBABILITY, Y)}
PROFILE = profile_leads(SCHEMA, read_leads(SCHEMA, PAST), Y, OUTPUTS)
NEW = pd.DataFrame(
    {
        "visits": [np.nan, 0.0, 100.0, 101.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0],
        "source": ["Google", None, "Fair", "TikTok", "TikTok", "TikTok", "TikTok", "TikTok", "Ann", "Ann"],
    }
)


def count(leads: pd.DataFrame, probability: float = 0.5) -> Counts:
    said = {"probability": np.full(len(leads), probability)}
    return count_leads(PROFILE, read_leads(SCHEMA, leads), said)


def test_the_training_leads_count_as_in_their_profile() -> None:
    counts = count(PAST)
    for name, known in PROFILE.fields.items():
        found = counts.fields[name]
        assert found.cells == {cell: counted.count for cell, counted in known.cells.items()}
        assert (found.other, found.missing, found.below, found.above) == (0, 0, 0, 0)


def test_gaps_new_values_and_numbers_beyond_the_training_leads_are_counted_apart() -> None:
    counts = count(NEW)
    visits, source = counts.fields["visits"], counts.fields["source"]
    assert (visits.missing, visits.below, visits.above) == (1, 1, 2)
    low, high = PROFILE.fields["visits"].bounds(5.0)
    assert low < 5 <= high
    assert sum(visits.cells.values()) == max(visits.cells.values()) == 6
    assert source.cells == {"Google": 1, "Fair": 1, "Letter": 0}
    assert (source.missing, source.other, source.new) == (1, 7, {"TikTok": 5, "Ann": 2})


def test_no_rare_new_value_is_named_in_json() -> None:
    text = count(NEW).model_dump_json()
    assert "TikTok" in text
    assert "Ann" not in text


def test_outputs_are_counted_by_their_bins() -> None:
    found = count(NEW, 2.0).outputs["probability"]
    assert (found.above, sum(found.cells.values())) == (10, 0)
    unknown = count_leads(PROFILE, read_leads(SCHEMA, NEW), {"revenue": np.ones(10)})
    assert unknown.outputs == {}


def test_parts_add_up_to_the_whole_however_they_are_cut() -> None:
    whole = count(pd.concat([PAST, NEW]))
    assert count(PAST) + count(NEW) == whole
    halves = [NEW.iloc[:6], NEW.iloc[6:]]
    assert count(halves[0]) + count(halves[1]) == count(NEW)
    assert Counts.model_validate_json(count(PAST).model_dump_json()) == count(PAST)


def test_counts_of_other_cells_do_not_add_up() -> None:
    other = PAST.assign(source=PAST["source"].replace("Fair", "Book"))
    schema = infer_schema(other, Recipe())
    counts = count_leads(profile_leads(schema, read_leads(schema, other), Y), read_leads(schema, other))
    with pytest.raises(ValueError, match="of the same fields and outputs can be added"):
        count(PAST) + counts
    with pytest.raises(ValueError, match="by the cells of one profile can be added"):
        counts.fields["source"] + count(PAST).fields["source"]


def test_as_many_threads_count_the_same() -> None:
    many = pd.concat([PAST] * 150, ignore_index=True)
    counts = count(many)
    once = count(PAST)
    assert counts.n_leads == 60_000
    for name, found in counts.fields.items():
        assert found.cells == {cell: 150 * size for cell, size in once.fields[name].cells.items()}


def test_a_field_that_differs_in_each_lead_does_not_fill_the_memory() -> None:
    texts = [f"text {n}" for n in range(3000)] + ["TikTok"] * 9
    leads = pd.DataFrame({"visits": 5.0, "source": texts})
    found = (count(leads) + count(leads)).fields["source"]
    assert len(found.new) == MAX_NEW
    assert found.new["TikTok"] == 18
    assert found.other == 2 * 3009
