"""Package a fitted model as the files of a model folder, including its card and figures."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from leadmodel.insights.profile import profile_leads, profile_output
from leadmodel.model import LeadModel
from leadmodel.options import installed
from leadmodel.plots.card import draw_figures
from leadmodel.plots.style import to_png
from leadmodel.prepare.data import fingerprint
from leadmodel.publishing.card import render_card
from leadmodel.publishing.config import (
    ModelConfig,
    PartFile,
    PartFiles,
    TrainingRecord,
    installed_versions,
    this_machine,
)
from leadmodel.publishing.files import MODEL_FILE, Files, dump_pipeline
from leadmodel.training.fit import FittedModel

__all__ = ["package"]


def package(fitted: FittedModel, run: str | None = None) -> LeadModel:
    """Package a fitted model as the files of a model folder, and open it.

    Parameters
    ----------
    fitted : FittedModel
        As `leadmodel.training.fit.fit` returns it.
    run : str, optional
        Where the run is written down; the model names it.
    """
    data, decision, evaluation = fitted.data, fitted.decision, fitted.evaluation
    skops_files, entries = {MODEL_FILE: dump_pipeline(fitted.classifier.pipeline)}, {}
    parts = _add_segment_models(fitted, skops_files)
    for name, option in fitted.options.items():
        file = installed()[name].file
        if option.pipeline is not None:
            skops_files[file] = dump_pipeline(option.pipeline, file)
        checksum = _sha256(skops_files[file]) if option.pipeline is not None else None
        entries[name] = option.entry(getattr(evaluation, name), checksum)
    options: dict[str, Any] = entries
    config = ModelConfig(
        title=data.recipe.title or "Leads",
        source=data.recipe.source,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        target=str(data.recipe.target),
        positive=data.positive,
        outcomes=data.outcomes.rule,
        horizon=data.recipe.answered_days,
        lead_schema=data.schema,
        decision=decision,
        recipe=data.recipe,
        training=_record(fitted, run),
        parts=parts,
        versions=installed_versions(data.schema),
        sha256=_sha256(skops_files[MODEL_FILE]),
        **options,
    )
    outputs = {
        name: profile_output(column, data.test[1]) for name, column in fitted.predictions.outputs.items()
    }
    profile = profile_leads(data.schema, *data.train, outputs)
    labels = {field.name: field.label for field in data.schema.fields}
    figures = draw_figures(evaluation, labels, decision)
    return LeadModel(
        {
            "README.md": render_card(config, evaluation, profile).encode(),
            **skops_files,
            "config.json": config.to_json().encode(),
            "metrics.json": evaluation.model_dump_json(indent=2).encode(),
            "profile.json": profile.model_dump_json(indent=2).encode(),
            "requirements.txt": config.requirements().encode(),
            **{f"plots/{name}.png": to_png(figure) for name, figure in figures.items()},
        }
    )


def _record(fitted: FittedModel, run: str | None) -> TrainingRecord:
    split = fitted.data.split
    return TrainingRecord(
        settings=fitted.settings.model_dump(),
        parameters=fitted.classifier.members[0],
        members=tuple(fitted.classifier.members),
        n_train=len(split.train),
        split=split.description,
        time_range=split.time_range,
        seconds=round(sum(fitted.seconds.values()), 1),
        stages={stage: round(seconds, 1) for stage, seconds in fitted.seconds.items()},
        machine=this_machine(),
        run=run,
        fingerprint=fingerprint(fitted.data.leads),
    )


def _add_segment_models(fitted: FittedModel, skops_files: Files) -> PartFiles | None:
    """Add the segment models to the files; return their entry of config.json."""
    pipelines, found = fitted.classifier.segment_pipelines, fitted.evaluation.parts
    if found is None or not pipelines:
        return None
    parts = []
    for number, (value, pipeline) in enumerate(pipelines.items()):
        file = f"parts/{number}.skops"
        skops_files[file] = dump_pipeline(pipeline)
        parts.append(PartFile(value=value, file=file, sha256=_sha256(skops_files[file])))
    return PartFiles(field=found.field, files=tuple(parts))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
