"""Values of a column that a fitted model is asked about -> those of the kind that it was trained on.

Texts that are numbers or dates are read as in training. Gaps and unknown categories are no errors: they are treated as
in training.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from objectives.data.columns.dates import days_of, part_of_day
from objectives.data.columns.factorized import Factorized, factorized
from objectives.data.columns.numbers import number_style, without_marks
from objectives.data.files.dialect import GAPS
from objectives.data.preparation import DATE, MISSING, NUMBER, TEXT, InputColumn
from objectives.types import Array, Floats

__all__ = ["Unreadable", "read_column"]

EPOCH, DAY = np.datetime64(0, "D"), np.timedelta64(1, "D")


class Unreadable(ValueError):
    """Values of a column that are of another kind: a mask of them, and what they are."""

    def __init__(self, rows: npt.NDArray[np.bool_], what: str) -> None:
        self.rows, self.what = rows, what
        super().__init__(what)


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
        raise Unreadable(np.ones(len(values), np.bool_), f"holds values of type {values.dtype}")
    infinite = np.isinf(found)
    if infinite.any():
        raise Unreadable(infinite, f"{found[infinite][0]}")
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
    raise Unreadable(np.ones(len(values), np.bool_), "holds numbers, not dates")


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
        raise Unreadable(wrong, f"{str(values[wrong][0])[:40]!r} is {what}")
    return found


def _texts(values: Array) -> Array:
    """Return a column of texts as objects, gaps as `MISSING`."""
    if values.dtype.kind == "U":
        values = values.astype(object)
    if values.dtype.kind == "f" and np.isnan(values).all():
        return np.full(len(values), MISSING, dtype=object)
    if values.dtype.kind != "O":
        raise Unreadable(np.ones(len(values), np.bool_), "holds numbers or dates, not texts")
    gaps = _gaps(values)
    wrong = ~gaps & np.fromiter((not isinstance(value, str) for value in values), np.bool_, len(values))
    if wrong.any():
        raise Unreadable(wrong, f"{str(values[wrong][0])[:40]!r} is no text")
    return np.where(gaps, np.array(MISSING, dtype=object), values)


READERS: dict[str, Callable[[Array], Array]] = {NUMBER: _numbers, DATE: _days, TEXT: _texts}


def read_column(column: InputColumn, given: Array | Factorized) -> Array | Factorized:
    """Return a raw column as the rule of its training says; texts are read once for each that is different."""
    found = given if isinstance(given, Factorized) else factorized(given)
    if found is None:
        return _read_rows(column, np.asarray(given))
    try:
        read = _read_rows(column, found.values)
    except Unreadable:
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
