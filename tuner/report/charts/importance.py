"""Importance: which parameters separate the good trials from the rest, with the reasons to doubt it."""

from __future__ import annotations

import altair as alt

from tuner.report.charts.base import Figure, count, join, linked
from tuner.report.importance import ENOUGH, compared_at
from tuner.report.report_data import Frames

__all__ = ["importances", "two_that_matter"]

MOST_BARS = 20
FEWEST = 0.1  # of the trials, for a parameter to be drawn against another
TITLE = "What separates the best tenth of the trials from the rest"


def importances(frames: Frames) -> list[Figure]:
    """Draw the shares as bars."""
    data = frames.importance
    if data.empty:
        few = f"It takes {ENOUGH} trials compared after the same epochs: fewer show the noise and call it importance."
        return [Figure("importance", TITLE, few)]
    epochs, trials = compared_at(frames.study, frames.found.all_trials)
    shown = data.head(MOST_BARS)
    bars = (
        alt.Chart(shown)
        .mark_bar(height=14)
        .encode(
            x=alt.X(
                field="share",
                type="quantitative",
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(title="share", format="%", values=[0, 0.25, 0.5, 0.75, 1]),
            ),
            y=alt.Y(field="parameter", type="nominal", sort=None, axis=alt.Axis(title=None)),
            tooltip=[
                alt.Tooltip(field="parameter", type="nominal"),
                alt.Tooltip(field="share", type="quantitative", format=".0%"),
            ],
        )
    )
    caption = join(
        f"PED-ANOVA over {count(len(trials), 'trial')} compared after {count(epochs, 'epoch')}. After a search that"
        " adapts this is biased: where it has found the good values of a parameter, nearly all trials have them, and"
        " the parameter seems to matter little.",
        "Optimizers share parameters of one role (momentum and beta1)." if len(frames.optimizers) > 1 else "",
        f"Left out: {count(len(data) - len(shown), 'parameter')} of smaller shares." if len(data) > len(shown) else "",
    )
    return [Figure("importance", TITLE, caption, linked([bars], TITLE, 40 + 24 * len(shown)))]


def two_that_matter(frames: Frames) -> tuple[str, str] | None:
    """Choose the two most important searched numbers; without importances, those that most trials search."""
    order = list(frames.importance["parameter"])
    numbers = [name for name in frames.searched if all(p.ordered for p in frames.parameters if p.name == name)]
    shares = {name: searching(frames, name) for name in numbers}
    numbers = [name for name in numbers if shares[name] > FEWEST]
    numbers.sort(key=lambda name: (shares[name] <= 0.5, order.index(name) if name in order else len(order)))
    return (numbers[0], numbers[1]) if len(numbers) > 1 else None


def searching(frames: Frames, name: str) -> float:
    """Return the share of trials that search a parameter rather than hold it fixed."""
    own, trials = {p.optimizer for p in frames.parameters if p.name == name}, frames.found.all_trials
    having = [t for t in trials if t.config.get(name) is not None]
    return sum("" in own or t.config.get("optimizer") in own for t in having) / max(len(trials), 1)
