"""Define the settings of a training run, which are saved with the model."""

from typing import Any, Literal

from pydantic import Field

from leadmodel.records import Record

__all__ = ["TrainingSettings"]


class TrainingSettings(Record):
    """Settings of a training run; the defaults were measured on three real lead sets.

    Parameters
    ----------
    seed : int
        Seed of the split, the folds, the boosting and the resamples.
    test_share : float
        Share of the test leads; the newest leads where times are known.
    drop_leaks : bool
        Whether to leave out the columns that the audit suspects of leaking the outcome. Off by default:
        a suspect may be the best legitimate column, which only someone who knows the source can tell.
    n_folds : int
        Folds of the cross-validation that determines the tree count and the decision threshold.
    max_trees : int
        Upper limit of the tree count.
    patience : int
        Trees without a better log loss after which a fold stops.
    refit_factor : float
        Trees of the final models over those of the folds, which learn from fewer leads.
    n_members : int
        Models, alike but for their seeds, that are averaged into the final one.
    learning_rate : float
        Small enough that the tree count, not the rate, decides how long to learn.
    depth : int
        Depth of CatBoost's symmetric trees.
    one_hot_max_size : int
        Categorical fields with at most this many values are one-hot encoded; the others are encoded by
        the outcomes of leads with the same value.
    ordered_below : int
        Ordered boosting (Prokhorenkova et al. 2018) for fewer training leads than this. It was
        better on one of three lead sets and level on the others, at 2 to 5 times the time: this
        is where the time begins to matter, not where the gain ends.
    race_below : int
        Other settings of CatBoost race against this one for fewer training leads; 0 for none. They fit
        about three times as many models as the folds do, so the bound limits the time.
    large_from : int
        From this number of training leads on, most of what helps few leads is left out, because it takes
        much time for a small gain: see `for_leads`.
    compared_leads : int
        Training leads that the other types of models are compared on, at most: they are there to be
        compared with, not to cost more than the model.
    device : "cpu" or "gpu"
        Where CatBoost fits.
    tune_minutes : float
        Minutes to search for better parameters; 0 for no search.
    segment_by : str, optional
        A text field for whose values segment models are tried.
    segments : int or "auto", optional
        Number of segments to cluster the leads into; "auto" to choose it. Segments do not change the
        predictions.
    """

    seed: int = 0
    test_share: float = Field(default=0.2, gt=0, lt=1)
    drop_leaks: bool = False
    n_folds: int = Field(default=5, ge=2)
    max_trees: int = Field(default=1000, ge=1)
    patience: int = Field(default=50, ge=1)
    refit_factor: float = Field(default=1.25, gt=0)
    n_members: int = Field(default=3, ge=1)
    learning_rate: float = Field(default=0.1, gt=0, le=1)
    depth: int = Field(default=6, ge=1, le=16)
    one_hot_max_size: int = Field(default=10, ge=2)
    ordered_below: int = 6_000
    race_below: int = 50_000
    large_from: int = Field(default=50_000, ge=1)
    compared_leads: int = Field(default=20_000, ge=1)
    device: Literal["cpu", "gpu"] = "cpu"
    tune_minutes: float = Field(default=0, ge=0, allow_inf_nan=False)
    segment_by: str | None = None
    segments: int | Literal["auto"] | None = Field(default=None, exclude_if=lambda value: value is None)

    def for_leads(self, n_leads: int) -> "TrainingSettings":
        """Return the settings for this number of training leads.

        Two folds instead of five determine tree count, threshold and calibration. Each of them learns from
        half of the leads, so that the final model needs more trees. A single model is fitted,
        without the average over seeds: benchmarks/RESULTS.md, "How training scales", has what this costs.
        """
        if n_leads < self.large_from:
            return self
        few = {
            "n_folds": 2,
            "n_members": 1,
            "race_below": 0,
            "refit_factor": max(1.6, self.refit_factor),
            "compared_leads": min(10_000, self.compared_leads),
        }
        return self.model_copy(update=few)

    def classifier_parameters(self, n_leads: int) -> dict[str, Any]:
        """Return the parameters of the CatBoostClassifier for `n_leads` training leads."""
        return {
            "iterations": self.max_trees,
            "learning_rate": self.learning_rate,
            "depth": self.depth,
            "one_hot_max_size": self.one_hot_max_size,
            # CatBoost has other defaults for these below 200 trees, so that a fold cut
            # short and a model of as many trees would not be alike.
            "max_ctr_complexity": 4,
            "leaf_estimation_iterations": 10,
            "boosting_type": "Ordered" if n_leads < self.ordered_below else "Plain",
            "random_seed": self.seed,
            "allow_writing_files": False,
            "verbose": False,
        } | ({"task_type": "GPU"} if self.device == "gpu" else {})

    def supported(self, changes: dict[str, Any]) -> dict[str, Any]:
        """Return the changed parameters that CatBoost takes on the device."""
        return {name: value for name, value in changes.items() if self.device == "cpu" or name != "rsm"}

    def member(self, parameters: dict[str, Any], n_trees: int, number: int = 0) -> dict[str, Any]:
        """Return the parameters of one of the models that are averaged.

        Parameters
        ----------
        parameters : dict
            As the folds had them.
        n_trees : int
            Tree count of the folds, which learn from fewer leads and therefore need fewer trees.
        number : int
            From 0 on; each model has a seed that no other has.
        """
        n_trees = round(n_trees * self.refit_factor)
        return parameters | {"iterations": n_trees, "random_seed": self.seed + number}

    def members(self, parameters: dict[str, Any], n_trees: int) -> list[dict[str, Any]]:
        """Return the parameters of models that differ in their seeds alone; see `member`."""
        return [self.member(parameters, n_trees, number) for number in range(self.n_members)]
