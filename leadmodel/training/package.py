"""A trained pipeline and what was measured of it, packed as the files of a model folder."""

import hashlib
from collections.abc import Mapping
from typing import Any

from sklearn.pipeline import Pipeline

from leadmodel.insights.profile import Profile
from leadmodel.plots.card import draw_figures
from leadmodel.plots.style import to_png
from leadmodel.publishing.allowlist import REVENUE_FILE
from leadmodel.publishing.card import render_card
from leadmodel.publishing.config import (
    ModelConfig,
    PartFile,
    PartFiles,
    RevenueFile,
    SegmentsFile,
    installed_versions,
)
from leadmodel.publishing.files import MODEL_FILE, SEGMENTS_FILE, dump_pipeline
from leadmodel.report.evaluation import Evaluation

__all__ = ["pack"]


def pack(
    pipeline: Pipeline,
    evaluation: Evaluation,
    profile: Profile,
    parts: Mapping[str, Pipeline] | None = None,
    segments: Pipeline | None = None,
    amounts: tuple[str, Pipeline | None] | None = None,
    **facts: Any,
) -> dict[str, bytes]:
    """Return the files of a model, its card and figures among them.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted, ending in a CatBoostClassifier.
    evaluation : Evaluation
        What was measured of it.
    profile : Profile
        What the training leads looked like.
    parts : mapping of str to Pipeline, optional
        The models for single values of the field that `evaluation.parts` names.
    segments : Pipeline, optional
        What assigns leads to the segments of `evaluation.segments`.
    amounts : tuple of str and Pipeline, optional
        The column of the amounts, and their model, None where that is the mean.
    **facts
        The entries of `ModelConfig` that are not computed here.
    """
    content = dump_pipeline(pipeline)
    part_files = {
        f"parts/{place}.skops": dump_pipeline(part) for place, part in enumerate((parts or {}).values())
    }
    segment_files = {SEGMENTS_FILE: dump_pipeline(segments, SEGMENTS_FILE)} if segments else {}
    column, regression = amounts or ("", None)
    revenue_files = {REVENUE_FILE: dump_pipeline(regression, REVENUE_FILE)} if regression else {}
    config = ModelConfig(
        versions=installed_versions(),
        sha256=_sha256(content),
        parts=_list_parts(evaluation, list(parts or {}), part_files),
        segments=_list_segments(evaluation, segment_files),
        revenue=_describe_amounts(evaluation, column, revenue_files.get(REVENUE_FILE)),
        **facts,
    )
    labels = {field.name: field.label for field in config.lead_schema.fields}
    figures = draw_figures(evaluation, labels, config.decision)
    return {
        "README.md": render_card(config, evaluation, profile).encode(),
        MODEL_FILE: content,
        **part_files,
        **segment_files,
        **revenue_files,
        "config.json": config.to_json().encode(),
        "metrics.json": evaluation.model_dump_json(indent=2).encode(),
        "profile.json": profile.model_dump_json(indent=2).encode(),
        "requirements.txt": config.requirements().encode(),
        **{f"plots/{name}.png": to_png(figure) for name, figure in figures.items()},
    }


def _list_parts(evaluation: Evaluation, values: list[str], files: Mapping[str, bytes]) -> PartFiles | None:
    if not evaluation.parts or not files:
        return None
    named = (
        PartFile(value=value, file=file, sha256=_sha256(content))
        for value, (file, content) in zip(values, files.items(), strict=True)
    )
    return PartFiles(field=evaluation.parts.field, files=tuple(named))


def _list_segments(evaluation: Evaluation, files: Mapping[str, bytes]) -> SegmentsFile | None:
    if not evaluation.segments or not files:
        return None
    names = tuple(segment.name for segment in evaluation.segments.segments)
    return SegmentsFile(names=names, sha256=_sha256(files[SEGMENTS_FILE]))


def _describe_amounts(evaluation: Evaluation, column: str, content: bytes | None) -> RevenueFile | None:
    if evaluation.revenue is None:
        return None
    return RevenueFile(column=column, sha256=content and _sha256(content), terms=evaluation.revenue.terms)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
