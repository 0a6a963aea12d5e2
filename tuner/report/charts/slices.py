"""Slices of a surface: the slope by differences, and Newton's jump."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np

from objectives.surfaces import Surface
from tuner.report.charts.base import Figure, linked, quoted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["jump", "secants"]

WIDTHS = (1.0, 0.5, 0.2)  # of a difference, as a share of the slice that is shown


def secants(surface: Surface) -> Figure:
    """Draw a slope by differences: secants that approach the tangent."""
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
        f" slope of a secant; as h shrinks it becomes the tangent's, {slope:.4g}, and then rounding takes over."
    )
    return Figure("course-secant", title, caption, slice_chart(data, along(surface, start, at), title))


def along(surface: Surface, start: Any, at: Any) -> Any:
    """Evaluate a surface along x1 through a point."""
    points = np.repeat(start[None], len(at), axis=0)
    points[:, 0] = at
    return surface.value(points)


def jump(surface: Surface) -> Figure:
    """Draw Newton's step: the jump to the vertex of the parabola fitted at the start."""
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
    """Draw lines over one coordinate."""
    low, high = float(np.min(shown)), float(np.max(shown))
    room = 0.08 * (high - low) or 1.0
    names = list(dict.fromkeys(data["line"]))
    plain = alt.Scale(domain=[float(data["x"].min()), float(data["x"].max())], nice=False)
    # Lines that all but meet are seen through each other: the first is thick, the others lie on it, broken.
    broken = [[1, 0], [6, 4], [2, 3], [8, 3, 2, 3], [1, 3]]
    legend = alt.Legend(title=None, columns=1, labelLimit=320)
    lines = (
        alt.Chart(data)
        .mark_line(clip=True)
        .encode(
            x=alt.X(
                field="x",
                type="quantitative",
                scale=plain,
                axis=alt.Axis(title=x_title, grid=False, tickCount=6, format=".4~g"),
            ),
            y=alt.Y(
                field="value",
                type="quantitative",
                scale=alt.Scale(domain=[low - room, high + room], nice=False),
                axis=alt.Axis(title="value", tickCount=6, format=".6~g"),
            ),
            color=alt.Color(
                field="line",
                type="nominal",
                scale=alt.Scale(domain=names, range="category"),
                legend=legend,
            ),
            strokeDash=alt.StrokeDash(
                field="line", type="nominal", scale=alt.Scale(domain=names, range=broken[: len(names)]), legend=legend
            ),
            strokeWidth=alt.StrokeWidthValue(2, condition={"test": f"datum.line === {quoted(names[0])}", "value": 3.5}),
        )
    )
    return linked([lines], title, 300)
