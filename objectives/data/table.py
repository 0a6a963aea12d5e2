"""A checked table of raw data: features, an encoded target, and what the split needs to know of each row.

`load_table` reads a source, `table_from` takes arrays or frames; both end in `_build`, which looks for everything
that is wrong and raises it together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from objectives.data.columns.codes import codes_read_as_numbers
from objectives.data.columns.kinds import ColumnRule
from objectives.data.features import Features, features_of
from objectives.data.matrix import Matrix
from objectives.data.overview import ColumnView, overview_of
from objectives.data.raw import Column, Complaints, Raw, first_lines, is_frame, plain_column, take
from objectives.data.reading import FIRST_RULES, PLAIN, Reading
from objectives.data.sources import call_user, is_function, read_source
from objectives.data.split_rows import split_rows
from objectives.data.splits import SplitRows, SplitSpec, split_complaints
from objectives.data.suspicions import suspicions
from objectives.data.target import Target, encode
from objectives.data.targets import labelled, target_of, with_target, with_texts
from objectives.data.transforms import learned_target
from objectives.data.weights import described_weights, weights_of_rows
from objectives.errors import Complaint, DataError
from objectives.types import Floats

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DEFAULT_SPLIT", "Table", "load_table", "table_from"]

DEFAULT_SPLIT = SplitSpec()


@dataclass(frozen=True, eq=False)
class Table:
    """Raw data that passed every check."""

    where: str
    x: Matrix | pd.DataFrame  # (n, D); a frame if there are texts or missing values
    y: npt.NDArray[Any]  # (n,) class codes, or (n, C) float64 for regression
    task: str
    features: tuple[str, ...]
    classes: tuple[str, ...]
    rows: SplitRows
    inferred: tuple[str, ...]
    labels: tuple[str | int | float | bool, ...] = ()  # the classes as the source has them
    dates: tuple[str, ...] = ()  # features that were dates
    target: str = ""
    aside: tuple[str, ...] = ()  # columns of the source that are no features
    rules: Mapping[str, ColumnRule] = field(default_factory=dict)  # how columns of texts are read
    overview: tuple[ColumnView, ...] = ()  # where it was asked for
    weights: Floats | None = None  # (n,) at least 0, where rows do not count alike
    transform: str = ""  # how the target of a regression is learned, one of TRANSFORMS or as it stands

    def __len__(self) -> int:
        return self.rows.count

    @property
    def large(self) -> bool:
        """Return True if the numbers should not be copied in memory."""
        return isinstance(self.x, Matrix) and self.x.large


def load_table(  # noqa: PLR0913
    source: str,
    target: str | int | None = None,
    *,
    base: Path = Path(),
    task: str | None = None,
    split: SplitSpec = DEFAULT_SPLIT,
    drop: tuple[str, ...] = (),
    weight: str | None = None,
    transform: str = "",
    reading: Reading = PLAIN,
) -> Table:
    """Load the table that `source` names: "sklearn:digits", a file relative to the folder `base`, "module:function", or
    "-" for standard input.

    Columns in `drop` are not used as features, `weight` names the one that says how much rows count. `reading` says
    what a guess would have wrong, `transform` how a regression's target is learned: "log", or "log_link" for counts.

    Raises DataError with every complaint about the source, its columns and the split.
    """
    if is_function(source):
        x, y = call_user(source, base)
        return table_from(
            x,
            y,
            target=target,
            task=task,
            split=split,
            drop=drop,
            weight=weight,
            transform=transform,
            where=source,
            reading=reading,
        )
    asked = _Asked(target, task, split, drop, weight, transform, reading)
    return _build(read_source(source, target, base, reading.dialect), asked)


def table_from(  # noqa: PLR0913
    x: Any,
    y: Any = None,
    *,
    target: str | int | None = None,
    features: tuple[str, ...] = (),
    task: str | None = None,
    split: SplitSpec = DEFAULT_SPLIT,
    drop: tuple[str, ...] = (),
    weight: str | None = None,
    transform: str = "",
    where: str = "data",
    reading: Reading = PLAIN,
) -> Table:
    """Build a table from X (n, D), an array or a frame, and y (n,) or (n, C); without y the target is a column of X.

    Raises DataError with every complaint about them and the split.
    """
    if is_frame(x):
        raw = Raw(where, x, tuple(map(str, x.columns)))
    else:
        matrix = _matrix(x, where)
        names = features or tuple(f"x{i}" for i in range(matrix.shape[1]))
        if len(names) != matrix.shape[1]:
            what = f"{len(names)} feature names for {matrix.shape[1]} columns"
            raise DataError(Complaint(where, what, "name every column"))
        raw = Raw(where, matrix, names)
    asked = _Asked(target, task, split, drop, weight, transform, reading)
    return _build(raw if y is None else replace(raw, y=_targets(y, where)), asked)


@dataclass(frozen=True)
class _Asked:
    """What was asked of a table, beside its source."""

    target: str | int | None
    task: str | None
    split: SplitSpec
    drop: tuple[str, ...]
    weight: str | None
    transform: str
    reading: Reading


def _build(raw: Raw, asked: _Asked) -> Table:
    found: Complaints = []
    target, task, split, reading = asked.target, asked.task, asked.split, asked.reading
    codes = codes_read_as_numbers(raw, reading.columns) if reading.rules > FIRST_RULES else []
    raw = with_texts(raw) if reading.rules > FIRST_RULES else raw
    source = raw
    raw = replace(raw, x=_matrix(raw.x, raw.where)) if isinstance(raw.x, np.ndarray) else raw
    raw, y, place = _target_column(raw, target, found)
    if y is not None and reading.rules > FIRST_RULES:
        y, said = target_of(y, task, reading.dialect, place, found)
        raw = replace(raw, notes=(*raw.notes, *said))
    raw, weights = _weights(raw, asked, y, found)
    if y is not None and reading.unlabelled == "drop":
        weights = weights if weights is None or len(y) != len(weights) else weights[with_target(y)]
        raw, y = labelled(raw, y)
    asides: dict[str, Column] = {}
    for kind in ("column", "group", "order"):
        if (name := getattr(split, kind)) is not None:
            raw, values = _taken(raw, name, f"split.{kind}", found)
            asides |= {} if values is None else {kind: values}
    for name in asked.drop:
        raw, _ = _taken(raw, name, "drop", found)
    count = len(raw.x)
    goal = None if y is None else encode(y, raw.classes, task, place, found)
    goal, transform = learned_target(goal, asked.transform, place, found)
    for name, values in {"the target": y, **asides}.items():
        if values is not None and np.ndim(values) and len(values) != count:
            what = f"X has {count} rows, but {name} has {len(values)}"
            found.append(Complaint(raw.where, what, "give one value for each row"))
    features = features_of(raw, found, replace(reading, dialect=replace(raw.dialect, missing=reading.dialect.missing)))
    rows = split_rows(count, goal, asides, split, raw.where, found)
    if rows is not None:
        found += split_complaints(rows, split, raw.where)
    if found or goal is None or rows is None:
        raise DataError(*found)
    named = source.features[target] if isinstance(target, int) and source.y is None else target
    table = _table(raw, features, goal, rows, str(named), source)
    if reading.rules > FIRST_RULES:
        table = replace(table, inferred=(*table.inferred, *codes, *suspicions(features, goal, split)))
    notes = [] if weights is None else [described_weights(weights, str(asked.weight))]
    table = replace(table, weights=weights, transform=transform, inferred=(*table.inferred, *notes))
    return (
        replace(table, overview=overview_of(source, features, table.target, asked.weight, y)) if reading.look else table
    )


def _table(raw: Raw, features: Features, goal: Target, rows: SplitRows, target: str, source: Raw) -> Table:
    inferred = (*goal.said, *raw.notes, *features.describe())
    used = {*features.names, *(rule.of for rule in features.rules.values())}
    aside = tuple(name for name in (*source.features, *source.extra) if name not in used)
    return Table(
        raw.where,
        features.table(),
        goal.y,
        goal.task,
        features.names,
        goal.classes,
        rows,
        inferred,
        goal.labels,
        tuple(features.dates),
        target if target in aside else "",
        aside,
        features.rules,
    )


def _target_column(raw: Raw, target: str | int | None, found: Complaints) -> tuple[Raw, Any, str]:
    """Split the target off; return the rest, the target's values (None if there is none) and its name for messages."""
    if raw.y is not None:
        return raw, raw.y, f"{raw.where}, target"
    if target is None:
        last = raw.features[-1] if raw.features else ""
        what = f"no target is named; the columns are {first_lines(raw.features, 12)}"
        found.append(Complaint(raw.where, what, f"name it, for example target = {last!r}"))
        return raw, None, raw.where
    try:
        rest, values = take(raw, target, "target")
    except DataError as error:
        found += error.complaints
        return raw, None, raw.where
    name = target if isinstance(target, str) else raw.features[target]
    return rest, values, f"{raw.where}, column {name!r}"


def _weights(raw: Raw, asked: _Asked, y: Any, found: Complaints) -> tuple[Raw, Floats | None]:
    """Split the column of weights off; return the rest and the weights, None where there are none or wrong ones."""
    if asked.weight is None:
        return raw, None
    if asked.weight == asked.target:
        found.append(Complaint(raw.where, f"column {asked.weight!r} is target and weight", "name another weight"))
        return raw, None
    raw, values = _taken(raw, asked.weight, "weight", found)
    if values is None:
        return raw, None
    if len(values) != len(raw.x):
        what = f"has {len(values)} values for {len(raw.x)} rows"
        found.append(Complaint(f"{raw.where}, column {asked.weight!r}", what, "give one weight for each row"))
        return raw, None
    dropped = y is not None and asked.reading.unlabelled == "drop" and len(y) == len(values)
    needed = with_target(y) if dropped else np.ones(len(values), dtype=np.bool_)
    return raw, weights_of_rows(values, needed, raw, f"{raw.where}, column {asked.weight!r}", found)


def _taken(raw: Raw, name: str, role: str, found: Complaints) -> tuple[Raw, Column | None]:
    """Split a column off; return the rest and the column, or add a complaint and return None for a missing name."""
    try:
        return take(raw, name, role)
    except DataError as error:
        found += error.complaints
        return raw, None


def _matrix(x: Any, where: str) -> Column:
    """Return X as an array (n, D); a single column may come without its axis."""
    try:
        matrix: Column = np.asarray(x)
    except ValueError as error:
        raise DataError(Complaint(where, "the rows of X differ in length", "make them equally long")) from error
    if matrix.ndim == 1 and matrix.dtype.kind != "O":
        matrix = matrix[:, None]
    if matrix.ndim != 2:
        what = f"X has {matrix.ndim} dimensions, a table has 2 (rows, columns)"
        raise DataError(Complaint(where, what, "reshape it to X.reshape(len(X), -1)"))
    if 0 in matrix.shape:
        raise DataError(Complaint(where, f"X has {matrix.shape[0]} rows and {matrix.shape[1]} columns", "add data"))
    return matrix


def _targets(y: Any, where: str) -> Column:
    try:
        plain: Column = plain_column(y) if hasattr(y, "iloc") and not is_frame(y) else np.asarray(y)
        # NumPy would quietly turn the numbers of a mixed list into texts
        return np.asarray(y, dtype=object) if isinstance(y, list) and plain.dtype.kind == "U" else plain
    except ValueError as error:
        raise DataError(Complaint(where, "the rows of y differ in length", "make them equally long")) from error
