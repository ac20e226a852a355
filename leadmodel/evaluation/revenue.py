"""How well the value of leads is told: part of metrics.json."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from leadmodel.evaluation.curves import Line, thin
from leadmodel.evaluation.metrics import Estimate, bootstrap, captured_share
from leadmodel.evaluation.worth import AmountTerms, Worths

__all__ = [
    "MEAN",
    "AmountTrial",
    "Revenue",
    "RevenueTest",
    "Sold",
    "compare_amounts",
    "judge_revenue",
    "tell_money",
]

MEAN = "Mean"
MIN_TEST_AMOUNTS = 10
"""Fewer amounts of test leads than this are not judged by."""

TOP = 0.2

Floats = npt.NDArray[np.float64]
Metrics = dict[str, Estimate]


class AmountTrial(BaseModel):
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

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    character: str
    rmse: float
    mae: float
    change: Estimate


class RevenueTest(BaseModel):
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

    model_config = ConfigDict(frozen=True, extra="forbid")

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


class Revenue(BaseModel):
    """What was learned of amounts, and how well it holds.

    Parameters
    ----------
    n_amounts, n_unknown, n_ignored : int
        Converted training leads with an amount, and without; amounts, of all leads, that are
        ignored because their leads did not convert.
    n_cut : int
        Amounts of training leads beyond `limit`, which count as the limit.
    limit : float
        See `leadmodel.leads.amounts.robust_limit`.
    trials : tuple of AmountTrial
        Ways to expect an amount, the mean first.
    chosen : str
        The one that is used: the mean, unless another is better beyond doubt.
    terms : AmountTerms
        How amounts and values are told.
    test : RevenueTest, optional
        None if too few test leads have an amount.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_amounts: int
    n_unknown: int
    n_ignored: int
    n_cut: int
    limit: float
    trials: tuple[AmountTrial, ...]
    chosen: str
    terms: AmountTerms
    test: RevenueTest | None = None

    @property
    def is_modelled(self) -> bool:
        """Whether leads are told apart by the amounts to expect of them."""
        return self.chosen != MEAN

    def money(self, amount: float) -> str:
        """Return an amount in words, with its unit."""
        return tell_money(amount, self.terms.unit)

    def summary(self) -> str:
        """Return what is used and why, in sentences."""
        trial = next(trial for trial in self.trials if trial.name == self.chosen)
        if self.is_modelled:
            told = (
                f"{self.chosen} is the best of {len(self.trials) - 1} ways to expect an amount, and better "
                f"than the mean beyond doubt: it changes the loss by {trial.change.told('+.4f')}."
            )
        elif len(self.trials) == 1:
            told = f"The amounts do not differ enough to learn from: the mean, {self._mean()}, is expected."
        else:
            told = (
                f"None of {len(self.trials) - 1} ways to expect an amount is better than the mean beyond "
                f"doubt, so that each converted lead is expected to bring the mean, {self._mean()}."
            )
        return told + self._told_rules()

    def _mean(self) -> str:
        return self.money(self.terms.mean)

    def _told_rules(self) -> str:
        told = ""
        if self.n_unknown:
            told += f" {self.n_unknown:,} converted training leads without an amount are left out."
        if self.n_ignored:
            told += f" {self.n_ignored:,} amounts of leads that did not convert are ignored."
        if self.n_cut:
            told += f" {self.n_cut:,} amounts beyond {self.money(self.limit)} count as that."
        return told


def tell_money(amount: float, unit: str) -> str:
    """Return an amount in words: cents only where they count, a sign before it, a name behind it.

    >>> tell_money(1234.5, "€"), tell_money(12.5, "EUR")
    ('€1,234', '12.50 EUR')
    """
    number = f"{amount:,.0f}" if amount >= 1000 or float(amount).is_integer() else f"{amount:,.2f}"
    return f"{unit}{number}" if len(unit) == 1 else f"{number} {unit}".rstrip()


@dataclass(frozen=True, eq=False)
class Sold:
    """What leads really brought.

    Parameters
    ----------
    amounts : array of shape (n_leads,)
        0 for those that did not convert, NaN where not known; at most the limit.
    y : array of shape (n_leads,)
        1 for converted, 0 for the others.
    """

    amounts: Floats
    y: npt.NDArray[np.int64]

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Which converted leads have an amount."""
        return (self.y == 1) & ~np.isnan(self.amounts)

    @property
    def weights(self) -> Floats:
        """Of each lead: one with an amount stands for those without as well, which count nothing."""
        known = self.known
        return np.where(self.y == 1, known * (self.y.sum() / max(known.sum(), 1)), 1.0)

    @property
    def filled(self) -> Floats:
        """The amounts, 0 where not known."""
        return np.nan_to_num(self.amounts, nan=0.0)

    @property
    def total(self) -> float:
        """The sum of the amounts, those not known taken to be like the others."""
        return float(self.weights @ self.filled)


def compare_amounts(
    amounts: Floats, expected: Mapping[str, Floats], characters: Mapping[str, str]
) -> tuple[AmountTrial, ...]:
    """Compare ways to expect the amounts of converted leads, each above 0, the mean first."""
    losses = {name: amounts / told + np.log(told) for name, told in expected.items()}
    z = _z(max(len(expected) - 1, 1))
    return tuple(
        AmountTrial(
            name=name,
            character=characters[name],
            rmse=float(np.sqrt(np.mean((told - amounts) ** 2))),
            mae=float(np.mean(np.abs(told - amounts))),
            change=_mean_interval(losses[name] - losses[MEAN], z),
        )
        for name, told in expected.items()
    )


def _z(n_intervals: int) -> float:
    """Return how many standard errors an interval reaches, all of them holding with 95 % (Bonferroni)."""
    return NormalDist().inv_cdf(1 - 0.025 / n_intervals)


def _mean_interval(differences: Floats, z: float) -> Estimate:
    mean = float(differences.mean())
    half = z * float(differences.std(ddof=1)) / float(np.sqrt(len(differences)))
    return Estimate(value=mean, low=mean - half, high=mean + half)


def judge_revenue(
    sold: Sold,
    uncut: Floats,
    probability: Floats,
    worths: Worths,
    rivals: Mapping[str, Floats],
    mean: float,
    random_state: int,
) -> RevenueTest | None:
    """Judge expected amounts and values on test leads.

    Parameters
    ----------
    sold : Sold
        What the test leads really brought, beyond the limit cut to it.
    uncut : array of shape (n_leads,)
        The amounts as they were.
    probability : array of shape (n_leads,)
        That each lead converts.
    worths : Worths
        What they were expected to be worth.
    rivals : mapping of str to array of shape (n_leads,)
        Values that others expected.
    mean : float
        The amount that knowing nothing of a lead would expect.
    random_state : int
        Seed of the resamples.
    """
    known = sold.known
    if known.sum() < MIN_TEST_AMOUNTS:
        return None
    real, weights = sold.filled, sold.weights
    inside = (worths.amount_low <= real) & (real <= worths.amount_high)

    def ranked(draws: Floats) -> dict[str, Floats]:
        by_value = captured_share(real, worths.value, draws * weights, TOP)
        by_chance = captured_share(real, probability, draws * weights, TOP)
        return {
            "caught_by_value": by_value,
            "caught_by_probability": by_chance,
            "caught_more": by_value - by_chance,
            "total": draws @ (weights * worths.value) / (draws @ (weights * real)),
            "coverage": draws @ (known * inside) / (draws @ known),
        }

    told = {"this model": worths.value, **rivals}
    amounts = {"this model": worths.amount[known], "mean amount": np.full(int(known.sum()), mean)}
    beyond = uncut[known].sum() - real[known].sum()
    return RevenueTest(
        n_amounts=int(known.sum()),
        n_unknown=int(sold.y.sum() - known.sum()),
        n_cut=int(np.sum(uncut[known] > real[known])),
        share_cut=float(beyond / uncut[known].sum()) if beyond else 0.0,
        value=_judge_errors(real, told, weights, random_state),
        amount=_judge_errors(real[known], amounts, np.ones(int(known.sum())), random_state),
        **bootstrap(ranked, len(real), random_state),
        by_value=_gains(real * weights, worths.value),
        by_probability=_gains(real * weights, probability),
    )


def _judge_errors(
    real: Floats, told: Mapping[str, Floats], weights: Floats, random_state: int
) -> dict[str, Metrics]:
    """Return RMSE, MAE and R² of each way to tell `real`, and by how much the RMSE exceeds the first's."""
    first = next(iter(told))

    def compute(draws: Floats) -> dict[str, Floats]:
        drawn = draws * weights
        total = drawn.sum(axis=1)
        spread = drawn @ real**2 / total - (drawn @ real / total) ** 2
        found: dict[str, Floats] = {}
        for name, one in told.items():
            mse = drawn @ (one - real) ** 2 / total
            found[f"{name}/rmse"] = np.sqrt(mse)
            found[f"{name}/mae"] = drawn @ np.abs(one - real) / total
            found[f"{name}/r2"] = np.where(spread > 0, 1 - mse / np.where(spread > 0, spread, 1), np.nan)
            if name != first:
                found[f"{name}/rmse_beyond"] = found[f"{name}/rmse"] - found[f"{first}/rmse"]
        return found

    estimates = bootstrap(compute, len(real), random_state)
    return {
        name: {key.rpartition("/")[2]: one for key, one in estimates.items() if key.startswith(f"{name}/")}
        for name in told
    }


def _gains(value: Floats, ranking: Floats) -> Line:
    ranked = value[np.argsort(-ranking, kind="stable")]
    share = np.linspace(0, 1, len(ranked) + 1)
    return thin(share, np.concatenate([[0.0], np.cumsum(ranked) / ranked.sum()]))
