"""Show a model in a notebook or a Python session: its repr, its HTML view and its plots."""

import base64
from functools import cached_property
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from leadmodel.publishing.card import METRIC_NAMES
from leadmodel.publishing.config import ModelConfig
from leadmodel.report.evaluation import Evaluation
from leadmodel.report.readiness import Readiness, evaluate_readiness
from leadmodel.text import format_percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from leadmodel.plots.style import Display

__all__ = ["ModelView", "render"]

HEADLINE = ("roc_auc", "pr_auc", "log_loss", "calibration_error", "captured_top_20", "profit")
"""Metrics of the HTML view."""

N_IMPORTANT = 8
"""Most fields in the HTML view."""


def render(package: str, template: str, **context: Any) -> str:
    """Return the HTML of a template in the folder of `package`; texts are escaped."""
    environment = Environment(
        loader=PackageLoader(package, ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(context)


class ModelView:
    """Represent and plot a model by its metrics alone."""

    config: ModelConfig
    evaluation: Evaluation
    revision: str

    @cached_property
    def readiness(self) -> Readiness:
        """Level at which the model can be used, and the reasons."""
        return evaluate_readiness(self.evaluation, self._labels)

    def summary(self) -> str:
        """Say whether the model can be used, what it was tested on, and the average rate."""
        n_test = self.evaluation.n_test
        tested = f"the {n_test:,} newest" if self.config.training.time_range else f"{n_test:,} random"
        rate = format_percent(self.evaluation.n_test_converted / n_test)
        return (
            f"{self.readiness.level.capitalize()}: tested on {tested} leads, which were not used in "
            f"training; {rate} of them converted."
        )

    @property
    def _labels(self) -> dict[str, str]:
        return {field.name: field.label for field in self.config.lead_schema.fields}

    def __repr__(self) -> str:
        auc = self.evaluation.test["roc_auc"].summary()
        return (
            f"LeadModel({self.config.title!r}, {self.readiness.level}, ROC AUC {auc}, "
            f"{len(self._labels)} fields, revision {self.revision!r})"
        )

    def _repr_html_(self) -> str:
        # Imported here, because a server opens models without ever drawing one.
        from leadmodel.plots.style import to_png

        test = self.evaluation.test
        importance = sorted(self.evaluation.importance.items(), key=lambda item: -item[1])[:N_IMPORTANT]
        picture = base64.b64encode(to_png(self.plot_calibration().figure_)).decode()
        return render(
            "leadmodel",
            "notebook.html.j2",
            title=self.config.title,
            revision=self.revision,
            readiness=self.readiness,
            evaluation=self.evaluation,
            split=self.config.training.split,
            metrics=[(METRIC_NAMES[name], test[name]) for name in HEADLINE if name in test],
            importance=[(self._labels[name], value) for name, value in importance],
            largest=importance[0][1] or 1.0,
            calibration=picture,
        )

    def plot_calibration(self, ax: "Axes | None" = None) -> "Display":
        """Plot the share of the test leads that converted by predicted probability."""
        return self._display("reliability", ax)

    def plot_roc(self, ax: "Axes | None" = None) -> "Display":
        """Plot the ROC curve of the test leads."""
        return self._display("roc", ax)

    def plot_precision_recall(self, ax: "Axes | None" = None) -> "Display":
        """Plot precision against recall of the test leads at every threshold."""
        return self._display("precision_recall", ax)

    def plot_gains(self, ax: "Axes | None" = None) -> "Display":
        """Plot the share of all conversions among the leads that are called first."""
        return self._display("gains", ax)

    def plot_probabilities(self, ax: "Axes | None" = None) -> "Display":
        """Plot the distribution of the test leads' probabilities by outcome."""
        return self._display("probabilities", ax)

    def plot_importance(self, ax: "Axes | None" = None) -> "Display":
        """Plot the mean absolute contribution of the most important fields."""
        return self._display("importance", ax)

    def _display(self, name: str, ax: "Axes | None") -> "Display":
        from leadmodel.plots.card import make_displays

        return make_displays(self.evaluation, self._labels, self.config.decision)[name].plot(ax)
