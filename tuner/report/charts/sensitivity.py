"""Sensitivity: the value against each searched parameter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np

from objectives.types import Direction
from tuner.enums import TrialState
from tuner.report.charts.axes import Axis, powers
from tuner.report.charts.base import (
    Figure,
    count,
    field,
    goal_axis,
    goal_y,
    join,
    linked,
    lost_points,
    marked_points,
    quoted,
    trial_points,
)
from tuner.report.charts.style import AWAY, as_lines, colour, fading, seen
from tuner.report.parameters import SearchedParameter, place
from tuner.report.report_data import ReportData
from tuner.study import Range, text_of
from tuner.text import visible

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["APART", "SPREAD", "apart", "edges", "envelope", "having", "mirrors", "owners", "parameter_x", "sensitivity"]

BUCKETS = 8  # of a parameter's own scale, over its range
ENOUGH = 5  # trials of an eighth, before their values make a line
SUMMARISED = (
    "The line is the better quarter of the trials that trained to the end, in each eighth of the range that has five;"
    " the band reaches from their best to their median."
)
SPREAD = "Trials of one value are spread out beside it."
APART = {"apart": "(datum.trial * 0.618034) % 1"}
MOST_EDGES = 4  # optimizers whose ranges' ends are told apart


def sensitivity(frames: ReportData) -> list[Figure]:
    """Draw one chart for each searched parameter."""
    if not any(trial.value is not None for trial in frames.found.all_trials):
        return [Figure("sensitivity", "Sensitivity", "No trial has a value yet.")]
    if not frames.searched:
        return [Figure("sensitivity", "Sensitivity", "Nothing is searched: every parameter is fixed.")]
    return [one_parameter(frames, name) for name in frames.searched]


def owners(frames: ReportData, name: str) -> list[SearchedParameter]:
    """Return the parameters of a name: one for each optimizer that searches it, or the shared one."""
    return [parameter for parameter in frames.parameters if parameter.name == name]


def one_parameter(frames: ReportData, name: str) -> Figure:
    """Draw all trials against one parameter, with the best of each bucket as a line and the edges of its range."""
    ranged = owners(frames, name)[0].scale != "choices"
    axis, data = goal_axis(frames, searching(frames, name)), frames.trials
    x, shown = parameter_x(frames, name), drawn(frames, name)
    layers = [
        trial_points(frames, data, x, axis, shown),
        lost_points(frames, data, x),
        marked_points(frames, data, x, axis),
    ]
    summary: list[Any] = []
    layers = [layer.transform_filter(having(frames, name)) for layer in layers]
    if more := mirrors(frames, name):
        layers = [layer.transform_calculate(**more) for layer in layers]
    if ranged:
        summary = envelope_layers(frames, name, x, axis, shown)
        layers = [edge_rules(frames, name, x, shown), *summary[:1], *layers, *summary[1:]]
    elif len(shown) > 1:
        layers = [layer.encode(xOffset=side_by_side(shown)) for layer in layers]
    else:
        layers = [layer.transform_calculate(**APART).encode(xOffset=apart(alt.XOffset)) for layer in layers]
    title = f"{frames.study.metric} against {name}"
    caption = join(
        SUMMARISED if summary else "",
        edge_words(frames, name) if ranged else "",
        "" if ranged else "Optimizers stand side by side at each value." if len(shown) > 1 else SPREAD,
        "Full points are complete trials, faint ones were pruned, crosses diverged or failed.",
        missing_words(frames, [name]),
        step_words(frames) if name == "batch_size" else "",
        axis.point_words,
    )
    return Figure(f"sensitivity-{name}", title, caption, linked(layers, title), shown)


def searching(frames: ReportData, name: str) -> set[int]:
    """Return the numbers of the trials that have a parameter and whose optimizer searches it; see `having`."""
    own = {p.optimizer for p in owners(frames, name)}
    having_it = [trial for trial in frames.found.all_trials if trial.config.get(name) is not None]
    return {t.number for t in having_it if "" in own or str(t.config.get("optimizer", "")) in own}


def drawn(frames: ReportData, name: str) -> tuple[str, ...]:
    """List the optimizers that search a parameter and have a trial with a value of it."""
    own = {p.optimizer for p in owners(frames, name)}
    trials = (t for t in frames.found.all_trials if t.value is not None and t.config.get(name) is not None)
    found = {str(t.config.get("optimizer", "")) for t in trials}
    return seen(frames, found if "" in own else found & own)


def apart(channel: Any) -> Any:
    """Spread trials with the same parameter value sideways; the order has no meaning."""
    return channel(field="apart", type="quantitative", scale=alt.Scale(domain=[0, 1]))


def side_by_side(shown: Sequence[str]) -> alt.XOffset:
    """Offset optimizers at the same place of an axis, so that they do not cover each other."""
    return alt.XOffset(field="optimizer", type="nominal", sort=list(shown), scale=alt.Scale(domain=list(shown)))


def step_words(frames: ReportData) -> str:
    """Say that trials of different batch sizes made different numbers of steps, if they did."""
    said = frames.study.uneven(trial.config.get("batch_size") for trial in frames.found.all_trials)
    return f"{said[:1].upper()}{said[1:]}." if said else ""


def missing_words(frames: ReportData, names: Sequence[str]) -> str:
    """Say how many trials lack shared parameters, such as the batch size of whole-batch methods."""
    shared = [name for name in names if not any(p.optimizer for p in owners(frames, name))]
    missing = int(frames.trials[shared].isna().any(axis=1).sum()) if shared else 0
    return f"Left out: {count(missing, 'trial')} without {' or '.join(shared)}." if missing else ""


def mirrors(frames: ReportData, name: str) -> dict[str, str]:
    """Return the expression of the column 1 - value that a parameter's axis needs, or nothing."""
    if owners(frames, name)[0].scale != "log1m":
        return {}
    return {mirrored(name): f"isValid(datum[{quoted(name)}]) ? 1 - datum[{quoted(name)}] : null"}


def having(frames: ReportData, name: str) -> str:
    """Return the expression that is true for trials that have the parameter and whose optimizer searches it."""
    has = f"isValid(datum[{quoted(name)}])"
    own = " || ".join(f"datum.optimizer === {quoted(p.optimizer)}" for p in owners(frames, name) if p.optimizer)
    return f"{has} && ({own})" if own else has


def mirrored(name: str) -> str:
    """Name the column of 1 - value."""
    return f"1 - {name}"


def parameter_x(frames: ReportData, name: str) -> alt.X:
    """Encode a parameter on the x axis, on the scale that it is searched on."""
    scale = owners(frames, name)[0].scale
    if scale == "choices":
        known = ordered_values(frames, name)
        ticks = alt.Axis(title=name, labelAngle=0, labelLimit=90)
        return alt.X(
            field=field(name),
            type="nominal",
            sort=known,
            scale=alt.Scale(domain=known, type="band", padding=0.4),
            axis=ticks,
        )
    low, high = span(frames, name)
    if scale == "log1m":
        return alt.X(
            field=field(mirrored(name)),
            type="quantitative",
            scale=alt.Scale(type="log", domain=[high, low], nice=False, clamp=True, padding=12),
            axis=alt.Axis(
                title=f"{name}, logarithmic towards 1",
                labelExpr="format(1 - datum.value, '.8~f')",
                values=powers(low, high),
                grid=False,
            ),
        )
    log = scale == "log"
    axis = Axis(log, low, high).ticks(f"{name}, logarithmic" if log else name)
    axis.grid = False
    reach = alt.Scale(type="log" if log else "linear", domain=[low, high], nice=False, clamp=True, padding=12)
    return alt.X(field=field(name), type="quantitative", scale=reach, axis=axis)


def ordered_values(frames: ReportData, name: str) -> list[Any]:
    """List the choices as the ranking writes them."""
    values = dict.fromkeys(value for parameter in owners(frames, name) for value in parameter.choices)
    return [value if isinstance(value, bool | int | float) else visible(str(text_of(value))) for value in values]


def span(frames: ReportData, name: str) -> tuple[float, float]:
    """Return the ends of all ranges of a name, in the axis' units."""
    domains = [p.domain for p in owners(frames, name) if isinstance(p.domain, Range)]
    low, high = min(d.low for d in domains), max(d.high for d in domains)
    if domains[0].scale == "log1m":
        return 1 - high, 1 - low
    return low, high


def edges(frames: ReportData, name: str) -> pd.DataFrame:
    """Build the ends of each optimizer's range, or of the shared one: optimizer, end, value in the axis' units."""
    import pandas as pd

    rows = [
        {"optimizer": p.optimizer, "end": end, column_of(p): on_axis(p, value)}
        for p in owners(frames, name)
        if isinstance(p.domain, Range)
        for end, value in (("low", p.domain.low), ("high", p.domain.high))
    ]
    return pd.DataFrame(rows)


def column_of(parameter: SearchedParameter) -> str:
    """Name the column on a parameter's axis."""
    return mirrored(parameter.name) if parameter.scale == "log1m" else parameter.name


def on_axis(parameter: SearchedParameter, value: float) -> float:
    """Convert a value to the axis' units."""
    return 1 - value if parameter.scale == "log1m" else value


def edge_rules(frames: ReportData, name: str, x: alt.X, shown: Sequence[str]) -> Any:
    """Draw the edges as dashed rules; where they are many, only those of the optimizer in focus."""
    dashed: dict[str, Any] = {"strokeDash": [3, 3], "strokeWidth": 1}
    base = alt.Chart(edges(frames, name))
    if not any(p.optimizer for p in owners(frames, name)):
        return base.mark_rule(style="quiet", **dashed).encode(x=x)
    own = "focus !== '' && focus === datum.optimizer"
    some = alt.OpacityValue(0, condition=[{"test": AWAY, "value": 0}, {"test": own, "value": 0.7}])
    opacity = some if len(owners(frames, name)) > MOST_EDGES else fading(0.55)
    return base.mark_rule(**dashed).encode(x=x, color=colour(frames, shown), opacity=opacity)


def edge_words(frames: ReportData, name: str) -> str:
    """Describe the edges for a caption."""
    if len(owners(frames, name)) > MOST_EDGES:
        return "Choose an optimizer in the legend to see the ends of its range."
    return "Dashed rules are the ends of the range searched."


def envelope(frames: ReportData, name: str) -> pd.DataFrame:
    """Summarise each eighth of a range that has at least `ENOUGH` complete, stable trials of the longest training.

    optimizer, x (the median of the eighth's values), best, value (the quarter of the trials on the better side), middle
    """
    import pandas as pd

    longest = max((trial.epochs for trial in frames.found.all_trials if trial.state == TrialState.COMPLETE), default=0)
    groups: dict[tuple[str, int], list[tuple[float, float]]] = {}
    by_optimizer = {p.optimizer: p for p in owners(frames, name)}
    for trial in frames.found.all_trials:
        optimizer = str(trial.config.get("optimizer", ""))
        parameter = by_optimizer.get(optimizer) or by_optimizer.get("")
        if parameter is None or trial.value is None or not trial.stable or trial.epochs < longest:
            continue
        if trial.state != TrialState.COMPLETE or (at := place(trial.config.get(name), parameter.domain)) is None:
            continue
        bucket = (optimizer, min(max(int(at * BUCKETS), 0), BUCKETS - 1))
        groups.setdefault(bucket, []).append((on_axis(parameter, float(trial.config[name])), trial.value))
    column = column_of(owners(frames, name)[0])
    rows = [
        {"optimizer": key[0], column: float(np.median([x for x, _ in group])), **spread(frames, group)}
        for key, group in sorted(groups.items())
        if len(group) >= ENOUGH
    ]
    return pd.DataFrame(rows, columns=["optimizer", column, "best", "value", "middle"])


def spread(frames: ReportData, group: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Return the best value of a group of (x, value), its quarter on the better side, and its median."""
    shares = (0.0, 0.25, 0.5) if frames.study.direction == Direction.MINIMIZE else (1.0, 0.75, 0.5)
    best, value, middle = np.quantile([value for _, value in group], shares).tolist()
    return {"best": best, "value": value, "middle": middle}


def envelope_layers(frames: ReportData, name: str, x: alt.X, axis: Axis, shown: Sequence[str]) -> list[Any]:
    """Draw the better quarter of each eighth as a line on a band from the best to the median; none without data."""
    data = envelope(frames, name)
    if data.empty:
        return []
    base = alt.Chart(data)
    low = alt.Y(field="best", type="quantitative", scale=axis.scale())
    band = base.mark_area(clip=True).encode(x=x, y=low, y2="middle", color=colour(frames, shown), opacity=fading(0.15))
    line = base.mark_line(strokeWidth=1.6).encode(x=x, y=goal_y(frames, axis), **as_lines(frames, shown))
    return [band, line.encode(opacity=fading(0.9))]
