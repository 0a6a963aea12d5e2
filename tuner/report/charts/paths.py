"""The paths of methods on the level lines of an analytic surface."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np

from objectives.surfaces import Surface
from tuner.ranking.goal import signed
from tuner.records import Trial
from tuner.report.charts.base import Figure, linked
from tuner.report.charts.style import as_lines, as_points, fading, seen
from tuner.report.contours import contours, window
from tuner.report.report_data import ReportData, goal_curve
from tuner.report.theme import PALETTE

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["best_of_each", "lowest", "path_figure", "paths"]

CHOSEN = "focus === datum.optimizer"
SCATTERED = ("random_weights",)  # methods that draw points and follow no path


def best_of_each(frames: ReportData) -> list[Trial]:
    """Choose each optimizer's best trial, complete ones first."""
    best = []
    for name in frames.optimizers:
        own = [trial for trial in frames.leaders if trial.config.get("optimizer") == name]
        rest = [trial for trial in frames.own(name) if trial.value is not None]
        best += (own or sorted(rest, key=lambda trial: signed(trial.value or 0.0, frames.study.direction)))[:1]
    return best


def paths(frames: ReportData, surface: Surface) -> pd.DataFrame:
    """Build the path of each optimizer's best trial: optimizer, trial, epoch (0 at the start), x1, x2, value."""
    import pandas as pd

    parts = []
    for trial in best_of_each(frames):
        if not {"x1", "x2"} <= set(trial.curves):
            continue
        points = np.stack([goal_curve(trial, "x1"), goal_curve(trial, "x2")], axis=-1)
        name = str(trial.config["optimizer"])
        if name not in SCATTERED:
            points = np.concatenate([surface.start[None, :2], points])
        epochs = np.arange(len(points)) + (name in SCATTERED)
        part = {"optimizer": name, "trial": trial.number, "epoch": epochs, "x1": points[:, 0], "x2": points[:, 1]}
        parts.append(pd.DataFrame({**part, "value": surface.value(points)}))
    names = ["optimizer", "trial", "epoch", "x1", "x2", "value"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({name: [] for name in names})


def path_figure(frames: ReportData, surface: Surface) -> Figure:
    """Draw the paths on contour lines."""
    import pandas as pd

    data, title = paths(frames, surface), f"The best path of each method on {surface.name}"
    if data.empty:
        return Figure("course", title, "No trial has a path yet.")
    low, high = window(surface, data[["x1", "x2"]].to_numpy())
    x, y = ground("x1", low[0], high[0], alt.X), ground("x2", low[1], high[1], alt.Y)
    lines = alt.Chart(contours(surface, low, high)).mark_line(strokeWidth=0.8, interpolate="linear")
    shade = alt.Color(field="level", type="quantitative", scale=alt.Scale(range="ramp", reverse=True), legend=None)
    minima = pd.DataFrame(surface.minima[:, :2], columns=["x1", "x2"])
    walks = alt.Chart(data).encode(
        x=x,
        y=y,
        opacity=fading(0.95),
        tooltip=[
            alt.Tooltip(field="optimizer", type="nominal"),
            alt.Tooltip(field="trial", type="quantitative"),
            alt.Tooltip(field="epoch", type="quantitative"),
            alt.Tooltip(field="value", type="quantitative", format=".4~g"),
        ],
    )
    shown, first = seen(frames, data["optimizer"]), lowest(data)
    if len(shown) > len(first):
        walks = walks.transform_filter(f"indexof({json.dumps(first)}, datum.optimizer) >= 0 || {CHOSEN}")
    scattered = " || ".join(f"datum.optimizer === '{name}'" for name in SCATTERED)
    layers = [
        lines.encode(x=x, y=y, color=shade, detail="level:Q", order=alt.value(None)),
        walks.transform_filter(f"!({scattered})")
        .mark_line(strokeWidth=2)
        .encode(order="epoch:Q", **as_lines(frames, shown)),
        walks.mark_point(filled=True, size=22).encode(**as_points(frames, shown)),
        alt.Chart(minima).mark_point(shape="cross", style="ink", filled=True, size=130).encode(x=x, y=y),
        walks.transform_filter("datum.trial === marked").mark_point(style="marked", size=80, opacity=1),
    ]
    some = f" Shown are the {len(first)} that ended lowest: choose another in the legend to see its path."
    caption = (
        "Lines join points of equal value, the strongest are the lowest; crosses are minima. Every dot is the state"
        " after an epoch. Random weights follow no path: their dots are the best drawn so far."
    )
    caption += some if len(shown) > len(first) else ""
    return Figure("course", title, caption, unshared(linked(layers, title, 420)), shown)


def lowest(data: pd.DataFrame) -> list[str]:
    """Name the methods whose paths end lowest, as many as there are colours."""
    ends = data.groupby("optimizer", sort=False)["value"].last()
    return list(ends.sort_values(kind="stable").index[:PALETTE])


def unshared(chart: Any) -> Any:
    """Give each layer of a chart its own colour scale: contour lines are no optimizers."""
    return chart.resolve_scale(color="independent")


def ground(name: str, low: float, high: float, channel: Any) -> Any:
    """Encode a coordinate of a surface."""
    scale = alt.Scale(domain=[float(low), float(high)], nice=False, clamp=True)
    return channel(field=name, type="quantitative", scale=scale, axis=alt.Axis(title=name, grid=False, tickCount=6))
