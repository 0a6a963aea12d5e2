"""A column of texts as its different values and the place of each row's among them: a million rows, a few values.

What is done with texts is then done once for each value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from objectives.types import Array

__all__ = ["Factorized", "factorized"]

PLAIN = {str, float, type(None)}  # values that are equal only where they are the same: True equals 1


@dataclass(frozen=True, eq=False)
class Factorized:
    """Objects `values (k,)`, some of which no row may have, and `codes (n,)`: row i has `values[codes[i]]`."""

    values: Array
    codes: Array

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def rows(self) -> Array:
        """Return the value of each row, `(n,)`."""
        found: Array = self.values[self.codes]
        return found

    @staticmethod
    def of(column: Array) -> Factorized:
        """Return a column of texts `(n,)`, in the order in which its values occur first."""
        rows = column.tolist()
        places = {value: i for i, value in enumerate(dict.fromkeys(rows))}
        codes = np.fromiter(map(places.__getitem__, rows), np.intp, len(rows))
        return Factorized(np.array([*places], dtype=object), codes)

    @staticmethod
    def of_categorical(series: Any) -> Factorized:
        """Return a categorical column of pandas, gaps as None."""
        values = np.array([*series.cat.categories, None], dtype=object)
        codes: Array = series.cat.codes.to_numpy()
        return Factorized(values, np.where(codes < 0, len(values) - 1, codes))


def factorized(column: Array) -> Factorized | None:
    """Return a column `(n,)` by its different values; None for one that has others than texts and gaps."""
    if column.dtype.kind not in "OU" or not PLAIN.issuperset(map(type, column.tolist())):
        return None
    return Factorized.of(column)
