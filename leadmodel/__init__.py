"""Predict which leads become customers: train, explain, publish and serve."""

__all__ = ["LeadModel", "__version__"]

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    # Reading a schema or a recipe must not cost the import of scikit-learn and CatBoost.
    if name == "LeadModel":
        from leadmodel.model import LeadModel

        return LeadModel
    raise AttributeError(f"module 'leadmodel' has no attribute {name!r}")
