"""How the search went: the value of every trial and the best so far, over trials and over training time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt
import numpy as np

from tuner.enums import TrialState
from tuner.ranking.goal import signed
from tuner.report.charts.axes import Axis, whole
from tuner.report.charts.base import (
    DONE,
    Figure,
    arrow_sizes,
    count,
    goal_axis,
    goal_y,
    join,
    linked,
    lost_points,
    marked_points,
    pointing,
    trial_points,
)
from tuner.report.charts.style import AWAY, as_points, seen
from tuner.report.report_data import ReportData

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["best_so_far", "progress", "spent"]

MOST_POINTS = 1000  # over time: more cover each other
LEADERS = 20  # that are among them
EMPTY = "No trial is complete yet."


def best_so_far(frames: ReportData) -> pd.DataFrame:
    """Build, after each trial, the training seconds so far and the best value among complete, stable trials so far."""
    import pandas as pd

    trials = frames.found.all_trials
    direction = frames.study.direction
    values = [
        signed(t.value, direction) if t.state == TrialState.COMPLETE and t.stable and t.value is not None else np.inf
        for t in trials
    ]
    best = np.minimum.accumulate(values) if values else np.array([])
    spent = np.cumsum([t.seconds for t in trials])
    shown = [signed(float(value), direction) if np.isfinite(value) else np.nan for value in best]
    return pd.DataFrame({"trial": [t.number for t in trials], "spent": spent, "value": shown})


def progress(frames: ReportData) -> list[Figure]:
    """Draw values over trials, and the best over training time."""
    if not frames.leaders:
        return [Figure("progress", "Search progress", EMPTY)]
    axis, best = goal_axis(frames), best_so_far(frames)
    shown = valued(frames)
    last = max(1, len(frames.trials) - 1)
    plain = alt.Scale(domain=[0, last], nice=False, padding=8)
    x = alt.X(
        field="trial",
        type="quantitative",
        scale=plain,
        axis=alt.Axis(title="trial", format="d", values=whole(0, last), grid=False),
    )
    line = (
        alt.Chart(best)
        .transform_filter("isValid(datum.value)")
        .mark_line(interpolate="step-after", style="ink", fill=None)
    )
    layers = [
        trial_points(frames, frames.trials, x, axis, shown),
        lost_points(frames, frames.trials, x),
        line.encode(x=x, y=goal_y(frames, axis)),
        marked_points(frames, frames.trials, x, axis),
    ]
    title = "Each trial, and the best so far"
    caption = join(
        "Full points are complete trials, small faint ones were pruned (their value so far), red crosses have none:"
        " they diverged or failed. The line is the best complete trial so far.",
        axis.point_words,
    )
    return [Figure("progress", title, caption, linked(layers, title), shown), over_time(frames, best, axis)]


def valued(frames: ReportData) -> tuple[str, ...]:
    """List the optimizers that have a trial with a value."""
    return seen(frames, (str(t.config.get("optimizer", "")) for t in frames.found.all_trials if t.value is not None))


def spent(frames: ReportData) -> pd.DataFrame:
    """Build trials that have a value, at most `MOST_POINTS`: trial, optimizer, state, spent (by its end), value."""
    import pandas as pd

    trials = frames.found.all_trials
    ends = dict(zip((t.number for t in trials), np.cumsum([t.seconds for t in trials]), strict=True))
    own = [t for t in trials if t.value is not None and np.isfinite(t.value)]
    first = {t.number for t in frames.leaders[:LEADERS]}
    rest, room = [t for t in own if t.number not in first], MOST_POINTS - len(first)
    rest = [rest[i * len(rest) // room] for i in range(room)] if len(rest) > room else rest
    kept = sorted([*(t for t in own if t.number in first), *rest], key=lambda t: t.number)
    rows = [(t.number, str(t.config.get("optimizer", "")), str(t.state), ends[t.number], t.value) for t in kept]
    return pd.DataFrame(rows, columns=["trial", "optimizer", "state", "spent", "value"])


def over_time(frames: ReportData, best: pd.DataFrame, axis: Axis) -> Figure:
    """Draw trials and the best so far over seconds of training, summed over workers."""
    total = float(best["spent"].iloc[-1])
    unit, size = ("hours", 3600.0) if total > 7200 else ("minutes", 60.0) if total > 120 else ("seconds", 1.0)
    x = alt.X(
        field="spent",
        type="quantitative",
        scale=alt.Scale(domain=[0, total / size or 1.0], nice=False, padding=8),
        axis=alt.Axis(title=f"{unit} of training, all workers together", format=".6~g", tickCount=6, grid=False),
    )
    data, shown = spent(frames), valued(frames)
    hidden = sum(trial.value is not None for trial in frames.found.all_trials) - len(data)
    told = [alt.Tooltip(field=name, type="nominal") for name in ("trial", "optimizer", "state")]
    told += [alt.Tooltip(field="value", type="quantitative", title=frames.study.metric, format=".4~g")]
    points = alt.Chart(data.assign(spent=data["spent"] / size)).encode(x=x, y=goal_y(frames, axis))
    line = alt.Chart(best.assign(spent=best["spent"] / size)).transform_filter("isValid(datum.value)")
    layers = [
        points.mark_point(filled=True).encode(
            **pointing(axis, as_points(frames, shown)),
            size=alt.SizeValue(16, condition=[*arrow_sizes(axis), {"test": DONE, "value": 40}]),
            opacity=alt.OpacityValue(0.4, condition=[{"test": AWAY, "value": 0.06}, {"test": DONE, "value": 0.9}]),
            tooltip=told,
        ),
        line.mark_line(interpolate="step-after", style="ink", fill=None).encode(x=x, y=goal_y(frames, axis)),
        points.transform_filter("datum.trial === marked").mark_point(style="marked", size=150, opacity=1),
    ]
    title = "The same over training time"
    caption = join(
        "Trials in the order of their numbers, each at the end of the time it trained, added to that of those before.",
        f"{count(hidden, 'trial')} left out, evenly but for the best {LEADERS}." if hidden else "",
        axis.point_words,
    )
    return Figure("progress-time", title, caption, linked(layers, title), shown)
