"""Raw table -> three standardised parts, fitted on the train rows of the replicate only.

Complete numbers are standardised here in plain NumPy (the same numbers as scikit-learn's StandardScaler, without its
import); texts and missing values go through scikit-learn's transformers in `mixed.py`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from objectives.data.matrix import LARGE, Matrix, release, stretches
from objectives.data.mixed import transform_mixed
from objectives.data.raw import first_lines
from objectives.data.splits import PARTS, Division, SplitSpec, divide, split_complaints
from objectives.data.table import DEFAULT_SPLIT, Table
from objectives.errors import Complaint, DataError

__all__ = ["Array", "Part", "Prepared", "prepare"]

Array = npt.NDArray[np.floating[Any]]
Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Room = Callable[[str, tuple[int, int], str], Array]  # name, shape and dtype -> an array to fill
DTYPES = ("float32", "float64")
FIRST = 1 << 12  # rows that tell most columns not to be constant


@dataclass(frozen=True, eq=False)
class Part:
    """One part of a split; the arrays are read-only."""

    x: Array  # (n, D + 1) standardised inputs, the last column is ones (it carries the bias)
    y: Array  # (n, C) one-hot (multiclass) | (n, 1) of 0 and 1 (binary) | (n, C) standardised targets (regression)

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, eq=False)
class Prepared:
    """The data of a problem, ready to descend on. Equal data have equal digests."""

    task: str  # "binary" | "multiclass" | "regression"
    train: Part
    valid: Part
    test: Part
    features: tuple[str, ...]  # (D,)
    classes: tuple[str, ...]  # (C,), or the two of a binary task; empty for regression
    y_mean: Array  # (C,) user units = y * y_scale + y_mean; 0 and 1 for classification
    y_scale: Array  # (C,)
    digest: str
    inferred: tuple[str, ...]  # sentences on what was decided without being asked
    surface: str = ""  # the surface that takes the place of data, for the task "surface"

    @property
    def large(self) -> bool:
        """Whether they had better not be in memory more than once."""
        return sum(part.x.nbytes for part in (self.train, self.valid, self.test)) >= LARGE

    def release(self, *parts: str) -> None:
        """Give back the pages of large data that are mapped from files, of some parts or all, until they are read."""
        for part in [getattr(self, name) for name in parts or PARTS] if self.large else ():
            release(part.x)
            release(part.y)


def in_memory(name: str, shape: tuple[int, int], dtype: str) -> Array:
    """Room for an array of a part."""
    del name
    return np.empty(shape, dtype)


def prepare(
    table: Table,
    split: SplitSpec = DEFAULT_SPLIT,
    seed: int = 0,
    replicate: int = 0,
    dtype: str = "float32",
    room: Room = in_memory,
) -> Prepared:
    """Divides `table` by (seed, replicate) and standardises it on its train rows, in arrays that `room` makes.

    Raises DataError when a part would be empty or a number does not fit `dtype`, ValueError for another `dtype`.
    """
    if dtype not in DTYPES:
        raise ValueError(f"dtype must be one of {', '.join(DTYPES)}, but got {dtype!r}")
    if found := split_complaints(table.rows, split, table.where):
        raise DataError(*found)
    division = divide(table.rows, split, seed, replicate)
    # Numbers too large to standardise end as inf and are complained about below.
    with np.errstate(over="ignore", invalid="ignore"):
        inputs, features = _inputs(table, division)
        outputs, y_mean, y_scale = _targets(table, division.train)
        widths = ("x", len(features) + 1), ("y", len(y_mean))
        parts, finite = [], np.ones(len(features) + 1, np.bool_)
        for name in PARTS:
            rows = getattr(division, name)
            x, y = (room(f"{name}_{axis}", (len(rows), width), dtype) for axis, width in widths)
            finite &= _fill(x, y, rows, inputs, outputs)
            parts.append(Part(_read_only(x), _read_only(y)))
        _check_finite(finite, features, table.where, dtype)
    train, valid, test = parts
    inferred = (*table.inferred, *_constants(train, features, table.where), *_describe(table, division, split))
    back = (_read_only(y_mean), _read_only(y_scale))
    digest = _digest(
        table.task, features, table.classes, [a for p in (train, valid, test) for a in (p.x, p.y)] + [*back]
    )
    return Prepared(table.task, train, valid, test, features, table.classes, *back, digest, inferred)


def _inputs(table: Table, division: Division) -> tuple[Callable[[Codes], Floats], tuple[str, ...]]:
    """What gives some rows (n, D), standardised on the train rows, and the names of the columns."""
    if not isinstance(table.x, Matrix):
        mixed, features = transform_mixed(table.x, division.train)
        return mixed.__getitem__, features
    x, count = table.x, len(division.train)
    mean, scale = standard(*x.moments(division.train), count)
    return lambda rows: (x.read(rows) - mean) / scale, table.features


def standard(mean: Floats, variance: Floats, count: int) -> tuple[Floats, Floats]:
    """Mean and standard deviation of columns, from their variance over `count` rows; the scale of a constant is 1."""
    # scikit-learn's bound on the rounding errors of the variance of a constant column (_is_constant_feature)
    eps = np.finfo(np.float64).eps
    constant = variance <= count * eps * variance + (count * mean * eps) ** 2
    return mean, np.where(constant, 1.0, np.sqrt(variance))


def _targets(table: Table, train: Codes) -> tuple[Callable[[Codes], Array], Floats, Floats]:
    """What gives the targets (n, C) of some rows as the losses want them, and their mean and scale (C,)."""
    y = table.y
    if table.task == "regression":
        mean, scale = standard(y[train].mean(axis=0), y[train].var(axis=0), len(train))
        return lambda rows: (y[rows] - mean) / scale, mean, scale
    if table.task == "binary":
        return lambda rows: y[rows, None], np.zeros(1), np.ones(1)
    codes = np.arange(len(table.classes))
    return lambda rows: y[rows, None] == codes, np.zeros(len(codes)), np.ones(len(codes))


def _fill(
    x: Array, y: Array, rows: Codes, inputs: Callable[[Codes], Floats], outputs: Callable[[Codes], Array]
) -> npt.NDArray[np.bool_]:
    """Fill a part, a stretch at a time; returns which columns, and last the target, are finite."""
    finite = np.ones(x.shape[1], np.bool_)
    for stretch in stretches((len(rows), x.shape[1])):
        x[stretch, :-1] = inputs(rows[stretch])
        x[stretch, -1] = 1
        y[stretch] = outputs(rows[stretch])
        finite[:-1] &= np.isfinite(x[stretch, :-1]).all(axis=0)
        finite[-1] &= np.isfinite(y[stretch]).all()
        release(x)
    return finite


def _check_finite(finite: npt.NDArray[np.bool_], features: tuple[str, ...], where: str, dtype: str) -> None:
    hint = "rescale it, or use dtype = 'float64'" if dtype == "float32" else "rescale it"
    names = [*(f"column {name!r}" for name in features), "target"]
    bad = [name for name, fine in zip(names, finite, strict=True) if not fine]
    if bad:
        raise DataError(*(Complaint(f"{where}, {name}", f"values too large for {dtype}", hint) for name in bad))


def _constants(train: Part, features: tuple[str, ...], where: str) -> list[str]:
    """A sentence on columns that never change on the train rows. Raises DataError where none does."""
    x = train.x[:, :-1]
    # few columns are left after a look at the first rows, whatever the size of the table
    flat = np.flatnonzero((x[:FIRST] == x[0]).all(axis=0))
    flat = np.array([i for i in flat if (x[:, i] == x[0, i]).all()], dtype=np.int64)
    if len(flat) == len(features):
        what = "every column is constant on the train rows: there is nothing to learn from"
        raise DataError(Complaint(where, what, "add columns that vary"))
    names = first_lines(features[i] for i in flat)
    return [f"constant on the train rows, {len(flat)} of {len(features)} columns: {names}"] if len(flat) else []


def _read_only(array: Array) -> Array:
    array = np.ascontiguousarray(array)
    array.flags.writeable = False
    return array


def _describe(table: Table, division: Division, split: SplitSpec) -> list[str]:
    sizes = [len(rows) for rows in (division.train, division.valid, division.test)]
    counts = ", ".join(f"{size} {name}" for size, name in zip(sizes, PARTS, strict=True))
    named = [(way, name) for way, name in _ways(split) if name is not None]
    stratified = "stratified by class" if table.rows.strata is not None else "at random"
    said = [f"split: {counts} rows, " + (f"{named[0][0]} {named[0][1]!r}" if named else stratified)]
    if table.rows.strata is not None:
        seen = set(table.y[division.train].tolist())
        unseen = [name for code, name in enumerate(table.classes) if code not in seen]
        said += [f"class {name!r} has no train rows" for name in unseen]
    return said


def _ways(split: SplitSpec) -> list[tuple[str, str | None]]:
    return [("by column", split.column), ("whole groups of", split.group), ("in order of", split.order)]


def _digest(task: str, features: tuple[str, ...], classes: tuple[str, ...], arrays: list[Array]) -> str:
    digest = hashlib.sha256(json.dumps([task, features, classes]).encode())
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        for rows in stretches((len(array), array.size // len(array))):
            digest.update(array[rows].data)
            release(array)
    return digest.hexdigest()
