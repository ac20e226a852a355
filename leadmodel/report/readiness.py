"""Decide whether a model is ready for use, by fixed rules on its metrics."""

from collections.abc import Mapping

from leadmodel.audit.maturity import YOUNG
from leadmodel.audit.outcomes import OPEN_AS_LOST, UNDERSTOOD
from leadmodel.audit.twins import TWINS
from leadmodel.metrics.slices import SliceMetrics
from leadmodel.records import Record
from leadmodel.report.calibration import check_calibration
from leadmodel.report.checks import LEVELS, Check, ReadinessLevel, grade
from leadmodel.report.evaluation import Evaluation

__all__ = ["Check", "Readiness", "ReadinessLevel", "evaluate_readiness"]

FEW, TOO_FEW = 50, 20
"""Test leads of the rarer outcome. A ROC AUC of 0.8 is known to about ±0.07 with 50 of them, and to
about ±0.11 with 20: too little to tell a good model from a poor one."""

WEAK_AUC = 0.6
"""ROC AUC below which fewer than six of ten pairs are ranked correctly; chance ranks five."""

TOO_GOOD_AUC = 0.97
"""ROC AUC that suggests a leak: conversions are partly chance and cannot be ranked almost perfectly."""

LARGE_GAP = 0.1
"""ROC AUC of the training leads, cross-validated, beyond that of the test leads: half of what a ROC
AUC of 0.7 is above chance."""

LARGE_KIND = 0.1
"""Share of the test leads from which on a lead group counts as large."""


class Readiness(Record):
    """Hold the readiness of a model for use, and the reasons.

    Parameters
    ----------
    checks : tuple of Check
        One per rule, the gravest first.
    """

    checks: tuple[Check, ...]

    @property
    def level(self) -> ReadinessLevel:
        """The worst level of all checks."""
        return max((check.level for check in self.checks), key=LEVELS.index)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Reasons for the level: the failed checks, or all checks if none failed."""
        complaints = tuple(check.sentence for check in self.checks if check.level != "ready")
        return complaints or tuple(check.sentence for check in self.checks)


def evaluate_readiness(evaluation: Evaluation, labels: Mapping[str, str]) -> Readiness:
    """Evaluate whether a model is ready for use.

    Parameters
    ----------
    evaluation : Evaluation
        What was measured of it.
    labels : mapping of str to str
        Labels of the fields that it uses by their names; none of them should know the outcome.
    """
    checks = [
        _check_number(evaluation),
        _check_ranking(evaluation),
        _check_leaks(evaluation, labels),
        *_repeat_findings(evaluation),
        _check_prior(evaluation),
        _check_others(evaluation),
        _check_gap(evaluation),
        *check_calibration(evaluation),
        _check_levels(evaluation, labels),
        *_check_profit(evaluation),
    ]
    # A stable sort, so that checks of one level keep the order of the rules.
    return Readiness(checks=tuple(sorted(checks, key=lambda check: -LEVELS.index(check.level))))


def _check_number(evaluation: Evaluation) -> Check:
    n_converted, n_other = evaluation.n_test_converted, evaluation.n_test - evaluation.n_test_converted
    rarer, outcome = min((n_converted, "conversions"), (n_other, "that did not convert"))
    level = grade(rarer < FEW, rarer < TOO_FEW)
    verdicts = {
        "ready": "enough for a reliable test",
        "usable with care": "few, so every figure is rough",
        "not ready": "too few for a reliable test",
    }
    return Check(
        level=level,
        sentence=f"It was tested on {evaluation.n_test:,} leads that were not used in training, including "
        f"{rarer:,} {outcome}: {verdicts[level]}.",
    )


def _check_ranking(evaluation: Evaluation) -> Check:
    auc = evaluation.test["roc_auc"]
    level = grade(auc.value < WEAK_AUC, auc.low <= 0.5)
    verdicts = {
        "ready": "",
        "usable with care": " That is a weak ranking: use it to sort leads, not to drop any.",
        "not ready": " That may be no better than chance, which is right in 50.",
    }
    return Check(
        level=level,
        sentence=f"Given a lead that converts and one that does not, it ranks the right one first in "
        f"{100 * auc.value:.0f} of 100 pairs ({100 * auc.low:.0f} to {100 * auc.high:.0f})."
        f"{verdicts[level]}",
    )


def _check_leaks(evaluation: Evaluation, labels: Mapping[str, str]) -> Check:
    audit, is_too_good = evaluation.audit, evaluation.test["roc_auc"].value >= TOO_GOOD_AUC
    suspects, doubtful = (
        [labels[name] for name in names if name in labels] for names in (audit.suspects, audit.doubtful)
    )
    level = grade(bool(suspects or doubtful) or is_too_good, bool(suspects) and is_too_good)
    complaints = []
    if suspects:
        complaints.append(
            f"It uses {', '.join(map(repr, suspects))}, which may be filled in after the outcome is known; "
            "if so, it will do worse on new leads than it did here."
        )
    if doubtful:
        complaints.append(
            f"It uses {', '.join(map(repr, doubtful))}, and the leads do not show whether that is known "
            "before the outcome: look at this before you trust the figures."
        )
    if is_too_good:
        complaints.append(
            "It is almost never wrong, which is rare for leads: look for a field that leaks the outcome."
        )
    fine = (
        "The audit suspects none of its fields of leaking the outcome. It cannot see a leak that looks "
        "like an honest field."
    )
    return Check(level=level, sentence=" ".join(complaints) or fine)


def _repeat_findings(evaluation: Evaluation) -> list[Check]:
    """Repeat what the audit says about the outcomes, and about copied leads."""
    kinds = (UNDERSTOOD, OPEN_AS_LOST, YOUNG, TWINS)
    findings = [finding for finding in evaluation.audit.findings if finding.kind in kinds]
    return [
        Check(level=grade(finding.severity == "problem", False), sentence=finding.text)
        for finding in findings
    ]


def _check_prior(evaluation: Evaluation) -> Check:
    own = evaluation.catboost
    prior = next((model for model in evaluation.comparison if model.name == "Prior"), None)
    if prior is None:
        return Check(level="usable with care", sentence="It was not compared with the average rate alone.")
    loss, bar = own.metrics["log_loss"], prior.metrics["log_loss"]
    fails = loss >= bar or prior.behind.low <= 0
    comparison = f"(log loss {loss:.3f} against {bar:.3f})"
    if fails:
        sentence = f"It does not clearly predict better than the average rate alone {comparison}."
    else:
        sentence = f"It predicts better than the average rate alone {comparison}."
    return Check(level=grade(False, fails), sentence=sentence)


def _check_others(evaluation: Evaluation) -> Check:
    own, best = evaluation.catboost, evaluation.comparison[0]
    if own.behind.low > 0:
        sentence = f"{best.name} is clearly better on the same leads; use that, or find out why."
        return Check(level="usable with care", sentence=sentence)
    simple = next((model for model in evaluation.comparison if model.name == "Logistic regression"), None)
    if simple is None or simple.behind.low > 0:
        return Check(level="ready", sentence="No other model that was tried is clearly better.")
    sentence = "Logistic regression, which is simpler, is not clearly worse on the same leads."
    return Check(level="ready", sentence=sentence)


def _check_gap(evaluation: Evaluation) -> Check:
    before, now = evaluation.cross_validated["roc_auc"], evaluation.test["roc_auc"]
    is_worse = before > now.high
    level = grade(is_worse, is_worse and before - now.value > LARGE_GAP)
    numbers = f"ROC AUC {now.value:.3f} against {before:.3f}"
    if is_worse:
        sentence = f"Test leads are ranked clearly less well than cross-validation promised: {numbers}."
    else:
        sentence = f"Test results match cross-validation: {numbers}."
    return Check(level=level, sentence=sentence)


def _check_levels(evaluation: Evaluation, labels: Mapping[str, str]) -> Check:
    if not evaluation.levels:
        return Check(level="ready", sentence="No lead group has enough test leads for a test of its own.")
    wrong = [level for level in evaluation.levels if _is_wrong(level)]
    if not wrong:
        return Check(
            level="ready",
            sentence="Predictions are not clearly too high or too low for any lead group.",
        )
    large = [level for level in wrong if level.n_leads >= LARGE_KIND * evaluation.n_test]
    named = ", ".join(f"{labels[level.field]} {level.value!r}" for level in (large or wrong)[:3])
    sentence = (
        f"Predictions are clearly off for {len(wrong)} of {len(evaluation.levels)} lead groups: {named}"
    )
    sentence += " and others" if len(large or wrong) > 3 else ""
    sentence += "." if large else f"; each has less than {LARGE_KIND:.0%} of the leads."
    return Check(level=grade(bool(large), False), sentence=sentence)


def _is_wrong(level: SliceMetrics) -> bool:
    """Return whether the probabilities of a group are clearly off, or its leads are hardly ranked.

    A ranking that is only worse than elsewhere is no fault: a value that says much by itself leaves
    less to rank within its group.
    """
    is_off = level.gap.low > 0 or level.gap.high < 0
    return bool(level.verdict) and (is_off or level.roc_auc.high < WEAK_AUC)


def _check_profit(evaluation: Evaluation) -> list[Check]:
    profit = evaluation.test.get("profit")
    if profit is None:
        return []
    level = grade(profit.low <= 0, profit.high <= 0)
    verdicts = {"ready": "earns", "usable with care": "may or may not earn", "not ready": "does not earn"}
    sentence = (
        f"Calling the leads it selects {verdicts[level]} its cost: {profit.value:,.2f} per lead of "
        f"the list ({profit.low:,.2f} to {profit.high:,.2f})."
    )
    return [Check(level=level, sentence=sentence)]
