"""Predict which leads become customers: train, explain, publish and serve.

>>> import leadmodel
>>> from leadmodel.leads.sample import make_sample
>>> leads = make_sample(400)
>>> leadmodel.check(leads, target="status", positive="Won").suspects
()
>>> model = leadmodel.train(leads, target="status", positive="Won", id="lead_id", seed=1)
>>> model.readiness.level
'usable with care'
>>> model.score(leads.head(2)).columns.tolist()
['probability', 'score', 'grade', 'decision']
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leadmodel.model import LeadModel
    from leadmodel.training.interface import check, train

__all__ = ["LeadModel", "__version__", "check", "train"]

__version__ = "0.1.0"

_EXPORTS = {
    "LeadModel": "leadmodel.model",
    "check": "leadmodel.training.interface",
    "train": "leadmodel.training.interface",
}


def __getattr__(name: str) -> Any:
    # Reading a schema or a recipe must not cost the import of scikit-learn and CatBoost.
    if name in _EXPORTS:
        from importlib import import_module

        return getattr(import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'leadmodel' has no attribute {name!r}")
