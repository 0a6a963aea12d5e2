"""What a source hands over, before anything is decided: columns as they were found, and where they came from.

Every source (file, array, built-in set, user function) becomes one `Raw`; `table.py` alone turns a `Raw` into a
`Table`. Rows in messages count from 1 and do not count a header; columns of arrays are named x0, x1, ...
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from objectives.data.files.dialect import ASKED, Dialect
from objectives.data.matrix import column_of
from objectives.errors import Complaint, DataError, nearest

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Column",
    "Complaints",
    "Raw",
    "column_complaints",
    "first_lines",
    "gaps_in",
    "is_frame",
    "plain_column",
    "some_rows",
    "take",
]

Column = npt.NDArray[Any]
Complaints = list[Complaint]


@dataclass(frozen=True, eq=False)
class Raw:
    """Columns as found: `x` (n, D), a frame or an array; `y` (n,) or (n, C), or None while it is a column of `x`."""

    where: str
    x: pd.DataFrame | Column
    features: tuple[str, ...]
    y: Any = None
    classes: tuple[str, ...] = ()  # names of the codes in y, where the source knows them
    extra: Mapping[str, Column] = field(default_factory=dict)  # named arrays beside X and y
    notes: tuple[str, ...] = ()
    kept: tuple[int, ...] | None = None  # which columns of an array the features are; all of them where None
    dialect: Dialect = ASKED  # how a text file is written
    line: int = 0  # of the first row in a text file, where each row is a line; 0 elsewhere
    taken: tuple[str, ...] = ()  # columns that were split off
    text: Callable[[Sequence[str]], pd.DataFrame] | None = None  # reads columns of a text file as they stand there


def is_frame(value: object) -> bool:
    """Return True for a pandas DataFrame, without importing pandas."""
    return hasattr(value, "columns") and hasattr(value, "iloc")


def take(raw: Raw, name: str | int, role: str) -> tuple[Raw, Column]:
    """Split the column `name` (a name or a position) off `raw`; return the rest and the column (n,).

    Raises DataError when there is no such column.
    """
    if isinstance(name, str) and name in raw.extra:
        return raw, raw.extra[name]
    position = _position(raw, name, role)
    raw = replace(raw, taken=(*raw.taken, raw.features[position]))
    features = raw.features[:position] + raw.features[position + 1 :]
    if isinstance(raw.x, np.ndarray):
        of = tuple(range(raw.x.shape[1])) if raw.kept is None else raw.kept
        return replace(raw, kept=of[:position] + of[position + 1 :], features=features), column_of(raw.x, of[position])
    kept = [i for i in range(len(raw.features)) if i != position]
    return replace(raw, x=raw.x.iloc[:, kept], features=features), plain_column(raw.x.iloc[:, position])


def some_rows(mask: npt.NDArray[np.bool_], line: int = 0) -> str:
    """Name the first rows where `mask` (n,) holds: "rows 3, 8 and 12 more".

    Where the first row stands in a `line` of a file, the first one's line is named too, as editors count them.
    """
    rows = np.flatnonzero(mask) + 1
    shown = ", ".join(map(str, rows[:5]))
    more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
    place = f" (line {line + rows[0] - 1} of the file{', the first' if len(rows) > 1 else ''})" if line else ""
    return f"row{'s' if len(rows) > 1 else ''} {shown}{more}{place}"


def _position(raw: Raw, name: str | int, role: str) -> int:
    width = len(raw.features)
    if isinstance(name, str) and name in raw.features:
        return raw.features.index(name)
    if isinstance(name, int) and -width <= name < width:
        return name % width
    if isinstance(name, int):
        raise DataError(Complaint(raw.where, f"{role} is column {name}, but there are {width}", _range_hint(width)))
    hint = nearest(name, [*raw.features, *raw.extra])
    raise DataError(Complaint(raw.where, f"no column {name!r} for the {role}", hint))


def _range_hint(width: int) -> str:
    return f"columns count from 0 to {width - 1}; -1 is the last"


def plain_column(series: Any) -> Column:
    """Convert a pandas column (n,) to an array of bool, number, date or object, with NaN, NaT or None for gaps."""
    if isinstance(series.dtype, np.dtype) and series.dtype.kind in "biufcmM":
        numbers: Column = series.to_numpy()
        return numbers
    import pandas as pd

    if isinstance(series.dtype, pd.CategoricalDtype) or not isinstance(series.dtype, np.dtype):
        series = pd.Series(series.to_numpy(dtype=object, na_value=None), dtype=object)
    values: Column = series.infer_objects().to_numpy()
    if values.dtype.kind in "biufcmM":
        return values
    objects: Column = series.to_numpy(dtype=object)
    return objects


def gaps_in(column: Column) -> npt.NDArray[np.bool_]:
    """Return the mask of missing values, in the shape of `column`: NaN, NaT, None or an empty text."""
    if column.dtype.kind == "O":
        import pandas as pd

        return np.asarray(pd.isna(column), dtype=np.bool_)
    if column.dtype.kind in "fcmM":
        return np.asarray(column != column)
    return np.asarray(column == "") if column.dtype.kind == "U" else np.zeros(column.shape, dtype=np.bool_)


def column_complaints(names: list[str], where: str) -> list[Complaint]:
    """Return one complaint for each name that occurs more than once."""
    counts = Counter(names)
    return [
        Complaint(f"{where}, column {name!r}", f"occurs {counts[name]} times", "rename or remove one")
        for name in sorted(name for name in counts if counts[name] > 1)
    ]


def first_lines(lines: Iterable[str], most: int = 5) -> str:
    """Join the first few texts with commas and count the rest."""
    texts = list(lines)
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more
