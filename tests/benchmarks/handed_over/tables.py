"""The tables: scikit-learn's five, and made ones. Half of them may decide what is changed, the others only show it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["QUICK", "SHIPPED", "TABLES", "Source"]

Array = np.ndarray[Any, Any]
Pair = tuple[Any, Array]  # inputs (n, D), an array or a frame, and targets (n,)
CITIES = ("Aalen", "Bremen", "Celle", "Dresden", "Essen", "Fulda", "Gera", "Halle")


@dataclass(frozen=True)
class Source:
    """A table and its task; one that is `chosen_on` may decide. `divisions` and `most` trials keep large ones short."""

    make: Callable[[], Pair]
    task: str
    chosen_on: bool
    divisions: int = 10
    most: int = 2048


def shipped(name: str) -> Pair:
    """One of scikit-learn's own."""
    from sklearn import datasets

    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    return np.asarray(x, np.float64), y


def noisy(rows: int, classes: int, noise: float, seed: int) -> Pair:
    """Numbers `(rows, 12)`, classes by a curved rule, a share of the labels drawn at random."""
    rng = np.random.default_rng([seed, rows])
    x = rng.standard_normal((rows, 12))
    score = 2 * x[:, :3] @ rng.standard_normal((3, classes))
    score += np.sin(2 * x[:, 3:6]) @ rng.standard_normal((3, classes)) * 2
    score += (x[:, 6:8] * x[:, 8:10]) @ rng.standard_normal((2, classes))
    y = score.argmax(axis=1)
    lost = rng.random(rows) < noise
    return x, np.where(lost, rng.integers(0, classes, rows), y)


def heavy_tailed(rows: int, seed: int) -> Pair:
    """Numbers `(rows, 8)` and a smooth target under noise whose tails are those of Student's t with 2.5 degrees."""
    rng = np.random.default_rng([seed, rows])
    x = rng.standard_normal((rows, 8))
    truth = x[:, 0] + np.sin(2 * x[:, 1]) + 0.7 * x[:, 2] * x[:, 3] + 0.5 * np.abs(x[:, 4])
    return x, truth + 0.5 * rng.standard_t(2.5, rows)


def waves(rows: int, seed: int) -> Pair:
    """Numbers `(rows, 10)`, half of which mean nothing, and Friedman's first target with a little noise."""
    rng = np.random.default_rng([seed, rows])
    x = rng.random((rows, 10))
    truth = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    return x, truth + rng.standard_normal(rows)


def mixed(rows: int, task: str, seed: int) -> Pair:
    """A frame of six numbers and three texts, a tenth of the cells empty, and classes or a number that follow them."""
    rng = np.random.default_rng([seed, rows])
    numbers = rng.standard_normal((rows, 6))
    numbers[:, 2:4] = np.exp(numbers[:, 2:4])
    codes = np.column_stack([rng.integers(0, count, rows) for count in (8, 3, 5)])
    effects = [rng.standard_normal(count) for count in (8, 3, 5)]
    score = numbers[:, 0] + 0.8 * numbers[:, 1] * effects[1][codes[:, 1]] + np.log(numbers[:, 2])
    score = score + sum(effect[code] for effect, code in zip(effects, codes.T, strict=True))
    score = score + np.sin(2 * numbers[:, 4]) + 0.5 * rng.standard_normal(rows)
    y = score if task == "regression" else np.digitize(score, np.quantile(score, CUTS[task]))
    return framed(numbers, codes, rng), y


CUTS = {"binary": (0.7,), "multiclass": (0.4, 0.75)}


def framed(numbers: Array, codes: Array, rng: np.random.Generator) -> pd.DataFrame:
    """A frame of numbers `(n, 6)` and of texts for codes `(n, 3)`, with gaps."""
    import pandas as pd

    columns: dict[str, Any] = {}
    for i, column in enumerate(numbers.T):
        columns[f"number_{i}"] = np.where(rng.random(len(column)) < 0.1, np.nan, column)
    for i, column in enumerate(codes.T):
        texts = np.array([CITIES[code] for code in column], dtype=object)
        texts[rng.random(len(column)) < 0.1] = None
        columns[f"text_{i}"] = pd.Series(texts, dtype=object)
    return pd.DataFrame(columns)


TABLES: dict[str, Source] = {
    "iris": Source(partial(shipped, "iris"), "multiclass", True),
    "wine": Source(partial(shipped, "wine"), "multiclass", False),
    "breast_cancer": Source(partial(shipped, "breast_cancer"), "binary", True),
    "diabetes": Source(partial(shipped, "diabetes"), "regression", False),
    "digits": Source(partial(shipped, "digits"), "multiclass", True),
    "noisy_5": Source(partial(noisy, 1500, 4, 0.05, 1), "multiclass", False),
    "noisy_15": Source(partial(noisy, 600, 3, 0.15, 2), "multiclass", True),
    "noisy_30": Source(partial(noisy, 1000, 2, 0.30, 3), "binary", False),
    "heavy_tailed": Source(partial(heavy_tailed, 800, 4), "regression", True),
    "waves": Source(partial(waves, 500, 5), "regression", False),
    "mixed_300": Source(partial(mixed, 300, "binary", 6), "binary", True),
    "mixed_1000": Source(partial(mixed, 1000, "regression", 7), "regression", False),
    "mixed_4000": Source(partial(mixed, 4000, "multiclass", 8), "multiclass", True, most=512),
    "mixed_20000": Source(partial(mixed, 20000, "binary", 9), "binary", False, 3, 512),
}
SHIPPED = ("iris", "wine", "breast_cancer", "diabetes", "digits")
QUICK = ("iris", "breast_cancer", "heavy_tailed", "mixed_300", "wine", "diabetes", "noisy_30", "waves")
