"""Which rows train, which choose, which judge.

The test rows depend on the seed alone, so they are set aside once and for all; the division of the rest into train
and valid depends on (seed, replicate). The three parts have the same sizes in every replicate, so that replicates can
be stacked. Four ways, from simple to complex: a given column, time order, stratified fractions, whole groups; the last
three also as parts that validate in turn, windows or folds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from objectives.data.folds import fold_of_groups, fold_of_rows, fold_sizes
from objectives.data.groups import draw_groups
from objectives.data.windows import Windows, windows_of
from objectives.errors import Complaint
from objectives.rng import Stream, stream

__all__ = ["PARTS", "Division", "Rows", "SplitSpec", "divide", "split_complaints", "windows"]

Codes = npt.NDArray[np.int64]
T = TypeVar("T")
PARTS = ("train", "valid", "test")


@dataclass(frozen=True)
class SplitSpec:
    """How to divide the rows: fractions of all rows, or one column that says (parts, groups, or time).

    With `folds` the rows beside the test rows are divided into so many parts, which validate in turn. `rolling` rows in
    time order are divided into windows, one for each replicate.
    """

    valid: float = 0.2
    test: float = 0.2
    column: str | None = None
    group: str | None = None
    order: str | None = None
    folds: int = 0
    rolling: bool = False


@dataclass(frozen=True, eq=False)
class Rows:
    """What a division needs to know of n rows: class codes, and one of part numbers, group codes or times, (n,)."""

    count: int
    strata: Codes | None = None
    parts: Codes | None = None  # 0 train, 1 valid, 2 test
    groups: Codes | None = None
    times: npt.NDArray[Any] | None = None


@dataclass(frozen=True, eq=False)
class Division:
    """Row numbers of each part, ascending."""

    train: Codes
    valid: Codes
    test: Codes


def split_complaints(rows: Rows, split: SplitSpec, where: str, seed: int | None = None) -> list[Complaint]:
    """Everything that keeps `split` from dividing `rows` into three parts that are not empty.

    Whether folds of whole groups do depends on the groups that test, and so on the seed: not asked without one.
    """
    given = [kind for kind in ("column", "group", "order") if getattr(split, kind) is not None]
    if len(given) > 1:
        return [Complaint(where, f"split has {' and '.join(given)}", "choose one of them")]
    if split.column is not None:
        return _part_complaints(rows, f"{where}, column {split.column!r}")
    found = _fraction_complaints(rows.count, split, where)
    if rows.groups is not None and split.group is not None:
        return found or _group_complaints(rows.groups, split, f"{where}, column {split.group!r}", seed)
    return found or _fold_complaints(rows, split, where)


def divide(rows: Rows, split: SplitSpec, seed: int, replicate: int = 0) -> Division:
    """Divides the rows; `split` must be free of complaints.

    Raises ValueError when the rows lack the column that `split` names.
    """
    if split.column is not None:
        parts = _needed(rows.parts, "column")
        return Division(*(np.flatnonzero(parts == i) for i in range(3)))
    if split.order is not None:
        return _by_time(_needed(rows.times, "order"), split, replicate)
    if split.group is not None:
        by_group = _by_group_fold if split.folds else _by_group
        return by_group(_needed(rows.groups, "group"), split, seed, replicate)
    strata = _strata(rows)
    return (_by_fold if split.folds else _by_fraction)(strata, split, seed, replicate)


def windows(count: int, split: SplitSpec) -> Windows:
    """Return the windows of `count` rows in time order, the test rows set aside."""
    valid, test = _size(count, split.valid), _size(count, split.test)
    return windows_of(count - valid - test, valid)


def _by_time(times: npt.NDArray[Any], split: SplitSpec, replicate: int) -> Division:
    """The latest rows test; a window of the others, or all of them, train and then validate."""
    order = np.argsort(times, kind="stable")
    valid, test = _size(len(order), split.valid), _size(len(order), split.test)
    start, cut = 0, len(order) - valid - test
    if split.rolling:
        found = windows(len(order), split)
        start = found.start(replicate)
        cut = start + found.train
    parts = (order[start:cut], order[cut : cut + valid], order[len(order) - test :])
    return Division(*(np.sort(part) for part in parts))


def _by_fraction(strata: Codes, split: SplitSpec, seed: int, replicate: int) -> Division:
    counts = np.bincount(strata)
    test_quota = _quotas(counts, split.test, counts - 2)
    valid_quota = _quotas(counts, split.valid, counts - test_quota - 1)
    everyone = np.arange(len(strata))
    rest, test = _draw(everyone, strata, test_quota, stream(seed, Stream.TEST_ROWS))
    train, valid = _draw(rest, strata, valid_quota, stream(seed, Stream.VALID_ROWS, replicate))
    return Division(train, valid, test)


def _by_fold(strata: Codes, split: SplitSpec, seed: int, replicate: int) -> Division:
    """The fold `replicate % folds` of the permutation `replicate // folds` validates, with as many rows of each class.

    What is left over of a class always trains, so that all folds have the same size.
    """
    counts = np.bincount(strata)
    quota = _quotas(counts, split.test, counts - 2)
    rest, test = _draw(np.arange(len(strata)), strata, quota, stream(seed, Stream.TEST_ROWS))
    repetition, fold = divmod(replicate, split.folds)
    valid = fold_of_rows(rest, strata, split.folds, fold, stream(seed, Stream.VALID_ROWS, repetition))
    return Division(np.setdiff1d(rest, valid), valid, test)


def _by_group_fold(groups: Codes, split: SplitSpec, seed: int, replicate: int) -> Division:
    """The same of whole groups."""
    testing, left = _set_aside(groups, split, seed)
    repetition, fold = divmod(replicate, split.folds)
    generator = stream(seed, Stream.VALID_ROWS, repetition)
    return Division(*fold_of_groups(groups, left, split.folds, fold, generator), np.flatnonzero(testing[groups]))


def _strata(rows: Rows) -> Codes:
    """The class of each row; one class where there are none."""
    return np.zeros(rows.count, dtype=np.int64) if rows.strata is None else rows.strata


def _by_group(groups: Codes, split: SplitSpec, seed: int, replicate: int) -> Division:
    testing, left = _set_aside(groups, split, seed)
    generator = stream(seed, Stream.VALID_ROWS, replicate)
    choosing = draw_groups(left, _size(len(groups), split.valid), generator)
    parts = np.where(testing, 2, np.where(choosing, 1, 0))[groups]
    return Division(*(np.flatnonzero(parts == i) for i in range(3)))


def _set_aside(groups: Codes, split: SplitSpec, seed: int) -> tuple[npt.NDArray[np.bool_], Codes]:
    """Return which groups `(G,)` test, and the rows of the others, 0 for those that test: nothing is left to give."""
    sizes = np.bincount(groups)
    testing = draw_groups(sizes, _size(len(groups), split.test), stream(seed, Stream.TEST_ROWS))
    return testing, np.where(testing, 0, sizes)


def _size(count: int, fraction: float) -> int:
    return max(1, round(count * fraction))


def _quotas(counts: Codes, fraction: float, room: Codes) -> Codes:
    """Rows each class (C,) gives to a part: its share by largest remainder, at least 1, at most its `room`."""
    exact = counts * fraction
    quotas: Codes = np.clip(np.floor(exact).astype(np.int64), np.minimum(1, room), room)
    for stratum in np.argsort(np.floor(exact) - exact, kind="stable"):
        if quotas.sum() >= round(counts.sum() * fraction):
            break
        quotas[stratum] += quotas[stratum] < room[stratum]
    return quotas


def _draw(rows: Codes, strata: Codes, quotas: Codes, generator: np.random.Generator) -> tuple[Codes, Codes]:
    """Draws `quotas` (C,) of the `rows` from each class; returns those left and those drawn, ascending."""
    drawn = np.zeros(len(strata), dtype=np.bool_)
    for stratum, quota in enumerate(quotas):
        members = rows[strata[rows] == stratum]
        drawn[generator.permutation(members)[:quota]] = True
    return rows[~drawn[rows]], rows[drawn[rows]]


def _part_complaints(rows: Rows, where: str) -> list[Complaint]:
    counts = np.bincount(_needed(rows.parts, "column"), minlength=3)
    empty = [name for name, count in zip(PARTS, counts, strict=True) if not count]
    return [Complaint(where, f"leaves {name} empty", f"mark some rows {name!r}") for name in empty]


def _fraction_complaints(count: int, split: SplitSpec, where: str) -> list[Complaint]:
    found = []
    for name, fraction in (("valid", split.valid), ("test", split.test)):
        if not (math.isfinite(fraction) and 0 < fraction < 1):
            found.append(Complaint(where, f"split.{name} is {fraction}", "it must lie between 0 and 1"))
        elif count * fraction < 0.5:
            what = f"split.{name} = {fraction} of {count} rows is less than a row"
            found.append(Complaint(where, what, f"raise it to {1 / count:.2g} or add rows"))
    if not found and count - _size(count, split.valid) - _size(count, split.test) < 1:
        what = f"split.valid = {split.valid} and split.test = {split.test} leave none of {count} rows for train"
        found.append(Complaint(where, what, "lower them, their sum must stay below 1"))
    return found


def _fold_complaints(rows: Rows, split: SplitSpec, where: str) -> list[Complaint]:
    """That every class has a row beside the test rows for each fold."""
    if not split.folds:
        return []
    counts = np.bincount(_strata(rows))
    left = int((counts - np.maximum(_quotas(counts, split.test, counts - 2), 0)).min())
    if left >= split.folds:
        return []
    whose = "the rarest class has" if len(counts) > 1 else "there are"
    what = f"{whose} {left} rows beside the test rows, fewer than {split.folds} folds"
    hint = f"data.splits = {left}" if left > 1 else 'data.resampling = "fresh"'
    return [Complaint(where, what, f"use {hint}")]


def _group_complaints(groups: Codes, split: SplitSpec, where: str, seed: int | None) -> list[Complaint]:
    """That there are groups for all parts, and groups of like sizes for all folds."""
    if (held := len(np.unique(groups))) < 3:
        what = f"has {held} group{'s' if held > 1 else ''}"
        return [Complaint(where, what, "three parts need three groups or more")]
    if not split.folds or seed is None:
        return []
    _, left = _set_aside(groups, split, seed)
    if (count := np.count_nonzero(left)) < split.folds:
        what = f"has {count} groups beside the test rows, fewer than {split.folds} folds"
        return [Complaint(where, what, f"use data.splits = {count}" if count > 1 else 'use data.resampling = "fresh"')]
    least, most = fold_sizes(left, split.folds)
    if 2 * least >= most and left.sum() > most:
        return []
    what = f"has groups so unequal that of {split.folds} folds one may have {least} rows, another {most}"
    return [Complaint(where, what, 'write data.resampling = "fresh", which draws groups of as many rows each time')]


def _needed(value: T | None, kind: str) -> T:
    if value is None:
        raise ValueError(f"the table was loaded without split.{kind}; load it with the same split")
    return value
