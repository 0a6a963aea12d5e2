"""Rows that a fitted model is asked about -> raw columns of the kinds that it was trained on.

Columns are found by name where there are names, in any order; an array without names has them in the order of training.
What cannot be read is complained of, all at once, by column and row. Gaps and unknown categories are no errors: they
are treated as in training. Rows count from 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Any

import numpy as np

from objectives.data.columns.factorized import Factorized
from objectives.data.incoming_values import Unreadable, read_column
from objectives.data.preparation import DATE, NUMBER, TEXT, InputColumn, Preparation
from objectives.data.raw import first_lines, is_frame, plain_column, some_rows
from objectives.errors import Complaint, DataError
from objectives.types import Array

__all__ = ["Incoming", "incoming"]

UNNAMED = re.compile(r"unnamed \d+|Unnamed: \d+")  # what a frame's row numbers are called once they are in a csv file


@dataclass(frozen=True, eq=False)
class Incoming:
    """Raw columns `(n,)` in the order of a preparation, and the names of others that it does not know."""

    columns: tuple[Array | Factorized, ...]
    extra: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.columns[0])

    @property
    def values(self) -> tuple[Array, ...]:
        """Return the values of each column, row by row."""
        return tuple(one.rows if isinstance(one, Factorized) else one for one in self.columns)


def incoming(rows: Any, preparation: Preparation, where: str = "rows", first: int = 0) -> Incoming:
    """Return the raw columns of `rows`: a frame, a mapping of columns, a list of mappings, or an array (n, D).

    `first` rows came before these, for messages. Raises DataError with everything that is missing or cannot be read.
    """
    columns, names = _columns(rows, preparation, where)
    missing = [name for name in preparation.sources if name not in columns]
    if missing:
        raise DataError(*_absent(missing, names, preparation, where))
    found: list[Complaint] = []
    values = []
    for column in preparation.columns:
        try:
            values.append(read_column(column, columns[column.source]()))
        except Unreadable as wrong:
            found.append(_complaint(wrong, column, where, first))
    lengths = {len(one) for one in values}
    if len(lengths) > 1:
        found.append(Complaint(where, f"its columns have {first_lines(map(str, sorted(lengths)))} rows", "cut none"))
    if not found and lengths == {0}:
        found.append(Complaint(where, "has no rows", "give one at least"))
    if found:
        raise DataError(*found)
    known = {*preparation.sources, *preparation.aside}
    return Incoming(tuple(values), tuple(name for name in names if name not in known and not UNNAMED.fullmatch(name)))


def _complaint(wrong: Unreadable, column: InputColumn, where: str, first: int) -> Complaint:
    said = "" if wrong.rows.all() and len(wrong.rows) > 1 else f" in {some_rows(np.pad(wrong.rows, (first, 0)))}"
    asked = {NUMBER: "numbers", DATE: "dates", TEXT: "texts"}[column.kind]
    hint = f"the model was trained on {asked}; correct it, or leave it empty"
    return Complaint(f"{where}, column {column.name!r}", f"{wrong.what}{said}", hint)


def _absent(missing: Sequence[str], names: Sequence[str], preparation: Preparation, where: str) -> list[Complaint]:
    """Return complaints about missing columns: one for each that may be there under another name, one for the rest."""
    others = [other for other in names if other not in preparation.sources and other not in preparation.aside]
    near = {name: get_close_matches(name, others, n=1) for name in missing}
    renamed = [
        Complaint(where, f"no column {name!r}", f"if {close[0]!r} is the same, rename it")
        for name, close in near.items()
        if close
    ]
    rest = [name for name in missing if not near[name]]
    if not rest:
        return renamed
    what = f"no column{'s' if len(rest) > 1 else ''} {first_lines(map(repr, rest))}"
    hint = f"the model needs {len(preparation.sources)} columns: {first_lines(preparation.sources, 12)}"
    return [*renamed, Complaint(where, what, hint)]


def _columns(
    rows: Any, preparation: Preparation, where: str
) -> tuple[Mapping[str, Callable[[], Array | Factorized]], tuple[str, ...]]:
    """Return columns by name, each read when it is asked for, and all names that there are."""
    if is_frame(rows):
        names = tuple(map(str, rows.columns))
        _check_twice(names, where)
        return {name: partial(_of_frame, rows, i) for i, name in enumerate(names)}, names
    if isinstance(rows, Mapping):
        if rows and not any(_is_column(value) for value in rows.values()):
            rows = {name: [value] for name, value in rows.items()}  # a single row
        return {str(name): partial(_plain, values) for name, values in rows.items()}, tuple(map(str, rows))
    if isinstance(rows, Sequence) and rows and isinstance(rows[0], Mapping):
        names = tuple(dict.fromkeys(str(name) for row in rows for name in row))
        return {name: partial(_of_mappings, rows, name) for name in names}, names
    return _of_array(rows, preparation, where), preparation.sources


def _of_frame(frame: Any, place: int) -> Array | Factorized:
    series = frame.iloc[:, place]
    words = hasattr(series, "cat") and all(isinstance(value, str) for value in series.cat.categories)
    return Factorized.of_categorical(series) if words else plain_column(series)


def _of_mappings(rows: Sequence[Mapping[str, Any]], name: str) -> Array:
    return _plain([row.get(name) for row in rows])


def _is_column(value: Any) -> bool:
    return isinstance(value, list | tuple) or np.ndim(value) > 0 or hasattr(value, "iloc")


def _of_array(rows: Any, preparation: Preparation, where: str) -> dict[str, Callable[[], Array]]:
    """Return the columns of an array without names, or of a list of rows."""
    wanted = len(preparation.sources)
    try:
        matrix = rows if isinstance(rows, np.ndarray) else _plain(rows)
    except ValueError as error:
        raise DataError(Complaint(where, "the rows differ in length", f"give {wanted} values for each")) from error
    if matrix.ndim == 1 and matrix.size and wanted == 1:
        matrix = matrix[:, None]
    if matrix.ndim != 2:
        what = f"has {matrix.ndim} dimensions, rows have 2 (rows, columns)"
        hint = "a single row is x.reshape(1, -1)" if matrix.ndim == 1 else "reshape it to (rows, columns)"
        raise DataError(Complaint(where, what, hint))
    if matrix.shape[1] != wanted:
        what = f"has {matrix.shape[1]} columns, but the model was trained on {wanted}"
        hint = f"in this order: {first_lines(preparation.sources, 12)}"
        raise DataError(Complaint(where, what, hint))
    return {name: partial(_of_matrix, matrix, i) for i, name in enumerate(preparation.sources)}


def _of_matrix(matrix: Array, place: int) -> Array:
    column: Array = matrix[:, place]
    return column


def _check_twice(names: Sequence[str], where: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(*(Complaint(f"{where}, column {name!r}", "occurs twice", "remove one") for name in twice))


def _plain(values: Any) -> Array:
    """Return a column or matrix as an array; of mixed values as they are, not as texts."""
    if hasattr(values, "iloc"):
        return plain_column(values)
    plain: Array = np.asarray(values)
    mixed = plain.dtype.kind in "US" and not isinstance(values, np.ndarray)
    return np.array(values, dtype=object) if mixed else plain
