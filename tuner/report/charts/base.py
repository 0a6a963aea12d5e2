"""What charts are made of: a figure with its words, axes that suit values, trials as points, and marks that link.

A chart holds two signals that a page sets in all charts at once: `marked`, the number of the trial that is pointed at,
and `focus`, the optimizer whose trials are not faded.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np

from objectives.types import Direction
from tuner.report.charts.style import AWAY, as_points, fading
from tuner.report.report_data import ReportData

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "CROSS",
    "DONE",
    "HEIGHT",
    "LABEL",
    "Axis",
    "Figure",
    "count",
    "field",
    "goal_axis",
    "goal_y",
    "join",
    "linked",
    "lost_points",
    "marked_points",
    "powers",
    "quoted",
    "sizes",
    "tooltip",
    "trial_points",
    "value_axis",
    "whole",
]

HEIGHT = 260
WIDTH = 560
FIRST = 5  # of the ranking, that no axis cuts off
MOST_TOLD = 12  # settings in a tooltip; the table has all
LOG_FROM = 5.0  # times the smallest value, from which a positive axis is logarithmic
CROSS = "M-1,-1L1,1M-1,1L1,-1"
DONE = "datum.state === 'complete'"
FAR = 0.5  # spans of the inner values, beyond which a value is drawn at the edge
ROUND = (1, 2, 3, 5, 10, 20, 30, 50, 100, 200)  # decades from tick to tick
DEEP = 12.0  # decades below the middle, beyond which good values differ by rounding alone
SQUEEZED = 0.15  # of a plain axis: with half of the values in so little of it, a logarithmic one shows them
LABEL = "replace(format(datum.value, datum.value >= 1e5 || datum.value < 1e-4 ? '.3~e' : '.6~g'), '+', '')"


@dataclass(frozen=True)
class Figure:
    """A chart with its words. `chart` is None where there is nothing to draw, and `caption` then says why."""

    name: str
    title: str
    caption: str
    chart: Any = None
    optimizers: tuple[str, ...] = ()  # that its colours tell apart: a page has a legend for them


@dataclass(frozen=True)
class Axis:
    """A scale that suits values: logarithmic or not, its ends, and how many values lie beyond them."""

    log: bool
    low: float
    high: float
    beyond: int

    def ticks(self, title: str, form: str = ".6~g") -> alt.Axis:
        """Return the ticks of a logarithmic axis: powers of ten, with halves between them where those are few."""
        if not self.log:
            return alt.Axis(title=title, format=form, tickCount=6)
        return alt.Axis(title=title, labelExpr=LABEL, values=powers(self.low, self.high))

    def scale(self) -> alt.Scale:
        """Build the Vega-Lite scale, which draws values beyond its ends at the edge."""
        return alt.Scale(type="log" if self.log else "linear", domain=[self.low, self.high], clamp=True, nice=False)

    @property
    def words(self) -> str:
        """Describe the axis for a caption; "" if there is nothing to say."""
        log = "The axis is logarithmic. " if self.log else ""
        if not self.beyond:
            return log
        are = "is" if self.beyond == 1 else "are"
        return f"{log}{count(self.beyond, 'value')} beyond the axis {are} drawn at its edge. "

    def words_of(self, values: Any) -> str:
        """Describe the axis for the caption of a chart that has only these of the values."""
        finite = np.asarray([value for value in values if value is not None and math.isfinite(value)])
        return replace(self, beyond=_beyond(finite, self.low, self.high)).words


def count(n: int, noun: str) -> str:
    """Write a number with its noun: "1 trial", "2 trials"."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def join(*sentences: str) -> str:
    """Join the sentences of a caption, without empty ones."""
    return " ".join(sentence.strip() for sentence in sentences if sentence.strip())


def value_axis(values: Any, lower_is_better: bool | None = None, far: float = FAR) -> Axis:
    """Choose an axis for values of which few may be far off: those are drawn at its edge.

    `far` is in spans of the middle 80 %. The better end is not cut, except for at most a tenth of the values that lies
    `DEEP`. The axis is logarithmic where a linear one would squeeze or cut positive values.
    """
    finite = np.sort(np.asarray([v for v in values if v is not None and math.isfinite(v)], dtype=np.float64))
    if not len(finite):
        return Axis(False, 0.0, 1.0, 0)
    finite = finite.clip(-1e300, 1e300)  # room for spans of them
    if finite[0] > 0 and _spread(finite, lower_is_better, far):
        powers_of_ten = np.log10(finite)
        low, high = _ends(powers_of_ten, lower_is_better, far)
        if lower_is_better:
            low = max(low, min(_inner(powers_of_ten)[0], float(np.median(powers_of_ten)) - DEEP))
        beyond = _beyond(powers_of_ten, low, high)
        low, high = _padded(low, high)
        if 10 ** min(high - low, 2.0) >= LOG_FROM:
            return Axis(True, float(10 ** max(low, -307.0)), float(10 ** min(high, 307.0)), beyond)
    low, high = _ends(finite, lower_is_better, far)
    beyond = _beyond(finite, low, high)
    return Axis(False, *_padded(low, high), beyond)


def powers(low: float, high: float, most: int = 7) -> list[float]:
    """Round values of a logarithmic axis: `most` powers of ten, or 1, 2 and 5 times them where those are few."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    if last - first >= 2:
        step = next(step for step in ROUND if (last - first) // step < most)
        return [float(f"1e{k}") for k in range(-(-first // step) * step, last + 1, step)]
    fine = [float(f"{m}e{k}") for k in range(first - 1, last + 1) for m in (1, 2, 5)]
    inside = [value for value in fine if low <= value <= high]
    return inside if len(inside) > 1 else [low, high]


def whole(low: int, high: int, most: int = 12) -> list[int]:
    """Round whole numbers from `low` to `high`, at most `most` of them."""
    step = next(10**k * m for k in range(18) for m in (1, 2, 5) if (high - low) // (10**k * m) < most)
    return list(range(-(-low // step) * step, high + 1, step))


def _spread(values: Any, lower_is_better: bool | None, far: float) -> bool:
    """Return True if positive values need a logarithmic axis: a linear one would cut or squeeze them."""
    middle = float(np.median(values))
    if lower_is_better is False:
        return bool(_inner(values)[1] >= LOG_FROM * middle)
    high = _ends(values, lower_is_better, far)[1]
    lost = values[-1] > high or middle - values[0] < SQUEEZED * (high - values[0])
    return bool((values[-1] if lost else values[int(0.9 * (len(values) - 1))]) >= LOG_FROM * values[0])


def _beyond(values: Any, low: float, high: float) -> int:
    """Count the values outside of the ends."""
    return int(((values < low) | (values > high)).sum())


def _inner(values: Any) -> tuple[float, float]:
    """Return the ends of the middle 80 % of sorted values."""
    return float(values[int(0.1 * (len(values) - 1))]), float(values[math.ceil(0.9 * (len(values) - 1))])


def _ends(values: Any, lower_is_better: bool | None, far: float) -> tuple[float, float]:
    inner = _inner(values)
    reach = far * (inner[1] - inner[0])
    low, high = max(float(values[0]), inner[0] - reach), min(float(values[-1]), inner[1] + reach)
    if lower_is_better is True:
        low = float(values[0])
    if lower_is_better is False:
        high = float(values[-1])
    return low, high


def _padded(low: float, high: float) -> tuple[float, float]:
    """Widen both ends a little, and more where they coincide."""
    with np.errstate(over="ignore"):
        span = high - low
    room = 0.04 * span if 0 < span < math.inf else abs(low) * 0.05 or 1e-3
    return max(low - room, -1e308), min(high + room, 1e308)


def goal_axis(frames: ReportData) -> Axis:
    """Choose the axis of the goal, the same in every chart of trials; the first of the ranking are never cut off."""
    values = frames.trials["value"]
    axis = value_axis(values, frames.study.direction == Direction.MINIMIZE)
    leading = [trial.value for trial in frames.leaders[:FIRST] if trial.value is not None]
    leading += [standing.search_value for standing in frames.found.standings[:FIRST]]
    return _reaching(axis, [value for value in leading if math.isfinite(value)], values)


def _reaching(axis: Axis, kept: Sequence[float], values: Any) -> Axis:
    """Return the axis, longer where it has to be for values that are to lie on it."""
    kept = [value for value in kept if not axis.log or value > 0]
    low, high = min([axis.low, *kept]), max([axis.high, *kept])
    if (low, high) == (axis.low, axis.high):
        return axis
    finite = np.asarray([value for value in values if value is not None and math.isfinite(value)])
    return replace(axis, low=low, high=high, beyond=_beyond(finite, low, high))


def field(name: str) -> str:
    """Escape a column's name where Vega-Lite would read dots and brackets as a path."""
    return "".join(f"\\{char}" if char in ".[]\\'\"" else char for char in name)


def quoted(text: str) -> str:
    """Quote a text as a literal of a Vega expression."""
    return json.dumps(text)


def tooltip(frames: ReportData, *more: alt.Tooltip) -> list[alt.Tooltip]:
    """Build a trial's tooltip: its number, its value and the first of its searched settings."""
    first = [
        alt.Tooltip(field="trial", type="quantitative", title="trial"),
        alt.Tooltip(field="state", type="nominal", title="state"),
        alt.Tooltip(field="value", type="quantitative", title=frames.study.metric, format=".4~g"),
        alt.Tooltip(field="epoch", type="quantitative", title="best epoch"),
        alt.Tooltip(field="optimizer", type="nominal", title="optimizer"),
    ]
    told = [name for name in frames.searched if name != "optimizer"][:MOST_TOLD]
    return [*first, *more, *(hyper_tooltip(frames, name) for name in told)]


def hyper_tooltip(frames: ReportData, name: str) -> alt.Tooltip:
    """Build the tooltip line of one setting."""
    if frames.trials[name].dtype.kind == "f":
        return alt.Tooltip(field=field(name), type="quantitative", title=name, format=".4~g")
    return alt.Tooltip(field=field(name), type="nominal", title=name)


def trial_points(frames: ReportData, data: pd.DataFrame, x: Any, axis: Axis, shown: Sequence[str]) -> Any:
    """Draw trials that have a value: complete ones filled, pruned ones small and faint, the winner over all of them."""
    winner = frames.best.trial if frames.best else -1
    return (
        alt.Chart(data)
        .transform_filter("isValid(datum.value)")
        .transform_calculate(front=f"datum.trial === {winner} ? 1 : 0")
        .mark_point(filled=True)
        .encode(
            x=x,
            y=goal_y(frames, axis),
            order=alt.Order(field="front", type="quantitative"),
            **as_points(frames, shown),
            size=alt.SizeValue(sizes(frames)[0], condition={"test": DONE, "value": sizes(frames)[1]}),
            opacity=alt.OpacityValue(0.45, condition=[{"test": AWAY, "value": 0.06}, {"test": DONE, "value": 0.95}]),
            tooltip=tooltip(frames),
        )
    )


def sizes(frames: ReportData) -> tuple[int, int]:
    """Return the areas of pruned and of complete trials' points: small where there are so many that they would
    overlap.
    """
    trials = len(frames.trials)
    return (22, 60) if trials <= 500 else (14, 30) if trials <= 2500 else (6, 10)


def goal_y(frames: ReportData, axis: Axis, title: str | None = None) -> alt.Y:
    """Encode the goal on the y axis."""
    return alt.Y(
        field="value",
        type="quantitative",
        scale=axis.scale(),
        axis=axis.ticks(title or frames.study.metric),
    )


def lost_points(frames: ReportData, data: pd.DataFrame, x: Any) -> Any:
    """Draw diverged and failed trials, which have no value, as crosses at the edge of bad values."""
    edge = 4 if frames.study.direction == Direction.MINIMIZE else alt.expr("height - 4")
    return (
        alt.Chart(data)
        .transform_filter("datum.state === 'diverged' || datum.state === 'failed'")
        .mark_point(
            shape=CROSS, style="bad", filled=False, size=44 if len(frames.trials) <= 2500 else 16, strokeWidth=1.8
        )
        .encode(x=x, y=alt.value(edge), opacity=fading(0.75), tooltip=tooltip(frames))
    )


def marked_points(frames: ReportData, data: pd.DataFrame, x: Any, axis: Axis) -> Any:
    """Draw a ring around the trial under the pointer, in this chart or another."""
    return (
        alt.Chart(data)
        .transform_filter("datum.trial === marked && isValid(datum.value)")
        .mark_point(style="marked", size=190, opacity=1)
        .encode(x=x, y=goal_y(frames, axis))
    )


def linked(layers: Sequence[alt.Chart], title: str, height: int = HEIGHT) -> Any:
    """Layer charts to one whose points a page can highlight."""
    signals = [alt.VariableParameter(name="marked", value=-1), alt.VariableParameter(name="focus", value="")]
    return alt.layer(*layers, params=signals, title=title, width=WIDTH, height=height)
