"""Learning curves: how trials got where they are, after each epoch and after each update, and where they overfit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt

from objectives.types import Direction
from tuner.report.charts.axes import LABEL, Axis, powers, reaching, value_axis, whole
from tuner.report.charts.base import CROSS, Figure, count, join, linked
from tuner.report.charts.style import as_lines, as_points, colour, fading, seen
from tuner.report.report_data import ReportData

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BOLD", "FAR", "MOST_CURVES", "chosen", "curves", "epoch_axis", "gap", "steps", "value_y"]

BOLD = 5  # curves in colour: the best trials
MOST_CURVES = 200
FAR = 3.0  # as `value_axis` has it, for the best trials: how they fell is what is looked at
EMPTY = "No trial has a learning curve yet."


def chosen(frames: ReportData) -> list[int]:
    """Choose the trials whose curves are drawn: the best, then an even choice of the others, at most `MOST_CURVES`."""
    best = [trial.number for trial in frames.leaders[:BOLD]]
    metric = frames.study.metric
    others = [t.number for t in frames.found.all_trials if metric in t.curves and t.number not in set(best)]
    room = MOST_CURVES - len(best)
    if len(others) > room:
        others = [others[i * len(others) // room] for i in range(room)]
    return sorted([*best, *others])


def curves(frames: ReportData) -> list[Figure]:
    """Draw the goal after each epoch, and after each update."""
    numbers = chosen(frames)
    data = frames.curves(numbers, [frames.study.metric], [trial.number for trial in frames.leaders[:BOLD]])
    if data.empty:
        return [Figure("curves", "Learning curves", EMPTY)]
    hidden = sum(frames.study.metric in trial.curves for trial in frames.found.all_trials) - len(numbers)
    if data["epoch"].max() == 1:
        return [Figure("curves", "Learning curves", "Each trial has one value and no curve.")]
    if data["value"].isna().all():
        return [Figure("curves", "Learning curves", "Every trial diverged before its first value.")]
    axis = value_axis(data["value"], frames.study.direction == Direction.MINIMIZE)
    axis = reaching(axis, [trial.value for trial in frames.leaders[:BOLD] if trial.value is not None], data["value"])
    best = {trial.number for trial in frames.leaders[:BOLD]}
    data = data.assign(kind=["best" if number in best else "other" for number in data["trial"]])
    ends = data[data["value"].notna()].groupby("trial")["epoch"].max()
    data["last"] = data["trial"].map(ends) == data["epoch"]
    never = data["trial"].nunique() - len(ends)
    whose = "their optimizer's" if frames.optimizers else "one"
    caption = join(
        f"The best {count(len(best), 'trial')} in {whose} colour." if best else "",
        "Complete ones are grey; pruned ones thin, with a point where they were stopped; diverged ones red, with a"
        " cross at their last value.",
        f"{count(never, 'trial')} diverged before the first value." if never else "",
        f"{count(hidden, 'curve')} left out, evenly." if hidden else "",
        axis.words,
    )
    title = f"{frames.study.metric} after each epoch"
    figure = Figure("curves", title, caption, drawn(frames, data, axis, title, epoch_axis(data)), bold(frames))
    own = frames.study.custom is not None  # nobody counts its updates, or knows which of its rows are for training
    both = any({"train_loss", "valid_loss"} <= set(trial.curves) for trial in frames.leaders)
    more = [] if own else [steps(frames, data, axis)]
    return [figure, *more, *([gap(frames)] if both or not own else [])]


def bold(frames: ReportData) -> tuple[str, ...]:
    """List the optimizers of the trials whose curves are in colour."""
    return seen(frames, (str(trial.config.get("optimizer", "")) for trial in frames.leaders[:BOLD]))


def epoch_axis(data: pd.DataFrame) -> alt.X:
    """Encode epochs on the x axis."""
    last = max(int(data["epoch"].max()), 2)
    scale = alt.Scale(domain=[1, last], nice=False)
    axis = alt.Axis(title="epoch", format="d", values=whole(1, last), grid=False)
    return alt.X(field="epoch", type="quantitative", scale=scale, axis=axis)


def drawn(frames: ReportData, data: pd.DataFrame, axis: Axis, title: str, x: alt.X) -> Any:
    """Draw curves in four styles, the important ones on top."""
    y = value_y(axis, frames.study.metric)
    base = alt.Chart(data).encode(x=x, y=y, detail="trial:Q", tooltip=curve_tooltip())
    other = "datum.kind === 'other' && "
    layers = [
        base.transform_filter(f"{other}datum.state === 'pruned'")
        .mark_line(style="quiet", strokeWidth=0.7, fill=None)
        .encode(opacity=fading(0.5)),
        base.transform_filter(f"{other}datum.state === 'pruned' && datum.last")
        .mark_point(style="quiet", size=12, filled=True)
        .encode(opacity=fading(0.8)),
        base.transform_filter(f"{other}datum.state === 'complete'")
        .mark_line(style="quiet", strokeWidth=1.2, fill=None)
        .encode(opacity=fading(0.9)),
        base.transform_filter(f"{other}datum.state === 'diverged'")
        .mark_line(style="bad", strokeWidth=1, fill=None)
        .encode(opacity=fading(0.8)),
        base.transform_filter(f"{other}datum.state === 'diverged' && datum.last")
        .mark_point(style="bad", shape=CROSS, size=36, filled=False, strokeWidth=1.5)
        .encode(opacity=fading(0.8)),
        base.transform_filter("datum.kind === 'best'")
        .mark_line(strokeWidth=2.4)
        .encode(**as_lines(frames, bold(frames), alone=True), opacity=fading(1)),
        base.transform_filter("datum.trial === marked").mark_line(style="ink", strokeWidth=3, fill=None),
    ]
    return linked(layers, title, 320)


def value_y(axis: Axis, title: str) -> alt.Y:
    """Encode a metric's values on the y axis."""
    return alt.Y(field="value", type="quantitative", scale=axis.scale(), axis=axis.ticks(title))


def curve_tooltip() -> list[alt.Tooltip]:
    """Build the tooltip of a curve."""
    return [
        alt.Tooltip(field="trial", type="quantitative", title="trial"),
        alt.Tooltip(field="optimizer", type="nominal", title="optimizer"),
        alt.Tooltip(field="state", type="nominal", title="state"),
    ]


def steps(frames: ReportData, data: pd.DataFrame, axis: Axis) -> Figure:
    """Draw the same curves over updates: small batches make more of them in the same epochs."""
    title = f"{frames.study.metric} after as many updates"
    low, high = max(1, int(data["steps"].min())), max(2, int(data["steps"].max()))
    x = alt.X(
        field="steps",
        type="quantitative",
        scale=alt.Scale(type="log", domain=[low, high], nice=False),
        axis=alt.Axis(
            title="updates (steps of the optimizer), logarithmic", labelExpr=LABEL, values=powers(low, high), grid=False
        ),
    )
    caption = (
        "The same curves at equal numbers of updates: in equal epochs a small batch makes more of them, so compare"
        " batch sizes here as well."
    )
    return Figure("curves-steps", title, caption, drawn(frames, data, axis, title, x), bold(frames))


def gap(frames: ReportData) -> Figure:
    """Draw training and validation loss of the best trials side by side."""
    best = frames.leaders[:BOLD]
    data = frames.curves([trial.number for trial in best], ["train_loss", "valid_loss"])
    title = "Training and validation loss of the best trials"
    if data.empty:
        return Figure("curves-gap", title, "No trial is complete yet.")
    axis = value_axis(data["value"], True, FAR)
    data = data.assign(
        series=[f"{metric} {number}" for metric, number in zip(data["metric"], data["trial"], strict=True)]
    )
    data["last"] = data.groupby("series")["epoch"].transform("max") == data["epoch"]
    dash = alt.StrokeDash(
        field="metric",
        type="nominal",
        scale=alt.Scale(domain=["train_loss", "valid_loss"], range=[[4, 3], [1, 0]]),
        legend=None,
    )
    base = alt.Chart(data).encode(
        x=epoch_axis(data),
        y=value_y(axis, "loss"),
        opacity=fading(1),
        tooltip=[*curve_tooltip(), alt.Tooltip(field="metric", type="nominal", title="curve")],
    )
    shown = bold(frames)
    line = base.mark_line(strokeWidth=1.8).encode(color=colour(frames, shown), strokeDash=dash, detail="series:N")
    ends = base.transform_filter("datum.last").mark_point(filled=True, size=36).encode(**as_points(frames, shown))
    marked = line.transform_filter("datum.trial === marked").encode(strokeWidth=alt.value(4))
    caption = join(
        f"The best {count(len(best), 'trial')}: dashed on the training rows, solid on the validation rows. Where the"
        " solid line turns up while the dashed one falls, training on is overfitting; the best epoch is what counts.",
        axis.words,
    )
    return Figure("curves-gap", title, caption, linked([line, ends, marked], title), shown)
