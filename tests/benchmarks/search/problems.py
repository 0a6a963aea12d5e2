"""The problems that searches are compared on: four to choose the defaults by, and two that they were not chosen on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from objectives.data import Prepared, SplitSpec, Table, load_table, prepare, table_from

__all__ = ["HELD_OUT", "PROBLEMS", "SPLITS", "splits_of"]

SPLITS = (0, 1)
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Source:
    """A named table; `held_out` problems decide nothing."""

    table: Callable[[], Table]
    held_out: bool = False


def noisy() -> Table:
    """5,000 rows of 20 numbers, three classes by a curved rule, one label in six drawn at random."""
    rng = np.random.default_rng(np.random.SeedSequence(1))
    x = rng.standard_normal((5000, 20))
    score = x[:, :3] @ rng.standard_normal((3, 3)) * 2 + np.sin(2 * x[:, 3:6]) * 2 + x[:, 6:9] * x[:, 9:12]
    y = score.argmax(axis=1)
    lost = rng.random(len(y)) < 1 / 6
    return table_from(x, np.where(lost, rng.integers(0, 3, len(y)), y), task="multiclass", split=SplitSpec())


def houses() -> Table:
    """Like the California houses: 4,000 rows, skewed inputs, a target with interactions, a heavy tail and a cap."""
    rng = np.random.default_rng(np.random.SeedSequence(2))
    income, rooms, people = rng.lognormal(1.2, 0.5, 4000), rng.lognormal(1.6, 0.3, 4000), rng.lognormal(1.0, 0.4, 4000)
    age, west, north = rng.integers(1, 53, 4000), rng.uniform(-124, -114, 4000), rng.uniform(32, 42, 4000)
    coast = np.exp(-((west + 124 - (42 - north) * 0.8) ** 2) / 4)
    value = 0.4 * income * (1 + coast) + 0.1 * rooms / people + 0.004 * age + 0.3 * rng.standard_t(3, 4000)
    x = np.column_stack([income, age, rooms, rng.lognormal(0.1, 0.1, 4000), rng.lognormal(7, 0.7, 4000), people])
    return table_from(
        np.column_stack([x, north, west]), np.clip(value, 0.15, 5.0), task="regression", split=SplitSpec()
    )


def iris_and_noise() -> Table:
    """900 blurred irises with six columns of noise beside their four, and one label in ten drawn at random."""
    from sklearn.datasets import load_iris

    rng = np.random.default_rng(np.random.SeedSequence(3))
    x, y = load_iris(return_X_y=True)
    x, y = np.tile(x, (6, 1)) + rng.normal(0, 0.3, (6 * len(y), 4)), np.tile(y, 6)
    lost = rng.random(len(y)) < 0.1
    x = np.column_stack([x, rng.standard_normal((len(y), 6))])
    return table_from(x, np.where(lost, rng.integers(0, 3, len(y)), y), task="multiclass", split=SplitSpec())


PROBLEMS: dict[str, Source] = {
    "digits": Source(lambda: load_table("sklearn:digits")),
    "breast_cancer": Source(lambda: load_table("sklearn:breast_cancer")),
    "diabetes": Source(lambda: load_table("sklearn:diabetes")),
    "noisy": Source(noisy),
    "houses": Source(houses, held_out=True),
    "iris_and_noise": Source(iris_and_noise, held_out=True),
}
HELD_OUT = tuple(name for name, source in PROBLEMS.items() if source.held_out)


def splits_of(name: str) -> list[Prepared]:
    """A problem's data, once for each split of train and validation rows."""
    table = PROBLEMS[name].table()
    return [prepare(table, SplitSpec(), 0, split) for split in SPLITS]
