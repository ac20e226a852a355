"""Each rule of the verdict, from a model that passes them all."""

from typing import Any

import pytest

from leadmodel.audit.finding import Audit, Finding
from leadmodel.audit.maturity import YOUNG
from leadmodel.audit.outcomes import OPEN_AS_LOST
from leadmodel.metrics.classification import Estimate
from leadmodel.metrics.comparison import Candidate
from leadmodel.metrics.slices import SliceMetrics
from leadmodel.model import LeadModel
from leadmodel.report.evaluation import Evaluation
from leadmodel.report.readiness import Check, Readiness, evaluate_readiness

LABELS = {"source": "Source", "age": "Age"}


def estimate(value: float, low: float, high: float) -> Estimate:
    return Estimate(value=value, low=low, high=high)


def candidate(name: str, loss: float, behind: tuple[float, float, float], auc: float = 0.8) -> Candidate:
    return Candidate(
        name=name,
        character="",
        metrics={"log_loss": loss, "roc_auc": auc},
        behind=estimate(*behind),
        fit_seconds=1,
        score_seconds=1,
    )


CATBOOST = candidate("CatBoost", 0.5, (0, 0, 0))
LOGISTIC = candidate("Logistic regression", 0.52, (0.02, 0.01, 0.03))
PRIOR = candidate("Prior", 0.65, (0.15, 0.14, 0.16), auc=0.5)
RELIABILITY = {"predicted": [0.25, 0.5], "observed": [0.24, 0.5], "count": [500.0, 500.0]}
BY_CHANCE = 0.017


@pytest.fixture(scope="module")
def ready(model: LeadModel) -> Evaluation:
    """What was measured of a model without fault."""
    test = model.evaluation.test | {
        "roc_auc": estimate(0.8, 0.77, 0.83),
        "calibration_error": estimate(BY_CHANCE, 0.01, 0.05),
        "expected_ratio": estimate(1.02, 0.93, 1.13),
    }
    return model.evaluation.model_copy(
        update={
            "n_test": 1000,
            "n_test_converted": 300,
            "test": test,
            "calibration_floor": BY_CHANCE,
            "calibration_slope": estimate(0.95, 0.85, 1.05),
            "audit": Audit(),
            "comparison": (CATBOOST, LOGISTIC, PRIOR),
            "levels": (),
            "curves": model.evaluation.curves.model_copy(update={"reliability": RELIABILITY}),
        }
    )


def judge(ready: Evaluation, **changes: Any) -> Readiness:
    test = ready.test | changes.pop("test", {})
    return evaluate_readiness(ready.model_copy(update={"test": test, **changes}), LABELS)


def level(
    value: str = "Search", n_leads: int = 200, gap: Any = (0.1, 0.05, 0.15), **changes: Any
) -> SliceMetrics:
    return SliceMetrics(
        **{
            "field": "source",
            "value": value,
            "n_leads": n_leads,
            "n_converted": 50,
            "roc_auc": estimate(0.75, 0.7, 0.8),
            "log_loss": estimate(0.5, 0.4, 0.6),
            "gap": estimate(*gap),
            "verdict": "probabilities are too high",
            **changes,
        }
    )


SUSPICION = Audit(
    findings=(Finding(kind="leak", columns=("source", "unused"), text="x", severity="suspect leak"),)
)
DOUBT = Audit(findings=(Finding(kind="leak", columns=("age",), text="x", severity="look at this"),))
COPIES = Audit(findings=(Finding(kind="twins", text="9 leads are copies.", severity="problem"),))
SURE, TOO_GOOD = estimate(0.5, 0.48, 0.52), estimate(0.98, 0.97, 0.99)
LEVELS = {
    "care": "usable with care",
    "fail": "not ready",
}


def test_a_model_without_fault_is_ready(ready: Evaluation) -> None:
    verdict = judge(ready)
    assert verdict.level == "ready"
    assert verdict.reasons == tuple(check.sentence for check in verdict.checks)
    assert len(verdict.checks) == 9


CASES: dict[str, tuple[str, dict[str, Any], str]] = {
    "few of an outcome": ("care", {"n_test_converted": 49}, "including 49 conversions: few"),
    "few of the other": ("care", {"n_test_converted": 951}, "including 49 that did not convert: few"),
    "too few of an outcome": ("fail", {"n_test_converted": 19}, "too few for a reliable test"),
    "a weak order": ("care", {"test": {"roc_auc": estimate(0.59, 0.55, 0.8)}}, "That is a weak ranking"),
    "no order": ("fail", {"test": {"roc_auc": estimate(0.7, 0.5, 0.9)}}, "no better than chance"),
    "a suspect": ("care", {"audit": SUSPICION}, "It uses 'Source', which may be filled in after"),
    "copies among the leads": ("care", {"audit": COPIES}, "9 leads are copies."),
    "a column to look at": (
        "care",
        {"audit": DOUBT},
        "It uses 'Age', and the leads do not show whether that is known before the outcome",
    ),
    "a suspect and a column to look at": (
        "care",
        {"audit": Audit(findings=SUSPICION.findings + DOUBT.findings)},
        "It uses 'Source', which may be filled in after",
    ),
    "open leads as lost": (
        "care",
        {"audit": Audit(findings=(Finding(kind=OPEN_AS_LOST, text="Open is lost.", severity="problem"),))},
        "Open is lost.",
    ),
    "leads that are too young": (
        "care",
        {
            "audit": Audit(
                findings=(Finding(kind=YOUNG, text="They may be too young.", severity="problem"),)
            )
        },
        "They may be too young.",
    ),
    "too good": ("care", {"test": {"roc_auc": TOO_GOOD}}, "It is almost never wrong"),
    "too good with a suspect": (
        "fail",
        {"audit": SUSPICION, "test": {"roc_auc": TOO_GOOD}},
        "It uses 'Source'",
    ),
    "level with the prior": (
        "fail",
        {"comparison": (CATBOOST, candidate("Prior", 0.501, (0.001, -0.01, 0.012)))},
        "does not clearly predict better than the average rate",
    ),
    "behind the prior": (
        "fail",
        {"comparison": (candidate("Prior", 0.4, (0, 0, 0)), candidate("CatBoost", 0.5, (0.1, -0.1, 0.3)))},
        "(log loss 0.500 against 0.400)",
    ),
    "no prior": ("care", {"comparison": (CATBOOST, LOGISTIC)}, "not compared with the average rate"),
    "another model is better": (
        "care",
        {
            "comparison": (
                candidate("Logistic regression", 0.48, (0, 0, 0)),
                candidate("CatBoost", 0.5, (0.02, 0.01, 0.03)),
                PRIOR,
            )
        },
        "Logistic regression is clearly better",
    ),
    "worse on the test leads": (
        "care",
        {"test": {"roc_auc": estimate(0.72, 0.68, 0.76)}},
        "clearly less well than cross-validation promised: ROC AUC 0.720 against 0.800",
    ),
    "much worse on the test leads": (
        "fail",
        {"test": {"roc_auc": estimate(0.65, 0.6, 0.7)}},
        "clearly less well than cross-validation promised",
    ),
    "miscalibrated": (
        "care",
        {"test": {"calibration_error": estimate(BY_CHANCE + 0.031, 0, 1)}},
        "not to count conversions: they are too high by 0.5 points",
    ),
    "uncalibrated": (
        "fail",
        {"test": {"calibration_error": estimate(0.2, 0, 1)}},
        "by 20.0 points on average",
    ),
    "half too many conversions of a rare outcome": (
        "care",
        {"test": {"expected_ratio": estimate(1.34, 1.2, 1.49)}},
        "it predicts 134% of the conversions that came (120% to 149%): use it to rank leads",
    ),
    "too few conversions": (
        "care",
        {"test": {"expected_ratio": estimate(0.8, 0.7, 0.9)}},
        "it predicts 80% of the conversions that came",
    ),
    "twice as many conversions": (
        "fail",
        {"test": {"expected_ratio": estimate(2.6, 2.1, 3.1)}},
        "it predicts 260% of the conversions that came",
    ),
    "probabilities that are too extreme": (
        "care",
        {"calibration_slope": estimate(0.6, 0.5, 0.7)},
        "High probabilities are too high and low ones too low: calibration slope 0.60 (0.50 to 0.70)",
    ),
    "probabilities that are too cautious": (
        "care",
        {"calibration_slope": estimate(1.5, 1.3, 1.7)},
        "High probabilities are too low and low ones too high",
    ),
    "wrong for a large kind": (
        "care",
        {"levels": (level(),)},
        "for 1 of 1 lead groups: Source 'Search'.",
    ),
    "no order in a large kind": (
        "care",
        {"levels": (level(gap=(0.0, -0.1, 0.1), roc_auc=estimate(0.5, 0.4, 0.59)),)},
        "Source 'Search'.",
    ),
    "calling may not pay": (
        "care",
        {"test": {"profit": estimate(1, -1, 2)}},
        "may or may not earn",
    ),
    "calling does not pay": ("fail", {"test": {"profit": estimate(-2, -3, 0)}}, "does not earn"),
}


@pytest.mark.parametrize(("kind", "changes", "told"), CASES.values(), ids=CASES.keys())
def test_each_fault_lowers_the_verdict_and_is_told_first(
    ready: Evaluation, kind: str, changes: dict[str, Any], told: str
) -> None:
    verdict = judge(ready, **changes)
    assert verdict.level == LEVELS[kind]
    assert told in verdict.checks[0].sentence
    assert verdict.checks[0].sentence == verdict.reasons[0]


FINE: dict[str, tuple[dict[str, Any], str]] = {
    "a simple model as good": (
        {"comparison": (CATBOOST, candidate("Logistic regression", 0.501, (0.001, -0.01, 0.01)), PRIOR)},
        "Logistic regression, which is simpler, is not clearly worse",
    ),
    "a suspect that it does not use": (
        {"audit": Audit(findings=(SUSPICION.findings[0].model_copy(update={"columns": ("unused",)}),))},
        "It cannot see a leak that looks like an honest field.",
    ),
    "wrong for a small kind": ({"levels": (level(n_leads=99),)}, "each has less than 10%"),
    "a kind that is told apart less well": (
        {"levels": (level(gap=(0.0, -0.1, 0.1)),)},
        "not clearly",
    ),
    "a sum within its interval": (
        {"test": {"expected_ratio": estimate(1.3, 1.05, 1.6)}},
        "it predicts 130% of the conversions that came (105% to 160%).",
    ),
    "an older model without these figures": (
        {"calibration_slope": None},
        "chance alone would give about",
    ),
    "calling pays": ({"test": {"profit": estimate(2, 1, 3)}}, "earns its cost: 2.00 per lead"),
    "calibrated as far as can be told": (
        {"test": {"calibration_error": estimate(BY_CHANCE + 0.029, 0, 1)}},
        f"chance alone would give about {100 * BY_CHANCE:.1f}",
    ),
}


@pytest.mark.parametrize(("changes", "told"), FINE.values(), ids=FINE.keys())
def test_what_is_no_fault_is_told_and_does_no_harm(
    ready: Evaluation, changes: dict[str, Any], told: str
) -> None:
    verdict = judge(ready, **changes)
    assert verdict.level == "ready"
    assert told in " ".join(verdict.reasons)


def test_the_worst_check_decides_and_only_complaints_are_reasons() -> None:
    levels = ("not ready", "usable with care", "ready")
    verdict = Readiness(checks=tuple(Check(level=one, sentence=one) for one in levels))
    assert verdict.level == "not ready"
    assert verdict.reasons == levels[:2]


def test_the_card_tells_the_verdict(model: LeadModel) -> None:
    labels = {field.name: field.label for field in model.schema.fields}
    verdict, text = evaluate_readiness(model.evaluation, labels), model.files["README.md"].decode()
    assert f"**{verdict.level.capitalize()}**" in text
    assert all(f"- {check.sentence}" in text for check in verdict.checks)
