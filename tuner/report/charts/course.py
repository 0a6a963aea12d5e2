"""The course, drawn: paths on level lines, slopes by differences, Newton's jump, rates too small and too large.

Each figure belongs to the studies that have what it shows: an analytic surface, or a method of the course.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np

from objectives.surfaces import Surface, surface_of
from tuner.report.charts.base import Figure, join, linked, value_axis
from tuner.report.charts.looks import AWAY, as_lines, as_points, fading
from tuner.report.contours import contours, window
from tuner.report.found import Frames, goal_curve
from tuner.trial import Trial

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["best_of_each", "course", "paths", "rates"]

EXAMPLE = "rosenbrock"  # the surface that a method is drawn on where a study has data instead
SCATTERED = ("random_weights",)  # methods that draw points and follow no path
WIDTHS = (1.0, 0.5, 0.2)  # of a difference, as a share of the slice that is shown
RATE_METHODS = ("gradient_descent", "steepest", "sgd", "momentum")


def course(frames: Frames) -> list[Figure]:
    """The figures that a study has the methods for; none for other studies."""
    figures = []
    surface = frames.surface
    if surface is not None and surface.size == 2:
        figures.append(path_figure(frames, surface))
    drawn = surface or surface_of(EXAMPLE)
    if "finite_differences" in frames.optimizers:
        figures.append(secants(drawn))
    if "newton" in frames.optimizers:
        figures.append(jump(drawn))
    if {"gradient_descent", "sgd"} <= set(frames.optimizers):
        figures.append(stochastic(frames))
    return [
        *figures,
        *(
            [found]
            if (figures or {"gradient_descent"} & set(frames.optimizers)) and (found := rate_figure(frames))
            else []
        ),
    ]


def best_of_each(frames: Frames) -> list[Trial]:
    """Each optimizer's best trial, complete ones first."""
    best = []
    for name in frames.optimizers:
        own = [trial for trial in frames.leaders if trial.config.get("optimizer") == name]
        rest = [trial for trial in frames.own(name) if trial.value is not None]
        best += (own or sorted(rest, key=lambda trial: trial.value or 0.0))[:1]
    return best


def paths(frames: Frames, surface: Surface) -> pd.DataFrame:
    """The path of each optimizer's best trial: optimizer, trial, epoch (0 at the start), x1, x2, value."""
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


def path_figure(frames: Frames, surface: Surface) -> Figure:
    """The paths on level lines."""
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
    scattered = " || ".join(f"datum.optimizer === '{name}'" for name in SCATTERED)
    layers = [
        lines.encode(x=x, y=y, color=shade, detail="level:Q", order=alt.value(None)),
        alt.Chart(minima).mark_point(shape="cross", style="ink", filled=True, size=110).encode(x=x, y=y),
        walks.transform_filter(f"!({scattered})").mark_line(strokeWidth=2).encode(order="epoch:Q", **as_lines(frames)),
        walks.mark_point(filled=True, size=22).encode(**as_points(frames)),
        walks.transform_filter("datum.trial === marked").mark_point(style="marked", size=80, opacity=1),
    ]
    caption = (
        "Lines join points of equal value, the darkest are the lowest; crosses are minima. Every dot is the state"
        " after an"
        " epoch. Random weights follow no path: their dots are the best drawn so far."
    )
    return Figure("course", title, caption, unshared(linked(layers, title, 420)), True)


def unshared(chart: Any) -> Any:
    """The chart with a colour scale of its own for each layer: level lines are no optimizers."""
    return chart.resolve_scale(color="independent")


def ground(name: str, low: float, high: float, channel: Any) -> Any:
    """A coordinate of a surface."""
    scale = alt.Scale(domain=[float(low), float(high)], nice=False, clamp=True)
    return channel(field=name, type="quantitative", scale=scale, axis=alt.Axis(title=name, grid=False, tickCount=6))


def secants(surface: Surface) -> Figure:
    """A slope by differences: secants that become the tangent."""
    import pandas as pd

    start, title = surface.start.astype(np.float64), "The slope by differences: secant against tangent"
    reach = 0.25 * (surface.high - surface.low)
    at = np.linspace(start[0] - 0.3 * reach, start[0] + 1.1 * reach, 121)
    value = float(surface.value(start))
    rows = [pd.DataFrame({"x": at, "value": along(surface, start, at), "line": "the surface"})]
    slope = float(surface.gradient(start)[0])
    rows.append(
        pd.DataFrame({"x": at, "value": value + slope * (at - start[0]), "line": f"tangent, slope {slope:.4g}"})
    )
    for width in WIDTHS:
        h = width * reach
        chord = (float(along(surface, start, np.array([start[0] + h]))[0]) - value) / h
        text = f"secant over {h:.2g}, slope {chord:.4g}"
        rows.append(pd.DataFrame({"x": at, "value": value + chord * (at - start[0]), "line": text}))
    data = pd.concat(rows, ignore_index=True)
    caption = (
        f"A slice of the {surface.name} surface through its start, along x1. A difference over a width h is the"
        " slope of a secant; as h shrinks it"
        " becomes"
        f" the tangent's, {slope:.4g}, and then rounding takes over."
    )
    return Figure("course-secant", title, caption, slice_chart(data, along(surface, start, at), title))


def along(surface: Surface, start: Any, at: Any) -> Any:
    """Values of a surface along x1 through a point."""
    points = np.repeat(start[None], len(at), axis=0)
    points[:, 0] = at
    return surface.value(points)


def jump(surface: Surface) -> Figure:
    """Newton's step: the jump to where the parabola that fits at the start is flat."""
    import pandas as pd

    start, title = surface.start.astype(np.float64), "Newton's jump: to where the parabola at the start is flat"
    gradient, hessian = surface.gradient(start), surface.hessian(start)
    step = -np.linalg.lstsq(hessian, gradient, rcond=None)[0]
    share = np.linspace(-0.3, 1.5, 121)
    value = float(surface.value(start))
    true = surface.value(start + share[:, None] * step)
    model = value + share * float(gradient @ step) + share**2 * float(step @ hessian @ step) / 2
    data = pd.concat(
        [
            pd.DataFrame({"x": share, "value": true, "line": "the surface"}),
            pd.DataFrame({"x": share, "value": model, "line": "the parabola with its slope and curvature"}),
        ],
        ignore_index=True,
    )
    landed = float(surface.value(start + step))
    exact = bool(np.allclose(true, model, rtol=1e-6, atol=1e-9))
    what = (
        "The surface is its own parabola: one jump ends at its minimum."
        if exact
        else f"The surface is another curve: the jump lands at a value of {landed:.4g}, from {value:.4g}."
    )
    caption = (
        f"On the {surface.name} surface, along Newton's step from the start: it is at 0, the jump ends at 1. {what}"
    )
    return Figure("course-newton", title, caption, slice_chart(data, [*true, *model], title, "share of Newton's step"))


def slice_chart(data: pd.DataFrame, shown: Any, title: str, x_title: str = "x1") -> Any:
    """Lines over one coordinate."""
    low, high = float(np.min(shown)), float(np.max(shown))
    room = 0.08 * (high - low) or 1.0
    names = list(dict.fromkeys(data["line"]))
    plain = alt.Scale(domain=[float(data["x"].min()), float(data["x"].max())], nice=False)
    lines = (
        alt.Chart(data)
        .mark_line(clip=True, strokeWidth=2)
        .encode(
            x=alt.X(field="x", type="quantitative", scale=plain, axis=alt.Axis(title=x_title, grid=False)),
            y=alt.Y(
                field="value",
                type="quantitative",
                scale=alt.Scale(domain=[low - room, high + room], nice=False),
                axis=alt.Axis(title="value", tickCount=6, format=".4~g"),
            ),
            color=alt.Color(
                field="line",
                type="nominal",
                scale=alt.Scale(domain=names, range="category"),
                legend=alt.Legend(title=None, columns=1, labelLimit=320),
            ),
        )
    )
    return linked([lines], title, 300)


def rates(frames: Frames) -> list[tuple[str, Trial]]:
    """Three trials of one method: its smallest rate, its best, its largest; none where it has no three."""
    for name in RATE_METHODS:
        own = sorted(
            (t for t in frames.own(name) if "lr" in t.config and t.curves), key=lambda t: float(t.config["lr"])
        )
        best = next((t for t in best_of_each(frames) if t.config.get("optimizer") == name), None)
        if len(own) > 2 and best is not None and own[0] is not best and own[-1] is not best:
            return [("too small", own[0]), ("good", best), ("too large", own[-1])]
    return []


def rate_figure(frames: Frames) -> Figure | None:
    """Curves of learning rates too small, good and too large."""
    import pandas as pd

    chosen = rates(frames)
    if not chosen:
        return None
    name, metric = str(chosen[0][1].config["optimizer"]), frames.study.metric
    parts = []
    for word, trial in chosen:
        curve = goal_curve(trial, metric)
        text = f"{word}: lr {float(trial.config['lr']):.3g}"
        parts.append(
            pd.DataFrame({"trial": trial.number, "rate": text, "epoch": np.arange(1, len(curve) + 1), "value": curve})
        )
    data = pd.concat(parts, ignore_index=True)
    title, axis = f"{name}: learning rates too small, good and too large", value_axis(data["value"], True)
    names = list(dict.fromkeys(data["rate"]))
    last = max(int(data["epoch"].max()), 2)
    lines = (
        alt.Chart(data)
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X(
                field="epoch",
                type="quantitative",
                scale=alt.Scale(domain=[1, last], nice=False),
                axis=alt.Axis(title="epoch", format="d", tickMinStep=1, grid=False),
            ),
            y=alt.Y(field="value", type="quantitative", scale=axis.scale(), axis=axis.ticks(metric)),
            color=alt.Color(
                field="rate",
                type="nominal",
                scale=alt.Scale(domain=names, range="category"),
                legend=alt.Legend(title=None, columns=1, labelLimit=320),
            ),
            opacity=alt.OpacityValue(
                0.95, condition=[{"test": AWAY.replace("datum.optimizer", f"'{name}'"), "value": 0.1}]
            ),
        )
    )
    caption = join(
        "Too small creeps, too large jumps from side to side or blows up: between them lies a factor of a few.",
        axis.words,
    )
    return Figure("course-rates", title, caption, linked([lines], title, 300))


def stochastic(frames: Frames) -> Figure:
    """Gradient descent against its stochastic form: the best of both after each epoch."""
    wanted = [t.number for t in best_of_each(frames) if t.config.get("optimizer") in ("gradient_descent", "sgd")]
    title = "Gradient descent against its stochastic form"
    data = frames.curves(wanted, [frames.study.metric])
    if data.empty:
        return Figure("course-stochastic", title, "Neither has a learning curve yet.")
    axis = value_axis(data["value"], frames.study.direction == "minimize")
    line = (
        alt.Chart(data)
        .mark_line(strokeWidth=2.2)
        .encode(
            x=alt.X(
                field="epoch",
                type="quantitative",
                scale=alt.Scale(domain=[1, max(int(data["epoch"].max()), 2)], nice=False),
                axis=alt.Axis(title="epoch: one pass over the data", format="d", tickMinStep=1, grid=False),
            ),
            y=alt.Y(field="value", type="quantitative", scale=axis.scale(), axis=axis.ticks(frames.study.metric)),
            **as_lines(frames),
            opacity=fading(1),
        )
    )
    caption = join(
        "Gradient descent takes one step a pass, along the slope of all rows; its stochastic form takes one for each"
        " minibatch, along a slope that is only right on average.",
        axis.words,
    )
    return Figure("course-stochastic", title, caption, linked([line], title, 300), True)
