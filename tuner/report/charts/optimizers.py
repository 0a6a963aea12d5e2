"""Optimizers compared: how each does with equal budgets, the best of each with its interval, the time each takes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import altair as alt

from objectives.types import Direction
from tuner.enums import TrialState
from tuner.ranking.standings import best_chances
from tuner.report.budgets import best_of, chances
from tuner.report.charts.axes import Axis, reaching, value_axis, whole
from tuner.report.charts.base import FIRST, HEIGHT, Figure, count, field, goal_y, join, linked, pointing
from tuner.report.charts.line_names import line_names, name_height, room_for_names
from tuner.report.charts.style import AWAY, as_lines, as_points, colour, fading, seen
from tuner.report.report_data import ReportData
from tuner.report.theme import PALETTE
from tuner.text import interval_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BANDS", "compared", "optimizers", "tuning_curves"]

BANDS = 3  # in one chart: more of them cover each other
FAR = 2.0  # as `value_axis` has it, for what is a summary already
REPORTED = 11  # pixels below the check
TOLD = {
    "p_best": "P(best)",
    "search_value": "in the search",
    "search_rank": "rank there",
    "report": "final",
    "mean": "check",
}


def tuning_curves(frames: ReportData) -> pd.DataFrame:
    """Build the expected best of n trials, tidy: optimizer, trials, low, value (the median), high."""
    import pandas as pd

    parts = [best_of(frames, name).assign(optimizer=name) for name in frames.optimizers]
    return pd.concat(parts, ignore_index=True)[["optimizer", "trials", "low", "value", "high"]]


def compared(frames: ReportData) -> pd.DataFrame:
    """Compare optimizers, one row each: its trials, how they ended, its best, how sure that is, seconds a trial.

    search       best value of its trials
    trial        its best trial: the confirmed best, where one of its trials was confirmed
    confirmed    that trial's mean on fresh seeds, with `low` and `high`
    p_best       its probability to have the best mean of those
    ahead        chance of the optimizer to have the best trial of a search in which all have equal budgets
    """
    import pandas as pd

    odds, rows = chances(frames), []
    firsts = {name: first for name in frames.optimizers if (first := frames.first(name)) is not None}
    sure = best_chances(frames.study, frames.found.confirmed, list(firsts.values()), frames.found.facts)
    for name in frames.optimizers:
        own, first = frames.own(name), firsts.get(name)
        best = next((trial for trial in frames.leaders if trial.config.get("optimizer") == name), None)
        standing = next((s for s in frames.found.standings if s.trial == first), None)
        rows.append(
            {
                "optimizer": name,
                "trials": len(own),
                "complete": sum(trial.state == TrialState.COMPLETE for trial in own),
                "pruned": sum(trial.state == TrialState.PRUNED for trial in own),
                "diverged": sum(trial.state in (TrialState.DIVERGED, TrialState.FAILED) for trial in own),
                "search": best.value if best else None,
                "trial": first,
                "confirmed": standing.goal.mean if standing else None,
                "low": standing.goal.low if standing else None,
                "high": standing.goal.high if standing else None,
                "p_best": None if first is None else sure.get(first),
                "ahead": odds.get(name),
                "seconds": sum(trial.seconds for trial in own) / len(own) if own else None,
            }
        )
    return pd.DataFrame(rows)


def optimizers(frames: ReportData) -> list[Figure]:
    """Draw tuning curves, where there are optimizers, and confirmed trials beside their values in the search."""
    return [*([tuned(frames)] if frames.optimizers else []), confirmed(frames)]


def tuned(frames: ReportData) -> Figure:
    """Draw the best of n trials over n."""
    data, title = tuning_curves(frames), f"Best {frames.study.metric} after as many trials"
    if data["value"].notna().sum() == 0:
        return Figure("optimizers", title, "No trial has a value yet.")
    data = data.assign(last=data.groupby("optimizer")["trials"].transform("max") == data["trials"])
    axis = tuned_axis(frames, data)
    budgets = [len(frames.own(name)) for name in frames.optimizers if frames.own(name)]
    shown = seen(frames, data.loc[data["value"].notna(), "optimizer"])
    many = len(shown) > PALETTE
    x = alt.X(
        field="trials",
        type="quantitative",
        scale=alt.Scale(domain=[1, max(2, *budgets)], nice=False, range=room_for_names() if many else alt.Undefined),
        axis=alt.Axis(title="trials of the optimizer", format="d", values=whole(1, max(2, *budgets))),
    )
    banded = sorted(shown, key=lambda name: -chances(frames)[name])[:BANDS]
    base = alt.Chart(data).transform_filter("isValid(datum.value)").encode(x=x)
    told = [
        alt.Tooltip(field="optimizer", type="nominal"),
        alt.Tooltip(field="trials", type="quantitative"),
        alt.Tooltip(field="value", type="quantitative", title="median best", format=".4~g"),
    ]
    lines = base.encode(y=goal_y(frames, axis), opacity=fading(1), tooltip=told)
    layers = [
        base.mark_area(clip=True).encode(
            y=alt.Y(field="low", type="quantitative", scale=axis.scale()),
            y2="high",
            color=colour(frames, shown),
            opacity=banded_opacity(banded),
        ),
        lines.mark_line(strokeWidth=2.2).encode(**as_lines(frames, shown)),
        lines.transform_filter("datum.last")
        .mark_point(filled=True, size=40)
        .encode(**pointing(axis, as_points(frames, shown))),
        *(line_names(frames, data[data["last"] & data["value"].notna()], x, axis, shown) if many else []),
    ]
    uneven = len(budgets) > 1 and min(budgets) < max(budgets)
    if uneven:
        import pandas as pd

        rule = alt.Chart(pd.DataFrame({"trials": [min(budgets)]})).mark_rule(style="quiet", strokeDash=[4, 4])
        layers.insert(0, rule.encode(x=x))
    some = f", shown of {', '.join(banded)}: choose another in the legend to see its own" if len(shown) > BANDS else ""
    caption = join(
        "What the best of n of an optimizer's trials comes to, drawn at random from those it had: the line is the"
        f" median, the band holds 80 %{some}.",
        f"Budgets differ: compare at the dashed rule ({count(min(budgets), 'trial')}), the smallest of them."
        if uneven
        else "",
        "A sampler that adapts chose later trials by earlier ones, so early parts of a line are pessimistic.",
        axis.words,
    )
    height = name_height(len(shown), HEIGHT) if many else HEIGHT
    return Figure("optimizers", title, caption, linked(layers, title, height), shown)


def tuned_axis(frames: ReportData, data: pd.DataFrame) -> Axis:
    """Choose the axis of the best of n trials; those that have the first of the ranking end on it."""
    axis = value_axis(data["value"], frames.study.direction == Direction.MINIMIZE, FAR)
    first = {str(trial.config.get("optimizer", "")) for trial in frames.leaders[:FIRST]}
    ends = data[data["last"] & data["value"].notna()]
    return reaching(axis, list(ends.loc[ends["optimizer"].isin(first), "value"]), ends["value"])


def banded_opacity(banded: list[str]) -> alt.OpacityValue:
    """Encode the opacity of bands; while an optimizer is in focus, only its band is visible."""
    own = f"focus === datum.optimizer || (focus === '' && indexof({json.dumps(banded)}, datum.optimizer) >= 0)"
    return alt.OpacityValue(0, condition=[{"test": AWAY, "value": 0}, {"test": own, "value": 0.18}])


def confirmed(frames: ReportData) -> Figure:
    """Draw confirmed means with their intervals, beside the search's values."""
    data, title = frames.confirmation, "In the search, and checked"
    if data.empty:
        return Figure("confirmation", title, "Nothing is checked yet: the search's values stand alone.")
    data = data.assign(label=[f"{trial} {name}" for trial, name in zip(data["trial"], data["optimizer"], strict=True)])
    ends = ["mean", "low", "high", "search_value", "report", "report_low", "report_high"]
    axis = value_axis(data[ends].to_numpy(dtype=float).ravel(), far=FAR)
    shown = seen(frames, data["optimizer"])

    def along(name: str) -> alt.X:
        return alt.X(field=name, type="quantitative", scale=axis.scale(), axis=axis.ticks(frames.study.metric))

    y = alt.Y(field="label", type="nominal", sort=list(data["label"]), axis=alt.Axis(title=None, labelLimit=170))
    told = [
        alt.Tooltip(field=field(name), type="quantitative", title=TOLD.get(name, name), format=".4~g")
        for name in ("trial", "rank", "mean", "low", "high", "p_best", "search_value", "search_rank", "seeds", "report")
    ]
    base = alt.Chart(data).encode(y=y, tooltip=told)
    spans = base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=3)
    reports = base.transform_filter("isValid(datum.report)")
    layers = [
        spans.encode(x=along("low"), x2="high", color=colour(frames, shown), opacity=fading(0.7)),
        base.mark_point(filled=True, size=110).encode(x=along("mean"), **as_points(frames, shown), opacity=fading(1)),
        reports.mark_rule(style="ink", strokeWidth=1.5, yOffset=REPORTED).encode(
            x=along("report_low"), x2="report_high"
        ),
        reports.mark_point(style="ink", shape="diamond", filled=True, size=60, yOffset=REPORTED).encode(
            x=along("report")
        ),
        base.mark_tick(style="ink", thickness=2.5, size=16).encode(x=along("search_value")),
        base.transform_filter("datum.trial === marked")
        .mark_point(style="marked", size=260, opacity=1)
        .encode(x=along("mean")),
    ]
    seeds = int(data["seeds"].iloc[0])
    of = interval_of(frames.found.standings[0].goal.of, frames.study.metric)
    splits = frames.study.splits
    searched = f" of the first, fewer for some, and the {splits} splits of the search" if splits > 1 else ""
    caption = join(
        f"A row a trial, best first. Points are checks: means over {count(seeds, 'fresh split')}{searched}, which chose"
        " the best,"
        f" with their {of}; the upright stroke is what the search had measured. A stroke far on"
        " the good side of its interval was luck.",
        "The diamond below the first is its final value, on seeds that chose nothing: quote that one."
        if data["report"].notna().any()
        else "",
        axis.words,
    )
    return Figure("confirmation", title, caption, linked(layers, title, 70 + 32 * len(data)), shown)
