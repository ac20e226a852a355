import numpy as np
import pandas as pd
import pytest
from scipy.special import logit
from sklearn.linear_model import LogisticRegression

from leadmodel.errors import InputError
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.prepare.split import Folds, combine_group_ids, find_group_ids, group_outcomes, split_leads
from leadmodel.training.crossvalidation import cross_validate, try_others
from leadmodel.training.refinements import cross_calibrated

FOLDS = Folds(4, 0)


def test_ids_of_their_own_make_no_groups() -> None:
    assert find_group_ids(pd.Series(["a", "b", None, None])) is None


def test_leads_without_an_id_stand_for_themselves() -> None:
    groups = find_group_ids(pd.Series(["a", None, "b", "a", None]))
    assert groups is not None
    assert groups.tolist() == [0, 2, 1, 0, 3]


def test_a_group_has_converted_if_a_lead_of_it_has() -> None:
    y = np.array([0, 1, 0, 0])
    assert group_outcomes(y, np.array([0, 0, 1, 2]), 1).tolist() == [1, 0, 0]
    with pytest.raises(InputError, match="Those of one outcome make 1 groups only, and 2 are needed"):
        group_outcomes(y, np.array([0, 0, 1, 2]), 2)


def many(n_people: int = 400) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(n_people), rng.integers(1, 5, n_people))
    rng.shuffle(groups)
    return (rng.random(n_people) < 0.3).astype(np.int64)[groups], groups


def test_each_fold_holds_whole_groups_and_every_lead_once() -> None:
    y, groups = many()
    folds = list(Folds(4, 0, groups).split(y))
    assert sorted(np.concatenate([outside for _, outside in folds])) == list(range(len(y)))
    for inside, outside in folds:
        assert not set(groups[inside]) & set(groups[outside])
        assert len(inside) + len(outside) == len(y)
        assert abs(y[outside].mean() - y.mean()) < 0.06


def test_folds_without_groups_are_those_of_single_leads() -> None:
    y, _ = many()
    alone = np.random.default_rng(1).permutation(len(y))
    expected = [set(outside) for _, outside in FOLDS.split(y)]
    sizes = [len(outside) for _, outside in Folds(4, 0, alone).split(y)]
    assert sizes == [len(fold) for fold in expected]


def test_folds_of_some_leads_keep_their_groups_together() -> None:
    y, groups = many()
    rows = np.flatnonzero(np.arange(len(y)) % 3 > 0)
    for inside, outside in Folds(4, 0, groups).subset(rows).split(y[rows]):
        assert not set(groups[rows][inside]) & set(groups[rows][outside])
    assert FOLDS.subset(rows).group_ids is None


def test_redrawn_folds_are_others_of_the_same_leads() -> None:
    y, _ = many()
    first, second = (
        [set(test_idx) for _, test_idx in folds.split(y)] for folds in (FOLDS, FOLDS.redrawn())
    )
    assert set.union(*first) == set.union(*second)
    assert not [fold for fold in first if fold in second]


def revealing() -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Leads whose one field tells who it is, and whose outcome is a coin of the person's own."""
    _, groups = many(120)
    coin = np.random.default_rng(2).integers(0, 2, 120)
    return pd.DataFrame({"who": groups.astype(float)}), coin[groups], groups


def auc(y: np.ndarray, probability: np.ndarray) -> float:
    positive, negative = probability[y == 1], probability[y == 0]
    above = (positive[:, None] > negative).mean() + (positive[:, None] == negative).mean() / 2
    return float(above)


def test_no_model_is_judged_on_people_that_it_knows() -> None:
    X, y, groups = revealing()
    settings = TrainingSettings(max_trees=60, n_folds=4, race_below=0)
    parameters = settings.classifier_parameters(len(y))
    together, apart = (
        cross_validate(X, y, parameters, folds, settings.patience).trial.probability
        for folds in (Folds(4, 0, groups), FOLDS)
    )
    assert auc(y, together) < 0.65 < 0.7 < auc(y, apart)
    forests = [try_others(X, y, folds)[2].probability for folds in (Folds(4, 0, groups), FOLDS)]
    assert auc(y, forests[0]) < 0.65 < 0.7 < auc(y, forests[1])


def test_a_line_is_fitted_to_other_groups_than_it_calibrates() -> None:
    y, groups = many()
    probability = np.random.default_rng(3).uniform(0.1, 0.9, len(y))
    folds, log_odds = Folds(4, 0, groups), logit(probability)[:, None]
    crossed = cross_calibrated(y, probability, folds)
    for inside, outside in folds.split(y):
        line = LogisticRegression(C=np.inf).fit(log_odds[inside], y[inside])
        assert crossed[outside] == pytest.approx(line.predict_proba(log_odds[outside])[:, 1])


def test_a_random_test_set_takes_whole_groups() -> None:
    y, groups = many()
    split = split_leads(y, None, test_share=0.2, random_state=0, group_ids=groups)
    assert not set(groups[split.train]) & set(groups[split.test])
    assert len(split.train) + len(split.test) == len(y)
    assert 0.15 < len(split.test) / len(y) < 0.25
    assert split.description.endswith("with leads of the same id kept together")


def test_groups_of_ids_and_of_copies_join_through_a_lead_of_both() -> None:
    ids, copies = np.array([0, 0, 1, 2, 3]), np.array([0, 1, 1, 2, 3])
    combined = combine_group_ids(ids, copies)
    assert combined is not None
    assert combined.tolist() == [0, 0, 0, 1, 2]
    assert combine_group_ids(None, copies) is copies
    assert combine_group_ids(ids, None) is ids
    assert combine_group_ids(None, None) is None


def test_copies_of_a_lead_stay_on_one_side_of_a_random_test() -> None:
    y, groups = many()
    copies = np.append(np.repeat(np.arange(20), 2), np.arange(20, len(y) - 20))
    split = split_leads(y, None, test_share=0.2, random_state=0, group_ids=groups, twin_ids=copies)
    for together in (groups, copies):
        assert not set(together[split.train]) & set(together[split.test])
    assert split.description.endswith("with leads of the same id and copies of one lead kept together")
    alone = split_leads(y, None, test_share=0.2, random_state=0, twin_ids=copies)
    assert alone.description.endswith("with copies of one lead kept together")


def test_older_copies_of_the_newest_leads_are_purged() -> None:
    times = pd.Series(pd.date_range("2024-01-01", periods=100).astype(str), name="created")
    copies = np.where(np.arange(100) == 95, 3, np.arange(100))
    split = split_leads(np.tile([0, 1], 50), times, test_share=0.2, random_state=0, twin_ids=copies)
    assert split.test.tolist() == list(range(80, 100))
    assert split.train.tolist() == [day for day in range(80) if day != 3]
    assert split.description.endswith("; 1 older leads were excluded: they are copies of test leads")


def test_leads_whose_outcome_was_not_known_are_purged() -> None:
    times = pd.Series(pd.date_range("2024-01-01", periods=100).astype(str), name="cutoff")
    y = np.tile([0, 1], 50)
    split = split_leads(y, times, test_share=0.2, random_state=0, horizon=10)
    # The first test lead is that of day 80: until then the outcomes of days 0 to 70 were known.
    assert split.test.tolist() == list(range(80, 100))
    assert split.train.tolist() == list(range(71))
    assert "; 9 older leads were excluded: their outcome was not yet known" in split.description
    assert split.time_range == ("2024-01-01 00:00:00+00:00", "2024-03-11 00:00:00+00:00")


def test_a_horizon_that_leaves_nothing_to_learn_from_is_told() -> None:
    times = pd.Series(pd.date_range("2024-01-01", periods=100).astype(str), name="cutoff")
    with pytest.raises(InputError, match="outcomes of the leads before the test were not known"):
        split_leads(np.tile([0, 1], 50), times, test_share=0.2, random_state=0, horizon=90)
