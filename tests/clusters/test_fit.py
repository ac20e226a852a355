"""Segments: found where there are kinds of leads, and not where there are none."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kinds import RECIPE, make_kinds, make_noise
from pydantic import ValidationError
from sklearn.metrics import adjusted_rand_score, davies_bouldin_score, silhouette_samples
from support import command

from leadmodel.clusters.fit import agreement, check_segments, cluster_leads, compare_methods, width
from leadmodel.clusters.page import BY_SEGMENT, CONVERSIONS, render_segments
from leadmodel.clusters.results import MIN_GAIN, MIN_STABILITY
from leadmodel.errors import InputError
from leadmodel.leads.convert import read_leads
from leadmodel.leads.infer import infer_schema
from leadmodel.model import LeadModel
from leadmodel.prepare.data import prepare
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.training.fit import fit
from leadmodel.training.interface import train_model
from leadmodel.training.package import package

LEADS = make_kinds()
FIELDS = LEADS.drop(columns=["kind", "won"])


@pytest.fixture(scope="module")
def settings(quick: TrainingSettings) -> TrainingSettings:
    return quick.model_copy(update={"segments": "auto"})


def typed(leads: pd.DataFrame) -> tuple:
    schema = infer_schema(leads.drop(columns="won", errors="ignore"), RECIPE)
    return schema, read_leads(schema, leads)


def test_clear_kinds_are_found_in_their_number() -> None:
    schema, X = typed(FIELDS)
    segments = cluster_leads(schema, X, "auto", 0)
    assert segments.pipeline is not None
    assert adjusted_rand_score(LEADS["kind"], segments.pipeline.predict(X)) > 0.95
    assert len(np.unique(segments.pipeline.predict(X))) == 3


@pytest.mark.parametrize("n_fields", [2, 3, 5])
@pytest.mark.parametrize("asked", ["auto", 4])
def test_noise_holds_no_stable_groups(n_fields: int, asked: int | str) -> None:
    schema, X = typed(make_noise(n_fields=n_fields))
    segments = cluster_leads(schema, X, asked, 0)
    assert segments.pipeline is None
    assert "none" in segments.found.summary()
    assert segments.found.segments == ()


def test_leads_of_few_different_kinds_of_answers_are_no_trouble() -> None:
    rng = np.random.default_rng(2)
    one = rng.choice(["a", "b"], 600)
    other = np.where(rng.random(600) < 0.9, np.where(one == "a", "x", "y"), "z")
    schema, X = typed(pd.DataFrame({"one": one, "other": other}))
    found = cluster_leads(schema, X, "auto", 0).found
    assert [number.n_groups for number in found.tried] == list(range(2, 9))
    assert found.tried[-1].smallest == 0  # there are four different leads


def test_a_wide_table_with_empty_and_constant_fields_is_no_trouble() -> None:
    wide = FIELDS.assign(
        flag=np.arange(1200) % 2, rare=[1.0, *[0.0] * 1199], seldom=[*[2.0] * 9, *[np.nan] * 1191]
    )
    schema, X = typed(wide)
    segments = cluster_leads(schema, X, "auto", 0)
    assert segments.pipeline is not None
    assert segments.pipeline[-1].n_clusters == 3


def test_the_same_seed_finds_the_same() -> None:
    schema, X = typed(FIELDS)
    one, other = (cluster_leads(schema, X, "auto", 3) for _ in range(2))
    assert one.found.tried == other.found.tried
    assert one.found.others == other.found.others
    assert one.pipeline is not None and other.pipeline is not None
    np.testing.assert_array_equal(one.pipeline.predict(X), other.pipeline.predict(X))


def test_what_leads_did_decides_nothing(model_of_kinds: LeadModel, settings: TrainingSettings) -> None:
    won = LEADS["won"].sample(frac=1, random_state=5).to_numpy()
    other = train_model(LEADS.drop(columns="kind").assign(won=won), RECIPE, settings)
    # The split follows the outcome, so only the training leads that both have can agree.
    new = make_kinds(random_state=9)
    grouped = [
        one.score(new.drop(columns=["kind", "won"]))["segment"].cat.codes for one in (model_of_kinds, other)
    ]
    assert adjusted_rand_score(*grouped) > 0.95


def test_what_is_reported_is_what_the_measures_say() -> None:
    schema, X = typed(FIELDS)
    segments = cluster_leads(schema, X, 3, 0)
    assert segments.pipeline is not None
    encoded = segments.pipeline[:-1].transform(X)
    labels = segments.pipeline.predict(X)
    best = segments.found.tried[0]
    assert best.silhouette == pytest.approx(silhouette_samples(encoded, labels).mean(), abs=1e-9)
    assert best.davies_bouldin == pytest.approx(davies_bouldin_score(encoded, labels))
    assert best.smallest == pytest.approx(np.bincount(labels).min() / len(X))
    assert best.stability >= MIN_STABILITY
    assert best.gain == pytest.approx(best.silhouette - best.shuffled)
    assert best.gain >= MIN_GAIN


def test_the_silhouette_is_that_of_its_definition() -> None:
    rng = np.random.default_rng(0)
    points, labels = rng.normal(size=(60, 2)), rng.integers(0, 3, 60)
    gaps = np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=2))
    widths = []
    for row, own in enumerate(labels):
        means = [gaps[row, labels == label].sum() for label in range(3)]
        counts = [(labels == label).sum() - (label == own) for label in range(3)]
        inside = means[own] / counts[own]
        nearest = min(means[label] / counts[label] for label in range(3) if label != own)
        widths.append((nearest - inside) / max(nearest, inside))
    assert width(points, labels, 0) == pytest.approx(np.mean(widths))
    assert width(points, np.zeros(60, dtype=np.intp), 0) == 0


def test_agreement_is_the_mean_over_all_pairs() -> None:
    rng = np.random.default_rng(1)
    groupings = [rng.integers(0, 2, 40) for _ in range(4)]

    def rand(one: np.ndarray, other: np.ndarray) -> float:
        """Adjusted Rand index by counting pairs of leads (Hubert and Arabie 1985)."""
        pairs = list(combinations(range(40), 2))
        a = np.array([one[i] == one[j] for i, j in pairs])
        b = np.array([other[i] == other[j] for i, j in pairs])
        expected = a.mean() * b.mean()
        return float(((a & b).mean() - expected) / ((a.mean() + b.mean()) / 2 - expected))

    expected = np.mean([rand(one, other) for one, other in combinations(groupings, 2)])
    assert agreement(groupings) == pytest.approx(expected)


def test_other_methods_are_judged_beside_k_means() -> None:
    schema, X = typed(FIELDS)
    segments = cluster_leads(schema, X, 3, 0)
    assert segments.pipeline is not None
    found = {one.method: one for one in segments.found.others}
    assert list(found) == ["k-means", "Gaussian mixture", "agglomerative (Ward)", "HDBSCAN"]
    assert [one.assigns for one in found.values()] == [True, True, False, False]
    assert all(one.stability > 0.9 for one in found.values())
    encoded = segments.pipeline[:-1].transform(X)
    assert compare_methods(encoded, 3, 24, 0) == segments.found.others


@pytest.mark.parametrize(
    ("asked", "n_leads", "message"),
    [
        (1, 1000, "A single segment would be all leads"),
        (0, 1000, "takes 2 to 20, or auto. Got 0 instead"),
        (-3, 1000, "takes 2 to 20, or auto. Got -3 instead"),
        (21, 10_000, "takes 2 to 20, or auto. Got 21 instead"),
        (5, 200, "5 segments need 250 training leads, 50 each. There are 200. Ask for 4 or fewer"),
        (2, 70, "Segments need 50 training leads each. There are 70 in all; leave --segments out"),
    ],
)
def test_what_cannot_be_divided_so_is_refused(asked: int, n_leads: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_segments(asked, n_leads)


def test_settings_take_a_number_or_auto() -> None:
    with pytest.raises(ValidationError, match="segments"):
        TrainingSettings(segments="many")
    assert "segments" not in TrainingSettings().model_dump()


def test_few_or_constant_leads_hold_none() -> None:
    schema, X = typed(FIELDS.head(90))
    found = cluster_leads(schema, X, "auto", 0).found
    assert (found.tried, found.segments) == ((), ())
    assert "none: there are too few leads" in found.summary()


def test_every_step_is_told(settings: TrainingSettings) -> None:
    steps: list[str] = []
    noise = train_model(make_noise(400), RECIPE, settings, steps.append)
    assert steps[-2:] == ["leads clustered", "model evaluated"]
    assert "segments" not in noise.config.options
    assert "segments.skops" not in noise.files
    assert "none: there are too few leads, or no associated fields" in noise.files["README.md"].decode()
    assert "segment" not in noise.score(make_noise(5))


def test_segments_are_counted_over_all_leads(model_of_kinds: LeadModel) -> None:
    found = model_of_kinds.evaluation.options["segments"]
    assert found is not None
    everyone = model_of_kinds.profile.leads
    assert sum(one.train.count for one in found.segments) == everyone.count
    assert sum(one.train.converted for one in found.segments) == everyone.converted
    assert sum(one.test.count for one in found.segments) == model_of_kinds.evaluation.n_test
    assert all(count >= 5 for one in found.segments for count in one.grades.values())
    for one in found.segments:
        assert one.test.count - 3 * 4 <= sum(one.grades.values()) <= one.test.count
        n, share, z = one.train.count, one.train.rate, 1.959964
        centre = (share + z * z / (2 * n)) / (1 + z * z / n)
        assert one.conversion[0].low < centre < one.conversion[0].high
        assert next(iter(one.reasons)) in ("visits", "channel", "age")


def test_rare_values_and_leads_stay_out_of_the_files(model_of_kinds: LeadModel) -> None:
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(model_of_kinds.files["segments.skops"])) as archive:
        opened = archive.read("schema.json")
        arrays = [name for name in archive.namelist() if name.endswith(".npy")]
        n_numbers = max((archive.getinfo(name).file_size - 128) // 8 for name in arrays)
    assert b"Search" in opened
    assert b"labels_" not in opened
    assert n_numbers < 100
    for content in (opened, *model_of_kinds.files.values()):
        assert b"Uncle Bob" not in content
    found = model_of_kinds.evaluation.options["segments"]
    assert found is not None and found.map is not None
    assert all(spot.leads.count > 5 for spot in found.map.spots)
    shown = sum(spot.leads.count for spot in found.map.spots)
    assert shown + found.map.hidden == model_of_kinds.profile.leads.count


def test_names_say_what_sets_each_segment_apart(model_of_kinds: LeadModel) -> None:
    found = model_of_kinds.evaluation.options["segments"]
    assert found is not None
    names = [one.name for one in found.segments]
    assert len(set(names)) == 3
    assert any("Channel: Fair" in name or "igh visits" in name for name in names)
    assert model_of_kinds.config.options["segments"].names == tuple(names)
    card = model_of_kinds.files["README.md"].decode()
    assert all(f"| {name} |" in card for name in names)


def test_a_model_without_segments_is_what_it_was(model: LeadModel) -> None:
    for name, content in model.files.items():
        if name.endswith(".json"):
            assert b'"segments"' not in content
    answer = model.answer(model.schema.example())
    assert "segment" not in answer.model_dump(mode="json")
    assert "segment" not in answer.model_dump_json()


def test_the_command_divides_leads_and_says_so(tmp_path: Path) -> None:
    LEADS.drop(columns="kind").to_csv(tmp_path / "leads.csv", index=False)
    given = (
        "train.py",
        "--data",
        tmp_path / "leads.csv",
        "--target",
        "won",
        "--output",
        tmp_path / "model",
    )
    done = command(*given, "--segments", "3")
    assert done.returncode == 0, done.stderr
    assert "Segments: 3 segments were found." in done.stdout
    for asked, message in (("1", "A single segment"), ("many", "takes a number or auto"), ("99", "Got 99")):
        done = command(*given, "--segments", asked)
        assert done.returncode == 2
        assert message in done.stderr
        assert "Traceback" not in done.stderr


def test_a_segment_tells_what_its_leads_are_worth(settings: TrainingSettings) -> None:
    leads = make_kinds().drop(columns="kind")
    amounts = 100.0 + np.arange(len(leads)) % 7  # those of leads that did not convert are ignored
    recipe = RECIPE.updated(amount="amount")
    data = prepare(leads.assign(amount=amounts), recipe, settings)
    made = package(fit(data, settings))
    answers = made.decide(made.predictor.predict(data.test[0]))
    for segment in made.evaluation.options["segments"].segments:
        own = answers.loc[answers["segment"] == segment.name, "expected_value"]
        assert segment.value == pytest.approx(own.mean())
    assert "a test lead, on average" in render_segments(made, [1, 2, 3], CONVERSIONS[0], BY_SEGMENT)
