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

__all__ = ["Matrix", "release", "stretches"]

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
STRETCH = 1 << 16  # rows that are looked at together


class Matrix:
    """The `columns` of `values` (n, W), an array in memory or mapped from a file, as float64 rows (D,)."""

    def __init__(self, values: npt.NDArray[Any], columns: Sequence[int] | None = None) -> None:
        self.values = values
        self.columns = None if columns is None or len(columns) == values.shape[1] else np.asarray(columns, np.int64)
        self.shape = (len(values), values.shape[1] if self.columns is None else len(self.columns))

    @property
    def large(self) -> bool:
        """Whether its numbers had better not be in memory more than once: 64 MB or more."""
        return self.shape[0] * self.shape[1] * 8 >= 1 << 26

    def read(self, rows: Codes | slice) -> Floats:
        """Some rows (n, D)."""
        found = self.values[rows] if self.columns is None else self.values[rows][:, self.columns]
        floats: Floats = np.ascontiguousarray(found, dtype=np.float64)
        release(self.values)
        return floats

    def finite(self) -> bool:
        """Whether there is neither a gap nor an infinity."""
        whole = range(0, self.shape[0], STRETCH)
        return all(bool(np.isfinite(self.read(slice(start, start + STRETCH))).all()) for start in whole)

    def moments(self, rows: Codes) -> tuple[Floats, Floats]:
        """Mean and variance (D,) of each column over some rows, as those of one array.

        NumPy adds up a single column in pairs, so that it must see it whole.
        """
        if self.shape[1] == 1:
            column = self.read(rows)
            return column.mean(axis=0), column.var(axis=0)
        mean = self._sums(rows, lambda x: x) / len(rows)
        return mean, self._sums(rows, lambda x: np.square(x - mean)) / len(rows)

    def _sums(self, rows: Codes, of: Callable[[Floats], Floats]) -> Floats:
        """Sums of columns; what came before stands above each stretch, so that they are added up in order."""
        total = np.empty((0, self.shape[1]))
        for stretch in stretches(len(rows)):
            total = np.add.reduce(np.concatenate([total, of(self.read(rows[stretch]))]), axis=0, keepdims=True)
        sums: Floats = total[0]
        return sums


def stretches(count: int) -> Iterator[slice]:
    """Slices that cover `count` rows."""
    return (slice(start, start + STRETCH) for start in range(0, count, STRETCH))


def release(array: npt.NDArray[Any]) -> None:
    """Give back the pages of an array that is mapped from a file: what was written stays written."""
    base: Any = array
    while base is not None and not isinstance(base, mmap.mmap):
        base = getattr(base, "base", None)
    if base is not None and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)
