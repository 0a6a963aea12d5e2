"""Names at the ends of lines, for charts of more lines than there are colours: a column of them, none over another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import altair as alt

from tuner.report.charts.axes import Axis
from tuner.report.charts.style import colour, fading
from tuner.report.report_data import ReportData

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["line_names", "name_height", "room_for_names", "spread_out"]

ROOM, GAP = 132, 6  # pixels for the names, and before each
LINE = 13  # pixels from name to name
FRAME = 70  # pixels of a chart that its axis and legend take


def name_height(names: int, least: int) -> int:
    """Return the height of a chart with so many names beside it."""
    return max(least, LINE * (names + 1) + FRAME)


def room_for_names() -> list[Any]:
    """Return the range of an x axis that leaves room for the names on the right."""
    return [0, alt.expr(f"width - {ROOM}")]


def line_names(frames: ReportData, ends: pd.DataFrame, x: Any, axis: Axis, shown: Sequence[str]) -> list[Any]:
    """Draw the optimizers' names in a column, each joined with the last point of its line: optimizer, trials, value."""
    shares = [share_of(axis, float(value)) for value in ends["value"]]
    places = spread_out(shares, 1 / (len(ends) + 1))
    base = alt.Chart(ends.assign(at=[value_at(axis, place) for place in places]))
    y = alt.Y(field="value", type="quantitative", scale=axis.scale())
    at = alt.Y(field="at", type="quantitative", scale=axis.scale())
    join = base.mark_rule(strokeWidth=0.8, strokeDash=[2, 2]).encode(
        x=x, x2=alt.value(alt.expr(f"width - {ROOM - GAP}")), y=y, y2="at", color=colour(frames, shown)
    )
    text = base.mark_text(style="note", align="left", baseline="middle").encode(
        x=alt.value(alt.expr(f"width - {ROOM - 2 * GAP}")), y=at, text="optimizer:N"
    )
    return [join.encode(opacity=fading(0.8)), text.encode(opacity=fading(1))]


def spread_out(places: Sequence[float], gap: float) -> list[float]:
    """Move places in [0, 1] apart until neighbours have a gap, in their order: a pass upwards, and one down again."""
    order = sorted(range(len(places)), key=places.__getitem__)
    moved = list(places)
    for lower, upper in pairwise(order):
        moved[upper] = max(moved[upper], moved[lower] + gap)
    limit = 1.0
    for one in reversed(order):
        moved[one] = min(moved[one], limit)
        limit = moved[one] - gap
    return moved


def share_of(axis: Axis, value: float) -> float:
    """Return where a value lies on an axis, from 0 to 1; what lies beyond is at an end."""
    value = min(max(value, axis.low), axis.high)
    if axis.log:
        return math.log(value / axis.low) / math.log(axis.high / axis.low)
    return (value - axis.low) / (axis.high - axis.low)


def value_at(axis: Axis, share: float) -> float:
    """Return the value at a share of an axis."""
    if axis.log:
        return float(axis.low * (axis.high / axis.low) ** share)
    return axis.low + share * (axis.high - axis.low)
