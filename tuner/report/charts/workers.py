"""Who ran what when: a bar a task in the lane of its worker; where that is not known, a bar a generation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt

from tuner.report.charts.base import Figure, count, join, linked
from tuner.report.report_data import Frames

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["idle", "runs", "tasks", "timeline", "width"]

MOST_BARS = 1000  # or so: shorter tasks are joined with their neighbours
TOLD = 6  # trials of a task in its tooltip
TITLE = "What each worker ran"


def runs(frames: Frames) -> pd.DataFrame:
    """Build when each generation ran, in seconds of running time without pauses: generation, start, end, workers."""
    import pandas as pd

    timed = [(g.number, g.facts) for g in frames.found.generations if {"began", "ended", "workers"} <= set(g.facts)]
    rows, shift, reached = [], 0.0, None
    for number, facts in sorted(timed, key=lambda one: float(one[1]["began"])):
        began, ended = float(facts["began"]), float(facts["ended"])
        shift += began if reached is None else max(began - reached, 0.0)
        reached = ended if reached is None else max(reached, ended)
        rows.append((number, began - shift, ended - shift, int(facts["workers"])))
    return pd.DataFrame(rows, columns=["generation", "start", "end", "workers"])


def tasks(frames: Frames) -> pd.DataFrame:
    """List every task of the search: worker (from 1), generation, rung, start, end (as in `runs`), count, trials
    as text.
    """
    import pandas as pd

    timed = runs(frames)
    starts = dict(zip(timed["generation"], timed["start"], strict=True))
    rows = [
        (worker + 1, g.number, rung, starts[g.number] + began, starts[g.number] + ended, len(trials), listed(trials))
        for g in frames.found.generations
        if g.number in starts
        for worker, began, ended, rung, trials in g.facts.get("ran", ())
    ]
    names = ["worker", "generation", "rung", "start", "end", "count", "trials"]
    return pd.DataFrame(sorted(rows), columns=names).sort_values(["worker", "start"], ignore_index=True)


def listed(trials: list[int]) -> str:
    """Write trial numbers, the first few of many."""
    return ", ".join(map(str, trials[:TOLD])) + (" ..." if len(trials) > TOLD else "")


def joined(data: pd.DataFrame, most: int = MOST_BARS) -> pd.DataFrame:
    """Join almost adjacent tasks of a worker and generation where there are too many to tell apart."""
    if len(data) <= most:
        return data
    grain = float(data["end"].max()) * data["worker"].nunique() / most
    new = (data["worker"] != data["worker"].shift()) | (data["generation"] != data["generation"].shift())
    new |= (data["end"] // grain) != (data["end"].shift() // grain)
    groups = data.groupby(new.cumsum(), sort=False)
    first = groups[["worker", "generation", "rung", "start"]].first()
    both = first.assign(end=groups["end"].max(), count=groups["count"].sum(), trials=groups["trials"].first())
    both["trials"] = both["trials"].where(groups.size() == 1, "of several tasks")
    return both.reset_index(drop=True)


def width(frames: Frames) -> int:
    """Return the largest number of workers at any time."""
    timed = runs(frames)
    return 0 if timed.empty else int(timed["workers"].max())


def idle(frames: Frames) -> float | None:
    """Return the share of the workers' time, while the study ran, without training; None where it is not known."""
    timed, ran = runs(frames), tasks(frames)
    if timed.empty or len(timed) < len(frames.found.generations):
        return None
    known = set(ran["generation"]) == set(timed["generation"])
    busy = (ran["end"] - ran["start"]).sum() if known else sum(trial.seconds for trial in frames.found.all_trials)
    given = float((timed["end"].max()) * width(frames))
    return max(0.0, 1 - float(busy) / given) if given > 0 else None


def timeline(frames: Frames) -> Figure:
    """Draw one lane for each worker, and say how busy they were."""
    data, share = tasks(frames), idle(frames)
    if runs(frames).empty:
        return Figure("time-line", TITLE, "When this study ran is not known.")
    waited = "" if share is None else f"{count(width(frames), 'worker')}, idle {100 * share:.0f} % of the time."
    if data.empty:
        return by_generation(runs(frames), waited)
    shown = joined(data)
    rungs = sorted(map(int, data["rung"].unique()))
    rung = alt.Color(
        field="rung",
        type="ordinal",
        scale=alt.Scale(domain=rungs, range="ordinal"),
        legend=alt.Legend(title="rung", titleOrient="left", symbolType="square") if len(rungs) > 1 else None,
    )
    told = [alt.Tooltip(field=name, type="nominal") for name in ("worker", "generation", "rung", "count", "trials")]
    told += [alt.Tooltip(field=name, type="quantitative", format=".3~g") for name in ("start", "end")]
    lanes = bars(shown, "worker").encode(color=rung, tooltip=told)
    about = join(
        "A bar is a task: trials that trained together, up to a rung. A worker that died has another in its place,"
        " in a lane of its own.",
        waited,
        "Short tasks are joined with their neighbours." if len(shown) < len(data) else "",
    )
    return Figure("time-line", TITLE, about, linked([lanes], TITLE, lanes_height(data["worker"].nunique())))


def by_generation(data: pd.DataFrame, waited: str) -> Figure:
    """Draw when generations ran, for a study that did not record its workers."""
    title = "When generations ran"
    told = [alt.Tooltip(field=name, type="quantitative", format=".3~g") for name in data.columns]
    about = "A generation is asked for while the one before it still trains, so that workers need not wait."
    chart = linked([bars(data, "generation").encode(tooltip=told)], title, lanes_height(len(data)))
    return Figure("time-line", title, join(about, waited), chart)


def lanes_height(lanes: int) -> int:
    """Return the height of a chart of lanes in pixels, with its legend and axis."""
    return min(110 + 22 * lanes, 460)


def bars(data: pd.DataFrame, lane: str) -> Any:
    """Draw bars from start to end, in lanes."""
    axis = alt.Axis(title="seconds of running, pauses left out", format=".6~g", tickCount=6, grid=False)
    y = alt.Y(field=lane, type="ordinal", axis=alt.Axis(title=lane, labelOverlap=True))
    marks = alt.Chart(data).mark_bar(height={"band": 0.8})
    return marks.encode(x=alt.X(field="start", type="quantitative", axis=axis), x2="end", y=y)
