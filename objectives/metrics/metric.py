"""What a metric is: by what name, which way, of which tasks, and how outputs become its value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from objectives.types import Array, Direction

__all__ = ["Metric", "RowFacts", "SummedMetric", "WholeMetric"]


@dataclass(frozen=True)
class RowFacts:
    """What metrics need to know of the rows: how many, and of the targets the spread `sst`, unit `scale` and `mean`.

    The last three are `(R, 1, C)`.
    """

    n: int
    sst: Array
    scale: Array
    mean: Array


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

    `count(z, y)` takes outputs `(R, K, C, B)` and targets, as the task's loss has them, to sums `(R, K, 1 or C)`.
    `finish(sums, rows)` takes those to the metric, `(R, K)`.
    """

    count: Callable[[Array, Array], Array]
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
