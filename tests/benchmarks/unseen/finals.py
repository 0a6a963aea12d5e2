"""The final: the first of a race on fresh splits, in stages, those that cannot win dropping out on the way.

A final takes at most a share of what the search took. `fixed` finals take what they take, and the search gets the rest;
with `beside` the search gets the whole budget, and the final comes on top.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tests.benchmarks.unseen.cuts import behind, quantile
from tests.benchmarks.unseen.designs import Design, Hand, Outcome, picked, race
from tests.benchmarks.unseen.rungs import epochs_by, smoothed, width_of
from tests.benchmarks.unseen.views import DEFAULTS, View

__all__ = ["Final", "with_final"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Final:
    """Who is in it, on how many fresh splits after each stage, and what it decides by.

    `by`: "fresh" means at the search's epoch, "fresh epoch" at their own, or "pooled" with those of the search; or
    "search epoch", pooled at the search's epoch with fresh scores of that epoch alone; or "search epoch, then all",
    with averages over epochs, the epoch of the chosen one being that of all splits. The first stage is held whatever it
    takes where it is `aside`.
    `level`: how sure it must be that one cannot win. `safe`: how sure that the first beats the best default, which is
    handed over otherwise; 0 for no such rule.
    """

    first: int = 5
    stages: tuple[int, ...] = (4, 8, 16, 32)
    by: str = "pooled"
    level: float = 0.95
    default: bool = True
    share: float = 0.25
    fixed: bool = False
    safe: float = 0.0
    corrected: bool = True
    aside: bool = False
    beside: bool = False


@dataclass(frozen=True)
class Stage:
    """Contenders after a stage, best first, with their epochs and their scores `(contenders, splits)`."""

    contenders: Array
    epochs: Array
    scores: Array


def with_final(design: Design, final: Final) -> Hand:
    """A race and its final, as a function of a view and a budget."""
    return partial(_handed, design, final)


def _handed(design: Design, final: Final, view: View, budget: float) -> tuple[int, int]:
    fixed = final.first * final.stages[-1] if final.fixed else 0
    searching = budget / (1 if final.beside else 1 + final.share)
    outcome = race(view, design, budget - fixed if final.fixed else searching)
    allowed = fixed if final.fixed else final.share * outcome.cost
    stage = held(view, design, final, outcome, allowed)
    if stage is None:
        return picked(view, design, outcome)
    at = chosen(stage, final, view.ratio)
    winner = int(stage.contenders[at])
    if final.by == "search epoch, then all":
        losses = view.seen[winner, : stage.scores.shape[1]]
        return winner, int(smoothed(losses.mean(axis=0), width_of(design.reading.rule)).argmin())
    return winner, int(stage.epochs[at])


def entrants(final: Final, outcome: Outcome) -> Array:
    """The first of the race, and the best default that got to its end."""
    first = outcome.finishers[: final.first]
    defaults = outcome.finishers[outcome.finishers < DEFAULTS][: int(final.default)]
    return np.r_[first, defaults[~np.isin(defaults, first)]]


def held(view: View, design: Design, final: Final, outcome: Outcome, allowed: float) -> Stage | None:
    """Hold the final; None where it cannot be paid for."""
    left, done, searched = entrants(final, outcome), 0, design.shape[-1][1]
    stage = None
    allowed = max(allowed, final.stages[0] * len(left)) if final.aside else allowed
    for count in final.stages:
        if stage is None and count * len(left) > allowed:
            left = left[: max(2, int(allowed // count))]
        cost = (count - done) * len(left)
        if len(left) < 2 or cost > allowed or searched + count > view.seen.shape[1]:
            break
        allowed, done = allowed - cost, count
        stage = seen_by(view, design, final, outcome, left, count)
        if final.level:
            t = behind(stage.scores, stage.scores[0], view.ratio if final.corrected else 0.0)
            left = stage.contenders[np.r_[True, t[1:] <= quantile(final.level, stage.scores.shape[1])]]
    return stage


def seen_by(view: View, design: Design, final: Final, outcome: Outcome, left: Array, count: int) -> Stage:
    """What so many fresh splits say, with or without those of the search."""
    searched = design.shape[-1][1]
    start = searched if final.by.startswith("fresh") else 0
    losses = view.seen[left, start : searched + count]
    rule = design.picked or design.reading.rule
    curves = smoothed(losses, width_of(rule))
    mean = curves.mean(axis=1)
    searched_for = final.by == "fresh" or final.by.startswith("search epoch")
    epochs = outcome.last.epochs[left] if searched_for else epochs_by(rule, mean, losses)
    if final.by == "search epoch":
        curves = np.concatenate([curves[:, :searched], losses[:, searched:]], axis=1)
        mean = curves.mean(axis=1)
    rows = np.arange(len(left))
    order = np.argsort(mean[rows, epochs], kind="stable")
    return Stage(left[order], epochs[order], curves[rows, :, epochs][order])


def chosen(stage: Stage, final: Final, ratio: float) -> int:
    """Which contender is handed over: the first, or the best default where that is not surely worse."""
    defaults = np.flatnonzero(stage.contenders < DEFAULTS)
    if not final.safe or not len(defaults) or defaults[0] == 0:
        return 0
    t = behind(stage.scores[defaults[0]], stage.scores[0], ratio if final.corrected else 0.0)
    return 0 if t > quantile(final.safe, stage.scores.shape[1]) else int(defaults[0])
