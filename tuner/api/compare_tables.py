"""Compare two tables of trials, made on different machines: the same configs, and values as near as they should be."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from objectives.errors import Complaint
from tuner.errors import StudyError
from tuner.study import text_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TableDifference", "differing", "read_table"]

# What follows from the other columns, or is of the machine.
APART = ("rank", "tie", "se", "seconds")


@dataclass(frozen=True)
class TableDifference:
    """One cell that differs; `relative` is |a - b| / max(|a|, |b|), None where it is no number."""

    trial: int
    column: str
    a: Any
    b: Any
    relative: float | None


def read_table(path: Path) -> pd.DataFrame:
    """Read a csv or parquet table that `tuner export` or a run wrote. Raises StudyError where it is none."""
    import pandas as pd

    try:
        table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except (OSError, ValueError, ImportError) as error:
        raise StudyError(Complaint(str(path), f"cannot be read: {str(error).splitlines()[0]}", "name a csv")) from error
    if "trial" not in table.columns or table["trial"].duplicated().any():
        raise StudyError(Complaint(str(path), "is no table of trials", "make one with `tuner export NAME -o FILE.csv`"))
    return table


def differing(a: pd.DataFrame, b: pd.DataFrame, rtol: float) -> tuple[list[TableDifference], int, float]:
    """List cells that differ by more than `rtol`; also return the number of trials and the largest difference within.

    Ranks, ties and seconds are left out. A trial or a column that only one table has differs.
    """
    first, second = a.set_index("trial"), b.set_index("trial")
    names = [name for name in dict.fromkeys([*first.columns, *second.columns]) if name not in APART]
    trials = sorted({*map(int, first.index), *map(int, second.index)})
    found: list[TableDifference] = []
    for trial in trials:
        here, there = ("there" if trial in table.index else "missing" for table in (first, second))
        if here != there:
            found.append(TableDifference(trial, "trial", here, there, None))
    both = [trial for trial in trials if trial in first.index and trial in second.index]
    largest = 0.0
    columns = [[_cells(table, name, both) for table in (first, second)] for name in names]
    for name, (left, right) in zip(names, columns, strict=True):
        for trial, x, y in zip(both, left, right, strict=True):
            relative = _apart(x, y)
            if relative is None or relative > rtol:
                found.append(TableDifference(trial, name, x, y, relative))
            else:
                largest = max(largest, relative)
    return sorted(found, key=lambda d: d.trial), len(trials), largest


def _cells(table: pd.DataFrame, name: str, trials: list[int]) -> list[Any]:
    if name not in table.columns:
        return [None] * len(trials)
    column = table.loc[trials, name]
    return [None if missing else _cell(value) for value, missing in zip(column, column.isna(), strict=True)]


def _cell(value: Any) -> Any:
    """Convert a cell as a file would return it: numbers as floats, everything else as text."""
    text = text_of(value.item() if hasattr(value, "item") else value)
    try:
        return float(text)
    except ValueError:
        return text.lower() if text in ("True", "False") else text


def _apart(x: Any, y: Any) -> float | None:
    """Return the relative distance of two cells; None where they differ and cannot be compared."""
    if isinstance(x, float) and isinstance(y, float):
        if x == y:
            return 0.0
        scale = max(abs(x), abs(y))
        return abs(x - y) / scale if math.isfinite(scale) else None
    return 0.0 if x == y else None
