"""A target as its owner wrote it -> values to encode: texts as they stand, numbers in disguise, rows without any."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from objectives.data.columns.categories import folded
from objectives.data.columns.kinds import SLIPS
from objectives.data.columns.numbers import mixed_units, style_of
from objectives.data.files.dialect import Dialect
from objectives.data.raw import Complaints, Raw, first_lines, gaps_in, is_frame, some_rows
from objectives.errors import Complaint
from objectives.types import Array

__all__ = ["labelled", "target_of", "with_target", "with_texts"]


def with_texts(raw: Raw) -> Raw:
    """Return columns of texts as they stand in their file: pandas takes "NA" and "None" in them for gaps."""
    if raw.text is None or not is_frame(raw.x):
        return raw
    frame: Any = raw.x
    places = [i for i in range(frame.shape[1]) if _has_texts(frame.iloc[:, i])]
    wanted = [raw.features[i] for i in places]
    if not wanted:
        return replace(raw, text=None)
    texts = raw.text(wanted)
    columns = {name: texts[name].replace("", None).astype(object) for name in wanted}
    return replace(raw, x=frame.assign(**columns), text=None)


def _has_texts(column: Any) -> bool:
    """Return True for a column of texts with gaps, by its first ones."""
    if column.dtype.kind in "biufM" or not column.isna().any():
        return False
    first = column.dropna().head(100)
    return not len(first) or all(isinstance(value, str) for value in first)


def target_of(values: Any, task: str | None, dialect: Dialect, where: str, found: Complaints) -> tuple[Any, list[str]]:
    """Return a target `(n,)` of texts as the numbers or classes that it means, and sentences on that."""
    column: Array = np.asarray(values)
    if column.ndim != 1 or column.dtype.kind not in "OU":
        return values, []
    column = column.astype(object)
    gaps = gaps_in(column)
    if not all(isinstance(value, str) for value in column[~gaps]):
        return values, []
    gaps |= column == ""
    texts = [str(text) for text in dict.fromkeys(column[~gaps])]
    if task not in ("binary", "multiclass") and (made := _numbers(column, texts, dialect, where, found)):
        return made
    label = where.rpartition(", ")[2]
    plain, _, said = folded(column, ~gaps, f"target, {label}")
    return _with_gaps(plain, gaps), said


def _with_gaps(values: Array, gaps: npt.NDArray[np.bool_]) -> Array:
    found = values.copy()
    found[gaps] = None
    return found


def _numbers(
    column: Array, texts: list[str], dialect: Dialect, where: str, found: Complaints
) -> tuple[Array, list[str]] | None:
    rest = [text for text in texts if not dialect.is_gap(text)]
    best = style_of(rest, dialect.decimal or ".", 0.5) if rest else None
    if best is None:
        return None
    style, wrong = best
    if wrong:
        slips = np.isin(column, wrong)
        if slips.sum() <= (1 - SLIPS) * len(column):
            what = f"{wrong[0][:40]!r} in {some_rows(slips)}, where all others are numbers"
            found.append(Complaint(where, what, "correct it, or remove these rows"))
        return None
    known = {text: style.read(text) for text in rest}
    numbers = np.array([known.get(value, np.nan) for value in column], dtype=np.float64)
    marks = [text for text in texts if text not in known]
    said = [f"target: texts are numbers, {rest[0]!r} is {known[rest[0]]:g}"]
    said += [f"target: {one}" for one in mixed_units(known)]
    said += [f"target: {first_lines(map(repr, marks), 3)} stand for gaps"] if marks else []
    return numbers, said


def with_target(y: Any) -> npt.NDArray[np.bool_]:
    """Return the mask `(n,)` of rows that have a target."""
    values: Array = np.asarray(y)
    return np.asarray(~gaps_in(values).reshape(len(values), -1).any(axis=1))


def labelled(raw: Raw, y: Any) -> tuple[Raw, Any]:
    """Return the rows that have a target, and a sentence on the others."""
    values, kept = np.asarray(y), with_target(y)
    if kept.all():
        return raw, y
    what = f"{(~kept).sum()} of {len(kept)} rows have no target: left out, as data.unlabelled says"
    x: Any = raw.x.iloc[np.flatnonzero(kept)].reset_index(drop=True) if is_frame(raw.x) else raw.x[kept]  # type: ignore[union-attr]
    extra = {name: column[kept] if len(column) == len(kept) else column for name, column in raw.extra.items()}
    return replace(raw, x=x, extra=extra, notes=(*raw.notes, what)), values[kept]
