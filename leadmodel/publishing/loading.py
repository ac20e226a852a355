"""From the files of a model folder to what is in them, each checked against the others."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from pydantic import ValidationError
from sklearn.pipeline import Pipeline

from leadmodel.amounts.model import AmountModel
from leadmodel.clusters.assignment import ClusterAssigner
from leadmodel.errors import ModelError, quoted
from leadmodel.insights.profile import Profile
from leadmodel.leads.schema import LeadSchema
from leadmodel.publishing.allowlist import REVENUE_FILE, SEGMENTS_FILE, check_archive
from leadmodel.publishing.config import ModelConfig, check_finite
from leadmodel.publishing.consistency import check_consistency, read_cluster_assigner
from leadmodel.publishing.files import check_sha256, load_pipeline
from leadmodel.report.evaluation import Evaluation

__all__ = ["LoadedFiles", "check_files", "open_files", "read_config"]

_Content = TypeVar("_Content", Profile, Evaluation)


@dataclass(frozen=True)
class LoadedFiles:
    """What the files of a model hold.

    Attributes
    ----------
    config, profile, evaluation : ModelConfig, Profile, Evaluation
        Of config.json, profile.json and metrics.json.
    pipelines : dict of str to Pipeline
        By the name of their file, the main one first.
    """

    config: ModelConfig
    profile: Profile
    evaluation: Evaluation
    pipelines: dict[str, Pipeline]

    @property
    def parts(self) -> dict[str, Pipeline]:
        """The models for single values of a field, by value."""
        parts = self.config.parts.files if self.config.parts else ()
        return {part.value: self.pipelines[part.file] for part in parts}

    @property
    def worth(self) -> AmountModel | None:
        """The model of amounts, if there is one."""
        if self.config.revenue is None:
            return None
        pipeline = self.pipelines.get(REVENUE_FILE)
        return AmountModel(self.config.revenue.terms, pipeline and pipeline[-1])

    @cached_property
    def assignment(self) -> ClusterAssigner | None:
        """What assigns leads to segments, if the model has any."""
        return read_cluster_assigner(self.config, self.evaluation, self.pipelines.get(SEGMENTS_FILE))


def open_files(files: Mapping[str, bytes]) -> LoadedFiles:
    """Open the files of a model folder.

    Raises
    ------
    ModelError
        If one is damaged, changed, of another version, of another model, or not to be trusted.
    """
    config, profile, evaluation = _read_documents(files)
    pipelines = {
        name: load_pipeline(files[name], sha256, name) for name, sha256 in config.checksums.items()
    }
    opened = LoadedFiles(config, profile, evaluation, pipelines)
    _check_fields(opened)
    _check_numbers(opened)
    return opened


def check_files(files: Mapping[str, bytes]) -> None:
    """Check all of the files that can be checked without opening a pipeline.

    Raises
    ------
    ModelError
        As for `open_files`.
    """
    config, *_ = _read_documents(files)
    for name, sha256 in config.checksums.items():
        check_sha256(files.get(name, b""), sha256, name)
        check_archive(files[name], name)


def _read_documents(files: Mapping[str, bytes]) -> tuple[ModelConfig, Profile, Evaluation]:
    config = read_config(files)
    config.check_versions()
    check_consistency(files, config)
    profile = _read_json(files, "profile.json", Profile)
    _check_profile(profile, config.lead_schema)
    return config, profile, _read_json(files, "metrics.json", Evaluation)


def read_config(files: Mapping[str, bytes]) -> ModelConfig:
    """Return the content of config.json."""
    return ModelConfig.from_json(_text(files, "config.json"))


def _check_profile(profile: Profile, schema: LeadSchema) -> None:
    """Raise ModelError unless profile and schema speak of the same fields."""
    profiles = profile.fields
    if set(profiles) != set(schema.columns):
        raise ModelError("profile.json and config.json must be of one model. Their fields differ.")
    for field in schema.fields:
        if field.is_text == bool(profiles[field.name].edges):
            raise ModelError(
                "profile.json and config.json must be of one model. One has the field "
                f"{quoted(field.name)} as numbers, the other as texts."
            )


def _check_fields(opened: LoadedFiles) -> None:
    """Raise ModelError unless pipelines and schema speak of the same fields."""
    schema = opened.config.lead_schema
    for name, pipeline in opened.pipelines.items():
        if name != SEGMENTS_FILE and list(pipeline[-1].feature_names_ or ()) != schema.columns:
            raise ModelError(f"{name} and config.json must be of one model. Their fields differ.")
    if opened.config.parts and opened.config.parts.field not in schema.text_columns:
        raise ModelError("config.json, at parts: the field that divides the leads must be a text.")
    if (opened.config.revenue is None) != (opened.evaluation.revenue is None):
        raise ModelError(
            "metrics.json and config.json must be of one model: both tell of amounts, or none."
        )


def _check_numbers(opened: LoadedFiles) -> None:
    """Raise ModelError if some lead's expected amount would not be finite, whichever lead it is."""
    worth = opened.worth
    if worth is None or worth.regressor is None:
        return
    numbers = np.append(worth.regressor.get_leaf_values(), worth.regressor.get_scale_and_bias())
    if not np.isfinite(numbers.sum()):
        raise ModelError(f"{REVENUE_FILE} must give finite amounts. It holds numbers that are not finite.")


def _text(files: Mapping[str, bytes], name: str) -> str:
    try:
        return files[name].decode("utf-8")
    except UnicodeDecodeError:
        raise ModelError(f"{name} must be UTF-8 text. It is not; get the model anew.") from None


def _read_json(files: Mapping[str, bytes], name: str, kind: type[_Content]) -> _Content:
    text = _text(files, name)
    try:
        content = kind.model_validate_json(text)
    except ValidationError as error:
        raise ModelError(f"{name} cannot be read: {error.errors()[0]['msg']}.") from None
    check_finite(text, name)
    return content
