"""Sample weights: a column that says how much each row counts, in training and in what models are judged by.

In each part of a split the weights are scaled to a mean of one, so that losses keep their size, and a part's metric is
a weighted mean. They stay in float64, whatever the inputs' type.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from objectives.data.raw import Complaints, Raw, gaps_in, some_rows
from objectives.data.targets import target_of
from objectives.errors import Complaint, DataError
from objectives.types import Array, Codes, Floats

__all__ = ["described_weights", "of_part", "weights_of_rows"]


def weights_of_rows(
    values: Any, needed: npt.NDArray[np.bool_], raw: Raw, place: str, found: Complaints
) -> Floats | None:
    """Return the weights `(n,)` that a column of `raw` holds, or None with what is wrong with it in `found`.

    Rows that are not `needed` may have none.
    """
    column: Array = np.asarray(values)
    before = len(found)
    if column.dtype.kind in "OU":
        column = np.asarray(target_of(column, "regression", raw.dialect, place, found)[0])
    if len(found) > before:
        return None
    numbers = _numbers(column)
    if numbers is None:
        shown = next(value for value, gap in zip(column.tolist(), gaps_in(column), strict=True) if not gap)
        found.append(
            Complaint(place, f"weights must be numbers, but one is {str(shown)[:40]!r}", "name another column")
        )
        return None
    numbers[~needed] = np.where(np.isfinite(numbers[~needed]), np.abs(numbers[~needed]), 0.0)
    found += _complaints(numbers, needed, place, raw.line)
    return None if len(found) > before else numbers


def _numbers(column: Array) -> Floats | None:
    """Return a column as float64, gaps as nan; None where it holds something else."""
    if column.dtype.kind in "biuf":
        return np.array(column, dtype=np.float64)
    if column.dtype.kind != "O":
        return None
    gaps = gaps_in(column)
    if not gaps.all() and not all(isinstance(value, int | float | np.number) for value in column[~gaps]):
        return None
    return np.array([np.nan if gap else float(value) for value, gap in zip(column, gaps, strict=True)])


def _complaints(numbers: Floats, needed: npt.NDArray[np.bool_], place: str, line: int) -> Complaints:
    missing, infinite, negative = np.isnan(numbers), np.isinf(numbers), numbers < 0
    found = []
    if missing.any():
        hint = "fill it in, write 0 where a row is not to count, or remove these rows"
        found.append(Complaint(place, f"weights are missing in {some_rows(missing, line)}", hint))
    if infinite.any():
        found.append(Complaint(place, f"weights are infinite in {some_rows(infinite, line)}", "correct them"))
    if (negative & ~infinite).any():
        least, rows = numbers[negative & ~infinite].min(), some_rows(negative & ~infinite, line)
        hint = "a weight is 0 or more; correct them, or remove these rows"
        found.append(Complaint(place, f"weights are negative in {rows}, as low as {least:g}", hint))
    if not found and not numbers[needed].any():
        found.append(Complaint(place, "all weights are 0", "name another column, or leave data.weight out"))
    return found


def described_weights(weights: Floats, name: str) -> str:
    """Say what weights are: their range, how many are 0, and how many rows alike would be as sure (Kish 1965)."""
    shares = weights / weights.max()
    alike, zeros = shares.sum() ** 2 / (shares**2).sum(), int((weights == 0).sum())
    none = f", 0 in {zeros} rows" if zeros else ""
    what = f"rows count by column {name!r}, from {weights.min():g} to {weights.max():g}{none}"
    return f"{what}: as sure as {alike:,.0f} of {len(weights):,} rows that count alike"


def of_part(weights: Floats | None, rows: Codes, part: str, where: str) -> Floats | None:
    """Return the weights `(n, 1)` of a part's rows, with a mean of one; None where the table has none.

    Raises DataError where all of them are 0.
    """
    if weights is None:
        return None
    own = weights[rows]
    mean = float(own.mean() / own.max()) if own.any() else 0.0  # of large weights the sum may not be finite
    if not mean:
        hint = f"give split.{part} more rows, or fewer rows the weight 0"
        raise DataError(Complaint(where, f"all {len(own)} {part} rows of a split have the weight 0", hint))
    return np.asarray((own / own.max() / mean)[:, None])
