"""Small studies that ship a model in a moment, on a table of every kind of column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import tuner
from tuner.model.trained import TrainedModel

__all__ = ["frame", "study", "targets", "trained"]

ROWS = 150


def frame(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """An id, two numbers (one with gaps), a text with gaps, a date."""
    rng = np.random.default_rng(seed)
    cities = np.array(["Aalen", "Bremen", None, "Celle"], dtype=object)[rng.integers(0, 4, rows)]
    days = pd.to_datetime("2024-01-01") + pd.to_timedelta(rng.integers(0, 4000, rows), unit="h")
    return pd.DataFrame(
        {
            "id": [f"person {i}" for i in range(rows)],
            "age": rng.integers(18, 80, rows),
            "height": np.where(rng.random(rows) < 0.2, np.nan, rng.normal(1.7, 0.1, rows)),
            "city": pd.Series(cities, dtype=object),
            "since": [day.isoformat() for day in days],
        }
    )


def targets(task: str, data: pd.DataFrame) -> Any:
    """A target that follows from the columns."""
    score = (data["age"] - 49) / 18 + (data["city"] == "Bremen") + data["height"].fillna(1.7)
    if task == "regression":
        return 100 + 10 * score
    return np.digitize(score, [1.7, 2.2] if task == "multiclass" else [1.9])


def study(task: str, **confirm: Any) -> dict[str, Any]:
    """A study that takes a moment."""
    return {
        "study": {"name": "small", "seed": 3, "trials": 4},
        "data": {"target": "outcome", "task": task},
        "model": {"kind": "mlp", "hidden": [8]},
        "train": {"epochs": 6, "batch_size": [16]},
        "optimizers": {"momentum": {}, "adam": {}},
        "search": {"pruner": "none"},
        "confirm": {"top": 2, "seeds": 2} | confirm,
    }


def trained(task: str, home: Path, **options: Any) -> TrainedModel:
    """The model of a study that was run."""
    data = frame()
    data["outcome"] = targets(task, data)
    return tuner.run(study(task), data=data, home=home, **{"jobs": 1, **options}).model
