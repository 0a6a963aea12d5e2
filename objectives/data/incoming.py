"""Rows that a fitted model is asked about -> raw columns of the kinds that it was trained on.

Columns are found by name where there are names, in any order; an array without names has them in the order of training.
What cannot be read is complained of, all at once, by column and row. Gaps and unknown categories are no errors: they
are treated as in training. Rows count from 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from objectives.data.columns.dates import days_of, part_of_day
from objectives.data.columns.factorized import Factorized, factorized
from objectives.data.columns.numbers import number_style, without_marks
from objectives.data.files.dialect import GAPS
from objectives.data.preparation import DATE, MISSING, NUMBER, TEXT, InputColumn, Preparation
from objectives.data.raw import first_lines, is_frame, plain_column, some_rows
from objectives.errors import Complaint, DataError
from objectives.types import Array, Floats

__all__ = ["Incoming", "incoming"]

UNNAMED = re.compile(r"unnamed \d+|Unnamed: \d+")  # what a frame's row numbers are called once they are in a csv file
EPOCH, DAY = np.datetime64(0, "D"), np.timedelta64(1, "D")


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
            values.append(_read(column, columns[column.source]()))
        except _Unreadable as wrong:
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


class _Unreadable(ValueError):
    """Values of a column that are of another kind: a mask of them, and what they are."""

    def __init__(self, rows: npt.NDArray[np.bool_], what: str) -> None:
        self.rows, self.what = rows, what
        super().__init__(what)


def _complaint(wrong: _Unreadable, column: InputColumn, where: str, first: int) -> Complaint:
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


def _gap(value: Any) -> bool:
    """Return whether a value is missing: None, nan, NaT or pandas' NA."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float | np.floating | np.datetime64) and value != value


def _gaps(values: Array) -> npt.NDArray[np.bool_]:
    return np.fromiter((_gap(value) for value in values), np.bool_, len(values))


def _numbers(values: Array) -> Floats:
    """Return a column as float64, gaps as nan; texts that are numbers count as such."""
    if values.dtype.kind in "biuf":
        found: Floats = np.asarray(values, dtype=np.float64)
    elif values.dtype.kind in "OU":
        found = _converted(values, _number, "no number")
    else:
        raise _Unreadable(np.ones(len(values), np.bool_), f"holds values of type {values.dtype}")
    infinite = np.isinf(found)
    if infinite.any():
        raise _Unreadable(infinite, f"{found[infinite][0]}")
    return found


def _number(value: Any) -> float:
    if isinstance(value, str) and not value.strip():
        return float("nan")
    if isinstance(value, date) or np.ndim(value):
        raise ValueError
    return float(value)


def _days(values: Array) -> Floats:
    """Return a column of dates as days since 1970, gaps as nan."""
    if values.dtype.kind == "M":
        return np.asarray((values - EPOCH) / DAY, dtype=np.float64)
    if values.dtype.kind in "OU":
        return _converted(values, _day, "no date like 2024-05-31")
    if values.dtype.kind == "f" and np.isnan(values).all():
        return values.astype(np.float64)
    raise _Unreadable(np.ones(len(values), np.bool_), "holds numbers, not dates")


def _day(value: Any) -> float:
    """Return days since 1970 of a date, or of an ISO text of one, in UTC."""
    if isinstance(value, str):
        if not value:
            return float("nan")
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        plain = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        return _since_epoch(plain)
    if isinstance(value, date):
        return float((np.datetime64(value) - EPOCH) / DAY)
    raise ValueError


@lru_cache(maxsize=65536)
def _since_epoch(plain: datetime) -> float:
    return float((np.datetime64(plain.isoformat(), "us") - EPOCH) / DAY)


def _converted(values: Array, one: Callable[[Any], float], what: str) -> Floats:
    """Return objects `(n,)` as numbers, one by one."""
    found, wrong = np.full(len(values), np.nan), np.zeros(len(values), np.bool_)
    for i, value in enumerate(values.tolist()):
        if not _gap(value):
            try:
                found[i] = one(value)
            except (TypeError, ValueError, OverflowError):
                wrong[i] = True
    if wrong.any():
        raise _Unreadable(wrong, f"{str(values[wrong][0])[:40]!r} is {what}")
    return found


def _texts(values: Array) -> Array:
    """Return a column of texts as objects, gaps as `MISSING`."""
    if values.dtype.kind == "U":
        values = values.astype(object)
    if values.dtype.kind == "f" and np.isnan(values).all():
        return np.full(len(values), MISSING, dtype=object)
    if values.dtype.kind != "O":
        raise _Unreadable(np.ones(len(values), np.bool_), "holds numbers or dates, not texts")
    gaps = _gaps(values)
    wrong = ~gaps & np.fromiter((not isinstance(value, str) for value in values), np.bool_, len(values))
    if wrong.any():
        raise _Unreadable(wrong, f"{str(values[wrong][0])[:40]!r} is no text")
    return np.where(gaps, np.array(MISSING, dtype=object), values)


READERS: dict[str, Callable[[Array], Array]] = {NUMBER: _numbers, DATE: _days, TEXT: _texts}


def _read(column: InputColumn, given: Array | Factorized) -> Array | Factorized:
    """Return a raw column as the rule of its training says; texts are read once for each that is different."""
    found = given if isinstance(given, Factorized) else factorized(given)
    if found is None:
        return _read_rows(column, np.asarray(given))
    try:
        read = _read_rows(column, found.values)
    except _Unreadable:
        return _read_rows(column, found.rows)  # says which rows; a value that no row has is none
    return Factorized(read, found.codes) if column.kind == TEXT else read[found.codes]


def _read_rows(column: InputColumn, values: Array) -> Array:
    category = column.kind == TEXT and not column.part
    if category and column.marks and values.dtype.kind in "OU":
        values = np.array([None if value in column.marks else value for value in values.tolist()], dtype=object)
    elif values.dtype.kind in "OU" and not category and (column.style or column.marks or column.kind == NUMBER):
        values = _styled(column, values.astype(object))
    if column.kind == TEXT and column.part:
        return _parts(values, column.part)
    if column.kind == NUMBER:
        return without_marks(_numbers(values), column.marks)
    if column.kind != TEXT:
        return READERS[column.kind](values)
    writings, known = dict(column.writings), {*column.categories}
    if values.dtype.kind in "biuf" and column.categories and not np.isnan(values.astype(np.float64)).all():
        values = _named(values) if _all_numeric(known) else values
    texts = READERS[TEXT](values)
    found = np.array([writings.get(text, text) for text in texts], dtype=object)
    gaps = [text not in known and text.strip().lower() in GAPS for text in found]
    return np.where(gaps, np.array(MISSING, dtype=object), found)


def _styled(column: InputColumn, values: Array) -> Array:
    """Return texts as the numbers, or dates, that they were in training; others stay as they are."""
    numeric = column.kind == NUMBER
    read = number_style(column.style).read if numeric else partial(days_of, style=column.style or "iso")
    found = values.copy()
    for i, value in enumerate(values.tolist()):
        if isinstance(value, str):
            gap = value in column.marks or not value.strip()
            made = float("nan") if gap else read(value)
            if made is not None:
                found[i] = made if numeric else _when(made)
    return found


def _when(days: float) -> Any:
    return None if days != days else datetime(1970, 1, 1) + timedelta(days=days)


def _parts(values: Array, part: str) -> Array:
    days = _days(values)
    return np.array([MISSING if day != day else part_of_day(day, part) for day in days], dtype=object)


def _all_numeric(names: Collection[str]) -> bool:
    return all(name == MISSING or name.lstrip("-").replace(".", "", 1).isdigit() for name in names)


def _named(values: Array) -> Array:
    """Return numbers as the categories that they name."""
    texts = [None if v != v else str(int(v) if float(v).is_integer() else v) for v in values.tolist()]
    return np.array(texts, dtype=object)
