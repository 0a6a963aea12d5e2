"""What a table was understood as, a line for each of its columns: kind, gaps, different values, and what is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from objectives.data.features import Features
from objectives.data.preparation import MISSING
from objectives.data.raw import Raw, gaps_in, is_frame, plain_column

__all__ = ["ColumnView", "overview_of"]

FIRST = 3  # rows that are shown


@dataclass(frozen=True)
class ColumnView:
    """A column of the source: what it is, how many values are missing and different, what becomes of it, first rows."""

    name: str
    kind: str
    gaps: int
    distinct: int
    use: str
    first: tuple[str, ...]


def overview_of(raw: Raw, features: Features, target: str, weight: str | None, values: Any) -> tuple[ColumnView, ...]:
    """Return a view of each column of a source, and of its target; arrays have too many alike to be shown."""
    if not is_frame(raw.x):
        return ()
    frame: Any = raw.x
    views = []
    for i, name in enumerate(raw.features):
        column = plain_column(frame.iloc[:, i])
        if name == target:
            views.append(_view(name, "target", np.asarray(values), "predicted"))
        elif name == weight:
            views.append(_view(name, "number", column, "weight of the row"))
        elif name in features.columns:
            views.append(_of_feature(name, features))
        else:
            views.append(_view(name, _kind_aside(name, features), column, _use_aside(name, features)))
    return tuple(views)


def _of_feature(name: str, features: Features) -> ColumnView:
    column, parts = features.columns[name], [own for own, rule in features.rules.items() if rule.of == name]
    if name in features.texts:
        distinct = len(set(column.tolist()))
        known = np.array([None if text == MISSING else text for text in column.tolist()], dtype=object)
        return _view(name, "category", known, f"one-hot, {distinct} input{'s' if distinct > 1 else ''}")
    kind = "date" if name in features.dates else "number"
    further = "".join(f", {own.removeprefix(name).strip()} one-hot" for own in parts)
    use = ("days" if kind == "date" else "standardised") + further
    filled = ", gaps are the median" if len(column) and np.isnan(column).any() else ""
    shown = _days(column) if kind == "date" else column
    return _view(name, kind, shown, use + filled)


def _days(column: Any) -> Any:
    seconds = np.where(np.isnan(column), 0, column) * 86400
    dates = np.datetime64(0, "s") + seconds.astype("timedelta64[s]")
    return np.where(np.isnan(column), np.datetime64("NaT"), dates)


def _kind_aside(name: str, features: Features) -> str:
    return "date" if any(rule.of == name for rule in features.rules.values()) else "-"


def _use_aside(name: str, features: Features) -> str:
    parts = [own for own, rule in features.rules.items() if rule.of == name]
    if parts:
        return ", ".join(f"{own.removeprefix(name).strip()} one-hot" for own in parts)
    return "left out" if any(f"column {name!r}" in note for note in features.notes) else "no input"


def _view(name: str, kind: str, column: Any, use: str) -> ColumnView:
    column = column if column.ndim == 1 else column[:, 0]
    gaps = gaps_in(column)
    there = column[~gaps]
    distinct = len(set(there.tolist())) if column.dtype.kind in "OU" else len(np.unique(there))
    return ColumnView(name, kind, int(gaps.sum()), distinct, use, tuple(_shown(value) for value in column[:FIRST]))


def _shown(value: Any) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, float | np.floating):
        return f"{value:.6g}"
    return str(value).removesuffix("T00:00:00").replace("\n", " ")
