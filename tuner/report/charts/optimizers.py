"""Optimizers compared: how each does with equal budgets, the best of each with its interval, the time each takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt

from tuner.report.budgets import best_of, chances
from tuner.report.charts.base import Figure, field, goal_y, join, linked, value_axis
from tuner.report.charts.looks import as_lines, as_points, colour, fading
from tuner.report.found import Frames

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["compared", "optimizers", "tuning_curves"]


def tuning_curves(frames: Frames) -> pd.DataFrame:
    """What the best of n trials comes to, tidy: optimizer, trials, low, value (the median), high."""
    import pandas as pd

    parts = [best_of(frames, name).assign(optimizer=name) for name in frames.optimizers]
    return pd.concat(parts, ignore_index=True)[["optimizer", "trials", "low", "value", "high"]]


def compared(frames: Frames) -> pd.DataFrame:
    """One row an optimizer: trials, how they ended, best, its chance of the best at equal budgets, seconds a trial."""
    import pandas as pd

    odds, rows = chances(frames), []
    for name in frames.optimizers:
        own = frames.own(name)
        best = next((trial for trial in frames.leaders if trial.config.get("optimizer") == name), None)
        standing = next((s for s in frames.found.standings if best and s.trial == best.number), None)
        rows.append(
            {
                "optimizer": name,
                "trials": len(own),
                "complete": sum(trial.state == "complete" for trial in own),
                "pruned": sum(trial.state == "pruned" for trial in own),
                "diverged": sum(trial.state in ("diverged", "failed") for trial in own),
                "best": best.value if best else None,
                "trial": best.number if best else None,
                "confirmed": standing.goal.mean if standing else None,
                "low": standing.goal.low if standing else None,
                "high": standing.goal.high if standing else None,
                "chance": odds.get(name),
                "seconds": sum(trial.seconds for trial in own) / len(own) if own else None,
            }
        )
    return pd.DataFrame(rows)


def optimizers(frames: Frames) -> list[Figure]:
    """Tuning curves, where there are optimizers, and the confirmed trials beside what the search said of them."""
    return [*([tuned(frames)] if frames.optimizers else []), confirmed(frames)]


def tuned(frames: Frames) -> Figure:
    """The best of n trials over n."""
    data, title = tuning_curves(frames), f"Best {frames.study.metric} after as many trials"
    if data["value"].notna().sum() == 0:
        return Figure("optimizers", title, "No trial has a value yet.")
    axis = value_axis(data["value"], frames.study.direction == "minimize")
    budgets = [len(frames.own(name)) for name in frames.optimizers if frames.own(name)]
    x = alt.X(
        field="trials",
        type="quantitative",
        scale=alt.Scale(domainMin=1, nice=False),
        axis=alt.Axis(title="trials of the optimizer", format="d", tickMinStep=1),
    )
    base = alt.Chart(data).transform_filter("isValid(datum.value)").encode(x=x)
    scale = axis.scale()
    layers = [
        base.mark_area(clip=True).encode(
            y=alt.Y(field="low", type="quantitative", scale=scale),
            y2="high",
            color=colour(frames),
            opacity=fading(0.16, 0.02),
        ),
        base.mark_line(strokeWidth=2.2).encode(
            y=goal_y(frames, axis),
            **as_lines(frames),
            opacity=fading(1),
            tooltip=[
                alt.Tooltip(field="optimizer", type="nominal"),
                alt.Tooltip(field="trials", type="quantitative"),
                alt.Tooltip(field="value", type="quantitative", title="median best", format=".4~g"),
            ],
        ),
    ]
    if len(budgets) > 1 and min(budgets) < max(budgets):
        import pandas as pd

        rule = alt.Chart(pd.DataFrame({"trials": [min(budgets)]})).mark_rule(style="quiet", strokeDash=[4, 4])
        layers.insert(0, rule.encode(x=x))
    caption = join(
        "What the best of n of an optimizer's trials comes to, drawn at random from those it had: the line is the"
        " median,"
        " the band holds 80 %.",
        f"Budgets differ: compare at the dashed rule ({min(budgets)} trials), the smallest of them."
        if layers[0].mark != "area" and len(budgets) > 1 and min(budgets) < max(budgets)
        else "",
        "A sampler that adapts chose later trials by earlier ones, so early parts of a line are pessimistic.",
        axis.words,
    )
    return Figure("optimizers", title, caption, linked(layers, title), True)


def confirmed(frames: Frames) -> Figure:
    """Confirmed means with their intervals, beside the search's values."""
    data, title = frames.confirmation, "Search value and confirmed interval"
    if data.empty:
        return Figure("confirmation", title, "Nothing is confirmed yet: the search's values stand alone.")
    data = data.assign(label=[f"{trial} {name}" for trial, name in zip(data["trial"], data["optimizer"], strict=True)])
    metric = frames.study.metric
    ends = [*data["low"], *data["high"], *data["mean"], *data["search_value"]]
    axis = value_axis([value for value in ends if value == value])
    x = alt.X(
        field="mean", type="quantitative", scale=axis.scale(), axis=alt.Axis(title=metric, format=".3~g", tickCount=6)
    )
    y = alt.Y(field="label", type="nominal", sort=list(data["label"]), axis=alt.Axis(title="trial", labelLimit=130))
    found = [
        alt.Tooltip(field=field(name), type="quantitative", title=name.replace("_", " "), format=".4~g")
        for name in ("trial", "rank", "mean", "low", "high", "p_best", "search_value", "search_rank", "seeds")
    ]
    base = alt.Chart(data).encode(y=y, tooltip=found)
    layers = [
        base.transform_filter("isValid(datum.low)")
        .mark_rule(strokeWidth=3)
        .encode(
            x=alt.X(field="low", type="quantitative", scale=axis.scale()),
            x2="high",
            color=colour(frames),
            opacity=fading(0.7),
        ),
        base.mark_point(filled=True, size=110).encode(x=x, **as_points(frames), opacity=fading(1)),
        base.mark_tick(style="ink", thickness=2.5, size=16).encode(
            x=alt.X(field="search_value", type="quantitative", scale=axis.scale())
        ),
        base.transform_filter("datum.trial === marked").mark_point(style="marked", size=260, opacity=1).encode(x=x),
    ]
    seeds = int(data["seeds"].iloc[0])
    caption = join(
        f"Best first. Points are means over {seeds} fresh seeds with their 95 % interval; the upright stroke is what"
        " the"
        " search had measured, on one split. A stroke far on the good side of its interval was luck.",
        axis.words,
    )
    return Figure("confirmation", title, caption, linked(layers, title, 60 + 28 * len(data)), True)
