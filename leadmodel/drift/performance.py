"""Whether a model is still as good as it was on its test leads."""

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict
from scipy.special import entr
from scipy.stats import norm, rankdata

from leadmodel.metrics.classification import Estimate, evaluate, log_losses, reliability
from leadmodel.report.evaluation import Evaluation

__all__ = ["RULE", "Performance", "compare_performance"]

Floats = npt.NDArray[np.float64]

MIN_AUC, MIN_LOSS, MIN_GAP = 0.02, 0.02, 0.05
"""Changes that are worth a new training; a large file shows ever smaller ones beyond chance."""

Z = float(norm.isf(0.05 / 3))
"""One-sided, for three looks at 5 % together."""

RULE = (
    "Performance fell if, beyond chance (5% over the three), ROC AUC is lower by at least 0.02, or log "
    "loss explains at least 0.02 less of what the share of conversions alone leaves open, or the mean "
    "probability is off by at least 5 points and by more than on the test leads."
)


class Performance(BaseModel):
    """The model on leads whose outcome is known by now, and on its test leads.

    Parameters
    ----------
    n_leads, n_converted : int
        Of now.
    roc_auc, log_loss, gap : dict of str to Estimate
        "then" and "now"; the gap is the mean probability beyond the share that converted.
    calibration_error : dict of str to float
        "then" and "now".
    reliability : dict of dict of list
        "then" and "now", each as `leadmodel.metrics.classification.reliability` returns it.
    fell : bool
        Whether it fell, by `RULE`.
    told : tuple of str
        What fell, in sentences.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_leads: int
    n_converted: int
    roc_auc: dict[str, Estimate]
    log_loss: dict[str, Estimate]
    gap: dict[str, Estimate]
    calibration_error: dict[str, float]
    reliability: dict[str, dict[str, list[float]]]
    fell: bool
    told: tuple[str, ...]


def compare_performance(
    evaluation: Evaluation, y: npt.NDArray[np.int64], probability: Floats
) -> Performance:
    """Compare a model's performance on leads of now with that on its test leads.

    Parameters
    ----------
    evaluation : Evaluation
        Of the test leads.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others; both occur more than once.
    probability : array of shape (n_leads,)
        What the model says.
    """
    now = {"roc_auc": _auc(y, probability), "log_loss": _loss(y, probability), "gap": _gap(y, probability)}
    then = {
        **{name: evaluation.test[name] for name in ("roc_auc", "log_loss")},
        "gap": _gap_then(evaluation),
    }
    shares = (evaluation.n_test_converted / evaluation.n_test, float(y.mean()))
    told = _tell(then, now, shares)
    return Performance(
        n_leads=len(y),
        n_converted=int(y.sum()),
        **{name: {"then": then[name], "now": now[name]} for name in now},
        calibration_error={
            "then": evaluation.test["calibration_error"].value,
            "now": evaluate(y, probability)["calibration_error"],
        },
        reliability={"then": evaluation.curves.reliability, "now": reliability(y, probability)},
        fell=bool(told),
        told=told,
    )


def _tell(
    then: dict[str, Estimate], now: dict[str, Estimate], shares: tuple[float, float]
) -> tuple[str, ...]:
    told = []
    if _is_below(now["roc_auc"], then["roc_auc"], MIN_AUC):
        told.append(f"ROC AUC fell: {then['roc_auc'].told()} then, {now['roc_auc'].told()} now.")
    # The log loss of knowing the share alone changes with the share, without the model's doing.
    open_then, open_now = (float(entr(share) + entr(1 - share)) for share in shares)
    explained = _less(then["log_loss"], open_then), _less(now["log_loss"], open_now)
    if _is_below(explained[1], explained[0], MIN_LOSS):
        told.append(
            f"Log loss: {then['log_loss'].told()} then, {now['log_loss'].told()} now, where knowing the "
            f"share of conversions alone gives {open_then:.3f} and {open_now:.3f}."
        )
    then_gap, now_gap = then["gap"], now["gap"]
    worse = abs(now_gap.value) > abs(then_gap.value)
    if abs(now_gap.value) >= MIN_GAP and worse and _differ(then_gap, now_gap):
        side = "high" if now_gap.value > 0 else "low"
        told.append(
            f"Probabilities run {side} by {100 * abs(now_gap.value):.0f} points now "
            f"({100 * then_gap.value:+.0f} then)."
        )
    return tuple(told)


def _is_below(low: Estimate, high: Estimate, least: float) -> bool:
    """Whether `low` is below `high` by `least` or more, and beyond chance."""
    return high.value - low.value >= least and _differ(low, high)


def _differ(one: Estimate, other: Estimate) -> bool:
    return abs(one.value - other.value) > Z * float(np.hypot(_error(one), _error(other)))


def _error(estimate: Estimate) -> float:
    return (estimate.high - estimate.low) / (2 * 1.96)


def _less(loss: Estimate, open_: float) -> Estimate:
    """Return what of `open_` a log loss explains."""
    return Estimate(value=open_ - loss.value, low=open_ - loss.high, high=open_ - loss.low)


def _estimate(value: float, error: float) -> Estimate:
    return Estimate(value=value, low=value - 1.96 * error, high=value + 1.96 * error)


def _mean(values: Floats) -> Estimate:
    return _estimate(float(values.mean()), float(values.std(ddof=1)) / float(np.sqrt(len(values))))


def _loss(y: npt.NDArray[np.int64], probability: Floats) -> Estimate:
    return _mean(log_losses(y, probability))


def _gap(y: npt.NDArray[np.int64], probability: Floats) -> Estimate:
    return _mean(probability - y)


def _gap_then(evaluation: Evaluation) -> Estimate:
    curve = {name: np.array(values) for name, values in evaluation.curves.reliability.items()}
    gap = float(np.average(curve["predicted"] - curve["observed"], weights=curve["count"]))
    spread = max(evaluation.test["brier"].value - gap**2, 0.0)
    return _estimate(gap, float(np.sqrt(spread / evaluation.n_test)))


def _auc(y: npt.NDArray[np.int64], probability: Floats) -> Estimate:
    """Return ROC AUC with the interval of DeLong et al. (1988), by ranks (Sun and Xu 2014)."""
    ranks = rankdata(probability)
    converted, other = y == 1, y == 0
    n, m = int(converted.sum()), int(other.sum())
    ahead = (ranks[converted] - rankdata(probability[converted])) / m
    behind = 1 - (ranks[other] - rankdata(probability[other])) / n
    error = np.sqrt(ahead.var(ddof=1) / n + behind.var(ddof=1) / m)
    return _estimate(float(ahead.mean()), float(error))
