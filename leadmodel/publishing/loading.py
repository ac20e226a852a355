"""Load the files of a model folder, each checked against the others."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import ValidationError
from sklearn.pipeline import Pipeline

from leadmodel.errors import ModelError, quoted
from leadmodel.insights.profile import Profile
from leadmodel.leads.schema import LeadSchema
from leadmodel.options import OptionModel, installed
from leadmodel.publishing.config import ModelConfig, check_finite
from leadmodel.publishing.files import MODEL_FILE, check_sha256, load_pipeline
from leadmodel.publishing.skops_archive import check_archive
from leadmodel.report.evaluation import Evaluation

__all__ = ["LoadedFiles", "check_consistency", "check_files", "open_files", "read_config"]

_Content = TypeVar("_Content", Profile, Evaluation)


_MARKUP = re.compile(rb"<[a-z/!?][^>\n]*|\]\(\s*(javascript|data|vbscript):", re.IGNORECASE)
"""Markup that a card of ours escapes: any of it was put there by somebody else."""

_PNG = b"\x89PNG\r\n\x1a\n"


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

    def open_options(self) -> dict[str, OptionModel]:
        """Return the models of the options that this model uses, by the name of the option.

        Raises
        ------
        ModelError
            If the files of an option are not of one model.
        """
        config, evaluation = self.config, self.evaluation
        models = {
            name: option.open(
                config.lead_schema,
                config.options.get(name),
                evaluation.options.get(name),
                self.pipelines.get(option.file),
            )
            for name, option in installed().items()
        }
        return {name: model for name, model in models.items() if model is not None}


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


def check_consistency(files: Mapping[str, bytes], config: ModelConfig) -> None:
    """Raise ModelError unless the files are those of one model, and nothing but a model.

    People read the card and install from requirements.txt without looking at config.json, so neither
    may be that of another model, hold active markup, or ask for other packages.
    """
    # Both ways, because a file that config.json does not name has no checksum.
    named = set(config.checksums) - {MODEL_FILE}
    found = {name for name in files if name.endswith(".skops")} - {MODEL_FILE}
    if named != found:
        raise ModelError(
            f"The files beside {MODEL_FILE} must be those of config.json, {sorted(named)}. "
            f"Found: {sorted(found)}."
        )
    card = files["README.md"]
    if config.sha256.encode() not in card:
        raise ModelError("README.md is not the card of this model: it must name the sha256 of model.skops.")
    if markup := _MARKUP.search(card):
        raise ModelError(
            f"README.md contains markup that no card needs: {markup[0][:60].decode(errors='replace')!r}."
        )
    if (
        files["requirements.txt"].decode(errors="replace").splitlines()
        != config.requirements().splitlines()
    ):
        raise ModelError("requirements.txt must name the versions of config.json and nothing else.")
    for name, content in files.items():
        if name.endswith(".png") and not content.startswith(_PNG):
            raise ModelError(f"{name} must be a PNG image. It is not.")


def _check_profile(profile: Profile, schema: LeadSchema) -> None:
    """Raise ModelError unless profile and schema describe the same fields."""
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
    """Raise ModelError unless pipelines and schema describe the same fields."""
    schema = opened.config.lead_schema
    option_files = {option.file for option in installed().values()}
    for name, pipeline in opened.pipelines.items():
        if name not in option_files and list(pipeline[-1].feature_names_ or ()) != schema.columns:
            raise ModelError(f"{name} and config.json must be of one model. Their fields differ.")
    if opened.config.parts and opened.config.parts.field not in schema.text_columns:
        raise ModelError("config.json, at parts: the field that divides the leads must be a text.")


def _text(files: Mapping[str, bytes], name: str) -> str:
    try:
        return files[name].decode("utf-8")
    except UnicodeDecodeError:
        raise ModelError(f"{name} must be UTF-8 text. It is not; download the model again.") from None


def _read_json(files: Mapping[str, bytes], name: str, kind: type[_Content]) -> _Content:
    text = _text(files, name)
    try:
        content = kind.model_validate_json(text)
    except ValidationError as error:
        raise ModelError(f"{name} cannot be read: {error.errors()[0]['msg']}.") from None
    check_finite(text, name)
    return content
