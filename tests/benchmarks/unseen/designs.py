"""The designs: what a search that sees only some of the splits hands over, as pure functions on a view of a table.

A race has rungs (epochs, splits). Configs come in generations of 32; at each rung the best go on. A full training is 27
epochs on one split; everything that is trained is paid for, but no epoch of a split is paid for twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tests.benchmarks.unseen.cuts import Cut, going
from tests.benchmarks.unseen.rungs import Reading, Rung, epochs_by, rung_of, smoothed, width_of
from tests.benchmarks.unseen.tables import EPOCHS
from tests.benchmarks.unseen.views import View

__all__ = ["Design", "Hand", "Outcome", "alone", "picked", "race", "shape"]

Array = np.ndarray[Any, Any]
Hand = Callable[[View, float], tuple[int, int]]
GENERATION = 32
SMOOTHED, QUARTER = Reading(), Cut()


@dataclass(frozen=True)
class Design:
    """A race: rungs (epochs, splits), how curves are read there, who goes on, and the rule of the epoch at the end."""

    shape: tuple[tuple[int, int], ...]
    reading: Reading = SMOOTHED
    cut: Cut = QUARTER
    picked: str = ""


@dataclass(frozen=True)
class Outcome:
    """Who got to the last rung, best first, what that took in full trainings, and the last rung."""

    finishers: Array
    cost: float
    last: Rung


def shape(*splits: int, epochs: tuple[int, ...] = (3, 9, 27)) -> tuple[tuple[int, int], ...]:
    """Rungs with so many splits."""
    return tuple(zip(epochs, splits, strict=True))


def alone(design: Design) -> Hand:
    """A race without a final, as a function of a view and a budget."""
    return partial(_alone, design)


def _alone(design: Design, view: View, budget: float) -> tuple[int, int]:
    return picked(view, design, race(view, design, budget))


def race(view: View, design: Design, budget: float) -> Outcome:
    """Race generations until the budget is spent; the last as large as is left, the first never empty."""
    found, spent, at = [], 0.0, 0
    while at < len(view.order):
        size = min(GENERATION, len(view.order) - at)
        finishers, cost = raced(view, design, at, size)
        while spent + cost > budget and size > 1:
            size = min(size - 1, max(1, int(size * (budget - spent) / cost)))
            finishers, cost = raced(view, design, at, size)
        if at and spent + cost > budget:
            break
        found.append(finishers)
        spent, at = spent + cost, at + size
    last, everyone = rung_of(view, design.reading, *design.shape[-1]), np.concatenate(found)
    return Outcome(everyone[np.argsort(last.values[everyone], kind="stable")], spent, last)


def raced(view: View, design: Design, at: int, size: int) -> tuple[Array, float]:
    """Who of the next `size` configs gets to the end, and the cost; every generation is raced once."""
    key = design.shape, design.reading, design.cut, at, size
    if key not in view.memo:
        view.memo[key] = generation(view, design, view.order[at : at + size])
    return view.memo[key]


def generation(view: View, design: Design, group: Array) -> tuple[Array, float]:
    """Race a generation: who gets to the end, and the cost in full trainings."""
    cost, done = 0, 0
    for step, (epochs, splits) in enumerate(design.shape):
        cost += len(group) * (epochs * splits - done)
        done = epochs * splits
        if step < len(design.shape) - 1:
            group = going(rung_of(view, design.reading, epochs, splits), group, design.cut, step, view.ratio)
    return group, cost / EPOCHS


def picked(view: View, design: Design, outcome: Outcome) -> tuple[int, int]:
    """The config and the epoch that a race without a final hands over."""
    winner = int(outcome.finishers[0])
    if not design.picked:
        return winner, int(outcome.last.epochs[winner])
    losses = view.seen[winner : winner + 1, : design.shape[-1][1]]
    curve = smoothed(losses.mean(axis=1), width_of(design.picked))
    return winner, int(epochs_by(design.picked, curve, losses)[0])
