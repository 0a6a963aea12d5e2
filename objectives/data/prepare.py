"""Raw table -> three standardised parts, fitted on the train rows of the replicate only.

Complete numbers are standardised here in plain NumPy (the same numbers as scikit-learn's StandardScaler, without its
import); texts and missing values go through scikit-learn's transformers in `mixed.py`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from objectives.data.fit import fit_inputs, fitted_preparation, standard, steady
from objectives.data.matrix import LARGE, Matrix, release, stretches
from objectives.data.preparation import Preparation
from objectives.data.remarks import constants, described, faint_columns, far_out, one_target
from objectives.data.splits import PARTS, Division, SplitSpec, divide, split_complaints
from objectives.data.table import DEFAULT_SPLIT, Table
from objectives.data.transforms import LOG_LINK, predicted, truth
from objectives.data.weights import of_part
from objectives.errors import Complaint, DataError
from objectives.types import Array, Codes, Floats

__all__ = ["Part", "Prepared", "Room", "in_memory", "preparation_of", "prepare", "prepare_whole"]

Room = Callable[[str, tuple[int, int], str], Array]  # name, shape and dtype -> an array to fill
DTYPES = ("float32", "float64")
WIDE = 100.0  # standard deviations of the train rows: what lies beyond is looked at
MOST_LOOKED_AT = 64  # columns
STANDING_IN = 128  # train rows that take the place of validation rows where there are none


@dataclass(frozen=True, eq=False)
class Part:
    """One part of a split; the arrays are read-only."""

    x: Array  # (n, D + 1) standardised inputs, the last column is ones (it carries the bias)
    y: Array  # (n, C) one-hot (multiclass) | (n, 1) of 0 and 1 (binary) | (n, C) standardised targets (regression)
    weights: Array | None = None  # (n, 1) float64 with a mean of one, where rows do not count alike

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
    transform: str = ""  # how a regression's target is learned, one of TRANSFORMS or as it stands

    def predicted(self, outputs: Array) -> Array:
        """Return a regression's outputs `(n, C)` in the target's own units."""
        return predicted(self.transform, outputs, self.y_scale, self.y_mean)

    def truth(self, y: Array) -> Array:
        """Return targets `(n, C)` of a part in their own units."""
        return truth(self.transform, y, self.y_scale, self.y_mean)

    @property
    def large(self) -> bool:
        """Return True if the data should not be copied in memory."""
        return sum(part.x.nbytes for part in (self.train, self.valid, self.test)) >= LARGE

    def release(self, *parts: str) -> None:
        """Give back the pages of large data that are mapped from files, of some parts or all, until they are read."""
        for part in [getattr(self, name) for name in parts or PARTS] if self.large else ():
            release(part.x)
            release(part.y)


def in_memory(name: str, shape: tuple[int, int], dtype: str) -> Array:
    """Allocate an array of a part in memory."""
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
    """Divide `table` by (seed, replicate) and standardise it on its train rows, in arrays that `room` allocates.

    Raises DataError when a part would be empty or a number does not fit `dtype`, ValueError for another `dtype`.
    """
    if dtype not in DTYPES:
        raise ValueError(f"dtype must be one of {', '.join(DTYPES)}, but got {dtype!r}")
    if found := split_complaints(table.rows, split, table.where, seed):
        raise DataError(*found)
    division = divide(table.rows, split, seed, replicate)
    prepared, _ = arranged(table, division, dtype, room)
    said = described(division, split, table.rows.strata, table.classes)
    one = one_target(table.y[division.train], table.classes)
    return replace(prepared, inferred=(*prepared.inferred, *said, *one))


def prepare_whole(
    table: Table, split: SplitSpec, seed: int, dtype: str, test_too: bool = False, room: Room = in_memory
) -> tuple[Prepared, Preparation]:
    """Put all rows but the test rows into the train part, those too where `test_too`; returns what was fitted as well.

    The test part stays the study's own. The first train rows stand where validation rows would: a training needs some,
    and nobody looks at their loss. Raises DataError as `prepare` does.
    """
    test = divide(table.rows, split, seed).test
    everyone = np.arange(len(table))
    train = everyone if test_too else np.setdiff1d(everyone, test)
    prepared, preparation = arranged(table, Division(train, train[:STANDING_IN], test), dtype, room, among=train)
    return prepared, preparation()


def preparation_of(table: Table, division: Division, dtype: str = "float32") -> Preparation:
    """Return what `prepare` fits on the train rows of a division, as plain values to prepare raw rows with."""
    return arranged(table, division, dtype, in_memory)[1]()


def arranged(
    table: Table, division: Division, dtype: str, room: Room, among: Codes | None = None
) -> tuple[Prepared, Callable[[], Preparation]]:
    """Standardise a table on the train rows of a division; texts have the categories of the rows `among`, or of all.

    What was fitted is put together when it is asked for: only few need it. Raises DataError where a number does not fit
    `dtype`.
    """
    # Numbers too large to standardise end as inf and are complained about below.
    with np.errstate(over="ignore", invalid="ignore"):
        fit = fit_inputs(table, division, among)
        inputs, features, level = fit.rows, fit.features, fit.level
        outputs, y_mean, y_scale = _targets(table, division.train)
        widths = ("x", len(features) + 1), ("y", len(y_mean))
        filled, reaches, counts = [], [], []
        for name in PARTS:
            rows = getattr(division, name)
            x, y = (room(f"{name}_{axis}", (len(rows), width), dtype) for axis, width in widths)
            reaches.append(_fill(x, y, rows, inputs, outputs))
            filled.append((x, y))
            counts.append(of_part(table.weights, rows, name, table.where))
        _check_finite(np.isfinite(np.max(reaches, axis=0)), features, table.where, dtype)
        faint = faint_columns(filled[0][0], level)
        said = [*constants(filled[0][0][:, :-1], features, faint, table.where)]
        said += _far_columns(table, features, reaches, len(division.train))
    train, valid, test = (_part(x, y, w, faint) for (x, y), w in zip(filled, counts, strict=True))
    back = (_read_only(y_mean), _read_only(y_scale))
    arrays = [a for p in (train, valid, test) for a in (p.x, p.y, p.weights) if a is not None]
    task = f"{table.task} {table.transform}".rstrip()
    digest = _digest(task, features, table.classes, [*arrays, *back])
    prepared = Prepared(
        table.task, train, valid, test, features, table.classes, *back, digest, (*table.inferred, *said)
    )
    prepared = replace(prepared, transform=table.transform)
    return prepared, partial(fitted_preparation, table, division.train, fit, faint, back, dtype)


def _part(x: Array, y: Array, weights: Array | None, faint: npt.NDArray[np.bool_]) -> Part:
    """Build a part whose columns are zero where `faint (D,)`."""
    for i in np.flatnonzero(faint):
        x[:, i] = 0
    return Part(_read_only(x), _read_only(y), None if weights is None else _read_only(weights))


def _targets(table: Table, train: Codes) -> tuple[Callable[[Codes], Array], Floats, Floats]:
    """Build the function that gives targets (n, C) as the losses expect them; also return their mean and scale (C,)."""
    y = table.y
    if table.transform == LOG_LINK:
        scale = np.where(y[train].any(axis=0), y[train].mean(axis=0), 1.0)
        return lambda rows: y[rows] / scale, np.zeros(len(scale)), scale
    if table.task == "regression":
        # large numbers that vary little keep their digits: what they differ by is exact
        offset = y[train[0]] * steady(y[train].mean(axis=0), y[train].var(axis=0), len(train))
        near = y[train] - offset
        mean, scale = standard(near.mean(axis=0), near.var(axis=0), len(train))
        return lambda rows: (y[rows] - offset - mean) / scale, offset + mean, scale
    if table.task == "binary":
        return lambda rows: y[rows, None], np.zeros(1), np.ones(1)
    codes = np.arange(len(table.classes))
    return lambda rows: y[rows, None] == codes, np.zeros(len(codes)), np.ones(len(codes))


def _fill(
    x: Array, y: Array, rows: Codes, inputs: Callable[[Codes], Floats], outputs: Callable[[Codes], Array]
) -> Floats:
    """Fill a part, a stretch at a time; returns the largest size in each column, and last in the target; nan is nan."""
    reach = np.zeros(x.shape[1])
    for stretch in stretches((len(rows), x.shape[1])):
        x[stretch, :-1] = inputs(rows[stretch])
        x[stretch, -1] = 1
        y[stretch] = outputs(rows[stretch])
        for place, sizes in ((slice(-1), x[stretch, :-1]), (slice(-1, None), y[stretch].reshape(-1, 1))):
            reach[place] = np.maximum(reach[place], np.maximum(sizes.max(axis=0), -sizes.min(axis=0)))
        release(x)
    return reach


def _check_finite(finite: npt.NDArray[np.bool_], features: tuple[str, ...], where: str, dtype: str) -> None:
    hint = "rescale it, or use dtype = 'float64'" if dtype == "float32" else "rescale it"
    names = [*(f"column {name!r}" for name in features), "target"]
    bad = [name for name, fine in zip(names, finite, strict=True) if not fine]
    if bad:
        raise DataError(*(Complaint(f"{where}, {name}", f"values too large for {dtype}", hint) for name in bad))


def _far_columns(table: Table, features: tuple[str, ...], reaches: list[Floats], count: int) -> list[str]:
    """Describe columns that contain outliers; large tables are not read again for it.

    Among `count` train rows, one value that dwarfs the others lies sqrt(count) standard deviations from the mean.
    """
    if isinstance(table.x, Matrix):
        numbers = () if table.x.large else features
    else:
        numbers = tuple(name for name in table.x.columns if table.x[name].dtype.kind == "f")
    train, *others = (reach[: len(numbers)] for reach in reaches)
    wide = np.maximum(4 * train / max(12.0, np.sqrt(count)), np.maximum(*others) / WIDE)
    places = [int(i) for i in np.argsort(-wide, kind="stable")[:MOST_LOOKED_AT] if wide[i] > 1]
    if not places:
        return []
    x = table.x.read(slice(None)) if isinstance(table.x, Matrix) else table.x[list(numbers)].to_numpy()
    return [line for i in sorted(places) for line in far_out(x[:, i], f"column {numbers[i]!r}")]


def _read_only(array: Array) -> Array:
    array = np.ascontiguousarray(array)
    array.flags.writeable = False
    return array


def _digest(task: str, features: tuple[str, ...], classes: tuple[str, ...], arrays: list[Array]) -> str:
    digest = hashlib.sha256(json.dumps([task, features, classes]).encode())
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        for rows in stretches((len(array), array.size // len(array))):
            digest.update(array[rows].data)
            release(array)
    return digest.hexdigest()
