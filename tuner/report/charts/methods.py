"""Methods of the course by their curves: random weights, rates too small and too large, stochastic descent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np

from objectives.types import Direction
from tuner.enums import TrialState
from tuner.records import Trial
from tuner.report.charts.axes import LABEL, powers, value_axis, whole
from tuner.report.charts.base import CROSS, Figure, count, join, linked
from tuner.report.charts.paths import best_of_each
from tuner.report.charts.style import AWAY, as_lines, fading, seen
from tuner.report.report_data import ReportData, goal_curve, thinned

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DRAWS", "cloud", "drawn_so_far", "rate_figure", "rates", "stochastic"]

RATE_METHODS = ("gradient_descent", "steepest", "sgd", "momentum")
DRAWS = "random_weights"
BAND = (0.1, 0.5, 0.9)
MOST_LINES = 100  # of a cloud
STEPS: dict[str, Any] = {"fill": None, "interpolate": "step-after"}
WHOLE = 1e9  # spans: an axis that cuts nothing
LOSSES = ("train_loss", "valid_loss")  # the first that there is


def drawn_so_far(frames: ReportData) -> pd.DataFrame:
    """Build searches of random weights after each draw: trial, spread, draws, value (the lowest loss so far)."""
    import pandas as pd

    parts = []
    for trial in frames.own(DRAWS)[:MOST_LINES]:
        name = next((name for name in LOSSES if name in trial.curves), None)
        if name is None:
            continue
        curve = np.fmin.accumulate(goal_curve(trial, name))
        at = thinned(len(curve))
        spread = float(trial.config.get("spread", np.nan))
        parts.append(pd.DataFrame({"trial": trial.number, "spread": spread, "draws": at + 1, "value": curve[at]}))
    names = ["trial", "spread", "draws", "value"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({name: [] for name in names})


def cloud(frames: ReportData) -> Figure:
    """Draw the best so far of every search of random weights, with their median."""
    data, title = drawn_so_far(frames), "Random weights: the best so far of each search"
    if data["value"].notna().sum() == 0:
        return Figure("course-cloud", title, "No weights were drawn yet.")
    middle = (
        data.groupby("draws")["value"].quantile(np.array(BAND)).unstack().set_axis(["low", "value", "high"], axis=1)
    )
    axis, last = value_axis(data["value"], True), max(int(data["draws"].max()), 2)
    x = alt.X(
        field="draws",
        type="quantitative",
        scale=alt.Scale(type="log", domain=[1, last], nice=False),
        axis=alt.Axis(title="draws, logarithmic", labelExpr=LABEL, values=powers(1, last), grid=False),
    )
    y = alt.Y(field="value", type="quantitative", scale=axis.scale(), axis=axis.ticks("lowest loss so far"))
    told = [alt.Tooltip(field="trial", type="quantitative")]
    told += [alt.Tooltip(field=name, type="quantitative", format=".4~g") for name in ("spread", "draws", "value")]
    searches = alt.Chart(data).encode(x=x, y=y, detail="trial:Q", tooltip=told)
    summary = alt.Chart(middle.reset_index()).encode(x=x)
    low = alt.Y(field="low", type="quantitative", scale=axis.scale())
    layers = [
        summary.mark_area(style="quiet", opacity=0.25, interpolate="step-after").encode(y=low, y2="high"),
        searches.mark_line(style="quiet", strokeWidth=1, **STEPS).encode(opacity=fading(0.7)),
        summary.mark_line(style="ink", strokeWidth=2.2, **STEPS).encode(y=y),
        searches.transform_filter("datum.trial === marked").mark_line(style="ink", strokeWidth=3, **STEPS),
    ]
    caption = join(
        f"A thin line is one trial: weights drawn at random, the best of them kept. The thick line is the middle of"
        f" {count(data['trial'].nunique(), 'trial')}, the shade holds 80 %. Each step down takes about as many draws"
        " again as all before it: that is what a slope saves.",
        axis.words,
    )
    return Figure("course-cloud", title, caption, linked(layers, title, 300))


def rates(frames: ReportData) -> list[tuple[str, Trial]]:
    """Choose three trials of one method: smallest, best and largest learning rate; none if it has no three."""
    for name in RATE_METHODS:
        own = sorted(
            (t for t in frames.own(name) if "lr" in t.config and t.curves), key=lambda t: float(t.config["lr"])
        )
        best = next((t for t in best_of_each(frames) if t.config.get("optimizer") == name), None)
        if len(own) > 2 and best is not None and own[0] is not best and own[-1] is not best:
            return [("too small", own[0]), ("good", best), ("too large", own[-1])]
    return []


def rate_figure(frames: ReportData) -> Figure | None:
    """Draw curves of learning rates that are too small, good and too large."""
    import pandas as pd

    chosen = rates(frames)
    if not chosen:
        return None
    name, metric = str(chosen[0][1].config["optimizer"]), frames.study.metric
    parts = []
    for word, trial in chosen:
        curve = goal_curve(trial, metric)
        text = f"{word}: lr {float(trial.config['lr']):.3g}"
        part = pd.DataFrame(
            {"trial": trial.number, "rate": text, "epoch": np.arange(1, len(curve) + 1), "value": curve}
        )
        last = int(np.flatnonzero(np.isfinite(curve)).max(initial=-1))
        parts.append(part.assign(lost=(trial.state == TrialState.DIVERGED) & (part.index == last)))
    data = pd.concat(parts, ignore_index=True)
    title = f"{name}: learning rates too small, good and too large"
    axis = value_axis([value for word, trial in chosen[:2] for value in goal_curve(trial, metric)], True, far=WHOLE)
    names = list(dict.fromkeys(data["rate"]))
    last = max(int(data["epoch"].max()), 2)
    base = alt.Chart(data).encode(
        x=alt.X(
            field="epoch",
            type="quantitative",
            scale=alt.Scale(domain=[1, last], nice=False),
            axis=alt.Axis(title="epoch", format="d", values=whole(1, last), grid=False),
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
    lost = base.transform_filter("datum.lost").mark_point(shape=CROSS, filled=False, size=70, strokeWidth=2)
    caption = join(
        "Too small creeps, too large jumps from side to side or blows up: between them lies a factor of a few.",
        "A cross is where a trial diverged." if data["lost"].any() else "",
        axis.words,
        "What the largest reaches beyond the axis is drawn at its edge.",
    )
    return Figure("course-rates", title, caption, linked([base.mark_line(strokeWidth=2), lost], title, 300))


def stochastic(frames: ReportData) -> Figure:
    """Draw gradient descent against its stochastic form: the best of both after each epoch."""
    wanted = [t.number for t in best_of_each(frames) if t.config.get("optimizer") in ("gradient_descent", "sgd")]
    title = "Gradient descent against its stochastic form"
    data = frames.curves(wanted, [frames.study.metric])
    if data.empty:
        return Figure("course-stochastic", title, "Neither has a learning curve yet.")
    axis = value_axis(data["value"], frames.study.direction == Direction.MINIMIZE)
    shown, last = seen(frames, data["optimizer"]), max(int(data["epoch"].max()), 2)
    line = (
        alt.Chart(data)
        .mark_line(strokeWidth=2.2)
        .encode(
            x=alt.X(
                field="epoch",
                type="quantitative",
                scale=alt.Scale(domain=[1, last], nice=False),
                axis=alt.Axis(title="epoch: one pass over the data", format="d", values=whole(1, last), grid=False),
            ),
            y=alt.Y(field="value", type="quantitative", scale=axis.scale(), axis=axis.ticks(frames.study.metric)),
            **as_lines(frames, shown, alone=True),
            opacity=fading(1),
        )
    )
    caption = join(
        "Gradient descent takes one step a pass, along the slope of all rows; its stochastic form takes one for each"
        " minibatch, along a slope that is only right on average.",
        axis.words,
    )
    return Figure("course-stochastic", title, caption, linked([line], title, 300), shown)
