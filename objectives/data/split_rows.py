"""The columns that a split goes by -> what a division needs to know of each row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from objectives.data.raw import Column, Complaints, gaps_in, some_rows
from objectives.data.splits import SplitRows, SplitSpec
from objectives.data.target import Target
from objectives.errors import Complaint

__all__ = ["split_rows"]

PART_NAMES = {"train": 0, "valid": 1, "validation": 1, "val": 1, "test": 2, "0": 0, "1": 1, "2": 2}


def split_rows(
    count: int, goal: Target | None, asides: dict[str, Column], split: SplitSpec, where: str, found: Complaints
) -> SplitRows | None:
    """Return what a division needs to know of `count` rows; None with what is wrong with its columns in `found`."""
    before = len(found)
    rows = SplitRows(count, goal.y if goal is not None and goal.task != "regression" else None)
    for kind, values in asides.items():
        place = f"{where}, column {getattr(split, kind)!r}"
        if (gaps := gaps_in(values)).any():
            found.append(Complaint(place, f"missing in {some_rows(gaps)}", "fill it in, or remove these rows"))
        elif kind == "column":
            rows = replace(rows, parts=_part_numbers(values, place, found))
        elif kind == "group" and any(isinstance(value, bytes) for value in values):
            found.append(Complaint(place, "holds values of type bytes", "use numbers or texts"))
        elif kind == "group":
            rows = replace(rows, groups=np.unique(_sortable(values), return_inverse=True)[1].astype(np.int64))
        else:
            rows = replace(rows, times=_times(values, place, found))
    named = [kind for kind in ("column", "group", "order") if getattr(split, kind) is not None]
    return rows if len(found) == before and set(named) <= set(asides) else None


def _part_numbers(values: Column, place: str, found: Complaints) -> npt.NDArray[np.int64] | None:
    small = values.dtype.kind == "f" and (np.abs(values) < 2**53).all()
    whole = values.astype(np.int64) if small and (values == np.floor(values)).all() else values
    numbers = np.array([PART_NAMES.get(str(value).strip().lower(), -1) for value in whole], dtype=np.int64)
    if (unknown := numbers < 0).any():
        what = f"unknown value {str(whole[unknown][0])[:40]!r} in {some_rows(unknown)}"
        found.append(Complaint(place, what, "use train, valid and test, or 0, 1 and 2"))
        return None
    return numbers


def _times(values: Column, place: str, found: Complaints) -> Column | None:
    if values.dtype.kind in "biufM":
        return values
    import pandas as pd

    try:
        return np.asarray(pd.to_datetime(pd.Series(values.tolist()), format="ISO8601", utc=True).to_numpy())
    except (ValueError, TypeError):
        what = "holds texts that are no dates of the form 2024-05-31"
        found.append(Complaint(place, what, "use numbers or such dates"))
        return None


def _sortable(values: Column) -> Column:
    return values.astype(np.str_) if values.dtype.kind == "O" else values
