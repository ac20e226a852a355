"""config.json of a published model: everything a reader needs that is not the pipeline itself."""

import json
import math
import os
import platform
from importlib.metadata import version
from typing import Annotated, Any, NoReturn

from pydantic import AfterValidator, Field, PositiveInt, StringConstraints, ValidationError, model_validator

from leadmodel.decision.policy import Decision
from leadmodel.errors import ModelError, quoted
from leadmodel.leads.outcome.rule import OutcomeRule
from leadmodel.leads.recipe import Recipe
from leadmodel.leads.schema import LeadSchema
from leadmodel.options import Sha256, WithOptions, installed, with_options
from leadmodel.publishing.skops_archive import MODEL_FILE
from leadmodel.records import Record
from leadmodel.report.gate import Gate
from leadmodel.text import visible

Version = Annotated[str, StringConstraints(pattern=r"^[\w.+-]{1,40}$")]

__all__ = [
    "FORMAT_VERSION",
    "LIBRARIES",
    "ModelConfig",
    "PartFile",
    "PartFiles",
    "TrainingRecord",
    "check_finite",
    "derived_libraries",
    "installed_versions",
    "this_machine",
]

FORMAT_VERSION = 1
MAX_PARTS = 50
LIBRARIES = ("catboost", "numpy", "pandas", "scikit-learn", "skops")
"""What it takes to open model.skops; the first thing that another release of one can break."""


class TrainingRecord(Record):
    """How the model was made.

    Parameters
    ----------
    settings : dict
        The resolved configuration of the run.
    parameters : dict
        The parameters of the first CatBoostClassifier that the model averages.
    members : tuple of dict
        The parameters of all of them; empty if the model is older than this entry.
    n_train : int
        Leads that the model learned from.
    split : str
        How the test leads were chosen, in words.
    time_range : tuple of str, optional
        First and last time of the training leads, where known.
    seconds : float
        Wall time of the run.
    stages : dict of str to float
        Wall time of each stage; empty if the model is older than this entry.
    machine : str
        What it was made on.
    run : str, optional
        Where the run is written down, if it was tracked.
    fingerprint : str, optional
        Of the leads, those of the test included, in any order: the same leads again can be told.
    """

    settings: dict[str, Any]
    parameters: dict[str, Any]
    members: tuple[dict[str, Any], ...] = ()
    n_train: int
    split: str
    time_range: tuple[str, str] | None = None
    seconds: float
    stages: dict[str, float] = Field(default_factory=dict)
    machine: str = ""
    run: str | None = None
    fingerprint: Sha256 | None = None


class PartFile(Record):
    """The file of the model for the leads with one value of a field."""

    value: str
    file: Annotated[str, StringConstraints(pattern=r"^parts/\d{1,3}\.skops$")]
    sha256: Sha256


class PartFiles(Record):
    """The models for single values of one field; every other lead is the main model's."""

    field: str
    files: tuple[PartFile, ...] = Field(min_length=1, max_length=MAX_PARTS)


@with_options("entry")
class ModelConfig(WithOptions, populate_by_name=True):
    """The content of config.json.

    The file also holds an ``sklearn`` block, made from the rest, which the Hub reads. The recipe is
    what was known of the source, for a later model of its newer leads; the gate tells why the model
    took the place of another, if it did. `outcomes` is missing from models that were made before it was
    known: for them whatever is not `positive` is lost. `horizon` is the number of days within which a lead
    converts, or not.
    """

    format_version: int = FORMAT_VERSION
    title: Annotated[str, AfterValidator(visible)]
    source: str = ""
    created: str
    target: str
    positive: str
    outcomes: OutcomeRule | None = None
    horizon: PositiveInt | None = Field(default=None, exclude_if=lambda days: days is None)
    lead_schema: LeadSchema = Field(alias="schema")
    decision: Decision
    training: TrainingRecord
    recipe: Recipe | None = None
    gate: Gate | None = None
    parts: PartFiles | None = None
    versions: dict[str, Version]
    sha256: Sha256

    @model_validator(mode="after")
    def _check_versions(self) -> "ModelConfig":
        if lacking := derived_libraries(self.lead_schema) - self.versions.keys():
            raise ValueError(f"the version of {', '.join(lacking)} is missing")
        return self

    @model_validator(mode="after")
    def _check_decision(self) -> "ModelConfig":
        if self.decision.is_by_value and not any(installed()[name].gives_value for name in self.options):
            raise ValueError("a decision by value needs a model of amounts")
        return self

    def to_json(self) -> str:
        """Return the text of config.json."""
        content = self.model_dump(mode="json", by_alias=True)
        return json.dumps(content | {"sklearn": self._hub_block()}, indent=2, ensure_ascii=False)

    def _hub_block(self) -> dict[str, Any]:
        # What the pipeline takes, which of derived fields is not what is asked of a lead.
        example = {field.name: field.typical for field in self.lead_schema.fields}
        return {
            "model": {"file": MODEL_FILE},
            "model_format": "skops",
            "task": "tabular-classification",
            "environment": [f"{name}={number}" for name, number in self.versions.items()],
            "columns": self.lead_schema.columns,
            "text_columns": self.lead_schema.text_columns,
            "example_input": {name: [example[name]] for name in self.lead_schema.columns},
        }

    @classmethod
    def from_json(cls, text: str) -> "ModelConfig":
        """Read config.json.

        Raises
        ------
        ModelError
            If it is no JSON, has unknown or missing entries, or is of another format.
        """
        try:
            content = json.loads(text)
            json.dumps(
                content, ensure_ascii=False
            ).encode()  # no half of a character, which no page can send
            found = content.get("format_version") if isinstance(content, dict) else None
            if found != FORMAT_VERSION:
                raise ModelError(
                    f"config.json must be of format {FORMAT_VERSION}. Its format is {found!r}."
                )
            block = content.pop("sklearn", None)
            config = cls.model_validate(content)
        except (json.JSONDecodeError, RecursionError) as error:
            raise ModelError(f"config.json is not JSON: {error}.") from None
        except ModelError:
            raise
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise ModelError(f"config.json, at {place}: {first['msg']}.") from None
        except UnicodeEncodeError:
            raise ModelError("config.json contains half of a character (a lone surrogate).") from None
        except ValueError as error:
            raise ModelError(f"config.json contains a value that cannot be read: {error!s:.100}.") from None
        check_finite(text, "config.json")
        for field in config.lead_schema.fields:
            if not field.is_complete:
                raise ModelError(
                    f"config.json, at schema: the field {field.name!r} has no range or choices."
                )
        if block != config._hub_block():
            raise ModelError("config.json, at sklearn: the block does not say what the rest says.")
        return config

    @property
    def outcome_rule(self) -> OutcomeRule:
        """What the values of the target mean, as the model has learned them."""
        return self.outcomes or OutcomeRule(positive=(self.positive,), others=True)

    @property
    def checksums(self) -> dict[str, str]:
        """The sha256 of each skops file by its name, the main one first."""
        parts = self.parts.files if self.parts else ()
        named = {MODEL_FILE: self.sha256} | {part.file: part.sha256 for part in parts}
        options = {installed()[name].file: entry.sha256 for name, entry in self.options.items()}
        return named | {file: sha256 for file, sha256 in options.items() if sha256}

    def requirements(self) -> str:
        """Return requirements.txt: the exact versions that open the model."""
        names = (*LIBRARIES, *derived_libraries(self.lead_schema))
        return "".join(f"{name}=={self.versions[name]}\n" for name in names)

    def check_versions(self) -> None:
        """Raise ModelError if a library that reads the model is of another release series."""
        here = installed_versions()
        for name in ("catboost", "scikit-learn", "skops"):
            made = self.versions.get(name, "unknown")
            if made.split(".")[:2] != here[name].split(".")[:2]:
                raise ModelError(
                    f"The model was made with {name} {made}, and {here[name]} is installed. "
                    "Install the model's own requirements.txt, or train it again."
                )


def check_finite(text: str, name: str) -> None:
    """Raise ModelError if JSON that has been read holds NaN or a number beyond all numbers.

    Python and pydantic read both, and no page can show them.
    """

    def refuse(number: str) -> NoReturn:
        raise ModelError(f"{name} must have finite numbers. Got {quoted(number)} instead.")

    def check(number: str) -> None:
        if not math.isfinite(float(number)):
            refuse(number)

    json.loads(text, parse_constant=refuse, parse_float=check)


def this_machine() -> str:
    """Return the processor and the number of its cores, in words."""
    return f"{os.cpu_count()} cores ({platform.machine()})"


def installed_versions(schema: LeadSchema | None = None) -> dict[str, str]:
    """Return the installed versions of Python and of the libraries that open a model of `schema`."""
    names = (*LIBRARIES, *(derived_libraries(schema) if schema else ()))
    return {"python": platform.python_version()} | {name: version(name) for name in names}


def derived_libraries(schema: LeadSchema) -> set[str]:
    """Return the libraries that the derived fields of a schema need."""
    hows = {field.derived.how for field in schema.fields if field.derived}
    return {"phonenumbers"} if "phone country" in hows else set()
