"""The two parameters that matter most, against each other."""

from __future__ import annotations

from typing import Any

import altair as alt

from objectives.types import Direction
from tuner.report.charts.axes import LABEL, Axis, powers
from tuner.report.charts.base import CROSS, DONE, Figure, count, goal_axis, join, linked, sizes, tooltip
from tuner.report.charts.sensitivity import APART, SPREAD, apart, having, mirrors, owners, parameter_x
from tuner.report.charts.style import fading
from tuner.report.report_data import ReportData

__all__ = ["pair"]


def pair(frames: ReportData, names: tuple[str, str] | None) -> list[Figure]:
    """Draw two parameters against each other with the value as colour; `names` are the two that matter most."""
    title = "The two parameters that matter most"
    if names is None:
        return [Figure("pair", title, "There are not two searched numbers to draw against each other.")]
    title = f"{names[0]} against {names[1]}: where the good trials are"
    axis = goal_axis(frames)
    x, y = parameter_x(frames, names[0]), upwards(parameter_x(frames, names[1]))
    minimize = frames.study.direction == Direction.MINIMIZE
    heat = alt.Color(
        field="value",
        type="quantitative",
        scale=alt.Scale(
            type="log" if axis.log else "linear",
            domain=[axis.low, axis.high],
            range="heatmap",
            reverse=minimize,
            clamp=True,
        ),
        legend=alt.Legend(title=frames.study.metric, gradientLength=160, **heat_ticks(axis))
        if frames.trials["value"].notna().any()
        else None,
    )
    more = mirrors(frames, names[0]) | mirrors(frames, names[1])
    base = alt.Chart(frames.trials).encode(x=x, y=y, tooltip=tooltip(frames))
    base = base.transform_filter(" && ".join(f"({having(frames, name)})" for name in names))
    base = base.transform_calculate(**APART, **more)
    base = base.encode(xOffset=apart(alt.XOffset)) if x["type"] == "nominal" else base
    base = base.encode(yOffset=apart(alt.YOffset)) if y["type"] == "nominal" else base
    lost = "datum.state === 'diverged' || datum.state === 'failed'"
    small, large = sizes(frames)
    size = alt.SizeValue(2 * small, condition={"test": DONE, "value": 1.5 * large})
    layers = [
        base.transform_filter(lost)
        .mark_point(shape=CROSS, style="bad", filled=False, size=44, strokeWidth=1.8)
        .encode(opacity=fading(0.75)),
        base.transform_filter("isValid(datum.value)")
        .mark_point(filled=True)
        .encode(color=heat, size=size, opacity=fading(0.95)),
        base.transform_filter("datum.trial === marked").mark_point(style="marked", size=220, opacity=1),
    ]
    caption = join(
        "Strong colours are good values; large points are complete trials, small ones were pruned, crosses diverged or"
        " failed.",
        "All optimizers together." if len(frames.optimizers) > 1 else "",
        SPREAD if "nominal" in (x["type"], y["type"]) else "",
        unpaired_words(frames, names),
    )
    return [Figure("pair", title, caption, linked(layers, title, 320))]


def unpaired_words(frames: ReportData, names: tuple[str, str]) -> str:
    """Say how many trials search only one of the two parameters, or none."""
    both = frames.trials[list(names)].notna().all(axis=1)
    for name in names:
        own = [p.optimizer for p in owners(frames, name) if p.optimizer]
        both &= frames.trials["optimizer"].isin(own) if own else True
    return f"Left out: {count(int((~both).sum()), 'trial')} that do not search both." if not both.all() else ""


def heat_ticks(axis: Axis) -> dict[str, Any]:
    """Choose few labels for a colour scale, which is short."""
    if not axis.log:
        return {"format": ".3~g", "tickCount": 3}
    ticks = powers(axis.low, axis.high, 3)
    return {"labelExpr": LABEL, "values": ticks[:: -(-len(ticks) // 4)]}


def upwards(x: alt.X) -> alt.Y:
    """Encode a parameter on the y axis."""
    keywords = {name: value for name, value in x._kwds.items() if value is not alt.Undefined and name != "shorthand"}
    if keywords.get("type") == "nominal":
        keywords["sort"] = keywords["scale"]["domain"] = list(reversed(keywords["sort"]))
    return alt.Y(**keywords)
