"""A view: one order of a table's configs and of its splits, of which a search sees some and the others judge it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.benchmarks.unseen.tables import OPTIMIZERS, Results

__all__ = ["DEFAULTS", "View", "view_of"]

Array = np.ndarray[Any, Any]
JUDGES = 16  # splits that no search sees
MOST = 500.0  # percent: more excess counts as this
DEFAULTS = len(OPTIMIZERS)  # the first configs of a table


@dataclass(frozen=True)
class View:
    """One order of configs and splits. `seen` `(configs, splits, epochs)`, `truth` `(configs, epochs)`."""

    seen: Array
    truth: Array
    constants: Array
    points: Array
    order: Array
    goal: float
    default_goal: float
    ratio: float
    rng: np.random.Generator
    memo: dict[Any, Any] = field(default_factory=dict)

    def excess(self, config: int, epoch: int) -> float:
        """By how many percent a pick is worse than the best of the table."""
        return min(MOST, 100 * (float(self.truth[config, epoch]) / self.goal - 1))

    def behind_default(self, config: int, epoch: int) -> float:
        """By how many percent a pick is worse than the best default at its best epoch."""
        return min(MOST, 100 * (float(self.truth[config, epoch]) / self.default_goal - 1))


def view_of(table: Results, number: int) -> View:
    """View `number` of a table: the defaults come first, the rest and the splits at random."""
    rng = np.random.default_rng([number, 7])
    splits = rng.permutation(table.losses.shape[1])
    judges, seen = splits[:JUDGES], splits[JUDGES:]
    truth = table.losses[:, judges].mean(axis=1)
    overall = table.losses.mean(axis=1)
    best = np.unravel_index(overall.argmin(), overall.shape)
    default = np.unravel_index(overall[:DEFAULTS].argmin(), overall[:DEFAULTS].shape)
    order = np.r_[:DEFAULTS, DEFAULTS + rng.permutation(len(truth) - DEFAULTS)]
    goals = float(truth[best]), float(truth[default])
    return View(table.losses[:, seen], truth, table.constants[seen], table.points, order, *goals, table.ratio, rng)
