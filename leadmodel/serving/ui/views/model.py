"""What a model is and how good it is, for people: as HTML, and its card as Markdown."""

import re
from collections.abc import Mapping
from html import escape
from math import log

from leadmodel.metrics.classification import Estimate
from leadmodel.model import LeadModel
from leadmodel.publishing.card import METRIC_NAMES
from leadmodel.report.evaluation import Evaluation
from leadmodel.report.readiness import Readiness, ReadinessLevel, evaluate_readiness
from leadmodel.serving.ui.components import bullets, facts, figure, gallery, section, table

__all__ = [
    "card_text",
    "render_comparison",
    "render_levels",
    "render_metrics",
    "render_model",
    "render_verdict",
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


def render_model(model: LeadModel) -> str:
    """Return everything that people want to know of a model."""
    labels = {field.name: field.label for field in model.schema.fields}
    parts = (
        render_verdict(evaluate_readiness(model.evaluation, labels)),
        section("How good it is", render_metrics(model)),
        *_revenue(model.evaluation),
        section("In pictures", gallery(_figures(model))),
        section("Beside other models", render_comparison(model.evaluation)),
        section("By kind of lead", render_levels(model.evaluation, labels)),
        section("What it is", facts(_facts(model))),
    )
    return f'<div class="lm-report">{"".join(parts)}</div>'


def card_text(model: LeadModel) -> str:
    """Return the model card without what the page shows anyway: front matter and pictures.

    No picture is kept, for one from elsewhere would tell its server who reads the page.
    """
    text = model.files["README.md"].decode(errors="replace")
    body = re.sub(r"\A---\n.*?\n---\n", "", text, count=1, flags=re.DOTALL)
    return re.sub(r"^!\[[^\]]*\]\(plots/\w+\.png\)$", "", body, flags=re.MULTILINE).replace("![", "[")


def render_verdict(verdict: Readiness) -> str:
    """Return whether a model is fit for use, with every rule that was looked at."""
    checks = "".join(
        f'<div class="lm-check"><span title="{check.level}">{MARKS[check.level]}</span>'
        f"<span>{escape(check.sentence)}</span></div>"
        for check in verdict.checks
    )
    return (
        f'<div class="lm-card"><div class="lm-verdict"><span>{MARKS[verdict.level]}</span>'
        f"<span>{verdict.level.capitalize()}</span></div>{checks}</div>"
    )


def render_metrics(model: LeadModel) -> str:
    """Return the metrics, each with its meaning and its interval."""
    evaluation, split = model.evaluation, model.config.training.split
    rows = [
        (
            f"{name}\n{_meaning(kind, evaluation)}",
            _interval(evaluation.test[kind]),
            f"{evaluation.cross_validated[kind]:.3f}" if kind in evaluation.cross_validated else "",
        )
        for kind, name in METRIC_NAMES.items()
        if kind in evaluation.test
    ]
    told = (
        f"On {evaluation.n_test:,} leads that took no part in training ({split}), of which "
        f"{evaluation.n_test_converted:,} converted. Below each figure stands its 95 % interval."
    )
    return f"<p>{escape(told)}</p>" + table(("", "Test leads", "Cross-validated on training leads"), rows)


def _meaning(kind: str, evaluation: Evaluation) -> str:
    value, base = evaluation.test[kind].value, evaluation.n_test_converted / evaluation.n_test
    return MEANINGS[kind].format(
        value=value,
        points=100 * value,
        base=base,
        most=max(base, 1 - base),
        spread=base * (1 - base),
        prior=-base * log(base) - (1 - base) * log(1 - base),
    )


def _interval(estimate: Estimate) -> str:
    return f"{estimate.value:.3f}\n{estimate.low:.3f} to {estimate.high:.3f}"


def _figures(model: LeadModel) -> list[str]:
    files = {name: model.files.get(f"plots/{name}.png") for name in FIGURES}
    return [figure(png, name.replace("_", " "), FIGURES[name]) for name, png in files.items() if png]


def _revenue(evaluation: Evaluation) -> list[str]:
    """Return what amounts and values are known by, if the model was trained on them."""
    revenue = evaluation.revenue
    if revenue is None:
        return []
    money = revenue.terms.money
    rows = [
        (f"{one.name}\n{one.character}", money(one.rmse), money(one.mae), _change(one.change))
        for one in revenue.trials
    ]
    header = ("Expected amount of a conversion", "RMSE", "Mean error", "Loss beyond the mean's")
    told = f"<p>{escape(revenue.summary())}</p>"
    return [section("What leads are worth", told, bullets(revenue.findings()), table(header, rows))]


def _change(change: Estimate) -> str:
    return f"{change.value:+.4f}\n{change.low:+.4f} to {change.high:+.4f}" if change.value else "the bar"


def render_comparison(evaluation: Evaluation) -> str:
    """Return the kinds of models that were tried, the best first."""
    told = (
        "Cross-validated on the training leads, all on the same folds. Log loss is better the lower it is; "
        "the difference to the best is told with its 95 % interval."
    )
    rows = [
        (
            f"{one.name}\n{one.character}",
            f"{one.metrics['log_loss']:.4f}",
            _behind(one.behind),
            f"{one.metrics['roc_auc']:.3f}",
        )
        for one in evaluation.comparison
    ]
    return f"<p>{told}</p>" + table(("Model", "Log loss", "Behind the best", "ROC AUC"), rows)


def _behind(behind: Estimate) -> str:
    return f"{behind.value:+.4f}\n{behind.low:+.4f} to {behind.high:+.4f}" if behind.value else "the best"


def render_levels(evaluation: Evaluation, labels: Mapping[str, str]) -> str:
    """Return the kinds of leads for which the model is visibly worse, or else where its gaps are widest."""
    if not evaluation.levels:
        return "<p>No value of a field has enough test leads to be judged by itself.</p>"
    worse = [level for level in evaluation.levels if level.verdict]
    told = "It is visibly worse for these." if worse else "None is visibly worse; the widest gaps:"
    rows = [
        (
            f"{labels[level.field]}: {level.value}\n{level.verdict}",
            f"{level.n_leads:,}",
            f"{level.n_converted / level.n_leads:.0%}",
            _points(level.gap),
            _interval(level.roc_auc),
        )
        for level in (worse or list(evaluation.levels))[:10]
    ]
    header = ("Kind", "Test leads", "Converted", "Predicted beyond that", "ROC AUC")
    return f"<p>Of {len(evaluation.levels)} kinds of leads with enough test leads. {told}</p>" + table(
        header, rows
    )


def _points(gap: Estimate) -> str:
    return f"{100 * gap.value:+.1f} points\n{100 * gap.low:+.1f} to {100 * gap.high:+.1f}"


def _facts(model: LeadModel) -> list[tuple[str, str]]:
    config, training, decision = model.config, model.config.training, model.config.decision
    leads = model.profile.leads
    bands = ", ".join(f"{grade} from score {lowest}" for grade, lowest in decision.bands.items())
    known = {
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
    return [(name, value) for name, value in known.items() if value]
