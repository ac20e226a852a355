"""A bare FastAPI server around the CatBoost model of a folder: what benchmarks/serving.py compares with.

    python benchmarks/bare.py FOLDER PORT

No schema, no reasons, no warnings, no guard: JSON in, probability out.
"""

import json
import sys
from pathlib import Path
from typing import Any

import skops.io
import uvicorn
from catboost import Pool
from fastapi import FastAPI

folder, port = Path(sys.argv[1]), int(sys.argv[2])
config = json.loads((folder / "config.json").read_text(encoding="utf-8"))["sklearn"]
model = skops.io.load(folder / "model.skops", trusted=["catboost.core.CatBoostClassifier", "numpy.dtype"])[
    -1
]
columns, texts = config["columns"], list(range(len(config["text_columns"])))
app = FastAPI()


def predict(leads: list[dict[str, Any]]) -> list[float]:
    """Return the probability of each lead."""
    pool = Pool([[lead[name] for name in columns] for lead in leads], cat_features=texts)
    return list(model.predict_proba(pool, thread_count=1 if len(leads) < 200 else -1)[:, 1])


@app.post("/one")
def one(lead: dict[str, Any]) -> dict[str, float]:
    """Score a lead."""
    return {"probability": predict([lead])[0]}


@app.post("/many")
def many(leads: list[dict[str, Any]]) -> list[float]:
    """Score leads."""
    return predict(leads)


uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)
