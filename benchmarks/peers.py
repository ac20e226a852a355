"""One peer of the quality benchmark, in the environment of requirements-bench.txt.

    python benchmarks/peers.py PEER FOLDER --seed N --seconds S

Learns from FOLDER/train.parquet, predicts FOLDER/test.parquet, and writes the probabilities and
what they cost into FOLDER. Every peer gets the same typed leads: texts as categories, numbers with
their gaps. Only benchmarks/quality.py calls this.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

Predict = Callable[[pd.DataFrame], np.ndarray]

MIN_ROWS = 10_000
"""Leads in the timing of a prediction: few of them would time the fixed cost alone."""


def main() -> None:
    """Fit, predict and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--seconds", type=int, default=180)
    options = parser.parse_args()
    train, test = (pd.read_parquet(options.folder / f"{part}.parquet") for part in ("train", "test"))
    y = train.pop("y").to_numpy()
    test = test.drop(columns="y")
    started = time.perf_counter()
    predict = PEERS[options.peer](train, y, options.seed, options.seconds)
    fit_seconds = time.perf_counter() - started
    rows = test.iloc[np.resize(np.arange(len(test)), MIN_ROWS)].reset_index(drop=True)
    predict(test)
    started = time.perf_counter()
    predict(rows)
    score_seconds = time.perf_counter() - started
    name = options.folder / f"{options.peer}-{options.seed}"
    np.save(f"{name}.npy", predict(test))
    costs = {
        "fit_seconds": fit_seconds,
        "score_seconds": 1000 * score_seconds / MIN_ROWS,
        "load": os.getloadavg()[1],
    }
    Path(f"{name}.json").write_text(json.dumps(costs))


def logistic_regression(X: pd.DataFrame, y: np.ndarray, seed: int, seconds: int) -> Predict:
    """scikit-learn, on one-hot texts and filled, scaled numbers."""
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    texts = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=5)
    fill = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    columns = make_column_transformer(
        (texts, make_column_selector(dtype_include="category")),
        (make_pipeline(fill, StandardScaler()), make_column_selector(dtype_exclude="category")),
    )
    model = make_pipeline(columns, LogisticRegression(max_iter=3000)).fit(X, y)
    return lambda leads: model.predict_proba(leads)[:, 1]


def random_forest(X: pd.DataFrame, y: np.ndarray, seed: int, seconds: int) -> Predict:
    """scikit-learn, 500 trees with leaves of three leads or more, which suits probabilities."""
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder

    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = make_column_transformer(
        (codes, make_column_selector(dtype_include="category")), remainder="passthrough"
    )
    forest = RandomForestClassifier(500, min_samples_leaf=3, n_jobs=-1, random_state=seed)
    model = make_pipeline(columns, SimpleImputer(strategy="median"), forest).fit(X, y)
    return lambda leads: model.predict_proba(leads)[:, 1]


def lightgbm(X: pd.DataFrame, y: np.ndarray, seed: int, seconds: int) -> Predict:
    """LightGBM with its own categories, a small rate and as many trees as a tenth of the leads asks for."""
    from lightgbm import LGBMClassifier, early_stopping
    from sklearn.model_selection import train_test_split

    X_fit, X_stop, y_fit, y_stop = train_test_split(X, y, test_size=0.1, stratify=y, random_state=seed)
    model = LGBMClassifier(n_estimators=2000, learning_rate=0.03, random_state=seed, verbose=-1)
    model.fit(X_fit, y_fit, eval_set=[(X_stop, y_stop)], callbacks=[early_stopping(50, verbose=False)])
    return lambda leads: model.predict_proba(leads)[:, 1]


def xgboost(X: pd.DataFrame, y: np.ndarray, seed: int, seconds: int) -> Predict:
    """XGBoost with its own categories, a small rate and as many trees as a tenth of the leads asks for."""
    from sklearn.model_selection import train_test_split
    from xgboost import XGBClassifier

    X_fit, X_stop, y_fit, y_stop = train_test_split(X, y, test_size=0.1, stratify=y, random_state=seed)
    model = XGBClassifier(
        n_estimators=2000,
        learning_rate=0.03,
        enable_categorical=True,
        early_stopping_rounds=50,
        random_state=seed,
    )
    model.fit(X_fit, y_fit, eval_set=[(X_stop, y_stop)], verbose=False)
    return lambda leads: model.predict_proba(leads)[:, 1]


def lightgbm_default(X: pd.DataFrame, y: np.ndarray, seed: int, seconds: int) -> Predict:
    """LightGBM as it comes."""
    from lightgbm import LGBMClassifier

    model = LGBMClassifier(random_state=seed, verbose=-1).fit(X, y)
    return lambda leads: model.predict_proba(leads)[:, 1]


def xgboost_default(X: pd.DataFrame, y: np.ndarray, seed: int, seconds: int) -> Predict:
    """XGBoost as it comes, with its own categories."""
    from xgboost import XGBClassifier

    model = XGBClassifier(enable_categorical=True, random_state=seed).fit(X, y)
    return lambda leads: model.predict_proba(leads)[:, 1]


def catboost(X: pd.DataFrame, y: np.ndarray, seed: int, seconds: int) -> Predict:
    """CatBoost as it comes."""
    from catboost import CatBoostClassifier

    texts = list(X.select_dtypes("category").columns)
    model = CatBoostClassifier(random_seed=seed, verbose=False, allow_writing_files=False)
    model.fit(X, y, cat_features=texts)
    return lambda leads: model.predict_proba(leads)[:, 1]


def autogluon(X: pd.DataFrame, y: np.ndarray, seed: int, seconds: int) -> Predict:
    """AutoGluon's strongest preset; it takes no seed, so runs differ by themselves."""
    from autogluon.tabular import TabularPredictor

    folder = tempfile.mkdtemp(prefix="autogluon-")
    predictor = TabularPredictor(label="y", eval_metric="log_loss", path=folder, verbosity=1)
    predictor.fit(X.assign(y=y), presets="best_quality", time_limit=seconds)
    predictor.persist()
    return lambda leads: predictor.predict_proba(leads)[1].to_numpy()


PEERS: dict[str, Callable[[pd.DataFrame, np.ndarray, int, int], Predict]] = {
    "logistic_regression": logistic_regression,
    "random_forest": random_forest,
    "lightgbm": lightgbm,
    "lightgbm_default": lightgbm_default,
    "xgboost": xgboost,
    "xgboost_default": xgboost_default,
    "catboost": catboost,
    "autogluon": autogluon,
}


if __name__ == "__main__":
    main()
