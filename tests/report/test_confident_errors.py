"""The surest mistakes, and that what is told of them points to nobody."""

import numpy as np
import pandas as pd
import pytest

from leadmodel.leads.convert import read_leads
from leadmodel.leads.sample import make_sample
from leadmodel.model import LeadModel
from leadmodel.report.confident_errors import ConfidentError, find_confident_errors

Judged = tuple[pd.DataFrame, np.ndarray, tuple[ConfidentError, ...]]


@pytest.fixture(scope="module")
def judged(model: LeadModel) -> Judged:
    leads = make_sample(500, random_state=9)
    leads.loc[:, "city"] = "Nowhere-on-Sea"
    X, y = read_leads(model.schema, leads), (leads["status"] == "Won").to_numpy(dtype=np.int64)
    return X, y, find_confident_errors(model.predictor, model.profile, X, y, n_each=5)


def test_they_are_those_of_the_highest_confidence(model: LeadModel, judged: Judged) -> None:
    X, y, found = judged
    probability = model.predictor.predict(X).probability
    assert [one.converted for one in found] == [True] * 5 + [False] * 5
    told = [one.probability for one in found]
    assert told[:5] == pytest.approx(sorted(probability[y == 1])[:5])
    assert told[5:] == pytest.approx(sorted(probability[y == 0])[: -5 - 1 : -1])


def test_what_misled_is_what_contributed_most_to_the_wrong_side(model: LeadModel, judged: Judged) -> None:
    X, y, found = judged
    probability = model.predictor.predict(X).probability
    surest = int(np.argmin(np.where(y == 1, probability, 2)))
    answer = model.answer(X.iloc[surest].to_dict())
    assert answer.explanation is not None
    against = [reason.label for reason in answer.explanation.reasons_against[:3]]
    assert all(text.startswith(label) for text, label in zip(found[0].misled_by, against, strict=True))


def test_values_are_told_as_ranges_or_frequent_ones(model: LeadModel, judged: Judged) -> None:
    texts = [text for one in judged[2] for text in one.misled_by]
    assert texts
    assert not any("Nowhere" in text for text in texts)
    of_ages = [text for text in texts if text.startswith("Age ")]
    assert all(
        text.startswith(("Age up to ", "Age above ", "Age not given")) or " to " in text for text in of_ages
    )


def test_where_only_one_kind_of_mistake_can_be_it_is_told_alone(model: LeadModel, judged: Judged) -> None:
    X, _, _ = judged
    nobody = np.zeros(3, dtype=np.int64)
    found = find_confident_errors(model.predictor, model.profile, X.head(3), nobody)
    assert [one.converted for one in found] == [False] * 3
