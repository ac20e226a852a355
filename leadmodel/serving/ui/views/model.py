"""Render what a model is and how good it is: as HTML, and its card as Markdown."""

import re
from collections.abc import Mapping
from math import log
from typing import Any

from markupsafe import Markup

from leadmodel.metrics.classification import Estimate
from leadmodel.model import LeadModel
from leadmodel.options import installed
from leadmodel.publishing.card import METRIC_NAMES
from leadmodel.report.evaluation import Evaluation
from leadmodel.report.readiness import Readiness, ReadinessLevel, evaluate_readiness
from leadmodel.serving.options import option_pages
from leadmodel.serving.ui.components import Picture, Table, render, with_interval

__all__ = [
    "FIGURES",
    "card_text",
    "compare_models",
    "list_metrics",
    "list_slices",
    "render_model",
    "summarize_readiness",
]

MARKS: dict[ReadinessLevel, str] = {"ready": "✓", "usable with care": "▲", "not ready": "✗"}

# Each metric in a sentence.
MEANINGS = {
    "roc_auc": "How often a lead that converts is ranked above one that does not: {value:.0%}; a coin flip "
    "reaches 50%.",
    "pr_auc": "Precision averaged over all thresholds; random scores reach {base:.2f}.",
    "log_loss": "How far the probabilities are from the outcomes, with large errors counting most; lower "
    "is better. The average rate alone has {prior:.3f}.",
    "brier": "Mean squared difference between probability and outcome; lower is better. The average rate "
    "alone has {spread:.3f}.",
    "calibration_error": "Predicted and actual rates differ by {points:.1f} percentage points on average.",
    "expected_ratio": "The sum of the probabilities is {value:.0%} of the number of conversions.",
    "precision": "{value:.0%} of the leads above the threshold converted; of all leads, {base:.0%}.",
    "recall": "{value:.0%} of the leads that converted were above the threshold.",
    "f1": "Precision and recall in one number, which is low if either is low.",
    "accuracy": "The share of correct decisions; the same decision for every lead reaches {most:.0%}.",
    "profit": "The profit of calling the leads above the threshold, per lead of the whole list.",
    "lift_top_10": "The top tenth of the leads converts {value:.1f} times as often as a random tenth.",
    "captured_top_10": "The top tenth of the leads has {value:.0%} of all conversions.",
    "lift_top_20": "The top fifth of the leads converts {value:.1f} times as often as a random fifth.",
    "captured_top_20": "The top fifth of the leads has {value:.0%} of all conversions.",
}
# The figures of the card in the order of the page.
FIGURES = {
    "reliability": "About 30% of the leads with a probability of 30% should convert: the dashed line.",
    "gains": "Share of conversions found by the share of leads called, best first.",
    "lift": "How many times more often the leads called first convert than leads in random order.",
    "profit": "Profit by the share of leads called.",
    "importance": "Average effect of each field on the log-odds of a lead.",
    "probabilities": "The farther apart the two outcomes are, the better the model tells them apart.",
    "confusion": "Decisions by actual outcome.",
    "roc": "Conversions found against false alarms at every threshold.",
    "precision_recall": "Precision against recall at every threshold.",
}
# Lead groups in the table.
MAX_SLICES = 10


def render_model(model: LeadModel) -> str:
    """Render readiness, metrics, figures, comparison and facts of a model."""
    evaluation = model.evaluation
    labels = {field.name: field.label for field in model.schema.fields}
    captions = dict(FIGURES)
    for option in installed().values():
        captions |= option.figures
    plots = {name: model.files.get(f"plots/{name}.png") for name in captions}
    return render(
        "model.html",
        readiness=summarize_readiness(evaluate_readiness(evaluation, labels)),
        metrics=list_metrics(model),
        # Rendered from templates of their own, which have escaped whatever came from leads.
        sections=[Markup(page.render_report(model)) for page in option_pages()],
        pictures=[
            Picture(png, name.replace("_", " "), captions[name]) for name, png in plots.items() if png
        ],
        comparison=compare_models(evaluation),
        slices=list_slices(evaluation, labels),
        facts=_list_facts(model),
    )


def card_text(model: LeadModel) -> str:
    """Return the model card without what the page shows anyway: front matter and pictures."""
    # No picture is kept: one from another server would tell that server who reads the page.
    text = model.files["README.md"].decode(errors="replace")
    body = re.sub(r"\A---\n.*?\n---\n", "", text, count=1, flags=re.DOTALL)
    return re.sub(r"^!\[[^\]]*\]\(plots/\w+\.png\)$", "", body, flags=re.MULTILINE).replace("![", "[")


def summarize_readiness(readiness: Readiness) -> dict[str, Any]:
    """Return the arguments of the macro `verdict`: the level of readiness, and every check."""
    checks = [(MARKS[check.level], check.level, check.sentence) for check in readiness.checks]
    return {"mark": MARKS[readiness.level], "words": readiness.level.capitalize(), "checks": checks}


def list_metrics(model: LeadModel) -> Table:
    """Return the test metrics, each with its meaning and its interval."""
    evaluation, split = model.evaluation, model.config.training.split
    rows = [
        (
            f"{name}\n{_explain_metric(kind, evaluation)}",
            with_interval(evaluation.test[kind], ".3f"),
            f"{evaluation.cross_validated[kind]:.3f}" if kind in evaluation.cross_validated else "",
        )
        for kind, name in METRIC_NAMES.items()
        if kind in evaluation.test
    ]
    text = (
        f"Tested on {evaluation.n_test:,} leads that were not used in training ({split}), of which "
        f"{evaluation.n_test_converted:,} converted. The 95 % interval is below each figure."
    )
    return Table(("", "Test leads", "Cross-validated on training leads"), rows, text)


def _explain_metric(kind: str, evaluation: Evaluation) -> str:
    value, base = evaluation.test[kind].value, evaluation.n_test_converted / evaluation.n_test
    return MEANINGS[kind].format(
        value=value,
        points=100 * value,
        base=base,
        # What a constant prediction of the overall rate would score, for comparison.
        most=max(base, 1 - base),
        spread=base * (1 - base),
        prior=-base * log(base) - (1 - base) * log(1 - base),
    )


def _difference(difference: Estimate, reference: str) -> str:
    """Return a difference as the text of a cell; that of the reference itself is exactly zero."""
    return with_interval(difference, "+.4f") if difference.value else reference


def compare_models(evaluation: Evaluation) -> Table:
    """Return the models that were tried, the best first."""
    text = (
        f"Cross-validated on {evaluation.compared_on}, all on the same folds. Lower log loss is better; "
        "differences have 95 % intervals."
    )
    rows = [
        (
            f"{trial.name}\n{trial.character}",
            f"{trial.metrics['log_loss']:.4f}",
            _difference(trial.behind, "the best"),
            f"{trial.metrics['roc_auc']:.3f}",
        )
        for trial in evaluation.comparison
    ]
    return Table(("Model", "Log loss", "Behind the best", "ROC AUC"), rows, text)


def list_slices(evaluation: Evaluation, labels: Mapping[str, str]) -> Table:
    """Return the slices of leads where the model is clearly worse, else those with the widest gaps."""
    if not evaluation.levels:
        return Table((), (), "No lead group has enough test leads.")
    worse = [level for level in evaluation.levels if level.verdict]
    text = "Predictions are clearly off for these:" if worse else "None is clearly off; the widest gaps:"
    rows = [
        (
            f"{labels[level.field]}: {level.value}\n{level.verdict}",
            f"{level.n_leads:,}",
            f"{level.n_converted / level.n_leads:.0%}",
            _points(level.gap),
            with_interval(level.roc_auc, ".3f"),
        )
        for level in (worse or list(evaluation.levels))[:MAX_SLICES]
    ]
    text = f"{len(evaluation.levels)} lead groups have enough test leads. {text}"
    return Table(("Group", "Test leads", "Converted", "Predicted minus actual", "ROC AUC"), rows, text)


def _points(gap: Estimate) -> str:
    return f"{100 * gap.value:+.1f} points\n{100 * gap.low:+.1f} to {100 * gap.high:+.1f}"


def _list_facts(model: LeadModel) -> list[tuple[str, str]]:
    config, training, decision = model.config, model.config.training, model.config.decision
    leads = model.profile.leads
    bands = ", ".join(f"{grade} from score {lowest}" for grade, lowest in decision.bands.items())
    facts = {
        "Name": config.title,
        "Revision": model.revision,
        "Trained": config.created,
        "Source": config.source,
        "Training leads": f"{training.n_train:,} leads, {leads.rate:.1%} of which converted",
        "Period": " to ".join(training.time_range or ()),
        "Target": f"{config.target} = {config.positive}"
        + (f", within {config.horizon} days" if config.horizon else ""),
        "Fields": f"{len(model.schema.fields)} used, {len(model.schema.ignored)} left out",
        "Decision": f"“{decision.positive}” {decision.condition}, else “{decision.negative}”",
        "Rule": decision.rule,
        "Grades": bands,
        "Calibration": model.evaluation.calibration.summary(),
        "Settings": model.evaluation.portfolio.summary() if model.evaluation.portfolio else "",
        "Tuning": model.evaluation.tuning.summary() if model.evaluation.tuning else "",
        "Segments": model.evaluation.parts.summary() if model.evaluation.parts else "",
        "Versions": ", ".join(f"{name} {number}" for name, number in config.versions.items()),
        "Training": f"{len(training.members) or training.settings.get('n_members', 1)} models, averaged; "
        f"{training.seconds:.0f} s",
        "Checksum": config.sha256,
    }
    return [(name, value) for name, value in facts.items() if value]
