"""What the audit finds, each thing put into a table that has nothing else wrong with it."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from leadmodel.audit.audit import Audit, Finding, audit_leads
from leadmodel.audit.gaps import FillTest
from leadmodel.audit.univariate import N_FOLDS, auc_difference, is_gap, measure_univariate, to_codes
from leadmodel.leads.convert import read_leads
from leadmodel.leads.infer import infer_schema
from leadmodel.leads.recipe import Recipe
from leadmodel.leads.sample import SAMPLE_RECIPE, make_sample

N = 2000
SAMPLE = make_sample(N, random_state=5)
WON = (SAMPLE["status"] == "Won").to_numpy()
Y = WON.astype(np.int64)


def audited(leads: pd.DataFrame, y: np.ndarray = Y, recipe: Recipe = SAMPLE_RECIPE) -> Audit:
    schema = infer_schema(leads, recipe)
    return audit_leads(schema, leads, read_leads(schema, leads), y)


def of_kind(audit: Audit, kind: str) -> list[Finding]:
    return [finding for finding in audit.findings if finding.kind == kind]


def draw(*, seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def some(share: float) -> np.ndarray:
    return draw(seed=2).random(N) < share


def test_gaps_of_features_of_events_are_no_suspects() -> None:
    """Who has not come yet has no last visit: that is known before the outcome, and may well tell it."""
    came = WON & some(0.9) | ~WON & some(0.3)
    features = {name: np.where(came, draw(seed=n).normal(size=N), np.nan) for n, name in enumerate("abc")}
    leads = SAMPLE.assign(**features)
    schema = infer_schema(leads, SAMPLE_RECIPE)
    typed = read_leads(schema, leads)
    read, made = (audit_leads(schema, leads, typed, Y, frozenset(names)) for names in ("", "abc"))
    assert {"a", "b", "c"} <= set(read.suspects)
    assert not {"a", "b", "c"} & set(made.suspects)


LEAKS = {
    "other words": ("copy of the outcome", np.where(WON, "yes, signed", "gone")),
    "other numbers": ("copy of the outcome", np.where(WON, 7, 3)),
    "stages": (
        "decides the outcome",
        np.where(WON, draw().choice(["a", "b"], N), draw().choice(["c", "d"], N)),
    ),
    "amount": ("decides the outcome", np.where(WON, draw().gamma(2, 500, N), 0.0)),
    "with slips": ("nearly decides the outcome", np.where(some(0.02), 1 - Y, Y)),
    "only for converted": (
        "filled in for one outcome",
        np.where(WON & some(0.6), draw().normal(size=N), np.nan),
    ),
    "why lost": (
        "filled in for one outcome",
        np.where(~WON & some(0.3), draw().choice(["x", "y"], N), None),
    ),
    "missing for converted": (
        "filled in for one outcome",
        np.where(WON, None, draw().choice(["x", "y"], N)),
    ),
    "filled in for most": (
        "filled in mostly for one outcome",
        np.where(draw().random(N) < np.where(WON, 0.75, 0.3), draw().choice(["x", "y"], N), None),
    ),
    "a guess": (
        "values of one outcome",
        np.where(some(0.25), np.where(WON, "sure", "hopeless"), draw().choice(["so", "or so"], N)),
    ),
}


@pytest.mark.parametrize(("kind", "column"), LEAKS.values(), ids=LEAKS)
def test_a_column_that_knows_the_outcome_is_a_suspect(kind: str, column: np.ndarray) -> None:
    audit = audited(SAMPLE.assign(**{"some column": column}))
    assert audit.suspects == ("some column",)
    assert audit.findings[0].kind == kind
    assert audit.findings[0].severity == "suspect leak"


def test_honest_columns_are_no_suspects() -> None:
    assert audited(SAMPLE).suspects == ()
    assert audited(make_sample(150, random_state=8), Y[:150]).suspects == ()


@pytest.mark.parametrize(("n", "share"), [(100, 0.5), (300, 0.1), (4000, 0.02)])
def test_chance_makes_no_suspects(n: int, share: float) -> None:
    rng = draw()
    columns = {f"number {place}": rng.normal(size=n) for place in range(20)}
    columns |= {f"text {place}": rng.choice(list("abcdefgh"), n) for place in range(20)}
    columns |= {f"many {place}": (rng.zipf(1.4, n) % 200).astype(str) for place in range(10)}
    columns |= {f"gap {place}": np.where(rng.random(n) < 0.4, None, "x") for place in range(10)}
    y = (np.arange(n) < share * n).astype(np.int64)
    assert audited(pd.DataFrame(columns), y, Recipe()).suspects == ()


def test_a_column_ahead_of_all_others_together_is_a_suspect() -> None:
    length_of_call = np.exp(1.3 * Y + draw().normal(size=N))
    audit = audited(SAMPLE.assign(length=length_of_call))
    assert [finding.kind for finding in of_kind(audit, "outdoes the others")] == ["outdoes the others"]
    twice = SAMPLE.assign(length=length_of_call, minutes=length_of_call + draw().normal(size=N) / 10)
    assert audited(twice).suspects == ()


def test_columns_that_another_system_filled_in_together_are_suspects() -> None:
    gap = some(0.45)
    scores = {
        f"score {place}": np.where(gap, np.nan, Y / 2 + draw(seed=place).normal(size=N))
        for place in range(3)
    }
    audit = audited(SAMPLE.assign(**scores))
    assert audit.suspects == tuple(scores)
    (finding,) = of_kind(audit, "filled in together")
    assert f"the same {gap.mean():.1%} of the leads" in finding.text
    del scores["score 0"]
    assert audited(SAMPLE.assign(**scores)).suspects == ()


def test_a_group_that_says_nothing_or_is_half_the_table_is_no_suspect() -> None:
    gap = some(0.45)
    noise = {f"noise {place}": np.where(gap, np.nan, draw(seed=place).normal(size=N)) for place in range(3)}
    assert audited(SAMPLE.assign(**noise)).findings == audited(SAMPLE).findings
    visits = {
        f"visits {place}": np.where(gap, np.nan, Y / 2 + draw(seed=place).normal(size=N))
        for place in range(3)
    }
    audit = audited(pd.DataFrame(visits | {"source": SAMPLE["source"]}), recipe=Recipe())
    assert audit.suspects == ()
    assert of_kind(audit, "filled in together")[0].severity == "note"


def test_a_date_filled_in_for_converted_leads_is_a_suspect_though_left_out() -> None:
    audit = audited(SAMPLE.assign(signed=np.where(WON, SAMPLE["created_at"], " ")))
    assert audit.suspects == ("signed",)
    assert "100.0% of the converted leads and 0.0% of the others" in audit.findings[0].text
    assert "Already left out: date" in audit.findings[0].text


def test_the_first_finding_of_a_column_makes_it_a_suspect() -> None:
    findings = [
        Finding(kind=kind, columns=columns, text="", severity=severity)
        for kind, columns, severity in [
            ("one", ("a",), "suspect leak"),
            ("two", ("b", "a"), "suspect leak"),
            ("three", ("c",), "note"),
        ]
    ]
    audit = Audit(findings=tuple(findings))
    assert audit.suspicions == {"a": "one", "b": "two"}
    assert audit.suspects == ("a", "b")
    assert audit.by_severity() == {"suspect leak": findings[:2], "note": findings[2:]}


@pytest.mark.parametrize("name", ["minutes_on_site", "city", "age", "webinar"])
def test_signs_are_those_of_a_plain_count(name: str) -> None:
    schema = infer_schema(SAMPLE, SAMPLE_RECIPE)
    column = read_leads(schema, SAMPLE)[name]
    cells, gap, folds = to_codes(column), is_gap(column), np.arange(N) % N_FOLDS
    stats = measure_univariate(cells, gap, Y, folds)
    expected = np.empty(N)
    for lead in range(N):
        like_it = (cells == cells[lead]) & (folds != folds[lead])
        chance = (Y[like_it].sum() + 2 * Y.mean()) / (like_it.sum() + 2)
        expected[lead] = np.log(chance / (1 - chance))
    np.testing.assert_allclose(stats.log_odds, expected)
    assert stats.auc == pytest.approx(roc_auc_score(Y, expected))
    assert stats.filled == pytest.approx((1 - gap[WON].mean(), 1 - gap[~WON].mean()))
    np.testing.assert_array_equal(gap, SAMPLE[name].isna())


def test_pure_values_are_those_of_a_plain_count() -> None:
    cells = np.repeat([0, 1, 2, 3], [100, 100, 300, 9])
    y = np.concatenate(
        [np.repeat([1, 0], [95, 5]), np.repeat([1, 0], [3, 97]), np.arange(300) % 2, np.ones(9, int)]
    )
    stats = measure_univariate(cells, np.zeros(509, dtype=bool), y, np.arange(509) % N_FOLDS)
    assert stats.pure == pytest.approx((95 / y.sum(), 97 / (509 - y.sum())))


def test_numbers_that_repeat_are_values_of_their_own() -> None:
    numbers = pd.Series(np.concatenate([np.zeros(50), np.arange(1, 401), np.full(10, np.nan)]))
    cells = to_codes(numbers)
    assert len(set(cells[:50])) == len(set(cells[450:])) == 1
    assert len(set(cells)) == 20 + 2
    assert max(np.bincount(cells[50:450])) == 20


def test_copies_and_contradictions_are_counted() -> None:
    copies, torn = SAMPLE.head(30), SAMPLE.iloc[100:108]
    torn = torn.assign(status=torn["status"].map({"Won": "Lost", "Lost": "Won"}))
    leads = pd.concat([SAMPLE, copies, torn], ignore_index=True)
    leads["lead_id"] = np.arange(len(leads))
    audit = audited(leads, (leads["status"] == "Won").astype(np.int64).to_numpy())
    (copied,), (contradicting,) = of_kind(audit, "duplicates"), of_kind(audit, "contradictions")
    assert f"30 leads ({30 / len(leads):.1%}) are duplicates" in copied.text
    assert copied.severity == "problem"
    assert (
        f"16 leads ({16 / len(leads):.1%}) equal a lead of the other outcome in every field"
        in contradicting.text
    )
    assert "more than 99.6%" in contradicting.text
    assert not of_kind(audited(SAMPLE), "duplicates")


def test_leads_that_only_their_date_tells_apart_are_no_copies() -> None:
    leads = pd.concat([SAMPLE, SAMPLE.head(30).assign(created_at="2026-01-01 00:00:00")], ignore_index=True)
    assert not of_kind(audited(leads, np.append(Y, Y[:30])), "duplicates")


@pytest.mark.parametrize(
    ("n_won", "kind", "severity", "words"),
    [
        (
            39,
            "too few leads",
            "problem",
            "39 leads converted, 1,961 did not. A model needs at least 40 of each.",
        ),
        (40, "few leads", "note", "35 points to either side"),
        (499, "few leads", "note", "10 points to either side"),
    ],
)
def test_too_few_leads_of_an_outcome_are_told(n_won: int, kind: str, severity: str, words: str) -> None:
    audit = audited(SAMPLE, (draw().permutation(N) < n_won).astype(np.int64))
    (finding,) = of_kind(audit, kind)
    assert finding.severity == severity
    assert words in finding.text
    assert not of_kind(audited(SAMPLE, (draw().permutation(N) < 500).astype(np.int64)), kind)


def test_a_share_that_changes_with_time_is_told_from_what_to_what() -> None:
    y = (draw().random(N) < np.linspace(0.2, 0.5, N)).astype(np.int64)
    shares = y.reshape(10, -1).mean(axis=1)
    assert SAMPLE["created_at"].is_monotonic_increasing
    (finding,) = of_kind(audited(SAMPLE, y), "shift of the outcome")
    assert finding.columns == ("created_at",)
    assert f"{shares[0]:.1%} among the oldest leads and {shares[-1]:.1%} among the newest" in finding.text
    assert f"{shares.min():.1%} to {shares.max():.1%}" in finding.text


def test_a_share_that_does_not_change_is_no_shift() -> None:
    y = (draw().random(N) < 0.3).astype(np.int64)
    assert not of_kind(audited(SAMPLE, y), "shift of the outcome")
    # Leads of one day in the order of their outcome are no trend.
    one_day = SAMPLE.assign(created_at="2024-01-01")
    assert not of_kind(audited(one_day, np.sort(y)), "shift of the outcome")


def test_a_sure_but_small_shift_is_not_told() -> None:
    leads = pd.DataFrame({"x": np.arange(90_000) % 7, "when": np.arange(90_000) + 1_600_000_000})
    y = (draw().random(90_000) < np.linspace(0.28, 0.32, 90_000)).astype(np.int64)
    assert not of_kind(audited(leads, y, Recipe(time="when")), "shift of the outcome")


def test_what_is_left_out_is_told_by_kind() -> None:
    recipe = SAMPLE_RECIPE.updated(leaks={"course": "written later"}, drop=("brochure",))
    leads = SAMPLE.assign(
        mail=[f"lead{place}@example.org" for place in range(N)],
        day="2024-01-0" + pd.Series(np.arange(N) % 9 + 1).astype(str),
        note=[f"called {place} times" for place in range(N)],
        land="DE",
        blank=None,
        rare=np.where(np.arange(N) < 3, "x", None),
    )
    audit = audited(leads, recipe=recipe)
    notes = {name: finding for finding in audit.findings for name in finding.columns}
    kinds = {name: finding.kind for name, finding in notes.items()}
    assert kinds == {
        "course": "known leak",
        "lead_id": "id",
        "mail": "personal data",
        "day": "date",
        "note": "free text",
        "land": "constant",
        "blank": "constant",
        "rare": "constant",
    }
    assert notes["course"].text == "Left out: written later."
    assert {finding.severity for finding in notes.values()} == {"note"}


def test_spellings_taken_as_one_are_told() -> None:
    source = SAMPLE["source"].where(draw().random(N) < 0.9, SAMPLE["source"].str.upper())
    (note,) = of_kind(audited(SAMPLE.assign(source=source)), "texts read")
    assert (note.columns, note.severity) == (("source",), "note")
    assert f"{(source != SAMPLE['source']).sum()} leads have another spelling than most" in note.text


def test_no_value_of_a_lead_is_in_what_the_audit_says() -> None:
    odd = np.where(WON, "zebra", np.where(some(0.5), "okapi", "quagga"))
    leads = SAMPLE.assign(stage=odd, mail=[f"lead{place}@example.org" for place in range(N)])
    told = audited(pd.concat([leads, leads.head(50)]), np.append(Y, Y[:50])).model_dump_json()
    assert "stage" in told
    assert not [value for value in ("zebra", "okapi", "quagga", "@", "L0000", "City 0") if value in told]


def separated(auc: float, n: int = 6000) -> tuple[pd.DataFrame, np.ndarray]:
    """Leads with one column of two values and of a given ROC AUC, and some weak ones."""
    y = (np.arange(n) % 3 == 0).astype(np.int64)
    wrong = np.zeros(n, dtype=bool)
    for leads in (np.flatnonzero(y == 1), np.flatnonzero(y == 0)):
        wrong[leads[: round((1 - auc) * len(leads))]] = True
    weak = {f"weak {place}": y / 2 + draw(seed=place).normal(size=n) for place in range(12)}
    return pd.DataFrame({"strong": np.where(wrong, 1 - y, y), **weak}), y


@pytest.mark.parametrize(
    ("auc", "severity"),
    [(0.95, "suspect leak"), (0.902, "look at this"), (0.898, "look at this"), (0.8, None), (0.6, None)],
)
def test_a_column_is_a_suspect_only_clear_of_the_limit(auc: float, severity: str | None) -> None:
    leads, y = separated(auc)
    assert roc_auc_score(y, leads["strong"]) == pytest.approx(auc, abs=0.001)
    audit = audited(leads, y, Recipe())
    findings = [one for one in audit.findings if "strong" in one.columns]
    assert [one.severity for one in findings] == ([severity] if severity else [])
    assert audit.doubtful == (("strong",) if severity == "look at this" else ())


def test_standard_errors_are_those_of_resampled_leads() -> None:
    leads, y = separated(0.7, n=600)
    strong, weak = leads["strong"].to_numpy(), leads["weak 0"].to_numpy()
    rng = draw(seed=6)
    drawn = [rng.integers(0, 600, 600) for _ in range(400)]
    first, second = ([roc_auc_score(y[rows], one[rows]) for rows in drawn] for one in (strong, weak))
    lead, error = auc_difference(strong, weak, y)
    assert lead == pytest.approx(roc_auc_score(y, strong) - roc_auc_score(y, weak))
    assert error == pytest.approx(np.std(np.subtract(first, second)), rel=0.15)
    stats = measure_univariate(to_codes(leads["strong"]), np.zeros(600, dtype=bool), y, np.arange(600) % 5)
    assert stats.auc_error == pytest.approx(np.std(first), rel=0.25)


def sparse(n_converted: int = 63, n_other: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """8,000 leads, 842 of them converted, and a column with a value for so many of either outcome."""
    y = (np.arange(8000) < 842).astype(np.int64)
    leads = make_sample(8000, random_state=5).drop(columns=["status", "created_at", "lead_id"])
    filled = np.zeros(8000, dtype=bool)
    filled[:n_converted] = filled[842 : 842 + n_other] = True
    return leads.assign(contract=np.where(filled, draw().choice(["a", "b"], 8000), None)), y


@pytest.mark.parametrize(
    ("counts", "severity"),
    [((63, 0), "suspect leak"), ((63, 5), "look at this"), ((15, 0), "look at this"), ((63, 40), None)],
)
def test_a_sparse_column_of_one_outcome_is_found(counts: tuple[int, int], severity: str | None) -> None:
    leads, y = sparse(*counts)
    findings = [one for one in audited(leads, y, Recipe()).findings if "contract" in one.columns]
    assert [(one.kind, one.severity) for one in findings] == (
        [("filled in for one outcome", severity)] if severity else []
    )


def test_columns_filled_in_only_where_a_leak_is_belong_to_it() -> None:
    leads, y = sparse()
    some_of_them = leads["contract"].notna() & (draw(seed=7).random(8000) < 0.6)
    leads["discount"] = np.where(some_of_them, draw().normal(size=8000), np.nan)
    leads["other"] = np.where(draw(seed=8).random(8000) < 0.05, draw().normal(size=8000), np.nan)
    audit = audited(leads, y, Recipe())
    (finding,) = of_kind(audit, "filled in for one outcome")
    assert finding.columns == ("contract", "discount")
    assert "Filled in only where it is: 'discount'." in finding.text
    assert audit.suspects == finding.columns
    known = audited(leads, y, Recipe(leaks={"contract": "written later"}))
    (finding,) = of_kind(known, "filled in with a known leak")
    assert finding.columns == known.suspects == ("discount",)
    assert "Filled in only where 'contract' is, which is known as a leak." in finding.text


def test_honest_sparse_columns_raise_no_alarm() -> None:
    """Two hundred columns in forty tables: chance may name one column in a thousand tables."""
    alarms = 0
    for seed in range(40):
        rng = draw(seed=seed)
        n, rate = int(rng.integers(300, 4000)), rng.uniform(0.02, 0.5)
        y = (rng.random(n) < rate).astype(np.int64)
        y[:2] = 0, 1
        filled = rng.random((200, n)) < rng.uniform(0.002, 0.1, 200)[:, None]
        folds = np.arange(n) % N_FOLDS
        columns = [measure_univariate((~one).astype(np.int64), ~one, y, folds) for one in filled]
        alarms += sum(FillTest(y, 200).for_one(stats) is not None for stats in columns)
    assert alarms == 0


def test_many_leads_are_measured_on_some_of_them() -> None:
    n = 130_000
    leads = pd.DataFrame({"x": draw().normal(size=n), "z": np.arange(n) % 11})
    y = (draw(seed=3).random(n) < 0.2).astype(np.int64)
    leads["leak"] = np.where(y == 1, "a", "b")
    audit = audited(leads, y, Recipe())
    assert audit.suspects == ("leak",)
    assert "random sample of 100,000 of 130,000 leads" in of_kind(audit, "sample")[0].text
    assert audited(leads, y, Recipe()) == audit
    rare = (np.arange(n) < 50).astype(np.int64)
    assert not of_kind(audited(leads, rare, Recipe()), "sample")
