"""What is said of prepared data without being asked: how they were split, and what no training can learn from.

Data on which a study cannot work must not look like bad learning rates: rows of one class, a target that is constant,
numbers so far out that nothing else counts, columns whose digits are used up by their size.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from objectives.data.raw import first_lines, some_rows
from objectives.data.splits import PARTS, Division, SplitSpec
from objectives.errors import Complaint, DataError

__all__ = ["constants", "described", "faint_columns", "far_out", "one_target"]

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
FIRST = 1 << 12  # rows that tell most columns not to be constant
FAR = 1e4  # widths of the middle half of the values: a heavy tail seldom goes so far, a slip of a decimal point does
WHOLE = 2.0**53  # beyond it float64 does not tell all whole numbers apart


def constants(x: npt.NDArray[Any], features: Sequence[str], faint: Mask, where: str) -> list[str]:
    """Describe columns that never change on the train rows `x (n, D)`, and those that are `faint (D,)`.

    Raises DataError where none changes.
    """
    # few columns are left after a look at the first rows, whatever the size of the table
    flat = np.flatnonzero((x[:FIRST] == x[0]).all(axis=0))
    flat = np.array([i for i in flat if (x[:, i] == x[0, i]).all()], dtype=np.int64)
    if len({*flat, *np.flatnonzero(faint)}) == len(features):
        what = "every column is constant on the train rows: there is nothing to learn from"
        hint = "subtract an offset from columns of large numbers that vary little" if faint.any() else ""
        raise DataError(Complaint(where, what, hint or "add columns that vary"))
    plain, vague = [i for i in flat if not faint[i]], np.flatnonzero(faint)
    said = [f"constant on the train rows, {_names(plain, features)}"] if plain else []
    what = "taken as constant, for they vary too little beside the size of their numbers"
    hint = "subtract an offset, such as the smallest value"
    return said + ([f"{what}, {_names(vague, features)}; {hint}"] if len(vague) else [])


def _names(places: Iterable[Any], features: Sequence[str]) -> str:
    names = [features[i] for i in places]
    return f"{len(names)} of {len(features)} columns: {first_lines(names)}"


def faint_columns(x: npt.NDArray[Any], level: Floats) -> Mask:
    """Return the mask `(D,)` of columns that vary too little on the train rows `x (n, D)` for their size.

    `level (D,)` is the mean of a column whose variance is no more than rounding, and nan for any other column. A
    constant column is faint only where its numbers are too large to tell.
    """
    found = np.abs(level) >= WHOLE
    for i in np.flatnonzero(~np.isnan(level)):
        found[i] |= bool((x[:, i] != x[0, i]).any())
    return found


def far_out(values: Floats, name: str) -> list[str]:
    """Describe numbers among `values (n,)` that lie so far from the others that these hardly count beside them.

    Where half of the numbers are equal, the spread of the remaining ones is the measure. Missing values are ignored.
    """
    ordered = np.sort(values[~np.isnan(values)])
    low, middle, high = (float(ordered[len(ordered) * i // 4]) for i in (1, 2, 3))
    with np.errstate(over="ignore", invalid="ignore"):  # the largest numbers lie farther apart than there are numbers
        away = np.abs(values - middle)
        others = np.abs(ordered - middle)
        usual = high - low or (np.median(others[others > 0]) if others.any() else np.inf)
        far, worst = away > FAR * usual, float(values[np.nanargmax(away)])
    if not far.any():
        return []
    what = f"{name}: {worst:g} in {some_rows(far)}" if far.sum() == 1 else f"{name}: {some_rows(far)}, up to {worst:g}"
    usually = f"where half of the rows lie between {low:g} and {high:g}"
    return [f"{what}, {usually}: nothing else counts beside it; correct it, or cap it where it is meant"]


def one_target(y: npt.NDArray[Any], classes: Sequence[str]) -> list[str]:
    """Describe train rows that all have the same target; `y` are class codes (n,), or numbers (n, C)."""
    if (y != y[0]).any():
        return []
    hint = "divide the rows another way, see [data] split"
    value = f"class, {classes[int(y[0])]!r}" if classes else f"target, {', '.join(f'{v:g}' for v in np.ravel(y[0]))}"
    return [f"all {len(y)} train rows have one {value}: there is nothing to learn from them; {hint}"]


def described(
    division: Division, split: SplitSpec, strata: npt.NDArray[np.int64] | None, classes: Sequence[str]
) -> list[str]:
    """Describe how the rows were divided, and classes that no train row has."""
    sizes = [len(rows) for rows in (division.train, division.valid, division.test)]
    counts = ", ".join(f"{size} {name}" for size, name in zip(sizes, PARTS, strict=True))
    named = [(way, name) for way, name in _ways(split) if name is not None]
    stratified = "stratified by class" if strata is not None else "at random"
    said = [f"split: {counts} rows, " + (f"{named[0][0]} {named[0][1]!r}" if named else stratified)]
    if strata is not None:
        seen = set(strata[division.train].tolist())
        unseen = [name for code, name in enumerate(classes) if code not in seen]
        said += [f"class {name!r} has no train rows" for name in unseen]
    return said


def _ways(split: SplitSpec) -> list[tuple[str, str | None]]:
    return [("by column", split.column), ("whole groups of", split.group), ("in order of", split.order)]
