import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support import command

from leadmodel.drift.counts import count_leads
from leadmodel.drift.drift import ALPHA, Drift, compare_leads, measure_drift
from leadmodel.drift.psi import psi
from leadmodel.drift.report import draw_drift, drift_report
from leadmodel.errors import InputError
from leadmodel.insights.profile import profile_leads, profile_output
from leadmodel.leads.convert import read_leads
from leadmodel.leads.sample import make_sample
from leadmodel.model import LeadModel
from leadmodel.plots.style import to_png


@pytest.fixture(scope="module")
def fresh() -> pd.DataFrame:
    """Leads of the same kind, which the model has not seen, without their outcome."""
    return make_sample(2000, random_state=7).drop(columns="status")


def compare(model: LeadModel, leads: pd.DataFrame) -> Drift:
    typed = read_leads(model.schema, leads)
    said = {"probability": model.predictor.predict(typed).probability}
    return compare_leads(model.schema, model.profile, count_leads(model.profile, typed, said))


def some(leads: pd.DataFrame, share: float) -> np.ndarray:
    return np.random.default_rng(0).random(len(leads)) < share


def test_leads_of_the_same_kind_are_stable(model: LeadModel, fresh: pd.DataFrame) -> None:
    drift = compare(model, fresh)
    assert not drift.drifted
    assert {one.level for one in drift.ranked} <= {"stable", "slight"}
    assert list(drift.outputs) == ["probability"]


def test_psi_of_a_field_is_recomputed_from_its_shares(model: LeadModel, fresh: pd.DataFrame) -> None:
    leads = fresh.assign(source=fresh["source"].mask(some(fresh, 0.3), "Referral"))
    known = model.profile.fields["source"].cells
    then = [cell.count for cell in known.values()]
    now = [(leads["source"] == value).sum() for value in known]
    found = compare(model, leads).fields["source"]
    assert found.psi == pytest.approx(psi(then, now))
    share = sum(leads["source"] == "Referral") / len(leads)
    before = known["Referral"].count / sum(then)
    assert found.changes[0] == f"Source: more leads with Referral: {before:.0%} then, {share:.0%} now."
    assert found.drifted


def test_a_new_value_is_told_with_its_share(model: LeadModel, fresh: pd.DataFrame) -> None:
    leads = fresh.assign(source=fresh["source"].mask(some(fresh, 0.2), "TikTok"))
    leads.loc[leads.index[:4], "source"] = "Ann Miller"
    drift = compare(model, leads)
    share = sum(leads["source"] == "TikTok") / len(leads)
    found = drift.fields["source"]
    assert found.appeared == ("TikTok",)
    assert f"now ('TikTok' {share:.0%})." in found.changes[0]
    assert "Ann" not in drift.model_dump_json()


def test_a_value_that_is_gone_is_told(model: LeadModel, fresh: pd.DataFrame) -> None:
    found = compare(model, fresh[fresh["source"] != "Search"]).fields["source"]
    assert found.vanished == ("Search",)
    assert any(told.startswith("Source: fewer leads with Search: ") for told in found.changes)
    assert found.changes[0].endswith(" then, 0% now.")


def test_gaps_are_told(model: LeadModel, fresh: pd.DataFrame) -> None:
    found = compare(model, fresh.assign(age=fresh["age"].mask(some(fresh, 0.5)))).fields["age"]
    assert found.changes[0].startswith("Age: missing for ")
    assert found.cells[-1].name == "not given"
    assert found.cells[-1].now > 0.5


def test_lower_numbers_are_told_by_their_median(model: LeadModel, fresh: pd.DataFrame) -> None:
    visits = fresh["website_visits"]
    found = compare(model, fresh.assign(website_visits=visits // 2)).fields["website_visits"]
    told = next(one for one in found.changes if "median" in one)
    assert told.startswith("Website visits: lower; median about ")
    now = float(told.split(" then, ")[1].removesuffix(" now."))
    assert abs(now - (visits // 2).median()) <= 1


def test_numbers_beyond_the_training_leads_are_told(model: LeadModel, fresh: pd.DataFrame) -> None:
    highest = model.schema.by_name["minutes_on_site"].maximum
    minutes = fresh["minutes_on_site"].mask(some(fresh, 0.1), highest * 2)
    found = compare(model, fresh.assign(minutes_on_site=minutes)).fields["minutes_on_site"]
    assert any(f"above {highest:.4g}, rare in training: 0." in told for told in found.changes)


def test_another_mix_of_probabilities_is_told(model: LeadModel, fresh: pd.DataFrame) -> None:
    best = fresh.assign(source="Referral", occupation="Professional")
    found = compare(model, best).outputs["probability"]
    assert found.drifted
    assert found.changes[0].startswith("Probability: ")


def test_a_certain_but_small_shift_is_no_drift(model: LeadModel, fresh: pd.DataFrame) -> None:
    leads = pd.concat([fresh] * 20)
    leads = leads.assign(webinar=leads["webinar"].mask(some(leads, 0.15), "Yes"))
    found = compare(model, leads).fields["webinar"]
    assert found.chance is not None
    assert found.chance < found.psi < 0.1
    assert (found.level, found.drifted) == ("slight", False)


def test_a_hundred_leads_without_drift_are_rarely_called_drifted(
    model: LeadModel, sample: pd.DataFrame
) -> None:
    rng = np.random.default_rng(4)
    typed = read_leads(model.schema, sample)
    y = (sample["status"] == "Won").to_numpy().astype(int)
    probability = model.predictor.predict(typed).probability
    called = naive = 0
    n_draws = 200
    for _ in range(n_draws):
        past, test, new = (rng.integers(len(y), size=size) for size in (len(y), 300, 100))
        output = profile_output(probability[test], y[test])
        profile = profile_leads(model.schema, typed.iloc[past], y[past], {"probability": output})
        said = {"probability": probability[new]}
        drift = compare_leads(model.schema, profile, count_leads(profile, typed.iloc[new], said))
        called += drift.drifted
        naive += any(one.psi >= 0.1 for one in drift.ranked)
    # With a true share of 5 % more than 20 of 200 are seen once in a thousand times.
    assert called <= 20
    assert naive > 100, "the customary bound alone fires by chance"
    assert ALPHA == 0.05


def test_a_model_of_an_earlier_release_is_read_and_compared(
    model: LeadModel, fresh: pd.DataFrame, tmp_path: Path
) -> None:
    content = json.loads(model.files["profile.json"])
    del content["outputs"]
    fresh.to_parquet(tmp_path / "new.parquet")
    old = LeadModel(model.files | {"profile.json": json.dumps(content).encode()})
    drift = measure_drift(old, tmp_path / "new.parquet")
    assert drift.outputs == {}
    assert drift.fields.keys() == compare(model, fresh).fields.keys()
    assert "has no distribution of its probabilities" in drift.notes[0]


def test_json_keeps_the_drift(model: LeadModel, fresh: pd.DataFrame) -> None:
    drift = compare(model, fresh.assign(age=None))
    written = drift.model_dump_json()
    assert Drift.model_validate_json(written) == drift
    assert "told" in json.loads(written)["fields"]["source"]


def test_every_drift_can_be_drawn_and_told(model: LeadModel, fresh: pd.DataFrame) -> None:
    for leads in (fresh, fresh.head(1), fresh.assign(age=None, source="a $ and a $")):
        drift = compare(model, leads)
        assert to_png(draw_drift(drift)).startswith(b"\x89PNG")
        assert f"{len(leads):,} leads against 960 training leads" in drift_report(drift)


def test_one_lead_tells_nothing(model: LeadModel, fresh: pd.DataFrame) -> None:
    drift = compare(model, fresh.head(1))
    assert not drift.drifted
    assert all(one.chance is None and one.level == "stable" for one in drift.ranked)


def test_no_leads_at_all_tell_nothing(model: LeadModel, fresh: pd.DataFrame) -> None:
    drift = compare_leads(
        model.schema, model.profile, count_leads(model.profile, read_leads(model.schema, fresh.head(0)))
    )
    assert (drift.n_now, drift.drifted) == (0, False)


def test_leads_without_any_value_have_drifted(model: LeadModel, fresh: pd.DataFrame) -> None:
    empty = fresh.assign(**dict.fromkeys(model.schema.by_name))
    drift = compare(model, empty)
    assert all(one.drifted for one in drift.fields.values())
    assert "Age: missing for " in drift.fields["age"].changes[0]


def test_few_outcomes_are_not_judged(model: LeadModel, sample: pd.DataFrame, tmp_path: Path) -> None:
    sample.head(60).to_csv(tmp_path / "few.csv", index=False)
    drift = measure_drift(model, tmp_path / "few.csv")
    won = sum(sample["status"].head(60) == "Won")
    assert drift.performance is None
    assert f"Got {won} converted and {60 - won} unconverted leads in 'status'." in drift.notes[0]


def test_open_leads_count_for_the_fields_and_not_for_performance(model: LeadModel, tmp_path: Path) -> None:
    leads = make_sample(1000, random_state=7)
    leads.loc[leads.index[:300], "status"] = None
    leads.to_parquet(tmp_path / "some.parquet")
    drift = measure_drift(model, tmp_path / "some.parquet")
    assert drift.n_now == 1000
    assert drift.performance is not None
    assert drift.performance.n_leads == 700


def test_stages_count_as_they_did_in_training(model: LeadModel, tmp_path: Path) -> None:
    leads = make_sample(1000, random_state=7)
    leads.loc[leads.index[:300], "status"] = "Contacted"
    leads.loc[leads.index[300:320], "status"] = "Parked"
    leads["status"] = leads["status"].replace({"Won": "WON", "Lost": "Closed Lost"})
    leads.to_parquet(tmp_path / "stages.parquet")
    drift = measure_drift(model, tmp_path / "stages.parquet")
    assert drift.performance is not None
    assert drift.performance.n_leads == 680
    assert drift.performance.n_converted == (leads["status"] == "WON").sum()
    assert "20 leads have an outcome that the model has not learned" in drift.notes[0]


def test_a_file_is_read_in_parts(
    model: LeadModel, fresh: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadmodel.leads.files.csv_file.BLOCK_BYTES", 20_000)
    fresh.to_csv(tmp_path / "leads.csv", index=False)
    parts: list[int] = []
    assert measure_drift(model, tmp_path / "leads.csv", parts.append) == compare(model, fresh)
    assert len(parts) > 3
    wrong = fresh.assign(age=fresh["age"].astype(object))
    wrong.loc[wrong.index[1500], "age"] = "old"
    wrong.to_csv(tmp_path / "wrong.csv", index=False)
    with pytest.raises(InputError, match=r"Row 1501: the field 'age' must be a number. Got 'old'"):
        measure_drift(model, tmp_path / "wrong.csv")


def test_the_command_says_0_for_stable_leads(folder: Path, fresh: pd.DataFrame, tmp_path: Path) -> None:
    fresh.to_csv(tmp_path / "new.csv", index=False)
    done = command("-m", "leadmodel", "drift", tmp_path / "new.csv", "--model", folder)
    assert done.returncode == 0, done.stderr
    assert "2,000 leads against 960 training leads. They are stable." in done.stdout


def test_the_command_says_3_for_drift_and_writes_json_and_picture(
    folder: Path, fresh: pd.DataFrame, tmp_path: Path
) -> None:
    fresh.assign(source="TikTok").to_csv(tmp_path / "new.csv", index=False)
    asked = ("-m", "leadmodel", "drift", tmp_path / "new.csv", "--model", folder)
    done = command(*asked, "--json", tmp_path / "d.json", "--plot", tmp_path / "d.png")
    assert done.returncode == 3, done.stderr
    assert "They have drifted." in done.stdout
    drift = Drift.model_validate_json((tmp_path / "d.json").read_bytes())
    assert drift.fields["source"].appeared == ("TikTok",)
    assert (tmp_path / "d.png").read_bytes().startswith(b"\x89PNG")
    printed = command(*asked, "--json", "-")
    assert printed.returncode == 3
    assert Drift.model_validate_json(printed.stdout) == drift


def test_the_command_says_3_if_only_the_performance_fell(folder: Path, tmp_path: Path) -> None:
    leads = make_sample(2000, random_state=7)
    leads["status"] = np.random.default_rng(0).permutation(leads["status"])
    leads.to_csv(tmp_path / "new.csv", index=False)
    done = command("-m", "leadmodel", "drift", tmp_path / "new.csv", "--model", folder)
    assert done.returncode == 3, done.stderr
    assert "moved no more than by chance" in done.stdout
    assert "The performance fell." in done.stdout
    assert "ROC AUC fell: " in done.stdout


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("", [], "It is empty"),
        ("{header}\n", [], "must have leads below its header"),
        ("name,mail\nA,b\n", [], "- age (missing)"),
        ("{header}\n{row}\n", ["--plot", "d.pdf"], "must end in .png"),
        ("{header}\n{row}\n", ["--plot", "none/d.png"], "cannot be written"),
        ("{header}\n{row}\n", ["--json", "none/d.json"], "cannot be written"),
    ],
    ids=["no content", "no leads", "other columns", "no picture", "no folder", "no folder for JSON"],
)
def test_what_is_wrong_ends_with_2(
    folder: Path, sample: pd.DataFrame, tmp_path: Path, content: str, options: list[str], message: str
) -> None:
    header, row = sample.head(1).to_csv(index=False).splitlines()
    (tmp_path / "new.csv").write_text(content.format(header=header, row=row))
    done = command("-m", "leadmodel", "drift", tmp_path / "new.csv", "--model", folder, *options)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_what_leads_are_worth_can_drift(sold: pd.DataFrame, valued: LeadModel, tmp_path: Path) -> None:
    assert valued.profile.outputs.keys() == {"probability", "expected_value"}
    worths = valued.score(sold)["expected_value"]
    sold[worths > worths.median()].to_csv(tmp_path / "dear.csv", index=False)
    drift = measure_drift(valued, tmp_path / "dear.csv")
    assert drift.outputs["expected_value"].drifted
