"""A fitted preparation as plain values: what turns raw columns into the inputs that a model was trained on.

`prepare` fits it on train rows; a shipped model carries it along. It holds numbers and names alone, so that it can be
written as JSON, and needs NumPy alone to be applied. Raw columns come as arrays of one kind each (`incoming` makes them
of frames, lists and files): float64 for numbers and dates (days since 1970), objects for texts, gaps as nan and
`MISSING`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from objectives.data.columns.factorized import Factorized
from objectives.data.transforms import TRANSFORMS, predicted
from objectives.errors import Complaint, DataError
from objectives.types import Array, Floats

__all__ = ["DATE", "MISSING", "NUMBER", "RARE", "TEXT", "InputColumn", "Preparation", "Seen", "counted"]

NUMBER, DATE, TEXT = KINDS = ("number", "date", "text")
MISSING = "(missing)"  # the category of a text that is not there
RARE = "(rare)"  # the category of those that are not frequent enough
MARGIN = 0.1  # of the width of a column's range: a new row often lies a little beyond its ends, and means nothing


@dataclass(frozen=True)
class InputColumn:
    """A column that the model learns from, as the train rows had it.

    A number, or a date in days, is filled with `median`, then `(value - mean) / scale`; one that is `constant` is 0.
    `low` and `high` are the ends of the train rows' values, `gaps` how many of them were missing. A text has one input
    for each of its `categories`; those of `unseen` had no train rows and count as unknown ones.

    The other fields say how texts are read, as `columns.kinds.ColumnRule` does: a number's or date's `style`, the
    `part` of a date that another column has, `writings` of categories, `marks` of gaps, unknown ones as `rare`.
    """

    name: str
    kind: str
    median: float = 0.0
    mean: float = 0.0
    scale: float = 1.0
    low: float = 0.0
    high: float = 0.0
    gaps: int = 0
    constant: bool = False
    categories: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    style: str = ""
    part: str = ""
    of: str = ""
    writings: tuple[tuple[str, str], ...] = ()
    marks: tuple[str, ...] = ()
    rare: bool = False

    @property
    def source(self) -> str:
        """Return the name of the column that its values come from."""
        return self.of or self.name

    @property
    def width(self) -> int:
        """Return how many inputs it becomes."""
        return len(self.categories) if self.kind == TEXT else 1


@dataclass(frozen=True)
class Seen:
    """What was out of the ordinary in a column of rows: how many values, and the one farthest out.

    `kind` is "outside" (of the train rows' range, by a tenth of its width), "unknown" (a category that they had not) or
    "gaps" (missing, where the train rows had none).
    """

    column: str
    kind: str
    rows: int
    example: str = ""


@dataclass(frozen=True)
class Preparation:
    """How the columns of a table become inputs `(n, D + 1)`, and outputs become predictions.

    `aside` are columns of the source that are no inputs; `labels` are the classes as the source has them. A prediction
    in the target's own units is `output * y_scale + y_mean`, each `(C,)`, unless it is learned in another form, a
    `target_transform` of `data.transforms`.
    """

    columns: tuple[InputColumn, ...]
    task: str
    dtype: str = "float32"
    target: str = ""
    aside: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    labels: tuple[str | int | float | bool, ...] = ()
    y_mean: tuple[float, ...] = ()
    y_scale: tuple[float, ...] = ()
    target_transform: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Return names of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def sources(self) -> tuple[str, ...]:
        """Return names of the columns that raw rows have, in order."""
        return tuple(dict.fromkeys(column.source for column in self.columns))

    @property
    def ordered(self) -> list[int]:
        """Return the order in which columns become inputs: numbers and dates before texts."""
        return sorted(range(len(self.columns)), key=lambda i: self.columns[i].kind == TEXT)

    @property
    def inputs(self) -> int:
        """Return D, without the column of ones."""
        return sum(column.width for column in self.columns)

    def predicted(self, outputs: Array) -> Array:
        """Return a regression's outputs `(..., C)` in the target's own units."""
        return predicted(self.target_transform, outputs, np.asarray(self.y_scale), np.asarray(self.y_mean))

    def transform(self, values: Sequence[Array | Factorized]) -> Array:
        """Return the inputs `(n, D + 1)` of raw columns, each `(n,)`, in the order of `columns`.

        Raises DataError for numbers that are too large for the inputs' type.
        """
        n = len(values[0])
        x = np.zeros((self.inputs + 1, n), self.dtype).T  # each column in one piece: they are written one by one
        x[:, -1] = 1
        place = 0
        with np.errstate(over="ignore", invalid="ignore"):
            for i in self.ordered:
                column = self.columns[i]
                _fill(x[:, place : place + column.width], column, values[i])
                place += column.width
        if not np.isfinite(x).all():
            raise DataError(*self._too_large(x))
        return x

    def _too_large(self, x: Array) -> list[Complaint]:
        """Return complaints about numbers that are not finite as inputs, with the first row of each column."""
        numbers = [self.columns[i] for i in self.ordered if self.columns[i].kind != TEXT]
        wrong = []
        for i, column in enumerate(numbers):
            rows = np.flatnonzero(~np.isfinite(x[:, i]))
            if len(rows):
                what = f"row {rows[0] + 1} is too large for {self.dtype}"
                wrong.append(Complaint(f"column {column.name!r}", what, "correct it, or leave it empty"))
        return wrong

    def seen(self, values: Sequence[Array | Factorized]) -> list[Seen]:
        """Return what is out of the ordinary in raw columns, in the order of `columns`."""
        found = []
        for column, own in zip(self.columns, values, strict=True):
            text = column.kind == TEXT
            found += _seen_text(column, own) if text else _seen_number(column, np.asarray(own))
        return found

    def document(self) -> dict[str, Any]:
        """Return it as a mapping that JSON can hold; fields at their defaults are left out of columns."""
        whole = {field.name: getattr(self, field.name) for field in fields(self)}
        whole = whole if self.target_transform else {k: v for k, v in whole.items() if k != "target_transform"}
        return {**whole, "columns": [_plain(column) for column in self.columns]}

    @staticmethod
    def of(document: Mapping[str, Any]) -> Preparation:
        """Return the preparation that a document holds. Raises ValueError, KeyError or TypeError for any other."""
        columns = tuple(InputColumn(**{k: _tuple(v) for k, v in one.items()}) for one in document["columns"])
        rest = {key: _tuple(value) for key, value in document.items() if key != "columns"}
        made = Preparation(columns=columns, **rest)
        _check(made)
        return made


def counted(every: Sequence[Seen]) -> list[Seen]:
    """Return what several stretches of rows have shown as one list: rows added up, the first example of each."""
    found: dict[tuple[str, str], Seen] = {}
    for one in every:
        key = one.column, one.kind
        rows = one.rows + (found[key].rows if key in found else 0)
        found[key] = Seen(one.column, one.kind, rows, found[key].example if key in found else one.example)
    return list(found.values())


def _fill(x: Array, column: InputColumn, values: Array | Factorized) -> None:
    """Put a raw column `(n,)` into its inputs `(n, width)`, which are zeros."""
    if column.kind == TEXT:
        places = {name: i for i, name in enumerate(column.categories) if name not in column.unseen}
        other = places.get(RARE, -1) if column.rare else -1
        texts = _factorized(values)
        codes = np.array([places.get(value, other) for value in texts.values.tolist()], dtype=np.int64)[texts.codes]
        rows = np.flatnonzero(codes >= 0)
        x[rows, codes[rows]] = 1
    elif not column.constant:
        values = np.asarray(values)
        filled = np.where(np.isnan(values), column.median, values) if np.isnan(values.max()) else values
        x[:, 0] = (filled - column.mean) / column.scale


def _seen_number(column: InputColumn, values: Floats) -> list[Seen]:
    margin = MARGIN * (column.high - column.low)
    if column.low - margin <= values.min() and values.max() <= column.high + margin:
        return []  # of most columns; a gap makes both nan
    gaps = np.isnan(values)
    found = [] if column.gaps or not gaps.any() else [Seen(column.name, "gaps", int(gaps.sum()))]
    away = np.maximum(values - column.high, column.low - values)
    away[gaps] = -np.inf
    outside = int(np.count_nonzero(away > margin))
    if not outside:
        return found
    worst = float(values[int(np.argmax(away))])
    shown = str(np.datetime64(0, "D") + np.timedelta64(int(worst), "D")) if column.kind == DATE else f"{worst:.6g}"
    return [*found, Seen(column.name, "outside", outside, shown)]


def _factorized(values: Array | Factorized) -> Factorized:
    return values if isinstance(values, Factorized) else Factorized.of(values)


def _seen_text(column: InputColumn, values: Array | Factorized) -> list[Seen]:
    texts = _factorized(values)
    known = set(column.categories) - set(column.unseen)
    unknown = np.array([value not in known and not column.rare for value in texts.values.tolist()], dtype=np.bool_)
    if not unknown.any():
        return []
    gap = np.array([value == MISSING for value in texts.values.tolist()], dtype=np.bool_)
    gaps, others = (np.flatnonzero(some[texts.codes]) for some in (unknown & gap, unknown & ~gap))
    found = [Seen(column.name, "gaps", len(gaps))] if len(gaps) else []
    if not len(others):
        return found
    return [*found, Seen(column.name, "unknown", len(others), str(texts.values[texts.codes[others[0]]])[:40])]


def _plain(column: InputColumn) -> dict[str, Any]:
    """Return a column without what says nothing."""
    whole, default = asdict(column), asdict(InputColumn("", ""))
    return {key: value for key, value in whole.items() if key in ("name", "kind") or value != default[key]}


def _tuple(value: Any) -> Any:
    return tuple(map(_tuple, value)) if isinstance(value, list) else value


def _check(made: Preparation) -> None:
    """Raise ValueError where values are not what code relies on."""
    numbers = ("median", "mean", "scale", "low", "high")
    for column in made.columns:
        if column.kind not in KINDS or not isinstance(column.name, str):
            raise ValueError(f"column {column.name!r} is of kind {column.kind!r}")
        plain = all(isinstance(getattr(column, key), int | float) for key in numbers)
        if not plain or not np.isfinite([getattr(column, key) for key in numbers]).all() or column.scale == 0:
            raise ValueError(f"column {column.name!r} has a number that is not finite, or a scale of 0")
        if not all(isinstance(name, str) for name in column.categories):
            raise ValueError(f"column {column.name!r} has categories that are no texts")
    if made.task not in ("binary", "multiclass", "regression") or made.dtype not in ("float32", "float64"):
        raise ValueError(f"task {made.task!r} with numbers of type {made.dtype!r}")
    if made.target_transform not in ("", *TRANSFORMS):
        raise ValueError(f"target_transform {made.target_transform!r}")
    if len(set(made.names)) < len(made.columns) or not made.columns:
        raise ValueError("columns need names of their own")
