"""The protocol of options: parts of a model that the core trains, saves, opens and documents unnamed.

An option is a folder with a module `option` that holds an `OPTION`. The core loops over `installed()`,
so that a folder can be deleted: what remains trains, scores and opens models without that option.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from catboost import CatBoostClassifier, Pool
from pydantic import BaseModel, Field, StringConstraints, create_model
from sklearn.pipeline import Pipeline

from leadmodel.arrays import Floats
from leadmodel.decision.policy import Decision
from leadmodel.decision.threshold import Threshold
from leadmodel.leads.recipe import DecisionConfig
from leadmodel.leads.schema import LeadSchema
from leadmodel.leads.table import LeadTable
from leadmodel.metrics.bootstrap import Estimate
from leadmodel.prepare.data import TrainingData
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.records import Record

__all__ = [
    "OPTIONS",
    "EvaluationContext",
    "FittedOption",
    "Option",
    "OptionEntry",
    "OptionModel",
    "Progress",
    "Sha256",
    "WithOptions",
    "add_fields",
    "installed",
    "with_options",
]

OPTIONS = {"revenue": "leadmodel.amounts.option", "segments": "leadmodel.clusters.option"}
"""Modules of options by the name of their entry in config.json and metrics.json, in the order of their
columns. No other line of the core names an option."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Progress = Callable[[str], None]
"""Takes a line of text after each step."""

_Class = TypeVar("_Class", bound=type[BaseModel])


class OptionEntry(Record):
    """The entry of an option in config.json."""

    sha256: Sha256 | None = None


@dataclass(frozen=True, eq=False)
class EvaluationContext:
    """A trained model and its predictions for the test leads, for an option to evaluate itself by.

    Attributes
    ----------
    data : TrainingData
        All leads.
    settings : TrainingSettings
        The seed, above all.
    classifier : CatBoostClassifier
        The model of all leads.
    decision : Decision
        Grades and threshold.
    predictions : mapping of str to array of shape (n_test,)
        ``probability`` and the columns of options, by the names that `LeadModel.score` gives them.
    """

    data: TrainingData
    settings: TrainingSettings
    classifier: CatBoostClassifier
    decision: Decision
    predictions: Mapping[str, Floats]


class OptionModel:
    """A fitted option that scores leads; every method has a default that adds nothing."""

    formats: Mapping[str, Callable[[float], str]] = {}
    """Writes the numbers of a column for people, by column."""

    choices: Mapping[str, tuple[str, ...]] = {}
    """Values of its columns of texts, by column."""

    def predict(self, table: LeadTable, pool: Pool, probability: Floats, threads: int) -> dict[str, Any]:
        """Return columns of predictions by name.

        Parameters
        ----------
        table : LeadTable
            Typed leads with their gaps.
        pool : Pool
            The same leads as CatBoost takes them, gaps imputed as the schema says.
        probability : array of shape (n_leads,)
            Predicted probabilities of conversion.
        threads : int
            Threads of CatBoost.
        """
        return {}

    def answers(self, columns: Mapping[str, Any]) -> dict[str, Sequence[object]]:
        """Return this option's fields of `leadmodel.predictor.Answer`, from the columns of `predict`."""
        return {}


class FittedOption:
    """An option fitted to training leads; every method has a default that changes nothing."""

    pipeline: Pipeline | None = None
    """Content of the option's file, if it has one."""

    model: OptionModel | None = None
    """Predicts for the test leads what the evaluation needs."""

    def threshold(self, config: DecisionConfig) -> Threshold | None:
        """Return the decision threshold, if this option decides."""
        return None

    def gains(self, data: TrainingData) -> Floats | None:
        """Return what each test lead brought, if this option knows."""
        return None

    def evaluate(self, context: EvaluationContext) -> Record:
        """Return the entry of metrics.json."""
        raise NotImplementedError

    def entry(self, result: Any, sha256: str | None) -> OptionEntry | None:
        """Return the entry of config.json, given `result` of `evaluate` and the checksum of the file."""
        raise NotImplementedError


class Option:
    """What the core asks of an option."""

    file: ClassVar[str]
    """Name of the skops file that a fitted option may have."""

    entry: ClassVar[type[OptionEntry]]
    result: ClassVar[type[Record]]
    """Of config.json and of metrics.json."""

    gives_value: ClassVar[bool] = False
    """Whether leads have an expected value by it, so that a decision can rest on a cost alone."""

    figures: ClassVar[Mapping[str, str]] = {}
    """Captions of its figures by name."""

    answer_fields: ClassVar[Mapping[str, Any]] = {}
    """Its fields of `leadmodel.predictor.Answer` with their types; absent where the model lacks it."""

    numbers: ClassVar[Mapping[str, str]] = {}
    """Titles of the columns of numbers that a scored list shows."""

    categories: ClassVar[Mapping[str, str]] = {}
    """Titles of the columns of texts that a scored list shows and can be filtered by."""

    card: ClassVar[str]
    """Template of macros for the model card: a path within the package."""

    page: ClassVar[str]
    """Module with a `PAGE`, an `OptionPage` of the app; only serving imports it."""

    def describe(self, data: TrainingData) -> str:
        """Return in sentences what the option will use of the leads; empty if it is not used."""
        return ""

    def check(self, data: TrainingData, settings: TrainingSettings) -> None:
        """Raise InputError now for what would fail after minutes of training."""

    def fit(
        self, data: TrainingData, oof_probability: Floats, settings: TrainingSettings, progress: Progress
    ) -> FittedOption | None:
        """Fit the option to the training leads; return None where the settings do not ask for it."""
        raise NotImplementedError

    def open(
        self, schema: LeadSchema, entry: Any, result: Any, pipeline: Pipeline | None
    ) -> OptionModel | None:
        """Open the model from its entries in config.json and metrics.json, and its file.

        Raises
        ------
        ModelError
            If they are not of one model.
        """
        raise NotImplementedError

    def displays(self, result: Any) -> dict[str, Any]:
        """Return figures for the model card, each a `leadmodel.plots.style.Display`, by name."""
        return {}

    def ratios(self, result: Any) -> Mapping[str, Estimate]:
        """Return the ratios of predicted sums to real ones over the test leads, by what was summed."""
        return {}

    def summary(self, result: Any) -> Sequence[str]:
        """Return what `result` says, in lines for a terminal."""
        raise NotImplementedError


@cache
def installed() -> dict[str, Option]:
    """Return the options whose folders exist, by name."""
    options: dict[str, Option] = {}
    for name, module in OPTIONS.items():
        package = module.rpartition(".")[0]
        try:
            options[name] = import_module(module).OPTION
        except ModuleNotFoundError as error:
            # An import that fails within an option is an error of its own.
            if error.name not in (module, package):
                raise
    return options


class WithOptions(Record):
    """A record of the core to which each installed option adds an entry by its name."""

    @property
    def options(self) -> dict[str, Any]:
        """Entries of the options that are used, by name."""
        named = {name: getattr(self, name) for name in installed()}
        return {name: entry for name, entry in named.items() if entry is not None}


def with_options(kind: Literal["entry", "result"]) -> Callable[[_Class], _Class]:
    """Return a decorator that adds the entries of the installed options to a record class."""
    return add_fields({name: getattr(option, kind) for name, option in installed().items()})


def add_fields(types: Mapping[str, Any]) -> Callable[[_Class], _Class]:
    """Return a decorator that adds optional fields to a pydantic model, left out where they are None."""

    def extend(core: _Class) -> _Class:
        fields: dict[str, Any] = {
            name: (field_type | None, Field(default=None, exclude_if=lambda value: value is None))
            for name, field_type in types.items()
        }
        extended = create_model(
            core.__name__, __base__=core, __module__=core.__module__, __doc__=core.__doc__, **fields
        )
        return extended  # type: ignore[return-value]

    return extend
