"""The protocol of options: parts of a model that the core trains, saves, opens and documents unnamed.

An option is a folder with a module `option` that holds an `OPTION`. The core loops over `installed()`,
so that a folder can be deleted: what remains trains, scores and opens models without that option.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeVar

from catboost import CatBoostClassifier
from pydantic import Field, StringConstraints, create_model
from sklearn.pipeline import Pipeline

from leadmodel.arrays import Floats
from leadmodel.decision.policy import Decision
from leadmodel.decision.threshold import Threshold
from leadmodel.leads.recipe import DecisionConfig
from leadmodel.leads.schema import LeadSchema
from leadmodel.prepare.data import TrainingData
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.records import Record

__all__ = [
    "OPTIONS",
    "EvaluationContext",
    "FittedOption",
    "Option",
    "OptionEntry",
    "Sha256",
    "WithOptions",
    "installed",
    "with_options",
]

OPTIONS = {"segments": "leadmodel.clusters.option", "revenue": "leadmodel.amounts.option"}
"""The modules of options by the name of their entry in config.json and metrics.json: the only place
where the core names them."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_Class = TypeVar("_Class", bound=type[Record])


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


class FittedOption:
    """An option fitted to training leads; every method has a default that changes nothing."""

    pipeline: Pipeline | None = None
    """The content of the option's file, if it has one."""

    model: Any = None
    """What `Option.open` returns for the saved model."""

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

    card: ClassVar[str]
    """The option's section of the model card: a template's path within the package."""

    def describe(self, data: TrainingData) -> str:
        """Return in sentences what the option will use of the leads; empty if it is not used."""
        return ""

    def check(self, data: TrainingData, settings: TrainingSettings) -> None:
        """Raise InputError now for what would fail after minutes of training."""

    def fit(
        self,
        data: TrainingData,
        oof_probability: Floats,
        settings: TrainingSettings,
        progress: Callable[[str], None],
    ) -> FittedOption | None:
        """Fit the option to the training leads; return None where the settings do not ask for it."""
        raise NotImplementedError

    def open(self, schema: LeadSchema, entry: Any, result: Any, pipeline: Pipeline | None) -> Any:
        """Return what scores leads, from the entries of config.json and metrics.json and the file.

        Raises
        ------
        ModelError
            If they are not of one model.
        """
        raise NotImplementedError

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

    if TYPE_CHECKING:
        revenue: Any = None
        segments: Any = None
    else:

        def __getattr__(self, name: str) -> None:
            # Whoever asks for an option that is not installed learns that it is not used.
            if name not in OPTIONS:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def entries(self) -> dict[str, Any]:
        """Return the entries of the options that are used, by name."""
        named = {name: getattr(self, name) for name in installed()}
        return {name: entry for name, entry in named.items() if entry is not None}


def with_options(kind: Literal["entry", "result"]) -> Callable[[_Class], _Class]:
    """Return a decorator that adds the fields of the installed options to a record class."""

    def extend(core: _Class) -> _Class:
        fields: dict[str, Any] = {
            name: (
                getattr(option, kind) | None,
                Field(default=None, exclude_if=lambda value: value is None),
            )
            for name, option in installed().items()
        }
        extended = create_model(
            core.__name__, __base__=core, __module__=core.__module__, __doc__=core.__doc__, **fields
        )
        return extended  # type: ignore[return-value]

    return extend
