"""Columns in which some division of the rows would leave a number too large to standardise.

A division decides which rows the mean and the scale are taken from: a single huge value that trains widens the scale to
fit it, and one that does not train overflows. What another seed would stop at is told before the first one trains.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from objectives.data.fit import standard
from objectives.data.matrix import Matrix
from objectives.data.table import Table
from objectives.errors import Complaint, DataError
from objectives.types import Floats

__all__ = ["check_reach"]


def check_reach(table: Table, count: int, dtype: str) -> None:
    """Check that every number (n,) fits `dtype`, whichever `count` rows standardise it.

    Raises DataError naming the columns.
    """
    most = float(np.finfo(dtype).max)
    hint = "correct it, or cap it where it is meant"
    bad = [
        Complaint(f"{table.where}, {name}", f"{furthest(values):g} is too large for {dtype} beside the others", hint)
        for name, values in _huge(table, most)
        if not worst_reach(values, count) <= most
    ]
    if bad:
        raise DataError(*bad)


def worst_reach(values: Floats, count: int) -> float:
    """Return the largest size that a number has once the `count` rows that lie closest together standardise it."""
    values = np.sort(values)
    count = min(count, len(values))
    first = int(np.argmin(values[count - 1 :] - values[: len(values) - count + 1]))
    near = values[first : first + count]
    with np.errstate(over="ignore", invalid="ignore"):
        middle, scale = standard(np.array([near.mean()]), np.array([near.var()]), count)
        return float(max(abs(values[0] - middle[0]), abs(values[-1] - middle[0])) / scale[0])


def furthest(values: Floats) -> float:
    """Return the number that is largest in size."""
    return float(values[np.argmax(np.abs(values))])


def _huge(table: Table, most: float) -> Iterator[tuple[str, Floats]]:
    """Yield names and numbers of the columns whose numbers are so large that they could overflow."""
    bound = np.sqrt(most)
    for name, values in _columns(table):
        finite = values[np.isfinite(values)]
        if len(finite) and np.max(np.abs(finite)) > bound:
            yield name, finite


def _columns(table: Table) -> Iterator[tuple[str, Floats]]:
    """Yield names and numbers of the columns of a table in memory, the target of a regression last."""
    if isinstance(table.x, Matrix):
        if not table.large:
            x = table.x.read(slice(None))
            yield from ((f"column {name!r}", np.asarray(x[:, i], np.float64)) for i, name in enumerate(table.features))
    else:
        numbers = [name for name in table.x.columns if table.x[name].dtype.kind in "fiu"]
        yield from ((f"column {name!r}", table.x[name].to_numpy(np.float64)) for name in numbers)
    if table.task == "regression":
        y = np.asarray(table.y, np.float64).reshape(len(table.y), -1)
        yield from (("target", y[:, i]) for i in range(y.shape[1]))
