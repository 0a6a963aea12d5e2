"""Whether a linear model's classes can be told apart, wholly or in part, so that its training loss has no optimum.

Rows and wrong classes make pairs: the margin of a pair is the output of the row's class minus that of the other. Along
a direction whose margins are all positive the loss falls for ever (complete separation), and also along one that leaves
some pairs as they are, with a margin of zero, and raises others (quasi-complete separation).
"""

from __future__ import annotations

import numpy as np

from objectives.evaluation.training_loss import chunks, curved
from objectives.problem import Problem
from objectives.types import Array

__all__ = ["margins", "recedes"]

MOST_WEIGHTS = 2000  # whose square matrix is decomposed within seconds
DOUBTS = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7)  # shares of a wrong class above which a pair counts as undecided
NOTHING = 1e-13  # of the largest eigenvalue: what undecided pairs do not see
LEAST, SLACK = 1.0, 1e-6  # a margin that is one, and how far below zero, as a share of it, rounding may take others


def margins(problem: Problem, direction: Array, replicate: int) -> tuple[float, float]:
    """Compute the least and largest margin over all pairs of a replicate's train rows along a direction `(P,)`."""
    weights = direction.reshape(-1, problem.outputs)
    least, most = np.inf, -np.inf
    for x, y in chunks(problem, direction.dtype, replicate):
        if not len(x):
            continue
        z = x @ weights
        found = (2 * y - 1) * z if problem.data.task == "binary" else _against_others(z, y)
        least, most = min(least, float(found.min())), max(most, float(found[np.isfinite(found)].max()))
    return least, most


def _against_others(z: Array, y: Array) -> Array:
    """Compute the right class's output minus each other output `(B, C)`; the entry of the right class is inf."""
    found: Array = np.where(y > 0, np.inf, (z * y).sum(axis=1, keepdims=True) - z)
    return found


def recedes(problem: Problem, point: Array, replicate: int) -> bool:
    """Return True if a direction towards `point (P,)` lowers no pair's margin and raises some: then no optimum is
    finite.

    Far from the origin, pairs with rising margins are decided. Subtracting from the point all that undecided pairs
    depend on leaves a candidate direction, and the margins along it prove or refute it.
    """
    if margins(problem, point, replicate)[0] > 0:
        return True
    if len(point) > MOST_WEIGHTS or not np.isfinite(point).all():
        return False
    return any(_proves(problem, _unseen(problem, point, doubt, replicate), replicate) for doubt in DOUBTS)


def _proves(problem: Problem, direction: Array, replicate: int) -> bool:
    least, most = margins(problem, direction, replicate)
    return most >= LEAST and least >= -SLACK * most


def _unseen(problem: Problem, point: Array, doubt: float, replicate: int) -> Array:
    """Project `point (P,)` on the directions that change no margin of undecided pairs."""

    def undecided(q: Array, y: Array) -> Array:
        if problem.data.task == "binary":
            far: Array = (np.abs(y - q) > doubt)[:, :, None] * 1.0
            return far
        wrong = ((q > doubt) & (y == 0)) * 1.0
        across = y[:, :, None] * wrong[:, None, :]
        own = y * wrong.sum(axis=1, keepdims=True)
        found: Array = (own + wrong)[:, :, None] * np.eye(y.shape[1]) - across - across.transpose(0, 2, 1)
        return found

    sizes, directions = np.linalg.eigh(curved(problem, point, undecided, replicate))
    blind = directions[:, sizes <= NOTHING * max(float(sizes[-1]), float(np.finfo(float).tiny))]
    unseen: Array = blind @ (blind.T @ point)
    return unseen
