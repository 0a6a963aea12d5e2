"""Frames on their way into a page: as rows for a chart that stands alone, as columns for a page that shares them.

JSON in a page is text inside a script element: `script_json` lets nothing end that element early, and writes the same
bytes for the same content.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Kept", "cells", "columns_of", "inlined", "placed", "plain", "rows_of", "script_json"]

# What could end a script element or a line of script, or hide and reorder what stands there.
RISKY = re.compile("[<>&\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def plain(value: Any) -> Any:
    """Convert a cell to its JSON value: None for missing or infinite numbers; lone surrogates, which UTF-8 lacks,
    replaced.
    """
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode("utf-8")
    if value is None or isinstance(value, bool | int):
        return value
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | bool | int) else None if _missing(value) else str(value)


def _missing(value: Any) -> bool:
    import pandas as pd

    return value is pd.NA or value is pd.NaT


def cells(column: pd.Series[Any], digits: int | None = None) -> list[Any]:
    """Convert a column's cells to JSON values, floats to so many digits."""
    values = [plain(value) for value in column.tolist()]
    if digits is None:
        return values
    return [float(f"{value:.{digits}g}") if isinstance(value, float) else value for value in values]


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Convert a frame to a list of rows."""
    columns = {str(name): cells(frame[name]) for name in frame.columns}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def columns_of(frame: pd.DataFrame, digits: int | None = None) -> dict[str, Any]:
    """Convert a frame to compact columns: `all` holds what every row shares, `coded` texts by number, `lists` the
    rest. Floats have so many digits, or all that they have.
    """
    shared: dict[str, Any] = {}
    coded: dict[str, Any] = {}
    lists: dict[str, Any] = {}
    for name in map(str, frame.columns):
        values = cells(frame[name], digits)
        kinds = list(dict.fromkeys(values))
        if len(kinds) == 1 and len(values) > 1:
            shared[name] = kinds[0]
        elif values and all(isinstance(kind, str | bool | None) for kind in kinds):
            at = {kind: i for i, kind in enumerate(kinds)}
            coded[name] = [kinds, [at[value] for value in values]]
        else:
            lists[name] = values
    return {"rows": len(frame), "names": list(map(str, frame.columns)), "all": shared, "coded": coded, "lists": lists}


def placed(chart: Any, provide: Callable[[pd.DataFrame], Any]) -> Any:
    """Replace each frame in a chart and its layers by what `provide` makes of the frame."""
    import pandas as pd

    chart = chart.copy(deep=False)
    if isinstance(getattr(chart, "data", None), pd.DataFrame):
        chart.data = provide(chart.data)
    for parts in ("layer", "hconcat", "vconcat", "concat"):
        if parts in chart._kwds and isinstance(chart[parts], list):
            chart[parts] = [placed(part, provide) for part in chart[parts]]
    return chart


def inlined(chart: Any) -> Any:
    """Put a chart's data inside it, so that it needs no transformer and has no limit on rows."""
    import altair as alt

    return placed(chart, lambda frame: alt.InlineData(values=rows_of(frame)))


class Kept:
    """Frames that charts share, each under one name: `first` is "trials"."""

    def __init__(self, first: pd.DataFrame) -> None:
        self.frames: dict[str, pd.DataFrame] = {"trials": first}

    def specification(self, chart: Any) -> tuple[dict[str, Any], list[str]]:
        """Convert a chart to Vega-Lite that names its data; return it with the names."""
        import altair as alt

        used: list[str] = []

        def named(frame: pd.DataFrame) -> Any:
            name = next((known for known, kept in self.frames.items() if kept is frame), f"frame{len(self.frames)}")
            self.frames[name] = frame
            used.append(name)
            return alt.NamedData(name=name)

        document: dict[str, Any] = placed(chart, named).to_dict(validate=False)
        return document, sorted(set(used))


def script_json(value: Any) -> str:
    """Write JSON that is safe inside a script element, whatever its texts contain."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    text = RISKY.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
