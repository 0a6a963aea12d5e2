"""What charts are made of: a figure with its words, axes that suit values, trials as points, and marks that link.

A chart holds two signals that a page sets in all charts at once: `marked`, the number of the trial that is pointed at,
and `focus`, the optimizer whose trials are not faded.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import altair as alt

from objectives.types import Direction
from tuner.report.charts.axes import Axis, reaching, value_axis
from tuner.report.charts.style import AWAY, as_points, fading
from tuner.report.report_data import ReportData

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "ARROWS",
    "CROSS",
    "DONE",
    "FIRST",
    "HEIGHT",
    "Figure",
    "arrow_sizes",
    "count",
    "field",
    "goal_axis",
    "goal_y",
    "join",
    "linked",
    "lost_points",
    "marked_points",
    "pointing",
    "quoted",
    "sizes",
    "tooltip",
    "trial_points",
]

HEIGHT = 260
WIDTH = 560
ALIKE = 2 / 3  # of the axis of all trials, from which those of a part have it too
FIRST = 5  # of the ranking, that no axis cuts off
MOST_TOLD = 12  # settings in a tooltip; the table has all
ARROW = 90  # its area
ARROWS = {
    "up": "M0,-1L0.8,0H0.3V1H-0.3V0H-0.8Z",
    "down": "M0,1L0.8,0H0.3V-1H-0.3V0H-0.8Z",
}
CROSS = "M-1,-1L1,1M-1,1L1,-1"
DONE = "datum.state === 'complete'"


@dataclass(frozen=True)
class Figure:
    """A chart with its words. `chart` is None where there is nothing to draw, and `caption` then says why."""

    name: str
    title: str
    caption: str
    chart: Any = None
    optimizers: tuple[str, ...] = ()  # that its colours tell apart: a page has a legend for them


def count(n: int, noun: str) -> str:
    """Write a number with its noun: "1 trial", "2 trials"."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def join(*sentences: str) -> str:
    """Join the sentences of a caption, without empty ones."""
    return " ".join(sentence.strip() for sentence in sentences if sentence.strip())


def goal_axis(frames: ReportData, among: Collection[int] | None = None) -> Axis:
    """Choose the axis of the goal for a chart of all trials, or of those `among` them.

    It is the same for all charts, unless a part of the trials would leave a third of it empty. It does not cut off the
    first of the ranking that the chart draws.
    """
    minimize = frames.study.direction == Direction.MINIMIZE
    axis = value_axis(frames.trials["value"], minimize)
    first = {t.number: t.value for t in frames.leaders[:FIRST]}
    first |= {standing.trial: standing.search_value for standing in frames.found.standings[:FIRST]}
    leading = [value for number, value in first.items() if value is not None and (among is None or number in among)]
    drawn = frames.trials if among is None else frames.trials[frames.trials["trial"].isin(list(among))]
    own = value_axis(drawn["value"], minimize)
    alike = own.log == axis.log and own.length > ALIKE * axis.length
    return reaching(axis if alike else own, leading, drawn["value"])


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
            **pointing(axis, as_points(frames, shown)),
            size=alt.SizeValue(
                sizes(frames)[0],
                condition=[*arrow_sizes(axis), {"test": DONE, "value": sizes(frames)[1]}],
            ),
            opacity=alt.OpacityValue(0.45, condition=[{"test": AWAY, "value": 0.06}, {"test": DONE, "value": 0.95}]),
            tooltip=tooltip(frames),
        )
    )


def pointing(axis: Axis, looks: Mapping[str, Any]) -> dict[str, Any]:
    """Return the looks of points with arrows for those that an axis draws at its edge."""
    turned = [{"test": test, "value": ARROWS[way]} for way, test in beyond_tests(axis).items()]
    if not turned:
        return dict(looks)
    shape = looks.get("shape")
    if shape is None:
        return {**looks, "shape": alt.ShapeValue("circle", condition=turned)}
    keywords = {name: value for name, value in shape._kwds.items() if value is not alt.Undefined}
    return {**looks, "shape": alt.Shape(**keywords | {"condition": turned})}


def arrow_sizes(axis: Axis) -> list[dict[str, Any]]:
    """Return the conditions of a size that make arrows large enough to be told from points."""
    return [{"test": test, "value": ARROW} for test in beyond_tests(axis).values()]


def beyond_tests(axis: Axis) -> dict[str, str]:
    """Return, for each end that cuts values off, the expression that is true for those."""
    tests = {"up": f"datum.value > {json.dumps(axis.high)}"} if axis.above else {}
    return tests | ({"down": f"isValid(datum.value) && datum.value < {json.dumps(axis.low)}"} if axis.below else {})


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
        axis=axis.upright(title or frames.study.metric),
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
