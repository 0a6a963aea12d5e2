"""`PRUNERS`: who goes on from a rung, by the name that a study file gives them. To add one, add a row.

A generation is compared at the rungs of its ladder, all of it at once: what is cut depends on no clock and no order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tuner.records import Stage

__all__ = ["PRUNERS", "Ladder", "Pruner", "cost", "reduction_at", "survivors"]

Ladder = tuple[Stage, ...]


@dataclass(frozen=True)
class Pruner:
    """A row: the ladders that generations take in turn, and who goes on from a rung.

    `going(values, stable, reduction, bar)` gives indices; values are turned so that lower is better, inf for a trial
    that has ended; `bar` is the median of all that reached the rung in earlier generations, None for too few.
    """

    name: str
    summary: str
    ladders: Callable[[Ladder], tuple[Ladder, ...]]
    going: Callable[[Sequence[float], Sequence[bool], int, float | None], list[int]]
    looks_back: bool = False


def survivors(values: Sequence[float], stable: Sequence[bool], reduction: int) -> list[int]:
    """Return the indices that go on from a rung: the best of every `reduction`, stable ones first, none that
    diverged.
    """
    keep = math.ceil(len(values) / reduction)
    alive = [i for i, value in enumerate(values) if math.isfinite(value)]
    return sorted(sorted(alive, key=lambda i: (not stable[i], values[i], i))[:keep])


def better_half(values: Sequence[float], stable: Sequence[bool], reduction: int, bar: float | None) -> list[int]:
    """Return the indices no worse than the median of earlier generations, or the better half where there are none."""
    del reduction
    if bar is None:
        return survivors(values, stable, 2)
    return [i for i, value in enumerate(values) if math.isfinite(value) and value <= bar and stable[i]]


def cost(ladder: Ladder, reduction: int) -> float:
    """Return a trial's average cost on a ladder over all of its splits, given how many go on."""
    done, share, total = 0, 1.0, 0.0
    for rung, stage in enumerate(ladder):
        total += share * (stage.work - done)
        done, share = stage.work, share / reduction_at(ladder, rung, reduction)
    return total


def reduction_at(ladder: Ladder, rung: int, reduction: int) -> int:
    """Return of how many one goes on from a rung: of `reduction`, but of two to the full length on the way to a rung
    of splits alone, where those that are good at the end can still be told from those that are good early.
    """
    by_splits = len(ladder) > 2 and ladder[-1].amount == ladder[-2].amount
    return 2 if by_splits and 0 < rung == len(ladder) - 3 else reduction


def _halving(values: Sequence[float], stable: Sequence[bool], reduction: int, bar: float | None) -> list[int]:
    del bar
    return survivors(values, stable, reduction)


_ROWS = (
    Pruner("none", "every trial trains to its end", lambda ladder: (ladder[-1:],), _halving),
    Pruner("halving", "at each rung the best of every `reduction` go on", lambda ladder: (ladder,), _halving),
    Pruner(
        "hyperband",
        "halving that begins at a later rung in every other generation, with fewer trials",
        lambda ladder: tuple(ladder[i:] for i in range(len(ladder))),
        _halving,
    ),
    Pruner(
        "median",
        "at each rung those go on that are better than the median so far",
        lambda ladder: (ladder,),
        better_half,
        looks_back=True,
    ),
)
PRUNERS: dict[str, Pruner] = {row.name: row for row in _ROWS}
