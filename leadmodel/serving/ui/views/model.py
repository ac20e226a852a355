"""Render what a model is and how good it is: as HTML, and its card as Markdown."""

import re
from collections.abc import Mapping, Sequence
from math import log
from typing import Any

from leadmodel.amounts.results import Revenue
from leadmodel.metrics.classification import Estimate
from leadmodel.model import LeadModel
from leadmodel.publishing.card import METRIC_NAMES
from leadmodel.report.evaluation import Evaluation
from leadmodel.report.readiness import Readiness, ReadinessLevel, evaluate_readiness
from leadmodel.serving.ui.components import Picture, Table, render

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

MEANINGS = {
    "roc_auc": "Of a lead that converts and one that does not, it ranks the right one first in {value:.0%} "
    "of all pairs; a coin in 50%.",
    "pr_auc": "The precision to expect, averaged over all thresholds; a guess would have {base:.2f}.",
    "log_loss": "How far the probabilities are from what happened, large errors counting most; lower is "
    "better, and the overall rate alone would have {prior:.3f}.",
    "brier": "The squared distance of probability and outcome; lower is better, and the overall rate alone "
    "would have {spread:.3f}.",
    "calibration_error": "A probability is {points:.1f} percentage points off on average.",
    "precision": "Of the leads that it decides for, {value:.0%} converted; of all leads, {base:.0%}.",
    "recall": "Of the leads that converted, it had decided for {value:.0%}.",
    "f1": "Precision and recall in one number, which is low if either is.",
    "accuracy": "The share of right decisions; saying the same of every lead would have {most:.0%}.",
    "profit": "What calling the leads that it decides for brings, spread over all leads.",
    "lift_top_10": "Calling its best tenth finds {value:.1f} times the conversions of calling any tenth.",
    "captured_top_10": "Its best tenth of the leads holds {value:.0%} of all conversions.",
    "lift_top_20": "Calling its best fifth finds {value:.1f} times the conversions of calling any fifth.",
    "captured_top_20": "Its best fifth of the leads holds {value:.0%} of all conversions.",
}
"""Each metric in a sentence."""

FIGURES = {
    "reliability": "Of leads given 30%, about 30% should convert: near the dashed line is good.",
    "gains": "How many of the conversions are found by calling so many of the leads, best first.",
    "lift": "How much better than by chance the leads called first convert.",
    "profit": "What calling so many of the leads brings.",
    "revenue": "How much of the real value is found by calling so many of the leads, best first.",
    "importance": "How much each field moves the log-odds of a lead, on average.",
    "probabilities": "The farther the two outcomes lie apart, the better they can be told apart.",
    "confusion": "Decisions for and against, by what happened.",
    "roc": "Conversions found against false alarms, for every threshold.",
    "precision_recall": "How many of the leads decided for convert, by how many conversions are found.",
}
"""The figures of the card in the order of the page."""


MAX_SLICES = 10


def render_model(model: LeadModel) -> str:
    """Render readiness, metrics, figures, comparison and facts of a model."""
    evaluation, revenue = model.evaluation, model.evaluation.revenue
    labels = {field.name: field.label for field in model.schema.fields}
    plots = {name: model.files.get(f"plots/{name}.png") for name in FIGURES}
    return render(
        "model.html",
        readiness=summarize_readiness(evaluate_readiness(evaluation, labels)),
        metrics=list_metrics(model),
        revenue=revenue,
        amount_models=_compare_amount_models(revenue) if revenue else None,
        pictures=[
            Picture(png, name.replace("_", " "), FIGURES[name]) for name, png in plots.items() if png
        ],
        comparison=compare_models(evaluation),
        slices=list_slices(evaluation, labels),
        facts=_list_facts(model),
    )


def card_text(model: LeadModel) -> str:
    """Return the model card without what the page shows anyway: front matter and pictures.

    No picture is kept, because one from another server would tell that server who reads the page.
    """
    text = model.files["README.md"].decode(errors="replace")
    body = re.sub(r"\A---\n.*?\n---\n", "", text, count=1, flags=re.DOTALL)
    return re.sub(r"^!\[[^\]]*\]\(plots/\w+\.png\)$", "", body, flags=re.MULTILINE).replace("![", "[")


def summarize_readiness(readiness: Readiness) -> dict[str, Any]:
    """Return whether a model is fit for use, with every check: what the macro `verdict` takes."""
    checks = [(MARKS[check.level], check.level, check.sentence) for check in readiness.checks]
    return {"mark": MARKS[readiness.level], "words": readiness.level.capitalize(), "checks": checks}


def list_metrics(model: LeadModel) -> Table:
    """Return the test metrics, each with its meaning and its interval."""
    evaluation, split = model.evaluation, model.config.training.split
    rows = [
        (
            f"{name}\n{_explain_metric(kind, evaluation)}",
            _with_interval(evaluation.test[kind], ".3f"),
            f"{evaluation.cross_validated[kind]:.3f}" if kind in evaluation.cross_validated else "",
        )
        for kind, name in METRIC_NAMES.items()
        if kind in evaluation.test
    ]
    text = (
        f"On {evaluation.n_test:,} leads that took no part in training ({split}), of which "
        f"{evaluation.n_test_converted:,} converted. Below each figure stands its 95 % interval."
    )
    return Table(text, ("", "Test leads", "Cross-validated on training leads"), rows)


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


def _with_interval(estimate: Estimate, spec: str) -> str:
    return f"{estimate.value:{spec}}\n{estimate.low:{spec}} to {estimate.high:{spec}}"


def _difference(difference: Estimate, reference: str) -> str:
    """Return a difference from the reference, which itself differs by exactly nothing."""
    return _with_interval(difference, "+.4f") if difference.value else reference


def _compare_amount_models(revenue: Revenue) -> tuple[Sequence[str], list[Sequence[str]]]:
    money = revenue.terms.money
    rows: list[Sequence[str]] = [
        (
            f"{trial.name}\n{trial.character}",
            money(trial.rmse),
            money(trial.mae),
            _difference(trial.change, "the bar"),
        )
        for trial in revenue.trials
    ]
    return ("Expected amount of a conversion", "RMSE", "Mean error", "Loss beyond the mean's"), rows


def compare_models(evaluation: Evaluation) -> Table:
    """Return the models that were tried, the best first."""
    text = (
        "Cross-validated on the training leads, all on the same folds. Log loss is better the lower it is; "
        "the difference to the best is told with its 95 % interval."
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
    return Table(text, ("Model", "Log loss", "Behind the best", "ROC AUC"), rows)


def list_slices(evaluation: Evaluation, labels: Mapping[str, str]) -> Table:
    """Return the slices of leads where the model is clearly worse, else those with the widest gaps."""
    if not evaluation.levels:
        return Table("No value of a field has enough test leads to be judged by itself.", (), ())
    worse = [level for level in evaluation.levels if level.verdict]
    text = "It is visibly worse for these." if worse else "None is visibly worse; the widest gaps:"
    rows = [
        (
            f"{labels[level.field]}: {level.value}\n{level.verdict}",
            f"{level.n_leads:,}",
            f"{level.n_converted / level.n_leads:.0%}",
            _points(level.gap),
            _with_interval(level.roc_auc, ".3f"),
        )
        for level in (worse or list(evaluation.levels))[:MAX_SLICES]
    ]
    text = f"Of {len(evaluation.levels)} kinds of leads with enough test leads. {text}"
    return Table(text, ("Kind", "Test leads", "Converted", "Predicted beyond that", "ROC AUC"), rows)


def _points(gap: Estimate) -> str:
    return f"{100 * gap.value:+.1f} points\n{100 * gap.low:+.1f} to {100 * gap.high:+.1f}"


def _list_facts(model: LeadModel) -> list[tuple[str, str]]:
    config, training, decision = model.config, model.config.training, model.config.decision
    leads = model.profile.leads
    bands = ", ".join(f"{grade} from score {lowest}" for grade, lowest in decision.bands.items())
    facts = {
        "Name": config.title,
        "Revision": model.revision,
        "Made": config.created,
        "Leads from": config.source,
        "Learned from": f"{training.n_train:,} leads, {leads.rate:.1%} of which converted",
        "Their time": " to ".join(training.time_range or ()),
        "Target": f"{config.target} = {config.positive}",
        "Fields": f"{len(model.schema.fields)} used, {len(model.schema.ignored)} left out",
        "Decision": f"“{decision.positive}” {decision.condition}, else “{decision.negative}”",
        "Rule": decision.rule,
        "Grades": bands,
        "Calibration": model.evaluation.calibration.summary(),
        "Tuning": model.evaluation.tuning.summary() if model.evaluation.tuning else "",
        "Segments": model.evaluation.parts.summary() if model.evaluation.parts else "",
        "Made with": ", ".join(f"{name} {number}" for name, number in config.versions.items()),
        "Training": f"{training.settings.get('n_members', 1)} models of "
        f"{training.parameters.get('iterations')} trees, averaged; {training.seconds:.0f} s",
        "Checksum": config.sha256,
    }
    return [(name, value) for name, value in facts.items() if value]
