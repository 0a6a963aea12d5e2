"""What a metric is: by what name, which way, of which tasks, and how outputs become its value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from objectives.types import Array, Direction

__all__ = ["Metric", "RowFacts", "SummedMetric", "WholeMetric", "mean_over", "parts_of_mean"]


@dataclass(frozen=True)
class RowFacts:
    """What metrics need to know of the rows: how many, and of the targets the spread `sst`, unit `scale` and `mean`.

    These three are `(R, 1, C)`. `weights (R, 1, n)` have a mean of one; None where rows count alike.
    """

    n: int | Array
    sst: Array
    scale: Array
    mean: Array
    weights: Array | None = None


@dataclass(frozen=True)
class Metric:
    """A row of `METRICS`. Those of a task that are `recorded` follow each training; others where a study asks."""

    name: str
    direction: Direction
    tasks: tuple[str, ...]
    bounds: tuple[float, float]
    summary: str

    @property
    def recorded(self) -> bool:
        """Return True if each training of its tasks has it."""
        return isinstance(self, SummedMetric)


@dataclass(frozen=True)
class SummedMetric(Metric):
    """A metric of sums over rows, which a large part of a split needs no large buffer for.

    `count(z, y, w)` takes outputs `(R, K, C, B)`, targets, as the task's loss has them, and weights `(R, 1, B)` or None
    to sums `(R, K, 1 or C)`.
    `finish(sums, rows)` takes those to the metric, `(R, K)`.
    """

    count: Callable[[Array, Array, Array | None], Array]
    finish: Callable[[Array, RowFacts], Array]


@dataclass(frozen=True)
class WholeMetric(Metric):
    """A metric of all rows together, such as one of ranks.

    `score(z, y, rows)` takes outputs `(R, K, C, n)` and targets `(R, 1, C or 1, n)`, as the task's loss has them, to
    the metric `(R, K)`. `parts(z, y, rows)` takes them to a value for each row, `(R, K, n)`: their mean is the metric,
    and their standard error is its.
    """

    score: Callable[[Array, Array, RowFacts], Array]
    parts: Callable[[Array, Array, RowFacts], Array]


def mean_over(values: Array, rows: RowFacts) -> Array:
    """Compute the mean `(R, K)` of values of rows `(R, K, n)` by their weights."""
    weighed = values if rows.weights is None else np.ascontiguousarray(values * rows.weights)
    return np.asarray(weighed.mean(axis=-1))


def parts_of_mean(values: Array, rows: RowFacts) -> Array:
    """Return values `(R, K, n)` whose plain mean is that of `values` by weight, and whose spread makes its error.

    Of a weighted mean m they are `m + w (value - m)`, its linearisation as a ratio of two means.
    """
    if rows.weights is None:
        return values
    mean = mean_over(values, rows)[..., None]
    return np.ascontiguousarray(mean + rows.weights * (values - mean))
