"""The pipeline that is trained and published: scikit-learn's own steps, then CatBoost."""

from typing import Any

from catboost import CatBoostClassifier
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline

from leadmodel.leads.schema import MISSING, LeadSchema

__all__ = ["make_pipeline"]


def make_pipeline(schema: LeadSchema, parameters: dict[str, Any]) -> Pipeline:
    """Return an unfitted pipeline from leads to the probability of a conversion.

    The first step names what is missing in a text and puts the columns in the model's order;
    CatBoost takes gaps in numbers, and texts, as they are.

    Parameters
    ----------
    schema : LeadSchema
        The fields.
    parameters : dict
        Of the CatBoostClassifier.
    """
    texts = list(schema.text_columns)
    numbers = [name for name in schema.columns if name not in schema.text_columns]
    columns = ColumnTransformer(
        [
            ("text", SimpleImputer(strategy="constant", fill_value=MISSING), texts),
            ("number", "passthrough", numbers),
        ],
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    # A tuple, because scikit-learn cannot clone a classifier that was given a list.
    classifier = CatBoostClassifier(cat_features=tuple(texts), **parameters)
    return Pipeline([("columns", columns), ("classifier", classifier)])
