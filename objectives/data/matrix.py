"""Complete numbers as they were found, read a stretch of rows at a time: a file is never in memory as a whole.

A source that is mapped from disk stays what it is, in its own type; only the stretch at hand is in float64. Its pages
are given back after each stretch, so that memory does not grow with the rows.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["LARGE", "Matrix", "column_of", "release", "stretches"]

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
STRETCH = 1 << 22  # bytes of float64 that are looked at together
LARGE = 1 << 26  # bytes that had better not be in memory more than once


class Matrix:
    """The `columns` of `values` (n, W), an array in memory or mapped from a file, as float64 rows (D,)."""

    def __init__(self, values: npt.NDArray[Any], columns: Sequence[int] | None = None) -> None:
        self.values = values
        everything = columns is None or list(columns) == list(range(values.shape[1]))
        self.columns = None if everything else np.asarray(columns, np.int64)
        self.shape = (len(values), values.shape[1] if self.columns is None else len(self.columns))

    @property
    def large(self) -> bool:
        """Return True if the numbers should not be copied in memory."""
        return self.shape[0] * self.shape[1] * 8 >= LARGE

    def read(self, rows: Codes | slice) -> Floats:
        """Read some rows (n, D)."""
        found = self.values[rows] if self.columns is None else self.values[rows][:, self.columns]
        floats: Floats = np.ascontiguousarray(found, dtype=np.float64)
        release(self.values)
        return floats

    def finite(self) -> bool:
        """Return True if no number is missing or infinite."""
        return all(bool(np.isfinite(self.read(rows)).all()) for rows in stretches(self.shape))

    def moments(self, rows: Codes) -> tuple[Floats, Floats]:
        """Compute mean and variance (D,) of each column over some rows, with the same bits as for one array.

        NumPy sums a single column pairwise, so a single column is read whole.
        """
        if self.shape[1] == 1:
            column = self.read(rows)
            return column.mean(axis=0), column.var(axis=0)
        mean = self._sums(rows, lambda x: x) / len(rows)
        return mean, self._sums(rows, lambda x: np.square(x - mean)) / len(rows)

    def _sums(self, rows: Codes, of: Callable[[Floats], Floats]) -> Floats:
        """Sum columns stretch by stretch; the previous sum is the first row of each stretch, so that rows are
        added in order.
        """
        total = np.empty((0, self.shape[1]))
        for stretch in stretches((len(rows), self.shape[1])):
            total = np.add.reduce(np.concatenate([total, of(self.read(rows[stretch]))]), axis=0, keepdims=True)
        sums: Floats = total[0]
        return sums


def column_of(values: npt.NDArray[Any], position: int) -> npt.NDArray[Any]:
    """Copy a column (n,) of `values` (n, W) in its own type."""
    column = np.empty(len(values), values.dtype)
    for rows in stretches(values.shape):
        column[rows] = values[rows, position]
        release(values)
    return column


def stretches(shape: tuple[int, ...]) -> Iterator[slice]:
    """Yield slices of rows that cover an array (n, D)."""
    step = max(1, STRETCH // (8 * shape[1]))
    return (slice(start, start + step) for start in range(0, shape[0], step))


def release(array: npt.NDArray[Any]) -> None:
    """Give back the pages of an array that is mapped from a file: what was written stays written."""
    base: Any = array
    while base is not None and not isinstance(base, mmap.mmap):
        base = getattr(base, "base", None)
    if base is not None and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)
