"""Define recipes: what is known of a data source, in a TOML file rather than in the code."""

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PositiveInt, ValidationError, model_validator

from leadmodel.errors import InputError, quoted
from leadmodel.leads.event_recipe import EventConfig
from leadmodel.leads.field import Kind
from leadmodel.leads.outcome.rule import OutcomeRule
from leadmodel.records import Record

__all__ = ["DecisionConfig", "FieldConfig", "Names", "Recipe", "as_names", "check_bands", "read_budget"]

Names = str | Sequence[str]


class FieldConfig(Record):
    """Configure a field; what is not given is inferred from the leads.

    `influence` says whether sales or marketing can change the field, which no leads show.
    """

    kind: Kind | None = None
    label: str | None = None
    help: str | None = None
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    required: bool | None = None
    influence: bool | None = None

    def given(self) -> dict[str, Any]:
        """Return the properties that are given, other than the kind."""
        return self.model_dump(exclude_none=True, exclude={"kind"})


_BUDGET = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:(%)|/\s*(day|week|month|year))\s*")
RULES = {"min_precision", "min_recall", "budget", "value", "cost"}


def as_names(names: Names | None) -> tuple[str, ...]:
    """Return one name or several as a tuple."""
    return (names,) if isinstance(names, str) else tuple(names or ())


def check_bands(bands: dict[str, int]) -> dict[str, int]:
    """Return `bands`; raise InputError unless the lowest scores of the grades fall, to 0."""
    lowest = list(bands.values())
    if not lowest or lowest[-1] != 0 or lowest[0] > 100 or sorted(set(lowest), reverse=True) != lowest:
        raise InputError(
            f"The lowest scores of the grades must fall from at most 100 to 0. Got {bands} instead."
        )
    return bands


def read_budget(budget: str) -> tuple[float, str]:
    """Parse a budget such as "20%" or "200/week" into a number and a unit, "%" or a period.

    Raises
    ------
    InputError
        If it has another format, or is 0.
    """
    match = _BUDGET.fullmatch(budget)
    if not match or not float(match[1]):
        raise InputError(f"A budget must look like 20% or 200/week and be above 0. Got {budget!r} instead.")
    return float(match[1]), match[2] or match[3]


class DecisionConfig(Record):
    """Configure the decision: its words, the grades, and the rule that sets the threshold.

    At most one rule: a precision floor, a recall floor, a budget, or value and cost together; by
    default the best F1. If past leads have amounts, the cost alone is a rule: leads are called whose
    expected value exceeds it.

    Parameters
    ----------
    positive, negative : str
        The decision in words.
    bands : dict of str to int, optional
        The lowest score of each grade, best grade first; the last one is 0.
    min_precision, min_recall : float, optional
        Between 0 and 1.
    budget : str, optional
        Number of leads that can be called: "20%" of them, or "200/week".
    value, cost : float, optional
        Value of a conversion and cost of a call, in the currency of the amounts.
    """

    positive: str = "Will convert"
    negative: str = "Will not convert"
    bands: dict[str, int] | None = None
    min_precision: float | None = Field(default=None, gt=0, le=1)
    min_recall: float | None = Field(default=None, gt=0, le=1)
    budget: str | None = None
    value: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    cost: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _check_rule(self) -> "DecisionConfig":
        if self.value is not None and self.cost is None:
            raise ValueError("value and cost must be given together")
        if self.bands is not None:
            check_bands(self.bands)
        if self.budget is not None:
            read_budget(self.budget)
        rules = (self.min_precision, self.min_recall, self.budget, self.cost)
        if sum(rule is not None for rule in rules) > 1:
            raise ValueError("give only one rule: min_precision, min_recall, budget, or value and cost")
        return self

    def updated(self, **changes: Any) -> "DecisionConfig":
        """Return the configuration with all `changes` that are not None; a new rule replaces the old one.

        Raises
        ------
        InputError
            If the result is invalid.
        """
        given = {key: value for key, value in changes.items() if value is not None}
        kept = self.model_dump(exclude=RULES if RULES & given.keys() else set())
        try:
            return DecisionConfig.model_validate(kept | given)
        except ValidationError as error:
            first = error.errors()[0]
            place = "".join(f"{part}: " for part in first["loc"])
            why = first["msg"].removeprefix("Value error, ").removesuffix(".")
            raise InputError(f"Invalid decision rule: {place}{why}.") from None


class Recipe(Record):
    """Describe a data source: where its leads come from, and the roles of its columns.

    Parameters
    ----------
    title, source : str
        Where the leads come from, for the model card.
    sheet : str, optional
        The sheet of an Excel file that has the leads.
    maker, contact, license : str
        Author of the model, contact, and license in the Hub's spelling, such as "apache-2.0", for the
        model card.
    target : str, optional
        The outcome column.
    positive, negative, open : str or tuple of str, optional
        Its values for converted leads, for lost ones, and for those that are not decided yet, which are
        left out. What is not given is understood from the usual words; see `leadmodel.leads.outcome`.
    time : str, optional
        The column that orders the leads from oldest to newest.
    converted_at : str, optional
        The column with the date of conversion.
    horizon : int, optional
        Days after its time within which a lead converts, or not; younger leads are left out.
    amount : str, optional
        The column with the amount of a converted lead; `fields` may give its unit.
    id : tuple of str
        Columns that identify a lead. Leads with the same value in the first one belong to one person
        and stay together in random splits.
    leaks : dict of str to str
        Columns written after the outcome, or because of it, each with the reason.
    drop : tuple of str
        Columns not to use for any other reason.
    placeholders : tuple of str
        Texts that mark a missing value.
    decimal : str, optional
        The mark of decimals in the numbers of the leads, "." or ",", where they do not show it.
    decision : DecisionConfig
        Words, grades and rule of the decision.
    fields : dict of str to FieldConfig
        Labels, help texts, kinds and ranges by column.
    events : EventConfig, optional
        How to make leads from event logs; without it, the data source is a table of leads.
    """

    title: str = ""
    source: str = ""
    sheet: str | None = Field(default=None, exclude_if=lambda sheet: sheet is None)
    maker: str = ""
    contact: str = ""
    license: str = Field(default="", pattern=r"^([a-z0-9][a-z0-9.-]*)?$")
    target: str | None = None
    positive: str | tuple[str, ...] | None = None
    negative: str | tuple[str, ...] | None = Field(default=None, exclude_if=lambda names: names is None)
    open: str | tuple[str, ...] | None = Field(default=None, exclude_if=lambda names: names is None)
    time: str | None = None
    amount: str | None = Field(default=None, exclude_if=lambda amount: amount is None)
    converted_at: str | None = Field(default=None, exclude_if=lambda name: name is None)
    horizon: PositiveInt | None = Field(default=None, exclude_if=lambda days: days is None)
    id: tuple[str, ...] = ()
    leaks: dict[str, str] = Field(default_factory=dict)
    drop: tuple[str, ...] = ()
    placeholders: tuple[str, ...] = ()
    decimal: Literal[".", ","] | None = Field(default=None, exclude_if=lambda decimal: decimal is None)
    decision: DecisionConfig = DecisionConfig()
    fields: dict[str, FieldConfig] = Field(default_factory=dict)
    events: EventConfig | None = None

    @model_validator(mode="after")
    def _check_horizon(self) -> "Recipe":
        if self.events is not None and (self.horizon is not None or self.converted_at is not None):
            raise ValueError("a recipe with events has its horizon in [events], and no converted_at")
        return self

    @classmethod
    def load(cls, path: str | Path) -> "Recipe":
        """Read a recipe.

        Raises
        ------
        InputError
            If the file is missing, is no TOML, or has unknown or invalid entries.
        """
        recipe = f"The recipe {quoted(str(path), 300)}"
        try:
            return cls.model_validate(tomllib.loads(Path(path).read_text(encoding="utf-8")))
        except OSError as error:
            raise InputError(f"{recipe} cannot be read: {error.strerror}.") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InputError(f"{recipe} is not TOML: {error}.") from None
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise InputError(f"{recipe}, at {place}: {first['msg']}.") from None

    def updated(self, **changes: Any) -> "Recipe":
        """Return the recipe with all `changes` that are not None."""
        given = {key: value for key, value in changes.items() if value is not None}
        return self.model_copy(update=given)

    def unused(self) -> dict[str, str]:
        """Return the columns that are no features, each with the reason."""
        # A later reason replaces an earlier one: the role of a column tells more than a wish to drop it.
        reasons = dict.fromkeys(self.drop, "dropped on request")
        reasons |= {name: f"leak: {why}" for name, why in self.leaks.items()}
        reasons |= dict.fromkeys(self.id, "id")
        reasons |= {self.events.entity: "lead identifier"} if self.events else {}
        reasons |= {self.time: "time of the lead"} if self.time else {}
        reasons |= {self.amount: "amount, known after the outcome"} if self.amount else {}
        if self.converted_at:
            reasons[self.converted_at] = "conversion date, known after the outcome"
        return reasons | ({self.target: "target"} if self.target else {})

    @property
    def outcomes(self) -> OutcomeRule:
        """What the values of the outcome column mean, as far as the recipe tells."""
        if self.target is not None and self.target == self.converted_at:
            return OutcomeRule(filled=True)
        return OutcomeRule(
            positive=as_names(self.positive), negative=as_names(self.negative), open=as_names(self.open)
        )

    @property
    def answered_days(self) -> int | None:
        """Days within which the model says that a lead converts, if the leads tell when they did."""
        return self.horizon if self.converted_at else None

    @property
    def whose(self) -> str | None:
        """The column that identifies the person of a lead, if the recipe names one."""
        return self.events.entity if self.events else next(iter(self.id), None)

    def check_columns(self, columns: list[str]) -> None:
        """Raise InputError if the recipe names a column with a role, and `columns` lack it."""
        roles = {"target": self.target, "time": self.time, "amount": self.amount}
        roles["conversion date"] = self.converted_at
        for role, name in roles.items():
            if name is not None and name not in columns:
                found = ", ".join(columns[:40])
                raise InputError(
                    f"The {role} column {quoted(name)} is not among the leads' columns. Found: {found}."
                )
