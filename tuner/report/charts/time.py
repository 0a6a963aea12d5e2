"""Where the work went: how far trials came, what pruning saved, the training time of generations, the workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt

from tuner.enums import TrialState
from tuner.report.charts.axes import whole
from tuner.report.charts.base import Figure, linked
from tuner.report.charts.workers import timeline
from tuner.report.report_data import ReportData

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["STATES", "endings", "generations", "saved", "time"]

LEAST = 6  # places of bars, taken or not: a single one is no wall
MOST_TICKS = 12
STATES = tuple(state.value for state in TrialState)


def endings(frames: ReportData) -> pd.DataFrame:
    """Count the trials by their last epoch and state: epochs, state, trials."""
    frame = frames.trials
    return (
        frame.groupby(["epochs", "state"], observed=True).size().rename("trials").reset_index().astype({"state": "str"})
    )


def generations(frames: ReportData) -> pd.DataFrame:
    """Sum the training seconds of each generation by the trials' states: generation, state, seconds, trials."""
    groups = frames.trials.groupby(["generation", "state"], observed=True)["seconds"]
    return groups.agg(seconds="sum", trials="size").reset_index().astype({"state": "str"})


def saved(frames: ReportData) -> float:
    """Return the share of epochs that pruning saved, out of all epochs if every trial had been trained to the end."""
    trials = frames.found.all_trials
    full = sum(int(trial.config.get("epochs", trial.epochs)) for trial in trials)
    spared = sum(int(t.config.get("epochs", t.epochs)) - t.epochs for t in trials if t.state == TrialState.PRUNED)
    return spared / full if full else 0.0


def time(frames: ReportData) -> list[Figure]:
    """Draw bars of the trials' last epochs, of generations, and of when those ran."""
    if frames.trials.empty:
        return [Figure("time", "How far trials came, and how they ended", "There are no trials yet.")]
    title = "How far trials came, and how they ended"
    first = stacked(endings(frames), "epochs", "epochs trained", "trials", "trials", title)
    share = saved(frames)
    spared = f"Pruning spared {100 * share:.0f} % of the epochs of training all of them to the end."
    caption = f"Trials are compared at rungs, where the weak are pruned. {spared if share else 'Nothing was pruned.'}"
    return [Figure("time", title, caption, first), by_generation(frames), timeline(frames)]


def by_generation(frames: ReportData) -> Figure:
    """Draw training time by generation."""
    title = "Training time of each generation"
    chart = stacked(generations(frames), "generation", "generation", "seconds", "seconds of training", title)
    about = "Trials asked for together make a generation; those of the first ones know nothing of the search yet."
    return Figure("time-generations", title, about, chart)


def stacked(data: pd.DataFrame, over: str, over_title: str, value: str, value_title: str, title: str) -> Any:
    """Draw bars stacked by state."""
    known = [state for state in STATES if state in set(data["state"])]
    state = alt.Color(
        field="state",
        type="nominal",
        sort=list(STATES),
        scale=alt.Scale(domain=list(STATES), range="diverging"),
        legend=alt.Legend(title=None, values=known),
    )
    steps: dict[str, Any] = {"tickMinStep": 1} if value == "trials" else {}
    places = sorted(map(int, data[over].unique()))
    some = (
        whole(places[0], places[-1], MOST_TICKS) if over == "generation" else places[:: -(-len(places) // MOST_TICKS)]
    )
    bars = (
        alt.Chart(data)
        .mark_bar(width={"band": 0.9 if len(places) > 2 else 0.5})
        .encode(
            x=alt.X(
                field=over,
                type="ordinal",
                scale=alt.Scale(paddingInner=0.1, paddingOuter=min(1.0, max(0.1, (LEAST - len(places)) / 2))),
                axis=alt.Axis(title=over_title, labelAngle=0, labelOverlap=True, values=some),
            ),
            y=alt.Y(
                field=value,
                type="quantitative",
                aggregate="sum",
                axis=alt.Axis(title=value_title, format=".6~g", tickCount=5, **steps),
            ),
            color=state,
            tooltip=[
                alt.Tooltip(field=over, type="ordinal", title=over_title),
                alt.Tooltip(field="state", type="nominal"),
                alt.Tooltip(field=value, type="quantitative", format=".3~g"),
            ],
        )
    )
    return linked([bars], title, 200)
