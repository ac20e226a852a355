"""Choose the decision threshold by a floor, a budget, the profit or F1."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from leadmodel.errors import InputError
from leadmodel.leads.recipe import DecisionConfig, read_budget
from leadmodel.metrics.curves import Cuts, find_cuts, profit_at

__all__ = ["Threshold", "budget_share", "choose_threshold"]

MIN_CALLED = 20
"""Least leads above a threshold for its precision to be more than chance."""

DAYS = {"day": 1.0, "week": 7.0, "month": 365.25 / 12, "year": 365.25}


class Threshold(NamedTuple):
    """Lowest probability with a positive decision, and the rule that chose it, in words."""

    probability: float
    rule: str


def choose_threshold(
    config: DecisionConfig,
    y: npt.ArrayLike,
    probability: npt.ArrayLike,
    leads_per_day: float | None = None,
) -> Threshold:
    """Choose the decision threshold by the rule of `config`; without one, by the best F1.

    Parameters
    ----------
    config : DecisionConfig
        A precision or recall floor, a budget, or value and cost.
    y : array-like of shape (n_leads,)
        1 for converted, 0 for the others; at least one converted.
    probability : array-like of shape (n_leads,)
        Out-of-fold probabilities; those of fitted leads would give too high a threshold.
    leads_per_day : float, optional
        Average number of new leads, needed for a budget per day, week, month or year.

    Raises
    ------
    InputError
        If no threshold reaches the floor, or the number of new leads is needed and unknown.
    """
    # Only cuts between two training leads differ; a grid of thresholds would miss some of them.
    cuts = find_cuts(np.asarray(y, dtype=np.float64), np.asarray(probability, dtype=np.float64))
    if config.min_precision is not None:
        chosen = _with_precision(cuts, config.min_precision)
    elif config.min_recall is not None:
        first = int(np.flatnonzero(cuts.recall >= config.min_recall)[0])
        rule = f"fewest calls with a recall of at least {config.min_recall:g}"
        chosen = Threshold(float(cuts.probability[first]), rule)
    elif config.budget is not None:
        chosen = _within_budget(cuts, config.budget, leads_per_day)
    elif config.value is not None and config.cost is not None:
        chosen = _most_profitable(cuts, config.value, config.cost)
    else:
        best = int(np.argmax(2 * cuts.hits / (cuts.called + cuts.hits[-1])))
        chosen = Threshold(float(cuts.probability[best]), "best F1")
    return chosen._replace(rule=f"{chosen.rule}, on cross-validated predictions of the training leads")


def _with_precision(cuts: Cuts, floor: float) -> Threshold:
    enough = cuts.called >= min(MIN_CALLED, cuts.n_leads)
    reached = np.flatnonzero((cuts.precision >= floor) & enough)
    if not len(reached):
        best = float(cuts.precision[enough].max())
        raise InputError(
            f"No threshold reaches a precision of {floor:g} on the training leads. The highest, of "
            f"{MIN_CALLED} leads or more, is {best:.3f}; choose a lower minimum."
        )
    rule = f"most conversions with a precision of at least {floor:g}"
    return Threshold(float(cuts.probability[reached[-1]]), rule)


def _within_budget(cuts: Cuts, budget: str, leads_per_day: float | None) -> Threshold:
    share, words = budget_share(budget, leads_per_day)
    affordable = np.flatnonzero(cuts.called <= share * cuts.n_leads)
    rule = f"the best {share:.1%} of the leads, a budget of {words}"
    if not len(affordable):
        return Threshold(
            float((cuts.probability[0] + 1) / 2), f"{rule}; the best leads are tied and exceed it"
        )
    return Threshold(float(cuts.probability[affordable[-1]]), rule)


def budget_share(budget: str, leads_per_day: float | None) -> tuple[float, str]:
    """Return the share of the leads that a budget covers, and the budget in words.

    Raises
    ------
    InputError
        If it is a number of calls per period, and the number of new leads is unknown.
    """
    number, unit = read_budget(budget)
    if unit == "%":
        return min(number / 100, 1.0), f"{number:g} % of the leads"
    if not leads_per_day:
        raise InputError(
            f"A budget per {unit} needs a date column, and there is none. Give the budget as a share of "
            "the leads, such as 20%, or name the date column with --time."
        )
    coming = leads_per_day * DAYS[unit]
    return min(number / coming, 1.0), f"{number:g} calls a {unit}, with {coming:,.0f} leads a {unit}"


def _most_profitable(cuts: Cuts, value: float, cost: float) -> Threshold:
    profit = profit_at(cuts, value, cost)
    best = int(np.argmax(profit))
    rule = f"the highest profit, with a conversion worth {value:,g} and a call costing {cost:,g}"
    if profit[best] <= 0:
        # Above every probability of the training leads, so that new leads rarely reach it either.
        return Threshold(float((cuts.probability[0] + 1) / 2), f"{rule}: no call pays off")
    return Threshold(float(cuts.probability[best]), rule)
