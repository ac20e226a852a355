"""The model card and the requirements of a published model, rendered from its own numbers."""

import re
from collections.abc import Sequence
from typing import Any

from huggingface_hub import EvalResult, ModelCardData
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from leadmodel.insights.profile import Profile
from leadmodel.leads.derived.registry import DERIVATIONS
from leadmodel.leads.field import Field
from leadmodel.leads.recipe import Recipe
from leadmodel.metrics.classification import Estimate
from leadmodel.options import installed
from leadmodel.publishing.config import ModelConfig
from leadmodel.publishing.files import trusted_types
from leadmodel.report.evaluation import Evaluation
from leadmodel.report.readiness import evaluate_readiness
from leadmodel.text import markdown, visible

__all__ = ["METRIC_NAMES", "environment", "render_card"]

TEMPLATE = "publishing/model_card.md"

_LINK = re.compile(
    r"((?<!!)\[[^\[\]<>`|\\]*\]\((?:https?://|mailto:)[^\s()<>`|\\]*\)|https?://[^\s()<>\[\]`|\\]+)"
)
"""A link, as its author writes it or as an address alone."""

METRIC_NAMES = {
    "roc_auc": "ROC AUC",
    "pr_auc": "PR AUC (average precision)",
    "log_loss": "Log loss",
    "brier": "Brier score",
    "calibration_error": "Calibration error",
    "expected_ratio": "Predicted over actual conversions",
    "precision": "Precision at the threshold",
    "recall": "Recall at the threshold",
    "f1": "F1 at the threshold",
    "accuracy": "Accuracy at the threshold",
    "profit": "Profit per lead at the threshold",
    "lift_top_10": "Lift in the top 10 %",
    "captured_top_10": "Conversions caught in the top 10 %",
    "lift_top_20": "Lift in the top 20 %",
    "captured_top_20": "Conversions caught in the top 20 %",
}
"""Metrics in the order of the card."""


def render_card(config: ModelConfig, evaluation: Evaluation, profile: Profile) -> str:
    """Render model_card.md.

    Every placeholder of the template must have a value, and whatever came from a file of
    leads is escaped: a category may hold anything, markup included, and none may keep a
    model from being published.
    """
    metadata = Markup(_metadata(config, evaluation).to_yaml())
    labels = {field.name: field.label for field in config.lead_schema.fields}
    ranked = sorted(evaluation.importance.items(), key=lambda item: -item[1])
    return (
        environment()
        .get_template(TEMPLATE)
        .render(
            metadata=metadata,
            config=config,
            recipe=config.recipe or Recipe(),
            evaluation=evaluation,
            verdict=evaluate_readiness(evaluation, labels),
            profile=profile,
            derivations=DERIVATIONS,
            sections=[installed()[name].card for name in evaluation.options],
            metric_names=METRIC_NAMES,
            labels=labels,
            suspects=[name for name in evaluation.audit.suspects if name in labels],
            importance=[(labels[name], value) for name, value in ranked],
            trusted=lambda file: Markup(list(trusted_types(file))),
        )
    )


def environment() -> Environment:
    """Return how templates are read: escaping markup, and refusing a name without a value."""
    made = Environment(
        # The whole package, for the sections of options stand in their own folders.
        loader=PackageLoader("leadmodel", ""),
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {
        "names": _names,
        "linked": _linked,
        "code": _code,
        "estimate": Estimate.summary,
        "points": _points,
        "choices": _choices,
        "difference": _difference,
    }
    return made


def _metadata(config: ModelConfig, evaluation: Evaluation) -> ModelCardData:
    # The front matter is no Markdown, where marks could be escaped: a title has others there.
    title = config.title.translate(str.maketrans("<>[]", "‹›()"))
    results = [
        EvalResult(
            task_type="tabular-classification",
            dataset_type="tabular",
            dataset_name=title,
            metric_type=kind,
            metric_value=round(evaluation.test[kind].value, 4),
            metric_name=METRIC_NAMES[kind],
        )
        for kind in ("roc_auc", "pr_auc", "log_loss", "brier", "f1")
    ]
    return ModelCardData(
        license=(config.recipe and config.recipe.license) or None,
        library_name="sklearn",
        pipeline_tag="tabular-classification",
        tags=["skops", "catboost", "tabular", "lead-scoring", "leadmodel"],
        model_name=title,
        eval_results=results,
    )


def _finalize(value: Any) -> Markup:
    """Escape what Markdown would take for more than a text."""
    return value if isinstance(value, Markup) else Markup(markdown(str(value)))


def _linked(text: str) -> Markup:
    """Escape words of whoever made the model, but for links to pages and addresses."""
    # Splitting by a pattern with one group returns the links as well, at the odd places.
    pieces = _LINK.split(visible(" ".join(text.split())))
    return Markup("".join(one if place % 2 else markdown(one) for place, one in enumerate(pieces)))


def _code(text: str) -> Markup:
    """Set a text as code, or in quotes if it holds what would end the code or be taken for markup."""
    shown = visible(text)
    if not text.strip() or set("`<>[]") & set(text):
        return Markup(f"“{markdown(text)}”")
    return Markup(f"`{shown}`")


def _names(names: Sequence[str]) -> str:
    return ", ".join(name or "(no name)" for name in names)


def _points(estimate: Estimate) -> str:
    low, high = estimate.low, estimate.high
    return f"{100 * estimate.value:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f})"


def _difference(estimate: Estimate) -> str:
    if not estimate.value:
        return "the best"
    return estimate.summary("+.4f")


def _choices(field: Field) -> str:
    if not field.is_text:
        unit = f" {field.unit}".rstrip()
        return f"{field.minimum:,g} to {field.maximum:,g}{unit}"
    shown = ", ".join(field.choices[:6])
    return shown + (f", … ({len(field.choices)} in all)" if len(field.choices) > 6 else "")
