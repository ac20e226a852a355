"""Check whether probabilities and sums can be taken at their word."""

import numpy as np

from leadmodel.metrics.bootstrap import Estimate
from leadmodel.options import installed
from leadmodel.report.checks import Check, grade
from leadmodel.report.evaluation import Evaluation

__all__ = ["check_calibration"]

MISCALIBRATED, UNCALIBRATED = 0.03, 0.1
"""Mean gap between probability and outcome beyond what chance alone shows. Three points misjudge a
forecast of conversions noticeably; with ten, a 20 % lead may be a 10 % or a 30 % one."""

OFF, FAR_OFF = 1.1, 2.0
"""Ratio of predicted to actual conversions, or of actual to predicted ones, that the interval must exclude:
a tenth changes the plan of a month, twice as many changes every plan."""

FLAT, STEEP = 0.8, 1.25
"""Calibration slopes that the interval must exclude: 0.8 makes of a 10 % lead, where 30 % is average, one
of 13 %."""


def check_calibration(evaluation: Evaluation) -> list[Check]:
    """Check the probabilities' errors, and the sums and the slope that they give."""
    return [_check_error(evaluation), *_check_sums(evaluation), *_check_slope(evaluation)]


def _check_error(evaluation: Evaluation) -> Check:
    error, by_chance = evaluation.test["calibration_error"].value, evaluation.calibration_floor
    beyond = error - by_chance
    level = grade(beyond > MISCALIBRATED, beyond > UNCALIBRATED)
    sentence = (
        f"Predicted and actual rates differ by {100 * error:.1f} points on average; chance alone would "
        f"give about {100 * by_chance:.1f}."
    )
    if level != "ready":
        # Bins differ in size where leads have the same probability.
        bins = evaluation.curves.reliability
        gaps = np.subtract(bins["predicted"], bins["observed"])
        mean = float(np.average(gaps, weights=bins["count"]))
        side = (
            f"they are too {'high' if mean > 0 else 'low'} by {100 * abs(mean):.1f} points over all leads"
        )
        sentence += f" Use the probabilities to rank leads, not to count conversions: {side}."
    return Check(level=level, sentence=sentence)


def _check_sums(evaluation: Evaluation) -> list[Check]:
    ratios = {
        of: ratio
        for name, result in evaluation.options.items()
        for of, ratio in installed()[name].ratios(result).items()
    }
    if "expected_ratio" in evaluation.test:  # absent from older models
        ratios = {"conversions that came": evaluation.test["expected_ratio"]} | ratios
    return [_check_ratio(ratio, of) for of, ratio in ratios.items()]


def _check_ratio(ratio: Estimate, of: str) -> Check:
    is_off, is_far_off = (ratio.low > limit or ratio.high < 1 / limit for limit in (OFF, FAR_OFF))
    interval = f"{ratio.low:.0%} to {ratio.high:.0%}"
    sentence = f"Over all test leads it predicts {ratio.value:.0%} of the {of} ({interval})"
    if is_off:
        sentence += ": use it to rank leads, and correct its sums by that much"
    return Check(level=grade(is_off, is_far_off), sentence=f"{sentence}.")


def _check_slope(evaluation: Evaluation) -> list[Check]:
    slope = evaluation.calibration_slope
    if slope is None:
        return []
    numbers = f"calibration slope {slope.value:.2f} ({slope.low:.2f} to {slope.high:.2f})"
    if slope.high < FLAT:
        sentence = f"High probabilities are too high and low ones too low: {numbers}."
    elif slope.low > STEEP:
        sentence = f"High probabilities are too low and low ones too high: {numbers}."
    else:
        return []
    return [Check(level="usable with care", sentence=sentence)]
