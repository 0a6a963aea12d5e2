"""The leading curves of several studies, a figure each, at the same axes: what is higher in one is higher in all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import altair as alt

from objectives.types import Direction
from tuner.report.charts.axes import Axis, value_axis
from tuner.report.charts.base import Figure, count, join, linked
from tuner.report.charts.curves import BOLD, FAR, epoch_axis, value_y
from tuner.report.charts.style import dashes_of
from tuner.report.report_data import ReportData

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["leading_curves"]

WIDTH, HEIGHT = 400, 240  # as wide as a telephone, so that letters keep their size there


def leading_curves(studies: Sequence[ReportData]) -> list[Figure]:
    """Draw the best curves of each study, the winner thick; the axes are shared where all have the same goal."""
    import pandas as pd

    data = [leaders_of(frames) for frames in studies]
    goals = {(frames.study.metric, frames.study.direction) for frames in studies}
    together = pd.concat(data, ignore_index=True)
    names = tuple(dict.fromkeys(name for frames in studies for name in frames.optimizers))
    drawn = tuple(name for name in names if name in set(together["optimizer"]))
    shared = reaching_axis(studies[0], together) if len(goals) == 1 else None
    own = [
        one_study(frames, part, together if shared else part, shared or reaching_axis(frames, part), drawn)
        for frames, part in zip(studies, data, strict=True)
    ]
    return [replace(figure, name=f"leading-{number}") for number, figure in enumerate(own)]


def leaders_of(frames: ReportData) -> pd.DataFrame:
    """Return the curves of the best trials; see `ReportData.curves`."""
    first = [] if frames.best is None else [frames.best.trial]
    numbers = list(dict.fromkeys([*first, *(trial.number for trial in frames.leaders)]))[:BOLD]
    data = frames.curves(numbers, [frames.study.metric])
    return data.assign(winner=[number in first for number in data["trial"]])


def reaching_axis(frames: ReportData, data: pd.DataFrame) -> Axis:
    """Choose the axis of the goal for some curves."""
    return value_axis(data["value"], frames.study.direction == Direction.MINIMIZE, FAR)


def one_study(frames: ReportData, data: pd.DataFrame, reach: pd.DataFrame, axis: Axis, names: Sequence[str]) -> Figure:
    """Draw the curves of one study over as many epochs as `reach` has; `names` are the optimizers of all studies."""
    title = f"{frames.study.name}: {frames.study.metric} after each epoch"
    if data["value"].isna().all() or data["epoch"].max() < 2:
        return Figure("leading", title, "Its trials have no learning curves.")
    shown = [name for name in names if name in set(data["optimizer"])]
    base = alt.Chart(data).encode(x=epoch_axis(reach), y=value_y(axis, frames.study.metric), detail="trial:Q")
    lines = base.encode(**looks(names, shown))
    layers = [
        lines.transform_filter("!datum.winner").mark_line(strokeWidth=1.4),
        lines.transform_filter("datum.winner").mark_line(strokeWidth=3.2),
    ]
    caption = join(
        f"The best {count(data['trial'].nunique(), 'trial')}, the winner thick.", axis.of(data["value"]).words
    )
    chart = linked(layers, title, HEIGHT)
    chart.width = WIDTH
    return Figure("leading", title, caption, chart, tuple(shown))


def looks(names: Sequence[str], shown: Sequence[str]) -> dict[str, Any]:
    """Encode optimizers by colour, and by dash where there are more than colours, with a legend of those shown."""
    if not names:
        return {}
    legend = alt.Legend(title=None, columns=3, values=list(shown), symbolType="stroke", symbolSize=500, symbolOpacity=1)
    dashes = alt.Scale(domain=list(names), range=[list(dash) for dash in dashes_of(len(names))])
    colours = alt.Scale(domain=list(names), range="category")
    return {
        "color": alt.Color(field="optimizer", type="nominal", scale=colours, legend=legend),
        "strokeDash": alt.StrokeDash(field="optimizer", type="nominal", scale=dashes, legend=legend),
    }
