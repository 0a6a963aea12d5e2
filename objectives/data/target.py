"""Decides the task from the target column and encodes it.

Texts, booleans and whole numbers with few distinct values are classes, everything else is regression, unless the
task is given. Classes are numbered in sorted order, or as the source numbers them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from objectives.data.raw import Column, Complaints, first_lines, gaps_in, some_rows
from objectives.data.remarks import far_out
from objectives.errors import Complaint, nearest

__all__ = ["TASKS", "Target", "encode"]

TASKS = ("binary", "multiclass", "regression")
MOST_WHOLE_CLASSES = 20
LEAST_ROWS = 3  # one each for train, valid and test


@dataclass(frozen=True, eq=False)
class Target:
    """`y` is (n,) class codes, or (n, C) float64 for regression; `said` are sentences on what was inferred.

    `labels` are the classes as the source has them: texts, numbers or flags.
    """

    task: str
    y: npt.NDArray[Any]
    classes: tuple[str, ...]
    said: tuple[str, ...] = ()
    labels: tuple[str | int | float | bool, ...] = ()


def encode(values: Any, classes: tuple[str, ...], task: str | None, where: str, found: Complaints) -> Target | None:
    """Encode the target `values` (n,) or (n, C); return None with the reason in `found` if that is impossible."""
    before = len(found)
    if task is not None and task not in TASKS:
        found.append(Complaint(where, f"unknown task {task!r}", nearest(task, TASKS)))
    column = _readable(values, where, found)
    if column is None or len(found) > before:
        return None
    if column.ndim == 2:
        return _several(column, task, where, found)
    levels, codes = np.unique(column, return_inverse=True)
    if len(levels) < 2:
        what = f"is constant: every row is {_name(levels[0])!r}"
        found.append(Complaint(where, what, "choose a target that varies"))
        return None
    if (task or _infer(column, levels)) == "regression":
        return _regression(column, levels, task, where, found)
    if not classes and _broken(column, levels, where, found):
        return None
    names = classes or tuple(_name(level) for level in levels)
    said = () if classes else _negative(levels)
    goal = _classified(codes if not classes else column, names, task, where, found, said)
    return goal and replace(goal, labels=classes or tuple(map(_label, levels)))


def _readable(values: Any, where: str, found: Complaints) -> Column | None:
    """Convert the target to an array of bool, number or text without gaps, (n,) or (n, C); return None if it is
    not one.
    """
    column: Column = np.asarray(values)
    if column.ndim == 2 and column.shape[1] == 1:
        column = column[:, 0]
    if column.ndim not in (1, 2):
        found.append(Complaint(where, f"has {column.ndim} dimensions", "give one value a row"))
        return None
    if not column.size:
        found.append(Complaint(where, "has no rows", "add data"))
        return None
    rows = np.asarray(_gaps(column).reshape(len(column), -1).any(axis=1))
    if rows.any():
        found.append(
            Complaint(
                where,
                f"missing or not finite in {some_rows(rows)}",
                "fill in or remove these rows, or write [data] unlabelled = 'drop'",
            )
        )
        return None
    plain = _typed(column) if column.dtype.kind == "O" else column
    if plain is None or plain.dtype.kind not in "biufU":
        kinds = sorted({type(value).__name__ for value in column.ravel()})
        what = f"holds values of type {first_lines(kinds)}"
        found.append(Complaint(where, what, "a target holds numbers or texts, not both"))
        return None
    return plain


def _gaps(column: Column) -> npt.NDArray[np.bool_]:
    gaps = gaps_in(column)
    if column.dtype.kind == "f":
        return gaps | np.isinf(column)
    if column.dtype.kind == "O":
        infinite = [isinstance(value, float | np.floating) and bool(np.isinf(value)) for value in column.ravel()]
        return gaps | np.array(infinite, dtype=np.bool_).reshape(column.shape)
    return gaps


def _typed(column: Column) -> Column | None:
    """Convert an array of objects to bool, float or text; return None for a mixture."""
    kinds = {type(value) for value in column.ravel()}
    if kinds == {str}:
        return column.astype(np.str_)
    if kinds <= {bool, np.bool_}:
        return column.astype(np.bool_)
    if str in kinds or bool in kinds:
        return None
    try:
        return column.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        return None


def _infer(column: Column, levels: Column) -> str:
    if column.dtype.kind in "bU":
        return "classes"
    few = len(levels) == 2 or len(levels) <= min(MOST_WHOLE_CLASSES, len(column) // LEAST_ROWS)
    whole = column.dtype.kind in "iu" or bool((levels == np.floor(levels)).all())
    return "classes" if few and whole else "regression"


def _broken(column: Column, levels: Column, where: str, found: Complaints) -> bool:
    """Complain about labels that are no whole numbers among others that are: typing errors, or a regression target."""
    if column.dtype.kind != "f" or not (levels == np.floor(levels)).any():
        return False
    broken = column != np.floor(column)
    if broken.any():
        first = column[broken][0]
        what = f"label {first:g} in {some_rows(broken)} is no whole number, as others are"
        hint = "correct it, use task = 'regression' for numbers, or write the labels as texts to mean classes"
        found.append(Complaint(where, what, hint))
    return bool(broken.any())


def _negative(levels: Column) -> tuple[str, ...]:
    """Describe -1 and the like among several classes: some data sets mark missing labels with it."""
    if levels.dtype.kind not in "if" or len(levels) < 3 or levels[0] >= 0:
        return ()
    return (f"target: {_name(levels[0])} is a class of its own; remove its rows if it marks missing labels",)


def _regression(column: Column, levels: Column, task: str | None, where: str, found: Complaints) -> Target | None:
    if column.dtype.kind == "U":
        what = f"is text ({str(levels[0])!r}), regression needs numbers"
        hint = "name another target, or leave out task, loss and target_transform to have classes"
        found.append(Complaint(where, what, hint))
        return None
    said = () if task else (f"target: regression, {len(levels)} different numbers",)
    numbers = column.astype(np.float64)
    return Target("regression", numbers[:, None], (), (*said, *far_out(numbers, "target")))


def _classified(
    codes: Column, names: tuple[str, ...], task: str | None, where: str, found: Complaints, said: tuple[str, ...]
) -> Target | None:
    counts = np.bincount(codes, minlength=len(names))
    if len(names) > max(2, len(codes) // 2):
        what = f"has {len(names)} different values in {len(codes)} rows, too many for classes"
        found.append(Complaint(where, what, "choose another target, or task = 'regression' for numbers"))
        return None
    small = [f"{name!r} has {count}" for name, count in zip(names, counts, strict=True) if count < LEAST_ROWS]
    if small:
        what = f"every class needs {LEAST_ROWS} rows or more (train, valid, test), but {first_lines(small)}"
        hint = "merge or remove the class, or collect more"
        if all(name.isdigit() for name in names):
            hint = f"write [data] task = 'regression' if they are counts; otherwise {hint}"
        found.append(Complaint(where, what, hint))
    if task == "binary" and len(names) != 2:
        found.append(Complaint(where, f"task is binary, but there are {len(names)} classes", "use 'multiclass'"))
    kind = "binary" if len(names) == 2 else "multiclass"
    if not task:
        said = (f"target: {kind}, {len(names)} classes ({first_lines(names)})", *said)
    return Target(task or kind, codes.astype(np.int64), names, said)


def _several(column: Column, task: str | None, where: str, found: Complaints) -> Target | None:
    """Treat several target columns (n, C) as regression; refuse one-hot labels, which look the same."""
    flat = [i for i in range(column.shape[1]) if column.dtype.kind != "U" and np.ptp(column[:, i] * 1.0) == 0]
    if column.dtype.kind == "U" or task in ("binary", "multiclass"):
        what = f"has {column.shape[1]} columns, classes have one"
        found.append(Complaint(where, what, "give one column of labels"))
    elif flat:
        found.append(Complaint(where, f"column {flat[0]} is constant", "remove it"))
    elif task is None and np.isin(column, (0, 1)).all() and (column.sum(axis=1) == 1).all():
        what = "is one-hot, not labels"
        found.append(Complaint(where, what, "use y.argmax(axis=1), or task='regression' to mean it"))
    else:
        said = () if task else (f"target: regression, {column.shape[1]} columns",)
        numbers = column.astype(np.float64)
        far = [line for i in range(numbers.shape[1]) for line in far_out(numbers[:, i], f"target, column {i}")]
        return Target("regression", numbers, (), (*said, *far))
    return None


def _label(level: Any) -> str | int | float | bool:
    """A class as a plain value: 3.0 read from a file is class 3."""
    plain: str | int | float | bool = level.item()
    return int(plain) if isinstance(plain, float) and _name(level) == str(int(plain)) else plain


def _name(level: Any) -> str:
    """Return a class's name: 3.0 read from a file is class "3"."""
    whole = isinstance(level, np.floating) and float(level).is_integer() and abs(float(level)) < 1e15
    return str(int(level)) if whole else str(level)
