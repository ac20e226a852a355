"""Everything a training run can be told, resolved once and saved with the model."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["TrainingSettings"]


class TrainingSettings(BaseModel):
    """Settings of a training run; the defaults were measured on three real lead sets.

    Parameters
    ----------
    seed : int
        Of the split, the folds, the boosting and the resamples.
    test_share : float
        Share of the leads that are kept for the test; the newest ones where times are known.
    n_folds : int
        Folds of the cross-validation that gives the tree count and the decision threshold.
    max_trees : int
        Upper limit of the tree count.
    patience : int
        Trees without a better log loss after which a fold stops.
    learning_rate : float
        Small enough that the tree count, not the rate, decides how long to learn.
    depth : int
        Depth of CatBoost's symmetric trees.
    ordered_below : int
        Ordered boosting (Prokhorenkova et al. 2018) for fewer training leads than this: it
        keeps small data from leaking into their own encodings, at a price that grows with them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = 0
    test_share: float = Field(default=0.2, gt=0, lt=1)
    n_folds: int = Field(default=5, ge=2)
    max_trees: int = Field(default=1500, ge=1)
    patience: int = Field(default=50, ge=1)
    learning_rate: float = Field(default=0.05, gt=0, le=1)
    depth: int = Field(default=6, ge=1, le=16)
    ordered_below: int = 20_000

    def classifier_parameters(self, n_leads: int) -> dict[str, Any]:
        """Return the parameters of the CatBoostClassifier for `n_leads` training leads."""
        return {
            "iterations": self.max_trees,
            "learning_rate": self.learning_rate,
            "depth": self.depth,
            "boosting_type": "Ordered" if n_leads < self.ordered_below else "Plain",
            "random_seed": self.seed,
            "allow_writing_files": False,
            "verbose": False,
        }
