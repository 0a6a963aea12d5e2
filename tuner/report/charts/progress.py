"""How the search went: the value of every trial and the best so far, over trials and over training time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt
import numpy as np

from tuner.goal import signed
from tuner.report.charts.base import (
    Figure,
    goal_axis,
    goal_y,
    join,
    linked,
    lost_points,
    marked_points,
    trial_points,
    value_axis,
)
from tuner.report.found import Frames

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["best_so_far", "progress"]

EMPTY = "No trial is complete yet."


def best_so_far(frames: Frames) -> pd.DataFrame:
    """After each trial: training seconds spent by then, and the best value among complete, stable trials so far."""
    import pandas as pd

    trials = frames.found.all_trials
    direction = frames.study.direction
    values = [
        signed(t.value, direction) if t.state == "complete" and t.stable and t.value is not None else np.inf
        for t in trials
    ]
    best = np.minimum.accumulate(values) if values else np.array([])
    spent = np.cumsum([t.seconds for t in trials])
    shown = [signed(float(value), direction) if np.isfinite(value) else np.nan for value in best]
    return pd.DataFrame({"trial": [t.number for t in trials], "spent": spent, "value": shown})


def progress(frames: Frames) -> list[Figure]:
    """Values over trials, and the best over training time."""
    if not frames.leaders:
        return [Figure("progress", "Search progress", EMPTY)]
    axis, best = goal_axis(frames), best_so_far(frames)
    plain = alt.Scale(domain=[0, max(1, len(frames.trials) - 1)], nice=False, padding=8)
    x = alt.X(
        field="trial",
        type="quantitative",
        scale=plain,
        axis=alt.Axis(title="trial", format="d", tickMinStep=1, grid=False),
    )
    line = (
        alt.Chart(best)
        .transform_filter("isValid(datum.value)")
        .mark_line(interpolate="step-after", style="ink", fill=None)
    )
    layers = [
        trial_points(frames, frames.trials, x, axis),
        lost_points(frames, frames.trials, x),
        line.encode(x=x, y=goal_y(frames, axis)),
        marked_points(frames, frames.trials, x, axis),
    ]
    title = "Each trial, and the best so far"
    caption = join(
        "Full points are complete trials, small faint ones were pruned (their value so far), red crosses have none:"
        " they diverged or failed. The line is the best complete trial so far.",
        axis.words,
    )
    return [Figure("progress", title, caption, linked(layers, title), by_optimizer=True), over_time(frames, best)]


def over_time(frames: Frames, best: pd.DataFrame) -> Figure:
    """The best so far over seconds of training, summed over workers."""
    axis = value_axis(best["value"], frames.study.direction == "minimize")
    total = float(best["spent"].iloc[-1])
    unit, size = ("hours", 3600.0) if total > 7200 else ("minutes", 60.0) if total > 120 else ("seconds", 1.0)
    x = alt.X(field="spent", type="quantitative", axis=alt.Axis(title=f"{unit} of training, all workers together"))
    line = (
        alt.Chart(best.assign(spent=best["spent"] / size))
        .transform_filter("isValid(datum.value)")
        .mark_line(interpolate="step-after", style="ink", fill=None)
        .encode(x=x, y=goal_y(frames, axis, f"best {frames.study.metric} so far"))
    )
    title = "The best so far over training time"
    caption = join("Trials in the order of their numbers, each adding the time it trained.", axis.words)
    return Figure("progress-time", title, caption, linked([line], title, 200))
