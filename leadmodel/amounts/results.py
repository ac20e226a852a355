"""How well the value of leads is told: part of metrics.json, with the words for it."""

from collections.abc import Callable

from leadmodel.amounts.model import LEVEL, AmountParameters
from leadmodel.metrics.classification import Estimate
from leadmodel.metrics.curves import Line
from leadmodel.records import Record

__all__ = ["MEAN", "AmountTrial", "Metrics", "Revenue", "RevenueTest"]

MEAN = "Mean"

Metrics = dict[str, Estimate]


class AmountTrial(Record):
    """One way to expect the amounts of converted training leads, cross-validated.

    Parameters
    ----------
    name, character : str
        What it is, and its strengths and weaknesses, in a line.
    rmse, mae : float
        Root of the mean squared error, and mean absolute error.
    change : Estimate
        What it adds to the mean's loss; below 0 is better. Paired, with its interval, which is so
        wide that all of those of one run hold together with 95 %. The loss is that of the gamma
        distribution (QLIKE: amount / expected + log of expected): lowest for the true expectation,
        as the squared error is, without letting a few large amounts decide (Patton 2011).
    """

    name: str
    character: str
    rmse: float
    mae: float
    change: Estimate


class RevenueTest(Record):
    """How well the test leads' value was told.

    A converted test lead with a known amount also stands for those without: the weights of
    the leads are such. Amounts beyond the limit count as the limit.

    Parameters
    ----------
    n_amounts, n_unknown, n_cut : int
        Converted test leads with an amount, and without, and amounts beyond the limit.
    share_cut : float
        Share of the sum of these leads' amounts that lies beyond the limit, and does not count.
    value : dict of str to dict of str to Estimate
        Over all leads, ``rmse``, ``mae`` and ``r2`` of the expected value: by "this model",
        "mean amount" (the probability times the mean amount, calibrated alike) and "one
        regression" of all leads' amounts, 0 for those that did not convert. The latter two with
        ``rmse_beyond``, by how much their RMSE exceeds this model's.
    amount : dict of str to dict of str to Estimate
        The same over converted leads, of the expected amount.
    total : Estimate
        Sum of the expected values over that of the real ones.
    caught_by_value, caught_by_probability, caught_more : Estimate
        Share of the real value among the fifth of the leads that is ranked highest, and how much
        more of it ranking by value catches; paired.
    coverage : Estimate
        Share of the converted leads whose amount lay within its interval.
    by_value, by_probability : Line
        Share of leads, best first, to share of real value among them.
    """

    n_amounts: int
    n_unknown: int
    n_cut: int
    share_cut: float
    value: dict[str, Metrics]
    amount: dict[str, Metrics]
    total: Estimate
    caught_by_value: Estimate
    caught_by_probability: Estimate
    caught_more: Estimate
    coverage: Estimate
    by_value: Line
    by_probability: Line


class Revenue(Record):
    """What was learned of amounts, and how well it holds.

    Parameters
    ----------
    n_amounts, n_unknown, n_ignored : int
        Converted training leads with an amount, and without; amounts, of all leads, that are
        ignored because their leads did not convert.
    n_cut : int
        Amounts of training leads beyond `limit`, which count as the limit.
    limit : float
        See `leadmodel.amounts.read.robust_limit`.
    trials : tuple of AmountTrial
        Ways to expect an amount, the mean first.
    chosen : str
        The one that is used: the mean, unless another is better beyond doubt.
    terms : AmountParameters
        How amounts and values are told.
    test : RevenueTest, optional
        None if too few test leads have an amount.
    """

    n_amounts: int
    n_unknown: int
    n_ignored: int
    n_cut: int
    limit: float
    trials: tuple[AmountTrial, ...]
    chosen: str
    terms: AmountParameters
    test: RevenueTest | None = None

    @property
    def is_modelled(self) -> bool:
        """Whether leads are told apart by the amounts to expect of them."""
        return self.chosen != MEAN

    def summary(self) -> str:
        """Return what is used and why, in sentences."""
        trial = next(trial for trial in self.trials if trial.name == self.chosen)
        if self.is_modelled:
            told = (
                f"{self.chosen} is the best of {len(self.trials) - 1} regressions and clearly better than "
                f"the mean: it changes the loss by {trial.change.summary('+.4f')}."
            )
        elif len(self.trials) == 1:
            told = f"The amounts differ too little to learn from, so the mean, {self._mean()}, is used."
        else:
            told = (
                f"None of {len(self.trials) - 1} regressions is clearly better than the mean, so the mean, "
                f"{self._mean()}, is used for every lead."
            )
        return told + self._told_rules()

    def findings(self) -> tuple[str, ...]:
        """Return what the test leads showed, in sentences."""
        if self.test is None:
            return ("Too few test leads have an amount for a test.",)
        test, money = self.test, self.terms.money
        value, amount = test.value["this model"], test.amount["this model"]
        caught = (one.summary(".1%") for one in (test.caught_by_value, test.caught_by_probability))
        told = [
            f"Expected values have a root mean square error of {money(value['rmse'].value)} "
            f"({money(value['rmse'].low)} to {money(value['rmse'].high)}); "
            f"{'; '.join(_others(test.value, money)[not self.is_modelled :])}.",
            f"Expected amounts of converted leads are {money(amount['mae'].value)} off on average "
            f"({money(amount['mae'].low)} to {money(amount['mae'].high)}).",
            "The top fifth of the leads by value has {} of all value; by probability, {}: {} points "
            "more.".format(*caught, _points(test.caught_more)),
            f"The expected values add up to {test.total.summary('.0%')} of the actual ones; "
            f"{test.coverage.summary('.0%')} of the amounts are within their {LEVEL:.0%} interval.",
        ]
        if test.n_cut:
            told.append(
                f"{test.n_cut:,} amounts of test leads are capped at {money(self.limit)}; the cap removes "
                f"{test.share_cut:.1%} of the sum of these leads' amounts."
            )
        if test.n_unknown:
            told.append(
                f"{test.n_unknown:,} converted test leads have no amount; those with one represent them."
            )
        return tuple(told)

    def _mean(self) -> str:
        return self.terms.money(self.terms.mean)

    def _told_rules(self) -> str:
        told = ""
        if self.n_unknown:
            told += f" {self.n_unknown:,} converted training leads without an amount are left out."
        if self.n_ignored:
            told += f" {self.n_ignored:,} amounts of leads that did not convert are ignored."
        if self.n_cut:
            told += f" {self.n_cut:,} amounts are capped at {self.terms.money(self.limit)}."
        return told


def _others(value: dict[str, Metrics], money: Callable[[float], str]) -> list[str]:
    """Return how far off others are, and by how much more, in words."""
    named = {"mean amount": "with the mean amount for all", "one regression": "one regression on all leads"}
    told = []
    for name, words in named.items():
        beyond = value[name]["rmse_beyond"]
        told.append(
            f"{words}, {money(value[name]['rmse'].value)} (a difference of {money(beyond.value)}, "
            f"{money(beyond.low)} to {money(beyond.high)})"
        )
    return told


def _points(estimate: Estimate) -> str:
    low, high = 100 * estimate.low, 100 * estimate.high
    return f"{100 * estimate.value:+.1f} ({low:+.1f} to {high:+.1f})"
