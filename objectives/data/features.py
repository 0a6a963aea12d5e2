"""Turns found columns into features: numbers stay numbers, dates are days, texts categories; empty ones are left out.

Complete numbers become one float array (n, D), the quick path that needs neither pandas nor scikit-learn; texts or
missing values make a frame of float and text columns, which `mixed.py` fits on the train rows.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from objectives.data.columns.kinds import ColumnRule, is_id, kind_line, understood
from objectives.data.columns.numbers import NumberStyle, without_marks
from objectives.data.matrix import Matrix
from objectives.data.raw import Column, Complaints, Raw, column_complaints, plain_column, some_rows
from objectives.data.reading import FIRST_RULES, PLAIN, Reading
from objectives.errors import Complaint, nearest
from objectives.types import Floats

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Features", "features_of"]

MOST_CATEGORIES = 1000
FEW_CATEGORIES = 20
SHOWN = 8  # text columns that a sentence names
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
# A column with this share of numbers among its texts is a number column with slips in it, not a category.
SLIPS = 0.9


class Features:
    """The usable columns, collected one by one: float64 columns, text columns, and notes on what was left out."""

    def __init__(self, reading: Reading = PLAIN) -> None:
        self.reading = reading
        self.rules: dict[str, ColumnRule] = {}
        self.columns: dict[str, Column] = {}
        self.texts: list[str] = []
        self.dates: list[str] = []
        self.notes: list[str] = []
        self.matrix: Matrix | None = None  # where all columns are complete numbers of one array

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the columns."""
        return tuple(self.columns)

    def table(self) -> Matrix | pd.DataFrame:
        """Return all columns: a matrix (n, D) if they are numbers without gaps, else a frame of n rows."""
        if self.matrix is not None:
            return self.matrix
        values = list(self.columns.values())
        if not self.texts and all(np.isfinite(column).all() for column in values):
            return Matrix(np.ascontiguousarray(np.column_stack(values), dtype=np.float64))
        import pandas as pd

        return pd.DataFrame(self.columns)

    def describe(self) -> list[str]:
        """Describe in sentences how texts and missing values are treated and which columns are left out."""
        if self.matrix is not None:
            return self.notes
        wide = len(self.columns)
        numbers = [column for name, column in self.columns.items() if name not in self.texts]
        gaps = sum(bool(np.isnan(column).any()) for column in numbers)
        kinds = [f"{name} ({len(set(self.columns[name]))})" for name in self.texts[:SHOWN]]
        more = [f"and {len(self.texts) - SHOWN} more"] if len(self.texts) > SHOWN else []
        said = [f"texts, one-hot by category: {', '.join([*kinds, *more])}"] if self.texts else []
        said += [f"{gaps} of {wide} columns have missing numbers: the median of the train rows"] if gaps else []
        said += [f"dates, as days: {', '.join(self.dates)}"] if self.dates else []
        return [*self.notes, *said]


def features_of(raw: Raw, found: Complaints, reading: Reading = PLAIN) -> Features:
    """Collect the features among the columns of `raw`; add what is wrong with them to `found`."""
    features = Features(reading)
    found += _unknown(raw, reading)
    found += column_complaints(list(raw.features), raw.where)
    if isinstance(raw.x, np.ndarray):
        _add_matrix(features, raw.x, raw, found)
    else:
        for i, name in enumerate(raw.features):
            _add(features, name, plain_column(raw.x.iloc[:, i]), f"{raw.where}, column {name!r}", found)
    if not features.columns and not found:
        what = "; ".join(["there is no column left to learn from", *features.notes])
        found.append(Complaint(raw.where, what, "add columns beside the target"))
    return features


def _unknown(raw: Raw, reading: Reading) -> Complaints:
    """Complain about kinds of columns that are not there."""
    known = (*raw.features, *raw.taken)
    return [
        Complaint(f"{raw.where}, data.columns", f"there is no column {name!r}", nearest(name, known))
        for name in reading.columns
        if name not in known
    ]


def _add_matrix(features: Features, matrix: Column, raw: Raw, found: Complaints) -> None:
    if matrix.dtype.kind not in "biuf":
        what = f"X holds {matrix.dtype} values, not numbers"
        found.append(Complaint(raw.where, what, "hand over a pandas frame if some columns are text"))
        return
    whole = Matrix(matrix, raw.kept)
    marked = features.reading.rules > FIRST_RULES and features.reading.dialect.missing
    if whole.finite() and not marked:
        features.matrix = whole if whole.shape[1] else None
        features.columns = dict.fromkeys(raw.features, matrix[:0])
        return
    numbers = whole.read(slice(None))
    for name, column in zip(raw.features, numbers.T, strict=True):
        _add(features, name, column, f"{raw.where}, column {name!r}", found)


def _add(features: Features, name: str, values: Column, where: str, found: Complaints) -> None:
    """Add one column (n,) as numbers or texts, leave it out with a note, or complain."""
    kind, asked = values.dtype.kind, features.reading.columns.get(name, "")
    if asked == "leave out":
        features.notes.append(f"column {name!r}: left out, as you say")
        return
    if asked and kind in "biuf" and asked != "number":
        values, kind = _as_texts(values), "O"
    new = features.reading.rules > FIRST_RULES and asked != "number"
    if new and kind in "iuf" and is_id(name, values.astype(np.float64)):
        what = f"column {name!r} only numbers the rows, as ids do: left out"
        features.notes.append(f"{what}; {kind_line(name, 'number')} keeps it")
        return
    if kind in "biuf":
        _add_plain(features, name, values.astype(np.float64), where, found)
    elif kind == "O":
        _add_objects(features, name, values, where, found)
    elif kind == "M":
        _add_dates(features, name, values, where, found)
    else:
        what = {"c": "complex numbers", "m": "durations"}.get(kind, f"{values.dtype} values")
        found.append(Complaint(where, f"holds {what}", "turn it into numbers, or remove it"))


def _add_plain(features: Features, name: str, numbers: Floats, where: str, found: Complaints) -> None:
    """Add numbers (n,) of a file; those that stand for gaps are none, and rows to come are read as these were."""
    reading = features.reading
    if reading.rules > FIRST_RULES:
        numbers = without_marks(numbers, reading.dialect.missing)
    _add_numbers(features, name, numbers, where, found)
    style = NumberStyle(decimal=reading.dialect.decimal or ".").key
    if name in features.columns and reading.rules > FIRST_RULES and (style or reading.dialect.missing):
        features.rules[name] = ColumnRule(style, marks=reading.dialect.missing)


def _add_numbers(features: Features, name: str, numbers: Floats, where: str, found: Complaints) -> None:
    infinite = np.isinf(numbers)
    if infinite.any():
        first = numbers[infinite][0]
        what = f"{first} in {some_rows(infinite)}"
        found.append(Complaint(where, what, "correct it, or leave it empty if the value is missing"))
    elif np.isnan(numbers).all():
        features.notes.append(f"column {name!r} is empty: left out")
    else:
        features.columns[name] = numbers


def _add_dates(features: Features, name: str, dates: Column, where: str, found: Complaints) -> None:
    """Add dates (n,) as days since 1970."""
    _add_numbers(features, name, (dates - np.datetime64(0, "D")) / np.timedelta64(1, "D"), where, found)
    if name in features.columns:
        features.dates.append(name)


def _as_dates(values: Column, missing: npt.NDArray[np.bool_]) -> Column | None:
    """Parse texts (n,) as ISO dates, with or without a time of day; return None if one is no date."""
    if not all(DAY.match(value) for value in values[~missing]):
        return None
    try:
        return _dates(values, missing)
    except ValueError:
        return None


def _dates(values: Column, missing: npt.NDArray[np.bool_]) -> Column:
    """Convert objects (n,) that are dates, or ISO texts of dates, to dates in UTC. Raises ValueError."""
    import pandas as pd

    dates = pd.to_datetime(pd.Series(values, dtype=object).mask(missing), format="ISO8601", utc=True)
    return dates.dt.tz_localize(None).to_numpy()


def _add_objects(features: Features, name: str, values: Column, where: str, found: Complaints) -> None:
    import pandas as pd

    missing = np.asarray(pd.isna(values))
    kinds = {type(value) for value in values[~missing]}
    if kinds <= {str} and features.reading.rules > FIRST_RULES:
        _add_understood(features, name, _gapped(values, missing), where, found)
    elif kinds <= {str}:
        _add_texts(features, name, values, missing, where, found)
    elif all(issubclass(kind, date) for kind in kinds):
        _add_dates(features, name, _dates(values, missing), where, found)
    elif str in kinds or (numbers := _as_numbers(values, missing)) is None:
        shown = ", ".join(sorted(kind.__name__ for kind in kinds))
        found.append(Complaint(where, f"holds values of type {shown}", "use one type, numbers or texts"))
    else:
        _add_numbers(features, name, numbers, where, found)


def _add_understood(features: Features, name: str, values: Column, where: str, found: Complaints) -> None:
    """Add texts (n,), gaps as None, as what they look like."""
    reading = features.reading
    meaning = understood(name, values, reading.columns.get(name, ""), reading.dialect, where, found)
    if meaning is None:
        return
    features.notes += meaning.said
    if meaning.kind == "number":
        if name not in reading.columns and is_id(name, meaning.values):
            what = f"column {name!r} only numbers the rows, as ids do: left out"
            features.notes.append(f"{what}; {kind_line(name, 'number')} keeps it")
            return
        _add_numbers(features, name, meaning.values, where, found)
    elif meaning.kind == "date":
        if not meaning.rule.part:
            _add_numbers(features, name, meaning.values, where, found)
            features.dates += [name] if name in features.columns else []
        for part, texts in meaning.parts.items():
            own = f"{name} {part}"
            features.columns[own] = texts
            features.texts.append(own)
            features.rules[own] = replace(meaning.rule, of=name, part=part)
    elif meaning.kind == "text":
        features.columns[name] = meaning.values
        features.texts.append(name)
    if name in features.columns and meaning.rule != ColumnRule():
        features.rules[name] = meaning.rule


def _gapped(values: Column, missing: npt.NDArray[np.bool_]) -> Column:
    found = values.copy()
    found[missing] = None
    return found


def _as_texts(values: Column) -> Column:
    """Return numbers (n,) as texts, whole ones without a point, gaps as None."""
    texts = [
        None if value != value else str(int(value) if float(value).is_integer() else value) for value in values.tolist()
    ]
    return np.array(texts, dtype=object)


def _as_numbers(values: Column, missing: npt.NDArray[np.bool_]) -> Floats | None:
    numbers = np.full(len(values), np.nan)
    if any(np.ndim(value) for value in values[~missing]):
        return None
    try:
        numbers[~missing] = [float(value) for value in values[~missing]]
    except (TypeError, ValueError, OverflowError):
        return None
    return numbers


def _add_texts(
    features: Features, name: str, values: Column, missing: npt.NDArray[np.bool_], where: str, found: Complaints
) -> None:
    present = values[~missing]
    if not len(present):
        features.notes.append(f"column {name!r} is empty: left out")
        return
    if (dates := _as_dates(values, missing)) is not None:
        _add_dates(features, name, dates, where, found)
        return
    slips = missing | np.array([_is_number(value) for value in values])
    if SLIPS <= (slips & ~missing).sum() / len(present) < 1:
        first = values[~slips][0]
        what = f"{str(first)[:40]!r} in {some_rows(~slips)}, where all others are numbers"
        found.append(Complaint(where, what, "correct it, or leave it empty if the value is missing"))
        return
    distinct = len(set(present))
    if distinct > FEW_CATEGORIES and distinct > min(MOST_CATEGORIES, len(values) // 2):
        features.notes.append(f"column {name!r} has {distinct} different texts in {len(values)} rows: left out")
        return
    features.columns[name] = np.where(missing, "(missing)", values)
    features.texts.append(name)


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
